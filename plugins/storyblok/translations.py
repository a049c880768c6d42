"""Fields in other languages, which a story's content has beside the default one's: `title__i18n__de` beside `title`."""

from collections.abc import Mapping
from typing import Any

import httpx

from frontispiece.cms import Picture, call, dig, prose, read_json

from . import assets, stories
from .settings import TRANSLATED, StoryblokSettings


def titles(settings: StoryblokSettings, story: Any) -> dict[str, str]:
    """The story's title by locale, as far as it is there."""
    field = settings.type_of(story).title
    names = {one["lang"]: one["name"] for one in story.get("translated_slugs") or () if not field}
    names |= dict.fromkeys(settings.locales[:1], story["name"])
    told = {code: field and prose(story["content"], settings.key(field, code)) for code in settings.locales}
    return {code: found for code, title in told.items() if (found := title or names.get(code))}


def others(api: httpx.Client, settings: StoryblokSettings, story: Any, picture: Picture) -> list[str]:
    """The locales beside the default one that get the picture."""
    found = [code for code in settings.locales[1:] if code in picture.alts]
    field = settings.type_of(story).image
    return found if found and _is_translated(api, settings, story["content"]["component"], field) else []


def values(
    settings: StoryblokSettings, story: Any, asset: Any, picture: Picture, locales: list[str]
) -> dict[str, dict[str, Any]]:
    """What the image field is to hold, by its name in each locale; an image of its own that a locale has stays."""
    field = settings.type_of(story).image
    told = {field: assets.value(settings, asset, picture)}
    before = stories.image(story, field)
    for code in locales:
        name = settings.key(field, code)
        now = stories.image(story, name)
        if now is None or (before and now.id == before.id):
            told[name] = assets.value(settings, asset, picture.within(code), code)
    return told


def replaced(content: Mapping[str, Any], field: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What a receipt has to say of the locales beside the default one."""
    return {name: content[name] for name in told if name != field and name in content}


def without(content: Mapping[str, Any], field: str, asset: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """The content where this asset is in no locale but the default one: there is what was there before, if anything."""
    ours = [name for name in content if name.startswith(field + TRANSLATED) and _shows(content[name], asset)]
    rest = {name: value for name, value in content.items() if name not in ours}
    return rest | {name: before[name] for name in ours if name in before}


def _shows(value: Any, asset: str) -> bool:
    shown = stories.current(value)
    return shown is not None and shown.id == asset


def _is_translated(api: httpx.Client, settings: StoryblokSettings, component: str, field: str) -> bool:
    """Whether the Block library has the field marked as translatable."""
    found = read_json(call(api, "GET", settings.path("components"), params={"search": component}))["components"]
    return any(one["name"] == component and dig(one, f"schema.{field}.translatable") is True for one in found)
