"""Vendure 3.6 and later, through its admin GraphQL API and the Vendure plugin in `plugin`."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

import httpx

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Connection,
    Delivery,
    Entry,
    Event,
    EventKind,
    Header,
    Picture,
    Receipt,
    call,
    clock,
    fill,
    plain,
    reading,
    texts,
    unchanged,
)
from frontispiece.signatures import standard_webhooks

from . import assets, gallery, products, queries
from .asking import ask, tag
from .settings import VendureSettings

EVENTS: dict[str, EventKind] = {f"entry.{kind}": kind for kind in ("created", "published", "updated", "deleted")}


class Vendure(Adapter):
    """One channel of a shop. An entry is a product and its `ref` the product's id; the picture its featured asset."""

    Settings = VendureSettings
    settings: VendureSettings
    title: ClassVar[str] = "Vendure"
    docs: ClassVar[str] = "https://docs.vendure.io/reference/graphql-api/admin/mutations"
    signs: ClassVar[str] = "Standard Webhooks"
    connects: ClassVar[bool] = True
    needs_plugin: ClassVar[bool] = True
    focal_point: ClassVar[bool] = True
    proved: ClassVar[str] = "Vendure 3.7"

    def auth(self) -> httpx.Auth:
        return Header("vendure-api-key", self.settings.api_key.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our plugin for Vendure sends no such body"):
            said = json.loads(delivery.body)
            return [Event(EVENTS[said["event"]], products.ref_of(said["product"]))]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        query = queries.product(self.settings.alt_field)
        found = gallery.there(ref, ask(api, self.settings, query, locale=locale, id=ref)["product"])
        return Entry(
            ref=ref,
            kind="product",
            title=found["name"],
            locale=tag(found["languageCode"]),
            body=plain(found["description"]),
            tags=texts(found, "facetValues"),
            section=next(iter(texts(found, "collections")), ""),
            sections=texts(found, "collections"),
            status="published" if found["enabled"] else "draft",
            url=fill(self.settings.product_url, found),
            edit_url=f"{self.settings.url}/dashboard/products/{ref}",
            version=found["updatedAt"],
            image=assets.current(self.settings, found["featuredAsset"]),
            photos=products.photos(found),
            opted_out=any(value["code"] == self.settings.opt_out for value in found["facetValues"]),
            attributes=products.attributes(found),
            titles={tag(one["languageCode"]): one["name"] for one in found["translations"]},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        asset, product = assets.find(api, self.settings, picture), gallery.read(api, self.settings, entry.ref)
        if asset is None or gallery.featured(product) != asset["id"]:
            what, before = f"product {entry.ref}", entry.image.id if entry.image else ""
            unchanged(what, gallery.current(product), before)
            asset = asset or assets.upload(api, self.settings, picture)
            assets.describe(api, self.settings, asset["id"], picture, entry.locale or self.settings.language)
            # uploading took its time, and the gallery is written whole
            product = gallery.read(api, self.settings, entry.ref)
            unchanged(what, gallery.current(product), before)
            images = gallery.with_ours(product, asset["id"])
            product = gallery.write(api, self.settings, entry.ref, asset["id"], images)
        return Receipt(asset["id"], asset["source"], {"featuredAssetId": gallery.replaced(product, asset["id"])})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        product, before = gallery.read(api, self.settings, ref), receipt.previous["featuredAssetId"]
        if gallery.featured(product) != before:
            unchanged(f"product {ref}", gallery.current(product), receipt.media_id)
            if before and not assets.is_there(api, self.settings, before):
                raise CmsProblem(f"asset {before}, which product {ref} had before, was deleted in Vendure")
            gallery.write(api, self.settings, ref, before, gallery.without(product, receipt.media_id))

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for product in products.changed(api, self.settings, since):
            if product["featuredAsset"] is None:
                yield Event("published" if product["enabled"] else "created", product["id"])

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        value = {"hook": hook, "secret": self.settings.secrets[0]}
        answer = ask(api, self.settings, queries.CONNECT, input={"key": "frontispiece.connection", "value": value})
        if not answer["setSettingsStoreValue"]["result"]:
            told = answer["setSettingsStoreValue"]["error"]
            raise CmsProblem(f"{told}: is the plugin in vendure-config.ts, and may the role ConnectFrontispiece?")
        return Connection((f"the shop tells {hook} of its products from now on",))

    def doctor(self, api: httpx.Client) -> list[str]:
        told = clock(call(api, "GET", "/health"))
        products.may_write(api, self.settings)
        tried = assets.tried(api, self.settings)
        last = ask(api, self.settings, queries.LAST)["getSettingsStoreValue"]
        sent = f"its last delivery to {last['hook']} ({last['at']}): {last['words']}" if last else "it told nothing yet"
        return ["the API key may change products", tried, f"the shop: {sent}", told]
