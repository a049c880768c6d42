"""Medusa 2.16 and later, through its admin REST API and the Medusa plugin in `plugin`.

An entry is a product and its `ref` the product's id. Medusa knows a picture by its address only. What the picture
replaced is kept in the product's metadata.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import httpx

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
    call,
    clock,
    dig_all,
    fill,
    plain,
    reading,
    texts,
    unchanged,
)
from frontispiece.signatures import standard_webhooks

from . import products, shop, uploads
from .events import happened, missed
from .settings import MedusaSettings

REPLACED = "frontispiece_replaced"  # key of a product's metadata: what our picture has replaced


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
            return happened(json.loads(delivery.body))

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
        return missed(api, since)

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
