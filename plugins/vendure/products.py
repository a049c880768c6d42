"""Products of the shop: what their fields mean, which were changed, and whether we may write them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, NotAllowed

from . import queries
from .asking import ask
from .settings import VendureSettings

MOST = 100  # products a page


def ref_of(number: Any) -> str:
    """Ids are numbers or UUIDs, as the shop's EntityIdStrategy has it. Raises ValueError."""
    if not isinstance(number, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", number):
        raise ValueError(f"product is {number!r}")
    return number


def photos(product: Any) -> tuple[str, ...]:
    """The gallery's and then the variants' own, each once."""
    variants = product["variantList"]["items"]
    found = [*product["assets"], *(asset for one in variants for asset in [one["featuredAsset"], *one["assets"]])]
    return tuple(dict.fromkeys(asset["preview"] for asset in found if asset and asset["type"] == "IMAGE"))


def attributes(product: Any) -> dict[str, str]:
    """Facets and option groups by name: {"Material": "oak", "Size": "M, L"}."""
    pairs = [(value["facet"]["name"], value["name"]) for value in product["facetValues"]]
    pairs += [(group["name"], option["name"]) for group in product["optionGroups"] for option in group["options"]]
    return {name: ", ".join(value for one, value in pairs if one == name) for name in dict.fromkeys(dict(pairs))}


def changed(api: httpx.Client, settings: VendureSettings, since: datetime) -> list[Any]:
    """Products changed since then, oldest first, each with its id, its state and its featured asset."""
    return sorted(_listed(api, settings, since), key=lambda product: str(product["updatedAt"]))


def _listed(api: httpx.Client, settings: VendureSettings, since: datetime) -> Iterator[Any]:
    """By id, which Vendure puts before the time whatever we say, as products saved together would change pages."""
    start, there = 0, 1
    after = {"updatedAt": {"after": since.astimezone(UTC).isoformat().replace("+00:00", "Z")}}
    while start < there:
        options = {"filter": after, "sort": {"id": "ASC"}, "take": MOST, "skip": start}
        found = ask(api, settings, queries.RECENT, options=options)["products"]
        start, there = start + MOST, found["totalItems"]
        yield from found["items"]


def may_write(api: httpx.Client, settings: VendureSettings) -> None:
    """There is no product 0; who may not change products is told so first. Raises `NotAllowed`."""
    try:
        ask(api, settings, queries.WRITE, input={"id": "0"})
    except NotAllowed:
        raise
    except CmsProblem:
        pass
