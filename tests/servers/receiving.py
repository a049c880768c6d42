"""Where notices arrive: a chat server that takes Apprise's json://, and a mail server that takes whatever is sent."""

import email
import email.policy
import json
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, request
from servers.serving import Serving


class Chat(Serving):
    """Keeps what it is sent; `away` lets it answer 503. `asked` counts both."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.away = False
        self.asked = 0
        app = Flask("chat")
        app.post("/<room>")(self._take)
        super().__init__(app)

    def _take(self, room: str) -> tuple[str, int]:
        self.asked += 1
        if self.away:
            return "away\n", 503
        self.messages.append({**request.get_json(), "room": room})
        return "ok\n", 200

    def room(self, name: str) -> str:
        """The address of a room for Apprise."""
        return f"json://127.0.0.1:{self.port}/{name}"

    def texts(self) -> list[str]:
        """What the messages say."""
        return [message["message"] for message in self.messages]


class _Dialogue(socketserver.StreamRequestHandler):
    """SMTP as far as a sender needs it (RFC 5321)."""

    def handle(self) -> None:
        self.wfile.write(b"220 mail\r\n")
        for line in self.rfile:
            verb = line.strip().upper()[:4]
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.letters.append(letter)  # type: ignore[attr-defined] # Mail's own
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


class Mail(socketserver.ThreadingTCPServer):
    """Keeps the letters that it is sent."""

    daemon_threads = True

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.box = f"mailto://127.0.0.1:{self.server_address[1]}?from=desk@example.org&to=jo@example.org&mode=insecure"

    def read(self) -> tuple[str, str]:
        """Subject and text of the only letter."""
        (letter,) = self.letters
        told = email.message_from_bytes(letter, policy=email.policy.default)
        body = told.get_body(("plain",))
        assert body is not None
        return str(told["Subject"]), body.get_content()


@contextmanager
def chat() -> Iterator[Chat]:
    """A chat server that listens."""
    server = Chat()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def mail() -> Iterator[Mail]:
    """A mail server that listens."""
    with Mail() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def links(text: str) -> list[str]:
    """The keys of the links in a message."""
    return re.findall(r"/l/([\w-]{43})\b", text)


def notice(*urls: str, name: str = "chat", **keys: Any) -> str:
    """The lines of a configuration that sends to these addresses."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"urls": list(urls), **keys}.items()]
    return "\n".join([f"[notices.{name}]", *lines])
