"""The shop that each test site is copied from: installed, migrated and seeded once."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from servers.installed import installed

__all__ = ["environment", "shop"]

FILES = Path(__file__).parent / "oscar-files"
APP = Path(__file__).parents[2] / "plugins/oscar/plugin"


@cache
def shop() -> Path:
    """Holds `venv/` and `site/`, whose files are copied for each site."""
    return installed("oscar", [FILES, Path(__file__)], _build)


def _build(folder: Path) -> None:
    """A venv of its own, and a migrated shop in `site/`."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = str(folder / "venv/bin/python")
    pip = [python, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", FILES / "requirements.txt"], check=True)
    (folder / "site").mkdir()
    env = environment(folder / "site")
    subprocess.run([python, "-m", "django", "migrate", "-v", "0"], env=env, check=True)
    tokens = subprocess.run([python, str(FILES / "shop_seed.py")], env=env, check=True, capture_output=True).stdout
    (folder / "site/tokens.json").write_bytes(tokens)


def environment(folder: Path) -> dict[str, str]:
    """For Django with the site in this folder."""
    ours = {"DJANGO_SETTINGS_MODULE": "shop_settings", "PYTHONPATH": f"{FILES}:{APP}", "SHOP_FOLDER": str(folder)}
    return {**os.environ, **ours, "PYTHONDONTWRITEBYTECODE": "1"}
