"""django-oscar 4 through the Django app in `plugin/`, which sends signed deliveries and takes pictures as bytes.

django-oscar-api is not asked: it takes no bytes (500), only an address to download a picture from.
An entry's `ref` is the product's id. The first image of a product is its picture; the others stay behind it.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import PurePath
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
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
    SiteSettings,
    call,
    clock,
    plain,
    read_json,
    reading,
    shortened,
    whole_number,
)
from frontispiece.signatures import StandardSecret, standard_webhooks

EVENTS: dict[str, EventKind] = {f"product.{kind}": kind for kind in ("created", "published", "updated", "deleted")}
CAPTION = 200  # characters of ProductImage.caption
OURS = "frontispiece-"


class OscarSettings(SiteSettings):
    """`token` is a DRF token of a user who may view products, and add and delete product images."""

    webhook_secret: StandardSecret
    previous_webhook_secret: StandardSecret | None = None
    token: SecretStr
    path: str = "/frontispiece"  # where the app's addresses are included in the project's urls.py


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
        client.event_hooks = {"response": [_stop_at_conflict]}
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
        product = self._product(api, ref)
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
            photos=tuple(one["url"] for one in images if not one["code"].startswith(OURS)),
            opted_out=product["opted_out"],
            attributes={"product type": product["product_class"], **product["attributes"]},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        """The shop compares and writes in one transaction, so that a person cannot come in between."""
        code, caption = _code(entry, picture), shortened(" ".join(picture.alt.split()), CAPTION)
        form = {"code": code, "caption": caption, "expects": entry.image.id if entry.image else ""}
        files = {"picture": (f"{code}{PurePath(picture.name).suffix}", picture.data, picture.mime)}
        where = f"{self._where(entry.ref)}pictures/"
        kept = read_json(call(api, "POST", where, data=form, files=files, timeout=120))
        if (kept["code"], kept["caption"]) != (code, caption):
            raise CmsProblem(f"product {entry.ref} shows {kept['code']!r}, {kept['caption']!r} instead of our picture")
        return Receipt(str(kept["id"]), kept["url"], {"id": kept["previous"]})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        now, before = self._first(api, ref), str(receipt.previous["id"])
        if now == before:
            return
        if now != receipt.media_id:
            raise Conflict(f"product {ref} has another first image ({now or 'none'}) than ours by now")
        call(api, "DELETE", f"{self._where(ref)}pictures/{whole_number(int(now))}/")
        now = self._first(api, ref)
        if now != before:
            raise CmsProblem(f"our picture is off product {ref}, which shows image {now or 'none'} and not {before}")

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        after: dict[str, Any] | None = {"since": since.isoformat()}
        while after:
            page = read_json(call(api, "GET", f"{self.settings.path}/products/", params=after))
            for one in page["products"]:
                yield Event("published" if one["is_public"] else "created", whole_number(one["id"]))
            after = page["next"]

    def doctor(self, api: httpx.Client) -> list[str]:
        files = {"picture": (TEST_PICTURE.name, TEST_PICTURE.data, TEST_PICTURE.mime)}
        answer = call(api, "POST", f"{self.settings.path}/check/", files=files)
        told = read_json(answer)
        found = ["the token is accepted and may illustrate products", "a test picture was stored and removed again"]
        found.append("pictures are kept byte for byte" if told["intact"] else "the shop's storage changes pictures")
        if not told["hook"]:
            return [*found, "FRONTISPIECE['HOOK'] of the shop's settings is empty: it tells us nothing", clock(answer)]
        if not told["answer"].startswith("2"):
            raise CmsProblem(f"a ping of the shop to {told['hook']} came to nothing: {told['answer']}")
        return [*found, f"a ping of the shop arrived at {told['hook']}", clock(answer)]

    def _where(self, ref: str) -> str:
        return f"{self.settings.path}/products/{ref}/"

    def _product(self, api: httpx.Client, ref: str) -> Any:
        return read_json(call(api, "GET", self._where(ref)))

    def _first(self, api: httpx.Client, ref: str) -> str:
        images = self._product(api, ref)["images"]
        return str(images[0]["id"]) if images else ""


def _code(entry: Entry, picture: Picture) -> str:
    """The image's code in the shop, which has no two alike; the same for the same bytes on the same product only."""
    return f"{OURS}{entry.ref}-{sha256(picture.data).hexdigest()[:16]}"


def _stop_at_conflict(answer: httpx.Response) -> None:
    """The shop says 409 where somebody was faster."""
    if answer.status_code == 409:
        raise Conflict(f"{answer.request.url}: {' '.join(answer.read().decode(errors='replace').split())[:300]}")
