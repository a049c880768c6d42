"""The processes that the demo starts, each in a group of its own and with a log file, and how they end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from frontispiece.errors import Problem

GRACE = 30.0  # seconds that a process has to end; the service itself gives its own children 20


@dataclass(frozen=True)
class Running:
    """A Python module that runs, and where its words go."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def must_live(self) -> None:
        """Raises `Problem` if it has ended."""
        status = self.process.poll()
        if status is not None:
            raise Problem(f"the {self.name} ended with {status}")

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.log.read_text("utf8", errors="replace").splitlines()[-lines:])


def start(name: str, module: Sequence[str], log: Path, env: Mapping[str, str]) -> Running:
    """Runs `python -m <module>`; its output goes to `log`."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - ours, with our own words
            [sys.executable, "-m", *module],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=env,
            process_group=0,
        )
    return Running(name, process, log)


def wait_for(running: Running, url: str, seconds: float = 60.0) -> None:
    """Until `url` answers 200. Raises `Problem` when the process ends or the time is over."""
    end = time.monotonic() + seconds
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < end:
            running.must_live()
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # nobody listens yet
            time.sleep(0.1)
    raise Problem(f"the {running.name} did not become ready within {seconds:.0f} seconds: {url}")


def stop(everything: Sequence[Running]) -> None:
    """Ends the processes with all that belongs to them, the last one started first; nothing interrupts this."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for running in reversed(everything):
        _send(running.process, signal.SIGTERM)
        try:
            running.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            _send(running.process, signal.SIGKILL)
            running.process.wait()


def _send(process: "subprocess.Popen[bytes]", number: int) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)
