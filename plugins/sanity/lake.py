"""Calls to the Content Lake: GROQ queries, transactions and assets; and documents as our queries bring them."""

import json
import re
from typing import Any
from uuid import uuid4

import httpx

from frontispiece.cms import CmsProblem, Picture, Unavailable, Unreadable, call, dig, read_json

__all__ = ["API", "OURS", "Json", "asset_of", "checked", "is_draft", "mutate", "query", "uploaded"]

Json = dict[str, Any]
API = "/v2025-02-19"
OURS = "frontispiece-"  # begins the ids of our transactions, which Sanity keeps as `_rev` of what they changed
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def checked(number: str) -> str:
    """The entry's id, without what marks a draft. Raises `Unreadable`."""
    ref = number.removeprefix("drafts.")
    if not ID.fullmatch(ref):
        raise Unreadable(f"an id of Sanity's is not {ref[:100]!r}")
    return ref


def is_draft(seen: Json) -> bool:
    """Whether it is a draft and no published document."""
    return str(seen["_id"]).startswith("drafts.")


def asset_of(image: Any) -> str:
    """The id of the asset that an image field refers to; "" for none."""
    return str(dig(image, "asset._ref") or "")


def query(api: httpx.Client, dataset: str, groq: str, **named: Any) -> Any:
    """The result of a GROQ query over drafts and published documents alike."""
    wanted = {f"${name}": json.dumps(value) for name, value in named.items()} | {"query": groq, "perspective": "raw"}
    return read_json(call(api, "GET", f"{API}/data/query/{dataset}", params=wanted))["result"]


def mutate(api: httpx.Client, dataset: str, mutations: list[Json]) -> list[Json]:
    """All of them or none; what each came to. `Unavailable` where somebody has saved a document meanwhile."""
    wanted = {"returnDocuments": "true", "visibility": "sync"}
    body = {"mutations": mutations, "transactionId": f"{OURS}{uuid4().hex}"}
    try:
        answer = call(api, "POST", f"{API}/data/mutate/{dataset}", params=wanted, json=body)
    except CmsProblem as problem:
        if " answered 409" in problem.words:
            raise Unavailable(f"somebody else is saving this very moment: {problem.words}") from problem
        raise
    results: list[Json] = read_json(answer)["results"]
    return results


def uploaded(api: httpx.Client, dataset: str, picture: Picture) -> Json:
    """The asset document; the same one for the same bytes, however often they are sent."""
    asked: Json = {"params": {"filename": picture.name}, "headers": {"Content-Type": picture.mime}, "timeout": 120}
    answer = call(api, "POST", f"{API}/assets/images/{dataset}", content=picture.data, **asked)
    return dict(read_json(answer)["document"])
