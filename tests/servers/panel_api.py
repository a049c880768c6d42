"""A small stand-in for the service's /api/v1, for tests of the panel inside a CMS: it knows what it is given."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["PanelApi", "illustration", "panel_api"]


@dataclass
class PanelApi:
    """`illustrations` are answered as they are; `asked` is what came: method, path with query, token, body."""

    url: str = ""
    token: str = ""
    picture: bytes = b""
    illustrations: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)
    confused: bool = False  # answers with all illustrations, whatever it is asked for
    refuse: tuple[int, str] | None = None  # answered to every decision instead of making it


def illustration(number: int, ref: str, **facts: Any) -> dict[str, Any]:
    """One illustration as the service tells it, with one candidate of number + 100."""
    candidate = {"id": number + 100, "width": 1600, "height": 900, "model": "sketch", "seed": 5, "prompt": "A boat"}
    usual = {"id": number, "site": "blog", "ref": ref, "slot": "hero", "state": "in_review", "reason": ""}
    words = {"prompt": "A boat", "alt": "A boat", "caption": "", "model": "sketch", "chosen": None}
    candidates = [candidate | {"image": f"/api/v1/candidates/{number + 100}/image"}]
    return usual | words | {"candidates": candidates, "desk": f"https://desk.example.org/desk/{number}"} | facts


@contextmanager
def panel_api(token: str) -> Iterator[PanelApi]:
    """The stand-in on a free port; it also takes deliveries, so that saving a post meets a service."""
    state = PanelApi(token=token)

    class Handler(_Handler):
        api = state

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    api: PanelApi

    def do_GET(self) -> None:
        self._note({})
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if not self._known():
            self._answer(401, {"error": "unknown token"})
        elif address.path.endswith("/image"):
            self._send(200, "image/webp", self.api.picture)
        else:
            found = [one for one in self.api.illustrations if self.api.confused or _matches(one, query)]
            self._answer(200, {"illustrations": found})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/hooks/"):
            self._answer(202, {})
            return
        self._note(body)
        number, act = self.path.split("/")[-2:]
        found = next((one for one in self.api.illustrations if one["id"] == int(number)), None)
        if not self._known() or found is None:
            self._answer(404 if self._known() else 401, {"error": "no such illustration"})
        elif self.api.refuse is not None:
            self._answer(self.api.refuse[0], {"error": self.api.refuse[1]})
        else:
            found |= {"state": "approved", "chosen": body["candidate"]} if act == "approve" else {"state": "queued"}
            self._answer(200, found)

    def _known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {self.api.token}"

    def _note(self, body: dict[str, Any]) -> None:
        self.api.asked.append((self.command, self.path, self.headers.get("Authorization", ""), body))

    def _answer(self, status: int, data: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(data).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
        """Says nothing: the tests look at `asked`."""


def _matches(one: dict[str, Any], query: dict[str, str]) -> bool:
    return all(str(one.get(name)) == value for name, value in query.items() if name in ("site", "ref", "state"))
