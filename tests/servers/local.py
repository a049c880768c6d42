"""The local generator in this process, tiny orders for it, and short words for what tests do with them."""

import io
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageDraw
from servers import checkpoints

from frontispiece import net
from frontispiece.generators import Finished, Order, Ticket
from frontispiece.generators.diffusers import Diffusers, DiffusersSettings, Status
from frontispiece.local.server import LocalServer

SERVE = """
import sys
from pathlib import Path
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local.start import serve

if __name__ == "__main__":
    settings = DiffusersSettings(base_url=sys.argv[1], models=sys.argv[2], threads=1)
    serve(settings, Path(sys.argv[3]))
"""
LONG = 2000  # steps, about ten seconds of them, in which a test can do something


class Local:
    """A server in this process, its client, and short words for what tests do with them."""

    def __init__(self, models: Path, folder: Path, **settings: Any) -> None:
        asked = {"base_url": "http://127.0.0.1:0", "models": models, "threads": 1}
        self.server = LocalServer(DiffusersSettings.model_validate(asked | settings), folder)
        self.http = net.client([self.server.url])
        self.client = Diffusers(self.server.settings.model_copy(update={"base_url": self.server.url}), self.http)
        self.board, self.child = self.server.board, self.server.workers[0].child

    def until(self, wanted: Callable[[Status | None], bool], ticket: Ticket) -> Status | None:
        """Waits for a change after which the order is so."""
        with self.board.changed:
            assert self.board.changed.wait_for(lambda: wanted(self.board.status(ticket.remote_id)), 90)
            return self.board.status(ticket.remote_id)

    def until_drawing(self, ticket: Ticket) -> None:
        """Waits until a first step is done."""
        self.until(lambda now: bool(now and now.state == "drawing" and now.progress), ticket)

    def finished(self, order: Order) -> Finished:
        """Submits, waits and polls; the words of a failure are raised."""
        ticket = self.client.submit(order)
        self.until(lambda now: bool(now and now.state in ("finished", "failed")), ticket)
        answer = self.client.poll(ticket)
        assert isinstance(answer, Finished)
        return answer

    def drawn(self, order: Order) -> bytes:
        """The picture, drawn anew."""
        self.client.cancel(self.client.submit(order))
        return self.finished(order).images[0]


def order(model: str, prompt: str = "A red door.", *, seed: int = 7, **more: Any) -> Order:
    """A small order for a tiny model; what is no field of it is an option."""
    fields: dict[str, Any] = {"width": 96, "height": 64}
    fields |= {
        name: more.pop(name) for name in ("task", "images", "mask", "margins", "width", "height") if name in more
    }
    return Order(
        f"{checkpoints.OWNER}/{model}", prompt, seed=seed, options={"steps": 4, "guidance": 2.0} | more, **fields
    )


def picture(width: int = 80, height: int = 72, colour: str = "navy") -> bytes:
    """A yellow disc before that colour."""
    image = Image.new("RGB", (width, height), colour)
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, 3 * width // 4, 3 * height // 4), fill="yellow")
    return _png(image)


def mask(width: int = 80, height: int = 72) -> bytes:
    """White in the middle."""
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).rectangle((width // 3, height // 3, width // 2, height // 2), fill=255)
    return _png(image)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def free_address() -> str:
    """An address on this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def serving(models: Path, folder: Path, url: str) -> "subprocess.Popen[bytes]":
    """A local generator in a process of its own, that answers already."""
    script = folder / "serve.py"
    script.write_text(SERVE)
    command = [sys.executable, str(script), url, str(models), str(folder / "spool")]
    process = subprocess.Popen(command, process_group=0)
    transport = httpx.HTTPTransport(retries=8)  # it waits 0, 0.5, 1, 2, … seconds between them
    with httpx.Client(transport=transport, timeout=30) as client:
        client.get(f"{url}/healthz").raise_for_status()
    return process
