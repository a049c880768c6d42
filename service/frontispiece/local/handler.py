"""The HTTP of `frontispiece local`; server.py says which paths there are."""

import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from frontispiece.errors import Busy, GeneratorProblem
from frontispiece.generators.diffusers import Errand, Status
from frontispiece.local import worker

if TYPE_CHECKING:
    from frontispiece.local.server import LocalServer

LIMIT = 200_000_000  # bytes of a body: ten pictures of ten megabytes in base64
_ORDER = re.compile(r"/orders/([0-9a-f]{32})(/picture)?")
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")


class Http(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 128
    local: "LocalServer"


class _Refusal(Exception):  # noqa: N818 - an answer
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes, which would wait 40 ms for each other
    timeout = 60
    server: Http

    def do_POST(self) -> None:
        self._answer(self._place)

    def do_GET(self) -> None:
        self._answer(self._look)

    def do_DELETE(self) -> None:
        self._answer(self._cancel)

    def _answer(self, act: Callable[[], None]) -> None:
        try:
            self._from_this_machine()
            act()
        except _Refusal as refusal:
            self.close_connection = True  # a body may not have been read
            self._json(refusal.status, {"words": refusal.words})

    def _from_this_machine(self) -> None:
        """A page in a browser can reach loopback, also under a name of its own; it sends an Origin or that name."""
        if "Origin" in self.headers or not _HOST.fullmatch(self.headers.get("Host", "")):
            raise _Refusal(403, "the local generator answers programs on this machine only, no web pages")

    def _place(self) -> None:
        if self.path != "/orders":
            raise _Refusal(404, f"there is no {self.path}")
        errand = self._errand()
        try:
            worker.check(errand.order, self.server.local.settings)
            name = self.server.local.board.place(errand.order)
        except Busy as problem:
            raise _Refusal(429, problem.words) from problem
        except GeneratorProblem as problem:
            raise _Refusal(422, problem.words) from problem
        self._json(202, {"id": name})

    def _errand(self) -> Errand:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LIMIT:
            raise _Refusal(413, f"an order has at most {LIMIT:,} bytes")
        if self.headers.get_content_type() != "application/json":
            raise _Refusal(415, "an order is application/json")
        try:
            return Errand.model_validate_json(self.rfile.read(int(length)))
        except ValidationError as problem:
            raise _Refusal(422, f"the order cannot be read: {problem}") from problem

    def _look(self) -> None:
        url, local = urlsplit(self.path), self.server.local
        if url.path == "/healthz":
            return self._json(200, local.health())
        if url.path == "/doctor":
            return self._json(200, {"sentences": local.doctor(parse_qs(url.query).get("model", []))})
        name, picture = self._named(url.path)
        if picture:
            return self._picture(name)
        return self._json(200, self._status(name))

    def _named(self, path: str) -> tuple[str, bool]:
        if not (found := _ORDER.fullmatch(path)):
            raise _Refusal(404, f"there is no {path}")
        return found[1], bool(found[2])

    def _status(self, name: str) -> Status:
        status = self.server.local.board.status(name)
        if status is None:
            raise _Refusal(404, f"the local generator does not know order {name} (any more); order it again")
        return status

    def _picture(self, name: str) -> None:
        try:
            data = self.server.local.board.spool.picture(name).read_bytes()
        except OSError as problem:
            raise _Refusal(404, f"there is no picture of order {name} (any more)") from problem
        self._send(200, data, "image/png")

    def _cancel(self) -> None:
        name, _ = self._named(self.path)
        self.server.local.board.cancel(name)
        self._json(200, {})

    def _json(self, status: int, body: "BaseModel | dict[str, object]") -> None:
        self._send(status, to_json(body), "application/json")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:  # told, so that nobody sends the next request into a closed connection
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keeps quiet: polls come twice a second."""
