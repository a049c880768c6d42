"""A real Strapi on SQLite with the types in `strapi-files`, an editor, and the tokens that our guide asks for."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
from servers.database import free_port
from servers.installed import installed
from servers.process import Process
from servers.site import SECRET, Site, State

__all__ = ["EVENTS", "Server", "modules"]

FILES = Path(__file__).with_name("strapi-files")
PLUGIN = Path(__file__).parents[2] / "plugins/strapi/plugin/frontispiece"
PERSON = {"email": "editor@example.org", "password": "Correct horse 1", "firstname": "Jo", "lastname": "Editor"}
EVENTS = [f"entry.{act}" for act in ("create", "update", "delete", "publish", "unpublish", "draft-discard")]
RIGHTS = [
    *(f"api::{kind}.{kind}.{act}" for kind in ("article", "product") for act in ("find", "findOne", "update")),
    "api::category.category.find",
    *(f"plugin::upload.content-api.{act}" for act in ("find", "upload", "destroy")),
]
STATES: dict[str, State] = {"draft": "draft", "published": "published", "modified": "changed"}
TYPES = {
    "article": {
        "excerpt": "description",
        "body": "body",
        "section": "category",
        "tags": "tags.name",
        "opt_out": "without_picture",
        "url": "https://www.example.org/news/{slug}",
    },
    "product": {"kind": "product", "title": "name", "image": "photo"},
}


def modules() -> Path:
    """The folder `node_modules`. Building better-sqlite3 needs g++, make and, without the internet, Node's headers."""
    return installed("strapi-modules", [FILES / "package.json", FILES / "package-lock.json"], _install) / "node_modules"


def template() -> Path:
    """A site with its database as it is before the first entry; copied and never run in place."""
    return installed("strapi-site", [FILES, Path(__file__)], _prepare)


def _install(made: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FILES / name, made)
    headers = Path("/usr/include/node/node.h")
    env = os.environ | ({"npm_config_nodedir": "/usr"} if headers.exists() else {})
    for words in (["install", "--ignore-scripts", "--no-audit", "--no-fund"], ["rebuild", "better-sqlite3"]):
        subprocess.run(["npm", *words, "--loglevel=error"], cwd=made, env=env, check=True, stdout=subprocess.DEVNULL)


def _prepare(made: Path) -> None:
    shutil.copytree(FILES, made, dirs_exist_ok=True, ignore=shutil.ignore_patterns("package-lock.json"))
    (made / "public/uploads").mkdir(parents=True)
    (made / "node_modules").symlink_to(modules())
    url, process = _process(made)
    process.start()
    try:
        (made / "keys.json").write_text(json.dumps(_seed(url)))
    finally:
        process.stop()
    process.log.unlink()


def _process(folder: Path, **env: str) -> tuple[str, Process]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    usual = {"PORT": str(port), "NODE_ENV": "development", "STRAPI_TELEMETRY_DISABLED": "true"}
    command = ["node", "node_modules/@strapi/strapi/bin/strapi.js", "start"]
    return url, Process(command, f"{url}/_health", folder, usual | env)


def _seed(url: str) -> dict[str, str]:
    """The first administrator and the two tokens, as the guide has them made."""
    with httpx.Client(base_url=url, timeout=60) as client:
        token = client.post("/admin/register-admin", json=PERSON).raise_for_status().json()["data"]["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        client.post("/i18n/locales", json={"code": "fr", "name": "French", "isDefault": False}).raise_for_status()
        usual = {"name": "Frontispiece", "description": "", "lifespan": None}
        content = {"type": "custom", "permissions": RIGHTS}
        hooks = {"kind": "admin", "adminPermissions": [{"action": f"admin::webhooks.{act}"} for act in _HOOK_RIGHTS]}
        return {
            "api_token": _key(client, "/admin/api-tokens", usual | content),
            "admin_token": _key(client, "/admin/admin-tokens", usual | hooks | {"name": "Frontispiece webhooks"}),
        }


_HOOK_RIGHTS = ("create", "read", "update")


def _key(client: httpx.Client, path: str, body: dict[str, Any]) -> str:
    return str(client.post(path, json=body).raise_for_status().json()["data"]["accessKey"])


class Server(Site):
    """A Strapi whose editor works through the routes of its own admin panel."""

    plugin = "strapi"
    version = "5.54.0"

    def __init__(self, folder: Path, **env: str) -> None:
        """`env`: FRONTISPIECE_URL and FRONTISPIECE_TOKEN switch our panel on."""
        shutil.copytree(template(), folder, symlinks=True, dirs_exist_ok=True)
        shutil.copytree(PLUGIN, folder / "src/plugins/frontispiece")
        self.folder = folder
        self.url, self.process = _process(folder, **env)
        self.keys = {**json.loads((folder / "keys.json").read_text()), "types": TYPES}

    def start(self) -> None:
        self.process.start()
        with httpx.Client(base_url=self.url, timeout=60) as client:
            facts = {name: PERSON[name] for name in ("email", "password")}
            self.session = client.post("/admin/login", json=facts).raise_for_status().json()["data"]["token"]

    def stop(self) -> None:
        self.process.stop()

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """What the admin panel would be answered."""
        key = {"Authorization": f"Bearer {self.session}"}
        answer = httpx.request(method, f"{self.url}{path}", headers=key, timeout=60, **request)
        return answer.raise_for_status().json()

    def cm(self, method: str, ref: str, path: str = "", **request: Any) -> Any:
        """The same, for one entry, or for its whole type where `ref` names no entry."""
        kind, _, number = ref.partition("/")
        place = f"/content-manager/collection-types/api::{kind}.{kind}"
        return self.ask(method, f"{place}/{number}{path}" if number else place + path, **request)

    def hook(self, address: str) -> None:
        headers = {"Authorization": SECRET}
        facts = {"name": "Frontispiece", "url": address, "headers": headers, "events": EVENTS}
        self.ask("POST", "/admin/webhooks", json=facts)

    def create(self, state: State, title: str = "A day at sea") -> str:
        return self.write(state, title=title)

    def write(self, state: State, kind: str = "article", locale: str = "en", **fields: Any) -> str:
        """A new entry with these fields."""
        words = {"locale": locale}
        number = self.cm("POST", kind, json=fields, params=words)["data"]["documentId"]
        ref = f"{kind}/{number}"
        if state != "draft":
            self.cm("POST", ref, "/actions/publish", json={}, params=words)
        if state == "changed":
            self.cm("PUT", ref, json={"title": f"{fields['title']} (changed)"}, params=words)
        return ref

    def seen(self, ref: str, status: str = "draft", locale: str = "en") -> dict[str, Any]:
        """The entry as editors see it, or the version that visitors see."""
        found: dict[str, Any] = self.cm("GET", ref, params={"status": status, "locale": locale})["data"]
        return found

    def state(self, ref: str) -> State:
        return STATES[self.seen(ref)["status"]]

    def title(self, ref: str) -> str:
        return str(self.seen(ref)["title"])

    def public_title(self, ref: str) -> str:
        return "" if self.state(ref) == "draft" else str(self.seen(ref, "published")["title"])

    def image(self, ref: str) -> str:
        found = self.seen(ref)["cover"]
        return str(found["id"]) if found else ""

    def alt(self, ref: str) -> str:
        found = self.seen(ref)["cover"]
        return (found["alternativeText"] or "") if found else ""

    def upload(self, data: bytes) -> int:
        """A file of the editor's own in the media library; its id."""
        return int(self.ask("POST", "/upload", files={"files": ("mine.png", data, "image/png")})[0]["id"])

    def set_image(self, ref: str, data: bytes) -> None:
        self.save(ref, cover=self.upload(data))

    def rename(self, ref: str, title: str) -> None:
        self.save(ref, title=title)

    def save(self, ref: str, **fields: Any) -> None:
        """Saves, and publishes too if there was nothing unpublished."""
        state = self.state(ref)
        self.cm("PUT", ref, json=fields)
        if state == "published":
            self.cm("POST", ref, "/actions/publish", json={})

    def delete(self, ref: str) -> None:
        self.cm("DELETE", ref)

    def pictures(self) -> int:
        return int(self.ask("GET", "/upload/files")["pagination"]["total"])
