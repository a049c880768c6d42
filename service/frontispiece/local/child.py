"""The parent's side of the child process that holds the model: start it, hand it orders, stop it, end it.

The parent imports no torch: CUDA does not survive a fork, and a process without a model is never killed for memory.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import inside

LOOK = 0.05  # seconds between looks at whether to stop
GRACE = 10.0  # seconds in which a step ends; a child that goes on is killed

Note = Callable[[Literal["loading", "drawing"], float | None], None]


class Died(Exception):  # noqa: N818 - it is a fact about the child
    """The child process ended in the middle of an order."""


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """The order was stopped because nobody wants it any more."""


class Child:
    """One process with one device. Used by one thread, but for `kill` and what may be looked at."""

    def __init__(self, settings: DiffusersSettings, device: str) -> None:
        self.settings, self.device = settings, device
        self.process: multiprocessing.process.BaseProcess | None = None
        self.loads = 0  # how often a model was loaded
        self.words = ""  # the model that is held and how, for `doctor`
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.is_alive() else None

    def draw(
        self, order: Order, folders: Mapping[str, Path], note: Note, cancelled: Callable[[], bool]
    ) -> tuple[bytes, dict[str, Any]]:
        """The picture as PNG and what is told beside it.

        Raises `Cancelled`, `Died`, and `GeneratorProblem` where the order cannot be drawn or takes too long.
        """
        note("loading", None)
        pipe = self._started()
        try:
            pipe.send((order, dict(folders)))
            return self._follow(pipe, note, cancelled)
        except (EOFError, OSError) as problem:  # BrokenPipeError, ConnectionResetError
            raise Died(self._buried()) from problem

    def _started(self) -> Connection:
        if self._pipe and self.pid:
            return self._pipe
        self.kill()
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        arguments = (theirs, self.settings, self.device, os.getpid())
        self.process = spawn.Process(target=inside.main, args=arguments, daemon=True)
        self.process.start()
        theirs.close()  # so that the end of the child is the end of the pipe
        return self._pipe

    def _follow(self, pipe: Connection, note: Note, cancelled: Callable[[], bool]) -> tuple[bytes, dict[str, Any]]:
        limit, stopping = self.settings.load_seconds, False
        end = time.monotonic() + limit
        while True:
            if cancelled() and not stopping:
                pipe.send(None)
                end, stopping = time.monotonic() + GRACE, True
            if time.monotonic() > end:
                self.kill()
                raise Cancelled if stopping else GeneratorProblem(_late(limit, self.settings))
            if not pipe.poll(LOOK):
                continue
            kind, told = pipe.recv()
            if kind == "held" and not stopping:
                limit = self.settings.picture_seconds
                end = time.monotonic() + limit
            if kind in ("drawn", "failed", "cancelled"):
                return _outcome(kind, told)
            self._note(kind, told, note)

    def _note(self, kind: str, told: Any, note: Note) -> None:
        if kind == "held":
            self.words, loaded = told
            self.loads += loaded
        note("drawing", told if kind == "step" else 0.0)

    def _buried(self) -> str:
        """How the child ended."""
        assert self.process
        self.process.join(GRACE)
        code = self.process.exitcode
        self.kill()
        return f"was killed by signal {-code}" if code and code < 0 else f"ended with code {code}"

    def close(self) -> None:
        """Lets the child end by itself; it does so at the end of its pipe."""
        if self.process and self._pipe:
            self._pipe.close()
            self.process.join(GRACE)
        self.kill()

    def kill(self) -> None:
        """Ends the child at once; the next order starts another."""
        if self.process:
            self.process.kill()
            self.process.join()
        if self._pipe:
            self._pipe.close()
        self.process, self._pipe, self.words = None, None, ""


def _outcome(kind: str, told: Any) -> tuple[bytes, dict[str, Any]]:
    if kind == "failed":
        raise GeneratorProblem(told)
    if kind == "cancelled":
        raise Cancelled
    picture, facts = told
    return picture, facts


def _late(limit: float, settings: DiffusersSettings) -> str:
    key = "picture_seconds" if limit == settings.picture_seconds else "load_seconds"
    return f"the picture was given up after {limit:g} seconds ({key} of the local generator), and the child was ended"
