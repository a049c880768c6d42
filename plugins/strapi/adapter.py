"""Strapi 5, through its own webhooks and its REST API.

An entry's `ref` is the name of its type and its documentId, such as `article/q3sd…`; its language versions share both.
A write without `?status=draft` publishes in Strapi, so that an entry with anything unpublished is written as a draft.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import httpx
from pydantic import Field, SecretStr, StringConstraints

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
    dig_all,
    fill,
    prose,
    read_json,
    reading,
    removed,
    texts,
)
from frontispiece.signatures import shown_secret

EVENTS: dict[str, EventKind] = {
    "entry.create": "created",
    "entry.publish": "published",
    "entry.update": "updated",
    "entry.unpublish": "updated",
    "entry.draft-discard": "updated",
    "entry.delete": "deleted",
}
BY_HAND = (
    "add a webhook under Settings > Webhooks with the URL {hook}, a header Authorization whose value is the site's"
    " webhook_secret, and all events of Entry; or set admin_token, so that it is done for you"
)
OPTIMIZED = (
    "Strapi compresses pictures once more and drops their metadata, also that they were made by a machine;"
    " switch off Size optimization under Settings > Media Library to keep both"
)
RIGHTS = "find, findOne and update of each type, and find, upload and destroy of Upload"
NOBODY = "frontispiece0doctor0asks"  # formed as a documentId, and nobody's
DOCUMENT, LOCALE = r"[A-Za-z0-9_-]{1,64}", r"[A-Za-z0-9-]{0,35}"  # strict: they become part of an address
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]


class StrapiType(ContentType):
    """`plural` and `uid` are Strapi's own words for the type: by default `articles` and `api::article.article`."""

    image: str = Field("cover", pattern=r"^\w+$")  # a media field that holds one file
    photos: str = ""  # a media field with a product's own pictures
    plural: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*$")] = ""
    uid: str = ""


class StrapiSettings(SiteSettings):
    """`api_token` may find and update the types and files; `admin_token` may register the webhook."""

    api_token: SecretStr
    admin_token: SecretStr | None = None
    types: dict[Name, StrapiType] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _Versions:
    """What editors see of an entry, and what visitors see (None while nothing is published)."""

    draft: dict[str, Any]
    public: dict[str, Any] | None

    @property
    def status(self) -> str:
        """`changed` = published, with unpublished changes; Strapi's own panel looks at the same two times."""
        if self.public is None:
            return "draft"
        return "published" if self.public["updatedAt"] == self.draft["updatedAt"] else "changed"


class Strapi(Adapter):
    """One Strapi with the content types that its settings name."""

    Settings = StrapiSettings
    settings: StrapiSettings
    title: ClassVar[str] = "Strapi"
    docs: ClassVar[str] = "https://docs.strapi.io/cms/api/rest"
    signs: ClassVar[str] = "the secret in the header Authorization"
    signs_body: ClassVar[bool] = False
    signs_time: ClassVar[bool] = False
    connects: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Strapi 5.54"

    def auth(self) -> httpx.Auth:
        return Header("Authorization", f"Bearer {self.settings.api_token.get_secret_value()}")

    def verify(self, delivery: Delivery) -> str:
        shown_secret(delivery, "Authorization", self.settings.secrets)
        return ""

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("Strapi sends no such body"):
            said = json.loads(delivery.body)
            if said["event"] == "trigger-test":
                return [Event("ping", "")]
            name = self._name(said["uid"]) if said["event"] in EVENTS else ""
            return [_event(name, said["event"], said["entry"])] if name else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        kind, _ = self._place(ref)
        now = self._read(api, ref, locale, populate="*")
        found, image = now.draft, _image(now.draft, kind.image)
        sections = texts(found, kind.section)
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=" ".join(texts(found, kind.title)),
            locale=found.get("locale") or "",
            excerpt=prose(found, kind.excerpt),
            body=prose(found, kind.body),
            tags=texts(found, kind.tags),
            section=next(iter(sections), ""),
            sections=sections,
            author=", ".join(texts(found, kind.author)),
            status=now.status,
            url=fill(kind.url, found),
            edit_url=self._edit_url(ref, found.get("locale")),
            version=found["updatedAt"],
            image=image and Current(str(image["id"]), self._absolute(image["url"]), image["alternativeText"] or ""),
            photos=tuple(self._absolute(photo["url"]) for photo in dig_all(found, kind.photos)),
            opted_out=any(dig_all(found, kind.opt_out)),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        before = entry.image.id if entry.image else ""
        file = _uploaded(api, picture)
        ours = str(file["id"]) if file else ""
        now = self._shown(self._read(api, entry.ref, entry.locale), entry.ref)
        if now not in {before, ours}:
            raise Conflict(f"{entry.ref} has another image ({now or 'none'}) than when it was read")
        file = _store(api, file, picture)
        ours = str(file["id"])
        if now != ours:
            self._write(api, entry.ref, entry.locale, before, ours)
        previous = {"image": "" if before == ours else before, "locale": entry.locale}
        return Receipt(ours, self._absolute(file["url"]), previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        before, locale = str(receipt.previous["image"]), str(receipt.previous["locale"])
        now = self._shown(self._read(api, ref, locale), ref)
        if now not in {before, receipt.media_id}:
            raise Conflict(f"{ref} has another image ({now or 'none'}) than ours ({receipt.media_id}) by now")
        if now != before:
            self._write(api, ref, locale, now, before)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        after = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for name, kind in self.settings.types.items():
            path = f"/api/{kind.plural or name + 's'}"
            bare = {"sort": "updatedAt:asc", f"filters[{kind.image}][id][$null]": "true"}
            # published by a release or in a list: the times of the entry itself stay as they were
            since_then = {"filters[publishedAt][$gt]": after, "filters[updatedAt][$lte]": after}
            for rows in _pages(api, path, bare | since_then | {"status": "published"}):
                yield from (_event(name, "entry.publish", row) for row in rows)
            for rows in _pages(api, path, bare | {"status": "draft", "filters[updatedAt][$gt]": after}):
                public = _public(api, path, rows)
                for row in rows:
                    event = "entry.publish" if (row["documentId"], row.get("locale")) in public else "entry.create"
                    yield _event(name, event, row)

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        if self.settings.admin_token is None:
            raise CmsProblem(f"Strapi's API tokens may not register webhooks: {BY_HAND.format(hook=hook)}")
        headers = {"Authorization": self.settings.webhook_secret.get_secret_value()}
        wanted = {"name": "Frontispiece", "url": hook, "headers": headers, "events": list(EVENTS)}
        there = [one for one in self._admin(api, "GET", "") if one["url"] == hook]
        if there:
            kept = self._admin(api, "PUT", f"/{there[0]['id']}", json=wanted | {"isEnabled": True})
        else:
            kept = self._admin(api, "POST", "", json=wanted)
        done = "was there and is up to date" if there else "is registered"
        return Connection((f"the webhook to {hook} {done}", self._tried(api, kept)))

    def doctor(self, api: httpx.Client) -> list[str]:
        try:
            told = [self._may_write(api, name) for name in self.settings.types] + self._try_upload(api)
        except CmsProblem as problem:
            hint = f": the API token needs {RIGHTS}" if " answered 403: " in problem.words else ""
            raise type(problem)(problem.words + hint) from problem
        answer = call(api, "GET", "/api/upload/files", params={"filters[id]": "0"})
        if self.settings.admin_token is None:
            return [*told, "whether Strapi reaches us is for Trigger under Settings > Webhooks to tell", clock(answer)]
        secrets = set(self.settings.secrets)
        hooks = [
            one for one in self._admin(api, "GET", "") if one["isEnabled"] and secrets & {*one["headers"].values()}
        ]
        if not hooks:
            raise CmsProblem("Strapi has no webhook that is on and shows our secret: run frontispiece connect")
        return [*told, *(self._tried(api, one) for one in hooks), clock(answer)]

    def _name(self, uid: str) -> str:
        """The name of the type in the settings; "" for one that is not ours."""
        types = self.settings.types.items()
        return next((name for name, kind in types if (kind.uid or f"api::{name}.{name}") == uid), "")

    def _place(self, ref: str) -> tuple[StrapiType, str]:
        """The type of an entry, and its address."""
        name, _, document = ref.partition("/")
        kind = self.settings.types.get(name)
        if kind is None or not re.fullmatch(DOCUMENT, document):
            raise CmsProblem(f"{ref!r} is no entry of a type that the site's settings name")
        return kind, f"/api/{kind.plural or name + 's'}/{document}"

    def _read(self, api: httpx.Client, ref: str, locale: str, populate: str = "") -> _Versions:
        """The draft last, so that one that an editor saves in between is seen as changed."""
        kind, path = self._place(ref)
        wanted = _in(locale) | {"populate": populate or kind.image}
        try:
            public = read_json(call(api, "GET", path, params=wanted | {"status": "published"}))["data"]
        except Gone:
            public = None
        draft = read_json(call(api, "GET", path, params=wanted | {"status": "draft"}))["data"]
        return _Versions(draft, public)

    def _shown(self, now: _Versions, ref: str) -> str:
        """Id of the image that editors see; "" = none."""
        image = _image(now.draft, self._place(ref)[0].image)
        return str(image["id"]) if image else ""

    def _write(self, api: httpx.Client, ref: str, locale: str, expects: str, wanted: str) -> None:
        """Sets the image in the state the entry is in now: reading and writing lie as close together as they can."""
        kind, path = self._place(ref)
        now = self._read(api, ref, locale)
        if self._shown(now, ref) != expects:
            raise Conflict(f"the image of {ref} was changed in this very moment")
        status = {} if now.status == "published" else {"status": "draft"}
        body = {"data": {kind.image: int(wanted) if wanted else None}}
        query = _in(locale) | status | {"populate": kind.image}
        kept = _image(read_json(call(api, "PUT", path, params=query, json=body))["data"], kind.image)
        if (str(kept["id"]) if kept else "") != wanted:
            raise CmsProblem(f"{ref} kept the image {kept and kept['id']} when {wanted or 'none'} was set")

    def _may_write(self, api: httpx.Client, name: str) -> str:
        """Finds the type and its image, and asks to change an entry that nobody has: 403 for who may not."""
        kind, path = self._place(f"{name}/{NOBODY}")
        try:
            call(api, "GET", path.rpartition("/")[0], params={"populate": kind.image, "pagination[pageSize]": "1"})
        except Gone as gone:
            raise CmsProblem(f"{gone.words}: are name and plural of the type {name!r} right?") from gone
        try:
            call(api, "PUT", path, params={"status": "draft"}, json={"data": {}})
        except Gone:
            return f"the token is accepted, and may find and update {name}"
        raise CmsProblem(f"Strapi took a change of {path}, which nobody has made")

    def _try_upload(self, api: httpx.Client) -> list[str]:
        file = _store(api, _uploaded(api, TEST_PICTURE), TEST_PICTURE)
        try:
            kept = call(api, "GET", self._absolute(file["url"]), auth=None).content == TEST_PICTURE.data
            words = "and came back as it was sent" if kept else f"and came back changed: {OPTIMIZED}"
        except CmsProblem as problem:
            words = f"but visitors cannot have it: {problem.words}"
        return [f"a test picture was uploaded, {words}", removed(api, _place(file))]

    def _admin(self, api: httpx.Client, method: str, path: str, **request: Any) -> Any:
        """Strapi's routes for webhooks, which know admin tokens only."""
        token = self.settings.admin_token
        auth = Header("Authorization", f"Bearer {token.get_secret_value() if token else ''}")
        return read_json(call(api, method, f"/admin/webhooks{path}", auth=auth, **request))["data"]

    def _tried(self, api: httpx.Client, hook: Any) -> str:
        """Has Strapi send its test delivery, and says what came of it."""
        came = self._admin(api, "POST", f"/{hook['id']}/trigger")
        if 200 <= came["statusCode"] < 300:
            return f"a test delivery to {hook['url']} arrived"
        return f"a test delivery to {hook['url']} did not arrive ({came['statusCode']} {came.get('message', '')[:200]})"

    def _absolute(self, url: str) -> str:
        return url if url.startswith("http") else self.settings.url + url

    def _edit_url(self, ref: str, locale: str | None) -> str:
        name, _, document = ref.partition("/")
        uid = self.settings.types[name].uid or f"api::{name}.{name}"
        query = f"?plugins[i18n][locale]={locale}" if locale else ""
        return f"{self.settings.url}/admin/content-manager/collection-types/{uid}/{document}{query}"


def _event(name: str, event: str, entry: Any) -> Event:
    """A type without drafts tells of a new entry by `entry.create` alone, and it is public at once."""
    locale = entry.get("locale") or ""
    for part, form in ((entry["documentId"], DOCUMENT), (locale, LOCALE)):
        if not isinstance(part, str) or not re.fullmatch(form, part):
            raise ValueError(f"documentId or locale is {part!r}")
    kind = "published" if event == "entry.create" and entry.get("publishedAt") else EVENTS[event]
    return Event(kind, f"{name}/{entry['documentId']}", locale)


def _in(locale: str) -> dict[str, str]:
    """Without it, Strapi reads and writes the default language."""
    return {"locale": locale} if locale else {}


def _image(found: Any, field: str) -> Any | None:
    if field not in found or isinstance(found[field], list):
        raise CmsProblem(f"{field!r} is no media field for one file: name another as the type's image in the settings")
    return found[field]


def _pages(api: httpx.Client, path: str, wanted: dict[str, str]) -> Iterator[list[Any]]:
    page, pages = 1, 1
    while page <= pages:
        query = wanted | {"pagination[page]": str(page), "pagination[pageSize]": "50", "locale": "*"}
        told = read_json(call(api, "GET", path, params=query))
        yield told["data"]
        page, pages = page + 1, told["meta"]["pagination"]["pageCount"]


def _public(api: httpx.Client, path: str, rows: list[Any]) -> set[tuple[str, str | None]]:
    """Which of these entries visitors see, by documentId and locale."""
    these = {f"filters[documentId][$in][{at}]": row["documentId"] for at, row in enumerate(rows)}
    pages = _pages(api, path, these | {"status": "published"}) if rows else ()
    return {(row["documentId"], row.get("locale")) for page in pages for row in page}


def _uploaded(api: httpx.Client, picture: Picture) -> Any | None:
    """The file that an earlier try has left."""
    query = {"filters[name][$eq]": picture.stable_name, "sort": "id:asc"}
    return next(iter(read_json(call(api, "GET", "/api/upload/files", params=query))), None)


def _store(api: httpx.Client, file: Any | None, picture: Picture) -> Any:
    """Uploads the picture; or brings an earlier try's file up to date, as its words may have changed since."""
    name = picture.stable_name
    info: dict[str, Any] = {"name": name, "alternativeText": picture.alt, "caption": picture.caption}
    if picture.focal:
        info["focalPoint"] = {"x": picture.focal[0] * 100, "y": picture.focal[1] * 100}
    form = {"fileInfo": json.dumps(info)}
    if file is None:
        sent = {"files": (name, picture.data, picture.mime)}
        file = read_json(call(api, "POST", "/api/upload", data=form, files=sent, timeout=120))[0]
    elif (file["alternativeText"], file["caption"]) != (picture.alt, picture.caption):
        file = read_json(call(api, "POST", "/api/upload", params={"id": str(file["id"])}, data=form))
    if not file["width"]:  # it takes anything that is called .webp
        raise CmsProblem(f"Strapi cannot read {name} as a picture; {removed(api, _place(file))}")
    if file["alternativeText"] != picture.alt:
        raise CmsProblem(f"the alternative text {picture.alt!r} was sent, Strapi keeps {file['alternativeText']!r}")
    return file


def _place(file: Any) -> str:
    return f"/api/upload/files/{file['id']}"
