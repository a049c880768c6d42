"""The store's catalogue: products, and their categories by name."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from frontispiece.cms import call, plain, read_json

from .settings import BigCommerceSettings


def ask(api: httpx.Client, settings: BigCommerceSettings, method: str, below: str, **request: Any) -> Any:
    """The `data` of the answer to one call below `catalog/`."""
    return read_json(call(api, method, settings.path(f"catalog/{below}"), **request))["data"]


def categories(api: httpx.Client, settings: BigCommerceSettings, numbers: list[int]) -> tuple[str, ...]:
    if not numbers:
        return ()
    wanted = {"id:in": ",".join(map(str, numbers)), "include_fields": "name"}
    return tuple(plain(one["name"]) for one in ask(api, settings, "GET", "categories", params=wanted))


def changed(api: httpx.Client, settings: BigCommerceSettings, since: datetime) -> list[Any]:
    """Products changed since then with their images, the oldest change first."""
    return sorted(_listed(api, settings, since), key=lambda product: str(product["date_modified"]))


def _listed(api: httpx.Client, settings: BigCommerceSettings, since: datetime) -> Iterator[Any]:
    """By id, because BigCommerce takes one order only, and products changed in one second would change pages."""
    query = {"date_modified:min": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    query |= {"include": "images", "sort": "id", "direction": "asc"}
    page, pages = 1, 1
    while page <= pages:
        wanted = query | {"page": str(page), "limit": "250"}
        told = read_json(call(api, "GET", settings.path("catalog/products"), params=wanted))
        yield from told["data"]
        page, pages = page + 1, told["meta"]["pagination"]["total_pages"]
