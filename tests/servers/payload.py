"""A real Payload without Next, with our plugin in its configuration, on SQLite."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import httpx
from servers.database import free_port
from servers.installed import installed
from servers.process import Process
from servers.site import SECRET, Site, State

FILES = Path(__file__).parent / "payload-files"
PLUGIN = Path(__file__).parents[2] / "plugins/payload/plugin/frontispiece.mjs"
PACKAGES = ("package.json", "package-lock.json")
KEY = "{}-00000000-0000-4000-8000-00000000beef"  # as server.mjs gives its users theirs


def _modules(folder: Path) -> None:
    """What npm brings."""
    for name in PACKAGES:
        shutil.copy(FILES / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, timeout=900, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _seeded(folder: Path) -> None:
    """The server beside its modules, and a database with tables and users."""
    shutil.copy(FILES / "server.mjs", folder)
    modules = installed("payload-modules", [FILES / name for name in PACKAGES], _modules)
    (folder / "node_modules").symlink_to(modules / "node_modules")
    env = {**os.environ, "SEED": "1", "DATABASE": "seeded.db", "MEDIA": "media", "PLUGIN": str(PLUGIN)}
    subprocess.run(["node", "server.mjs"], cwd=folder, env=env, check=True, timeout=120, stdout=subprocess.DEVNULL)


class Server(Site):
    """Everything on the articles is done with the editor's key; Frontispiece has the service user's."""

    plugin: ClassVar[str] = "payload"
    version: ClassVar[str] = "3.90.2"

    def __init__(self, folder: Path) -> None:
        home = installed("payload", [FILES], _seeded)
        shutil.copy(home / "seeded.db", folder / "payload.db")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        article = {"title": "title", "image": "hero", "excerpt": "excerpt", "body": "body", "tags": "tags"}
        article |= {"opt_out": "plain", "url": "https://example.org/news/{slug}"}
        product = {"kind": "product", "title": "name", "image": "meta.picture", "alt": "meta.pictureAlt"}
        self.keys: dict[str, Any] = {
            "api_key": KEY.format("service"),
            "caption": "caption",
            "locales": ["en", "de"],
            "types": {"articles": article, "products": product},
        }
        env = {"PORT": str(port), "DATABASE": str(folder / "payload.db"), "MEDIA": str(folder / "media"), "SEED": ""}
        env |= {
            "PLUGIN": str(PLUGIN),
            "HOOK": "http://127.0.0.1:1/",
            "SECRET": SECRET,
            "SERVICE": "service@example.org",
        }
        self._server = Process(["node", home / "server.mjs"], f"{self.url}/api/access", folder, env)

    @staticmethod
    def key(user: str) -> dict[str, str]:
        """The headers by which this user is known: editor, service or reader."""
        return {"Authorization": f"users API-Key {KEY.format(user)}"}

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def hook(self, address: str) -> None:
        """An operator sets a variable and starts Payload again."""
        self.stop()
        self._server.env["HOOK"] = address
        self.start()

    def create(self, state: State, title: str = "A day at sea") -> str:
        facts = {"title": title, "_status": "draft" if state == "draft" else "published"}
        ref = f"articles/{self.sent('POST', '/articles', json=facts)['doc']['id']}"
        if state == "changed":
            self.sent("PATCH", f"/{ref}", params={"draft": "true"}, json={"title": f"{title} (changed)"})
        return ref

    def sent(self, method: str, path: str, **request: Any) -> Any:
        """What Payload answers to the editor."""
        answer = httpx.request(method, f"{self.url}/api{path}", headers=self.key("editor"), timeout=30, **request)
        return answer.raise_for_status().json()

    def doc(self, ref: str) -> dict[str, Any]:
        """The document as editors see it."""
        found: dict[str, Any] = self.sent("GET", f"/{ref}", params={"draft": "true", "depth": 1})
        return found

    def state(self, ref: str) -> State:
        if not self.public_title(ref):
            return "draft"
        return "published" if self.doc(ref)["_status"] == "published" else "changed"

    def title(self, ref: str) -> str:
        return str(self.doc(ref)["title"])

    def public_title(self, ref: str) -> str:
        answer = httpx.get(f"{self.url}/api/{ref}")
        return str(answer.json()["title"]) if answer.is_success else ""

    def image(self, ref: str) -> str:
        hero = self.doc(ref)["hero"]
        return str(hero["id"]) if hero else ""

    def alt(self, ref: str) -> str:
        return str(self.doc(ref)["hero"]["alt"])

    def set_image(self, ref: str, data: bytes) -> None:
        file = {"file": ("harbour.png", data, "image/png")}
        media = self.sent("POST", "/media", files=file, data={"_payload": '{"alt": "The harbour"}'})["doc"]["id"]
        self._save(ref, {"hero": media})

    def rename(self, ref: str, title: str) -> None:
        self._save(ref, {"title": title})

    def _save(self, ref: str, fields: dict[str, Any]) -> None:
        """With the button that keeps the state: "Save draft" or "Publish changes"."""
        status = self.doc(ref)["_status"]
        draft = str(status == "draft").lower()
        self.sent("PATCH", f"/{ref}", params={"draft": draft}, json=fields | {"_status": status})

    def delete(self, ref: str) -> None:
        self.sent("DELETE", f"/{ref}")

    def pictures(self) -> int:
        return int(self.sent("GET", "/media", params={"limit": 1})["totalDocs"])
