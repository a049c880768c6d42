"""A product's images, of which the thumbnail is the one that lists and searches show."""

from pathlib import PurePath
from typing import Any

import httpx

from frontispiece.cms import Current, Picture

from . import catalog
from .settings import BigCommerceSettings


def read(api: httpx.Client, settings: BigCommerceSettings, ref: str) -> Any:
    """All images of a product."""
    return catalog.ask(api, settings, "GET", f"products/{ref}/images", params={"limit": 250})


def thumbnail(images: Any) -> Current | None:
    shown = next((one for one in images if one["is_thumbnail"]), None)
    return Current(str(shown["id"]), shown["url_zoom"], shown["description"] or "") if shown else None


def find(images: Any, picture: Picture) -> Any:
    """The image that an earlier try has left: BigCommerce adds __ and a number to the name of a file."""
    start = f"{PurePath(picture.stable_name).stem}__"
    return next((one for one in images if PurePath(one["image_file"]).name.startswith(start)), None)


def put_first(
    api: httpx.Client, settings: BigCommerceSettings, ref: str, images: Any, ours: Any, picture: Picture
) -> Any:
    """A lower number than all others shows it first without renumbering theirs."""
    order = min((image["sort_order"] for image in images if image["id"] != ours["id"]), default=1) - 1
    form = {"is_thumbnail": True, "sort_order": order, "description": picture.alt}
    return catalog.ask(api, settings, "PUT", f"products/{ref}/images/{ours['id']}", json=form)


def upload(api: httpx.Client, settings: BigCommerceSettings, ref: str, images: Any, picture: Picture) -> Any:
    """The picture behind all others, not shown first yet."""
    order = max((image["sort_order"] for image in images), default=0) + 1
    form = {"is_thumbnail": "false", "sort_order": str(order), "description": picture.alt}
    file = {"image_file": (picture.stable_name, picture.data, picture.mime)}
    return catalog.ask(api, settings, "POST", f"products/{ref}/images", data=form, files=file, timeout=120)
