"""WordPress 6.4 and later, through its REST API and the plugin in `plugin/frontispiece`.

An entry's `ref` is its REST base and id, such as `posts/12`, so that pages and other types work alike.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import PurePath
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Conflict,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Gone,
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
    whole_number,
)
from frontispiece.signatures import StandardSecret, standard_webhooks

API = "/wp-json/wp/v2"
EVENTS: dict[str, EventKind] = {f"entry.{kind}": kind for kind in ("created", "published", "updated", "deleted")}
REPLACES = "_frontispiece_replaces"  # attachment meta of our plugin: the featured image that was there before
RIGHTS = ("upload_files", "edit_others_posts", "edit_published_posts")
MEDIA = {"_fields": "id,post,source_url,alt_text,media_details,missing_image_sizes,meta", "context": "edit"}


class WordPressSettings(SiteSettings):
    """`user` is a WordPress user of role Editor, `password` an application password of theirs."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    user: str
    password: SecretStr
    post_types: tuple[str, ...] = ("posts",)  # REST bases that `recent` looks through


class WordPress(Adapter):
    """One site; the sites of a network are configured one by one."""

    Settings = WordPressSettings
    settings: WordPressSettings
    title: ClassVar[str] = "WordPress"
    docs: ClassVar[str] = "https://developer.wordpress.org/rest-api/"
    signs: ClassVar[str] = "Standard Webhooks"
    needs_plugin: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    proved: ClassVar[str] = "WordPress 6.8 and 7.1"

    def auth(self) -> httpx.Auth:
        return httpx.BasicAuth(self.settings.user, self.settings.password.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our plugin for WordPress sends no such body"):
            said = json.loads(delivery.body)
            if said["event"] == "test.ping":
                return [Event("ping", "")]
            return [Event(EVENTS[said["event"]], _ref(said["rest_base"], said["id"]))]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        # With context=edit a wrong password is 401, where it would else read as an anonymous visitor's 200.
        wanted = {"context": "edit", "_embed": "author,wp:term,wp:featuredmedia"}
        post = read_json(call(api, "GET", f"{API}/{ref}", params=wanted))
        if post["status"] == "trash":
            raise Gone(f"{ref} is in the bin")
        ours = post.get("frontispiece", {})  # absent while our plugin is switched off
        return Entry(
            ref=ref,
            kind="article",
            title=plain(post["title"]["raw"]),
            locale=locale or ours.get("locale") or self.settings.language,
            excerpt=plain(post.get("excerpt", {}).get("raw", "")),
            body=plain(post.get("content", {}).get("rendered", "")),
            tags=_terms(post, "post_tag"),
            section=next(iter(_terms(post, "category")), ""),
            sections=_terms(post, "category"),
            author=next((str(one.get("name", "")) for one in _embedded(post, "author")), ""),
            status=post["status"],
            url=post["link"],
            edit_url=f"{self.settings.url}/wp-admin/post.php?post={post['id']}&action=edit",
            version=post["modified_gmt"],
            image=_image(post),
            opted_out=bool(ours.get("opted_out")),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        now, before = _featured(api, entry.ref), int(entry.image.id) if entry.image else 0
        media = _uploaded(api, entry, picture)
        if media is None or media["id"] != now:
            _unchanged(entry.ref, now, before)
            media = _store(api, media, entry, picture, before)
            _unchanged(entry.ref, _featured(api, entry.ref), before)  # again: the upload may have taken a while
            _feature(api, entry.ref, media["id"])
        previous = (media.get("meta") or {}).get(REPLACES, before)  # [] while our plugin is switched off
        return Receipt(str(media["id"]), media["source_url"], {"featured_media": previous})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        now, before = _featured(api, ref), int(receipt.previous["featured_media"])
        if now not in (before, int(receipt.media_id)):
            raise Conflict(f"{ref} has another featured image ({now or 'none'}) than ours ({receipt.media_id}) by now")
        if now != before:
            _feature(api, ref, before)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        wanted = {"context": "edit", "_fields": "id,status,featured_media,modified_gmt", "per_page": "100"}
        # by id, because WordPress takes one order only, and posts saved in the same second would change pages
        wanted |= {"modified_after": since.astimezone(UTC).isoformat(), "orderby": "id", "order": "asc"}
        for base in self.settings.post_types:
            found = _pages(api, f"{API}/{base}", wanted | {"status": "publish,future,draft,pending"})
            for post in sorted(found, key=lambda post: str(post["modified_gmt"])):
                if not post["featured_media"]:
                    yield Event("published" if post["status"] == "publish" else "created", _ref(base, post["id"]))

    def doctor(self, api: httpx.Client) -> list[str]:
        root = call(api, "GET", "/wp-json/")
        me = read_json(call(api, "GET", f"{API}/users/me", params={"context": "edit"}))
        missing = [right for right in RIGHTS if not me["capabilities"].get(right)]
        if missing:
            raise CmsProblem(f"user {self.settings.user} may not {', '.join(missing)}: give them the role Editor")
        if "frontispiece/v1" not in read_json(root)["namespaces"]:
            raise CmsProblem("the Frontispiece plugin is not active: see Plugins in WordPress")
        accepted = f"user {self.settings.user} is accepted and may upload pictures and set them"
        return [accepted, "the Frontispiece plugin is active", _tried(api), clock(root)]


def _ref(base: Any, number: Any) -> str:
    """`posts/12`; strict, because it becomes part of an address."""
    if not isinstance(base, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", base):
        raise ValueError(f"rest_base is {str(base)[:60]!r}")
    return f"{base}/{whole_number(number)}"


def _pages(api: httpx.Client, path: str, wanted: dict[str, str]) -> Iterator[Any]:
    page, pages = 1, 1
    while page <= pages:
        answer = call(api, "GET", path, params=wanted | {"page": str(page)})
        yield from read_json(answer)
        page, pages = page + 1, int(answer.headers.get("X-WP-TotalPages", "1"))


def _embedded(post: Any, name: str) -> list[Any]:
    found: list[Any] = post.get("_embedded", {}).get(name, [])
    return found


def _terms(post: Any, taxonomy: str) -> tuple[str, ...]:
    terms = [term for group in _embedded(post, "wp:term") if isinstance(group, list) for term in group]
    named = [term for term in terms if term.get("taxonomy") == taxonomy and term["slug"] != "uncategorized"]
    return tuple(plain(term["name"]) for term in named)


def _image(post: Any) -> Current | None:
    number = post.get("featured_media", 0)
    media: Any = next(iter(_embedded(post, "wp:featuredmedia")), {})
    return Current(str(number), media.get("source_url", ""), media.get("alt_text", "")) if number else None


def _unchanged(ref: str, now: int, before: int) -> None:
    if now != before:
        raise Conflict(f"{ref} has another featured image ({now or 'none'}) than when it was read")


def _featured(api: httpx.Client, ref: str) -> int:
    post = read_json(call(api, "GET", f"{API}/{ref}", params={"context": "edit", "_fields": "featured_media,status"}))
    if post["status"] == "trash":
        raise Gone(f"{ref} is in the bin")
    if "featured_media" not in post:
        raise CmsProblem(f"{ref} is of a type that has no featured image")
    return int(post["featured_media"])


def _feature(api: httpx.Client, ref: str, number: int) -> None:
    """WordPress answers 200 for an id that it does not know, and keeps what was there: so compare."""
    answer = call(api, "POST", f"{API}/{ref}", params={"_fields": "featured_media"}, json={"featured_media": number})
    kept = read_json(answer)["featured_media"]
    if kept != number:
        raise CmsProblem(f"{ref} kept featured image {kept or 'none'} when {number or 'none'} was set")


def _slug(picture: Picture) -> str:
    """The attachment's name in addresses."""
    return PurePath(picture.stable_name).stem


def _uploaded(api: httpx.Client, entry: Entry, picture: Picture) -> Any | None:
    """The attachment that an earlier try has left of this very picture."""
    found = read_json(call(api, "GET", f"{API}/media", params=MEDIA | {"slug": _slug(picture)}))
    return next((media for media in found if entry.ref.endswith(f"/{media['post']}")), None)


def _store(api: httpx.Client, media: Any | None, entry: Entry, picture: Picture, before: int) -> Any:
    """Uploads the picture; or brings an earlier try's attachment up to date, as its words may have changed since."""
    form: dict[str, Any] = {"post": entry.ref.rsplit("/", 1)[1], "slug": _slug(picture), f"meta[{REPLACES}]": before}
    form |= {"alt_text": picture.alt, "caption": escape(picture.caption), "title": escape(entry.title)}
    if media is None:
        stored = _send(api, "", data=form, files={"file": (picture.name, picture.data, picture.mime)})
    else:
        if media["missing_image_sizes"]:  # WordPress died while it made them
            _send(api, f"/{media['id']}/post-process", json={"action": "create-image-subsizes"})
        stored = _send(api, f"/{media['id']}", data=form)
    if not stored["media_details"].get("width"):  # it takes a broken WebP without a word
        kept = f"WordPress keeps {picture.name} as attachment {stored['id']}"
        raise CmsProblem(f"{kept}, but cannot read it as a picture")
    return stored


def _tried(api: httpx.Client) -> str:
    """Whether a picture may come and keeps its words."""
    file = (TEST_PICTURE.name, TEST_PICTURE.data, TEST_PICTURE.mime)
    stored = _send(api, "", data={"alt_text": TEST_PICTURE.alt}, files={"file": file})
    gone = removed(api, f"{API}/media/{stored['id']}", params={"force": "true"})
    if stored["alt_text"] != TEST_PICTURE.alt:
        raise CmsProblem(f"a test picture was uploaded, but WordPress does not keep its alt text; {gone}")
    return f"a test picture was uploaded with its alt text; {gone}"


def _send(api: httpx.Client, path: str, **request: Any) -> Any:
    """To /media, with time to make the sizes."""
    try:
        return read_json(call(api, "POST", f"{API}/media{path}", params=MEDIA, timeout=120, **request))
    except Unavailable as problem:
        if "rest_upload_" in problem.words:  # a 500, but about this picture: it would be the same tomorrow
            raise CmsProblem(problem.words) from problem
        raise
