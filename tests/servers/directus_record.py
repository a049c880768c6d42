"""Writes plugins/directus/deliveries/*.http anew, as a real Directus sent them; only the host's name is made neutral.

PYTHONPATH=tests python -m servers.directus_record
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from servers.directus import Server
from servers.recorder import Recorder, recording

FOLDER = Path(__file__).parents[2] / "plugins/directus/deliveries"


def main() -> None:
    """One file for each kind of delivery."""
    with tempfile.TemporaryDirectory(prefix="directus-") as folder, recording() as service:
        site = Server(Path(folder))
        site.start()
        try:
            site.hook(f"{service.url}/hooks/cms")
            _record(site, service)
        finally:
            site.stop()


def _record(site: Server, service: Recorder) -> None:
    with site.adapter().open() as api:
        site.adapter().doctor(api)
    _keep(service, "ping")
    first = site.create("draft", "Zwölf Boote & ein Hafen").partition("/")[2]
    _keep(service, "created")
    second = site.create("published").partition("/")[2]
    _keep(service, "created-public")
    _write(site, {"keys": [first, second], "data": {"summary": "Ein Tag am Meer"}})
    _keep(service, "updated-two")
    site.ask("PATCH", f"/items/articles/{first}", json={"status": "published"})
    _keep(service, "published")
    site.ask("PATCH", f"/items/articles/{first}", json={"status": "archived"})
    _keep(service, "archived")
    site.delete(f"articles/{second}")
    _keep(service, "deleted")
    site.ask("POST", "/items/products", json={"name": "A lamp"})
    _keep(service, "product")


def _write(site: Server, body: Mapping[str, Any]) -> None:
    site.ask("PATCH", "/items/articles", json=dict(body))


def _keep(service: Recorder, name: str) -> None:
    host = httpx.URL(service.url).netloc
    (FOLDER / f"{name}.http").write_bytes(service.take().raw.replace(host, b"frontispiece.example.org"))


if __name__ == "__main__":
    main()
