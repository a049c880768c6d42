"""A local images server of OpenAI's kind that can be told to misbehave: `with OpenaiServer() as server`.

Sources: OpenAI's API reference, "Create image", "Create image edit" and "List models"; stable-diffusion.cpp's
examples/server/api.md and routes_openai.cpp; the price list of https://github.com/QuantumNous/new-api. Like OpenAI, it
refuses fields that it does not know; `fields` are those it takes beyond OpenAI's own.
"""

import base64
import io
import json
import threading
from collections.abc import Collection, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from PIL import Image
from servers.bfl import draw
from werkzeug.datastructures import FileStorage
from werkzeug.formparser import FormDataParser

OWN = frozenset({"model", "prompt", "n", "size", "response_format", "output_format", "quality"})
_SAFETY = "Your request was rejected by the safety system. safety_violations=[violence, self-harm]"
REFUSALS: Mapping[str, tuple[int, object, str]] = {  # status, body, Retry-After
    "unpaid": (402, {"error": {"message": "Credit limit exceeded", "code": None}}, ""),
    "quota": (429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}, ""),
    "hard-limit": (400, {"error": {"message": "Billing hard limit", "code": "billing_hard_limit_reached"}}, ""),
    "moderated": (400, {"error": {"message": _SAFETY, "code": "moderation_blocked"}}, ""),
    "policy": (400, {"error": {"message": "Please rephrase", "code": "content_policy_violation"}}, ""),
    "moderated-in-words": (400, {"error": "Against our content policy"}, ""),
    "not-verified": (403, {"error": {"message": "Your organization must be verified", "code": None}}, ""),
    "bad-size": (400, {"error": {"message": "Invalid size '7x7'", "type": "invalid_request_error", "code": 400}}, ""),
    "invalid": (422, {"detail": [{"loc": ["body", "size"], "msg": "bad size"}]}, ""),
    "not-found": (404, {"detail": "Not Found"}, ""),
    "busy": (429, {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}, "7"),
    "down": (503, {"error": {"message": "The model is loading", "code": None}}, "30"),
    "gateway-timeout": (504, "upstream request timeout", ""),
    "redirect": (307, "elsewhere", ""),
    "bad-gateway": (502, "upstream closed", ""),
}
ANSWERS = (  # accepted, and charged
    *("url", "path-url", "foreign-url", "down-url", "expired-url", "html-url", "revised", "data-url", "lost"),
    *("half", "silent", "garbage", "no-data", "neither", "no-base64", "html", "huge", "endless", "nested", "dribble"),
)


class File(NamedTuple):
    """A file of a form."""

    field: str
    name: str
    kind: str
    data: bytes


class OpenaiServer:
    """A context manager. `bodies` are the accepted orders, `leaks` downloads that came with the key ("" = no key).

    `files` came with the last of them. `grey_masks`: like sd-server, it repaints what is white in a mask, else what is
    transparent. `lists` is what there is at a path: the models, a price list.
    """

    def __init__(self, *, key: str = "sk-test-key", fields: Collection[str] = ()) -> None:
        self.key, self.fields = key, OWN.union(fields)
        self.bodies: list[dict[str, Any]] = []
        self.files: list[File] = []
        self.grey_masks = False
        self.lists: dict[str, object] = {"/v1/models": {"data": [{"id": "flux-schnell", "object": "model"}]}}
        self.posts = self.downloads = self.leaks = 0
        self.fault = ""
        self.closing = threading.Event()
        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.images = self
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def misbehave(self, fault: str) -> None:
        """The next order meets this fault (a key of `REFUSALS` or one of `ANSWERS`); then all is well again."""
        assert fault in (*REFUSALS, *ANSWERS)
        self.fault = fault

    def picture(self, body: Mapping[str, Any]) -> bytes:
        """What an order's body gets: the same body, the same bytes."""
        width, height = str(body.get("size") or f"{body['width']}x{body['height']}").split("x")
        return draw(body["model"], body["prompt"], int(body.get("seed", 0)), (int(width), int(height)), "png")

    def answer(self, fault: str, body: Mapping[str, Any]) -> object:
        """The JSON of an accepted order."""
        text = base64.b64encode(self.picture(body)).decode()
        host = self.url.replace("127.0.0.1", "localhost") if fault == "foreign-url" else self.url
        host = "/v1" if fault == "path-url" else host
        data: dict[str, dict[str, Any]] = {
            "revised": {"b64_json": text, "revised_prompt": "A big red door."},
            "data-url": {"b64_json": f"data:image/png;base64,{text}"},
            "neither": {"b64_json": None, "url": None},
            "no-base64": {"b64_json": "abc"},
            "html": {"b64_json": base64.b64encode(b"<html>sorry</html>").decode()},
            "huge": {"b64_json": base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40_000_000).decode()},
        }
        usual = {"url": f"{host}/made/{fault}?sig=abc"} if fault.endswith("url") else {"b64_json": text}
        return {"created": 1, "data": [] if fault == "no-data" else [data.get(fault, usual)]}


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    images: OpenaiServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes, which would wait 40 ms for each other
    server: _Http

    def do_POST(self) -> None:
        images = self.server.images
        fault, images.fault = images.fault, ""
        images.posts += 1
        body, files = self._content()
        if refusal := self._refusal(fault, body, files):
            status, told, wait = refusal
            self._send(status, json.dumps(told).encode(), {"Retry-After": wait} if wait else {})
            return
        images.bodies.append(body)
        images.files = files
        if fault in ("lost", "silent"):
            self.close_connection = fault == "lost" or images.closing.wait()
            return
        odd = {"garbage": b"<html>one moment</html>", "nested": b"[" * 200_000}
        odd |= dict.fromkeys(("endless", "dribble"), b" " * 54_000_000)
        self._send(200, odd.get(fault) or json.dumps(images.answer(fault, body)).encode(), fault=fault)

    def _content(self) -> tuple[dict[str, Any], list[File]]:
        raw, kind = self.rfile.read(int(self.headers["Content-Length"])), self.headers["Content-Type"]
        if kind == "application/json":
            return json.loads(raw), []
        mime, _, boundary = kind.partition("; boundary=")
        _, form, files = FormDataParser(silent=False).parse(io.BytesIO(raw), mime, len(raw), {"boundary": boundary})
        return form.to_dict(), [_read(field, file) for field, file in files.items(multi=True)]

    def _refusal(self, fault: str, body: Mapping[str, Any], files: list[File]) -> tuple[int, object, str] | None:
        images = self.server.images
        if self.path not in ("/v1/images/generations", "/v1/images/edits"):
            return REFUSALS["not-found"]
        if stranger := self._stranger():
            return stranger
        if strange := sorted(set(body) - images.fields):
            return 400, {"error": {"message": f"Unknown parameter: {', '.join(strange)}", "code": None}}, ""
        if self.path.endswith("/edits") and (wrong := _wrong(files, grey=images.grey_masks)):
            return 400, {"error": {"message": wrong, "code": None}}, ""
        return REFUSALS.get(fault)

    def _stranger(self) -> tuple[int, object, str] | None:
        key, given = self.server.images.key, self.headers.get("Authorization")
        if given == (f"Bearer {key}" if key else None):
            return None
        return 401, {"error": {"message": f"Incorrect API key: {given}", "code": "invalid_api_key"}}, ""

    def do_GET(self) -> None:
        images = self.server.images
        if not self.path.startswith("/v1/made/"):
            there = (200, images.lists[self.path], "") if self.path in images.lists else REFUSALS["not-found"]
            status, told, _ = self._stranger() or there
            self._send(status, json.dumps(told).encode())
            return
        images.downloads += 1
        images.leaks += "Authorization" in self.headers
        down = "down-url" in self.path and images.downloads == 1
        status = 503 if down else 403 if "expired-url" in self.path else 200
        self._send(status, b"<html>" if down or "html-url" in self.path else images.picture(images.bodies[-1]))

    def _send(self, status: int, data: bytes, headers: Mapping[str, str] | None = None, fault: str = "") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = fault in ("half", "endless", "dribble")
        try:
            while fault == "dribble" and not self.server.images.closing.wait(0.05):
                self.wfile.write(b" ")  # soon enough for each read, never for the whole
            self.wfile.write(data[: len(data) // 2] if fault == "half" else data)
        except OSError:
            self.close_connection = True  # the client has had enough

    def log_message(self, *_: object) -> None: ...


def _read(field: str, file: FileStorage) -> File:
    with closing(file):
        return File(field, str(file.filename), file.mimetype, file.read())


def _wrong(files: list[File], *, grey: bool) -> str:
    """What OpenAI would say of the files of an edit."""
    given = [file for file in files if file.field in ("image", "image[]")]
    if not given or (len(given) > 1 and {file.field for file in given} != {"image[]"}):
        return "image is missing, or several are not named image[]"
    for mask in (file for file in files if file.field == "mask"):
        with Image.open(io.BytesIO(mask.data)) as image, Image.open(io.BytesIO(given[0].data)) as first:
            if image.size != first.size:
                return "the mask has another size than the image"
            if image.mode != ("L" if grey else "RGBA"):
                return "Invalid mask image format - mask image missing alpha channel"
    return ""
