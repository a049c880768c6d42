"""Writes plugins/ghost/deliveries/*.http anew, each exactly as a real Ghost sent it.

PYTHONPATH=tests python -m servers.record_ghost
"""

import json
import tempfile
from pathlib import Path

from servers.ghost import Server
from servers.recorder import Recorder, recording

FOLDER = Path(__file__).parents[2] / "plugins/ghost/deliveries"


def main() -> None:
    """One file for each kind of delivery, of a post and of a page; its name is the event's."""
    FOLDER.mkdir(exist_ok=True)
    with recording() as service, tempfile.TemporaryDirectory(prefix="ghost-") as folder:
        site = Server(Path(folder))
        site.start()
        try:
            site.keys["post_types"] = ("posts", "pages")
            site.hook(f"{service.url}/hooks/blog")
            _record(site, service)
        finally:
            site.stop()


def _record(site: Server, service: Recorder) -> None:
    post = site.write(title="Zwölf Boote & ein Hafen", status="draft")
    _keep(service, "post.added")
    site.save(post, custom_excerpt="Ein Tag am Meer", tags=[{"name": "Boote"}, {"name": "#intern"}])
    _keep(service, "post.edited")
    site.save(post, status="published")
    _keep(service, "post.published", "post.edited")
    site.delete(post)
    _keep(service, "post.deleted")
    site.write("pages", title="Impressum", status="published")
    _keep(service, "page.published", "page.added")


def _keep(service: Recorder, wanted: str, *others: str) -> None:
    """The wanted delivery; the others come with it, in any order, and are let go."""
    for _ in range(1 + len(others)):
        request = service.take()
        event = json.loads(request.body)["event"]
        assert event in (wanted, *others), event
        if event == wanted:
            (FOLDER / f"{event}.http").write_bytes(request.raw)


if __name__ == "__main__":
    main()
