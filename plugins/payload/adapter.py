"""Payload 3, through its REST API and the hooks in `plugin/frontispiece.mjs`.

An entry's `ref` is the slug of its collection and its id, such as `posts/12`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
    NotAllowed,
    Picture,
    Receipt,
    SiteSettings,
    Unavailable,
    call,
    clock,
    dig,
    fill,
    plain,
    prose,
    read_json,
    reading,
    removed,
    texts,
)
from frontispiece.signatures import StandardSecret, standard_webhooks

API = "/api"
EVENTS: dict[str, EventKind] = {f"entry.{kind}": kind for kind in ("created", "published", "updated", "deleted")}


class PayloadSettings(SiteSettings):
    """`api_key` is that of Frontispiece's own user; `types` are the collections whose documents get pictures."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    api_key: SecretStr
    users: str = "users"  # slug of the collection that this user is in
    media: str = "media"  # slug of the upload collection
    alt: str = "alt"  # its field for alt text; "" = it has none
    caption: str = ""  # its field for a caption
    locales: tuple[str, ...] = ()  # where `localization` is configured: its codes, the default one first
    types: dict[str, ContentType]


class Payload(Adapter):
    """One Payload project. `draft=true` reads and writes what editors see; `_status` says what visitors do."""

    Settings = PayloadSettings
    settings: PayloadSettings
    title: ClassVar[str] = "Payload"
    docs: ClassVar[str] = "https://payloadcms.com/docs/rest-api/overview"
    signs: ClassVar[str] = "Standard Webhooks"
    needs_plugin: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Payload 3.90"
    formats: ClassVar[tuple[Format, ...]] = ("jpeg", "png", "avif")  # it encodes every WebP anew, without its metadata

    def auth(self) -> httpx.Auth:
        key = self.settings.api_key.get_secret_value()
        return Header("Authorization", f"{self.settings.users} API-Key {key}")

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our hooks in Payload send no such body"):
            said = json.loads(delivery.body)
            if said["event"] == "test.ping":
                return [Event("ping", "")]
            kind, ref, locale = EVENTS[said["event"]], _ref(said["collection"], said["id"]), said["locale"]
        if ref.partition("/")[0] not in self.settings.types:
            return []
        return [Event(kind, ref, locale if locale in self.settings.locales else "")]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        self._identify(api)
        if ref.partition("/")[0] not in self.settings.types:
            return Entry(ref, "article", "", opted_out=True)
        kind, doc = self._type(ref), self._read(api, ref, locale, depth=1)
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(doc, kind.title),
            locale=locale or next(iter(self.settings.locales), self.settings.language),
            excerpt=prose(doc, kind.excerpt),
            body=prose(doc, kind.body),
            tags=texts(doc, kind.tags),
            section=next(iter(texts(doc, kind.section)), ""),
            author=next(iter(texts(doc, kind.author)), ""),
            status=doc.get("_status", "published"),
            url=fill(kind.url, doc),
            edit_url=f"{self.settings.url}/admin/collections/{ref}",
            version=doc.get("updatedAt", ""),
            image=self._image(api, doc, kind),
            opted_out=dig(doc, kind.opt_out) is True,
            titles=self._titles(api, ref, kind),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        self._identify(api)
        kind, doc = self._type(entry.ref), self._read(api, entry.ref, entry.locale)
        now, before = _id(dig(doc, kind.image)), entry.image.id if entry.image else ""
        # what an earlier try has left of this very picture
        media = next(
            _pages(api, self.settings.media, {"where[filename][contains]": picture.stable_name.rpartition(".")[0]}),
            None,
        )
        if media is None or now != str(media["id"]):
            if now != before:
                raise Conflict(f"{entry.ref} has another image ({now or 'none'}) than when it was read")
            media = self._store(api, media, entry, picture)
            words = {kind.alt: picture.alt} if kind.alt else {}
            self._write(api, entry.ref, doc, entry.locale, {kind.image: media["id"], **words})
        previous = {"image": before, "alt": entry.image.alt if entry.image else "", "locale": entry.locale}
        return Receipt(str(media["id"]), str(api.base_url.join(media["url"] or "")), previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        self._identify(api)
        locale, before = receipt.previous["locale"], receipt.previous["image"]
        kind, doc = self._type(ref), self._read(api, ref, locale)
        found = dig(doc, kind.image)
        if _id(found) not in (before, receipt.media_id):
            raise Conflict(f"{ref} has another image ({_id(found) or 'none'}) than ours ({receipt.media_id}) by now")
        if _id(found) != before:
            number = int(before) if before and isinstance(found, int) else before or None  # as the database has its ids
            words = {kind.alt: receipt.previous["alt"]} if kind.alt else {}
            self._write(api, ref, doc, locale, {kind.image: number, **words})

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        self._identify(api)
        after = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for slug, kind in self.settings.types.items():
            bare = {f"where[{kind.image}][exists]": "false", "where[updatedAt][greater_than]": after}
            for doc in _pages(api, slug, bare | {"draft": "true", "sort": "updatedAt"}):
                public = doc.get("_status") != "draft" or any(_pages(api, slug, _public(doc)))
                yield Event("published" if public else "created", _ref(slug, doc["id"]))

    def doctor(self, api: httpx.Client) -> list[str]:
        self._identify(api)
        may = _ask(api, "GET", "access")["collections"]
        needed = [(slug, right) for slug in self.settings.types for right in ("read", "update")]
        needed += [(self.settings.media, right) for right in ("read", "create", "update")]
        missing = [f"{right} {slug}" for slug, right in needed if not may.get(slug, {}).get(right)]
        if missing:
            raise CmsProblem(f"Frontispiece's user may not {', '.join(missing)}: see `access` of these collections")
        for slug, kind in self.settings.types.items():  # 400 for a field that Payload does not know
            _ask(api, "GET", slug, params={f"where[{kind.image}][exists]": "true", "limit": 1})
        rights = "the API key is accepted and may read and write what is needed"
        return [rights, self._rehearse(api), _hear(api), clock(call(api, "GET", f"{API}/access"))]

    def _rehearse(self, api: httpx.Client) -> str:
        media = self._upload(api, TEST_PICTURE, {})
        try:  # as a visitor, wherever it is kept
            kept = call(api, "GET", media["url"], auth=None).content == TEST_PICTURE.data
            words = "kept byte for byte" if kept else "encoded anew, without their mark of being made by AI"
        except CmsProblem as problem:
            words = f"not shown to visitors: {problem.words}"
        gone = removed(api, f"{API}/{self.settings.media}/{media['id']}")
        return f"a test picture was uploaded; {gone}; pictures are {words}"

    def _identify(self, api: httpx.Client) -> None:
        """A wrong key is no error to Payload: it answers 200 with what any visitor sees."""
        if not _ask(api, "GET", f"{self.settings.users}/me", params={"depth": 0})["user"]:
            raise NotAllowed(f"{self.settings.url} does not know this api_key among its {self.settings.users}")

    def _type(self, ref: str) -> ContentType:
        slug = ref.partition("/")[0]
        if slug not in self.settings.types:
            raise CmsProblem(f"{ref}: the site's settings have no table types.{slug}")
        return self.settings.types[slug]

    def _in(self, locale: str) -> dict[str, str]:
        return {"locale": locale} if locale in self.settings.locales else {}

    def _read(self, api: httpx.Client, ref: str, locale: str, depth: int = 0) -> Any:
        return _ask(api, "GET", ref, params={"draft": "true", "depth": depth, **self._in(locale)})

    def _titles(self, api: httpx.Client, ref: str, kind: ContentType) -> dict[str, str]:
        wanted = {"draft": "true", "depth": 0, "locale": "all"}
        titles = dig(_ask(api, "GET", ref, params=wanted), kind.title) if self.settings.locales else None
        return {locale: plain(str(title)) for locale, title in titles.items()} if isinstance(titles, Mapping) else {}

    def _image(self, api: httpx.Client, doc: Any, kind: ContentType) -> Current | None:
        found = dig(doc, kind.image)
        media = found if isinstance(found, Mapping) else {}
        alt = dig(doc, kind.alt) if kind.alt else media.get(self.settings.alt)
        return Current(_id(found), str(api.base_url.join(media.get("url") or "")), alt or "") if found else None

    def _store(self, api: httpx.Client, media: Any | None, entry: Entry, picture: Picture) -> Any:
        """Uploads the picture; or brings an earlier try's words up to date, as they may have changed since."""
        known = {locale: alt for locale, alt in picture.alts.items() if locale in self.settings.locales}
        alts = {entry.locale: picture.alt, **known}
        if media is None:
            media = self._upload(api, picture, self._in(entry.locale))
            del alts[entry.locale]
        for locale, alt in alts.items():
            words = self._words(replace(picture, alt=alt))
            _ask(api, "PATCH", f"{self.settings.media}/{media['id']}", params=self._in(locale), json=words)
        return media

    def _words(self, picture: Picture) -> dict[str, str]:
        both = {self.settings.alt: picture.alt, self.settings.caption: picture.caption}
        return {field: text for field, text in both.items() if field}

    def _upload(self, api: httpx.Client, picture: Picture, wanted: Mapping[str, Any]) -> Any:
        focal = zip("xy", picture.focal or (), strict=False)
        edits = {f"uploadEdits[focalPoint][{axis}]": round(100 * part) for axis, part in focal}
        file = (picture.stable_name, picture.data, picture.mime)
        words = {"_payload": json.dumps(self._words(picture))}
        path, asked = self.settings.media, {"depth": 0, **wanted, **edits}
        return _ask(api, "POST", path, params=asked, data=words, files={"file": file}, timeout=120)["doc"]

    def _write(self, api: httpx.Client, ref: str, doc: Any, locale: str, fields: Mapping[str, Any]) -> None:
        """Keeps the state: a plain PATCH of a published document with a newer draft takes it off the public site.

        The update by `where` is a compare-and-set: it finds the document only as long as nobody has saved it.
        """
        same = {f"where[{name}][equals]": doc[name] for name in ("id", "updatedAt") if name in doc}
        wanted = {"draft": "true", "depth": 0, **self._in(locale), **same}
        body = _nested(fields) | ({"_status": doc["_status"]} if "_status" in doc else {})
        try:
            kept = _ask(api, "PATCH", ref.partition("/")[0], params=wanted, json=body)["docs"]
        except CmsProblem as problem:
            if "locked by another user" in problem.words:
                raise Unavailable(f"somebody has {ref} open in Payload; it is tried again", seconds=60) from problem
            raise
        if not kept:
            raise Unavailable(f"{ref} was saved by somebody at this very moment", seconds=1)
        lost = [path for path, value in fields.items() if _id(dig(kept[0], path)) != _id(value)]
        if lost:
            raise CmsProblem(f"{ref} did not keep its {', '.join(lost)}: are the fields of types right?")


def _ask(api: httpx.Client, method: str, path: str, **request: Any) -> Any:
    return read_json(call(api, method, f"{API}/{path}", **request))


def _hear(api: httpx.Client) -> str:
    """Has our plugin send a test delivery."""
    try:
        told = _ask(api, "POST", "frontispiece/test")
    except Gone as problem:
        raise CmsProblem("the Frontispiece plugin is not among the `plugins` of Payload's configuration") from problem
    if not 200 <= told["status"] < 300:
        raise CmsProblem(f"Payload's test delivery to {told['hook']} was answered {told['status']}: {told['words']}")
    return f"Payload's deliveries reach {told['hook']}"


def _pages(api: httpx.Client, slug: str, wanted: Mapping[str, Any]) -> Iterator[Any]:
    page = 1
    while page:
        told = _ask(api, "GET", slug, params={"depth": 0, "limit": 100, "page": page, **wanted})
        yield from told["docs"]
        page = told["nextPage"] or 0


def _ref(slug: Any, number: Any) -> str:
    """`posts/12`; strict, because it becomes part of an address. Ids are numbers, UUIDs or MongoDB's ObjectIds."""
    ref = f"{slug}/{number}"
    if type(number) not in (int, str) or not re.fullmatch(r"[A-Za-z0-9_-]+/[A-Za-z0-9_-]+", ref):
        raise ValueError(f"no collection and id: {ref!r}")
    return ref


def _public(doc: Any) -> dict[str, Any]:
    """Finds a document with unpublished changes where it is public all the same."""
    return {"where[id][equals]": doc["id"], "where[_status][equals]": "published"}


def _id(found: Any) -> str:
    """Of a relation, which is an id or, where it was unfolded, a document; "" = none."""
    value = found.get("id") if isinstance(found, Mapping) else found
    return "" if value is None else str(value)


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`{"meta.image": 5}` as Payload wants it: `{"meta": {"image": 5}}`; what else is in a group stays."""
    body: dict[str, Any] = {}
    for path, value in fields.items():
        *groups, name = path.split(".")
        inside = body
        for group in groups:
            inside = inside.setdefault(group, {})
        inside[name] = value
    return body
