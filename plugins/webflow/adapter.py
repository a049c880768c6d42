"""Webflow, through its Data API v2; nothing is installed in the site.

An entry's `ref` is its collection's id and its own, `580e…/62b7…`; its other locales are the same entry.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
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
)
from frontispiece.signatures import fresh, header, hmac_sha256

EVENTS: dict[str, EventKind] = {
    "collection_item_created": "created",
    "collection_item_published": "published",
    "collection_item_changed": "updated",
    "collection_item_deleted": "deleted",
}
TOLD = ("collection_item_created", "collection_item_published", "collection_item_deleted")  # what `connect` registers
REF = re.compile("[0-9a-f]{24}/[0-9a-f]{24}")


class WebflowType(ContentType):
    """Fields by their slugs, as Webflow's own blog template has them."""

    image: str = "main-image"
    title: str = "name"
    excerpt: str = "post-summary"
    body: str = "post-body"


class WebflowSettings(SiteSettings):
    """`webhook_secret` may hold several with spaces between, as each webhook has its own; `types` by collection id."""

    url: str = "https://api.webflow.com"
    site_id: str = Field(pattern="^[0-9a-f]{24}$")
    token: SecretStr
    types: dict[str, WebflowType] = Field(min_length=1)


class Webflow(Adapter):
    """One Webflow site."""

    Settings = WebflowSettings
    settings: WebflowSettings
    title: ClassVar[str] = "Webflow"
    docs: ClassVar[str] = "https://developers.webflow.com/data/docs/working-with-the-cms"
    signs: ClassVar[str] = "HMAC-SHA256 of time and body"
    connects: ClassVar[bool] = True
    accepted: ClassVar[int] = 200
    proved: ClassVar[str] = "a stand-in and Webflow's own webflow-api 3.3.4"

    def auth(self) -> httpx.Auth:
        return Header("Authorization", f"Bearer {self.settings.token.get_secret_value()}")

    def verify(self, delivery: Delivery) -> str:
        """developers.webflow.com/data/docs/working-with-webhooks#validating-request-signatures."""
        stamp, given = header(delivery, "x-webflow-timestamp"), header(delivery, "x-webflow-signature")
        fresh(stamp, delivery.received, unit="milliseconds")
        secrets = [secret for one in self.settings.secrets for secret in one.split()]
        hmac_sha256(secrets, f"{stamp}:".encode() + delivery.body, given, "hex")
        return ""

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("Webflow sends no such body"):
            said = json.loads(delivery.body)
            kind, payload = str(said["triggerType"]), said["payload"]
            items = payload.get("items", [payload]) if kind in EVENTS else []
            found = [_ref(item["collectionId"], item["id"]) for item in items]
        return [Event(EVENTS[kind], ref) for ref in found if ref.split("/")[0] in self.settings.types]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:  # noqa: ARG002 - the primary one always
        item, kind = self._item(api, ref), self._type(ref)
        found = item["fieldData"]
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(found, kind.title),
            locale=self.settings.language,
            excerpt=prose(found, kind.excerpt),
            body=prose(found, kind.body),
            tags=tuple(word.strip() for word in str(found.get(kind.tags) or "").split(",") if word.strip()),
            section=prose(found, kind.section),
            author=prose(found, kind.author),
            status="archived" if item.get("isArchived") else "published" if item.get("lastPublished") else "draft",
            url=fill(kind.url, found, safe="/"),
            version=item.get("lastUpdated", ""),
            image=_current(item, kind.image),
            opted_out=found.get(kind.opt_out) is True,
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        item, field, name = self._item(api, entry.ref), self._type(entry.ref).image, _name(picture)
        now, before = _current(item, field), entry.image
        if now is None or not now.url.endswith(name):
            unchanged(entry.ref, now, before.id if before else "")
            asset = self._asset(api, picture)
            item = self._item(api, entry.ref)  # again: the upload may have taken a while
            unchanged(entry.ref, _current(item, field), before.id if before else "")
            image = {"fileId": asset["id"], "url": asset["hostedUrl"], "alt": picture.alt}
            now = _current(self._write(api, entry.ref, item, {field: image}), field)
            if now is None or not now.url.endswith(name) or now.alt != picture.alt:
                raise CmsProblem(f"Webflow does not show the image and alt text that were set on {entry.ref}")
        return Receipt(now.id, now.url, {"id": before.id, "url": before.url, "alt": before.alt} if before else {})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        item, field, before = self._item(api, ref), self._type(ref).image, receipt.previous
        now = _current(item, field)
        if (now.id if now else None) != before.get("id"):
            unchanged(ref, now, receipt.media_id)
            image = {"fileId": before["id"], "url": before["url"], "alt": before["alt"]} if before else None
            self._write(api, ref, item, {field: image})

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = {"lastUpdated[gte]": start, "sortBy": "lastUpdated", "sortOrder": "asc"}
        for collection, kind in self.settings.types.items():
            for item in _pages(api, f"/v2/collections/{collection}/items", "items", wanted):
                if not item.get("isArchived") and not item["fieldData"].get(kind.image):
                    yield Event("published" if item.get("lastPublished") else "created", _ref(collection, item["id"]))

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        """Webflow shows a webhook's secret once, when it is made."""
        path = f"/v2/sites/{self.settings.site_id}/webhooks"
        there = {one["triggerType"] for one in read_json(call(api, "GET", path))["webhooks"] if one["url"] == hook}
        wanted = [kind for kind in TOLD if kind not in there]
        made = [read_json(call(api, "POST", path, json={"triggerType": kind, "url": hook})) for kind in wanted]
        if not made:
            return Connection((f"Webflow tells {hook} already, with secrets that it showed when they were made",))
        known = self.settings.webhook_secret.get_secret_value().split() if there else []
        told = f"Webflow tells {hook} of {', '.join(wanted)}"
        words = f"{told}; each webhook has a secret of its own, all of them are one"
        return Connection((words,), " ".join([*known, *(one["secretKey"] for one in made)]))

    def doctor(self, api: httpx.Client) -> list[str]:
        site = call(api, "GET", f"/v2/sites/{self.settings.site_id}")
        words = [f"the token is accepted for {read_json(site)['displayName']}", clock(site)]
        for collection, kind in self.settings.types.items():
            fields = read_json(call(api, "GET", f"/v2/collections/{collection}"))["fields"]
            if not any((field["slug"], field["type"]) == (kind.image, "Image") for field in fields):
                problem = f"has no image field {kind.image!r}: see types in the settings"
                raise CmsProblem(f"collection {collection} {problem}")
            words.append(f"collection {collection} has the image field {kind.image}")
        gone = removed(api, f"/v2/assets/{self._asset(api, TEST_PICTURE)['id']}")
        return [*words, f"a test picture was uploaded; {gone}"]

    def _type(self, ref: str) -> WebflowType:
        collection, _, _ = ref.partition("/")
        if collection not in self.settings.types:
            raise CmsProblem(f"{ref}: there is no table types.{collection} in this site's settings (any more)")
        return self.settings.types[collection]

    def _item(self, api: httpx.Client, ref: str) -> Any:
        return read_json(call(api, "GET", _path(ref)))

    def _write(self, api: httpx.Client, ref: str, item: Any, fields: dict[str, Any]) -> Any:
        """Live where visitors see what editors see; else to the staged item alone, which waits for its editor.

        `isDraft` is sent back as it was: left out, an update would be queued for the next time the site is published.
        Without `skipInvalidFiles=false` an image that Webflow cannot take is lost without a word.
        """
        clean = not item["isDraft"] and _live(api, ref) == item["fieldData"]
        body = {"fieldData": fields} | ({} if clean else {"isDraft": item["isDraft"], "isArchived": item["isArchived"]})
        path = f"{_path(ref)}{'/live' if clean else ''}"
        return read_json(call(api, "PATCH", path, json=body, params={"skipInvalidFiles": "false"}))

    def _asset(self, api: httpx.Client, picture: Picture) -> Any:
        """The picture's asset; one whose file an earlier try did not bring to its end is made anew."""
        path, name = f"/v2/sites/{self.settings.site_id}/assets", _name(picture)
        found = next((one for one in _pages(api, path, "assets", {}) if one["originalFileName"] == name), None)
        if found and found.get("size"):
            return found
        if found:
            call(api, "DELETE", f"/v2/assets/{found['id']}")
        wanted = {"fileName": name, "fileHash": hashlib.md5(picture.data, usedforsecurity=False).hexdigest()}
        made = read_json(call(api, "POST", path, json=wanted))
        form, file = made["uploadDetails"], {"file": (name, picture.data, picture.mime)}
        call(api, "POST", made["uploadUrl"], auth=None, data=form, files=file, timeout=120)  # another host's: no token
        return made


def _ref(collection: Any, item: Any) -> str:
    """Strict, because it becomes part of an address."""
    ref = f"{collection}/{item}"
    if not REF.fullmatch(ref):
        raise ValueError(f"{ref[:60]!r} is no collection and item")
    return ref


def _path(ref: str) -> str:
    collection, item = ref.split("/")
    return f"/v2/collections/{collection}/items/{item}"


def _name(picture: Picture) -> str:
    """The asset's file name, of which Webflow takes 99 characters. Addresses end with it."""
    return picture.stable_name[-99:]


def _current(item: Any, field: str) -> Current | None:
    image = item["fieldData"].get(field)
    return Current(str(image["fileId"]), image["url"], image.get("alt") or "") if image else None


def _live(api: httpx.Client, ref: str) -> Any:
    try:
        return read_json(call(api, "GET", f"{_path(ref)}/live"))["fieldData"]
    except Gone:
        return None


def _pages(api: httpx.Client, path: str, name: str, wanted: dict[str, str]) -> Iterator[Any]:
    offset, total = 0, 1
    while offset < total:
        told = read_json(call(api, "GET", path, params=wanted | {"offset": str(offset), "limit": "100"}))
        yield from told[name]
        offset, total = offset + 100, told["pagination"]["total"]
