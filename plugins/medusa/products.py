"""Products of the shop: read with their gallery in order, written, and what their fields mean.

Medusa knows a picture by its address only: the thumbnail is one, and the gallery a list of them, written whole.
"""

from typing import Any

import httpx

from frontispiece.cms import CmsProblem, call, dig_all, read_json

IMAGES = "id,thumbnail,metadata,images.id,images.url,images.rank"
FIELDS = f"{IMAGES},title,subtitle,description,handle,status,updated_at,material,*tags,*categories,*collection,*type"
FIELDS += ",*options,*options.values,variants.id,variants.thumbnail,variants.images.url"


def read(api: httpx.Client, ref: str, fields: str = IMAGES) -> Any:
    """A product, its images in the order of the gallery."""
    return _product(api, "GET", ref, fields)


def write(api: httpx.Client, product: Any, thumbnail: str | None, gallery: list[Any], metadata: dict[str, Any]) -> Any:
    """With their ids sent back, the other images stay assigned to the variants that they show."""
    images = [{name: image[name] for name in ("id", "url") if name in image} for image in gallery]
    change = {"thumbnail": thumbnail, "images": images, "metadata": metadata}
    kept = _product(api, "POST", product["id"], IMAGES, json=change)
    wanted, found = [image["url"] for image in gallery], [image["url"] for image in kept["images"]]
    if (kept["thumbnail"], found) != (thumbnail, wanted):
        raise CmsProblem(f"product {product['id']} did not keep the thumbnail {thumbnail} and the images {wanted}")
    return kept


def with_ours(product: Any, ours: str) -> list[Any]:
    """The gallery with our picture just before the one it replaces, or first."""
    old = product["images"]
    place = next((number for number, image in enumerate(old) if image["url"] == product["thumbnail"]), 0)
    return [*old[:place], {"url": ours}, *old[place:]]


def without(product: Any, ours: str) -> list[Any]:
    """The gallery as it would be if our picture had never been there."""
    return [image for image in product["images"] if image["url"] != ours]


def photos(product: Any) -> tuple[str, ...]:
    """The gallery's and then the variants' own, each once."""
    paths = ("images.url", "variants.thumbnail", "variants.images.url")
    return tuple(dict.fromkeys(str(photo) for path in paths for photo in dig_all(product, path)))


def attributes(product: Any) -> dict[str, str]:
    """Options by title, and what else Medusa knows of a product: {"Size": "M, L", "Material": "oak"}."""
    found = {one["title"]: ", ".join(value["value"] for value in one["values"]) for one in product["options"]}
    found["Material"] = product["material"] or ""
    found["Type"] = (product["type"] or {}).get("value", "")
    found["Collection"] = (product["collection"] or {}).get("title", "")
    return {name: value for name, value in found.items() if value}


def _product(api: httpx.Client, method: str, ref: str, fields: str, **change: Any) -> Any:
    told = read_json(call(api, method, f"/admin/products/{ref}", params={"fields": fields}, **change))
    product = told["product"]
    product["images"].sort(key=lambda image: image["rank"])
    return product
