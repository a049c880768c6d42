"""Webflow, through its Data API v2; nothing is installed in the site.

An entry's `ref` is its collection's id and its own, `580e…/62b7…`; its other locales are the same entry.
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
    EventKind,
    Header,
    Picture,
    Receipt,
    call,
    clock,
    fill,
    prose,
    read_json,
    reading,
    unchanged,
)
from frontispiece.signatures import fresh, header, hmac_sha256

from . import assets, items, webhooks
from .settings import WebflowSettings

EVENTS: dict[str, EventKind] = {
    "collection_item_created": "created",
    "collection_item_published": "published",
    "collection_item_changed": "updated",
    "collection_item_deleted": "deleted",
}


class Webflow(Adapter):
    """One Webflow site."""

    Settings = WebflowSettings
    settings: WebflowSettings
    title: ClassVar[str] = "Webflow"
    docs: ClassVar[str] = "https://developers.webflow.com/data/docs/working-with-the-cms"
    signs: ClassVar[str] = "HMAC-SHA256 of time and body"
    connects: ClassVar[bool] = True
    accepted: ClassVar[int] = 200
    proved: ClassVar[str] = "a stand-in and Webflow's own webflow-api 3.3.4"

    def auth(self) -> httpx.Auth:
        return Header("Authorization", f"Bearer {self.settings.token.get_secret_value()}")

    def verify(self, delivery: Delivery) -> str:
        """developers.webflow.com/data/docs/working-with-webhooks#validating-request-signatures."""
        stamp, given = header(delivery, "x-webflow-timestamp"), header(delivery, "x-webflow-signature")
        fresh(stamp, delivery.received, unit="milliseconds")
        secrets = [secret for one in self.settings.secrets for secret in one.split()]
        hmac_sha256(secrets, f"{stamp}:".encode() + delivery.body, given, "hex")
        return ""

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("Webflow sends no such body"):
            said = json.loads(delivery.body)
            kind, payload = str(said["triggerType"]), said["payload"]
            told = payload.get("items", [payload]) if kind in EVENTS else []
            found = [items.ref_of(item["collectionId"], item["id"]) for item in told]
        return [Event(EVENTS[kind], ref) for ref in found if ref.split("/")[0] in self.settings.types]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:  # noqa: ARG002 - the primary one always
        item, kind = items.read(api, ref), self.settings.type_of(ref)
        found = item["fieldData"]
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(found, kind.title),
            locale=self.settings.language,
            excerpt=prose(found, kind.excerpt),
            body=prose(found, kind.body),
            tags=tuple(word.strip() for word in str(found.get(kind.tags) or "").split(",") if word.strip()),
            section=prose(found, kind.section),
            author=prose(found, kind.author),
            status="archived" if item.get("isArchived") else "published" if item.get("lastPublished") else "draft",
            url=fill(kind.url, found, safe="/"),
            version=item.get("lastUpdated", ""),
            image=items.image(item, kind.image),
            opted_out=found.get(kind.opt_out) is True,
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        item, field = items.read(api, entry.ref), self.settings.type_of(entry.ref).image
        now, before, name = items.image(item, field), entry.image, assets.name_of(picture)
        if now is None or not now.url.endswith(name):
            unchanged(entry.ref, now, before.id if before else "")
            asset = assets.store(api, self.settings, picture)
            item = items.read(api, entry.ref)  # again: the upload may have taken a while
            unchanged(entry.ref, items.image(item, field), before.id if before else "")
            image = {"fileId": asset["id"], "url": asset["hostedUrl"], "alt": picture.alt}
            now = items.image(items.write(api, entry.ref, item, {field: image}), field)
            if now is None or not now.url.endswith(name) or now.alt != picture.alt:
                raise CmsProblem(f"Webflow does not show the image and alt text that were set on {entry.ref}")
        return Receipt(now.id, now.url, {"id": before.id, "url": before.url, "alt": before.alt} if before else {})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        item, field, before = items.read(api, ref), self.settings.type_of(ref).image, receipt.previous
        now = items.image(item, field)
        if (now.id if now else None) != before.get("id"):
            unchanged(ref, now, receipt.media_id)
            image = {"fileId": before["id"], "url": before["url"], "alt": before["alt"]} if before else None
            items.write(api, ref, item, {field: image})

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for collection, kind in self.settings.types.items():
            for item in items.changed(api, collection, since):
                if not item.get("isArchived") and not item["fieldData"].get(kind.image):
                    ref = items.ref_of(collection, item["id"])
                    yield Event("published" if item.get("lastPublished") else "created", ref)

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        return webhooks.register(api, self.settings, hook)

    def doctor(self, api: httpx.Client) -> list[str]:
        site = call(api, "GET", self.settings.path())
        words = [f"the token is accepted for {read_json(site)['displayName']}", clock(site)]
        for collection, kind in self.settings.types.items():
            fields = read_json(call(api, "GET", f"/v2/collections/{collection}"))["fields"]
            if not any((field["slug"], field["type"]) == (kind.image, "Image") for field in fields):
                problem = f"has no image field {kind.image!r}: see types in the settings"
                raise CmsProblem(f"collection {collection} {problem}")
            words.append(f"collection {collection} has the image field {kind.image}")
        return [*words, assets.tried(api, self.settings)]
