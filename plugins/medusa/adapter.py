"""Medusa 2.16 and later, through its admin REST API and the Medusa plugin in `plugin`.

An entry is a product and its `ref` the product's id. Medusa knows a picture by its address only: the thumbnail is one,
and the gallery a list of them. What the picture replaced is kept in the product's metadata.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Conflict,
    Connection,
    Current,
    Delivery,
    Entry,
    Event,
    Gone,
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

IMAGES = "id,thumbnail,metadata,images.id,images.url,images.rank"
FIELDS = f"{IMAGES},title,subtitle,description,handle,status,updated_at,material,*tags,*categories,*collection,*type"
FIELDS += ",*options,*options.values,variants.id,variants.thumbnail,variants.images.url"
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
        found = _product(api, ref, FIELDS)
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
            photos=_photos(found),
            opted_out=self.settings.opt_out in dig_all(found, "tags.value"),
            attributes=_attributes(found),
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        product = _product(api, entry.ref, IMAGES)
        if not _is_ours(product["thumbnail"], picture):
            expected = entry.image.id if entry.image else ""
            unchanged(f"product {entry.ref}", self._current(product), expected)
            file = _upload(api, picture)
            try:
                product = _product(api, entry.ref, IMAGES)  # uploading took its time, and the gallery is written whole
                unchanged(f"product {entry.ref}", self._current(product), expected)
            except CmsProblem:
                call(api, "DELETE", f"/admin/uploads/{file['id']}")
                raise
            before = {"thumbnail": product["thumbnail"], "alt": self._alt(product)}
            words = self._words(picture.alt) | {REPLACED: before}
            product = _write(api, product, file["url"], _gallery(product, file["url"]), words)
        return Receipt(product["thumbnail"], product["thumbnail"], (product["metadata"] or {}).get(REPLACED, {}))

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        product, before = _product(api, ref, IMAGES), receipt.previous.get("thumbnail")
        if product["thumbnail"] not in (before, receipt.media_id):
            raise Conflict(f"product {ref} has another thumbnail ({product['thumbnail'] or 'none'}) than ours")
        if product["thumbnail"] != before:
            gallery = [image for image in product["images"] if image["url"] != receipt.media_id]
            words = self._words(receipt.previous.get("alt", "")) | {REPLACED: ""}
            _write(api, product, before, gallery, words)

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
        _plugin(api)
        told = {"hook": hook, "secret": self.settings.secrets[0]}
        for store in read_json(call(api, "GET", "/admin/stores", params={"fields": "id,metadata"}))["stores"]:
            words = (store["metadata"] or {}) | {"frontispiece": told}  # Medusa replaces a store's metadata whole
            call(api, "POST", f"/admin/stores/{store['id']}", json={"metadata": words})
        return Connection((f"the shop tells {hook} of its products from now on",))

    def doctor(self, api: httpx.Client) -> list[str]:
        told = clock(call(api, "GET", "/health"))
        file = _upload(api, TEST_PICTURE)
        call(api, "DELETE", f"/admin/uploads/{file['id']}")
        sent = _plugin(api)
        if sent["hook"] and not sent["answered"]:
            raise CmsProblem(f"the shop sent a test delivery to {sent['hook']}: {sent['words']}")
        reached = f"the shop sent a test delivery to {sent['hook'] or 'nobody'}: {sent['words']}"
        return ["the API key is accepted", "a test picture was uploaded and removed", reached, told]

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


def _product(api: httpx.Client, ref: str, fields: str, method: str = "GET", **change: Any) -> Any:
    """A product with its gallery in order."""
    told = read_json(call(api, method, f"/admin/products/{ref}", params={"fields": fields}, **change))
    product = told["product"]
    product["images"].sort(key=lambda image: image["rank"])
    return product


def _plugin(api: httpx.Client) -> Any:
    """What our plugin answers; it sends a test delivery as it is asked."""
    try:
        return read_json(call(api, "GET", "/admin/frontispiece"))
    except Gone as problem:
        raise CmsProblem("the plugin is not in medusa-config.ts, or Medusa was not restarted since") from problem


def _is_ours(thumbnail: str | None, picture: Picture) -> bool:
    return PurePath(picture.stable_name).stem in (thumbnail or "").rsplit("/", 1)[-1]


def _upload(api: httpx.Client, picture: Picture) -> Any:
    file = {"files": (picture.stable_name, picture.data, picture.mime)}
    return read_json(call(api, "POST", "/admin/uploads", files=file, timeout=120))["files"][0]


def _gallery(product: Any, ours: str) -> list[Any]:
    """The gallery with our picture just before the one it replaces, or first."""
    old = product["images"]
    place = next((number for number, image in enumerate(old) if image["url"] == product["thumbnail"]), 0)
    return [*old[:place], {"url": ours}, *old[place:]]


def _write(api: httpx.Client, product: Any, thumbnail: str | None, gallery: list[Any], metadata: dict[str, Any]) -> Any:
    """With their ids sent back, the other images stay assigned to the variants that they show."""
    images = [{name: image[name] for name in ("id", "url") if name in image} for image in gallery]
    change = {"thumbnail": thumbnail, "images": images, "metadata": metadata}
    kept = _product(api, product["id"], IMAGES, "POST", json=change)
    wanted, found = [image["url"] for image in gallery], [image["url"] for image in kept["images"]]
    if (kept["thumbnail"], found) != (thumbnail, wanted):
        raise CmsProblem(f"product {product['id']} did not keep the thumbnail {thumbnail} and the images {wanted}")
    return kept


def _photos(product: Any) -> tuple[str, ...]:
    """The gallery's and then the variants' own, each once."""
    paths = ("images.url", "variants.thumbnail", "variants.images.url")
    return tuple(dict.fromkeys(str(photo) for path in paths for photo in dig_all(product, path)))


def _attributes(product: Any) -> dict[str, str]:
    """Options by title, and what else Medusa knows of a product: {"Size": "M, L", "Material": "oak"}."""
    found = {one["title"]: ", ".join(value["value"] for value in one["values"]) for one in product["options"]}
    found["Material"] = product["material"] or ""
    found["Type"] = (product["type"] or {}).get("value", "")
    found["Collection"] = (product["collection"] or {}).get("title", "")
    return {name: value for name, value in found.items() if value}
