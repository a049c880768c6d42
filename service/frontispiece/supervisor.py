"""`frontispiece up`: web, workers, watcher and the embedded Valkey, started, watched and restarted by one parent.

A child that ends is started again whatever its exit code: RQ's worker ends with 0 on some of its own mistakes.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from frontispiece import valkey
from frontispiece.config import Settings

log = logging.getLogger("frontispiece")

GRACE = 20.0  # seconds that children have to end
QUICK = 5.0  # a child that lived shorter than this is started again after a pause


@dataclass
class Child:
    """One process of ours and how to start it."""

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause: float = field(default=0.0)

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603 - ours
        self.started = time.monotonic()

    def tend(self) -> None:
        """Starts it again if it has ended; ever more slowly if it ends at once each time."""
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self.started
        self.pause = 0.0 if lived > QUICK else min(30.0, self.pause * 2 or 0.5)
        log.warning("%s ended with %s; it is started again", self.name, self.process.returncode)
        time.sleep(self.pause)
        self.start()


def children(settings: Settings) -> list[Child]:
    """What `up` runs beside the embedded Valkey."""
    ours = [sys.executable, "-m", "frontispiece"]
    workers = [Child(f"worker {number + 1}", [*ours, "worker"]) for number in range(settings.server.workers)]
    return [Child("web", [*ours, "web"]), Child("watcher", [*ours, "watch"]), *workers]


def up(settings: Settings) -> None:
    """Runs everything until SIGINT or SIGTERM, then ends what it started."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = None if settings.redis_url else valkey.start(settings.data)
    running = children(settings)
    try:
        for child in running:
            child.start()
        while not stop.wait(0.5):
            if server and server.poll() is not None:
                log.warning("the embedded Valkey ended; it is started again")
                server = valkey.start(settings.data)
            for child in running:
                child.tend()
    finally:
        end([child.process for child in running if child.process])
        if server:
            end([server])


def end(processes: "Sequence[subprocess.Popen[bytes]]") -> None:
    """Asks each process group to end, and kills what has not after a while."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    give_up = time.monotonic() + GRACE
    for process in processes:
        try:
            process.wait(max(0.1, give_up - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)
