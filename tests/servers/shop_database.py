"""One PostgreSQL for all shops that a test run starts; each shop has a database of its own in it."""

import atexit
import itertools
import subprocess
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from servers.database import binaries, postgres

__all__ = ["dumped", "new_database"]

_numbers = itertools.count(1)


def new_database(dump: Path | None = None) -> str:
    """The URL of a new database, empty or with what `dumped` wrote."""
    name = f"shop{next(_numbers)}"
    _psql(_server(), "-c", f"CREATE DATABASE {name}")
    url = _server().rpartition("/")[0] + f"/{name}"
    if dump is not None:
        _psql(url, "-f", str(dump))
    return url


def dumped(url: str, file: Path) -> None:
    """Writes all of a database into a file of SQL."""
    subprocess.run([binaries() / "pg_dump", "--no-owner", "-f", file, url], check=True, timeout=60)


@cache
def _server() -> str:
    """Runs until this process ends: a shop that is stopped finds its database again when it starts."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(postgres())


def _psql(url: str, *words: str) -> None:
    command = [str(binaries() / "psql"), "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1"]
    subprocess.run([*command, url, *words], check=True, stdout=subprocess.DEVNULL, timeout=60)
