"""Storyblok, through its Management API v1; nothing is installed in the space.

An entry's `ref` is a story's number. A story's content is written whole, so it is read again just before.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import httpx

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Connection,
    Current,
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
    whole_number,
)
from frontispiece.signatures import header, hmac_sha256

from . import assets, stories, translations, webhooks
from .settings import StoryblokSettings

EVENTS: dict[str, EventKind] = {"published": "published", "deleted": "deleted"}


class Storyblok(Adapter):
    """One space."""

    Settings = StoryblokSettings
    settings: StoryblokSettings
    title: ClassVar[str] = "Storyblok"
    docs: ClassVar[str] = "https://www.storyblok.com/docs/api/management"
    signs: ClassVar[str] = "HMAC-SHA1 of the body"
    signs_time: ClassVar[bool] = False
    connects: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "a stand-in and Storyblok's own client 0.7.0"

    def auth(self) -> httpx.Auth:
        return Header("Authorization", self.settings.token.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        """Publishing twice sends the same bytes twice, so the minute in which they came is part of the id."""
        given = header(delivery, "webhook-signature")
        hmac_sha256(self.settings.secrets, delivery.body, given, "hex", by="sha1")
        return f"{given} {int(delivery.received // 60)}"

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("Storyblok sends no such body"):
            said = json.loads(delivery.body)
            kind = EVENTS.get(str(said["action"]))
            return [Event(kind, whole_number(said["story_id"]))] if kind and "story_id" in said else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        story = stories.read(api, self.settings, ref)
        content, kind = story["content"], self.settings.type_of(story)
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(content, kind.title) or prose(story, "name"),
            locale=next(iter(self.settings.locales), locale or self.settings.language),
            excerpt=prose(content, kind.excerpt),
            body=prose(content, kind.body),
            tags=tuple(story.get("tag_list") or ()),
            section=prose(content, kind.section),
            author=prose(content, kind.author),
            status="published" if story["published"] else "draft",
            url=fill(kind.url, story, safe="/"),
            edit_url=f"https://app.storyblok.com/#/me/spaces/{self.settings.space_id}/stories/0/0/{ref}",
            version=story["updated_at"],
            image=stories.image(story, kind.image),
            opted_out=not self.settings.knows(story) or content.get(kind.opt_out) is True,
            titles=translations.titles(self.settings, story),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        story, before = stories.read(api, self.settings, entry.ref), entry.image.id if entry.image else ""
        field, what = self.settings.type_of(story).image, f"story {entry.ref}"
        previous, now = assets.rebuilt(entry.image), stories.image(story, field)
        if now is None or not now.url.endswith(f"/{picture.stable_name}"):
            unchanged(what, now, before)
            asset = assets.store(api, self.settings, picture)
            locales = translations.others(api, self.settings, story, picture)
            story = stories.read(api, self.settings, entry.ref)  # again, because its whole content goes back
            unchanged(what, stories.image(story, field), before)
            told, content = translations.values(self.settings, story, asset, picture, locales), story["content"]
            others = translations.replaced(content, field, told)
            previous = (content[field] if before else {}) | ({"translations": others} if others else {})
            kept = stories.write(api, self.settings, story, content | told)
            now = stories.image(kept, field)
            if now is None or not all(_shows(stories.image(kept, name), value) for name, value in told.items()):
                raise CmsProblem(f"Storyblok does not show the image and alt text that were set on {what}")
        return Receipt(now.id, now.url, previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        story, before = stories.read(api, self.settings, ref), stories.current(receipt.previous)
        field = self.settings.type_of(story).image
        now = stories.image(story, field)
        if (now.id if now else "") != (before.id if before else ""):
            unchanged(f"story {ref}", now, receipt.media_id)
            value = {"fieldtype": "asset", "id": None, "filename": "", "alt": "", **receipt.previous}
            others = value.pop("translations", {})
            content = translations.without(story["content"], field, receipt.media_id, others)
            stories.write(api, self.settings, story, content | {field: value})

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for story in stories.changed(api, self.settings, since):
            kind = self.settings.type_of(story)
            if self.settings.knows(story) and stories.image(story, kind.image) is None:
                yield Event("published" if story["published"] else "created", str(story["id"]))

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        return Connection(webhooks.register(api, self.settings, hook))

    def doctor(self, api: httpx.Client) -> list[str]:
        space = call(api, "GET", f"/v1/spaces/{self.settings.space_id}")
        tried = assets.tried(api, self.settings)
        return [f"the token is accepted for space {read_json(space)['space']['name']}", tried, clock(space)]


def _shows(image: Current | None, value: Mapping[str, Any]) -> bool:
    """Whether a field kept the asset and the alt text that were set."""
    return image is not None and (image.id, image.alt) == (str(value["id"]), value["alt"])
