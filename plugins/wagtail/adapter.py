"""Wagtail 8, through its API v3 and what our app in `plugin/frontispiece_wagtail` adds to it.

An entry's `ref` is its page type and id, such as `blog.ArticlePage/12`. A translation is a page of its own.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
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
    Picture,
    Receipt,
    plain,
    reading,
)
from frontispiece.signatures import standard_webhooks

from . import checks, pages
from .asking import tell_apart
from .settings import WagtailSettings

EVENTS: dict[str, EventKind] = {f"entry.{kind}": kind for kind in ("created", "published", "updated", "deleted")}


class Wagtail(Adapter):
    """One project; all its sites and languages are in one tree."""

    Settings = WagtailSettings
    settings: WagtailSettings
    title: ClassVar[str] = "Wagtail"
    docs: ClassVar[str] = "https://docs.wagtail.org/en/stable/advanced_topics/api/v3/"
    signs: ClassVar[str] = "Standard Webhooks"
    needs_plugin: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Wagtail 8.0"
    formats: ClassVar[tuple[Format, ...]] = ("webp", "jpeg", "png", "avif")

    def open(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        client = super().open(transport)
        client.event_hooks = {"response": [tell_apart]}
        return client

    def auth(self) -> httpx.Auth:
        return Header("Authorization", f"Bearer {self.settings.token.get_secret_value()}")

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our app in Wagtail sends no such body"):
            said = json.loads(delivery.body)
            if said["event"] == "test.ping":
                return [Event("ping", "")]
            event = Event(EVENTS[said["event"]], pages.ref_of(said["type"], said["id"]))
        return [event] if said["type"] in self.settings.types else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        kind = self.settings.types.get(ref.partition("/")[0])
        if kind is None:
            return Entry(ref, "article", "", opted_out=True)
        page, found = pages.read(api, self.settings, ref, kind)
        image, tags = page["image"], found.get("tags", [])
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=plain(found["title"]),
            locale=page["locale"] or locale,
            excerpt=plain(found.get("excerpt", "")),
            body=plain(found.get("body", "")),
            tags=tuple(tags if isinstance(tags, list) else filter(None, [tags])),
            section=found.get("section", ""),
            author=found.get("author", ""),
            status="published" if page["live"] else "draft",
            url=page["url"],
            edit_url=page["edit_url"],
            version=page["version"] or "",
            image=Current(image["id"], image["url"], found.get("alt", image["alt"])) if image else None,
            opted_out=found.get("opt_out") is True,
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        before = {"image": entry.image.id, "alt": entry.image.alt} if entry.image else {"image": "", "alt": ""}
        focal = dict(zip(("focal_x", "focal_y"), picture.focal or (), strict=False))
        wish = {"title": entry.title, "alt": picture.alt, **self.settings.place, **focal}
        file = (picture.name, picture.data, picture.mime)
        image = pages.write(api, self.settings, entry.ref, before["image"], wish, files={"file": file})
        return Receipt(image["id"], image["url"], before)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        pages.write(api, self.settings, ref, receipt.media_id, receipt.previous)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for name, kind in self.settings.types.items():
            for page in pages.without_image(api, self.settings, name, kind, since):
                yield Event("published" if page["live"] else "created", pages.ref_of(name, page["id"]))

    def doctor(self, api: httpx.Client) -> list[str]:
        rights = checks.rights(api, self.settings)
        list(self.recent(api, datetime.now(UTC)))  # 422 for a type or a field that Wagtail does not know
        heard = checks.hears(api, self.settings)
        return [rights, *checks.uploads(api, self.settings), heard]
