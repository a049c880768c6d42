"""Nodes, one translation at a time: read, and the image field written, which Drupal refuses over a newer draft."""

from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Conflict, Current, call, dig, read_json

from .jsonapi import first, included, send
from .settings import DrupalSettings, DrupalType

PENDING = "working copy"  # in core's words for a node with a newer draft, drupal.org/i/2795279


def read(api: httpx.Client, settings: DrupalSettings, ref: str, locale: str = "") -> Any:
    """The document of a node; without a translation to the locale Drupal answers in another, and says in which."""
    kind = settings.type_of(ref)
    picture = f"{kind.image}.{kind.media_field}" if kind.media else kind.image
    wanted = ",".join(filter(None, [picture, kind.author or "uid", kind.tags, kind.section]))
    return read_json(call(api, "GET", f"{settings.root(locale)}/node/{ref}", params={"include": wanted}))


def language(told: Any) -> str:
    """The locale of the translation that was read; "" where the site has one language only."""
    return str(dig(told, "data.attributes.langcode") or "")


def image(settings: DrupalSettings, kind: DrupalType, told: Any) -> Current | None:
    """The image of a node as it was read."""
    shown = first(told["data"], kind.image)
    if shown is None:
        return None
    file = first(included(told, shown), kind.media_field) or {} if kind.media else shown
    path = dig(included(told, file), "attributes.uri.url") or ""
    return Current(shown["id"], str(httpx.URL(settings.url).join(path)), dig(file, "meta.alt") or "")


def image_name(kind: DrupalType, told: Any) -> str:
    """The name of the file or media item that a node shows."""
    shown = included(told, first(told["data"], kind.image))
    return str(dig(shown, f"attributes.{'name' if kind.media else 'filename'}"))


def image_title(kind: DrupalType, told: Any) -> str:
    """What a file field keeps beside the alt text where it is set up so, often whose photograph it is."""
    return "" if kind.media else str(dig(first(told["data"], kind.image), "meta.title") or "")


def item(kind: DrupalType, number: str, alt: str, title: str = "") -> dict[str, Any]:
    """A file or media item as the image field refers to it."""
    if kind.media:
        return {"type": f"media--{kind.media}", "id": number}
    return {"type": "file--file", "id": number, "meta": {"alt": alt} | ({"title": title} if title else {})}


def show(
    api: httpx.Client, settings: DrupalSettings, ref: str, told: Any, wanted: dict[str, Any] | None, locale: str = ""
) -> Any:
    """The node with this item first in its field. JSON:API itself refuses a node with unpublished changes."""
    kind, data = settings.type_of(ref), told["data"]["relationships"][settings.type_of(ref).image]["data"]
    wished = ([wanted] if wanted else []) + data[1:] if isinstance(data, list) else wanted
    node = {"type": told["data"]["type"], "id": told["data"]["id"], "relationships": {kind.image: {"data": wished}}}
    try:
        send(api, "PATCH", f"{settings.root(locale)}/node/{ref}", node)
    except CmsProblem as problem:
        if PENDING in problem.words:
            raise Conflict(
                f"{ref} has unpublished changes, and Drupal lets nobody else write to it until then: "
                "publish them or drop them, then approve the picture again"
            ) from problem
        raise
    return read(api, settings, ref, locale)
