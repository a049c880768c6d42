"""A local images service with a contract of its own, as many are, that can be told to misbehave: `with RestServer()`.

`POST /generate/image {prompt, width, height, …}` is answered by `{"images": [{"url": …}]}`. There is no source but the
form itself: it stands for what somebody has written for himself.
"""

import base64
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from servers.bfl import draw

REFUSALS: Mapping[str, tuple[int, object, str]] = {  # status, body, Retry-After
    "unpaid": (402, {"fault": {"text": "No credit left"}}, ""),
    "busy": (429, {"fault": {"text": "One at a time"}}, "7"),
    "down": (503, {"message": "Loading"}, "30"),
    "bad": (422, {"fault": {"text": "No such style"}}, ""),
    "moderated": (400, {"fault": {"text": "Against our content policy"}}, ""),
    "not-found": (404, {"message": "No route"}, ""),
    "gateway": (504, "timeout", ""),
    "no-in-200": (200, {"fault": {"text": "The model has crashed"}}, ""),
}
ANSWERS = ("lost", "half", "silent", "garbage", "empty", "html", "foreign", "expired", "down-once", "mixed")


class RestServer:
    """A context manager. `bodies` are the accepted orders; `shape` makes the answer of the pictures of one."""

    def __init__(self, *, key: str = "rest-key") -> None:
        self.key = key
        self.credential: tuple[str, str | None] = ("Authorization", f"Bearer {key}")  # the header, None = there is none
        self.shape: Callable[[list[bytes]], object] = self.urls
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.posts = self.downloads = self.leaks = 0
        self.fault = ""
        self.closing = threading.Event()
        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.rest = self
        self.origin = f"http://127.0.0.1:{self._http.server_port}"
        self.url = f"{self.origin}/generate/image"

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

    def pictures(self, body: Mapping[str, Any]) -> list[bytes]:
        """What an order's body gets: the same body, the same bytes."""
        size, format_ = (body["width"], body["height"]), body.get("format", "png")
        numbers = range(body.get("count", 1))
        return [draw("rest", body["prompt"], body.get("seed", 0) + number, size, format_) for number in numbers]

    def urls(self, pictures: list[bytes]) -> object:
        """The usual answer."""
        return {"images": [{"url": f"{self.origin}/made/{number}"} for number in range(len(pictures))]}


def texts(pictures: list[bytes]) -> list[str]:
    """The pictures in base64."""
    return [base64.b64encode(picture).decode() for picture in pictures]


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    rest: RestServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes, which would wait 40 ms for each other
    server: _Http

    def do_POST(self) -> None:
        rest = self.server.rest
        fault, rest.fault = rest.fault, ""
        rest.posts += 1
        rest.paths.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, value = rest.credential
        if self.headers.get(name) != value:
            self._send(401, json.dumps({"message": f"I do not know {self.headers.get(name)}"}).encode())
            return
        if fault in REFUSALS:
            status, told, wait = REFUSALS[fault]
            self._send(status, json.dumps(told).encode(), {"Retry-After": wait} if wait else {})
            return
        rest.bodies.append(body)
        if fault in ("lost", "silent"):
            self.close_connection = fault == "lost" or rest.closing.wait()
            return
        self._send(200, self._answer(fault, rest.pictures(body)), half=fault == "half")

    def _answer(self, fault: str, pictures: list[bytes]) -> bytes:
        odd: dict[str, object] = {
            "empty": {"images": []},
            "html": {"images": [{"url": base64.b64encode(b"<html>").decode()}]},
            "foreign": {"images": [{"url": "http://localhost:1/made/0"}]},
            "expired": {"images": [{"url": "/made/expired"}]},
            "down-once": {"images": [{"url": "/made/down-once"}]},
            "mixed": {"images": [{"url": texts(pictures)[0]}, {"url": "/made/0"}]},
        }
        if fault == "garbage":
            return b"<html>one moment</html>"
        return json.dumps(odd.get(fault) or self.server.rest.shape(pictures)).encode()

    def do_GET(self) -> None:
        rest, name = self.server.rest, self.path.removeprefix("/made/")
        rest.downloads += 1
        rest.leaks += rest.credential[0] in self.headers
        if name == "expired" or (name == "down-once" and rest.downloads == 1):
            self._send(404 if name == "expired" else 503, b"")
            return
        self._send(200, rest.pictures(rest.bodies[-1])[int(name) if name.isdigit() else 0])

    def _send(self, status: int, data: bytes, headers: Mapping[str, str] | None = None, *, half: bool = False) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = half
        self.wfile.write(data[: len(data) // 2] if half else data)

    def log_message(self, *_: object) -> None: ...
