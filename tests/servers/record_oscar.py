"""Writes plugins/oscar/deliveries/*.http anew, each exactly as a real shop sent it.

PYTHONPATH=tests python -m servers.record_oscar
"""

import tempfile
from pathlib import Path

from servers.oscar import PRODUCTS, Server
from servers.oscar_shop import APP
from servers.recorder import Recorder, recording

FOLDER = APP.parent / "deliveries"


def main() -> None:
    """One file for each kind of delivery."""
    with recording() as service, tempfile.TemporaryDirectory() as folder:
        shop = Server(Path(folder))
        try:
            shop.start()
            shop.hook(f"{service.url}/hooks/shop")
            _record(shop, service)
        finally:
            shop.stop()


def _record(shop: Server, service: Recorder) -> None:
    adapter = shop.adapter()
    with adapter.open() as api:
        adapter.doctor(api)
    _keep(service, "ping")
    ref = shop.create("draft", title="Zwölf Boote & ein <em>Hafen</em>")
    _keep(service, "created")
    shop.rename(ref, "Zwölf Boote am Morgen")
    _keep(service, "updated")
    shop.submit(f"{PRODUCTS}/{ref}/", is_public="on")
    _keep(service, "published")
    shop.delete(ref)
    _keep(service, "deleted")


def _keep(service: Recorder, name: str) -> None:
    (FOLDER / f"{name}.http").write_bytes(service.take().raw)


if __name__ == "__main__":
    main()
