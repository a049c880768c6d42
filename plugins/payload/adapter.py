"""Payload 3, through its REST API and the hooks in `plugin/frontispiece.mjs`.

An entry's `ref` is the slug of its collection and its id, such as `posts/12`.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

import httpx

from frontispiece.cms import (
    Adapter,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Format,
    Header,
    NotAllowed,
    Picture,
    Receipt,
    call,
    clock,
    dig,
    fill,
    prose,
    reading,
    texts,
    unchanged,
)
from frontispiece.signatures import standard_webhooks

from . import checks, documents, images, media
from .rest import API, ask, id_of
from .settings import PayloadSettings

EVENTS: dict[str, EventKind] = {f"entry.{kind}": kind for kind in ("created", "published", "updated", "deleted")}


class Payload(Adapter):
    """One Payload project. `draft=true` reads and writes what editors see; `_status` says what visitors do."""

    Settings = PayloadSettings
    settings: PayloadSettings
    title: ClassVar[str] = "Payload"
    docs: ClassVar[str] = "https://payloadcms.com/docs/rest-api/overview"
    signs: ClassVar[str] = "Standard Webhooks"
    needs_plugin: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Payload 3.90"
    formats: ClassVar[tuple[Format, ...]] = ("jpeg", "png", "avif")  # it encodes every WebP anew, without its metadata

    def auth(self) -> httpx.Auth:
        key = self.settings.api_key.get_secret_value()
        return Header("Authorization", f"{self.settings.users} API-Key {key}")

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our hooks in Payload send no such body"):
            said = json.loads(delivery.body)
            if said["event"] == "test.ping":
                return [Event("ping", "")]
            ref = documents.ref_of(said["collection"], said["id"])
            event = Event(EVENTS[said["event"]], ref, self.settings.known(said["locale"]))
        return [event] if said["collection"] in self.settings.types else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        self._identify(api)
        kind = self.settings.types.get(ref.partition("/")[0])
        if kind is None:
            return Entry(ref, "article", "", opted_out=True)
        doc = documents.read(api, ref, self.settings.within(locale), depth=1)
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(doc, kind.title),
            locale=locale or next(iter(self.settings.locales), self.settings.language),
            excerpt=prose(doc, kind.excerpt),
            body=prose(doc, kind.body),
            tags=texts(doc, kind.tags),
            section=next(iter(texts(doc, kind.section)), ""),
            author=next(iter(texts(doc, kind.author)), ""),
            status=doc.get("_status", "published"),
            url=fill(kind.url, doc),
            edit_url=f"{self.settings.url}/admin/collections/{ref}",
            version=doc.get("updatedAt", ""),
            image=images.unfolded(api, self.settings, doc, kind),
            opted_out=dig(doc, kind.opt_out) is True,
            titles=documents.titles(api, ref, kind.title) if self.settings.locales else {},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        self._identify(api)
        within = self.settings.within(entry.locale)
        kind, doc = self.settings.type_of(entry.ref), documents.read(api, entry.ref, within)
        now, before = images.current(self.settings, doc, kind), entry.image or Current("")
        ours = media.find(api, self.settings, picture)
        if ours is None or now is None or now.id != str(ours["id"]):
            unchanged(entry.ref, now, before.id)
            ours = media.store(api, self.settings, ours, entry.locale, picture)
            documents.write(api, entry.ref, doc, within, images.fields(kind, ours["id"], picture.alt))
        previous = {"image": before.id, "alt": before.alt, "locale": entry.locale}
        return Receipt(str(ours["id"]), str(api.base_url.join(ours["url"] or "")), previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        self._identify(api)
        within, before = self.settings.within(receipt.previous["locale"]), receipt.previous["image"]
        kind, doc = self.settings.type_of(ref), documents.read(api, ref, within)
        found = dig(doc, kind.image)
        if id_of(found) != before:
            unchanged(ref, images.current(self.settings, doc, kind), receipt.media_id)
            number = int(before) if before and isinstance(found, int) else before or None  # as the database has its ids
            documents.write(api, ref, doc, within, images.fields(kind, number, receipt.previous["alt"]))

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        self._identify(api)
        for slug, kind in self.settings.types.items():
            for doc in documents.without_image(api, slug, kind, since):
                happened: EventKind = "published" if documents.is_public(api, slug, doc) else "created"
                yield Event(happened, documents.ref_of(slug, doc["id"]))

    def doctor(self, api: httpx.Client) -> list[str]:
        self._identify(api)
        checks.rights(api, self.settings)
        checks.fields(api, self.settings)
        rights = "the API key is accepted and may read and write what is needed"
        words = [rights, media.tried(api, self.settings), checks.hears(api)]
        return [*words, clock(call(api, "GET", f"{API}/access"))]

    def _identify(self, api: httpx.Client) -> None:
        """A wrong key is no error to Payload: it answers 200 with what any visitor sees."""
        if not ask(api, "GET", f"{self.settings.users}/me", params={"depth": 0})["user"]:
            raise NotAllowed(f"{self.settings.url} does not know this api_key among its {self.settings.users}")
