"""Documents of the operator's collections: found by their refs, read, and written where nobody has saved them since."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, ContentType, Unavailable, dig, plain

from .rest import ask, id_of, pages


def ref_of(slug: Any, number: Any) -> str:
    """`posts/12`; strict, because it becomes part of an address. Ids are numbers, UUIDs or MongoDB's ObjectIds."""
    ref = f"{slug}/{number}"
    if type(number) not in (int, str) or not re.fullmatch(r"[A-Za-z0-9_-]+/[A-Za-z0-9_-]+", ref):
        raise ValueError(f"no collection and id: {ref!r}")
    return ref


def read(api: httpx.Client, ref: str, within: Mapping[str, Any], depth: int = 0) -> Any:
    """The newest version, which may be a draft; relations are unfolded `depth` times."""
    return ask(api, "GET", ref, params={"draft": "true", "depth": depth, **within})


def titles(api: httpx.Client, ref: str, field: str) -> dict[str, str]:
    """The title in all locales; none where the field is not localised."""
    found = dig(ask(api, "GET", ref, params={"draft": "true", "depth": 0, "locale": "all"}), field)
    return {locale: plain(str(title)) for locale, title in found.items()} if isinstance(found, Mapping) else {}


def without_image(api: httpx.Client, slug: str, kind: ContentType, since: datetime) -> Iterator[Any]:
    """Documents changed since then that have no image, oldest first."""
    after = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    bare = {f"where[{kind.image}][exists]": "false", "where[updatedAt][greater_than]": after}
    return pages(api, slug, bare | {"draft": "true", "sort": "updatedAt,id"})


def is_public(api: httpx.Client, slug: str, doc: Any) -> bool:
    """A document whose newest version is a draft may be public all the same, as it was before."""
    wanted = {"where[id][equals]": doc["id"], "where[_status][equals]": "published"}
    return doc.get("_status") != "draft" or any(pages(api, slug, wanted))


def write(api: httpx.Client, ref: str, doc: Any, within: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Keeps the state: a plain PATCH of a published document with a newer draft takes it off the public site.

    The update by `where` is a compare-and-set: it finds the document only as long as nobody has saved it.
    """
    same = {f"where[{name}][equals]": doc[name] for name in ("id", "updatedAt") if name in doc}
    body = _nested(fields) | ({"_status": doc["_status"]} if "_status" in doc else {})
    kept = _update(api, ref, {"draft": "true", "depth": 0, **within, **same}, body)
    if not kept:
        raise Unavailable(f"{ref} was saved by somebody at this very moment", seconds=1)
    lost = [path for path, value in fields.items() if id_of(dig(kept[0], path)) != id_of(value)]
    if lost:
        raise CmsProblem(f"{ref} did not keep its {', '.join(lost)}: are the fields of types right?")


def _update(api: httpx.Client, ref: str, wanted: Mapping[str, Any], body: Mapping[str, Any]) -> Any:
    try:
        return ask(api, "PATCH", ref.partition("/")[0], params=wanted, json=body)["docs"]
    except CmsProblem as problem:
        if "locked by another user" in problem.words:
            raise Unavailable(f"somebody has {ref} open in Payload; it is tried again", seconds=60) from problem
        raise


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`{"meta.image": 5}` as Payload wants it: `{"meta": {"image": 5}}`; what else is in a group stays."""
    body: dict[str, Any] = {}
    for path, value in fields.items():
        *groups, name = path.split(".")
        inside = body
        for group in groups:
            inside = inside.setdefault(group, {})
        inside[name] = value
    return body
