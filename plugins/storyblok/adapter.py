"""Storyblok, through its Management API v1; nothing is installed in the space.

An entry's `ref` is a story's number. A story's content is written whole, so it is read again just before.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Conflict,
    Connection,
    ContentType,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Gone,
    Header,
    Picture,
    Receipt,
    SiteSettings,
    call,
    clock,
    fill,
    prose,
    read_json,
    reading,
    removed,
    unchanged,
    whole_number,
)
from frontispiece.signatures import header, hmac_sha256

EVENTS: dict[str, EventKind] = {"published": "published", "deleted": "deleted"}
ACTIONS = ["story.published", "story.deleted"]


class StoryblokType(ContentType):
    """A content type's fields by their technical names; without `title` the story's own name is the title."""

    title: str = ""


class StoryblokSettings(SiteSettings):
    """`token` is a personal access token or an OAuth token; `types` by the technical names of content types."""

    url: str = "https://mapi.storyblok.com"
    space_id: int = Field(gt=0)
    token: SecretStr
    types: dict[str, StoryblokType] = Field(min_length=1)


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
        story = self._story(api, ref)
        content, kind = story["content"], self._type(story)
        space, known = self.settings.space_id, content.get("component") in self.settings.types
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(content, kind.title) or prose(story, "name"),
            locale=locale or self.settings.language,
            excerpt=prose(content, kind.excerpt),
            body=prose(content, kind.body),
            tags=tuple(story.get("tag_list") or ()),
            section=prose(content, kind.section),
            author=prose(content, kind.author),
            status="published" if story["published"] else "draft",
            url=fill(kind.url, story, safe="/"),
            edit_url=f"https://app.storyblok.com/#/me/spaces/{space}/stories/0/0/{ref}",
            version=story["updated_at"],
            image=_current(content.get(kind.image)),
            opted_out=not known or content.get(kind.opt_out) is True,
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        story, before = self._story(api, entry.ref), entry.image.id if entry.image else ""
        field, what = self._type(story).image, f"story {entry.ref}"
        previous, now = _rebuilt(entry.image), _current(story["content"].get(field))
        if now is None or not now.url.endswith(f"/{picture.stable_name}"):
            unchanged(what, now, before)
            asset = self._asset(api, picture)
            story = self._story(api, entry.ref)  # again, because its whole content goes back
            unchanged(what, _current(story["content"].get(field)), before)
            previous = story["content"][field] if before else {}
            now = self._write(api, story, field, _value(asset, picture))
            if now is None or (now.id, now.alt) != (str(asset["id"]), picture.alt):
                raise CmsProblem(f"Storyblok does not show the image and alt text that were set on {what}")
        return Receipt(now.id, now.url, previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        story, before = self._story(api, ref), _current(receipt.previous)
        field = self._type(story).image
        now = _current(story["content"].get(field))
        if (now.id if now else "") != (before.id if before else ""):
            unchanged(f"story {ref}", now, receipt.media_id)
            empty = {"fieldtype": "asset", "id": None, "filename": "", "alt": ""}
            self._write(api, story, field, empty | dict(receipt.previous))

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        """The list has no content, so that each story changed since is asked for by itself, the oldest first."""
        changed, page = [], 1
        while page:
            wanted = {"sort_by": "updated_at:desc", "story_only": "true", "per_page": "100", "page": str(page)}
            found = read_json(call(api, "GET", self._path("stories"), params=wanted))["stories"]
            fresh = [story for story in found if datetime.fromisoformat(story["updated_at"]) >= since]
            changed += fresh
            page = page + 1 if len(fresh) == 100 else 0
        for one in reversed(changed):
            story = self._story(api, whole_number(one["id"]))
            known = story["content"].get("component") in self.settings.types
            if known and _current(story["content"].get(self._type(story).image)) is None:
                yield Event("published" if story["published"] else "created", str(story["id"]))

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        path, secret = self._path("webhook_endpoints"), self.settings.webhook_secret.get_secret_value()
        there = [one for one in read_json(call(api, "GET", path))["webhook_endpoints"] if one["endpoint"] == hook]
        wished = {"name": "Frontispiece", "endpoint": hook, "secret": secret, "activated": True, "actions": ACTIONS}
        number = f"/{there[0]['id']}" if there else ""
        call(api, "PUT" if there else "POST", f"{path}{number}", json={"webhook_endpoint": wished})
        words = f"Storyblok tells {hook} of {' and '.join(ACTIONS)}"
        return Connection((words, "webhook secrets are part of Storyblok's paid plans; without one nothing is signed"))

    def doctor(self, api: httpx.Client) -> list[str]:
        space = call(api, "GET", f"/v1/spaces/{self.settings.space_id}")
        gone = removed(api, self._path(f"assets/{self._asset(api, TEST_PICTURE)['id']}"))
        accepted = f"the token is accepted for space {read_json(space)['space']['name']}"
        return [accepted, f"a test picture was uploaded; {gone}", clock(space)]

    def _path(self, path: str) -> str:
        return f"/v1/spaces/{self.settings.space_id}/{path}"

    def _story(self, api: httpx.Client, ref: str) -> Any:
        story = read_json(call(api, "GET", self._path(f"stories/{ref}")))["story"]
        if story.get("deleted_at"):
            raise Gone(f"story {ref} is in the bin")
        return story

    def _type(self, story: Any) -> StoryblokType:
        return self.settings.types.get(story["content"].get("component"), StoryblokType())

    def _write(self, api: httpx.Client, story: Any, field: str, value: dict[str, Any]) -> Current | None:
        """Published anew only where nothing else waits to be: else it waits with the editor's own changes."""
        clean = story["published"] and not story["unpublished_changes"]
        body = {"story": {"content": story["content"] | {field: value}}} | ({"publish": 1} if clean else {})
        try:
            answer = call(api, "PUT", self._path(f"stories/{story['id']}"), json=body)
        except CmsProblem as problem:
            if re.search(r"answered 422.*\block", problem.words):
                raise Conflict(f"somebody has story {story['id']} open: approve again when it is closed") from problem
            raise
        return _current(read_json(answer)["story"]["content"].get(field))

    def _asset(self, api: httpx.Client, picture: Picture) -> Any:
        """The picture's asset; one whose file an earlier try did not bring to its end is made anew."""
        name = picture.stable_name  # Storyblok keeps it as the end of the address
        found = read_json(call(api, "GET", self._path("assets"), params={"search": name}))["assets"]
        for one in found:
            if one["filename"].endswith(f"/{name}"):
                if one.get("content_length"):
                    return one
                call(api, "DELETE", self._path(f"assets/{one['id']}"))
        words = {"alt": picture.alt, "title": picture.caption, "focus": _focus(picture)}
        wanted = {"filename": name, "size": f"{picture.width}x{picture.height}", "validate_upload": 1, **words}
        made = read_json(call(api, "POST", self._path("assets"), json=wanted))
        file = {"file": (name, picture.data, picture.mime)}  # to another host, which must not see the token
        call(api, "POST", made["post_url"], auth=None, data=made["fields"], files=file, timeout=120)
        return read_json(call(api, "GET", self._path(f"assets/{made['id']}/finish_upload")))


def _focus(picture: Picture) -> str:
    """A point as Storyblok writes it: the corners of one pixel."""
    if picture.focal is None:
        return ""
    x = min(int(picture.focal[0] * picture.width), picture.width - 1)
    y = min(int(picture.focal[1] * picture.height), picture.height - 1)
    return f"{x}x{y}:{x + 1}x{y + 1}"


def _value(asset: Any, picture: Picture) -> dict[str, Any]:
    """What the field gets. The API names a file by its place in S3, the editor by the address it is served from."""
    address = asset["filename"].replace("https://s3.amazonaws.com/a", "https://a", 1)
    words = {"alt": picture.alt, "title": picture.caption, "focus": _focus(picture)}
    return {"fieldtype": "asset", "id": asset["id"], "filename": address, "name": "", **words}


def _rebuilt(image: Current | None) -> dict[str, Any]:
    """The field's value before an earlier try, as far as it was noted."""
    if image is None:
        return {}
    number = int(image.id) if image.id.isdigit() else None
    return {"fieldtype": "asset", "id": number, "filename": image.url, "alt": image.alt}


def _current(value: Any) -> Current | None:
    """An empty field is an object without a file name; an image from elsewhere has no id."""
    if not isinstance(value, dict) or not value.get("filename"):
        return None
    return Current(str(value.get("id") or value["filename"]), value["filename"], value.get("alt") or "")
