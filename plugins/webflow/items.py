"""One item of a collection, which is staged for editors and, once published, live for visitors."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx

from frontispiece.cms import Current, Gone, call, read_json

from .pages import pages

REF = re.compile("[0-9a-f]{24}/[0-9a-f]{24}")


def ref_of(collection: Any, item: Any) -> str:
    """Strict, because it becomes part of an address."""
    ref = f"{collection}/{item}"
    if not REF.fullmatch(ref):
        raise ValueError(f"{ref[:60]!r} is no collection and item")
    return ref


def read(api: httpx.Client, ref: str) -> Any:
    return read_json(call(api, "GET", _path(ref)))


def image(item: Any, field: str) -> Current | None:
    """The image of an item as it was read."""
    found = item["fieldData"].get(field)
    return Current(str(found["fileId"]), found["url"], found.get("alt") or "") if found else None


def write(api: httpx.Client, ref: str, item: Any, fields: dict[str, Any]) -> Any:
    """Live where visitors see what editors see; else to the staged item alone, which waits for its editor.

    `isDraft` is sent back as it was: left out, an update would be queued for the next time the site is published.
    Without `skipInvalidFiles=false` an image that Webflow cannot take is lost without a word.
    """
    clean = not item["isDraft"] and _live(api, ref) == item["fieldData"]
    body = {"fieldData": fields} | ({} if clean else {"isDraft": item["isDraft"], "isArchived": item["isArchived"]})
    path = f"{_path(ref)}{'/live' if clean else ''}"
    return read_json(call(api, "PATCH", path, json=body, params={"skipInvalidFiles": "false"}))


def changed(api: httpx.Client, collection: str, since: datetime) -> list[Any]:
    """A collection's items changed since then, the oldest change first."""
    start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # by slug, which no two items share: those that were changed together would else change pages
    wanted = {"lastUpdated[gte]": start, "sortBy": "slug", "sortOrder": "asc"}
    found = pages(api, f"/v2/collections/{collection}/items", "items", wanted)
    return sorted(found, key=lambda item: str(item["lastUpdated"]))


def _live(api: httpx.Client, ref: str) -> Any:
    """What visitors see; None while nothing is published."""
    try:
        return read_json(call(api, "GET", f"{_path(ref)}/live"))["fieldData"]
    except Gone:
        return None


def _path(ref: str) -> str:
    collection, item = ref.split("/")
    return f"/v2/collections/{collection}/items/{item}"
