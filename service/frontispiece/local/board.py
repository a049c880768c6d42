"""What is waiting, what is being drawn and what shall stop: the spool's orders, in the memory of the server."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from frontispiece.errors import Busy
from frontispiece.generators import Order
from frontispiece.generators.diffusers import Status
from frontispiece.local.spool import Spool

SWEEP = 60.0  # seconds between looks at what may be forgotten


@dataclass(slots=True)
class Drawing:
    """An order in a worker's hands. `progress` runs from 0 to 1."""

    state: Literal["loading", "drawing"] = "loading"
    progress: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


class Board:
    """Shared by the server's threads; `changed` is notified of every change and is the lock of everything here."""

    def __init__(self, spool: Spool, limit: int) -> None:
        self.spool, self.limit = spool, limit
        self.changed = threading.Condition(threading.RLock())
        self.waiting = spool.unfinished()
        self.drawing: dict[str, Drawing] = {}
        self.closed = False
        self._swept = 0.0

    def place(self, order: Order) -> str:
        """Takes an order and says its id. Raises `Busy` where too many wait; one that is here already is welcome."""
        with self.changed:
            name = self.spool.place(order)
            if self.spool.over(name) or name in self.waiting or self._drawn(name):
                return name
            if len(self.waiting) >= self.limit:
                self.spool.drop(name)
                raise Busy(f"{self.limit} orders wait for the local generator already", seconds=10)
            self.waiting.append(name)
            self.changed.notify_all()
            return name

    def _drawn(self, name: str) -> bool:
        return name in self.drawing and not self.drawing[name].cancelled.is_set()

    def status(self, name: str) -> Status | None:
        """What has become of an order; None where it is not known, any more or at all."""
        with self.changed:
            if self._drawn(name):
                return Status(state=self.drawing[name].state, progress=self.drawing[name].progress)
            if name in self.waiting:
                return Status(state="waiting", ahead=self.waiting.index(name) + len(self.drawing))
            if problem := self.spool.problem(name):
                return Status(state="failed", words=problem)
            if self.spool.picture(name).exists():
                return Status(state="finished", progress=1.0, facts=self.spool.facts(name))
            return None

    def cancel(self, name: str) -> None:
        """Forgets an order; if it is being drawn, that stops after the present step."""
        with self.changed:
            self.spool.drop(name)
            if name in self.waiting:
                self.waiting.remove(name)
            if name in self.drawing:
                self.drawing[name].cancelled.set()
            self.changed.notify_all()

    def take(self) -> str | None:
        """The next order to be drawn, for which this waits; None when the server ends."""
        with self.changed:
            while not self.closed:
                if name := next((each for each in self.waiting if each not in self.drawing), None):
                    self.waiting.remove(name)
                    self.drawing[name] = Drawing()
                    self.changed.notify_all()
                    return name
                self._sweep()
                self.changed.wait(SWEEP)
            return None

    def _sweep(self) -> None:
        if time.monotonic() - self._swept > SWEEP:
            self._swept = time.monotonic()
            self.spool.sweep(time.time())

    def note(self, drawing: Drawing, state: Literal["loading", "drawing"], progress: float | None) -> None:
        with self.changed:
            drawing.state, drawing.progress = state, progress
            self.changed.notify_all()

    def finish(self, name: str, picture: bytes, facts: Mapping[str, Any]) -> None:
        with self.changed:
            if self._drawn(name):
                self.spool.finish(name, picture, facts)

    def fail(self, name: str, words: str) -> None:
        with self.changed:
            if self._drawn(name):
                self.spool.fail(name, words)

    def done(self, name: str) -> None:
        """The worker has put it down, whatever became of it."""
        with self.changed:
            del self.drawing[name]
            self.changed.notify_all()

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()
