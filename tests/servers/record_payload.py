"""Writes plugins/payload/deliveries/*.http anew, each exactly as a real Payload sent it.

PYTHONPATH=tests python -m servers.record_payload
"""

import tempfile
from pathlib import Path

from servers.payload import Server
from servers.recorder import Recorder, recording

FOLDER = Path(__file__).parents[2] / "plugins/payload/deliveries"


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
    site.sent("POST", "/frontispiece/test")
    _keep(service, "test")
    ref = site.create("draft", title="Zwölf Boote & ein Hafen")
    _keep(service, "created")
    site.rename(ref, "Dreizehn Boote & ein Hafen")
    _keep(service, "updated")
    site.sent("PATCH", f"/{ref}", json={"title": "Vierzehn Boote", "_status": "published"}, params={"locale": "de"})
    _keep(service, "published")
    site.delete(ref)
    _keep(service, "deleted")


def _keep(service: Recorder, name: str) -> None:
    (FOLDER / f"{name}.http").write_bytes(service.take().raw)


if __name__ == "__main__":
    main()
