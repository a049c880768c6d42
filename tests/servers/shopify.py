"""Stands in for a Shopify shop: the GraphQL Admin API as far as we use it, staged uploads, and signed webhooks.

Made after the Admin schema 2026-10 (npm @shopify/dev-mcp 1.16.0) and shopify.dev. It knows our operations by their
names; `said` keeps what was asked and answered, which the tests hold against that schema. Simpler: no costs, no
publications; a webhook is tried once.
"""

import base64
import hmac
import io
import json
import random
import re
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from flask import Flask, Response, request
from PIL import Image, UnidentifiedImageError
from servers.serving import Serving
from servers.site import SECRET, Site, State

__all__ = ["CLIENT", "TOKEN", "Server", "sign"]

TOKEN = "shpat_0123456789abcdef0123456789abcdef"
CLIENT = "c1ient0123456789abcdef"  # an app that is installed in the shop; its secret is servers.site.SECRET
SCOPES = ("read_products", "write_products", "read_content", "write_content", "write_files")
PROCESSING = 0.05  # seconds
Json = dict[str, Any]


@dataclass
class File:
    """A file of the shop; ready `PROCESSING` seconds after it was made."""

    id: str
    name: str
    data: bytes
    alt: str
    made: float = field(default_factory=time.monotonic)

    @property
    def url(self) -> str:
        return f"https://cdn.shopify.com/s/files/1/0000/0001/files/{self.name}?v={self.id[-6:]}"

    @property
    def status(self) -> str:
        if time.monotonic() < self.made + PROCESSING:
            return "PROCESSING"
        try:
            with Image.open(io.BytesIO(self.data)) as image:
                image.load()
        except (UnidentifiedImageError, OSError):
            return "FAILED"
        return "READY"

    def told(self) -> Json:
        """As a `MediaImage`, in all the fields that we ask for anywhere."""
        failed, ready = self.status == "FAILED", self.status == "READY"
        image = {"url": self.url} if ready else None
        errors = [{"message": "File could not be read as an image"}] if failed else []
        told = {"__typename": "MediaImage", "id": self.id, "fileStatus": self.status, "fileErrors": errors}
        return told | {"alt": self.alt, "image": image, "preview": {"image": image}}


class Server(Site):
    """`busy` answers THROTTLED once for each one in it; `articles` has what the shop's blog holds."""

    plugin = "shopify"
    version = "stand-in"
    kind = "product"
    real = False
    states: tuple[State, ...] = ("draft", "published")  # type: ignore[misc] # narrower than Site's

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - everything is in memory
        self.keys = {"access_token": TOKEN}
        self.products: dict[str, Json] = {}
        self.articles: dict[str, Json] = {}
        self.files: dict[str, File] = {}
        self.staged: dict[str, bytes] = {}
        self.hooks: dict[str, Json] = {}
        self.scopes = list(SCOPES)
        self.busy = 0
        self.indexed = True  # files are found by their names, which takes Shopify a while
        self.tokens = {TOKEN}
        self.said: list[tuple[str, Json, Json]] = []
        self.lock = threading.RLock()
        self.sender = ThreadPoolExecutor(1)
        self.serving = Serving(self._app())
        self.url = self.serving.url

    def start(self) -> None:
        self.serving.start()

    def stop(self) -> None:
        self.serving.stop()

    def hook(self, address: str) -> None:
        self.sender.submit(str).result()  # what waits to be told goes where it was to go
        adapter = self.adapter()
        with adapter.open() as api:
            adapter.connect(api, address)

    # What people in the shop do

    def create(self, state: State, title: str = "A day at sea") -> str:
        number = str(random.randint(2**53, 2**63))  # Shopify's ids may exceed what a double can hold
        product: Json = {
            "title": title,
            "status": "DRAFT" if state == "draft" else "ACTIVE",
            "media": [],
            "updatedAt": _now(),
        }
        product |= {"description": "<p>Waves.</p>", "productType": "Prints", "tags": ["sea"]}
        self.products[number] = product
        self._tell("products/create", number)
        return f"products/{number}"

    def write(self, title: str = "A day at sea", *, public: bool = True) -> str:
        """A new article in the blog; its ref."""
        number = str(random.randint(2**40, 2**41))
        self.articles[number] = {"title": title, "isPublished": public, "image": None, "updatedAt": _now()}
        return f"articles/{number}"

    def state(self, ref: str) -> State:
        return "draft" if self._product(ref)["status"] == "DRAFT" else "published"

    def title(self, ref: str) -> str:
        return str(self._product(ref)["title"])

    def public_title(self, ref: str) -> str:
        return self.title(ref) if self.state(ref) == "published" else ""

    def image(self, ref: str) -> str:
        return str(next(iter(self._product(ref)["media"]), ""))

    def alt(self, ref: str) -> str:
        return self.files[self.image(ref)].alt

    def set_image(self, ref: str, data: bytes) -> None:
        file = self._keep("sea.png", data, "Our own photograph")
        file.made -= PROCESSING
        self._product(ref)["media"] = [file.id]
        self._changed(ref.split("/")[1])

    def rename(self, ref: str, title: str) -> None:
        self._product(ref)["title"] = title
        self._changed(ref.split("/")[1])

    def delete(self, ref: str) -> None:
        del self.products[ref.split("/")[1]]
        self._tell("products/delete", ref.split("/")[1])

    def pictures(self) -> int:
        return len(self.files)

    def _product(self, ref: str) -> Json:
        return self.products[ref.split("/")[1]]

    def _changed(self, number: str) -> None:
        self.products[number]["updatedAt"] = _now()
        self._tell("products/update", number)

    def _keep(self, name: str, data: bytes, alt: str, *, replace: bool = False) -> File:
        there = next((file for file in self.files.values() if file.name == name), None)
        if there and replace:
            there.data, there.alt, there.made = data, alt, time.monotonic()
            return there
        if there:
            name = f"{Path(name).stem}_{secrets.token_hex(8)}{Path(name).suffix}"
        file = File(f"gid://shopify/MediaImage/{random.randint(10**13, 10**14)}", name, data, alt)
        self.files[file.id] = file
        return file

    # Webhooks

    def _tell(self, topic: str, number: str) -> None:
        name = topic.upper().replace("/", "_")
        product = self.products.get(number, {})
        whole: Json = {"id": int(number)}
        if product:
            whole |= {"admin_graphql_api_id": f"gid://shopify/Product/{number}", "title": product["title"]}
            whole |= {"status": product["status"].lower(), "updated_at": product["updatedAt"]}
        for hook in self.hooks.values():
            if hook["topic"] == name:
                kept = hook["includeFields"] or list(whole)
                body = json.dumps({key: value for key, value in whole.items() if key in kept}).encode()
                headers = {"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": "a-day-at-sea.myshopify.com"}
                headers |= {"X-Shopify-API-Version": "2026-10", "X-Shopify-Webhook-Id": secrets.token_hex(16)}
                headers |= {"X-Shopify-Event-Id": secrets.token_hex(16), "X-Shopify-Triggered-At": _now()}
                headers |= {"Content-Type": "application/json", **sign(SECRET, body)}
                self.sender.submit(httpx.post, hook["uri"], content=body, headers=headers)

    # The API

    def _app(self) -> Flask:
        app = Flask("shopify")
        app.add_url_rule("/admin/api/2026-10/graphql.json", "graphql", self._graphql, methods=["POST"])
        app.add_url_rule("/admin/oauth/access_token", "grant", self._give_token, methods=["POST"])
        app.add_url_rule("/staged/<key>", "staged", self._take, methods=["POST"])
        return app

    def _give_token(self) -> tuple[Json, int]:
        if (request.form["client_id"], request.form["client_secret"]) != (CLIENT, SECRET):
            return {"error": "application_cannot_be_found"}, 400
        self.tokens.add(f"shpat_{secrets.token_hex(16)}")
        token = next(iter(self.tokens - {TOKEN}))
        return {"access_token": token, "scope": ",".join(self.scopes), "expires_in": 86399}, 200

    def _take(self, key: str) -> tuple[str, int]:
        """Google's storage: the form's fields in their order, the file last, and no credentials of the shop's."""
        if "X-Shopify-Access-Token" in request.headers or list(request.form) != ["Content-Type", "acl", "key"]:
            return "<Error><Code>AccessDenied</Code></Error>", 403
        self.staged[key] = request.files["file"].read()
        return "", 201

    def _graphql(self) -> Response | tuple[Json, int]:
        if request.headers.get("X-Shopify-Access-Token") not in self.tokens:
            return {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401
        said = request.get_json()
        query, variables = said["query"], said.get("variables", {})
        if self.busy:
            self.busy -= 1
            return {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}, 200
        name = re.match(r"\s*(?:query|mutation) (\w+)", query)
        assert name is not None, query
        with self.lock:
            data: Json = getattr(self, f"_on_{name[1].lower()}")(variables)
        self.said.append((query, variables, data))
        return Response(json.dumps({"data": data}), content_type="application/json")

    def _on_product(self, asked: Json) -> Json:
        return {"product": self._node(asked["id"])}

    def _on_article(self, asked: Json) -> Json:
        return {"shop": {"primaryDomain": {"url": "https://shop.test"}}, "article": self._node(asked["id"])}

    def _on_look(self, asked: Json) -> Json:
        name = (asked["files"] or "").removeprefix("filename:")
        files = [file.told() for file in self.files.values() if file.name == name and self.indexed]
        nodes = [self._node(one) for one in asked["ids"]]
        for product in [node for node in nodes if node and "media" in node]:
            product["media"] = {"nodes": [{"id": one["id"]} for one in product["media"]["nodes"][-1:]]}
        return {"nodes": nodes, "files": {"nodes": files}}

    def _on_stage(self, asked: Json) -> Json:
        key, name = secrets.token_hex(8), asked["input"][0]["filename"]
        parameters = [("Content-Type", asked["input"][0]["mimeType"]), ("acl", "private"), ("key", f"tmp/{key}/{name}")]
        target: Json = {"url": f"{self.url}/staged/{key}", "resourceUrl": f"{self.url}/staged/{key}/{name}"}
        target["parameters"] = [{"name": one, "value": value} for one, value in parameters]
        return {"stagedUploadsCreate": {"stagedTargets": [target], "userErrors": []}}

    def _on_create(self, asked: Json) -> Json:
        [file] = asked["files"]
        data = self.staged.get(file["originalSource"].split("/")[-2])
        if data is None or len(file["alt"]) > 512:
            problem = {
                "message": "Image source is invalid" if data is None else "The alt value exceeds the maximum limit"
            }
            return {"fileCreate": {"files": None, "userErrors": [problem]}}
        made = self._keep(file["filename"], data, file["alt"], replace=file["duplicateResolutionMode"] == "REPLACE")
        return {"fileCreate": {"files": [made.told()], "userErrors": []}}

    def _on_update(self, asked: Json) -> Json:
        [said] = asked["files"]
        file = self.files.get(said["id"])
        if file is None or file.status != "READY":
            words = "File does not exist" if file is None else "Non-ready files cannot be updated"
            return {"fileUpdate": {"files": None, "userErrors": [{"message": words}]}}
        file.alt = said.get("alt", file.alt)
        for gid in said.get("referencesToAdd", []):
            self.products[gid.split("/")[-1]]["media"].append(file.id)
        for gid in said.get("referencesToRemove", []):
            self.products[gid.split("/")[-1]]["media"].remove(file.id)
        for gid in [*said.get("referencesToAdd", []), *said.get("referencesToRemove", [])]:
            self._changed(gid.split("/")[-1])
        return {"fileUpdate": {"files": [file.told()], "userErrors": []}}

    def _on_delete(self, asked: Json) -> Json:
        for one in asked["ids"]:
            del self.files[one]
        return {"fileDelete": {"deletedFileIds": asked["ids"], "userErrors": []}}

    def _on_reorder(self, asked: Json) -> Json:
        """A job, which is done a little later."""
        number, [move] = asked["id"].split("/")[-1], asked["moves"]
        threading.Timer(PROCESSING, self._move, (number, move["id"], int(move["newPosition"]))).start()
        return {"productReorderMedia": {"job": {"id": "gid://shopify/Job/1"}, "mediaUserErrors": []}}

    def _move(self, number: str, file: str, place: int) -> None:
        with self.lock:
            media = self.products[number]["media"]
            media.insert(place, media.pop(media.index(file)))
            self._changed(number)

    def _on_image(self, asked: Json) -> Json:
        """An article keeps a copy of the file, under a name that begins like it."""
        article, image = self.articles[asked["id"].split("/")[-1]], asked["article"]["image"]
        if image:
            url = image["url"].split("?")[0].replace("/files/", "/articles/")
            article["image"] = {"__typename": "Image", "url": f"{url}?v=1", "altText": image["altText"]}
        else:
            article["image"] = None
        return {"articleUpdate": {"article": {"image": article["image"]}, "userErrors": []}}

    def _on_products(self, asked: Json) -> Json:
        return {"products": self._page(self.products, "Product", asked)}

    def _on_articles(self, asked: Json) -> Json:
        return {"articles": self._page(self.articles, "Article", asked)}

    def _page(self, all_: dict[str, Json], kind: str, asked: Json) -> Json:
        found = re.fullmatch(r"updated_at:>'(.+)'", asked["query"])
        assert found is not None, asked["query"]
        later = sorted((one["updatedAt"], number) for number, one in all_.items() if one["updatedAt"] > found[1])
        first = int(asked["after"] or 0)
        nodes = [self._node(f"gid://shopify/{kind}/{number}") for _, number in later[first : first + 50]]
        info = {"hasNextPage": first + 50 < len(later), "endCursor": str(first + 50) if nodes else None}
        return {"nodes": nodes, "pageInfo": info}

    def _on_hooks(self, _: Json) -> Json:
        return {"webhookSubscriptions": {"nodes": list(self.hooks.values())}}

    def _on_subscribe(self, asked: Json) -> Json:
        if any((one["topic"], one["uri"]) == (asked["topic"], asked["hook"]["uri"]) for one in self.hooks.values()):
            problem = {"message": "Address for this topic has already been taken"}
            return {"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": [problem]}}
        number = f"gid://shopify/WebhookSubscription/{random.randint(10**12, 10**13)}"
        self.hooks[number] = {"id": number, "topic": asked["topic"], **asked["hook"]}
        return {"webhookSubscriptionCreate": {"webhookSubscription": {"id": number}, "userErrors": []}}

    def _on_renew(self, asked: Json) -> Json:
        self.hooks[asked["id"]] |= asked["hook"]
        return {"webhookSubscriptionUpdate": {"webhookSubscription": {"id": asked["id"]}, "userErrors": []}}

    def _on_scopes(self, _: Json) -> Json:
        return {"currentAppInstallation": {"accessScopes": [{"handle": one} for one in self.scopes]}}

    def _node(self, gid: str) -> Json | None:
        """Whatever it is, in all the fields that we ask for anywhere."""
        *_, kind, number = gid.split("/")
        if kind == "Product" and number in self.products:
            product = self.products[number]
            media = [self.files[one].told() for one in product["media"]]
            told = {"__typename": "Product", "id": gid, "title": product["title"], "handle": "a-day-at-sea"}
            told |= {"descriptionHtml": product["description"], "productType": product["productType"], "vendor": "Ours"}
            told |= {"tags": product["tags"], "status": product["status"], "updatedAt": product["updatedAt"]}
            told |= {"onlineStoreUrl": "https://shop.test/products/a-day-at-sea"}
            told |= {"options": [{"name": "Size", "values": ["A4", "A3"]}]}
            return told | {"featuredMedia": next(iter(media), None), "media": {"nodes": media}}
        if kind == "Article" and number in self.articles:
            told = {"__typename": "Article", "id": gid, **self.articles[number], "handle": "a-day-at-sea"}
            told |= {"body": "<p>Waves.</p>", "summary": None, "tags": ["sea"], "author": {"name": "Ada"}}
            return told | {"blog": {"title": "News", "handle": "news"}}
        return self.files[gid].told() if gid in self.files else None


def sign(secret: str, body: bytes) -> dict[str, str]:
    """The signature header for a body."""
    return {"X-Shopify-Hmac-Sha256": base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
