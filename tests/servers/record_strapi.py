"""Writes plugins/strapi/deliveries/*.http anew, each exactly as a real Strapi sent it.

PYTHONPATH=tests python -m servers.record_strapi
"""

import json
import tempfile
from pathlib import Path

from servers.recorder import Recorder, recording
from servers.strapi import Server

FOLDER = Path(__file__).parents[2] / "plugins/strapi/deliveries"
BODY = [{"type": "paragraph", "children": [{"type": "text", "text": "Waves, and more waves."}]}]


def main() -> None:
    """A day of an editor: one file for each kind of delivery."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="strapi-") as folder, recording() as service:
        site = Server(Path(folder))
        try:
            site.start()
            site.hook(f"{service.url}/hooks/cms")
            _record(site, service)
        finally:
            site.stop()


def _record(site: Server, service: Recorder) -> None:
    hook = site.ask("GET", "/admin/webhooks")["data"][0]["id"]
    site.ask("POST", f"/admin/webhooks/{hook}/trigger")
    _keep(service, {"trigger-test": "test"})
    ref = site.write("draft", title="Zwölf Boote & ein Hafen", description="Ein Tag am Meer", body=BODY)
    _keep(service, {"entry.create": "created"})
    site.cm("POST", ref, "/actions/publish", json={})
    _keep(service, {"entry.update": "updated", "entry.publish": "published"})
    site.cm("PUT", ref, params={"locale": "fr"}, json={"title": "Douze bateaux et un port"})
    _keep(service, {"entry.create": "created-in-french"})
    site.delete(ref)
    _keep(service, {"entry.delete": "deleted"})
    site.write("draft", "product", name="Sea boots")
    _keep(service, {"entry.create": "created-without-drafts"})


def _keep(service: Recorder, names: dict[str, str]) -> None:
    """The next deliveries, in whatever order; of two of a kind (both versions are deleted) the last."""
    left = set(names)
    while left:
        request = service.take()
        event = json.loads(request.body)["event"]
        if event in names:
            (FOLDER / f"{names[event]}.http").write_bytes(request.raw)
            left.discard(event)


if __name__ == "__main__":
    main()
