"""Medusa 2.16 and later, through its admin REST API and the Medusa plugin in `plugin`.

An entry is a product and its `ref` the product's id. Medusa knows a picture by its address only. What the picture
replaced is kept in the product's metadata.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Connection,
    Current,
    Delivery,
    Entry,
    Event,
    Picture,
    Receipt,
    SiteSettings,
    call,
    clock,
    dig_all,
    fill,
    plain,
    read_json,
    reading,
    texts,
    unchanged,
)
from frontispiece.signatures import StandardSecret, standard_webhooks

from . import products, shop, uploads

REPLACED = "frontispiece_replaced"  # key of a product's metadata: what our picture has replaced
MOST = 100  # products a page


class MedusaSettings(SiteSettings):
    """`api_key` is a secret API key; `alt_key` the key of a product's metadata that takes the alt text, "" = none."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    api_key: SecretStr
    alt_key: str = "thumbnail_alt"
    product_url: str = ""  # the public page, with {handle} or {id} in it
    opt_out: str = "no-automatic-image"  # a product tag: products that have it get no picture


class Medusa(Adapter):
    """One shop."""

    Settings = MedusaSettings
    settings: MedusaSettings
    title: ClassVar[str] = "Medusa"
    docs: ClassVar[str] = "https://docs.medusajs.com/api/admin"
    signs: ClassVar[str] = "Standard Webhooks"
    connects: ClassVar[bool] = True
    needs_plugin: ClassVar[bool] = True
    proved: ClassVar[str] = "Medusa 2.21"

    def auth(self) -> httpx.Auth:
        return httpx.BasicAuth(self.settings.api_key.get_secret_value(), "")

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our plugin for Medusa sends no such body"):
            said = json.loads(delivery.body)
            return _events(said["event"], said)

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        found = products.read(api, ref, products.FIELDS)
        return Entry(
            ref=ref,
            kind="product",
            title=found["title"],
            locale=locale or self.settings.language,
            excerpt=plain(found["subtitle"] or ""),
            body=plain(found["description"] or ""),
            tags=texts(found, "tags.value"),
            section=next(iter(texts(found, "categories")), ""),
            sections=texts(found, "categories"),
            status=found["status"],
            url=fill(self.settings.product_url, found),
            edit_url=f"{self.settings.url}/app/products/{ref}",
            version=found["updated_at"],
            image=self._current(found),
            photos=products.photos(found),
            opted_out=self.settings.opt_out in dig_all(found, "tags.value"),
            attributes=products.attributes(found),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        product = products.read(api, entry.ref)
        if not uploads.is_ours(product["thumbnail"], picture):
            self._unchanged(product, entry)
            file = uploads.upload(api, picture)
            try:
                product = products.read(api, entry.ref)  # uploading took its time, and the gallery is written whole
                self._unchanged(product, entry)
            except CmsProblem:
                uploads.remove(api, file)
                raise
            before = {"thumbnail": product["thumbnail"], "alt": self._alt(product)}
            words = self._words(picture.alt) | {REPLACED: before}
            product = products.write(api, product, file["url"], products.with_ours(product, file["url"]), words)
        return Receipt(product["thumbnail"], product["thumbnail"], (product["metadata"] or {}).get(REPLACED, {}))

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        product, before = products.read(api, ref), receipt.previous.get("thumbnail")
        if product["thumbnail"] != before:
            unchanged(f"product {ref}", self._current(product), receipt.media_id)
            words = self._words(receipt.previous.get("alt", "")) | {REPLACED: ""}
            products.write(api, product, before, products.without(product, receipt.media_id), words)

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        wanted = {"fields": "id,thumbnail,status", "order": "updated_at", "limit": str(MOST)}
        wanted["updated_at[$gte]"] = since.astimezone(UTC).isoformat()
        start, there = 0, 1
        while start < there:
            found = read_json(call(api, "GET", "/admin/products", params=wanted | {"offset": str(start)}))
            start, there = start + MOST, found["count"]
            for product in found["products"]:
                if not product["thumbnail"]:
                    yield Event("published" if product["status"] == "published" else "created", product["id"])

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        shop.ask(api)
        shop.tell(api, hook, self.settings.secrets[0])
        return Connection((f"the shop tells {hook} of its products from now on",))

    def doctor(self, api: httpx.Client) -> list[str]:
        told = clock(call(api, "GET", "/health"))
        return ["the API key is accepted", uploads.tried(api), shop.hears(api), told]

    def _unchanged(self, product: Any, entry: Entry) -> None:
        unchanged(f"product {entry.ref}", self._current(product), entry.image.id if entry.image else "")

    def _current(self, product: Any) -> Current | None:
        address = product["thumbnail"]
        return Current(address, address, self._alt(product)) if address else None

    def _alt(self, product: Any) -> str:
        return str((product["metadata"] or {}).get(self.settings.alt_key) or "")

    def _words(self, alt: str) -> dict[str, Any]:
        return {self.settings.alt_key: alt} if self.settings.alt_key else {}


def _events(kind: str, said: Any) -> list[Event]:
    """Medusa does not tell what an update changed: one of a published product may have published it just now."""
    if kind == "ping":
        return [Event("ping", "")]
    ref, published = _ref(said["product"]), said["status"] == "published"
    if kind == "product.updated":
        return [Event("published", ref), Event("updated", ref)] if published else [Event("updated", ref)]
    if kind == "product.created":
        return [Event("published" if published else "created", ref)]
    if kind == "product.deleted":
        return [Event("deleted", ref)]
    raise ValueError(f"event is {kind!r}")


def _ref(number: Any) -> str:
    """`prod_01M7YN…`; strict, because it becomes part of an address."""
    if not isinstance(number, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", number):
        raise ValueError(f"product is {number!r}")
    return number
