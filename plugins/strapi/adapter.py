"""Strapi 5, through its own webhooks and its REST API.

An entry's `ref` is the name of its type and its documentId, such as `article/q3sd…`; its language versions share both.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

import httpx

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Connection,
    Delivery,
    Entry,
    Event,
    Header,
    Picture,
    Receipt,
    call,
    clock,
    dig_all,
    fill,
    prose,
    reading,
    texts,
    unchanged,
)
from frontispiece.signatures import shown_secret

from . import entries, media, webhooks
from .events import EVENTS, happened, missed
from .settings import StrapiSettings

RIGHTS = "find, findOne and update of each type, and find, upload and destroy of Upload"


class Strapi(Adapter):
    """One Strapi with the content types that its settings name."""

    Settings = StrapiSettings
    settings: StrapiSettings
    title: ClassVar[str] = "Strapi"
    docs: ClassVar[str] = "https://docs.strapi.io/cms/api/rest"
    signs: ClassVar[str] = "the secret in the header Authorization"
    signs_body: ClassVar[bool] = False
    signs_time: ClassVar[bool] = False
    connects: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Strapi 5.54"

    def auth(self) -> httpx.Auth:
        return Header("Authorization", f"Bearer {self.settings.api_token.get_secret_value()}")

    def verify(self, delivery: Delivery) -> str:
        shown_secret(delivery, "Authorization", self.settings.secrets)
        return ""

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("Strapi sends no such body"):
            said = json.loads(delivery.body)
            if said["event"] == "trigger-test":
                return [Event("ping", "")]
            name = self.settings.name_of(said["uid"]) if said["event"] in EVENTS else ""
            return [happened(name, said["event"], said["entry"])] if name else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        now = entries.read(api, self.settings, ref, locale, populate="*")
        found, kind = now.draft, now.kind
        sections = texts(found, kind.section)
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=" ".join(texts(found, kind.title)),
            locale=found.get("locale") or "",
            excerpt=prose(found, kind.excerpt),
            body=prose(found, kind.body),
            tags=texts(found, kind.tags),
            section=next(iter(sections), ""),
            sections=sections,
            author=", ".join(texts(found, kind.author)),
            status=now.status,
            url=fill(kind.url, found),
            edit_url=self._edit_url(ref, found.get("locale")),
            version=found["updatedAt"],
            image=now.image,
            photos=tuple(self.settings.absolute(photo["url"]) for photo in dig_all(found, kind.photos)),
            opted_out=any(dig_all(found, kind.opt_out)),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        before, there = entry.image.id if entry.image else "", media.find(api, picture)
        now = entries.read(api, self.settings, entry.ref, entry.locale).image
        done = bool(now and there and now.id == str(there["id"]))
        if not done:
            unchanged(entry.ref, now, before)
        file = media.store(api, there, picture)
        ours = str(file["id"])
        if not done:
            entries.write(api, self.settings, entry.ref, entry.locale, before, ours)
        previous = {"image": "" if before == ours else before, "locale": entry.locale}
        return Receipt(ours, self.settings.absolute(file["url"]), previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        before, locale = str(receipt.previous["image"]), str(receipt.previous["locale"])
        now = entries.read(api, self.settings, ref, locale).image
        if (now.id if now else "") != before:
            unchanged(ref, now, receipt.media_id)
            entries.write(api, self.settings, ref, locale, receipt.media_id, before)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for name, kind in self.settings.types.items():
            yield from missed(api, name, kind, since)

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        return Connection(webhooks.register(api, self.settings, hook))

    def doctor(self, api: httpx.Client) -> list[str]:
        rights = self._rights(api)
        answer = call(api, "GET", media.FILES, params={"filters[id]": "0"})
        return [*rights, *webhooks.check(api, self.settings), clock(answer)]

    def _rights(self, api: httpx.Client) -> list[str]:
        """Proves that the API token may do what it must. Raises `CmsProblem` with the rights it needs."""
        try:
            written = [entries.may_write(api, self.settings, name) for name in self.settings.types]
            return written + media.tried(api, self.settings)
        except CmsProblem as problem:
            if " answered 403: " in problem.words:
                raise CmsProblem(f"{problem.words}: the API token needs {RIGHTS}") from problem
            raise

    def _edit_url(self, ref: str, locale: str | None) -> str:
        name, _, document = ref.partition("/")
        query = f"?plugins[i18n][locale]={locale}" if locale else ""
        uid = self.settings.types[name].uid
        return f"{self.settings.url}/admin/content-manager/collection-types/{uid}/{document}{query}"
