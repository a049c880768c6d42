"""`frontispiece up`: web, workers, watcher and the embedded Valkey, started, watched and restarted by one parent.

A child that ends is started again whatever its exit code: RQ's worker ends with 0 on some of its own mistakes.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from frontispiece import parent, valkey
from frontispiece.config import Settings
from frontispiece.errors import ConfigProblem
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import start as local

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
    again: float = field(default=0.0)  # when it is to be started, once it has ended

    def start(self) -> None:
        environment = {**os.environ, parent.VARIABLE: str(os.getpid())}
        self.process = subprocess.Popen(  # noqa: S603 - a command of our own
            self.command, env=environment, stdin=subprocess.DEVNULL, process_group=0
        )
        self.started, self.again = time.monotonic(), 0.0

    def tend(self) -> None:
        """Starts it again if it has ended; ever more slowly if it ends at once each time. Never waits itself."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        if not self.again:
            self.pause = 0.0 if now - self.started > QUICK else min(30.0, self.pause * 2 or 0.5)
            self.again = now + self.pause
            log.warning("%s ended with %s; it is started again", self.name, self.process.returncode)
        if now >= self.again:
            self.start()


def may_listen(settings: Settings) -> None:
    """Raises `ConfigProblem` where another process has the port: two servers would share it without a word."""
    server = settings.server
    try:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        socket.create_server((server.host, server.port), family=family).close()
    except OSError as problem:
        words = f"{server.host}:{server.port} cannot be listened on ({problem.strerror}): choose another [server] port"
        raise ConfigProblem(words) from None


def children(settings: Settings) -> list[Child]:
    """What `up` runs beside the embedded Valkey."""
    ours = [sys.executable, "-m", "frontispiece"]
    workers = [Child(f"worker {number + 1}", [*ours, "worker"]) for number in range(settings.server.workers)]
    pipelines = [Child(f"local {name}", [*ours, "local", name]) for name in _local(settings)]
    return [Child("web", [*ours, "web"]), Child("watcher", [*ours, "watch"]), *workers, *pipelines]


def _local(settings: Settings) -> Iterator[str]:
    """The generators that draw in a process of this machine."""
    for name in settings.in_use():
        _, given = settings.generator(name)
        if isinstance(given, DiffusersSettings) and local.here(given):
            yield name


def up(settings: Settings) -> None:
    """Runs everything until SIGINT or SIGTERM, then ends what it started."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    server = None if settings.redis_url else valkey.start(settings.data)
    running = children(settings)
    try:
        for child in running:
            child.start()
        while not stop.wait(0.5):
            if not settings.redis_url:
                server = tend_valkey(settings, server)
            for child in running:
                child.tend()
    finally:
        end([child.process for child in running if child.process])
        if server:
            end([server])


def tend_valkey(settings: Settings, server: "subprocess.Popen[bytes] | None") -> "subprocess.Popen[bytes] | None":
    """Starts the embedded Valkey again if it has ended, also one that an earlier `up` left behind."""
    if server and server.poll() is None:
        return server
    if server:
        log.warning("the embedded Valkey ended; it is started again")
    try:
        return valkey.start(settings.data)
    except ConfigProblem as problem:  # nothing is lost meanwhile: deliveries are in the database
        log.error("%s", problem)  # noqa: TRY400 - words for a person, no mistake of ours
        return None


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
