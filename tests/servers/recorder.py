"""A web server that keeps every request exactly as it came, byte for byte, and answers what it is told."""

import queue
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Recorded", "Recorder", "recording"]


from frontispiece.cms import Headers


@dataclass(frozen=True)
class Recorded:
    """One request: all its bytes, and the same taken apart."""

    raw: bytes
    method: str
    path: str
    headers: Headers
    body: bytes


def parse(raw: bytes) -> Recorded:
    """Takes a raw HTTP/1.1 request apart, as recorded here or read from a `.http` file."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return Recorded(raw, method, path, Headers(pairs), body)


@dataclass
class Recorder:
    """What arrived and has not been taken yet; `status` and `words` are answered to everything."""

    url: str = ""
    status: int = 202
    words: str = ""
    arrived: "queue.Queue[Recorded]" = field(default_factory=queue.Queue)

    def take(self) -> Recorded:
        """The oldest request not taken yet; waits for it."""
        return self.arrived.get(timeout=20)


@contextmanager
def recording() -> Iterator[Recorder]:
    """A recorder on a free port."""
    recorder = Recorder()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b"".join(iter(self.rfile.readline, b"\r\n")) + b"\r\n"
            length = int(parse(head).headers.get("content-length", "0"))
            recorder.arrived.put(parse(head + self.rfile.read(length)))
            words = recorder.words.encode()
            self.wfile.write(b"HTTP/1.1 %d Told\r\nContent-Length: %d\r\n" % (recorder.status, len(words)))
            self.wfile.write(b"Connection: close\r\n\r\n" + words)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        recorder.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
