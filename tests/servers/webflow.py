"""Stands in for Webflow: the Data API v2 as far as collection items, assets and webhooks go, and the S3 it uploads to.

Made after developers.webflow.com/data (publishing, changelog of 23 June 2025) and the types of webflow/js-webflow-api
31e9cf3: staged and live items apart, a plain update queued for the next publish unless `isDraft` says otherwise, the
presigned form whose fields must come back letter by letter, a secret for each webhook. Simpler: one collection, one
locale; addresses of assets are this server's own.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from flask import Flask, Response, request
from servers.serving import Serving
from servers.site import Site, State

__all__ = ["COLLECTION", "SITE", "TOKEN", "Server"]

SITE = "562ac0395358780a1f5e6fbd"
COLLECTION = "580e63fc8c9a982ac9b8b745"
TOKEN = "0123456789abcdef0123456789abcdef"
MOST = 4 * 1024 * 1024
Item = dict[str, Any]


class Server(Site):
    """One site with one collection, `items` as editors see them and `live` as visitors do."""

    plugin = "webflow"
    version = "Data API v2"
    real = False

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - everything is in memory
        self.keys = {"site_id": SITE, "token": TOKEN, "types": {COLLECTION: {"url": "https://example.org/{slug}"}}}
        self.items: dict[str, Item] = {}
        self.live: dict[str, Item] = {}
        self.assets: dict[str, dict[str, Any]] = {}
        self.hooks: list[dict[str, Any]] = []
        self.calls: set[str] = set()  # method, path and names in the query of each call of the API, ids as *
        self.serving = Serving(self._app())
        self.url = self.serving.url

    def start(self) -> None:
        self.serving.start()

    def stop(self) -> None:
        self.serving.stop()

    def hook(self, address: str) -> None:
        with self.adapter().open() as api:
            self.keys["webhook_secret"] = self.adapter().connect(api, address).secret

    # What editors do

    def create(self, state: State, title: str = "A day at sea") -> str:
        number, now = secrets.token_hex(12), _now()
        fields = {"name": title, "slug": f"sea-{number[:6]}", "post-summary": "Windy.", "post-body": "<p>Waves.</p>"}
        item = {"id": number, "cmsLocaleId": "65427cf400e02b306eaa04a0", "createdOn": now, "lastUpdated": now}
        self.items[number] = item | {"isArchived": False, "isDraft": True, "lastPublished": None, "fieldData": fields}
        self._tell("collection_item_created", number)
        if state != "draft":
            self._publish(number)
        if state == "changed":
            self.rename(f"{COLLECTION}/{number}", f"{title} (changed)", draft=True)
        return f"{COLLECTION}/{number}"

    def state(self, ref: str) -> State:
        item, live = self._item(ref), self.live.get(ref.split("/")[1])
        if live is None:
            return "draft"
        return "changed" if item["isDraft"] or item["fieldData"] != live["fieldData"] else "published"

    def title(self, ref: str) -> str:
        return str(self._item(ref)["fieldData"]["name"])

    def public_title(self, ref: str) -> str:
        return str(self.live.get(ref.split("/")[1], {"fieldData": {"name": ""}})["fieldData"]["name"])

    def image(self, ref: str) -> str:
        return str((self._item(ref)["fieldData"].get("main-image") or {"fileId": ""})["fileId"])

    def public_image(self, ref: str) -> str:
        """The image that visitors see."""
        return str((self.live[ref.split("/")[1]]["fieldData"].get("main-image") or {"fileId": ""})["fileId"])

    def alt(self, ref: str) -> str:
        return str(self._item(ref)["fieldData"]["main-image"]["alt"])

    def set_image(self, ref: str, data: bytes) -> None:
        asset = self._add("sea.png") | {"size": len(data)}
        self.assets[asset["id"]] = asset
        image = {"fileId": asset["id"], "url": asset["hostedUrl"], "alt": "Our own photograph"}
        self._change(ref, {"main-image": image})

    def rename(self, ref: str, title: str, *, draft: bool = False) -> None:
        """`draft`: saved as changes to a published item that wait."""
        number = ref.split("/")[1]
        self.items[number]["isDraft"] |= draft
        self._change(ref, {"name": title})

    def delete(self, ref: str) -> None:
        self._tell("collection_item_deleted", ref.split("/")[1])
        del self.items[ref.split("/")[1]]
        self.live.pop(ref.split("/")[1], None)

    def pictures(self) -> int:
        return len(self.assets)

    # What happens inside

    def _item(self, ref: str) -> Item:
        return self.items[ref.split("/")[1]]

    def _change(self, ref: str, fields: dict[str, Any]) -> None:
        number = ref.split("/")[1]
        clean = self.state(ref) == "published"
        self.items[number]["fieldData"] |= fields
        self.items[number]["lastUpdated"] = _now()
        self._tell("collection_item_changed", number)
        if clean:
            self._publish(number)

    def _publish(self, number: str) -> None:
        self.items[number] |= {"isDraft": False, "lastPublished": _now()}
        self.live[number] = deepcopy(self.items[number])
        self._tell("collection_item_published", number)

    def _add(self, name: str) -> dict[str, Any]:
        number = secrets.token_hex(12)
        asset = {"id": number, "originalFileName": name, "displayName": name, "siteId": SITE, "size": 0, "variants": []}
        return asset | {"hostedUrl": f"{self.url}/files/{SITE}/{number}_{name}"}

    def _tell(self, trigger: str, number: str) -> None:
        facts = {"siteId": SITE, "workspaceId": "4f4e46fd476ea8c507000001", "collectionId": COLLECTION}
        said = {"triggerType": trigger, "payload": facts | self.items[number]}
        for hook in self.hooks:
            if hook["triggerType"] == trigger:
                body, stamp = json.dumps(said).encode(), str(int(time.time() * 1000))
                signature = hmac.new(hook["secretKey"].encode(), stamp.encode() + b":" + body, "sha256").hexdigest()
                headers = {"x-webflow-timestamp": stamp, "x-webflow-signature": signature}
                httpx.post(hook["url"], content=body, headers={"Content-Type": "application/json", **headers})

    # What the API does

    def _app(self) -> Flask:
        app, items = Flask("webflow"), f"/v2/collections/{COLLECTION}/items"
        app.add_url_rule(f"/v2/sites/{SITE}", "site", lambda: _answer({"id": SITE, "displayName": "The Gazette"}))
        app.add_url_rule(f"/v2/sites/{SITE}/assets", "assets", self._assets, methods=["GET", "POST"])
        app.add_url_rule("/v2/assets/<number>", "asset", self._delete_asset, methods=["DELETE"])
        app.add_url_rule("/s3/bucket", "s3", self._s3, methods=["POST"])
        app.add_url_rule(f"/v2/sites/{SITE}/webhooks", "webhooks", self._webhooks, methods=["GET", "POST"])
        app.add_url_rule(f"/v2/collections/{COLLECTION}", "collection", _collection)
        app.add_url_rule(items, "items", self._list)
        app.add_url_rule(f"{items}/<number>", "staged", self._staged, methods=["GET", "PATCH"])
        app.add_url_rule(f"{items}/<number>/live", "live", self._live, methods=["GET", "PATCH"])
        app.before_request(self._refuse_strangers)
        return app

    def _refuse_strangers(self) -> Response | None:
        names = sorted(name for name in request.args if name not in ("cmsLocaleId", "sortOrder", "offset"))
        self.calls.add(f"{request.method} {re.sub('[0-9a-f]{24}', '*', request.path)} {' '.join(names)}")
        given = request.headers.get("Authorization", "")
        if request.path.startswith("/s3/"):
            return Response("<Error><Code>InvalidArgument</Code></Error>", 400) if given else None
        return None if given == f"Bearer {TOKEN}" else _problem(401, "not_authorized", "Request not authorized")

    def _list(self) -> Response:
        since = datetime.fromisoformat(request.args.get("lastUpdated[gte]", "1970-01-01T00:00:00Z"))
        found = [one for one in self.items.values() if datetime.fromisoformat(one["lastUpdated"]) >= since]
        return _paged("items", sorted(found, key=lambda one: str(one["lastUpdated"])))

    def _staged(self, number: str) -> Response:
        if number not in self.items:
            return _problem(404, "resource_not_found", "Requested resource not found: The collection cannot be found")
        if request.method == "PATCH":
            sent, item = request.get_json(), self.items[number]
            wrong = self._wrong(sent)
            if wrong is not None:
                return wrong
            item["fieldData"] |= sent["fieldData"]
            item |= {"isDraft": sent.get("isDraft", False), "lastUpdated": _now()}
            self._tell("collection_item_changed", number)
        return _answer(self.items[number])

    def _live(self, number: str) -> Response:
        if number not in self.live:
            if request.method == "PATCH":
                return _problem(
                    409, "conflict", "Live PATCH updates can't be applied to items that have never been published"
                )
            return _problem(404, "resource_not_found", "Requested resource not found")
        if request.method == "PATCH":
            wrong = self._wrong(request.get_json())
            if wrong is not None:
                return wrong
            self.items[number]["fieldData"] |= request.get_json()["fieldData"]
            self.items[number]["lastUpdated"] = _now()
            self._tell("collection_item_changed", number)
            self._publish(number)
        return _answer(self.live[number])

    def _wrong(self, sent: Any) -> Response | None:
        unknown = set(sent["fieldData"]) - {"name", "slug", "main-image"}
        if unknown:
            return _problem(400, "validation_error", f"Field not described in schema: {min(unknown)}")
        image = sent["fieldData"].get("main-image")
        if image and not self.assets.get(image["fileId"], {}).get("size"):
            if request.args.get("skipInvalidFiles") == "false":
                return _problem(400, "validation_error", "Invalid file: the asset could not be found")
            sent["fieldData"]["main-image"] = None
        return None

    def _assets(self) -> Response:
        if request.method == "GET":
            return _paged("assets", list(self.assets.values()))
        sent = request.get_json()
        if len(sent["fileName"]) > 99 or len(sent["fileHash"]) != 32:
            return _problem(400, "validation_error", "Validation Error: fileName or fileHash")
        asset = self._add(sent["fileName"])
        self.assets[asset["id"]] = asset
        asset["hash"] = sent["fileHash"]
        form = {"acl": "public-read", "bucket": "b", "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "key": asset["id"]}
        form |= {
            "Policy": "eyJ9",
            "X-Amz-Signature": "5ae3",
            "success_action_status": "201",
            "Cache-Control": "max-age=1",
        }
        return _answer(asset | {"uploadUrl": f"{self.url}/s3/bucket", "uploadDetails": form}, 202)

    def _s3(self) -> Response:
        wanted = {"acl", "bucket", "X-Amz-Algorithm", "key", "Policy", "X-Amz-Signature", "success_action_status"}
        names, data = set(request.form), request.files["file"].read()
        if names != wanted | {"Cache-Control"} or len(data) > MOST:
            return Response("<Error><Code>AccessDenied</Code></Error>", 403)
        asset = self.assets[request.form["key"]]
        if hashlib.md5(data).hexdigest() != asset["hash"]:
            return Response("<Error><Code>BadDigest</Code></Error>", 400)
        asset["size"] = len(data)
        return Response("<PostResponse/>", 201)

    def _delete_asset(self, number: str) -> Response:
        if self.assets.pop(number, None) is None:
            return _problem(404, "resource_not_found", "Requested resource not found")
        return Response(status=204)

    def _webhooks(self) -> Response:
        if request.method == "GET":
            shown = [{name: value for name, value in hook.items() if name != "secretKey"} for hook in self.hooks]
            return _answer({"webhooks": shown, "pagination": {"limit": 100, "offset": 0, "total": len(shown)}})
        made = {"id": secrets.token_hex(12), "siteId": SITE, "secretKey": secrets.token_hex(32), **request.get_json()}
        self.hooks.append(made)
        return _answer(made)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, {"Content-Type": "application/json"})


def _problem(status: int, code: str, words: str) -> Response:
    return _answer({"message": words, "code": code, "externalReference": None, "details": []}, status)


def _paged(name: str, found: list[Any]) -> Response:
    offset, limit = int(request.args.get("offset", "0")), min(100, int(request.args.get("limit", "100")))
    pages = {"limit": limit, "offset": offset, "total": len(found)}
    return _answer({name: found[offset : offset + limit], "pagination": pages})


def _collection() -> Response:
    fields = [{"slug": "name", "type": "PlainText"}, {"slug": "main-image", "type": "Image", "isRequired": False}]
    return _answer({"id": COLLECTION, "displayName": "Posts", "slug": "posts", "fields": fields})
