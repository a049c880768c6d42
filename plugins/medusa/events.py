"""What happened to products: as our plugin tells it, and as a look through the products finds it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from frontispiece.cms import Event, call, read_json

MOST = 100  # products a page


def happened(said: Any) -> list[Event]:
    """Medusa does not tell what an update changed: one of a published product may have published it just now."""
    kind = said["event"]
    if kind == "ping":
        return [Event("ping", "")]
    ref, published = _ref(said["product"]), said["status"] == "published"
    if kind == "product.updated":
        return [Event("published", ref), Event("updated", ref)] if published else [Event("updated", ref)]
    if kind == "product.created":
        return [Event("published" if published else "created", ref)]
    if kind == "product.deleted":
        return [Event("deleted", ref)]
    raise ValueError(f"event is {kind!r}")


def missed(api: httpx.Client, since: datetime) -> Iterator[Event]:
    """Products changed since then that have no picture, oldest first."""
    for product in sorted(_changed(api, since), key=lambda product: str(product["updated_at"])):
        if not product["thumbnail"]:
            yield Event("published" if product["status"] == "published" else "created", product["id"])


def _changed(api: httpx.Client, since: datetime) -> Iterator[Any]:
    """By id, because Medusa takes one order only, and products that were saved together would change pages."""
    wanted = {"fields": "id,thumbnail,status,updated_at", "order": "id", "limit": str(MOST)}
    wanted["updated_at[$gte]"] = since.astimezone(UTC).isoformat()
    start, there = 0, 1
    while start < there:
        found = read_json(call(api, "GET", "/admin/products", params=wanted | {"offset": str(start)}))
        start, there = start + MOST, found["count"]
        yield from found["products"]


def _ref(number: Any) -> str:
    """`prod_01M7YN…`; strict, because it becomes part of an address."""
    if not isinstance(number, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", number):
        raise ValueError(f"product is {number!r}")
    return number
