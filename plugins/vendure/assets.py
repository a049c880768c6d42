"""Assets of the library: a picture goes in once, under a name that finds it again, with alt text and focal point."""

from pathlib import PurePath
from typing import Any

import httpx

from frontispiece.cms import TEST_PICTURE, CmsProblem, Current, Picture

from . import queries
from .asking import ask, code
from .settings import VendureSettings


def find(api: httpx.Client, settings: VendureSettings, picture: Picture) -> Any | None:
    """The asset that an earlier try has left of this very picture."""
    name = PurePath(picture.stable_name).stem
    return next(iter(ask(api, settings, queries.FIND, name=name)["assets"]["items"]), None)


def is_there(api: httpx.Client, settings: VendureSettings, asset: str) -> bool:
    """Whether the library still has this asset."""
    return ask(api, settings, queries.ASSET, id=asset)["asset"] is not None


def upload(api: httpx.Client, settings: VendureSettings, picture: Picture) -> Any:
    """A new asset of this picture."""
    file = (picture.stable_name, picture.data, picture.mime)
    asset = ask(api, settings, queries.UPLOAD, file=file)["createAssets"][0]
    if "errorCode" in asset:
        raise CmsProblem(f"Vendure does not take {picture.name}: {asset['message']}")
    if (asset["width"], asset["height"]) != (picture.width, picture.height):  # it takes any bytes at all
        _remove(api, settings, asset["id"])
        raise CmsProblem(f"Vendure cannot read {picture.name} as a picture; it was removed again")
    return asset


def describe(api: httpx.Client, settings: VendureSettings, asset: str, picture: Picture, locale: str) -> None:
    """Writes focal point and alt text, for which Vendure itself has no place but the asset's name."""
    change = dict[str, Any](id=asset)
    if picture.focal:
        change["focalPoint"] = {"x": picture.focal[0], "y": picture.focal[1]}
    if settings.alt_field:
        change["customFields"] = {settings.alt_field: picture.alt}
    else:
        alts = picture.alts or {locale: picture.alt}
        change["translations"] = [{"languageCode": code(tag), "name": alt} for tag, alt in alts.items()]
    ask(api, settings, queries.DESCRIBE, input=change)


def current(settings: VendureSettings, asset: Any) -> Current | None:
    """The featured asset of a product, with its alt text."""
    if asset is None:
        return None
    alt = asset["customFields"][settings.alt_field] or "" if settings.alt_field else asset["name"]
    return Current(asset["id"], asset["source"], alt)


def tried(api: httpx.Client, settings: VendureSettings) -> str:
    """Proves that our key may upload, describe and remove."""
    asset = upload(api, settings, TEST_PICTURE)
    try:
        describe(api, settings, asset["id"], TEST_PICTURE, settings.language)
    finally:
        _remove(api, settings, asset["id"])
    return "a test picture was uploaded and removed"


def _remove(api: httpx.Client, settings: VendureSettings, asset: str) -> None:
    told = ask(api, settings, queries.REMOVE, id=asset)["deleteAsset"]
    if told["result"] != "DELETED":
        raise CmsProblem(f"asset {asset} could not be removed: {told['message']}")
