"""Wagtail 8, through its API v3 and what our app in `plugin/frontispiece_wagtail` adds to it.

An entry's `ref` is its page type and id, such as `blog.ArticlePage/12`. A translation is a page of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from frontispiece.cms import (
    Adapter,
    CmsProblem,
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
    plain,
    reading,
    whole_number,
)
from frontispiece.signatures import standard_webhooks

from . import checks
from .asking import ask, tell_apart
from .settings import WagtailSettings

EVENTS: dict[str, EventKind] = {f"entry.{kind}": kind for kind in ("created", "published", "updated", "deleted")}
TEXTS = ("title", "alt", "excerpt", "body", "tags", "section", "author", "opt_out")


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
            event = Event(EVENTS[said["event"]], _ref(said["type"], said["id"]))
        return [event] if said["type"] in self.settings.types else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        kind = self.settings.types.get(ref.partition("/")[0])
        if kind is None:
            return Entry(ref, "article", "", opted_out=True)
        page, found = self._read(api, ref, kind)
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
        image = self._write(api, entry.ref, before["image"], wish, files={"file": file})
        return Receipt(image["id"], image["url"], before)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        self._write(api, ref, receipt.media_id, receipt.previous)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for name, kind in self.settings.types.items():
            wanted = {"type": name, "field": kind.image, "since": since.astimezone(UTC).isoformat()}
            read, told = 0, {"read": 1}
            while told["read"]:
                told = ask(api, self.settings, "GET", "pages/", params={**wanted, "offset": read})
                for page in told["pages"]:
                    yield Event("published" if page["live"] else "created", _ref(name, page["id"]))
                read += told["read"]

    def doctor(self, api: httpx.Client) -> list[str]:
        rights = checks.rights(api, self.settings)
        list(self.recent(api, datetime.now(UTC)))  # 422 for a type or a field that Wagtail does not know
        heard = checks.hears(api, self.settings)
        return [rights, *checks.uploads(api, self.settings), heard]

    def _type(self, ref: str) -> ContentType:
        name = ref.partition("/")[0]
        if name not in self.settings.types:
            raise CmsProblem(f'{ref}: the site\'s settings have no table types."{name}"')
        return self.settings.types[name]

    def _read(self, api: httpx.Client, ref: str, kind: ContentType) -> tuple[Any, dict[str, Any]]:
        """A page, and its fields by what they are to us."""
        named = {text: getattr(kind, text) for text in TEXTS if getattr(kind, text)}
        wanted = {"field": kind.image, "fields": ",".join(named.values())}
        page = ask(api, self.settings, "GET", _path(ref), params=wanted)
        if page["type"] != ref.partition("/")[0]:
            raise Gone(f"{ref} is a page of type {page['type']} now")
        return page, {text: page["fields"][field] for text, field in named.items()}

    def _write(self, api: httpx.Client, ref: str, expects: str, wish: Mapping[str, Any], **file: Any) -> Any:
        """The image that the page has then. Our app looks, uploads and writes in one transaction."""
        kind = self._type(ref)
        form = {"field": kind.image, "alt_field": kind.alt, "expects": expects, **wish}
        return ask(api, self.settings, "POST", _path(ref), data=form, timeout=120, **file)["image"]


def _ref(name: Any, number: Any) -> str:
    """`blog.ArticlePage/12`; strict, because it becomes part of an address."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"type is {name!r}")
    return f"{name}/{whole_number(number)}"


def _path(ref: str) -> str:
    return f"pages/{ref.partition('/')[2]}/"
