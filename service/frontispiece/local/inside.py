"""What runs in the child process: it imports torch, holds one model and draws one order at a time.

Over the pipe come (order, folders), None to stop the present one, or the end. Back go ("held", (words, loaded)),
("step", progress), and one of ("drawn", (png, facts)), ("failed", words), ("cancelled", None).
"""

import os
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.parent import die_with

if TYPE_CHECKING:
    from frontispiece.local.drawing import Studio

ENVIRONMENT = {  # before the imports: afterwards nobody looks
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
}


class Stopped(Exception):  # noqa: N818 - it was asked for
    """The parent wants the present order no more."""


def main(pipe: Connection, settings: DiffusersSettings, device: str, parent: int) -> None:
    """Draws until the pipe ends. An error of CUDA is not caught: only a new process can use the card again."""
    die_with(parent, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    os.environ |= ENVIRONMENT
    try:
        from frontispiece.local.drawing import Studio  # noqa: PLC0415 - imports torch, after the environment is set
    except ImportError as problem:
        pipe.send(("failed", f"the local generator lacks a package: pip install 'frontispiece[local]' ({problem})"))
        return
    studio = Studio(settings, device)
    while True:
        try:
            said = pipe.recv()
        except EOFError:
            return
        if said is not None:  # None came too late for an order that is drawn
            _draw(studio, pipe, *said)


def _draw(studio: "Studio", pipe: Connection, order: Order, folders: Mapping[str, Path]) -> None:
    def on_step(progress: float) -> None:
        pipe.send(("step", progress))
        if pipe.poll():
            pipe.recv()
            raise Stopped

    try:
        words, loaded = studio.hold(order, folders)
        pipe.send(("held", (words, loaded)))
        pipe.send(("drawn", studio.draw(order, folders, on_step)))
    except Stopped:
        pipe.send(("cancelled", None))
    except GeneratorProblem as problem:
        pipe.send(("failed", problem.words))
