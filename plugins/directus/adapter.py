"""Directus 12, through its REST API; two Flows that `connect` makes do the sending."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from frontispiece.cms import (
    Adapter,
    Conflict,
    Connection,
    Current,
    Delivery,
    Entry,
    Event,
    Picture,
    Receipt,
    call,
    clock,
    fill,
    reading,
    unchanged,
)

from . import events, files, flows, items, translations
from .rest import ask, bearer, data
from .settings import DirectusSettings, DirectusType


class Directus(Adapter):
    """One project. An entry's `ref` is its collection and primary key, such as `articles/0b6a54b0-…`."""

    Settings = DirectusSettings
    settings: DirectusSettings
    title: ClassVar[str] = "Directus"
    docs: ClassVar[str] = "https://directus.io/docs/guides/automate/flows"
    signs: ClassVar[str] = "JSON Web Token, HMAC-SHA256"
    signs_time: ClassVar[bool] = False
    connects: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Directus 12.4"

    def open(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        """Says that it comes from the Studio, to which Directus never answers out of its cache."""
        client = super().open(transport)
        client.headers.update({"Referer": f"{self.settings.url}/admin", "Cache-Control": "no-store"})
        return client

    def auth(self) -> httpx.Auth:
        return bearer(self.settings.token)

    def verify(self, delivery: Delivery) -> str:
        return events.verified(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our Flow in Directus sends no such body"):
            return events.told(delivery.body, self.settings.types)

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        kind, whole = items.read(api, self.settings.types, ref)
        collection, _, key = ref.partition("/")
        found = translations.chosen(self.settings, kind, whole, locale)
        item = translations.within(kind, whole, found)
        sections = items.words(item, kind.section)
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=" ".join(items.words(item, kind.title)),
            locale=found or locale or self.settings.language,
            excerpt=items.rich(item, kind.excerpt),
            body=items.rich(item, kind.body),
            tags=items.words(item, kind.tags),
            section=next(iter(sections), ""),
            sections=sections,
            author=" ".join(items.words(item, kind.author)),
            status=str(item[kind.status] or "") if kind.status else kind.published,
            url=fill(kind.url, item),
            edit_url=f"{self.settings.url}/admin/content/{collection}/{quote(key, safe='')}",
            version=str(item.get(kind.updated) or item.get(kind.created) or ""),
            image=self._current(kind, item),
            opted_out=bool(item.get(kind.opt_out)),
            titles=translations.titles(self.settings, kind, whole),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        kind, item = items.read(api, self.settings.types, entry.ref)
        now, before = self._current(kind, item), entry.image.id if entry.image else ""
        number = files.number_of(entry.ref, picture)
        if now and now.id == number:
            file = files.find(api, number)
        else:
            unchanged(entry.ref, now, before)
            file = self._put(api, entry, picture, kind, item)
        previous = files.replaced(file) or {kind.image: before if before not in ("", number) else None}
        return Receipt(number, self._asset(number), previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        kind, item = items.read(api, self.settings.types, ref)
        now = items.image(kind, item)
        if kind.image not in receipt.previous:
            raise Conflict(f"{ref} got its picture in another field than {kind.image}, which the settings name now")
        if now != receipt.previous[kind.image]:
            unchanged(ref, self._current(kind, item), receipt.media_id)
            items.write(api, self.settings.types, ref, now, translations.still_there(kind, item, receipt.previous))

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        return events.missed(api, self.settings.types, since)

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        me = ask(api, "GET", "/users/me", params={"fields": "id"})["id"]
        words = flows.make(api, self.settings, hook, me)
        rest = ("now remove admin_token from the settings: nothing else needs it",) if self.settings.admin_token else ()
        return Connection((*words, *rest))

    def doctor(self, api: httpx.Client) -> list[str]:
        answer = call(api, "GET", "/users/me", params={"fields": "id,email"})
        me = data(answer)
        words = [f"the token is that of {me['email'] or me['id']}", clock(answer)]
        words += items.rights(api, self.settings.types)
        words += translations.rights(api, self.settings.types)
        return [*words, files.tried(api), *flows.check(api, self.settings, me["id"])]

    def _put(
        self, api: httpx.Client, entry: Entry, picture: Picture, kind: DirectusType, item: Mapping[str, Any]
    ) -> Any:
        """Stores the picture and makes it the item's image, which must not have changed while it was on its way."""
        now, number = items.image(kind, item), files.number_of(entry.ref, picture)
        words = {name: getattr(picture, word)[: items.LONGEST] for name, word in kind.words.items()}
        new, old = translations.updates(self.settings, kind, item, entry.locale, picture)
        replaces = {kind.image: now, **{name: item[name] for name in words}, **old}
        file = files.store(api, number, entry.title or picture.name, picture, replaces)
        items.write(api, self.settings.types, entry.ref, now, {kind.image: number, **words, **new})
        return file

    def _current(self, kind: DirectusType, item: Mapping[str, Any]) -> Current | None:
        number = items.image(kind, item)
        if number is None:
            return None
        alt = " ".join(items.words(item, kind.alt)) if kind.alt else str(item[kind.image]["description"] or "")
        return Current(number, self._asset(number), alt)

    def _asset(self, number: str) -> str:
        return f"{self.settings.url}/assets/{number}"
