"""The image of a document: what its fields say of it, and what they are to say."""

from collections.abc import Mapping
from typing import Any

import httpx

from frontispiece.cms import ContentType, Current, dig

from .rest import id_of
from .settings import PayloadSettings


def unfolded(api: httpx.Client, settings: PayloadSettings, doc: Any, kind: ContentType) -> Current | None:
    """The image with its address and alt text, of a document that was read with its relations unfolded."""
    found = dig(doc, kind.image)
    file = found if isinstance(found, Mapping) else {}
    alt = dig(doc, kind.alt) if kind.alt else file.get(settings.alt)
    return Current(id_of(found), str(api.base_url.join(file.get("url") or "")), alt or "") if found else None


def current(settings: PayloadSettings, doc: Any, kind: ContentType) -> Current | None:
    """Which image a document has; of one that was not unfolded there is no address, but its place in Payload."""
    number = id_of(dig(doc, kind.image))
    return Current(number, f"{settings.media}/{number}") if number else None


def fields(kind: ContentType, image: Any, alt: str) -> dict[str, Any]:
    """The fields of a document that are written."""
    return {kind.image: image} | ({kind.alt: alt} if kind.alt else {})
