"""Ghost 6, through its Admin API with the key of a custom integration; nothing is installed in it.

An entry's `ref` is `posts/<id>` or `pages/<id>`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import Any, ClassVar

import httpx
from pydantic_core import from_json

from frontispiece.cms import (
    Adapter,
    Connection,
    Delivery,
    Entry,
    Event,
    Picture,
    Receipt,
    Refused,
    call,
    clock,
    dig,
    plain,
    read_json,
    reading,
    shortened,
    unchanged,
)
from frontispiece.signatures import fresh, header, hmac_sha256

from . import pictures, webhooks
from .admin import API, Token, current, read, told, write
from .settings import GhostSettings

SIGNATURE = re.compile(r"sha256=([0-9a-f]{64}), t=([0-9]{1,15})")
IMAGE = ("feature_image", "feature_image_alt", "feature_image_caption")
UNTITLED = "(Untitled)"  # what the editor saves a post as that has no title yet
MOST_ALT = 191  # characters of feature_image_alt, which Ghost refuses to exceed


class Ghost(Adapter):
    """One Ghost; on Ghost(Pro) too, where the plan has custom integrations."""

    Settings = GhostSettings
    settings: GhostSettings
    title: ClassVar[str] = "Ghost"
    docs: ClassVar[str] = "https://docs.ghost.org/admin-api/"
    signs: ClassVar[str] = "HMAC-SHA256 of the body and the time"
    connects: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    proved: ClassVar[str] = "Ghost 6.65"

    def auth(self) -> httpx.Auth:
        return Token(self.settings.admin_key.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        """Ghost's core/server/services/webhooks/webhook-trigger.js; it gives its deliveries no id."""
        given = SIGNATURE.fullmatch(header(delivery, "X-Ghost-Signature"))
        if given is None:
            raise Refused("the header X-Ghost-Signature is not sha256=<hex>, t=<milliseconds>")
        hmac_sha256(self.settings.secrets, delivery.body + given[2].encode(), given[1], "hex")
        fresh(given[2], delivery.received, unit="milliseconds")
        return ""

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("Ghost 6 sends no such body: is this Ghost older?"):
            said = from_json(delivery.body)
            kind, _, what = said["event"].partition(".")
            if kind not in ("post", "page") or what not in webhooks.KINDS:
                return []
            now, before = said[kind]["current"], said[kind]["previous"]
            only_image = what == "edited" and before.keys() == {"feature_image", "updated_at"}  # as our own write tells
            return [] if only_image else [Event(webhooks.KINDS[what], _ref(f"{kind}s", (now or before)["id"]))]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        post = read(api, ref)
        tags = [tag["name"] for tag in post["tags"]]
        return Entry(
            ref=ref,
            kind="article",
            title="" if post["title"] == UNTITLED else post["title"],
            locale=locale or self.settings.language,
            excerpt=post["custom_excerpt"] or "",
            body=plain(post["html"] or ""),
            tags=tuple(tag["name"] for tag in post["tags"] if tag["visibility"] == "public"),
            section=dig(post, "primary_tag.name") or "",
            sections=tuple(tags),
            author=dig(post, "primary_author.name") or "",
            status=post["status"],
            url=post["url"],
            edit_url=f"{self.settings.url}/ghost/#/editor/{ref.replace('s/', '/')}",
            version=post["updated_at"],
            image=current(post),
            opted_out=self.settings.opt_out_tag.casefold() in map(str.casefold, tags),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        post, before = read(api, entry.ref), entry.image
        now = current(post)
        if now is not None and pictures.is_ours(now, picture):
            replaced = (None, None) if before is None or pictures.is_ours(before, picture) else (before.url, before.alt)
            return Receipt(now.id, now.url, dict(zip(IMAGE, (*replaced, None), strict=True)))
        unchanged(entry.ref, now, before.id if before else "")
        url = pictures.store(api, picture)
        words = (shortened(picture.alt, MOST_ALT), escape(picture.caption) or None)
        shown = write(api, entry.ref, post, dict(zip(IMAGE, (url, *words), strict=True)))
        return Receipt(shown, shown, {field: post[field] for field in IMAGE})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        post, before = read(api, ref), receipt.previous
        if post["feature_image"] != before["feature_image"]:
            unchanged(ref, current(post), receipt.media_id)
            write(api, ref, post, {field: before[field] for field in IMAGE})

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        stamp = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        wanted = {"filter": f"updated_at:>='{stamp}'+feature_image:null", "order": "updated_at asc, id asc"}
        wanted |= {"fields": "id,status", "limit": "100"}
        for kind in self.settings.post_types:
            page: int | None = 1
            while page:
                answer = call(api, "GET", f"{API}/{kind}/", params=wanted | {"page": str(page)})
                for post in told(answer, kind):
                    yield Event("published" if post["status"] == "published" else "created", _ref(kind, post["id"]))
                page = dig(read_json(answer), "meta.pagination.next")

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        return Connection(webhooks.register(api, self.settings, hook))

    def doctor(self, api: httpx.Client) -> list[str]:
        site = call(api, "GET", f"{API}/site/")
        call(api, "GET", f"{API}/posts/", params={"limit": "1", "fields": "id"})
        accepted = f"Ghost {told(site, 'site')['version']} accepts the key"
        return [accepted, *pictures.tried(api), clock(site)]


def _ref(kind: str, number: Any) -> str:
    """`posts/<id>`; strict, because it becomes part of an address."""
    if not isinstance(number, str) or not re.fullmatch("[0-9a-f]{24}", number):
        raise ValueError(f"the id is {number!r}")
    return f"{kind}/{number}"
