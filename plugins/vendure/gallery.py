"""A product's assets: the featured one, and the gallery, which Vendure wants written whole.

Our asset stands just before the one that it replaces, so that what was there before can be read off the product itself.
"""

from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Current, Gone

from . import queries
from .asking import ask
from .settings import VendureSettings


def read(api: httpx.Client, settings: VendureSettings, ref: str) -> Any:
    """The product with its featured asset and its gallery. Raises `Gone`."""
    return there(ref, ask(api, settings, queries.GALLERY, id=ref)["product"])


def write(api: httpx.Client, settings: VendureSettings, ref: str, shown: str | None, gallery: list[str]) -> Any:
    """Sets featured asset and gallery. Vendure leaves out assets that it does not know, without a word: so compare."""
    change = {"id": ref, "featuredAssetId": shown, "assetIds": gallery}
    product = ask(api, settings, queries.WRITE, input=change)["updateProduct"]
    if (featured(product), _ids(product)) != (shown, gallery):
        raise CmsProblem(f"product {ref} did not keep the featured asset {shown} and the gallery {gallery}")
    return product


def there(ref: str, product: Any) -> Any:
    """The product that was asked for, if Vendure has it. Raises `Gone`."""
    if product is None:
        raise Gone(f"product {ref} is not there, or not in this channel")
    return product


def featured(product: Any) -> Any:
    """The id of the featured asset, or None."""
    return product["featuredAsset"] and product["featuredAsset"]["id"]


def current(product: Any) -> Current | None:
    """The featured asset with its address."""
    asset = product["featuredAsset"]
    return Current(asset["id"], asset["source"]) if asset else None


def without(product: Any, ours: str) -> list[str]:
    """The gallery as it would be if our asset had never been there."""
    return [number for number in _ids(product) if number != ours]


def with_ours(product: Any, ours: str) -> list[str]:
    """The gallery with our asset just before the featured one, or at its end where none is featured."""
    old, shown = without(product, ours), featured(product)
    if shown is None:
        return [*old, ours]
    old = old if shown in old else [shown, *old]
    place = old.index(shown)
    return [*old[:place], ours, *old[place:]]


def replaced(product: Any, ours: str) -> str | None:
    """The asset that ours has replaced: the one behind it."""
    gallery = _ids(product)
    after = gallery[gallery.index(ours) + 1 :] if ours in gallery else []
    return next(iter(after), None)


def _ids(product: Any) -> list[str]:
    return [asset["id"] for asset in product["assets"]]
