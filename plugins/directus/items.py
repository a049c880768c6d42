"""Items of the operator's collections: found by their keys, read, written under a condition, looked through.

A key goes into filters only and never into an address. A missing item and a forbidden one are both 403 in Directus, so
items are read as lists.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from frontispiece.cms import CmsProblem, Conflict, Gone, dig_all, plain

from .rest import ask
from .settings import DirectusType

MISSING = "undefined"  # what a Flow writes for a variable that there is not
RIGHTS = "in Directus, Settings > Access Policies"
PAGE = 100  # items
LONGEST = 255  # characters of a field of type string, unless its owner has chosen otherwise

Types = Mapping[str, DirectusType]


def ref_of(collection: str, key: Any) -> str:
    """The `ref` of an item, such as `articles/0b6a54b0-…`. Raises ValueError."""
    if type(key) not in (int, str) or key == MISSING or not re.fullmatch(r"[^\x00-\x1f]{1,255}", str(key)):
        raise ValueError(f"a key is {key!r}")
    return f"{collection}/{key}"


def read(api: httpx.Client, types: Types, ref: str) -> tuple[DirectusType, dict[str, Any]]:
    """An item with the fields that its type names. Raises `Gone`, `CmsProblem`."""
    collection, kind, key = _place(types, ref)
    query = {"filter": json.dumps({kind.key: {"_eq": key}}), "fields": ",".join(kind.paths), "limit": "1"}
    found = _list(api, collection, query)
    if not found:
        raise Gone(f"{ref} is not there")
    if kind.status and found[0][kind.status] == kind.archived:
        raise Gone(f"{ref} is archived")
    return kind, found[0]


def write(api: httpx.Client, types: Types, ref: str, expected: str | None, values: Mapping[str, Any]) -> None:
    """Sets fields of an item that still has the expected image; Directus looks and writes in one request."""
    collection, kind, key = _place(types, ref)
    same = {kind.image: {"_null": True} if expected is None else {"_eq": expected}}
    query = {"filter": {"_and": [{kind.key: {"_eq": key}}, same]}, "limit": 1}
    paths = [path for name, value in values.items() for path in _paths(name, value)]
    fields, body = {"fields": ",".join(paths)}, {"query": query, "data": dict(values)}
    kept = ask(api, "PATCH", f"/items/{quote(collection)}", params=fields, json=body)
    if not kept:
        raise Conflict(f"the image of {ref} was changed while ours was on its way")
    if len(kept) != 1 or not all(_holds(kept[0][name], value) for name, value in values.items()):
        raise CmsProblem(f"{ref} kept {kept[0]} when {dict(values)} was set")


def image(kind: DirectusType, item: Mapping[str, Any]) -> str | None:
    """The id of the file that an item has as its image."""
    file = item[kind.image]
    if isinstance(file, list):
        raise CmsProblem(f"the field {kind.image} holds several files: name one for a single image")
    return str(file["id"]) if file else None


def words(item: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """All texts at a dotted path, each once, and as they are: a field of one line holds no HTML."""
    found = (str(one) for one in dig_all(item, path) if isinstance(one, str | int | float))
    return tuple(dict.fromkeys(text for text in found if text))


def rich(item: Mapping[str, Any], path: str) -> str:
    """HTML or Markdown as plain text; of a field of the block editor (Editor.js) the texts of all its blocks."""
    blocks = words(item, f"{path}.blocks.data.text") if path else ()
    return "\n".join(map(plain, blocks or words(item, path)))


def without_image(api: httpx.Client, collection: str, kind: DirectusType, since: datetime) -> list[dict[str, Any]]:
    """What was changed since then and has no image, oldest first; nothing of a collection without times."""
    if not kind.times:
        return []
    late = [{name: {"_gte": since.astimezone(UTC).isoformat()}} for name in kind.times]
    query = {"filter": json.dumps({kind.image: {"_null": True}, "_or": late}), "sort": kind.key}
    fields = ",".join(filter(None, (kind.key, kind.status, *kind.times)))
    found = _pages(api, collection, {**query, "fields": fields})
    oldest = sorted(found, key=lambda item: max(str(item[name] or "") for name in kind.times))
    return [item for item in oldest if not kind.status or item[kind.status] != kind.archived]


def rights(api: httpx.Client, types: Types) -> Iterator[str]:
    """Proves that our user may read and write what the settings name. Raises `CmsProblem`."""
    for collection, kind in types.items():
        _list(api, collection, {"fields": ",".join(kind.paths), "limit": "1"})
        yield may_update(api, collection, kind.written)


def may_update(api: httpx.Client, collection: str, fields: list[str]) -> str:
    """Proves that our user may write these fields. Raises `CmsProblem`."""
    update = ask(api, "GET", "/permissions/me").get(collection, {}).get("update", {})
    allowed, wanted = update.get("fields") or [], ", ".join(fields)
    if update.get("access", "none") == "none" or not ("*" in allowed or set(fields) <= set(allowed)):
        raise CmsProblem(f"the user may not update {wanted} of {collection}: allow it {RIGHTS}")
    return f"{collection}: may be read, and {wanted} written"


def _paths(name: str, value: Any) -> list[str]:
    """What is asked back of a value that was set: of a change of other rows the fields that it sets in them."""
    return [f"{name}.{field}" for field in value["update"][0]] if isinstance(value, Mapping) else [name]


def _holds(kept: Any, value: Any) -> bool:
    return all(row in kept for row in value["update"]) if isinstance(value, Mapping) else bool(kept == value)


def _place(types: Types, ref: str) -> tuple[str, DirectusType, str]:
    collection, _, key = ref.partition("/")
    if collection not in types:
        raise CmsProblem(f"{ref} is of a collection that [sites.….types] does not name")
    return collection, types[collection], key


def _list(api: httpx.Client, collection: str, query: Mapping[str, str | int]) -> list[dict[str, Any]]:
    found = ask(api, "GET", f"/items/{quote(collection)}", params=query)
    if not isinstance(found, list):
        raise CmsProblem(f"the collection {collection} is a singleton, in which there is nothing to look for")
    return found


def _pages(api: httpx.Client, collection: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    page = 1
    while found := _list(api, collection, {**query, "limit": PAGE, "page": page}):
        yield from found
        if len(found) < PAGE:
            return
        page += 1
