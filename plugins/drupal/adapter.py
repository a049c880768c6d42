"""Drupal 10 and 11, through core's JSON:API and the contributed module Webhooks (drupal.org/project/webhooks).

An entry's `ref` is its content type and UUID, such as `article/7c3f…`. Image fields and media fields both work.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import httpx

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Delivery,
    Entry,
    Event,
    EventKind,
    NotAllowed,
    Picture,
    Receipt,
    Refused,
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

from . import nodes, pictures, translations
from .jsonapi import first, names, pages, upload
from .settings import DrupalSettings

EVENTS: dict[str, EventKind] = {
    "entity:node:create": "created",
    "entity:node:update": "updated",
    "entity:node:delete": "deleted",
}
REF = re.compile(r"([a-z0-9_]+)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
        told = nodes.read(api, self.settings, ref)
        kind, found = self.settings.type_of(ref), told["data"]["attributes"]
        alias, number = dig(found, "path.alias"), found["drupal_internal__nid"]
        return Entry(
            ref=ref,
            kind=kind.kind,
            title=prose(found, kind.title),
            locale=nodes.language(told) or locale or self.settings.language,
            excerpt=_text(found.get(kind.excerpt)) or _text(dig(found, f"{kind.body}.summary")),
            body=_text(found.get(kind.body)),
            tags=names(told, kind.tags),
            section=next(iter(names(told, kind.section)), ""),
            author=next(iter(names(told, kind.author or "uid")), ""),
            status=found.get("moderation_state") or ("published" if found["status"] else "draft"),
            url=f"{self.settings.url}{alias or f'/node/{number}'}",
            edit_url=f"{self.settings.url}/node/{number}/edit",
            version=f"{found.get('drupal_internal__vid')} {found.get('changed')}",
            image=nodes.image(self.settings, kind, told),
            opted_out=found.get(kind.opt_out) is True,
            titles=translations.titles(api, self.settings, ref, told),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        settings, kind = self.settings, self.settings.type_of(entry.ref)
        told = nodes.read(api, settings, entry.ref, entry.locale)
        now, before = nodes.image(settings, kind, told), entry.image.id if entry.image else ""
        others, title = translations.images(api, settings, entry.ref, nodes.language(told)), ""
        if now is None or nodes.image_name(kind, told) != picture.stable_name:
            unchanged(entry.ref, now, before)
            item = pictures.store(api, settings, entry.ref, picture)
            told = nodes.read(api, settings, entry.ref, entry.locale)  # again: the upload may have taken a while
            unchanged(entry.ref, nodes.image(settings, kind, told), before)
            title = nodes.image_title(kind, told)
            now = nodes.image(settings, kind, nodes.show(api, settings, entry.ref, told, item, entry.locale))
            if now is None or now.id != item["id"] or now.alt != picture.alt[: pictures.MOST_ALT]:
                raise CmsProblem(f"{entry.ref} does not show the image and alt text that were set")
        if others:
            translations.reword(api, settings, entry, now, others, picture)
        previous = {"id": before, "alt": entry.image.alt if entry.image else ""} | ({"title": title} if title else {})
        return Receipt(now.id, now.url, previous | translations.noted(settings, entry.locale, now, others))

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        settings, kind, before = self.settings, self.settings.type_of(ref), receipt.previous
        told = nodes.read(api, settings, ref, before.get("locale", ""))
        now, others = nodes.image(settings, kind, told), translations.images(api, settings, ref, nodes.language(told))
        if (now.id if now else "") != before["id"]:
            unchanged(ref, now, receipt.media_id)
            item = nodes.item(kind, before["id"], before["alt"], before.get("title", "")) if before["id"] else None
            nodes.show(api, settings, ref, told, item, before.get("locale", ""))
        translations.put_back(api, settings, ref, others, receipt.media_id, before)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        """Drupal lists unpublished nodes to their author only, unless the user may bypass content access control."""
        self._log_in(api)
        when = {"path": "changed", "operator": ">=", "value": str(int(since.astimezone(UTC).timestamp()))}
        for bundle, kind in self.settings.types.items():
            query = {f"filter[when][condition][{name}]": value for name, value in when.items()}
            query |= {f"fields[node--{bundle}]": f"status,langcode,{kind.image}"}
            query |= {"sort": "changed,drupal_internal__nid"}
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
