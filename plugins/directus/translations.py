"""The translations of an item: one row for each language, in the collection of its field of type translations."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from frontispiece.cms import CmsProblem, Picture, dig

from . import items
from .rest import ask
from .settings import DirectusSettings, DirectusType

Item = Mapping[str, Any]


def rows(kind: DirectusType, item: Item) -> dict[str, Item]:
    """The item's translations by their languages."""
    return {str(dig(row, kind.language)): row for row in (item[kind.translations] if kind.translations else ())}


def chosen(settings: DirectusSettings, kind: DirectusType, item: Item, locale: str) -> str:
    """The locale to read an item in: this one, or the first that it has; "" where it has no translations."""
    there = rows(kind, item)
    return next((code for code in (locale, *settings.locales) if code in there), "")


def within(kind: DirectusType, item: Item, locale: str) -> Item:
    """The item with one translation in place of all, so that a path such as `translations.title` leads to one text."""
    return {**item, kind.translations: rows(kind, item).get(locale, {})} if kind.translations else item


def titles(settings: DirectusSettings, kind: DirectusType, item: Item) -> dict[str, str]:
    """The title by locale, as far as it is there; none where it is not translated."""
    there = [code for code in settings.locales if kind.is_translated(kind.title) and code in rows(kind, item)]
    told = {code: " ".join(items.words(within(kind, item, code), kind.title)) for code in there}
    return {code: title for code, title in told.items() if title}


def updates(
    settings: DirectusSettings, kind: DirectusType, item: Item, locale: str, picture: Picture
) -> tuple[Item, Item]:
    """What to write to the translations, which get the picture's words in their languages; and what is there now.

    In Directus's words for a change of some rows, so that no other row is touched; {} where there is nothing to write.
    """
    told = {code: picture.within(code) for code in picture.alts if code in settings.locales} | {locale: picture}
    there = [(row, told[code]) for code, row in rows(kind, item).items() if code in told] if kind.translated else []
    new = [
        {"id": row["id"], **{name: getattr(said, word)[: items.LONGEST] for name, word in kind.translated.items()}}
        for row, said in there
    ]
    old = [{"id": row["id"], **{name: row[name] for name in kind.translated}} for row, _ in there]
    return (_change(kind, new), _change(kind, old)) if there else ({}, {})


def still_there(kind: DirectusType, item: Item, values: Item) -> Item:
    """The values without those for translations that somebody has deleted since: Directus refuses to write to these."""
    if not kind.translations or kind.translations not in values:
        return values
    numbers = [row["id"] for row in rows(kind, item).values()]
    kept = [row for row in values[kind.translations]["update"] if row["id"] in numbers]
    rest = {name: value for name, value in values.items() if name != kind.translations}
    return {**rest, **_change(kind, kept)} if kept else rest


def rights(api: httpx.Client, types: Mapping[str, DirectusType]) -> Iterator[str]:
    """Proves that our user may write to the translations. Raises `CmsProblem`."""
    translated = {name: kind for name, kind in types.items() if kind.translated}
    relations = ask(api, "GET", "/relations") if translated else []
    for name, kind in translated.items():
        there = [one["collection"] for one in relations if _leads_back(one, name, kind.translations)]
        if not there:
            raise CmsProblem(f"the field {kind.translations} of {name} is none for translations")
        yield items.may_update(api, there[0], list(kind.translated))


def _leads_back(relation: Item, collection: str, field: str) -> bool:
    return (relation["related_collection"], dig(relation, "meta.one_field")) == (collection, field)


def _change(kind: DirectusType, of: list[dict[str, Any]]) -> Item:
    return {kind.translations: {"create": [], "update": of, "delete": []}}
