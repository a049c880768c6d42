"""Holds GraphQL exchanges against Shopify's published Admin schema with the reference implementation of GraphQL.

The schema is a file of npm's @shopify/dev-mcp (ISC), which is fetched once and not kept in this repository: of the
package itself nothing is run, and its 300 dependencies are not installed.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from servers.installed import installed

__all__ = ["faults"]

FILES = Path(__file__).parent / "shopify-files"
PACKAGE, SCHEMA = "@shopify/dev-mcp@1.16.0", "package/dist/data/admin_2026-10.json.gz"
INTEGRITY = "tqgRnK7sQhjew+htxtleTH23nXB5fZcsrhWgEkomsorGXvLOB2mh2upwZm8uzuTDNTZnqtLMe64yIwh6s2awtw=="  # sha512


def faults(exchanges: list[dict[str, Any]]) -> list[str]:
    """What is wrong with these {query, variables, data}; without `data` only the query is looked at."""
    folder = installed("shopify", [FILES, Path(__file__)], _build)
    text = json.dumps(exchanges).encode()
    done = subprocess.run(["node", folder / "check.js"], input=text, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    found: list[str] = json.loads(done.stdout)
    return found


def _build(made: Path) -> None:
    for file in FILES.iterdir():
        shutil.copy2(file, made)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=made, check=True, timeout=300)
    subprocess.run(["npm", "pack", PACKAGE], cwd=made, check=True, timeout=300, stdout=subprocess.DEVNULL)
    [packed] = made.glob("*.tgz")
    assert base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() == INTEGRITY
    with tarfile.open(packed) as archive:
        schema = archive.extractfile(SCHEMA)
        assert schema is not None
        (made / "schema.json.gz").write_bytes(schema.read())
    packed.unlink()
