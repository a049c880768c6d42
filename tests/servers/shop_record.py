"""Writes the deliveries of a shop's plugin folder anew, each exactly as the real shop sent it.

PYTHONPATH=tests python -m servers.shop_record vendure
"""

import importlib
import sys
import tempfile
from pathlib import Path

from servers.recorder import Recorder, recording
from servers.site import Site

PLUGINS = Path(__file__).parents[2] / "plugins"
TITLE = "Zwölf Stühle & ein Tisch"


def main(name: str) -> None:
    """One file for each kind of delivery."""
    with tempfile.TemporaryDirectory() as folder, recording() as service:
        site: Site = importlib.import_module(f"servers.{name}").Server(Path(folder))
        try:
            site.start()
            site.hook(f"{service.url}/hooks/shop")
            _record(site, service, PLUGINS / name / "deliveries")
        finally:
            site.stop()


def _record(site: Site, service: Recorder, folder: Path) -> None:
    site.create("draft", TITLE)
    _keep(service, folder / "created.http")
    ref = site.create("published", TITLE)
    _keep(service, folder / "published.http")
    site.rename(ref, "Twelve chairs")
    _keep(service, folder / "updated.http")
    site.delete(ref)
    _keep(service, folder / "deleted.http")


def _keep(service: Recorder, file: Path) -> None:
    file.write_bytes(service.take().raw)


if __name__ == "__main__":
    main(sys.argv[1])
