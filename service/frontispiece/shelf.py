"""Where plugins and templates lie: the operator's own folders first, then ours, in a checkout or in the wheel."""

import os
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _folders(name: str, variable: str) -> list[Path]:
    own = [Path(part) for part in os.environ.get(variable, "").split(os.pathsep) if part]
    checkout = _HERE.parent.parent / name
    shipped = checkout if checkout.is_dir() else _HERE / name
    return [*own, shipped]


def plugins() -> list[Path]:
    """Folders that hold plugin folders. What lies in `FRONTISPIECE_PLUGINS` runs as code."""
    return _folders("plugins", "FRONTISPIECE_PLUGINS")


def templates() -> list[Path]:
    """Folders that hold prompt templates and brands (`FRONTISPIECE_TEMPLATES` first)."""
    return _folders("templates", "FRONTISPIECE_TEMPLATES")
