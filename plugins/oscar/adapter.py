"""django-oscar 4 through the Django app in `plugin/`, which sends signed deliveries and takes pictures as bytes.

django-oscar-api is not asked: it takes no bytes (500), only an address to download a picture from.
An entry's `ref` is the product's id. The first image of a product is its picture; the others stay behind it.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath
from typing import ClassVar

import httpx

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Header,
    Picture,
    Receipt,
    call,
    plain,
    read_json,
    reading,
    shortened,
    whole_number,
)
from frontispiece.signatures import standard_webhooks

from . import checks, products
from .settings import OscarSettings

EVENTS: dict[str, EventKind] = {f"product.{kind}": kind for kind in ("created", "published", "updated", "deleted")}
CAPTION = 200  # characters of ProductImage.caption


class Oscar(Adapter):
    """One shop; variants (child products) show the pictures of their parent and have no entries of their own."""

    Settings = OscarSettings
    settings: OscarSettings
    title: ClassVar[str] = "django-oscar"
    docs: ClassVar[str] = "https://django-oscar.readthedocs.io/"
    signs: ClassVar[str] = "Standard Webhooks"
    needs_plugin: ClassVar[bool] = True
    proved: ClassVar[str] = "django-oscar 4.2.1"

    def open(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        client = super().open(transport)
        client.event_hooks = {"response": [products.stop_at_conflict]}
        return client

    def auth(self) -> httpx.Auth:
        return Header("Authorization", f"Token {self.settings.token.get_secret_value()}")

    def verify(self, delivery: Delivery) -> str:
        return standard_webhooks(delivery, self.settings.secrets)

    def events(self, delivery: Delivery) -> list[Event]:
        with reading("our app for django-oscar sends no such body"):
            said = json.loads(delivery.body)
            if said["event"] == "ping":
                return [Event("ping", "")]
            kind = EVENTS.get(said["event"])
            return [Event(kind, whole_number(said["id"]))] if kind else []

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        product = products.read(api, self.settings, ref)
        images = product["images"]
        return Entry(
            ref=ref,
            kind="product",
            title=product["title"],
            locale=locale or self.settings.language,
            excerpt=product["summary"],
            body=plain(product["description"]),
            section=next(iter(product["categories"]), ""),
            sections=tuple(product["categories"]),
            status="published" if product["is_public"] else "draft",
            url=product["url"],
            edit_url=product["edit_url"],
            version=product["date_updated"],
            image=Current(str(images[0]["id"]), images[0]["url"], images[0]["caption"]) if images else None,
            photos=tuple(one["url"] for one in images if not one["code"].startswith(products.OURS)),
            opted_out=product["opted_out"],
            attributes={"product type": product["product_class"], **product["attributes"]},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        """The shop compares and writes in one transaction, so that a person cannot come in between."""
        code, caption = products.code_of(entry.ref, picture), shortened(" ".join(picture.alt.split()), CAPTION)
        form = {"code": code, "caption": caption, "expects": entry.image.id if entry.image else ""}
        files = {"picture": (f"{code}{PurePath(picture.name).suffix}", picture.data, picture.mime)}
        where = f"{products.path(self.settings, entry.ref)}pictures/"
        kept = read_json(call(api, "POST", where, data=form, files=files, timeout=120))
        if (kept["code"], kept["caption"]) != (code, caption):
            raise CmsProblem(f"product {entry.ref} shows {kept['code']!r}, {kept['caption']!r} instead of our picture")
        return Receipt(str(kept["id"]), kept["url"], {"id": kept["previous"]})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        now, before = products.first(api, self.settings, ref), str(receipt.previous["id"])
        if now == before:
            return
        if now != receipt.media_id:
            raise Conflict(f"product {ref} has another first image ({now or 'none'}) than ours by now")
        call(api, "DELETE", f"{products.path(self.settings, ref)}pictures/{whole_number(int(now))}/")
        now = products.first(api, self.settings, ref)
        if before and now != before:
            raise CmsProblem(f"our picture is off product {ref}, which shows image {now or 'none'} and not {before}")

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        for one in products.without_image(api, self.settings, since):
            yield Event("published" if one["is_public"] else "created", whole_number(one["id"]))

    def doctor(self, api: httpx.Client) -> list[str]:
        return checks.found(api, self.settings)
