"""`frontispiece local`: orders over HTTP on this machine, and the processes that draw them.

    POST   /orders              an `Errand` as JSON → 202 {"id"}; the same order again is the same id
    GET    /orders/<id>         → `Status`
    GET    /orders/<id>/picture → the PNG, for an hour
    DELETE /orders/<id>         forgets it, and stops drawing it after the present step
    GET    /healthz             → {"children": [{"device", "pid", "loads", "words"}], "waiting", "drawing"}
    GET    /doctor?model=a&…    → {"sentences": […]}

What is refused is told as {"words"}: 404 not known (any more), 422 cannot be drawn, 429 too many orders wait.
There is no password: it listens on loopback only, and a web page's request is refused.
"""

import fcntl
import os
import threading
from pathlib import Path
from typing import Any, Self

import httpx

from frontispiece.errors import ConfigProblem, GeneratorProblem
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import checks, memory
from frontispiece.local.board import Board
from frontispiece.local.handler import Handler, Http
from frontispiece.local.spool import Spool
from frontispiece.local.worker import Worker

LOOPBACK = ("127.0.0.1", "localhost")


class LocalServer:
    """The board, a worker for each device, and HTTP in a thread of its own; a context manager.

    `folder` keeps the orders. Port 0 in the `base_url` is any free one; `url` says which. Raises `ConfigProblem`.
    """

    def __init__(self, settings: DiffusersSettings, folder: Path) -> None:
        self.settings = settings
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder / "lock")
        try:
            self._http = _bound(_address(settings))
        except ConfigProblem:
            os.close(self._lock)
            raise
        self.board = Board(Spool(folder / "orders"), settings.waiting)
        self.workers = [Worker(self.board, settings, device) for device in settings.devices]
        self._http.local = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        for worker in self.workers:
            worker.start()
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self.board.close()
        for worker in self.workers:
            worker.stop()
        os.close(self._lock)

    def health(self) -> dict[str, Any]:
        """What works, for programs."""
        children = [
            {"device": each.child.device, "pid": each.child.pid, "loads": each.child.loads, "words": each.child.words}
            for each in self.workers
        ]
        return {"children": children, "waiting": len(self.board.waiting), "drawing": len(self.board.drawing)}

    def doctor(self, models: list[str]) -> list[str]:
        """Sentences for the operator: what is held, and which of the models are missing or not complete."""
        held = [f"{each.child.device}: {each.child.words}" for each in self.workers if each.child.words]
        return [*held, *(words for model in models if (words := self._missing(model)))]

    def _missing(self, model: str) -> str:
        try:
            checks.complete(checks.find(model, self.settings.models))
        except GeneratorProblem as problem:
            return problem.words
        return (
            ""
            if any(memory.title(model) in each.child.words for each in self.workers)
            else f"{memory.title(model)} is complete and is loaded when it is first wanted"
        )


def _address(settings: DiffusersSettings) -> tuple[str, int]:
    url = httpx.URL(settings.base_url)
    if url.host not in LOOPBACK:
        raise ConfigProblem(f"base_url of the local generator is {settings.base_url}, which is not on this machine")
    return "127.0.0.1", 80 if url.port is None else url.port


def _bound(address: tuple[str, int]) -> Http:
    try:
        return Http(address, Handler)
    except OSError as problem:
        raise ConfigProblem(
            f"{address[0]}:{address[1]} is taken or forbidden ({problem.strerror}); set another base_url"
        ) from problem


def _locked(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        os.close(lock)
        raise ConfigProblem(f"another `frontispiece local` uses the folder {path.parent} already") from problem
    return lock
