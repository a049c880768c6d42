"""Runs Contentful's own JavaScript for signed requests, which is installed once."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from servers.installed import installed

__all__ = ["signed", "verified"]

FILES = Path(__file__).parent / "contentful-files"


def signed(secret: str, request: dict[str, Any], stamp: int) -> dict[str, str]:
    """The headers that signRequest adds to a request of `method`, `path`, `headers` and `body`."""
    headers: dict[str, str] = _run(act="sign", secret=secret, request=request, stamp=stamp)
    return headers


def verified(secret: str, request: dict[str, Any]) -> bool:
    """What verifyRequest says of a request, whatever its age."""
    return bool(_run(act="verify", secret=secret, request=request))


def _run(**told: Any) -> Any:
    folder = installed("contentful", [FILES, Path(__file__)], _build)
    text = json.dumps(told).encode()
    done = subprocess.run(["node", folder / "sign.js"], input=text, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def _build(made: Path) -> None:
    for file in FILES.iterdir():
        shutil.copy2(file, made)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=made, check=True, timeout=300)
