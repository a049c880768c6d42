"""Contentful, through its Content Management API (CMA) and its signed webhooks.

An entry's `ref` is its id in the configured environment. Every write names the version that it was made from, so that
a save of somebody else in between is noticed and never written over.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

import httpx

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
    Gone,
    Header,
    Picture,
    Receipt,
    Unreadable,
    clock,
    dig,
    fill,
    plain_tree,
    prose,
    reading,
    texts,
    unchanged,
)

from .assets import address, number_of, removed, stored
from .management import Json, checked, sent, status, told, waiting
from .settings import ContentfulSettings, ContentfulType
from .signing import prove

KINDS: dict[str, EventKind] = {"create": "created", "publish": "published", "save": "updated"}
KINDS |= {"archive": "deleted", "delete": "deleted", "unarchive": "updated"}
TOPICS = [f"Entry.{topic}" for topic in KINDS]
PATCH = {"Content-Type": "application/json-patch+json"}


class Contentful(Adapter):
    """One environment of one space."""

    Settings = ContentfulSettings
    settings: ContentfulSettings
    title: ClassVar[str] = "Contentful"
    docs: ClassVar[str] = "https://www.contentful.com/developers/docs/references/content-management-api/"
    signs: ClassVar[str] = "HMAC-SHA256 of method, path, headers and body"
    connects: ClassVar[bool] = True
    proved: ClassVar[str] = "a stand-in and Contentful's own signing library"

    def auth(self) -> httpx.Auth:
        return Header("Authorization", f"Bearer {self.settings.token.get_secret_value()}")

    @property
    def _space(self) -> str:
        return f"/spaces/{self.settings.space}"

    @property
    def _root(self) -> str:
        return f"{self._space}/environments/{self.settings.environment}"

    def verify(self, delivery: Delivery) -> str:
        prove(delivery, self.settings.hook_path or delivery.path, self.settings.secrets)
        return ""  # the idempotency key is not among the headers that are always signed; no two bodies are the same

    def events(self, delivery: Delivery) -> list[Event]:
        topic = delivery.headers.get("x-contentful-topic")
        with reading("Contentful sends no such body"):
            sys = json.loads(delivery.body)["sys"]
            ref, known = checked(sys["id"]), dig(sys, "contentType.sys.id") in (None, *self.settings.types)
        if not topic.startswith("ContentManagement."):
            raise Unreadable(f"Contentful sends no such topic: {topic[:100]!r}")
        kind = KINDS.get(topic.removeprefix("ContentManagement.Entry."))
        return [Event(kind, ref)] if kind and known else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        found, locale = self._entry(api, ref), locale or self.settings.locale
        kind, default = self._type(found), self.settings.locale
        if kind is None:
            return Entry(ref, "article", "", opted_out=True)
        fields = {name: said.get(locale, said.get(default)) for name, said in found["fields"].items()}
        sections = texts(fields, kind.section)
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(fields, kind.title),
            locale=locale,
            excerpt=prose(fields, kind.excerpt),
            body=prose(fields, kind.body),
            tags=texts(fields, kind.tags),
            section=next(iter(sections), ""),
            sections=sections,
            author=next(iter(texts(fields, kind.author)), ""),
            status=status(found),
            url=fill(kind.url, fields),
            edit_url=self.settings.url.replace("://api.", "://app.") + f"{self._root}/entries/{ref}",
            version=str(found["sys"]["version"]),
            image=self._current(api, self._image(found), locale),
            opted_out=fields.get(kind.opt_out) is True,
            titles={code: plain_tree(title) for code, title in found["fields"].get(kind.title, {}).items()},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        found, number = self._entry(api, entry.ref), number_of(picture)
        before = entry.image.id if entry.image else ""
        if self._image(found) != number:
            unchanged(entry.ref, Current(self._image(found)), before)
        asset = stored(api, self._root, self.settings.locale, entry, picture)
        self._write(api, found, number)
        return Receipt(number, address(asset, self.settings.locale), {"image": before})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        found, before = self._entry(api, ref), str(receipt.previous["image"])
        if self._image(found) != before:
            unchanged(ref, Current(self._image(found)), receipt.media_id)
        self._write(api, found, before)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for name, kind in self.settings.types.items():
            wanted = {"content_type": name, f"fields.{kind.image}[exists]": "false", "sys.archivedAt[exists]": "false"}
            wanted |= {"sys.updatedAt[gte]": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
            wanted |= {"order": "sys.updatedAt,sys.id"}
            for found in self._pages(api, wanted):
                if not self._image(found):
                    kind_of: EventKind = "created" if status(found) == "draft" else "published"
                    yield Event(kind_of, checked(found["sys"]["id"]))

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        try:
            return self._connect(api, hook)
        except CmsProblem as problem:
            if " answered 403" in problem.words:
                raise CmsProblem(f"{problem.words}: make the user an administrator of the space for this") from problem
            raise

    def _connect(self, api: httpx.Client, hook: str) -> Connection:
        secret, path = self.settings.webhook_secret.get_secret_value(), f"{self._space}/webhook_settings/signing_secret"
        try:
            end = told(api, "GET", path)["redactedValue"]
        except Gone:
            end = told(api, "PUT", path, json={"value": secret})["redactedValue"]
        if not secret.endswith(end):
            raise CmsProblem(
                f"the space has a signing secret already, one for all its webhooks, which ends in {end}: put it into "
                "webhook_secret; or remove it in Settings > Webhooks > Settings if nobody needs it, and connect again"
            )
        where = f"{self._space}/webhook_definitions/{self._hook_id}"
        try:
            version = told(api, "GET", where)["sys"]["version"]
        except Gone:
            version = None
        sent(api, "PUT", where, version, json=self._hook(hook, self._me(api)))
        words = f"Contentful tells {hook} of entries of {', '.join(self.settings.types)} in {self.settings.environment}"
        return Connection((words, "the space signs its webhooks with webhook_secret"))

    def doctor(self, api: httpx.Client) -> list[str]:
        me = sent(api, "GET", "/users/me")
        self._check_locale(api)
        for name, kind in self.settings.types.items():
            fields = told(api, "GET", f"{self._root}/content_types/{name}")["fields"]
            if not any(field["id"] == kind.image and field.get("linkType") == "Asset" for field in fields):
                raise CmsProblem(f"the content type {name} has no field {kind.image!r} for one asset: set types.{name}")
        test = Entry("", "article", "Frontispiece test", self.settings.locale)
        stored(api, self._root, self.settings.locale, test, TEST_PICTURE)
        removed(api, self._root, TEST_PICTURE)
        there = "a test picture was uploaded, published and removed again"
        return ["the token and the content types are right", there, self._health(api), clock(me)]

    def _entry(self, api: httpx.Client, ref: str) -> Json:
        found = told(api, "GET", f"{self._root}/entries/{checked(ref)}")
        if "archivedVersion" in found["sys"]:
            raise Gone(f"{ref} is archived")
        return found

    def _pages(self, api: httpx.Client, wanted: dict[str, str]) -> Iterator[Json]:
        skip, total = 0, 1
        while skip < total:
            page = told(api, "GET", f"{self._root}/entries", params={**wanted, "skip": str(skip)})
            yield from page["items"]
            skip, total = skip + max(len(page["items"]), 1), page["total"]

    def _type(self, found: Json) -> ContentfulType | None:
        return self.settings.types.get(found["sys"]["contentType"]["sys"]["id"])

    def _field(self, found: Json) -> str:
        """The id of the field that holds the picture."""
        if (kind := self._type(found)) is None:
            raise CmsProblem(f"{found['sys']['id']} is of a content type that this site does not name (any more)")
        return kind.image

    def _image(self, found: Json) -> str:
        """The id of the entry's asset in the default language, or else in any; "" for none."""
        links = found["fields"].get(self._field(found), {})
        ids = {code: str(dig(link, "sys.id") or "") for code, link in links.items()}
        return ids.get(self.settings.locale) or next(filter(None, ids.values()), "")

    def _current(self, api: httpx.Client, number: str, locale: str) -> Current | None:
        if not number:
            return None
        try:
            asset = told(api, "GET", f"{self._root}/assets/{checked(number)}")
        except Gone:  # the entry still points at it
            return Current(number)
        alts = asset["fields"].get("description", {})
        return Current(
            number, address(asset, self.settings.locale), alts.get(locale, alts.get(self.settings.locale, ""))
        )

    def _write(self, api: httpx.Client, found: Json, number: str) -> None:
        """Puts the asset on the entry; publishes that change where nothing else waits to be published.

        Other changes that wait are somebody's unfinished work: the picture then waits with them.
        """
        path, sys = f"{self._root}/entries/{found['sys']['id']}", found["sys"]
        if self._image(found) != number:
            publish = status(found) == "published"
            change = [self._change(found, number)]
            found = told(api, "PATCH", path, sys["version"], headers=PATCH, json=change)
            if (kept := self._image(found)) != number:
                raise CmsProblem(f"{path} kept the image {kept or 'none'} when {number or 'none'} was set")
        else:  # set by a try that ended before it could publish: one step above what is public, and ours
            above = sys["version"] - sys.get("publishedVersion", sys["version"])
            ours = above == 2 and dig(sys, "updatedBy.sys.id") == self._me(api)
            publish = ours and not waiting(found, but=self.settings.locale)
        if publish:
            self._publish(api, path, found)

    def _publish(self, api: httpx.Client, path: str, found: Json) -> None:
        try:
            sent(api, "PUT", f"{path}/published", found["sys"]["version"])
        except CmsProblem as problem:
            if problem.retry:
                raise
            words = f"the image of {path} is changed, but Contentful does not publish that ({problem.words})"
            raise CmsProblem(f"{words}: put right what it says, and publish the entry by hand") from problem

    def _change(self, found: Json, number: str) -> Json:
        """The JSON Patch that changes the link in the default language, and no other."""
        field, locale = self._field(found), self.settings.locale
        link = {"sys": {"type": "Link", "linkType": "Asset", "id": number}}
        if not number:
            return {"op": "remove", "path": f"/fields/{field}/{locale}"}
        if field in found["fields"]:
            return {"op": "add", "path": f"/fields/{field}/{locale}", "value": link}
        return {"op": "add", "path": f"/fields/{field}", "value": {locale: link}}

    def _me(self, api: httpx.Client) -> str:
        return str(told(api, "GET", "/users/me")["sys"]["id"])

    @property
    def _hook_id(self) -> str:
        return f"frontispiece-{self.settings.environment}"[:64]

    def _hook(self, address: str, me: str) -> Json:
        """Entries of our types in our environment; not what we write ourselves."""
        filters: list[Json] = [
            {"equals": [{"doc": "sys.environment.sys.id"}, self.settings.environment]},
            {"in": [{"doc": "sys.contentType.sys.id"}, list(self.settings.types)]},
            {"not": {"equals": [{"doc": "sys.updatedBy.sys.id"}, me]}},
        ]
        name = f"Frontispiece ({self.settings.environment})"
        return {"name": name, "url": address, "topics": TOPICS, "filters": filters, "headers": [], "active": True}

    def _check_locale(self, api: httpx.Client) -> None:
        locales = told(api, "GET", f"{self._root}/locales")["items"]
        default = next(one["code"] for one in locales if one["default"])
        if default != self.settings.locale:
            raise CmsProblem(f"locale is {self.settings.locale!r}, but this environment's default is {default!r}")

    def _health(self, api: httpx.Client) -> str:
        try:
            calls = told(api, "GET", f"{self._space}/webhooks/{self._hook_id}/health")["calls"]
        except Gone:
            return "Contentful has no webhook made by frontispiece connect"
        except CmsProblem as problem:
            if problem.retry:
                raise
            return "how deliveries fare is told to administrators of the space only"
        return f"{calls['healthy']} of the last {calls['total']} deliveries reached us, as Contentful tells"
