"""Starting the local generator: as a command, or for as long as one picture of `frontispiece generate` takes."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from frontispiece.errors import ConfigProblem
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local.server import LOOPBACK, LocalServer
from frontispiece.parent import die_with

START = 20.0  # seconds until a server answers


def serve(settings: DiffusersSettings, folder: Path) -> None:
    """Serves until SIGINT or SIGTERM; what is being drawn then is drawn at the next start. Raises `ConfigProblem`."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with LocalServer(settings, folder):
        stop.wait()


def here(settings: DiffusersSettings) -> bool:
    """Whether the server belongs on this machine, so that `up` should start it."""
    return httpx.URL(settings.base_url).host in LOOPBACK


@contextlib.contextmanager
def running(settings: DiffusersSettings, folder: Path) -> Iterator[None]:
    """A server that answers: the one that runs already, or one for as long as this lasts. Raises `ConfigProblem`."""
    if _answers(settings):
        yield
        return
    if not here(settings):
        raise ConfigProblem(f"no local generator answers at {settings.base_url}; start `frontispiece local` there")
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_serve_for, args=(settings, folder, os.getpid()))
    process.start()
    try:
        _wait(settings, process)
        yield
    finally:
        process.terminate()
        process.join()


def _serve_for(settings: DiffusersSettings, folder: Path, parent: int) -> None:
    die_with(parent, signal.SIGTERM)
    try:
        serve(settings, folder)
    except ConfigProblem as problem:
        sys.exit(problem.words)


def _wait(settings: DiffusersSettings, process: BaseProcess) -> None:
    end = time.monotonic() + START
    while process.is_alive() and time.monotonic() < end:
        if _answers(settings):
            return
        time.sleep(0.05)
    raise ConfigProblem(f"the local generator does not start at {settings.base_url}; what it says is above")


def _answers(settings: DiffusersSettings) -> bool:
    try:
        answer = httpx.get(f"{settings.base_url}/healthz", trust_env=False, timeout=2.0)
    except httpx.HTTPError:
        return False
    return answer.is_success and "children" in answer.json()
