"""Wagtail 8, through its API v3 and what our app in `plugin/frontispiece_wagtail` adds to it.

An entry's `ref` is its page type and id, such as `blog.ArticlePage/12`. A translation is a page of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Conflict,
    ContentType,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Format,
    Gone,
    Header,
    Picture,
    Receipt,
    SiteSettings,
    Unavailable,
    call,
    clock,
    plain,
    read_json,
    reading,
    removed,
)
from frontispiece.signatures import StandardSecret, standard_webhooks

EVENTS: dict[str, EventKind] = {f"entry.{kind}": kind for kind in ("created", "published", "updated", "deleted")}
TEXTS = ("title", "alt", "excerpt", "body", "tags", "section", "author", "opt_out")


class WagtailSettings(SiteSettings):
    """`token` is an API token of Frontispiece's own user; `types` are page types such as `blog.ArticlePage`."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    token: SecretStr
    api: str = "/api/v3"  # where urls.py has Wagtail's API v3
    collection: int | None = None  # id of the collection for our pictures; else the root
    types: dict[str, ContentType]


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
        client.event_hooks = {"response": [_tell_apart]}
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
            event = Event(EVENTS[said["event"]], _ref(said["type"], said["id"]))
        return [event] if said["type"] in self.settings.types else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        if ref.partition("/")[0] not in self.settings.types:
            return Entry(ref, "article", "", opted_out=True)
        kind = self._type(ref)
        named = {text: getattr(kind, text) for text in TEXTS if getattr(kind, text)}
        wanted = {"field": kind.image, "fields": ",".join(named.values())}
        page = self._ask(api, "GET", _path(ref), params=wanted)
        image = page["image"]
        if page["type"] != ref.partition("/")[0]:
            raise Gone(f"{ref} is a page of type {page['type']} now")
        found = {text: page["fields"][field] for text, field in named.items()}
        tags = found.get("tags", [])
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
        wish = {"title": entry.title, "alt": picture.alt, **self._collection(), **focal}
        file = (picture.name, picture.data, picture.mime)
        image = self._write(api, entry.ref, before["image"], wish, files={"file": file})
        return Receipt(image["id"], image["url"], before)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        self._write(api, ref, receipt.media_id, receipt.previous)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for name, kind in self.settings.types.items():
            wanted = {"type": name, "field": kind.image, "since": since.astimezone(UTC).isoformat()}
            read, told = 0, {"read": 1}
            while told["read"]:
                told = self._ask(api, "GET", "pages/", params={**wanted, "offset": read})
                for page in told["pages"]:
                    yield Event("published" if page["live"] else "created", _ref(name, page["id"]))
                read += told["read"]

    def doctor(self, api: httpx.Client) -> list[str]:
        may = self._ask(api, "GET", "")
        missing = [right for right in ("edit pages", "publish pages", "upload images") if not may[right]]
        if missing:
            raise CmsProblem(f"user {may['user']} may not {', '.join(missing)}: put them into a group that may")
        if not may["is_ours"]:
            raise CmsProblem(f"FRONTISPIECE['user'] in Wagtail's settings is not {may['user']}, whose token this is")
        list(self.recent(api, datetime.now(UTC)))  # 422 for a type or a field that Wagtail does not know
        told = self._ask(api, "POST", "test/")
        if not 200 <= told["status"] < 300:
            raise CmsProblem(f"Wagtail's test delivery was answered {told['status']}: {told['words']}")
        accepted = f"user {may['user']} is accepted and may edit and publish pages and upload images"
        return [accepted, *self._rehearse(api), "Wagtail's deliveries reach us"]

    def _rehearse(self, api: httpx.Client) -> list[str]:
        images = f"{self.settings.api}/images/"
        file = {"file": (TEST_PICTURE.name, TEST_PICTURE.data, TEST_PICTURE.mime)}
        answer = call(api, "POST", images, data={"title": TEST_PICTURE.alt, **self._collection()}, files=file)
        image = read_json(answer)
        try:  # as a visitor, wherever it is kept
            kept = call(api, "GET", image["meta"]["download_url"], auth=None).content == TEST_PICTURE.data
            words = "kept byte for byte" if kept else "encoded anew, without their mark of being made by AI"
        except CmsProblem as problem:
            words = f"not shown to visitors: {problem.words}"
        gone = removed(api, f"{images}{image['id']}/")
        return [f"a test picture was uploaded; {gone}; pictures are {words}", clock(answer)]

    def _write(self, api: httpx.Client, ref: str, expects: str, wish: Mapping[str, Any], **file: Any) -> Any:
        kind = self._type(ref)
        form = {"field": kind.image, "alt_field": kind.alt, "expects": expects, **wish}
        return self._ask(api, "POST", _path(ref), data=form, timeout=120, **file)["image"]

    def _ask(self, api: httpx.Client, method: str, path: str, **request: Any) -> Any:
        return read_json(call(api, method, f"{self.settings.api}/frontispiece/{path}", **request))

    def _collection(self) -> dict[str, int]:
        return {} if self.settings.collection is None else {"collection_id": self.settings.collection}

    def _type(self, ref: str) -> ContentType:
        name = ref.partition("/")[0]
        if name not in self.settings.types:
            raise CmsProblem(f'{ref}: the site\'s settings have no table types."{name}"')
        return self.settings.types[name]


def _tell_apart(answer: httpx.Response) -> None:
    """Our app's own refusals, which the seam's `call` cannot tell from others."""
    if answer.status_code in (409, 423):
        words = str(json.loads(answer.read()).get("detail"))
        raise Conflict(words) if answer.status_code == 409 else Unavailable(words, seconds=60)


def _ref(name: Any, number: Any) -> str:
    """`blog.ArticlePage/12`; strict, because it becomes part of an address."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"type is {name!r}")
    if type(number) is not int or number < 1:
        raise ValueError(f"id is {number!r}")
    return f"{name}/{number}"


def _path(ref: str) -> str:
    return f"pages/{ref.partition('/')[2]}/"
