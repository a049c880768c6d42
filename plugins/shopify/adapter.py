"""Shopify, through its GraphQL Admin API: products, told by webhooks, and articles, which no webhook tells.

An entry's `ref` is `products/<number>` or `articles/<number>`. A picture becomes a file of the shop, which is looked
for by its name before it is made, and then the first of a product's media or the image of an article.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import httpx
from pydantic import SecretStr

from frontispiece.cms import (
    TEST_PICTURE,
    Adapter,
    CmsProblem,
    Connection,
    Current,
    Delivery,
    Entry,
    Event,
    EventKind,
    Format,
    Gone,
    Header,
    Picture,
    Receipt,
    SiteSettings,
    Unavailable,
    call,
    clock,
    dig_all,
    reading,
    shortened,
    unchanged,
    whole_number,
)
from frontispiece.signatures import header, hmac_sha256

from .admin import API, OPERATIONS, Grant, Granted, Json, ask, do
from .entries import as_article, as_product, gid, is_ours, kind_of, ref_of, shown

KINDS: dict[str, EventKind] = {
    "products/create": "created",
    "products/update": "updated",
    "products/delete": "deleted",
}
TOPICS = ("PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE")
FIELDS = ["id", "admin_graphql_api_id", "status", "updated_at"]  # all that a delivery holds
SCOPES = {"products": ("read_products", "write_products"), "articles": ("read_content", "write_content")}
PUBLIC = ("ACTIVE", "UNLISTED")
ALT = 512  # characters; ALT_VALUE_LIMIT_EXCEEDED above
PAUSES = [0.2 * 1.3**count for count in range(16)]  # seconds between looks at what Shopify works on; 43 in all


class ShopifySettings(SiteSettings):
    """`url` is https://<shop>.myshopify.com, `webhook_secret` the client secret of an app that is installed there.

    With `client_id` we ask for access tokens ourselves; an `access_token` is one that does not expire. `kinds` are what
    `recent` looks through: the only way in which articles are noticed.
    """

    client_id: str = ""
    access_token: SecretStr | None = None
    kinds: tuple[Literal["products", "articles"], ...] = ("products",)


class Shopify(Adapter):
    """One shop."""

    Settings = ShopifySettings
    settings: ShopifySettings
    title: ClassVar[str] = "Shopify"
    docs: ClassVar[str] = "https://shopify.dev/docs/api/admin-graphql"
    signs: ClassVar[str] = "HMAC-SHA256 of the body"
    signs_time: ClassVar[bool] = False
    connects: ClassVar[bool] = True
    proved: ClassVar[str] = "a stand-in and Shopify's own schema"
    accepted: ClassVar[int] = 200
    formats: ClassVar[tuple[Format, ...]] = ("jpeg", "webp")

    def __init__(self, settings: ShopifySettings) -> None:
        super().__init__(settings)
        self._grant = Grant(settings.url, settings.client_id, settings.webhook_secret.get_secret_value())

    def open(self, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        client = super().open(transport)
        if self.settings.access_token is None:
            client.auth = Granted(self._grant, client)
        return client

    def auth(self) -> httpx.Auth | None:
        token = self.settings.access_token
        return None if token is None else Header("X-Shopify-Access-Token", token.get_secret_value())

    def verify(self, delivery: Delivery) -> str:
        """As no id is signed: topic and signature, which are the same for the same message only."""
        given = header(delivery, "x-shopify-hmac-sha256")
        hmac_sha256(self.settings.secrets, delivery.body, given, "base64")
        return f"{delivery.headers.get('x-shopify-topic')} {given}"

    def events(self, delivery: Delivery) -> list[Event]:
        topic = delivery.headers.get("x-shopify-topic")
        if delivery.headers.get("x-shopify-test") == "true":
            return [Event("ping", "")]
        with reading("Shopify sends no such body"):
            said = json.loads(delivery.body)
            if topic and topic not in KINDS:
                return []
            kind, ref = KINDS[topic], f"products/{whole_number(said['id'])}"
            public = kind == "created" and said.get("status") == "active"
        return [Event("published" if public else kind, ref)]

    def fetch(self, api: httpx.Client, ref: str, locale: str = "") -> Entry:
        product, locale = kind_of(ref) == "products", locale or self.settings.language
        told, edit = ask(api, "Product" if product else "Article", id=gid(ref)), f"{self.settings.url}/admin/{ref}"
        found = told["product" if product else "article"]
        if found is None:
            raise Gone(f"{ref} is not in the shop")
        return as_product(found, ref, locale, edit) if product else as_article(found, told["shop"], ref, locale, edit)

    def attach(self, api: httpx.Client, entry: Entry, picture: Picture) -> Receipt:
        name, before = picture.stable_name, entry.image or Current("")
        previous = {"id": before.id, "url": before.url, "alt": before.alt}
        [node], files = _look(api, [gid(entry.ref)], name)
        now = shown(node, entry.ref)
        if not is_ours(now, name):
            unchanged(entry.ref, now, before.id)
            file = files[0] if files else self._upload(api, picture)
            node, file = _ready(api, [gid(entry.ref), file["id"]])
            unchanged(entry.ref, shown(node, entry.ref), before.id)  # a person may have been faster than Shopify's work
            now = self._put(api, entry.ref, node, file, shortened(picture.alt, ALT))
        return Receipt(now.id, now.url, previous)

    def revert(self, api: httpx.Client, ref: str, receipt: Receipt) -> None:
        now, before = _now(api, ref), str(receipt.previous["id"])
        if now.id == before:
            return
        unchanged(ref, now, receipt.media_id)
        if kind_of(ref) == "products":
            _take_off(api, ref, receipt.media_id, before)
        else:
            image = {"url": receipt.previous["url"], "altText": receipt.previous["alt"]} if before else None
            do(api, "Image", id=gid(ref), article={"image": image})

    def recent(self, api: httpx.Client, since: datetime) -> Iterator[Event]:
        wanted = f"updated_at:>'{since.astimezone(UTC).isoformat(timespec='seconds').replace('+00:00', 'Z')}'"
        for kind in self.settings.kinds:
            after, more = None, True
            while more:
                page = ask(api, kind.capitalize(), query=wanted, after=after)[kind]
                for found in page["nodes"]:
                    if not (found.get("featuredMedia") or found.get("image") or found.get("status") == "ARCHIVED"):
                        public = found.get("isPublished") or found.get("status") in PUBLIC
                        yield Event("published" if public else "created", ref_of(kind, found))
                after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    def connect(self, api: httpx.Client, hook: str) -> Connection:
        there = ask(api, "Hooks", topics=list(TOPICS))["webhookSubscriptions"]["nodes"]
        known = {one["topic"]: one["id"] for one in there if one["uri"] == hook}
        wanted = {"uri": hook, "format": "JSON", "includeFields": FIELDS}
        for topic in TOPICS:
            if topic in known:
                do(api, "Renew", id=known[topic], hook=wanted)
            else:
                do(api, "Subscribe", topic=topic, hook=wanted)
        return Connection((f"Shopify tells {hook} of {', '.join(TOPICS)}, signed with the app's client secret",))

    def doctor(self, api: httpx.Client) -> list[str]:
        granted = {one["handle"] for one in ask(api, "Scopes")["currentAppInstallation"]["accessScopes"]}
        wanted = {scope for kind in ("products", *self.settings.kinds) for scope in SCOPES[kind]} | {"write_files"}
        if missing := sorted(wanted - granted):
            raise CmsProblem(f"the app lacks the scopes {', '.join(missing)}: add them in its version and release it")
        [file] = _ready(api, [self._upload(api, TEST_PICTURE)["id"]])
        do(api, "Delete", ids=[file["id"]])
        there = ask(api, "Hooks", topics=list(TOPICS))["webhookSubscriptions"]["nodes"]
        hooks = [f"Shopify tells {one['uri']} of {one['topic']}" for one in there]
        now = clock(call(api, "POST", API, json={"query": OPERATIONS["Scopes"]}))
        stored = "a test picture was uploaded and removed again"
        return ["the app is let in and has its scopes", stored, *(hooks or ["there are no webhooks: connect"]), now]

    def _upload(self, api: httpx.Client, picture: Picture) -> Json:
        name = picture.stable_name
        asked = {"resource": "IMAGE", "filename": name, "mimeType": picture.mime, "httpMethod": "POST"}
        [target] = do(api, "Stage", input=[{**asked, "fileSize": str(len(picture.data))}])["stagedTargets"]
        form = {one["name"]: one["value"] for one in target["parameters"]}
        # another host, which the shop's credentials are none of the business of
        sent = {"file": (name, picture.data, picture.mime)}
        call(api, "POST", target["url"], data=form, files=sent, auth=None, timeout=120)
        made = {"originalSource": target["resourceUrl"], "contentType": "IMAGE", "filename": name}
        made |= {
            "alt": shortened(picture.alt, ALT),
            "duplicateResolutionMode": "REPLACE",
        }  # the same name means the same bytes
        file: Json = do(api, "Create", files=[made])["files"][0]
        return file

    def _put(self, api: httpx.Client, ref: str, node: Json, file: Json, alt: str) -> Current:
        if kind_of(ref) == "articles":
            image = {"url": file["image"]["url"], "altText": alt}
            now = shown(do(api, "Image", id=gid(ref), article={"image": image})["article"], ref)
            if not is_ours(now, httpx.URL(image["url"]).path):
                raise CmsProblem(f"{ref} kept the image {now.id or 'none'} when {file['image']['url']} was set")
            return now
        change = {"id": file["id"], "alt": alt}
        if node["media"]["nodes"] != [{"id": file["id"]}]:  # else an earlier try has added it, as the last of all
            change |= {"referencesToAdd": [gid(ref)]}
        do(api, "Update", files=[change])
        return _first(api, ref, file["id"])


def _look(api: httpx.Client, ids: list[str], name: str = "") -> tuple[list[Any], list[Json]]:
    """Things by their ids, None for what is not there; and the files of this name that are not broken."""
    told = ask(api, "Look", ids=ids, files=f"filename:{name}" if name else None)
    return told["nodes"], [one for one in told["files"]["nodes"] if one["fileStatus"] != "FAILED"]


def _now(api: httpx.Client, ref: str) -> Current:
    """What the entry shows now; an empty one for nothing."""
    [node], _ = _look(api, [gid(ref)])
    return shown(node, ref)


def _ready(api: httpx.Client, ids: list[str]) -> list[Any]:
    """These things, once the last of them, a file, can be shown."""
    for pause in PAUSES:
        time.sleep(pause)
        nodes, _ = _look(api, ids)
        status = nodes[-1]["fileStatus"] if nodes[-1] else "UPLOADED"
        if status == "READY":
            return nodes
        if status == "FAILED":
            words = "; ".join(error["message"] for error in nodes[-1]["fileErrors"])
            raise CmsProblem(f"Shopify cannot use the picture: {words}")
    raise Unavailable("Shopify has not finished with the picture yet")


def _take_off(api: httpx.Client, ref: str, ours: str, before: str) -> None:
    """Has the product show first what it did before ours; where that was deleted meanwhile, what is next."""
    there = dig_all(ask(api, "Product", id=gid(ref)), "product.media.nodes.id")
    do(api, "Update", files=[{"id": ours, "referencesToRemove": [gid(ref)]}])
    now = _now(api, ref).id
    if before in there and now != before:
        _first(api, ref, before)
    elif before and now != before:
        raise CmsProblem(f"our picture is off {ref}, which shows {now or 'none'} and not {before}")


def _first(api: httpx.Client, ref: str, number: str) -> Current:
    """Has the product show this of its media first, and waits until it does."""
    for attempt, pause in enumerate(PAUSES):
        now = _now(api, ref)
        if now.id == number:
            return now
        if attempt == 0 and now.id:
            do(api, "Reorder", id=gid(ref), moves=[{"id": number, "newPosition": "0"}])
        time.sleep(pause)
    raise Unavailable(f"{ref} does not show {number} first yet")
