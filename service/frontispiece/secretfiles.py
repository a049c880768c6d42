"""Webhook secrets that `frontispiece connect` has made or been given: a file each in the data folder."""

import os
from pathlib import Path
from typing import Any

DATA = Path("frontispiece-data")


def data(given: dict[str, Any]) -> Path:
    """The data folder that a configuration file means, or the environment over it."""
    return Path(os.environ.get("FRONTISPIECE_DATA") or given.get("data") or DATA)


def keep(folder: Path, site: str, secret: str) -> Path:
    """Writes the secret of a site into the data folder, readable by nobody else; its file."""
    place = folder / "secrets" / site
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.unlink(missing_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
    return place


def add(given: dict[str, Any]) -> None:
    """Puts the secrets that are kept into a configuration, for sites that say none themselves."""
    sites = given.get("sites")
    for name, keys in sites.items() if isinstance(sites, dict) else ():
        place = data(given) / "secrets" / name
        if isinstance(keys, dict) and place.is_file():
            keys.setdefault("webhook_secret", place.read_text("utf8").strip())
