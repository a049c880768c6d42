"""Drupal 10 and 11, through core's JSON:API and the contributed module Webhooks (drupal.org/project/webhooks).

An entry's `ref` is its content type and UUID, such as `article/7c3f…`. Image fields and media fields both work.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import httpx
from pydantic import Field, SecretStr

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
    NotAllowed,
    Picture,
    Receipt,
    Refused,
    SiteSettings,
    call,
    clock,
    dig,
    plain,
    prose,
    read_json,
    reading,
    unchanged,
)
from frontispiece.signatures import header, hmac_sha256

from .jsonapi import first, included, named, names, pages, send, upload

EVENTS: dict[str, EventKind] = {
    "entity:node:create": "created",
    "entity:node:update": "updated",
    "entity:node:delete": "deleted",
}
MOST_ALT = 512  # characters, core's modules/image/src/Plugin/Field/FieldType/ImageItem.php
PENDING = "working copy"  # in core's words for a node with a newer draft, drupal.org/i/2795279
REF = re.compile(r"([a-z0-9_]+)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class DrupalType(ContentType):
    """Fields by their machine names; `media` is the media type that the field `image` refers to, if any."""

    image: str = "field_image"
    body: str = "body"
    tags: str = "field_tags"
    media: str = ""
    media_field: str = "field_media_image"

    def upload(self, bundle: str) -> str:
        """Where a new file for this field is posted. Never to a node itself: that would save it beside its draft."""
        return f"media/{self.media}/{self.media_field}" if self.media else f"node/{bundle}/{self.image}"


class DrupalSettings(SiteSettings):
    """`user` is a user of Frontispiece's own: what that user saves is never taken for news."""

    user: str
    password: SecretStr
    types: dict[str, DrupalType] = Field({"article": DrupalType()}, min_length=1)


class Drupal(Adapter):
    """One site; `types` are its content types by machine name."""

    Settings = DrupalSettings
    settings: DrupalSettings
    title: ClassVar[str] = "Drupal"
    docs: ClassVar[str] = "https://www.drupal.org/docs/core-modules-and-themes/core-modules/jsonapi-module"
    signs: ClassVar[str] = "HMAC of the body (X-Hub-Signature)"
    signs_time: ClassVar[bool] = False
    needs_plugin: ClassVar[bool] = True
    proved: ClassVar[str] = "a stand-in made after the source of Drupal 11"

    def open(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        client = super().open(transport)
        client.headers["Accept"] = "application/vnd.api+json"
        return client

    def auth(self) -> httpx.Auth:
        return httpx.BasicAuth(self.settings.user, self.settings.password.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        """The delivery's id is not signed, so that none is returned and equal bytes are one delivery."""
        name = "X-Hub-Signature-256" if delivery.headers.get("X-Hub-Signature-256") else "X-Hub-Signature"
        algorithm, _, given = header(delivery, name).partition("=")
        if algorithm not in ("sha1", "sha256"):
            raise Refused(f"the header {name} does not begin with sha1= or sha256=")
        by: Literal["sha1", "sha256"] = "sha1" if algorithm == "sha1" else "sha256"
        hmac_sha256(self.settings.secrets, delivery.body, given, "hex", by=by)
        return ""

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("the module Webhooks sends no such body"):
            said = json.loads(delivery.body)
            kind = EVENTS.get(str(said["event"]))
            if kind is None:
                return []
            node, user = said["entity"], said.get("user") or {}
            ref = _ref(f"{node['type'][0]['target_id']}/{node['uuid'][0]['value']}")
            if ref.split("/")[0] not in self.settings.types or _value(user, "name") == self.settings.user:
                return []
            if kind != "deleted" and _value(node, "status") is True:
                kind = "published"
            return [Event(kind, ref, str(_value(node, "langcode") or ""))]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        self._log_in(api)
        told = self._read(api, ref)
        kind, found = self._type(ref), told["data"]["attributes"]
        alias, number = dig(found, "path.alias"), found["drupal_internal__nid"]
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(found, kind.title),
            locale=found.get("langcode") or locale or self.settings.language,
            excerpt=_text(found.get(kind.excerpt)) or _text(dig(found, f"{kind.body}.summary")),
            body=_text(found.get(kind.body)),
            tags=names(told, kind.tags),
            section=next(iter(names(told, kind.section)), ""),
            author=next(iter(names(told, kind.author or "uid")), ""),
            status=found.get("moderation_state") or ("published" if found["status"] else "draft"),
            url=f"{self.settings.url}{alias or f'/node/{number}'}",
            edit_url=f"{self.settings.url}/node/{number}/edit",
            version=f"{found.get('drupal_internal__vid')} {found.get('changed')}",
            image=self._image(kind, told),
            opted_out=found.get(kind.opt_out) is True,
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        told, kind = self._read(api, entry.ref), self._type(entry.ref)
        now, before = self._image(kind, told), entry.image.id if entry.image else ""
        if now is None or _shown_name(told, kind) != picture.stable_name:
            unchanged(entry.ref, now, before)
            item = self._store(api, entry.ref, picture)
            told = self._read(api, entry.ref)  # again: the upload may have taken a while
            unchanged(entry.ref, self._image(kind, told), before)
            now = self._image(kind, self._set(api, entry.ref, told, item))
            if now is None or now.id != item["id"] or now.alt != picture.alt[:MOST_ALT]:
                raise CmsProblem(f"{entry.ref} does not show the image and alt text that were set")
        return Receipt(now.id, now.url, {"id": before, "alt": entry.image.alt if entry.image else ""})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        told, kind, before = self._read(api, ref), self._type(ref), receipt.previous["id"]
        now = self._image(kind, told)
        if (now.id if now else "") != before:
            unchanged(ref, now, receipt.media_id)
            self._set(api, ref, told, _item(kind, before, receipt.previous["alt"]) if before else None)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        """Drupal lists unpublished nodes to their author only, unless the user may bypass content access control."""
        self._log_in(api)
        when = {"path": "changed", "operator": ">=", "value": str(int(since.astimezone(UTC).timestamp()))}
        for bundle, kind in self.settings.types.items():
            query = {f"filter[when][condition][{name}]": value for name, value in when.items()}
            query |= {f"fields[node--{bundle}]": f"status,langcode,{kind.image}", "sort": "changed"}
            for node in pages(api, f"/jsonapi/node/{bundle}", query):
                if not first(node, kind.image):
                    ref, found = _ref(f"{bundle}/{node['id']}"), node["attributes"]
                    yield Event("published" if found["status"] else "created", ref, found.get("langcode", ""))

    def doctor(self, api: httpx.Client) -> list[str]:
        root = self._log_in(api)
        words = [f"user {self.settings.user} is accepted", clock(root)]
        for bundle, kind in self.settings.types.items():
            made = upload(api, kind.upload(bundle), TEST_PICTURE)
            try:
                call(api, "DELETE", f"/jsonapi/file/file/{made['id']}")
                words.append(f"{bundle}: a test picture was uploaded and removed")
            except CmsProblem as problem:
                words.append(f"{bundle}: a test picture was uploaded and stays for six hours, until cron: {problem}")
        return words

    def _log_in(self, api: httpx.Client) -> httpx.Response:
        """Drupal takes a wrong password for an anonymous visitor and answers 200."""
        root = call(api, "GET", "/jsonapi")
        if dig(read_json(root), "meta.links.me") is None:
            raise NotAllowed(
                f"Drupal does not accept user {self.settings.user} and the password, or its module HTTP Basic "
                "Authentication is off; after five wrong passwords it refuses the right one, too, for six hours"
            )
        return root

    def _type(self, ref: str) -> DrupalType:
        bundle, _, _ = ref.partition("/")
        if bundle not in self.settings.types:
            raise CmsProblem(f"{ref}: there is no table types.{bundle} in this site's settings (any more)")
        return self.settings.types[bundle]

    def _read(self, api: httpx.Client, ref: str) -> Any:
        kind = self._type(ref)
        picture = f"{kind.image}.{kind.media_field}" if kind.media else kind.image
        wanted = [picture, kind.author or "uid", kind.tags, kind.section]
        return read_json(call(api, "GET", f"/jsonapi/node/{ref}", params={"include": ",".join(filter(None, wanted))}))

    def _image(self, kind: DrupalType, told: Any) -> Current | None:
        item = first(told["data"], kind.image)
        if item is None:
            return None
        file = first(included(told, item), kind.media_field) or {} if kind.media else item
        path = dig(included(told, file), "attributes.uri.url") or ""
        return Current(item["id"], str(httpx.URL(self.settings.url).join(path)), dig(file, "meta.alt") or "")

    def _store(self, api: httpx.Client, ref: str, picture: Picture) -> dict[str, Any]:
        """The picture as an item of the node's field; what an earlier try has left is found by its name."""
        kind, name, alt = self._type(ref), picture.stable_name, picture.alt[:MOST_ALT]
        if kind.media and (media := named(api, f"media/{kind.media}", "name", name)):
            _reword(api, kind, media, alt)
            return _item(kind, media["id"], alt)
        file = named(api, "file/file", "filename", name)
        file = file or upload(api, kind.upload(ref.partition("/")[0]), picture)
        if not kind.media:
            return _item(kind, file["id"], alt)
        shown = {kind.media_field: {"data": {"type": "file--file", "id": file["id"], "meta": {"alt": alt}}}}
        made = {"type": f"media--{kind.media}", "attributes": {"name": name}, "relationships": shown}
        return _item(kind, send(api, "POST", f"media/{kind.media}", made)["data"]["id"], alt)

    def _set(self, api: httpx.Client, ref: str, told: Any, item: dict[str, Any] | None) -> Any:
        """Puts the item first in the field. JSON:API itself refuses a node with unpublished changes."""
        kind, data = self._type(ref), told["data"]["relationships"][self._type(ref).image]["data"]
        wished = ([item] if item else []) + data[1:] if isinstance(data, list) else item
        node = {"type": told["data"]["type"], "id": told["data"]["id"]}
        try:
            send(api, "PATCH", f"node/{ref}", node | {"relationships": {kind.image: {"data": wished}}})
        except CmsProblem as problem:
            if PENDING in problem.words:
                raise Conflict(
                    f"{ref} has unpublished changes, and Drupal lets nobody else write to it until then: "
                    "publish them or drop them, then approve the picture again"
                ) from problem
            raise
        return self._read(api, ref)


def _ref(ref: str) -> str:
    """Strict, because it becomes part of an address."""
    if not REF.fullmatch(ref):
        raise ValueError(f"{ref[:60]!r} is no content type and UUID")
    return ref


def _value(entity: Any, name: str) -> Any:
    """The value of a field as Drupal's serializer writes it: a list of objects."""
    items = entity.get(name)
    return items[0]["value"] if items else None


def _text(field: Any) -> str:
    """A text field with or without a format as plain text."""
    text = field.get("processed") or field.get("value") if isinstance(field, dict) else field
    return plain(str(text)) if text else ""


def _item(kind: DrupalType, number: str, alt: str) -> dict[str, Any]:
    media, file = {"type": f"media--{kind.media}", "id": number}, {"type": "file--file", "id": number}
    return media if kind.media else file | {"meta": {"alt": alt}}


def _shown_name(told: Any, kind: DrupalType) -> str:
    """The name of the file or media item that the entry shows."""
    shown = included(told, first(told["data"], kind.image))
    return str(dig(shown, f"attributes.{'name' if kind.media else 'filename'}"))


def _reword(api: httpx.Client, kind: DrupalType, media: Any, alt: str) -> None:
    """An earlier try's media item gets the words of today."""
    shown = first(media, kind.media_field)
    if dig(shown, "meta.alt") != alt:
        wished = {kind.media_field: {"data": shown | {"meta": {"alt": alt}}}}
        item = {"type": media["type"], "id": media["id"], "relationships": wished}
        send(api, "PATCH", f"media/{kind.media}/{media['id']}", item)
