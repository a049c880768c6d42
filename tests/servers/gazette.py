"""The Gazette served from a thread, and a receiver that keeps the requests it is sent, byte for byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

from werkzeug.serving import WSGIRequestHandler, make_server

from frontispiece.demo.archive import Archive
from frontispiece.demo.newsroom import Gazette, open_archive
from frontispiece.demo.wire import Wire

SECRET = "whsec_Zm9yLXRlc3RzLW9ubHktbm90LWEtc2VjcmV0ISE="  # for tests only; the captured deliveries are signed with it
TOKEN = "for-tests-only"


class Quiet(WSGIRequestHandler):
    """Serves without a word on standard error."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        del type, message, args


@dataclass
class Newsroom:
    """A running newspaper."""

    url: str
    archive: Archive
    wire: Wire | None


@contextmanager
def serve(folder: Path, hook: str = "", secret: str = SECRET) -> Iterator[Newsroom]:
    """The Gazette on a free port, sending to `hook` if there is one."""
    archive = open_archive(folder)
    wire = Wire(archive, hook, secret) if hook else None
    app = Gazette(archive, wire, TOKEN, "http://127.0.0.1:8460/desk").app
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    if wire:
        wire.start()
    try:
        yield Newsroom(f"http://127.0.0.1:{server.port}", archive, wire)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        if wire:
            wire.stop()


@dataclass
class Receiver:
    """Keeps whole requests in `requests` and answers each with the next of `answers`, 202 when there is none."""

    url: str
    requests: Queue[bytes] = field(default_factory=Queue)
    answers: list[int] = field(default_factory=list)


@contextmanager
def receive() -> Iterator[Receiver]:
    """A receiver of deliveries on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver = Receiver(f"http://127.0.0.1:{listener.getsockname()[1]}/hooks/gazette")
        thread = threading.Thread(target=_listen, args=(listener, receiver))
        thread.start()
        try:
            yield receiver
        finally:
            with socket.create_connection(listener.getsockname()) as last:
                last.sendall(b"STOP")
            thread.join()


def _listen(listener: socket.socket, receiver: Receiver) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            data = _request(connection)
            if data == b"STOP":
                return
            status = receiver.answers.pop(0) if receiver.answers else 202
            connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
            receiver.requests.put(data)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    sizes = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < int(sizes[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def taken_apart(request: bytes) -> tuple[dict[str, str], bytes]:
    """The headers (names in lower case) and the body of a whole request."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    return {name.lower(): value for name, value in lines}, body


def form(**changes: str) -> dict[str, str]:
    """The fields of the "write an article" form."""
    story = {"title": "Bread at Dawn", "standfirst": "The oven never sleeps.", "body": "Flour.\n\nWater."}
    return {**story, "tags": "bread", "section": "Food", "act": "publish", **changes}
