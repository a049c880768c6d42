"""WooCommerce through its own webhooks, its REST API v3 and the media of WordPress; nothing is installed in the shop.

An entry's `ref` is the product's id. The first of a product's images is its picture; a write replaces them all, so that
the others are sent back. Contract: developer.woocommerce.com/docs/apis/rest-api/v3/ and, for deliveries,
github.com/woocommerce/woocommerce, plugins/woocommerce/includes/class-wc-webhook.php.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr, field_validator

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
    plain,
    prose,
    read_json,
    reading,
    removed,
    texts,
    whole_number,
)
from frontispiece.signatures import header, hmac_sha256

from .media import MEDIA, OURS, send, store, uploaded

SHOP = "/wp-json/wc/v3"
TOPICS = tuple(f"product.{event}" for event in ("created", "updated", "deleted", "restored"))
SIGNATURE = "X-WC-Webhook-Signature"
PING = re.compile(rb"webhook_id=[1-9][0-9]{0,18}")
RIGHTS = ("upload_files", "edit_products", "manage_woocommerce")
PRIVATE = re.compile(r"localhost$|(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))\.|\[")
SAFE_PORTS = (None, 80, 443, 8080)


class WooCommerceSettings(SiteSettings):
    """`user` is a WordPress user of role Shop manager, `password` an application password of theirs."""

    user: str
    password: SecretStr

    @field_validator("user")
    @classmethod
    def _is_no_key(cls, user: str) -> str:
        if user.startswith("ck_"):
            raise ValueError("must be a WordPress user: a consumer key is not accepted where pictures are uploaded")
        return user


class WooCommerce(Adapter):
    """One shop. Variations have no entries of their own; they show their parent's picture unless they have one."""

    Settings = WooCommerceSettings
    settings: WooCommerceSettings
    title: ClassVar[str] = "WooCommerce"
    docs: ClassVar[str] = "https://developer.woocommerce.com/docs/apis/rest-api/"
    signs: ClassVar[str] = "HMAC-SHA256 of the body"
    signs_time: ClassVar[bool] = False
    connects: ClassVar[bool] = True
    caption: ClassVar[bool] = True
    proved: ClassVar[str] = "a stand-in, its media WordPress 6.8 and 7.1"
    accepted: ClassVar[int] = 200  # what a ping must be answered

    def auth(self) -> httpx.Auth:
        return httpx.BasicAuth(self.settings.user, self.settings.password.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        """A new webhook's ping is not signed: it is let in where it is exactly that, a form without any say.

        All pings have one id, so that nobody can fill the database with them. Deliveries have none: WooCommerce's own
        is not signed, and the same twice within a second.
        """
        if not delivery.headers.get_list(SIGNATURE) and PING.fullmatch(delivery.body):
            return "ping"
        hmac_sha256(self.settings.secrets, delivery.body, header(delivery, SIGNATURE), "base64")
        return ""

    def events(self, delivery: Delivery) -> list[Event]:
        if PING.fullmatch(delivery.body):
            return [Event("ping", "")]
        topic = delivery.headers.get("X-WC-Webhook-Topic")
        with reading("WooCommerce sends no such body about a product"):
            said = json.loads(delivery.body)
            if said.get("type") == "variation" or topic not in TOPICS or _is_gone(said):
                return []
            return [_event(topic, said)]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        product = _product(api, ref)
        images = _images(product)
        sections = tuple(plain(one["name"]) for one in product["categories"] if one["slug"] != "uncategorized")
        return Entry(
            ref=ref,
            kind="product",
            title=prose(product, "name"),
            locale=locale or self.settings.language,
            excerpt=prose(product, "short_description"),
            body=prose(product, "description"),
            tags=texts(product, "tags"),
            section=next(iter(sections), ""),
            sections=sections,
            status=product["status"],
            url=product["permalink"],
            edit_url=f"{self.settings.url}/wp-admin/post.php?post={product['id']}&action=edit",
            version=product["date_modified_gmt"],
            image=next((Current(str(one["id"]), one["src"], one["alt"]) for one in images), None),
            photos=tuple(one["src"] for one in images if not PurePath(one["src"]).name.startswith(OURS)),
            opted_out=any(one["key"] == "no_automatic_image" and one["value"] for one in product["meta_data"]),
            attributes={one["name"]: ", ".join(one["options"]) for one in product["attributes"]},
        )

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        media, ids = uploaded(api, entry, picture), _ids(_product(api, entry.ref))
        if media is None or ids[:1] != [media["id"]]:
            _expect(ids, entry, media)
            media = store(api, media, entry, picture)
            ids = _ids(_product(api, entry.ref))  # again, as the upload took its time
            _expect(ids, entry, media)
            ids = _set(api, entry.ref, [media["id"], *ids])
        return Receipt(str(media["id"]), media["source_url"], {"image": ids[1] if len(ids) > 1 else 0})

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        ids, ours = _ids(_product(api, ref)), int(receipt.media_id)
        if ids[:1] == [ours]:
            _set(api, ref, ids[1:])
        elif ours in ids or _first(ids) != receipt.previous["image"]:
            raise Conflict(f"product {ref} has another first image ({_first(ids) or 'none'}) than ours by now")

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        wanted = {"modified_after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "dates_are_gmt": "true"}
        # `date` is by date and id; `modified` is not in older shops, where products of one second change pages
        wanted |= {"status": "any", "orderby": "date", "order": "asc", "_fields": "id,status,images,date_modified_gmt"}
        found = _pages(api, f"{SHOP}/products", wanted)
        for product in sorted(found, key=lambda product: str(product["date_modified_gmt"])):
            if not _images(product):
                yield Event("published" if product["status"] == "publish" else "created", _ref(product["id"]))

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        webhooks = _pages(api, f"{SHOP}/webhooks", {})
        there = {one["topic"]: one["id"] for one in webhooks if one["delivery_url"] == hook}
        for topic in TOPICS:
            told = {"name": f"Frontispiece {topic}", "status": "active", "topic": topic, "delivery_url": hook}
            told["secret"] = self.settings.webhook_secret.get_secret_value()
            where = f"{SHOP}/webhooks/{there[topic]}" if topic in there else f"{SHOP}/webhooks"
            call(api, "PUT" if topic in there else "POST", where, json=told)
        words = [f"the shop tells {', '.join(TOPICS)} to {hook}, from a queue that its visitors keep going"]
        return Connection((*words, *_doubts(hook, self.settings.url)))

    def doctor(self, api: httpx.Client) -> list[str]:
        root = call(api, "GET", "/wp-json/")
        if "wc/v3" not in read_json(root)["namespaces"]:
            raise CmsProblem("WooCommerce is not active at this address: see Plugins in WordPress")
        me = read_json(call(api, "GET", "/wp-json/wp/v2/users/me", params={"context": "edit"}))
        missing = [right for right in RIGHTS if not me["capabilities"].get(right)]
        if missing:
            raise CmsProblem(f"user {self.settings.user} may not {', '.join(missing)}: give them the role Shop manager")
        found = [f"user {self.settings.user} is accepted, may upload pictures and edit products", *_webhook_words(api)]
        files = {"file": (TEST_PICTURE.name, TEST_PICTURE.data, TEST_PICTURE.mime)}
        media = send(api, "", files=files)
        gone = removed(api, f"{MEDIA}/{media['id']}", params={"force": "true"})
        return [*found, f"a test picture was uploaded; {gone}", clock(root)]


def _event(topic: str, said: Any) -> Event:
    """The topic is a header, which is not signed: a deletion is the one that holds nothing but the id."""
    if (topic == "product.deleted") != (set(said) == {"id"}):
        raise ValueError(f"the topic {topic} does not go with this body")
    ref = _ref(said["id"])
    if topic == "product.deleted":
        return Event("deleted", ref)
    if said["status"] != "publish":
        return Event("created" if topic == "product.created" else "updated", ref)
    return Event("published" if topic == "product.created" or not _images(said) else "updated", ref)


def _is_gone(said: Any) -> bool:
    """A product that was deleted before its delivery was built; other failures are those of the webhook's user."""
    if "code" in said:
        if str(said["code"]).endswith("invalid_id"):
            return True
        raise ValueError(f"the shop could not read the product for the webhook: {said.get('message')}")
    return False


def _ref(number: Any) -> str:
    """WordPress has ids of deleted posts as text at times."""
    is_text = isinstance(number, str) and re.fullmatch(r"[1-9][0-9]{0,18}", number)
    return number if is_text else whole_number(number)


def _product(api: httpx.Client, ref: str) -> Any:
    product = read_json(call(api, "GET", f"{SHOP}/products/{ref}"))
    if product["status"] == "trash":
        raise Gone(f"product {ref} is in the bin")
    if product["type"] == "variation":
        raise CmsProblem(f"product {ref} is a variation: its parent, product {product['parent_id']}, has the picture")
    return product


def _images(product: Any) -> list[Any]:
    return [one for one in product["images"] if one["id"]]  # 0 is the shop's placeholder


def _ids(product: Any) -> list[int]:
    return [one["id"] for one in _images(product)]


def _first(ids: list[int]) -> int:
    return ids[0] if ids else 0


def _expect(ids: list[int], entry: Entry, media: Any | None) -> None:
    """Proves that the first image is the one that may be replaced, and that ours was not put elsewhere by a person."""
    before = int(entry.image.id) if entry.image else 0
    if _first(ids) != before or (media and media["id"] in ids):
        raise Conflict(f"product {entry.ref} has another first image ({_first(ids) or 'none'}) than when it was read")


def _set(api: httpx.Client, ref: str, ids: list[int]) -> list[int]:
    """All images of a product; those that had alt text keep it, as none is sent."""
    kept = _ids(read_json(call(api, "PUT", f"{SHOP}/products/{ref}", json={"images": [{"id": one} for one in ids]})))
    if kept != ids:
        raise CmsProblem(f"product {ref} kept the images {kept} when {ids} were set")
    return kept


def _pages(api: httpx.Client, path: str, wanted: dict[str, str]) -> Iterator[Any]:
    page, pages = 1, 1
    while page <= pages:
        answer = call(api, "GET", path, params=wanted | {"per_page": "100", "page": str(page)})
        yield from read_json(answer)
        page, pages = page + 1, int(answer.headers.get("X-WP-TotalPages", "1"))


def _webhook_words(api: httpx.Client) -> list[str]:
    """Of the webhooks that `connect` made. Raises `CmsProblem` for one that WooCommerce has switched off."""
    ours = [one for one in _pages(api, f"{SHOP}/webhooks", {}) if one["name"].startswith("Frontispiece product.")]
    off = [f"{one['topic']} to {one['delivery_url']}" for one in ours if one["status"] != "active"]
    if off:
        words = "WooCommerce switches a webhook off after more than five failures in a row; when the cause is mended"
        raise CmsProblem(f"not active: {', '.join(off)}. {words}, run `frontispiece connect` again")
    told = [f"the shop tells {one['topic']} to {one['delivery_url']}" for one in ours]
    return told or ["the shop has no webhooks to Frontispiece: run `frontispiece connect`"]


def _doubts(hook: str, shop: str) -> list[str]:
    """Why WordPress may refuse to send there (`wp_http_validate_url`), as far as the address tells."""
    url = httpx.URL(hook)
    if url.host == httpx.URL(shop).host or not (PRIVATE.match(url.host) or url.port not in SAFE_PORTS):
        return []
    filters = "http_request_host_is_external and http_allowed_safe_ports"
    return [f"WordPress sends nothing to private addresses and unusual ports unless the filters {filters} allow it"]
