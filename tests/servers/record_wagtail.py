"""Writes plugins/wagtail/deliveries/*.http anew, each exactly as a real Wagtail sent it.

PYTHONPATH=tests python -m servers.record_wagtail
"""

import tempfile
from pathlib import Path

from servers.recorder import Recorder, recording
from servers.wagtail import Server

FOLDER = Path(__file__).parents[2] / "plugins/wagtail/deliveries"


def main() -> None:
    """One file for each kind of delivery."""
    with tempfile.TemporaryDirectory() as folder, recording() as service:
        site = Server(Path(folder))
        try:
            site.hook(f"{service.url}/hooks/news")
            _record(site, service)
        finally:
            site.stop()


def _record(site: Server, service: Recorder) -> None:
    site.sent("POST", "/frontispiece/test/")
    _keep(service, "test")
    ref = site.create("draft", title="Zwölf Boote & ein Hafen")
    _keep(service, "created")
    site.edit(ref, title="Dreizehn Boote & ein Hafen")
    _keep(service, "updated")
    site.edit(ref, publish=True, title="Vierzehn Boote & ein Hafen")
    _keep(service, "published")
    site.delete(ref)
    _keep(service, "deleted")


def _keep(service: Recorder, name: str) -> None:
    (FOLDER / f"{name}.http").write_bytes(service.take().raw)


if __name__ == "__main__":
    main()
