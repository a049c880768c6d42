"""A node's other languages: Drupal answers in them, and takes writes to them, at addresses with their prefixes.

drupal.org/docs/core-modules-and-themes/core-modules/jsonapi-module/translations: a translation that there is can be
changed, none can be added; where there is none, another is answered. Of media no translation is ever written, because
a new media item has none.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Current, Entry, Gone, Picture, prose

from . import nodes
from .pictures import MOST_ALT
from .settings import DrupalSettings

Images = dict[str, Current | None]


def titles(api: httpx.Client, settings: DrupalSettings, ref: str, told: Any) -> dict[str, str]:
    """The title by locale, of the node that was read and its other translations; none where there is one language."""
    field = settings.type_of(ref).title
    others = read(api, settings, ref, nodes.language(told))
    whole = {nodes.language(told): told, **others} if settings.locales else {}
    return {code: prose(one["data"]["attributes"], field) for code, one in whole.items()}


def read(api: httpx.Client, settings: DrupalSettings, ref: str, but: str) -> dict[str, Any]:
    """All translations that we may see, by locale, but for this one."""
    found = {code: _one(api, settings, ref, code) for code in settings.locales if code != but}
    return {code: told for code, told in found.items() if told is not None}


def images(api: httpx.Client, settings: DrupalSettings, ref: str, but: str) -> Images:
    """The images of these translations; none of a field for media."""
    kind = settings.type_of(ref)
    whole = {} if kind.media else read(api, settings, ref, but)
    return {code: nodes.image(settings, kind, told) for code, told in whole.items()}


def noted(settings: DrupalSettings, locale: str, ours: Current, there: Images) -> dict[str, Any]:
    """What a receipt has to say of languages; what was before an earlier try of ours is not known."""
    known = {code: one for code, one in there.items() if one is None or one.id != ours.id}
    told = {code: {"id": one.id, "alt": one.alt} if one else {"id": "", "alt": ""} for code, one in known.items()}
    return {"locale": locale, "translations": told} if settings.locales else {}


def reword(
    api: httpx.Client, settings: DrupalSettings, entry: Entry, ours: Current, there: Images, picture: Picture
) -> None:
    """Gives the translations that showed what the entry showed our image, with their own words.

    An image of its own that a translation has stays. Raises `CmsProblem` where the words are the same in all languages.
    """
    before = entry.image.id if entry.image else ""
    for code, image in there.items():
        if code in picture.alts and (image is None or image.id in (before, ours.id)):
            show(api, settings, entry.ref, code, {"id": ours.id, "alt": picture.alts[code][:MOST_ALT]})
    kind, told = settings.type_of(entry.ref), nodes.read(api, settings, entry.ref, entry.locale)
    now = nodes.image(settings, kind, told)
    if now and now.id == ours.id and now.alt != ours.alt:
        nodes.show(api, settings, entry.ref, told, nodes.item(kind, ours.id, ours.alt), entry.locale)
        raise CmsProblem(
            f"Drupal keeps one alternative text of {kind.image} for all languages: tick it (Alt) for this content type "
            f"at {settings.url}/admin/config/regional/content-language, or remove locales from the settings"
        )


def put_back(
    api: httpx.Client, settings: DrupalSettings, ref: str, there: Images, media_id: str, before: Mapping[str, Any]
) -> None:
    """Gives the translations that showed our image what they had before; or, where that is not known, the entry had."""
    for code, image in there.items():
        wished = before.get("translations", {}).get(code, before)
        shared = wished["id"] == before["id"]  # one file for all languages: it came back with the entry's own
        if image is not None and (image.id == media_id or (shared and image.id == wished["id"])):
            show(api, settings, ref, code, wished)


def show(api: httpx.Client, settings: DrupalSettings, ref: str, locale: str, wished: Mapping[str, str]) -> None:
    """Writes the image and alt text of a translation that has others."""
    kind, told = settings.type_of(ref), nodes.read(api, settings, ref, locale)
    now = nodes.image(settings, kind, told)
    if nodes.language(told) == locale and (now.id if now else "", now.alt if now else "") != _pair(wished):
        item = nodes.item(kind, wished["id"], wished["alt"]) if wished["id"] else None
        now = nodes.image(settings, kind, nodes.show(api, settings, ref, told, item, locale))
        if (now.id if now else "", now.alt if now else "") != _pair(wished):
            raise CmsProblem(f"{ref} does not show the image and alt text that were set in {locale}")


def _pair(wished: Mapping[str, str]) -> tuple[str, str]:
    return wished["id"], wished["alt"]


def _one(api: httpx.Client, settings: DrupalSettings, ref: str, locale: str) -> Any | None:
    try:
        told = nodes.read(api, settings, ref, locale)
    except Gone as problem:
        raise CmsProblem(
            f"{problem.words}: locales are the prefixes of the languages' addresses, but for the first, which has none"
        ) from problem
    except CmsProblem as problem:
        if " answered 403" in problem.words:  # one that is not published, which our user may not see
            return None
        raise
    return told if nodes.language(told) == locale else None
