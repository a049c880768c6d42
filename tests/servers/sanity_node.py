"""Runs Sanity's own JavaScript, groq-js and @sanity/webhook, which is installed once."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from servers.installed import installed

__all__ = ["groq", "run"]

FILES = Path(__file__).parent / "sanity-files"


def run(script: str, **told: Any) -> Any:
    """What a script in `sanity-files` answers to this JSON."""
    folder = installed("sanity", [FILES, Path(__file__)], _build)
    text = json.dumps(told).encode()
    done = subprocess.run(["node", folder / script], input=text, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def groq(query: str, **told: Any) -> Any:
    """The result of a GROQ query over `dataset`, with `params`; of a webhook's expression with `before` and `after`."""
    return run("groq.js", query=query, **told)


def _build(made: Path) -> None:
    for file in FILES.iterdir():
        shutil.copy2(file, made)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=made, check=True, timeout=300)
