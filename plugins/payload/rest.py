"""Asking Payload's REST API, and the words that its relations and pages come in."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from frontispiece.cms import call, read_json

API = "/api"


def ask(api: httpx.Client, method: str, path: str, **request: Any) -> Any:
    """The JSON of an answer; raises what `call` and `read_json` raise."""
    return read_json(call(api, method, f"{API}/{path}", **request))


def pages(api: httpx.Client, slug: str, wanted: Mapping[str, Any]) -> Iterator[Any]:
    """The documents of a collection that are wanted, page by page."""
    page = 1
    while page:
        told = ask(api, "GET", slug, params={"depth": 0, "limit": 100, "page": page, **wanted})
        yield from told["docs"]
        page = told["nextPage"] or 0


def id_of(found: Any) -> str:
    """Of a relation, which is an id or, where it was unfolded, a document; "" = none."""
    value = found.get("id") if isinstance(found, Mapping) else found
    return "" if value is None else str(value)
