"""Drupal's JSON:API: documents with their relationships, files as bytes, lists page by page."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from frontispiece.cms import Picture, call, dig, plain, read_json


def first(resource: Any, field: str) -> Any:
    """The first item of a relationship, to one or to many."""
    data = dig(resource, f"relationships.{field}.data")
    return (data[0] if data else None) if isinstance(data, list) else data


def included(told: Any, item: Any) -> Any:
    """All of what an item of a relationship refers to; {} where we may not see it."""
    return next((one for one in told.get("included", ()) if one["id"] == dig(item, "id")), {})


def names(told: Any, field: str) -> tuple[str, ...]:
    """The names of the terms or people that a relationship of the entry refers to, as far as we may see them."""
    data = dig(told, f"data.relationships.{field}.data") or []
    found = [included(told, item).get("attributes", {}) for item in (data if isinstance(data, list) else [data])]
    return tuple(plain(str(one.get("display_name") or one["name"])) for one in found if one)


def named(api: httpx.Client, kind: str, field: str, name: str) -> Any | None:
    """The file or media item whose field says this name."""
    found = read_json(call(api, "GET", f"/jsonapi/{kind}", params={f"filter[{field}]": name}))
    return next(iter(found["data"]), None)


def upload(api: httpx.Client, path: str, picture: Picture) -> Any:
    """The new file, for the field whose place this is."""
    shown = f'file; filename="{picture.stable_name}"'
    headers = {"Content-Type": "application/octet-stream", "Content-Disposition": shown}
    return read_json(call(api, "POST", f"/jsonapi/{path}", content=picture.data, headers=headers, timeout=120))["data"]


def pages(api: httpx.Client, path: str, query: dict[str, str]) -> Iterator[Any]:
    """All that a list holds, page after page."""
    offset, more = 0, True
    while more:
        told = read_json(call(api, "GET", path, params=query | {"page[offset]": str(offset), "page[limit]": "50"}))
        yield from told["data"]
        offset, more = offset + 50, "next" in told.get("links", {})


def send(api: httpx.Client, method: str, path: str, data: dict[str, Any]) -> Any:
    """Writes one resource, at its path with all that is before it; the answer's document."""
    body, headers = json.dumps({"data": data}), {"Content-Type": "application/vnd.api+json"}
    return read_json(call(api, method, path, content=body, headers=headers))
