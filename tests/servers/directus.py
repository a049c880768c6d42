"""A real Directus 12 on a PostgreSQL and a port of its own, for as long as a test wants it."""

import shutil
import subprocess
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import httpx
from servers.database import free_port, postgres
from servers.directus_core import ADMIN, process, template, token
from servers.site import Site, State

__all__ = ["PANEL_TOKEN", "TYPES", "Server"]

PANEL = Path(__file__).parents[2] / "plugins/directus/plugin"
PANEL_TOKEN = "token-of-the-directus-tests"
TYPES = {
    "articles": {
        "image": "hero",
        "alt": "hero_alt",
        "caption": "hero_caption",
        "excerpt": "summary",
        "body": "body",
        "tags": "tags",
        "section": "section.name",
        "author": "user_created.first_name",
        "opt_out": "no_picture",
        "url": "https://example.org/news/{slug}",
    },
    "products": {
        "kind": "product",
        "key": "number",
        "image": "photo",
        "title": "name",
        "status": "",
        "created": "changed",
        "updated": "changed",
    },
}


class Server(Site):
    """One site. `panel` is where the service is that the editor's panel asks; without it the panel is not installed.

    `settings` go into the environment of Directus.
    """

    plugin: ClassVar[str] = "directus"
    version: ClassVar[str] = "12.4.0"

    def __init__(self, folder: Path, panel: str = "", **settings: str) -> None:
        port, holds = free_port(), ExitStack()
        weakref.finalize(self, holds.close)  # the database lives through stop and start, and ends with the site
        database = holds.enter_context(postgres())
        subprocess.run(["psql", "-q", "-d", database, "-f", template()], check=True, capture_output=True, timeout=60)
        if panel:
            (folder / "package.json").write_text('{"name": "site"}')  # without it no extension is loaded
            shutil.copytree(PANEL, folder / "extensions" / "frontispiece")
            settings |= {f"FRONTISPIECE_{name}": value for name, value in self.panel(panel).items()}
        self.url = f"http://127.0.0.1:{port}"
        self.keys = {"token": token("frontispiece"), "admin_token": ADMIN, "types": TYPES}
        self._process = process(folder, database, port, **settings)

    @staticmethod
    def panel(service: str) -> dict[str, str]:
        """What the panel's README has put into the environment of Directus."""
        return {"URL": service, "SITE": "blog", "TOKEN": PANEL_TOKEN}

    def start(self) -> None:
        self._process.start()

    def stop(self) -> None:
        self._process.stop()

    def api(self, key: str = token("editor")) -> httpx.Client:
        """A client of the REST API as this user; by default the editor."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def ask(self, method: str, path: str, key: str = token("editor"), **request: Any) -> Any:
        """The `data` of an answer."""
        with self.api(key) as api:
            answer = api.request(method, path, **request)
        assert answer.is_success, f"{method} {path} answered {answer.status_code}: {answer.text}"
        return answer.json()["data"] if answer.content else None

    def hook(self, address: str) -> None:
        adapter = self.adapter()
        with adapter.open() as api:
            adapter.connect(api, address)

    def create(self, state: State, title: str = "A day at sea") -> str:
        status = "draft" if state == "draft" else "published"
        fields = {"status": status, "title": title, "body": "<p>Waves, all day.</p>", "slug": "a-day-at-sea"}
        number = self.ask("POST", "/items/articles", json=fields)["id"]
        if state == "changed":
            self.save_version(number, {"title": f"{title} (changed)"})
        return f"articles/{number}"

    def save_version(self, number: str, changes: dict[str, Any]) -> str:
        """Keeps an editor's changes in the item's version "draft", as the Studio does; the version's id."""
        version = self._version(number)
        if version is None:
            facts = {"key": "draft", "name": "Draft", "collection": "articles", "item": number}
            version = self.ask("POST", "/versions", json=facts)
        self.ask("POST", f"/versions/{version['id']}/save", json=changes)
        return str(version["id"])

    def promote(self, version: str) -> None:
        """The editor makes the version the item."""
        main = self.ask("GET", f"/versions/{version}/compare")["mainHash"]
        self.ask("POST", f"/versions/{version}/promote", json={"mainHash": main})

    def state(self, ref: str) -> State:
        number = ref.partition("/")[2]
        if self._main(ref)["status"] == "draft":
            return "draft"
        version = self._version(number)
        return "changed" if version and version["delta"] else "published"

    def title(self, ref: str) -> str:
        return str(self._seen(ref)["title"])

    def public_title(self, ref: str) -> str:
        main = self._main(ref)
        return str(main["title"]) if main["status"] == "published" else ""

    def image(self, ref: str) -> str:
        return str(self._seen(ref)["hero"] or "")

    def alt(self, ref: str) -> str:
        return str(self._seen(ref)["hero_alt"] or "")

    def upload(self, data: bytes) -> str:
        """An editor uploads a PNG; its id."""
        return str(self.ask("POST", "/files", files={"file": ("theirs.png", data, "image/png")})["id"])

    def set_image(self, ref: str, data: bytes) -> None:
        self.ask("PATCH", f"/items/{ref}", json={"hero": self.upload(data), "hero_alt": "Their own"})

    def rename(self, ref: str, title: str) -> None:
        if self.state(ref) == "changed":
            self.save_version(ref.partition("/")[2], {"title": title})
        else:
            self.ask("PATCH", f"/items/{ref}", json={"title": title})

    def delete(self, ref: str) -> None:
        self.ask("DELETE", f"/items/{ref}")

    def pictures(self) -> int:
        return len(self.ask("GET", "/files", params={"limit": "-1", "fields": "id"}))

    def _main(self, ref: str) -> Any:
        return self.ask("GET", f"/items/{ref}")

    def _seen(self, ref: str) -> Any:
        """The item as an editor sees it, with the changes that a version holds."""
        changed = self._version(ref.partition("/")[2])
        return self.ask("GET", f"/items/{ref}", params={"version": "draft"} if changed else {})

    def _version(self, number: str) -> Any:
        query = {"filter[item][_eq]": number, "filter[key][_eq]": "draft"}
        return next(iter(self.ask("GET", "/versions", params=query)), None)
