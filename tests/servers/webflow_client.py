"""Webflow's own client for Node.js: what it says of webhooks, and its way through the API."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from servers.installed import installed

from frontispiece.cms import Delivery

__all__ = ["authentic", "drive"]

FILES = Path(__file__).with_name("webflow-files")
LOCKED = (FILES / "package.json", FILES / "package-lock.json")


def authentic(deliveries: Sequence[tuple[Delivery, str]]) -> list[bool]:
    """What webflow-api's `verifySignature` says of each delivery under its secret."""
    asked = [_asked(delivery, secret) for delivery, secret in deliveries]
    said: list[bool] = json.loads(_run("verify.cjs", told=json.dumps(asked)))
    return said


def drive(url: str, token: str, site: str, ref: str) -> Any:
    """Has it call all that our adapter calls; what it made of the item in the end."""
    return json.loads(_run("drive.cjs", url, token, site, *ref.split("/")))


def _run(script: str, *words: str, told: str = "") -> str:
    modules = installed("webflow-api", LOCKED, _build) / "node_modules"
    command, env = ["node", str(FILES / script), *words], os.environ | {"NODE_PATH": str(modules)}
    done = subprocess.run(command, env=env, input=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _asked(delivery: Delivery, secret: str) -> dict[str, Any]:
    return {"headers": dict(delivery.headers.pairs), "body": delivery.body.decode(), "secret": secret}


def _build(folder: Path) -> None:
    for file in LOCKED:
        shutil.copy(file, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
