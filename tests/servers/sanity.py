"""Stands in for Sanity's Content Lake: queries, transactions, image assets and GROQ-powered webhooks.

Made after the vendor's HTTP reference and @sanity/client (src/data/{dataMethods,patch,transaction}.ts). Queries and the
filters and projections of webhooks are evaluated by the vendor's own groq-js. Simpler: one dataset, one role, no
releases; a webhook is tried once.
"""

import base64
import hmac
import io
import json
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path
from typing import Any

import httpx
from flask import Flask, Response, request
from PIL import Image, UnidentifiedImageError
from servers.sanity_node import groq
from servers.serving import Serving
from servers.site import Site, State

__all__ = ["TOKEN", "Server", "sign"]

TOKEN = "sk-for-tests-0123456789abcdef"
PROJECT, DATASET = "zp7mbokg", "production"
Json = dict[str, Any]


class _Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    def __init__(self, status: int, body: Json) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


class Server(Site):
    """`documents` is the dataset. `real` although it is a stand-in: GROQ needs Node.js."""

    plugin = "sanity"
    version = "stand-in"
    real = True

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - everything is in memory
        self.keys = {"project": PROJECT, "token": TOKEN, "types": {"post": {"body": "body", "tags": "tags[]->title"}}}
        self.documents: dict[str, Json] = {}
        self.hooks: list[Json] = []
        self.sees_hooks = True
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

    # What editors do in the Studio

    def create(self, state: State, title: str = "A day at sea", **fields: Any) -> str:
        ref = secrets.token_hex(16)
        draft = {"_id": f"drafts.{ref}", "_type": "post", "title": title, **fields}
        self.commit([{"create": draft}])
        if state != "draft":
            self.publish(ref)
        if state == "changed":
            self._edit(ref, {"title": f"{title} (changed)"}, publish=False)
        return ref

    def begin(self, ref: str, title: str) -> None:
        """An editor gives a published document another title, in a draft; does nothing where there is a draft."""
        self.commit([{"createIfNotExists": self.documents[ref] | {"_id": f"drafts.{ref}", "title": title}}])

    def publish(self, ref: str) -> None:
        """An editor publishes the draft."""
        draft = self.documents[f"drafts.{ref}"]
        self.commit([{"createOrReplace": draft | {"_id": ref}}, {"delete": {"id": draft["_id"]}}])

    def state(self, ref: str) -> State:
        if f"drafts.{ref}" in self.documents:
            return "changed" if ref in self.documents else "draft"
        return "published"

    def title(self, ref: str) -> str:
        return str(self._edited(ref)["title"])

    def public_title(self, ref: str) -> str:
        return str(self.documents.get(ref, {}).get("title", ""))

    def image(self, ref: str) -> str:
        return str(self._edited(ref).get("mainImage", {}).get("asset", {}).get("_ref", ""))

    def alt(self, ref: str) -> str:
        return str(self._edited(ref)["mainImage"].get("alt", ""))

    def set_image(self, ref: str, data: bytes) -> None:
        asset = self._keep(data, "sea.png")["_id"]
        image = {"_type": "image", "asset": {"_type": "reference", "_ref": asset}, "alt": "Our own photograph"}
        self._edit(ref, {"mainImage": image})

    def rename(self, ref: str, title: str) -> None:
        self._edit(ref, {"title": title})

    def delete(self, ref: str) -> None:
        self.commit([{"delete": {"id": one}} for one in (ref, f"drafts.{ref}") if one in self.documents])

    def pictures(self) -> int:
        return sum(one["_type"] == "sanity.imageAsset" for one in self.documents.values())

    def _edited(self, ref: str) -> Json:
        return self.documents.get(f"drafts.{ref}") or self.documents[ref]

    def _edit(self, ref: str, fields: Json, *, publish: bool | None = None) -> None:
        public = self.state(ref) == "published" if publish is None else publish
        draft = self._edited(ref) | {"_id": f"drafts.{ref}"}
        self.commit([{"createIfNotExists": draft}, {"patch": {"id": draft["_id"], "set": fields}}])
        if public:
            self.publish(ref)

    # Transactions

    def commit(self, mutations: list[Json], transaction: str = "") -> list[Json]:
        """All mutations or none; what each came to."""
        with self.lock:
            transaction = transaction or secrets.token_urlsafe(16)
            before, after = self.documents, deepcopy(self.documents)
            touched = [self._apply(after, mutation, number) for number, mutation in enumerate(mutations)]
            for number, act in touched:
                if number in after and act != "none":
                    after[number] |= {"_rev": transaction, "_updatedAt": _now()}
            self._check_references(after)
            self.documents = after
        for number in dict(one for one in touched if one[1] != "none"):
            self._tell(before.get(number), after.get(number))
        return [{"id": number, "operation": act, "document": after.get(number)} for number, act in touched]

    def _apply(self, documents: dict[str, Json], mutation: Json, index: int) -> tuple[str, str]:
        [(act, told)] = mutation.items()
        number = told["id"] if act in ("patch", "delete") else told["_id"]
        there = documents.get(number)
        if act == "create" and there is not None:
            raise _conflict(index, "documentAlreadyExistsError", f'Document by ID "{number}" already exists')
        if act == "delete":
            documents.pop(number, None)
        elif act == "patch":
            if there is None:
                problem = {
                    "type": "documentNotFoundError",
                    "description": f'The document with the ID "{number}" was not found',
                }
                raise _Refusal(404, {"error": {"type": "mutationError", "items": [{"error": problem, "index": index}]}})
            _patch(there, told, index)
        elif act == "createIfNotExists" and there is not None:
            return number, "none"
        else:
            documents[number] = {"_createdAt": _now(), **deepcopy(told)}
        return number, "update" if act == "patch" else act

    def _check_references(self, documents: dict[str, Json]) -> None:
        gone = {number for number in self.documents if number not in documents}
        for one in documents.values():
            if gone & set(_references(one)):
                raise _conflict(
                    0, "documentHasExistingReferencesError", f"cannot be deleted, {one['_id']} refers to it"
                )

    # Webhooks

    def _tell(self, before: Json | None, after: Json | None) -> None:
        number = (after or before or {})["_id"]
        operation = "create" if before is None else "delete" if after is None else "update"
        for hook in self.hooks:
            if operation in hook["rule"]["on"] and (hook["includeDrafts"] or not number.startswith("drafts.")):
                self.sender.submit(self._send, hook, operation, deepcopy(before), deepcopy(after))

    def _send(self, hook: Json, operation: str, before: Json | None, after: Json | None) -> None:
        """The filter looks at the document as it is after the change, or was before it was deleted."""
        query = f"*[{hook['rule']['filter']}]{hook['rule']['projection']}"
        found = groq(query, dataset=[after or before], before=before, after=after)
        if not found:
            return
        [told] = found
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", "sanity-operation": operation}
        headers |= {"sanity-project-id": PROJECT, "sanity-dataset": DATASET, "sanity-document-id": told["_id"]}
        headers |= {"sanity-transaction-id": told["_rev"], "sanity-webhook-id": hook["id"]}
        headers |= {"idempotency-key": secrets.token_hex(16), **sign(hook["secret"], body)}
        httpx.post(hook["url"], content=body, headers=headers)

    # The API

    def _app(self) -> Flask:
        app = Flask("sanity")
        app.register_error_handler(_Refusal, lambda no: (no.body, no.status))
        app.before_request(self._let_in)
        rules: list[tuple[str, str, Any]] = [
            ("GET", "/users/me", lambda: {"id": "p-robot", "name": "Frontispiece", "role": "editor"}),
            ("GET", f"/data/query/{DATASET}", self._query),
            ("POST", f"/data/mutate/{DATASET}", self._mutate),
            ("POST", f"/assets/images/{DATASET}", self._take_image),
            ("GET", f"/hooks/projects/{PROJECT}", lambda: self._hooks_seen() and self.hooks),
            ("POST", f"/hooks/projects/{PROJECT}", self._make_hook),
            ("PATCH", f"/hooks/projects/{PROJECT}/<number>", self._change_hook),
        ]
        for method, path, view in rules:
            app.add_url_rule(f"/v2025-02-19{path}", f"{method} {path}", _answering(view), methods=[method])
        return app

    def _let_in(self) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            words = {"statusCode": 401, "error": "Unauthorized", "message": "Unauthorized - Session not found"}
            raise _Refusal(401, words | {"errorCode": "SIO-401-ANF"})

    def _query(self) -> Json:
        params = {name[1:]: json.loads(value) for name, value in request.args.items() if name.startswith("$")}
        raw = request.args.get("perspective", "published") == "raw"  # "published" since v2025-02-19
        seen = [one for one in self.documents.values() if raw or not one["_id"].startswith("drafts.")]
        query = request.args["query"]
        return {"query": query, "result": groq(query, params=params, dataset=seen), "ms": 2}

    def _mutate(self) -> Json:
        said = request.get_json()
        transaction = said.get("transactionId") or secrets.token_urlsafe(16)
        results = self.commit(said["mutations"], transaction)
        if request.args.get("returnDocuments") != "true":
            results = [{"id": one["id"], "operation": one["operation"]} for one in results]
        return {"transactionId": transaction, "results": results}

    def _take_image(self) -> Json:
        try:
            return {"document": self._keep(request.data, request.args.get("filename", ""))}
        except (UnidentifiedImageError, OSError) as problem:
            words = {"statusCode": 400, "error": "Bad Request", "message": "Invalid image, could not read metadata"}
            raise _Refusal(400, words) from problem

    def _keep(self, data: bytes, name: str) -> Json:
        """The asset of these bytes: the same one for the same bytes."""
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            size, kind = f"{image.width}x{image.height}", str(image.format).lower().replace("jpeg", "jpg")
        digest = sha1(data).hexdigest()
        number = f"image-{digest}-{size}-{kind}"
        if number not in self.documents:
            url = f"https://cdn.sanity.io/images/{PROJECT}/{DATASET}/{digest}-{size}.{kind}"
            asset = {"_id": number, "_type": "sanity.imageAsset", "url": url, "sha1hash": digest, "size": len(data)}
            self.commit([{"create": asset | {"originalFilename": name, "assetId": digest, "extension": kind}}])
        return self.documents[number]

    def _hooks_seen(self) -> bool:
        if not self.sees_hooks:
            words = {"statusCode": 403, "error": "Forbidden", "message": "Insufficient permissions; permission"}
            raise _Refusal(403, words)
        return True

    def _make_hook(self) -> Json:
        self._hooks_seen()
        self.hooks.append({"id": secrets.token_hex(8), **request.get_json()})
        return self.hooks[-1]

    def _change_hook(self, number: str) -> Json:
        if "type" in request.get_json():
            raise _Refusal(400, {"statusCode": 400, "error": "Bad Request", "message": '"type" is not allowed'})
        [hook] = [one for one in self.hooks if one["id"] == number]
        hook.update(request.get_json())
        return hook


def sign(secret: str, body: bytes, stamp: int | None = None) -> dict[str, str]:
    """The signature header for a body; `stamp` in milliseconds. After encodeSignatureHeader of @sanity/webhook."""
    sent = stamp or time.time_ns() // 1_000_000
    digest = base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"%d." % sent + body, "sha256"))
    return {"sanity-webhook-signature": f"t={sent},v1={digest.decode().rstrip('=')}"}


def _answering(view: Any) -> Any:
    return lambda **parts: Response(json.dumps(view(**parts)), content_type="application/json; charset=utf-8")


def _patch(document: Json, told: Json, index: int) -> None:
    if told.get("ifRevisionID", document["_rev"]) != document["_rev"]:
        words = f'Document "{told["id"]}" has unexpected revision ID ("{document["_rev"]}")'
        raise _conflict(index, "documentRevisionIDDoesNotMatchError", words)
    for path, value in told.get("set", {}).items():
        *parents, last = path.split(".")
        spot = document
        for name in parents:
            spot = spot.get(name, {})  # what is not there is not made
        spot[last] = deepcopy(value)
    for path in told.get("unset", []):
        document.pop(path, None)


def _conflict(index: int, kind: str, words: str) -> _Refusal:
    item = {"error": {"description": words, "type": kind}, "index": index}
    said = {"description": "Mutation(s) failed with 1 error(s)", "items": [item], "type": "mutationError"}
    return _Refusal(409, {"error": said})


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in _references(one)]
    if not isinstance(value, dict):
        return []
    return [str(value["_ref"])] if "_ref" in value else _references(list(value.values()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
