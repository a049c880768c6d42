"""Pictures as files or media items: what an earlier try has left is found by its name."""

from typing import Any

import httpx

from frontispiece.cms import Picture, dig

from .jsonapi import first, named, send, upload
from .nodes import item
from .settings import DrupalSettings, DrupalType

MOST_ALT = 512  # characters, core's modules/image/src/Plugin/Field/FieldType/ImageItem.php


def store(api: httpx.Client, settings: DrupalSettings, ref: str, picture: Picture) -> dict[str, Any]:
    """The picture as an item of the node's field."""
    kind, name, alt = settings.type_of(ref), picture.stable_name, picture.alt[:MOST_ALT]
    if kind.media and (media := named(api, f"media/{kind.media}", "name", name)):
        _reword(api, kind, media, alt)
        return item(kind, media["id"], alt)
    file = named(api, "file/file", "filename", name)
    file = file or upload(api, kind.upload(ref.partition("/")[0]), picture)
    if not kind.media:
        return item(kind, file["id"], alt)
    shown = {kind.media_field: {"data": {"type": "file--file", "id": file["id"], "meta": {"alt": alt}}}}
    made = {"type": f"media--{kind.media}", "attributes": {"name": name}, "relationships": shown}
    return item(kind, send(api, "POST", f"/jsonapi/media/{kind.media}", made)["data"]["id"], alt)


def _reword(api: httpx.Client, kind: DrupalType, media: Any, alt: str) -> None:
    """An earlier try's media item gets the words of today."""
    shown = first(media, kind.media_field)
    if dig(shown, "meta.alt") != alt:
        wished = {kind.media_field: {"data": shown | {"meta": {"alt": alt}}}}
        changed = {"type": media["type"], "id": media["id"], "relationships": wished}
        send(api, "PATCH", f"/jsonapi/media/{kind.media}/{media['id']}", changed)
