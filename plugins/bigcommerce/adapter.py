"""BigCommerce, through its V3 API; nothing is installed in the shop.

An entry's `ref` is a product's number. A product's image is its thumbnail; all other images stay in its gallery.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Connection,
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
    dig,
    plain,
    prose,
    read_json,
    reading,
    unchanged,
    whole_number,
)
from frontispiece.signatures import shown_secret, standard_webhooks

SHOWN = "X-Frontispiece-Secret"  # a header of our own that every webhook shows
SCOPES = ("store/product/created", "store/product/deleted")  # what `connect` registers; `updated` comes with every sale
EVENTS: dict[str, EventKind] = {f"store/product/{kind}": kind for kind in ("created", "updated", "deleted")}


class BigCommerceSettings(SiteSettings):
    """`access_token` and `client_secret` are those of a store-level API account."""

    url: str = "https://api.bigcommerce.com"
    store_hash: str = Field(pattern="^[a-z0-9]+$")
    access_token: SecretStr
    client_secret: SecretStr | None = None
    shop_url: str = ""  # the storefront, for links to product pages


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
        shown_secret(delivery, SHOWN, self.settings.secrets)
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
        product, images = self._data(api, "GET", f"products/{ref}"), self._images(api, ref)
        sections = self._categories(api, product.get("categories") or [])
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
            image=_thumbnail(images),
            photos=tuple(image["url_zoom"] for image in images),
            attributes={"sku": product["sku"]} if product.get("sku") else {},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        images, before = self._images(api, entry.ref), entry.image.id if entry.image else ""
        ours, now = _ours(images, picture), _thumbnail(images)
        if ours is None or not ours["is_thumbnail"]:
            unchanged(f"product {entry.ref}", now, before)
            ours = self._put_first(api, entry.ref, images, ours, picture)
            if not ours["is_thumbnail"] or ours["description"] != picture.alt:
                raise CmsProblem(f"product {entry.ref} took image {ours['id']}, but not as thumbnail with its alt text")
        return Receipt(str(ours["id"]), ours["url_zoom"], {"id": before})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        images, before = self._images(api, ref), receipt.previous["id"]
        now, there = _thumbnail(images), {str(image["id"]) for image in images}
        if (now and now.id not in (before, receipt.media_id)) or (before and before not in there):
            raise Conflict(f"product {ref} has other images by now than those we left: it was not touched")
        if before and now and now.id != before:
            self._data(api, "PUT", f"products/{ref}/images/{before}", json={"is_thumbnail": True})
        if receipt.media_id in there:
            call(api, "DELETE", self._path(f"products/{ref}/images/{receipt.media_id}"))

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        query = {"date_modified:min": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        query |= {"include": "images", "sort": "date_modified", "direction": "asc"}
        page, pages = 1, 1
        while page <= pages:
            told = read_json(call(api, "GET", self._path("products"), params=query | {"page": page, "limit": 250}))
            for product in told["data"]:
                if not product["images"]:
                    new = datetime.fromisoformat(product["date_created"]) >= since
                    yield Event("created" if new else "updated", str(product["id"]))
            page, pages = page + 1, told["meta"]["pagination"]["total_pages"]

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        for scope in SCOPES:
            wished = {"scope": scope, "destination": hook, "is_active": True}
            wished["headers"] = {SHOWN: self.settings.webhook_secret.get_secret_value()}
            there = self._hooks(api, destination=hook, scope=scope)
            number = f"/{there[0]['id']}" if there else ""
            call(api, "PUT" if there else "POST", self._path(f"hooks{number}"), json=wished)
        words = f"BigCommerce tells {hook} of {' and '.join(SCOPES)}; a new webhook may take a minute to work"
        if hook.startswith("https://") and httpx.URL(hook).port in (None, 443):
            return Connection((words,))
        return Connection((words, "BigCommerce calls https on port 443 only, so it will not reach this address"))

    def doctor(self, api: httpx.Client) -> list[str]:
        asked = call(api, "GET", self._path("products"), params={"limit": 1})
        ours = [hook for hook in self._hooks(api) if SHOWN in (hook.get("headers") or {})]
        off = [hook["destination"] for hook in ours if not hook["is_active"]]
        if off:
            raise CmsProblem(f"BigCommerce has switched off the webhook to {off[0]}: run frontispiece connect again")
        return [
            f"the token is accepted for store {self.settings.store_hash}",
            clock(asked),
            f"{len(ours)} of {len(SCOPES)} webhooks are registered and active",
            "no test picture was uploaded: BigCommerce has pictures on products only, where customers would see it",
        ]

    def _path(self, path: str) -> str:
        below = path if path.startswith("hooks") else f"catalog/{path}"
        return f"/stores/{self.settings.store_hash}/v3/{below}"

    def _data(self, api: httpx.Client, method: str, path: str, **request: Any) -> Any:
        return read_json(call(api, method, self._path(path), **request))["data"]

    def _images(self, api: httpx.Client, ref: str) -> Any:
        return self._data(api, "GET", f"products/{ref}/images", params={"limit": 250})

    def _hooks(self, api: httpx.Client, **wanted: str) -> Any:
        return self._data(api, "GET", "hooks", params={"limit": "250", **wanted})

    def _categories(self, api: httpx.Client, numbers: list[int]) -> tuple[str, ...]:
        if not numbers:
            return ()
        wanted = {"id:in": ",".join(map(str, numbers)), "include_fields": "name"}
        return tuple(plain(one["name"]) for one in self._data(api, "GET", "categories", params=wanted))

    def _put_first(self, api: httpx.Client, ref: str, images: Any, ours: Any, picture: Picture) -> Any:
        """A lower number than all others shows it first without renumbering theirs."""
        order = min((image["sort_order"] for image in images if image is not ours), default=1) - 1
        form = {"is_thumbnail": True, "sort_order": order, "description": picture.alt}
        if ours is not None:  # an earlier try's, whose thumbnail somebody has taken back
            return self._data(api, "PUT", f"products/{ref}/images/{ours['id']}", json=form)
        file = {"image_file": (picture.stable_name, picture.data, picture.mime)}
        words = {name: json.dumps(value) if name != "description" else value for name, value in form.items()}
        return self._data(api, "POST", f"products/{ref}/images", data=words, files=file, timeout=120)


def _ours(images: Any, picture: Picture) -> Any:
    """The image that an earlier try has left: BigCommerce adds __ and a number to the name of a file."""
    start = f"{PurePath(picture.stable_name).stem}__"
    return next((one for one in images if PurePath(one["image_file"]).name.startswith(start)), None)


def _thumbnail(images: Any) -> Current | None:
    shown = next((one for one in images if one["is_thumbnail"]), None)
    return Current(str(shown["id"]), shown["url_zoom"], shown["description"] or "") if shown else None
