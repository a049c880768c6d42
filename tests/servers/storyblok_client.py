"""Storyblok's own client of its Management API, for Node.js: its way through what our adapter does."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from servers.installed import installed

__all__ = ["drive"]

FILES = Path(__file__).with_name("storyblok-files")
LOCKED = (FILES / "package.json", FILES / "package-lock.json")


def drive(url: str, token: str, space: int, ref: str) -> Any:
    """Has it call all that our adapter calls, webhooks aside; the story and an asset as it found them."""
    modules = installed("storyblok-client", LOCKED, _build) / "node_modules"
    command = ["node", str(FILES / "drive.mjs"), str(modules), url, token, str(space), ref]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _build(folder: Path) -> None:
    for file in LOCKED:
        shutil.copy(file, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
