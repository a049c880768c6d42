"""Ghost 6, through its Admin API with the key of a custom integration; nothing is installed in it.

An entry's `ref` is `posts/<id>` or `pages/<id>`.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import product
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal

import httpx
from pydantic import AfterValidator, SecretStr
from pydantic_core import from_json

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Connection,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Picture,
    Receipt,
    Refused,
    SiteSettings,
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

from .admin import API, Token, read, told, upload, write

KINDS: dict[str, EventKind] = {"added": "created", "published": "published", "edited": "updated", "deleted": "deleted"}
SIGNATURE = re.compile(r"sha256=([0-9a-f]{64}), t=([0-9]{1,15})")
IMAGE = ("feature_image", "feature_image_alt", "feature_image_caption")
UNTITLED = "(Untitled)"  # what the editor saves a post as that has no title yet
MOST_ALT = 191  # characters of feature_image_alt, which Ghost refuses to exceed


def _is_key(key: SecretStr) -> SecretStr:
    if not re.fullmatch("[0-9a-f]{24}:[0-9a-f]{64}", key.get_secret_value()):
        raise ValueError("must be an Admin API key: 24 hexadecimal digits, a colon and 64 more, as Ghost shows it")
    return key


class GhostSettings(SiteSettings):
    """`admin_key` is the Admin API key of a custom integration, as Ghost shows it: an id, a colon and a secret."""

    admin_key: Annotated[SecretStr, AfterValidator(_is_key)]
    post_types: tuple[Literal["posts", "pages"], ...] = ("posts",)  # what `connect` and `recent` are about
    opt_out_tag: str = "#no-picture"  # an entry with this tag gets no picture; # makes a tag internal


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
            if kind not in ("post", "page") or what not in KINDS:
                return []
            now, before = said[kind]["current"], said[kind]["previous"]
            only_image = what == "edited" and before.keys() == {"feature_image", "updated_at"}  # as our own write tells
            return [] if only_image else [Event(KINDS[what], _ref(f"{kind}s", (now or before)["id"]))]

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
            image=_image(post),
            opted_out=self.settings.opt_out_tag.casefold() in map(str.casefold, tags),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        post, before = read(api, entry.ref), entry.image
        now = _image(post)
        if now is not None and _is(now, picture):
            replaced = (None, None) if before is None or _is(before, picture) else (before.url, before.alt)
            return Receipt(now.id, now.url, dict(zip(IMAGE, (*replaced, None), strict=True)))
        unchanged(entry.ref, now, before.id if before else "")
        url = self._uploaded(api, picture) or upload(api, picture)
        words = (shortened(picture.alt, MOST_ALT), escape(picture.caption) or None)
        shown = write(api, entry.ref, post, dict(zip(IMAGE, (url, *words), strict=True)))
        return Receipt(shown, shown, {field: post[field] for field in IMAGE})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        post, before = read(api, ref), receipt.previous
        if post["feature_image"] != before["feature_image"]:
            unchanged(ref, _image(post), receipt.media_id)
            write(api, ref, post, {field: before[field] for field in IMAGE})

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        stamp = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        wanted = {"filter": f"updated_at:>='{stamp}'+feature_image:null", "order": "updated_at asc"}
        wanted |= {"fields": "id,status", "limit": "100"}
        for kind in self.settings.post_types:
            page: int | None = 1
            while page:
                answer = call(api, "GET", f"{API}/{kind}/", params=wanted | {"page": str(page)})
                for post in told(answer, kind):
                    yield Event("published" if post["status"] == "published" else "created", _ref(kind, post["id"]))
                page = dig(read_json(answer), "meta.pagination.next")

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        """Ghost shows its webhooks to people only, so that those which are there already cannot be changed by us."""
        events = [f"{kind.removesuffix('s')}.{what}" for kind in self.settings.post_types for what in KINDS]
        there = [event for event in events if not self._register(api, event, hook)]
        words = f"Ghost sends {', '.join(events)} to {hook}"
        if not there:
            return Connection((words,))
        hint = "Ghost does not show us with which secret: if webhook_secret has changed since, delete these webhooks"
        return Connection((words, f"{', '.join(there)} went there before; {hint} in Ghost and connect again"))

    def _register(self, api: httpx.Client, event: str, hook: str) -> bool:
        """Whether it was not there before."""
        secret = self.settings.webhook_secret.get_secret_value()
        wanted = {"event": event, "target_url": hook, "secret": secret, "name": f"Frontispiece: {event}"}
        try:
            call(api, "POST", f"{API}/webhooks/", json={"webhooks": [wanted]})
        except CmsProblem as problem:
            if "already been used" not in problem.words:
                raise
            return False
        return True

    def doctor(self, api: httpx.Client) -> list[str]:
        site = call(api, "GET", f"{API}/site/")
        call(api, "GET", f"{API}/posts/", params={"limit": "1", "fields": "id"})
        there = self._uploaded(api, TEST_PICTURE)
        url = api.base_url.join(there or upload(api, TEST_PICTURE))
        return [
            f"Ghost {told(site, 'site')['version']} accepts the key",
            f"a test picture {'of an earlier time' if there else 'was uploaded and'} stays, Ghost deletes none: {url}",
            _metadata(api, url),
            clock(site),
        ]

    def _uploaded(self, api: httpx.Client, picture: Picture) -> str:
        """Where an earlier try has left this very picture, "" if nowhere.

        Ghost lists no pictures. But it never gives a name out twice, keeps the bytes as they came under `<name>_o`
        beside its own smaller copy, and serves both at an address made of year and month (UTC).
        """
        path, now = PurePath(picture.stable_name), datetime.now(UTC)
        months = {f"{day:%Y/%m}" for day in (now, now - timedelta(days=1))}
        for month, mark in product(months, ("_o", "")):
            try:
                # with a query, so that no cache between us learns of the address that visitors will ask for: 404
                file = f"/content/images/{month}/{path.stem}{mark}{path.suffix}"
                found = call(api, "GET", file, params={"asked-by": "frontispiece"})
            except CmsProblem as problem:
                if problem.retry:
                    raise
                continue
            if found.content == picture.data:
                return f"{httpx.URL(self.settings.url).path.rstrip('/')}/content/images/{month}/{path}"
        return ""


def _ref(kind: str, number: Any) -> str:
    """`posts/<id>`; strict, because it becomes part of an address."""
    if not isinstance(number, str) or not re.fullmatch("[0-9a-f]{24}", number):
        raise ValueError(f"the id is {number!r}")
    return f"{kind}/{number}"


def _image(post: Any) -> Current | None:
    url = post["feature_image"]
    return Current(url, url, post["feature_image_alt"] or "") if url else None


def _is(image: Current, picture: Picture) -> bool:
    """Whether it is ours; Ghost adds a number to a name that was taken, as by an upload that was cut off."""
    path = PurePath(picture.stable_name)
    return bool(re.fullmatch(rf"{re.escape(path.stem)}(-\d+)?{path.suffix}", image.url.rsplit("/", 1)[-1]))


def _metadata(api: httpx.Client, url: httpx.URL) -> str:
    if url.netloc != api.base_url.netloc:  # our key is for Ghost alone
        return f"pictures are kept at {url.host}; whether metadata survive there was not looked at"
    if call(api, "GET", str(url)).content == TEST_PICTURE.data:
        return "metadata survive"
    return "metadata stay in the original (its name ends in _o), not in the smaller copy that Ghost shows"
