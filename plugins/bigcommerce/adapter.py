"""BigCommerce, through its V3 API; nothing is installed in the shop.

An entry's `ref` is a product's number. A product's image is its thumbnail; all other images stay in its gallery.
"""

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import httpx

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
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
    dig,
    prose,
    reading,
    unchanged,
    whole_number,
)
from frontispiece.signatures import shown_secret, standard_webhooks

from . import catalog, images, webhooks
from .settings import BigCommerceSettings

EVENTS: dict[str, EventKind] = {f"store/product/{kind}": kind for kind in ("created", "updated", "deleted")}


class BigCommerce(Adapter):
    """One store."""

    Settings = BigCommerceSettings
    settings: BigCommerceSettings
    title: ClassVar[str] = "BigCommerce"
    docs: ClassVar[str] = "https://developer.bigcommerce.com/docs/rest-catalog/products/images"
    signs: ClassVar[str] = "a secret header; with client_secret Standard Webhooks, too"
    signs_body: ClassVar[bool] = False  # the signature needs a key that a site may lack
    signs_time: ClassVar[bool] = False
    connects: ClassVar[bool] = True
    accepted: ClassVar[int] = 200
    formats: ClassVar[tuple[Any, ...]] = ("jpeg", "webp")
    proved: ClassVar[str] = "a stand-in and Standard Webhooks' own library"

    def auth(self) -> httpx.Auth:
        return Header("X-Auth-Token", self.settings.access_token.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        """Standard Webhooks whose key is the text of the client secret itself, docs/integrations/webhooks."""
        shown_secret(delivery, webhooks.SHOWN, self.settings.secrets)
        if self.settings.client_secret is None:
            return ""
        key = self.settings.client_secret.get_secret_value().encode()
        return standard_webhooks(delivery, [base64.b64encode(key).decode()])

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("BigCommerce sends no such body"):
            said = json.loads(delivery.body)
            kind = EVENTS.get(said["scope"])
            return [Event(kind, whole_number(said["data"]["id"]))] if kind else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        product = catalog.ask(api, self.settings, "GET", f"products/{ref}")
        there = images.read(api, self.settings, ref)
        sections = catalog.categories(api, self.settings, product.get("categories") or [])
        return Entry(
            ref=ref,
            kind="product",
            title=prose(product, "name"),
            locale=locale or self.settings.language,
            excerpt=prose(product, "meta_description"),
            body=prose(product, "description"),
            tags=tuple(word.strip() for word in (product.get("search_keywords") or "").split(",") if word.strip()),
            section=next(iter(sections), ""),
            sections=sections,
            status="published" if product["is_visible"] else "draft",
            url=f"{self.settings.shop_url}{dig(product, 'custom_url.url') or ''}",
            edit_url=f"https://store-{self.settings.store_hash}.mybigcommerce.com/manage/products/edit/{ref}",
            version=product["date_modified"],
            image=images.thumbnail(there),
            photos=tuple(image["url_zoom"] for image in there),
            attributes={"sku": product["sku"]} if product.get("sku") else {},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        there, before = images.read(api, self.settings, entry.ref), entry.image.id if entry.image else ""
        ours = images.find(there, picture)
        if ours is None or not ours["is_thumbnail"]:
            unchanged(f"product {entry.ref}", images.thumbnail(there), before)
            ours = ours or images.upload(api, self.settings, entry.ref, there, picture)
            there = images.read(api, self.settings, entry.ref)  # again: the upload may have taken a while
            try:
                others = [one for one in there if one["id"] != ours["id"]]
                unchanged(f"product {entry.ref}", images.thumbnail(others), before)
            except Conflict:
                call(api, "DELETE", self.settings.path(f"catalog/products/{entry.ref}/images/{ours['id']}"))
                raise
            ours = images.put_first(api, self.settings, entry.ref, there, ours, picture)
            if not ours["is_thumbnail"] or ours["description"] != picture.alt:
                raise CmsProblem(f"product {entry.ref} took image {ours['id']}, but not as thumbnail with its alt text")
        return Receipt(str(ours["id"]), ours["url_zoom"], {"id": before})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        gallery, before = images.read(api, self.settings, ref), receipt.previous["id"]
        now, there = images.thumbnail(gallery), {str(image["id"]) for image in gallery}
        if (now and now.id not in (before, receipt.media_id)) or (before and before not in there):
            raise Conflict(f"product {ref} has other images by now than those we left: it was not touched")
        if before and now and now.id != before:
            catalog.ask(api, self.settings, "PUT", f"products/{ref}/images/{before}", json={"is_thumbnail": True})
        if receipt.media_id in there:
            call(api, "DELETE", self.settings.path(f"catalog/products/{ref}/images/{receipt.media_id}"))

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for product in catalog.changed(api, self.settings, since):
            if not product["images"]:
                new = datetime.fromisoformat(product["date_created"]) >= since
                yield Event("created" if new else "updated", str(product["id"]))

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        return Connection(webhooks.register(api, self.settings, hook))

    def doctor(self, api: httpx.Client) -> list[str]:
        asked = call(api, "GET", self.settings.path("catalog/products"), params={"limit": 1})
        hooks = webhooks.check(api, self.settings)
        return [
            f"the token is accepted for store {self.settings.store_hash}",
            clock(asked),
            hooks,
            "no test picture was uploaded: BigCommerce has pictures on products only, where customers would see it",
        ]
