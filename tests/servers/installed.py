"""Servers that tests start are installed once into the user's cache folder and found there by every later run."""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["cache", "installed"]


def cache() -> Path:
    """Where downloads are kept between runs; safe to delete, then fetched anew."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "frontispiece-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def installed(name: str, recipe: Iterable[Path], build: Callable[[Path], None]) -> Path:
    """The folder that `build` has filled, made anew whenever a file of the recipe has changed; never written to.

    `recipe` are the files that decide what is built, such as a lock file and the module that holds `build`; folders
    stand for all files in them. `build` is given an empty folder, which is moved when it is whole.
    """
    done = cache() / f"{name}-{_fingerprint(recipe)}"
    with _locked(cache() / f"{name}.lock"):
        if not done.exists():
            with tempfile.TemporaryDirectory(dir=cache(), prefix=f"{name}-") as work:
                made = Path(work) / "made"
                made.mkdir()
                build(made)
                made.rename(done)
        os.utime(done)
        _forget_old(name)
    return done


def _forget_old(name: str) -> None:
    """Removes what other recipes have made and nobody has asked for in two weeks."""
    for folder in cache().glob(f"{name}-{'[0-9a-f]' * 8}"):
        if time.time() - folder.stat().st_mtime > 14 * 86400:
            shutil.rmtree(folder, ignore_errors=True)


def _fingerprint(recipe: Iterable[Path]) -> str:
    files = sorted(file for path in recipe for file in ([path] if path.is_file() else path.rglob("*")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()[:8]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
