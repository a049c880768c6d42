"""What happened to entries: as Strapi's webhooks tell it, and as a look through the entries finds it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from frontispiece.cms import Event, EventKind, call, read_json

from .settings import StrapiType

EVENTS: dict[str, EventKind] = {
    "entry.create": "created",
    "entry.publish": "published",
    "entry.update": "updated",
    "entry.unpublish": "updated",
    "entry.draft-discard": "updated",
    "entry.delete": "deleted",
}
DOCUMENT, LOCALE = r"[A-Za-z0-9_-]{1,64}", r"[A-Za-z0-9-]{0,35}"  # strict: they become part of an address
PAGE = "50"  # entries

Row = dict[str, Any]


def happened(name: str, event: str, entry: Any) -> Event:
    """A type without drafts tells of a new entry by `entry.create` alone, and it is public at once."""
    locale = entry.get("locale") or ""
    for part, form in ((entry["documentId"], DOCUMENT), (locale, LOCALE)):
        if not isinstance(part, str) or not re.fullmatch(form, part):
            raise ValueError(f"documentId or locale is {part!r}")
    kind = "published" if event == "entry.create" and entry.get("publishedAt") else EVENTS[event]
    return Event(kind, f"{name}/{entry['documentId']}", locale)


def missed(api: httpx.Client, name: str, kind: StrapiType, since: datetime) -> Iterator[Event]:
    """Entries of a type that have no image, and were published or changed since then."""
    after = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    bare = {f"filters[{kind.image}][id][$null]": "true"}
    # published by a release or in a list: the times of the entry itself stay as they were
    as_it_was = {"filters[publishedAt][$gt]": after, "filters[updatedAt][$lte]": after}
    for rows in _pages(api, kind, bare | as_it_was | {"status": "published"}):
        yield from (happened(name, "entry.publish", row) for row in rows)
    for rows in _pages(api, kind, bare | {"filters[updatedAt][$gt]": after, "status": "draft"}):
        public = _public(api, kind, rows)
        yield from (happened(name, "entry.publish" if _key(row) in public else "entry.create", row) for row in rows)


def _public(api: httpx.Client, kind: StrapiType, rows: list[Row]) -> set[tuple[str, str | None]]:
    """Which of these entries visitors see, by documentId and locale."""
    these = {f"filters[documentId][$in][{at}]": row["documentId"] for at, row in enumerate(rows)}
    pages = _pages(api, kind, these | {"status": "published"}) if rows else ()
    return {_key(row) for page in pages for row in page}


def _key(row: Row) -> tuple[str, str | None]:
    return row["documentId"], row.get("locale")


def _pages(api: httpx.Client, kind: StrapiType, wanted: dict[str, str]) -> Iterator[list[Row]]:
    page, pages = 1, 1
    while page <= pages:
        query = wanted | {"pagination[page]": str(page), "pagination[pageSize]": PAGE, "locale": "*"}
        query |= {"sort": "updatedAt:asc,id:asc"}  # what was saved at one moment would else change pages
        told = read_json(call(api, "GET", kind.path, params=query))
        yield told["data"]
        page, pages = page + 1, told["meta"]["pagination"]["pageCount"]
