"""Stands in for Contentful: Content Management API, uploads, processing of assets, and signed webhooks.

Made after contentful-management 12 (lib/adapters/REST/endpoints, lib/plain/checks.ts) and the vendor's
documentation. Simpler: one content type, one environment, no roles; a webhook is tried once.
"""

import hmac
import io
import json
import re
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Flask, Response, g, request
from PIL import Image, UnidentifiedImageError
from servers.serving import Serving
from servers.site import Site, State

__all__ = ["SECRET", "TOKEN", "Server", "sign"]

TOKEN = "CFPAT-for-tests-0123456789abcdef"
SECRET = "Zm9yIHRlc3RzIG9ubHksIDY0IGNoYXJhY3RlcnMgYXMgQ29udGVudGZ1bCB3YW50"
MEDIA_TYPE = "application/vnd.contentful.management.v1+json"
SPACE, ENVIRONMENT = "cfexampleapi", "master"
FIELDS = ("title", "summary", "body", "tags", "slug", "noImage", "heroImage")
PROCESSING = 0.2  # seconds
Json = dict[str, Any]


class _Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.body = {"sys": {"type": "Error", "id": code}, "message": message, "requestId": secrets.token_hex(16)}


class Server(Site):
    """Its editor is the user `editor`, Frontispiece the user `robot`."""

    plugin = "contentful"
    version = "stand-in"
    real = False

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - everything is in memory
        self.keys = {
            "token": TOKEN,
            "space": SPACE,
            "webhook_secret": SECRET,
            "types": {"post": {"image": "heroImage", "excerpt": "summary", "body": "body", "opt_out": "noImage"}},
        }
        self.entries: dict[str, Json] = {}
        self.assets: dict[str, Json] = {}
        self.public: dict[str, Json] = {}  # fields of entries as last published
        self.uploads: dict[str, bytes] = {}
        self.hooks: dict[str, Json] = {}
        self.secret = ""
        self.administrator = True  # whether Frontispiece's user is one
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

    # What editors do

    def create(self, state: State, title: str = "A day at sea", **fields: Any) -> str:
        number = secrets.token_hex(8)
        told = {"title": title, "summary": "Waves.", **fields}
        self._put(self.entries, number, {name: {"en-US": value} for name, value in told.items()}, "editor")
        if state != "draft":
            self._publish(self.entries, number, "editor")
        if state == "changed":
            self._edit(number, "title", f"{title} (changed)", publish=False)
        return number

    def state(self, ref: str) -> State:
        sys = self.entries[ref]["sys"]
        if "publishedVersion" not in sys:
            return "draft"
        return "published" if sys["version"] == sys["publishedVersion"] + 1 else "changed"

    def title(self, ref: str) -> str:
        return str(self.entries[ref]["fields"]["title"]["en-US"])

    def public_title(self, ref: str) -> str:
        return str(self.public.get(ref, {}).get("title", {}).get("en-US", ""))

    def image(self, ref: str) -> str:
        return str(self.entries[ref]["fields"].get("heroImage", {}).get("en-US", {}).get("sys", {}).get("id", ""))

    def public_image(self, ref: str) -> str:
        """The image that visitors see."""
        return str(self.public.get(ref, {}).get("heroImage", {}).get("en-US", {}).get("sys", {}).get("id", ""))

    def alt(self, ref: str) -> str:
        return str(self.assets[self.image(ref)]["fields"]["description"]["en-US"])

    def set_image(self, ref: str, data: bytes) -> None:
        number = secrets.token_hex(8)
        file: Json = {"url": "//images.test/sea.png", "fileName": "sea.png", "contentType": "image/png"}
        file |= {"details": {"size": len(data), "image": {"width": 640, "height": 360}}}
        fields = {"title": {"en-US": "Ours"}, "description": {"en-US": "Our photograph"}, "file": {"en-US": file}}
        self._put(self.assets, number, fields, "editor")
        self._publish(self.assets, number, "editor")
        self._edit(ref, "heroImage", _link(number))

    def rename(self, ref: str, title: str) -> None:
        self._edit(ref, "title", title)

    def delete(self, ref: str) -> None:
        self._tell("delete", self.entries.pop(ref))

    def pictures(self) -> int:
        return len(self.assets)

    def choose(self, ref: str, asset: str) -> None:
        """An editor puts an asset of the library on the entry, and does not publish that yet."""
        self._edit(ref, "heroImage", _link(asset), publish=False)

    def archive(self, ref: str) -> None:
        """An editor puts the entry into the archive."""
        sys = self.entries[ref]["sys"]
        sys |= {"archivedVersion": sys["version"], "version": sys["version"] + 1}
        self._tell("archive", self.entries[ref])

    def _edit(self, ref: str, field: str, value: Any, *, publish: bool | None = None) -> None:
        public = self.state(ref) == "published" if publish is None else publish
        fields = deepcopy(self.entries[ref]["fields"])
        fields.setdefault(field, {})["en-US"] = value
        self._put(self.entries, ref, fields, "editor")
        if public:
            self._publish(self.entries, ref, "editor")

    # What both users' calls come to

    def _put(self, where: dict[str, Json], number: str, fields: Json, user: str) -> Json:
        now, made = _now(), where.get(number)
        if made is None:
            sys = {"id": number, "version": 0, "createdAt": now, "createdBy": _user(user), "space": _space()}
            sys |= {"type": "Asset" if where is self.assets else "Entry", "environment": _environment()}
            if where is self.entries:
                sys |= {"contentType": {"sys": {"type": "Link", "linkType": "ContentType", "id": "post"}}}
            made = where[number] = {"metadata": {"tags": []}, "sys": sys, "fields": {}}
            topic = "create"
        else:
            topic = "save"
        made["fields"] = {name: values for name, values in fields.items() if values}
        made["sys"] |= {"version": made["sys"]["version"] + 1, "updatedAt": now, "updatedBy": _user(user)}
        self._tell(topic, made)
        return made

    def _publish(self, where: dict[str, Json], number: str, user: str) -> Json:
        made, now = where[number], _now()
        if where is self.entries:
            if not made["fields"].get("title", {}).get("en-US"):
                raise _Refusal(422, "InvalidEntry", "Validation error")
            self.public[number] = deepcopy(made["fields"])
        elif not all(file.get("url") for file in made["fields"].get("file", {"": {}}).values()):
            raise _Refusal(422, "ValidationFailed", "Cannot publish unprocessed assets")
        version = made["sys"]["version"]
        made["sys"] |= {"publishedVersion": version, "version": version + 1, "publishedAt": now}
        made["sys"] |= {"updatedAt": now, "updatedBy": _user(user), "publishedBy": _user(user)}
        self._tell("publish", made)
        return made

    def _process(self, number: str, locale: str) -> None:
        with self.lock:
            asset = self.assets[number]
            file = asset["fields"]["file"][locale]
            data = self.uploads.get(file.pop("uploadFrom", {}).get("sys", {}).get("id", ""))
            if data is None:
                return
            where = f"//images.ctfassets.net/{SPACE}/{number}/{secrets.token_hex(16)}/{file['fileName']}"
            file |= {"url": where, "details": {"size": len(data)} | _size(data)}
            asset["sys"] |= {"version": asset["sys"]["version"] + 1, "updatedAt": _now()}

    # Webhooks

    def _tell(self, topic: str, made: Json) -> None:
        name = f"{made['sys']['type']}.{topic}"
        for hook in self.hooks.values():
            if name in hook["topics"] and all(_passes(one, made) for one in hook["filters"]):
                sent = made if topic != "delete" else {"sys": made["sys"] | {"type": "DeletedEntry"}}
                headers = {"X-Contentful-Topic": f"ContentManagement.{name}", "X-Contentful-Webhook-Name": hook["name"]}
                headers |= {"Content-Type": MEDIA_TYPE, "X-Contentful-Idempotency-Key": secrets.token_hex(32)}
                body = json.dumps(sent, ensure_ascii=False).encode()
                signed = sign(self.secret, urlsplit(hook["url"]).path, headers, body) if self.secret else headers
                self.sender.submit(httpx.post, hook["url"], content=body, headers=signed)

    # The API

    def _app(self) -> Flask:
        app, root = Flask("contentful"), f"/spaces/{SPACE}/environments/{ENVIRONMENT}"
        app.register_error_handler(_Refusal, lambda no: (no.body, no.status, {"Content-Type": MEDIA_TYPE}))
        app.register_error_handler(404, lambda _: _Refusal(404, "NotFound").body | {"status": 404})
        app.before_request(self._let_in)
        rules: list[tuple[str, str, Any]] = [
            ("GET", "/users/me", lambda: {"sys": {"type": "User", "id": g.user}, "firstName": "R"}),
            ("GET", f"{root}/locales", lambda: {"items": [{"code": "en-US", "default": True}, {"code": "de"}]}),
            ("GET", f"{root}/content_types/<number>", self._content_type),
            ("POST", f"{root}/uploads", self._take_upload),
            ("GET", f"{root}/entries", self._search),
            ("PUT", f"{root}/assets/<number>/files/<locale>/process", self._start_processing),
            ("GET", f"/spaces/{SPACE}/webhook_settings/signing_secret", self._show_secret),
            ("PUT", f"/spaces/{SPACE}/webhook_settings/signing_secret", self._keep_secret),
            ("GET", f"/spaces/{SPACE}/webhook_definitions/<number>", lambda number: self._found(self.hooks, number)),
            ("PUT", f"/spaces/{SPACE}/webhook_definitions/<number>", self._keep_hook),
            ("GET", f"/spaces/{SPACE}/webhooks/<number>/health", self._health),
        ]
        for where, things in (("entries", self.entries), ("assets", self.assets)):
            rules += [
                ("GET", f"{root}/{where}/<number>", lambda number, all_=things: self._found(all_, number)),
                ("PUT", f"{root}/{where}/<number>", lambda number, all_=things: self._save(all_, number)),
                ("PATCH", f"{root}/{where}/<number>", lambda number, all_=things: self._patch(all_, number)),
                ("PUT", f"{root}/{where}/<number>/published", lambda number, all_=things: self._release(all_, number)),
                ("DELETE", f"{root}/{where}/<number>/published", lambda number, all_=things: self._hide(all_, number)),
                ("DELETE", f"{root}/{where}/<number>", lambda number, all_=things: self._remove(all_, number)),
            ]
        for method, path, view in rules:
            app.add_url_rule(path, f"{method} {path}", self._locked(view), methods=[method])
        return app

    def _locked(self, view: Any) -> Any:
        def answer(**parts: str) -> Response | tuple[str, int]:
            with self.lock:
                told = view(**parts)
            if told is None:
                return "", 204
            return Response(json.dumps(told), content_type=MEDIA_TYPE, headers={"X-Contentful-Request-Id": "1"})

        return answer

    def _let_in(self) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise _Refusal(401, "AccessTokenInvalid", "The access token you sent could not be found or is invalid.")
        if "/webhook" in request.path and not self.administrator:
            raise _Refusal(403, "AccessDenied")
        g.user = "robot"

    def _found(self, where: dict[str, Json], number: str) -> Json:
        if number not in where:
            raise _Refusal(404, "NotFound", "The resource could not be found.")
        return where[number]

    def _at_version(self, where: dict[str, Json], number: str) -> Json:
        made = self._found(where, number)
        if request.headers.get("X-Contentful-Version") != str(made["sys"]["version"]):
            raise _Refusal(409, "VersionMismatch")
        if "archivedVersion" in made["sys"]:
            raise _Refusal(400, "BadRequest", "Cannot edit archived")
        return made

    def _save(self, where: dict[str, Json], number: str) -> Json:
        if number in where:
            self._at_version(where, number)
        fields = json.loads(request.data)["fields"]
        if where is self.assets and any("text/html" in one["contentType"] for one in fields["file"].values()):
            raise _Refusal(422, "ValidationFailed")
        return self._put(where, number, fields, g.user)

    def _patch(self, where: dict[str, Json], number: str) -> Json:
        if request.content_type != "application/json-patch+json":
            raise _Refusal(415, "UnsupportedMediaType")
        fields = deepcopy(self._at_version(where, number)["fields"])
        for change in json.loads(request.data):
            _, _, name, *rest = change["path"].split("/")
            if name not in FIELDS or (rest and name not in fields):
                raise _Refusal(422, "UnknownField" if name not in FIELDS else "InvalidPatch")
            spot, key = (fields[name], rest[0]) if rest else (fields, name)
            if change["op"] == "add":
                spot[key] = change["value"]
            else:
                del spot[key]
        return self._put(where, number, fields, g.user)

    def _release(self, where: dict[str, Json], number: str) -> Json:
        self._at_version(where, number)
        return self._publish(where, number, g.user)

    def _hide(self, where: dict[str, Json], number: str) -> Json:
        sys = self._found(where, number)["sys"]
        del sys["publishedVersion"]
        sys["version"] += 1
        return where[number]

    def _remove(self, where: dict[str, Json], number: str) -> None:
        if "publishedVersion" in self._found(where, number)["sys"]:
            raise _Refusal(400, "BadRequest", "Cannot delete published")
        del where[number]

    def _take_upload(self) -> Json:
        number = secrets.token_hex(12)
        self.uploads[number] = request.data
        return {"sys": {"type": "Upload", "id": number, "space": _space(), "environment": _environment()}}

    def _start_processing(self, number: str, locale: str) -> None:
        self._at_version(self.assets, number)
        threading.Timer(PROCESSING, self._process, (number, locale)).start()

    def _search(self) -> Json:
        found = [one for one in self.entries.values() if all(_wanted(one, *said) for said in request.args.items())]
        found.sort(key=lambda one: (one["sys"]["updatedAt"], one["sys"]["id"]))
        skip, limit = int(request.args.get("skip", "0")), int(request.args.get("limit", "100"))
        return {"total": len(found), "skip": skip, "limit": limit, "items": found[skip : skip + limit]}

    def _content_type(self, number: str) -> Json:
        self._found({"post": {}}, number)
        image = {"id": "heroImage", "type": "Link", "linkType": "Asset"}
        return {"fields": [image, *({"id": name, "type": "Symbol"} for name in FIELDS[:-1])]}

    def _show_secret(self) -> Json:
        if not self.secret:
            raise _Refusal(404, "NotFound")
        return {"sys": {"type": "WebhookSigningSecret"}, "redactedValue": self.secret[-4:]}

    def _keep_secret(self) -> Json:
        value = json.loads(request.data)["value"]
        if not re.fullmatch(r"[0-9a-zA-Z+/=_-]{64}", value):
            raise _Refusal(422, "ValidationFailed", "value must be 64 characters")
        self.secret = value
        return self._show_secret()

    def _keep_hook(self, number: str) -> Json:
        version = self._at_version(self.hooks, number)["sys"]["version"] if number in self.hooks else 0
        self.hooks[number] = json.loads(request.data) | {"sys": {"id": number, "version": version + 1}}
        return self.hooks[number]

    def _health(self, number: str) -> Json:
        self._found(self.hooks, number)
        return {"sys": {"id": number, "type": "Webhook"}, "calls": {"total": 7, "healthy": 6}}


def sign(secret: str, path: str, headers: dict[str, str], body: bytes, stamp: int | None = None) -> dict[str, str]:
    """These headers, signed; `stamp` in milliseconds. As signRequest of @contentful/node-apps-toolkit; plain paths."""
    stamped = {name.lower(): value for name, value in headers.items()}
    stamped["x-contentful-timestamp"] = str(stamp or time.time_ns() // 1_000_000)
    names = sorted([*stamped, "x-contentful-signed-headers"])
    stamped["x-contentful-signed-headers"] = ",".join(names)
    text = "\n".join(("POST", path, ";".join(f"{name}:{stamped[name]}" for name in names), "")).encode() + body
    return stamped | {"x-contentful-signature": hmac.digest(secret.encode(), text, "sha256").hex()}


def _passes(test: Json, made: Json) -> bool:
    [(operator, value)] = test.items()
    if operator == "not":
        return not _passes(value, made)
    found: Any = made
    for part in value[0]["doc"].split("."):
        found = found.get(part, {})
    return bool(found in value[1] if operator == "in" else found == value[1])


def _wanted(one: Json, name: str, value: str) -> bool:
    sys = one["sys"]
    if name == "content_type":
        return bool(sys["contentType"]["sys"]["id"] == value)
    if name == "sys.updatedAt[gte]":
        return datetime.fromisoformat(sys["updatedAt"]) >= datetime.fromisoformat(value)
    if found := re.fullmatch(r"(fields|sys)\.(\w+)\[exists\]", name):
        return (found[2] in one[found[1]]) is (value == "true")
    return name in ("order", "skip", "limit")


def _size(data: bytes) -> Json:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return {"image": {"width": image.width, "height": image.height}}
    except (UnidentifiedImageError, OSError):
        return {}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _link(number: str) -> Json:
    return {"sys": {"type": "Link", "linkType": "Asset", "id": number}}


def _user(name: str) -> Json:
    return {"sys": {"type": "Link", "linkType": "User", "id": name}}


def _space() -> Json:
    return {"sys": {"type": "Link", "linkType": "Space", "id": SPACE}}


def _environment() -> Json:
    return {"sys": {"type": "Link", "linkType": "Environment", "id": ENVIRONMENT}}
