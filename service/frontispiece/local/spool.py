"""Orders and their pictures in folders, so that whichever process is killed, nothing is lost.

    <id>/order.json    what was asked; the id is a hash of it
    <id>/tries         a byte for each time that drawing was begun
    <id>/facts.json    what is told beside the picture
    <id>/picture.png   it is drawn
    <id>/problem.txt   it failed, in words

A folder appears and a file changes by renaming, so each is whole or not there.
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from frontispiece.generators import Order
from frontispiece.generators.diffusers import Errand

KEPT = 3600.0  # seconds that a picture waits to be fetched


class Spool:
    """The folder `folder` of orders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, order: Order) -> str:
        """Keeps the order and says its id; the same order again is the same id, and a failed one begins anew."""
        body = Errand(order=order).model_dump_json().encode()
        name = hashlib.sha256(body).hexdigest()[:32]
        if self.problem(name):
            self.drop(name)
        if not (self.folder / name).exists():
            draft = self.folder / f".{name}.{time.monotonic_ns()}"
            draft.mkdir()
            _write(draft / "order.json", body)
            with contextlib.suppress(FileExistsError, OSError):  # somebody has just placed the same
                draft.rename(self.folder / name)
            shutil.rmtree(draft, ignore_errors=True)
        return name

    def order(self, name: str) -> Order:
        """Raises `OSError` where it has been dropped."""
        return Errand.model_validate_json((self.folder / name / "order.json").read_bytes()).order

    def unfinished(self) -> list[str]:
        """The orders that are to be drawn, oldest first."""
        names = [path.name for path in self.folder.iterdir() if not path.name.startswith(".")]
        return sorted((name for name in names if not self.over(name)), key=self._placed)

    def _placed(self, name: str) -> int:
        return (self.folder / name / "order.json").stat().st_mtime_ns

    def knows(self, name: str) -> bool:
        return (self.folder / name / "order.json").exists()

    def over(self, name: str) -> bool:
        return self.picture(name).exists() or bool(self.problem(name))

    def picture(self, name: str) -> Path:
        return self.folder / name / "picture.png"

    def facts(self, name: str) -> dict[str, Any]:
        """What is told beside the picture; nothing where a power cut took it."""
        try:
            said: dict[str, Any] = json.loads((self.folder / name / "facts.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return said

    def problem(self, name: str) -> str:
        """Why it failed, or nothing."""
        try:
            return (self.folder / name / "problem.txt").read_text(encoding="utf-8")
        except OSError:
            return ""

    def tried(self, name: str) -> int:
        """Notes that drawing begins, and says how often it has."""
        with (self.folder / name / "tries").open("ab") as file:
            file.write(b".")
            return file.tell()

    def forgive(self, name: str) -> None:
        """Forgets that drawing was begun: it was not the order that ended it."""
        (self.folder / name / "tries").unlink(missing_ok=True)

    def finish(self, name: str, picture: bytes, facts: Mapping[str, Any]) -> None:
        """Keeps the picture. Raises `OSError` where the order has been dropped."""
        (self.folder / name / "facts.json").write_text(json.dumps(dict(facts)), encoding="utf-8")
        _write(self.picture(name), picture)

    def fail(self, name: str, words: str) -> None:
        """Keeps the words. Raises `OSError` where the order has been dropped."""
        _write(self.folder / name / "problem.txt", words.encode())

    def drop(self, name: str) -> None:
        """Forgets an order; by renaming first, so that it is gone at once."""
        gone = self.folder / f".{name}.{time.monotonic_ns()}"
        with contextlib.suppress(OSError):
            (self.folder / name).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def sweep(self, now: float) -> None:
        """Forgets what was over for `KEPT` seconds at the time `now`, and what was half written."""
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):  # dropped meanwhile
                if now - path.stat().st_mtime > KEPT and (path.name.startswith(".") or self.over(path.name)):
                    shutil.rmtree(path)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
