"""`frontispiece demo` in a process of its own, as somebody new starts it and reads what it prints."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers.database import free_port


@dataclass(frozen=True)
class Demo:
    """What the demo has printed: the addresses of the desk and of the newspaper, and how one logs in."""

    desk: str
    newsroom: str
    name: str
    password: str


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """The demo in this folder, without any key of this machine; it is ended as by Ctrl-C."""
    command = [sys.executable, "-m", "frontispiece", "demo", "--folder", str(folder), "--port", str(free_port())]
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("FRONTISPIECE_", "BFL_"))}
    process = subprocess.Popen(command, env=bare, process_group=0, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        yield read(printed)
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # which a shell never has us ignore, as it may SIGINT
        process.communicate(timeout=60)


def read(printed: str) -> Demo:
    """What somebody takes from the demo's words."""
    found = re.search(
        r"Review desk +(?P<desk>http\S+)\n +log in as (?P<name>\S+) with the password (?P<password>\S+)\n"
        r"(?s:.*)The Gazette +(?P<newsroom>http\S+)\n",
        printed,
    )
    assert found, printed
    return Demo(**found.groupdict())
