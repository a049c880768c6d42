"""Stands in for BigCommerce: the V3 catalogue as far as products and their images go, and webhooks.

Made after reference/catalog/products_catalog.v3.yml, reference/webhooks.v3.yml and docs/integrations/webhooks of
bigcommerce/docs 24f580c: one thumbnail a product, sort orders that push others back, `store/product/updated` for the
first thumbnail only, Standard Webhooks signed with the client secret's own text. Simpler: no variants, no channels.
"""

import json
import random
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

import httpx
from flask import Flask, Response, request
from servers.serving import Serving
from servers.site import Site, State
from standardwebhooks import Webhook

__all__ = ["CLIENT_SECRET", "HASH", "Server"]

HASH = "abc123"
TOKEN = "token-0123456789abcdef"
CLIENT_SECRET = "0f9e8d7c6b5a43210f9e8d7c6b5a4321"
MOST = 8 * 1024 * 1024
TYPES = ("bmp", "gif", "jpeg", "jpg", "png", "wbmp", "xbm", "webp")
STARTS = (b"\xff\xd8\xff", b"RIFF", b"\x89PNG", b"GIF8", b"BM")


class Server(Site):
    """One store, its products numbered from 101."""

    plugin = "bigcommerce"
    kind = "product"
    version = "V3"
    real = False
    states = ("draft", "published")

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - everything is in memory
        self.keys = {"store_hash": HASH, "access_token": TOKEN, "client_secret": CLIENT_SECRET}
        self.products: dict[int, dict[str, Any]] = {}
        self.hooks: list[dict[str, Any]] = []
        self.numbers = iter(range(101, 100_000))
        self.serving = Serving(self._app())
        self.url = self.serving.url

    def start(self) -> None:
        self.serving.start()

    def stop(self) -> None:
        self.serving.stop()

    def hook(self, address: str) -> None:
        with self.adapter().open() as api:
            self.adapter().connect(api, address)

    # What merchants do in the control panel

    def create(self, state: State, title: str = "A day at sea") -> str:
        number = next(self.numbers)
        now = _now()
        self.products[number] = {
            "id": number,
            "name": title,
            "type": "physical",
            "sku": f"SEA-{number}",
            "description": "<p>Waves &amp; wind.</p>",
            "meta_description": "",
            "search_keywords": "sea, wind",
            "categories": [18],
            "is_visible": state == "published",
            "custom_url": {"url": f"/sea-{number}/", "is_customized": False},
            "date_created": now,
            "date_modified": now,
            "images": [],
        }
        self._tell("created", number)
        return str(number)

    def state(self, ref: str) -> State:
        return "published" if self.products[int(ref)]["is_visible"] else "draft"

    def title(self, ref: str) -> str:
        return str(self.products[int(ref)]["name"])

    def public_title(self, ref: str) -> str:
        return self.title(ref) if self.products[int(ref)]["is_visible"] else ""

    def image(self, ref: str) -> str:
        shown = self._thumbnail(int(ref))
        return str(shown["id"]) if shown else ""

    def alt(self, ref: str) -> str:
        shown = self._thumbnail(int(ref))
        return str(shown["description"]) if shown else ""

    def set_image(self, ref: str, data: bytes) -> None:
        self._add(int(ref), "sea.png", data, {"is_thumbnail": True, "sort_order": 0, "description": "Our own photo"})

    def rename(self, ref: str, title: str) -> None:
        self.products[int(ref)] |= {"name": title, "date_modified": _now()}
        self._tell("updated", int(ref))

    def delete(self, ref: str) -> None:
        del self.products[int(ref)]
        self._tell("deleted", int(ref))

    def pictures(self) -> int:
        return sum(len(product["images"]) for product in self.products.values())

    # What happens inside

    def _thumbnail(self, number: int) -> dict[str, Any] | None:
        return next((one for one in self.products[number]["images"] if one["is_thumbnail"]), None)

    def _add(self, number: int, name: str, data: bytes, facts: dict[str, Any]) -> dict[str, Any]:
        file, first = PurePath(name), self._thumbnail(number) is None
        made = f"{file.stem}__{random.randint(10000, 99999)}"
        address = f"https://cdn11.bigcommerce.com/s-{HASH}/products/{number}/images"
        image: dict[str, Any] = {
            "id": next(self.numbers),
            "product_id": number,
            "image_file": f"a/521/{made}{file.suffix}",
        }
        image |= {"is_thumbnail": False, "sort_order": 0, "description": "", "date_modified": _now(), "size": len(data)}
        for size in ("zoom", "standard", "thumbnail", "tiny"):
            image[f"url_{size}"] = f"{address}/{image['id']}/{made}.{size}{file.suffix}?c=2"
        self.products[number]["images"].append(image)
        self._change(number, image, facts)
        if first and image["is_thumbnail"]:
            self._tell("updated", number)
        return image

    def _change(self, number: int, image: dict[str, Any], facts: dict[str, Any]) -> None:
        others = [one for one in self.products[number]["images"] if one is not image]
        if facts.get("is_thumbnail"):
            for one in others:
                one["is_thumbnail"] = False
        if any(one["sort_order"] == facts.get("sort_order") for one in others):
            for one in others:
                one["sort_order"] += one["sort_order"] >= facts["sort_order"]
        image |= facts
        self.products[number]["date_modified"] = _now()

    def _tell(self, event: str, number: int) -> None:
        scope = f"store/product/{event}"
        said: dict[str, Any] = {"scope": scope, "store_id": "1025646", "data": {"type": "product", "id": number}}
        said |= {"hash": f"{random.getrandbits(160):040x}", "created_at": 1, "producer": f"stores/{HASH}"}
        for hook in self.hooks:
            if hook["scope"] in (scope, "store/product/*") and hook["is_active"]:
                body, now, sent_id = json.dumps(said), datetime.now(UTC), f"msg_{random.getrandbits(64):x}"
                signature = Webhook(CLIENT_SECRET.encode()).sign(sent_id, now, body)
                headers = {"webhook-id": sent_id, "webhook-timestamp": str(int(now.timestamp()))}
                headers |= {"webhook-signature": signature, "Content-Type": "application/json", **hook["headers"]}
                httpx.post(hook["destination"], content=body, headers=headers)

    # What the API does

    def _app(self) -> Flask:
        app, root = Flask("bigcommerce"), f"/stores/{HASH}/v3"
        products, hooks = f"{root}/catalog/products", f"{root}/hooks"
        app.add_url_rule(products, "list", self._list)
        app.add_url_rule(f"{products}/<int:number>", "product", self._product)
        app.add_url_rule(f"{products}/<int:number>/images", "images", self._images, methods=["GET", "POST"])
        one = f"{products}/<int:number>/images/<int:image>"
        app.add_url_rule(one, "image", self._image, methods=["PUT", "DELETE"])
        app.add_url_rule(f"{root}/catalog/categories", "categories", self._categories)
        app.add_url_rule(hooks, "hooks", self._hooks, methods=["GET", "POST"])
        app.add_url_rule(f"{hooks}/<int:number>", "hook", self._hook, methods=["PUT"])
        app.before_request(self._refuse_strangers)
        return app

    def _refuse_strangers(self) -> Response | None:
        if request.headers.get("X-Auth-Token") == TOKEN:
            return None
        return _problem(401, "Unauthorized: check your API credentials")

    def _list(self) -> Response:
        since, page = datetime.fromisoformat(request.args.get("date_modified:min", "1970-01-01T00:00:00Z")), _page()
        found = [one for one in self.products.values() if datetime.fromisoformat(one["date_modified"]) >= since]
        found.sort(key=lambda one: one["date_modified"])
        shown = found[(page - 1) * _limit() : page * _limit()]
        hidden = {"images"} - {request.args.get("include")}
        data = [{name: value for name, value in one.items() if name not in hidden} for one in shown]
        return _data(data, pages=max(1, -(-len(found) // _limit())))

    def _product(self, number: int) -> Response:
        if number not in self.products:
            return _problem(404, "The product was not found")
        return _data({name: value for name, value in self.products[number].items() if name != "images"})

    def _images(self, number: int) -> Response:
        if number not in self.products:
            return _problem(404, "A product was not found with an id of " + str(number))
        if request.method == "GET":
            return _data(sorted(self.products[number]["images"], key=lambda one: one["sort_order"]))
        file = request.files.get("image_file")
        if file is None:
            return _problem(422, "image_file or image_url must be set")
        data = file.read()
        if len(data) > MOST or not data.startswith(STARTS) or PurePath(str(file.filename)).suffix[1:] not in TYPES:
            return _problem(422, "The image could not be processed")
        facts: dict[str, Any] = {name: json.loads(request.form[name]) for name in ("is_thumbnail", "sort_order")}
        facts["description"] = request.form["description"]
        return _data(self._add(number, str(file.filename), data, facts))

    def _image(self, number: int, image: int) -> Response:
        found = next((one for one in self.products[number]["images"] if one["id"] == image), None)
        if found is None:
            return _problem(404, "The image was not found")
        if request.method == "DELETE":
            self.products[number]["images"].remove(found)
            return Response(status=204)
        self._change(number, found, request.get_json())
        return _data(found)

    def _categories(self) -> Response:
        return _data([{"name": "Seascapes"}] if "18" in request.args["id:in"].split(",") else [])

    def _hooks(self) -> Response:
        if request.method == "GET":
            wanted = {name: request.args[name] for name in ("destination", "scope") if name in request.args}
            return _data([hook for hook in self.hooks if wanted.items() <= hook.items()])
        made = {"id": next(self.numbers), "store_hash": HASH, "events_history_enabled": False, **request.get_json()}
        self.hooks.append(made)
        return _data(made)

    def _hook(self, number: int) -> Response:
        found = next(hook for hook in self.hooks if hook["id"] == number)
        found |= request.get_json()
        return _data(found)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _page() -> int:
    return int(request.args.get("page", "1"))


def _limit() -> int:
    return min(250, int(request.args.get("limit", "50")))


def _data(data: Any, pages: int = 1) -> Response:
    meta = {"pagination": {"current_page": _page(), "per_page": _limit(), "total_pages": pages}}
    return Response(json.dumps({"data": data, "meta": meta}), 200, {"Content-Type": "application/json"})


def _problem(status: int, title: str) -> Response:
    kind = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
    said = {"status": status, "title": title, "type": kind, "errors": {}}
    return Response(json.dumps(said), status, {"Content-Type": "application/json"})
