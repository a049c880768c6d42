"""A real Medusa on PostgreSQL, with the local file storage, whose administrator does what editors do."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import httpx
from servers.database import free_port
from servers.installed import installed
from servers.process import Process
from servers.shop_database import dumped, new_database
from servers.site import Site, State

__all__ = ["Server"]

FILES = Path(__file__).parent / "medusa-files"
PLUGIN = Path(__file__).parents[2] / "plugins/medusa/plugin"
EDITOR = {"email": "editor@example.org", "password": "for tests only"}
READ = "id,title,status,thumbnail,metadata,images.id,images.url,description,handle,*tags,variants.id,variants.images.id"


class Server(Site):
    """One shop; its database is made from one that was migrated once, with a sales channel and a publishable key."""

    plugin: ClassVar[str] = "medusa"
    kind = "product"
    version: ClassVar[str] = "2.21.2"
    states: ClassVar[tuple[State, ...]] = ("draft", "published")

    def __init__(self, folder: Path) -> None:
        made = template()
        facts = json.loads((made / "facts.json").read_text())
        self.keys: dict[str, Any] = {"api_key": facts["api_key"]}
        self._shopper = {"x-publishable-api-key": facts["publishable"]}
        self._channel: str = facts["channel"]
        self.folder = folder
        self.url, self._process = _shop(folder, new_database(made / "shop.sql"))
        self._editor: dict[str, str] = {}

    def start(self) -> None:
        self._process.start()
        self._editor = _login(self.url)

    def stop(self) -> None:
        self._process.stop()

    def hook(self, address: str) -> None:
        adapter = self.adapter()
        with adapter.open() as api:
            adapter.connect(api, address)

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """What the shop answers its administrator."""
        return _ask(method, f"{self.url}{path}", self._editor, **request)

    def create(self, state: State, title: str = "A day at sea") -> str:
        return self.product(title, status=state)

    def product(self, title: str, **fields: Any) -> str:
        """A new product in two sizes; its ref."""
        sizes = {"options": [{"title": "Size", "values": ["M", "L"]}], "sales_channels": [{"id": self._channel}]}
        variants: list[dict[str, Any]] = [
            {"title": size, "options": {"Size": size}, "prices": []} for size in ("M", "L")
        ]
        words = {
            "title": title,
            "handle": f"h-{os.urandom(4).hex()}",
            "description": "Oak",
            "variants": variants,
            **sizes,
            **fields,
        }
        return str(self.ask("POST", "/admin/products", json=words)["product"]["id"])

    def change(self, ref: str, **fields: Any) -> None:
        """An editor saves these fields of a product."""
        self.ask("POST", f"/admin/products/{ref}", json=fields)

    def read(self, ref: str) -> dict[str, Any]:
        """A product as editors see it."""
        found: dict[str, Any] = self.ask("GET", f"/admin/products/{ref}", params={"fields": READ})["product"]
        return found

    def state(self, ref: str) -> State:
        return "published" if self.read(ref)["status"] == "published" else "draft"

    def title(self, ref: str) -> str:
        return str(self.read(ref)["title"])

    def public_title(self, ref: str) -> str:
        found = _ask("GET", f"{self.url}/store/products", self._shopper, params={"id": ref})["products"]
        return str(found[0]["title"]) if found else ""

    def image(self, ref: str) -> str:
        return self.read(ref)["thumbnail"] or ""

    def alt(self, ref: str) -> str:
        return str((self.read(ref)["metadata"] or {}).get("thumbnail_alt", ""))

    def upload(self, data: bytes) -> str:
        """An editor's own picture; its address."""
        file = {"files": ("own.png", data, "image/png")}
        return str(self.ask("POST", "/admin/uploads", files=file)["files"][0]["url"])

    def set_image(self, ref: str, data: bytes) -> None:
        address = self.upload(data)
        self.change(ref, thumbnail=address, images=[{"url": address}])

    def rename(self, ref: str, title: str) -> None:
        self.change(ref, title=title)

    def delete(self, ref: str) -> None:
        self.ask("DELETE", f"/admin/products/{ref}")

    def pictures(self) -> int:
        found = self.ask("GET", "/admin/products", params={"fields": "images.id", "limit": "1000"})["products"]
        return sum(len(product["images"]) for product in found)


def template() -> Path:
    """A folder with the database of a shop that was set up once (shop.sql), and its keys (facts.json)."""
    return installed("medusa-shop", [FILES, Path(__file__)], _prepare)


def _modules() -> Path:
    return installed("medusa-modules", [FILES / "package.json", FILES / "package-lock.json"], _install)


def _install(folder: Path) -> None:
    """Not `npm ci`: it misses packages for other systems in the lock file and refuses."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FILES / name, folder)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, timeout=900)


def _prepare(folder: Path) -> None:
    shop, database = folder / "shop", new_database()
    shop.mkdir()
    url, process = _shop(shop, database)
    for words in (["db:migrate"], ["user", "-e", EDITOR["email"], "-p", EDITOR["password"]]):
        command = [*process.command[:-1], *words]
        subprocess.run(command, cwd=shop, env=process.env, check=True, stdout=subprocess.DEVNULL, timeout=300)
    process.start()
    try:
        (folder / "facts.json").write_text(json.dumps(_facts(url)))
    finally:
        process.stop()
    dumped(database, folder / "shop.sql")
    shutil.rmtree(shop)


def _facts(url: str) -> dict[str, str]:
    """A secret key as the guide has it made, and what a storefront needs: a sales channel and its publishable key."""
    admin = _login(url)
    secret, publishable = (
        _ask("POST", f"{url}/admin/api-keys", admin, json={"title": "Frontispiece", "type": kind})["api_key"]
        for kind in ("secret", "publishable")
    )
    channel: str = _ask("GET", f"{url}/admin/sales-channels", admin)["sales_channels"][0]["id"]
    _ask("POST", f"{url}/admin/api-keys/{publishable['id']}/sales-channels", admin, json={"add": [channel]})
    return {"api_key": secret["token"], "publishable": publishable["token"], "channel": channel}


def _shop(folder: Path, database: str) -> tuple[str, Process]:
    for name in ("package.json", "medusa-config.js"):
        shutil.copy(FILES / name, folder)
    shutil.copytree(PLUGIN, folder / "plugins/frontispiece-medusa")
    (folder / "node_modules").symlink_to(_modules() / "node_modules")
    port = free_port()
    url, env = f"http://127.0.0.1:{port}", {"PORT": str(port), "HOST": "127.0.0.1", "DATABASE_URL": database}
    env |= {"MEDUSA_DISABLE_TELEMETRY": "true", "FRONTISPIECE_RETRY_SECONDS": "1", "NODE_ENV": "production"}
    return url, Process(["node", "node_modules/@medusajs/cli/cli.js", "start"], f"{url}/health", folder, env)


def _login(url: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {_ask('POST', f'{url}/auth/user/emailpass', {}, json=EDITOR)['token']}"}


def _ask(method: str, url: str, headers: dict[str, str], **request: Any) -> Any:
    answer = httpx.request(method, url, headers=headers, timeout=30, verify=False, **request)  # no certificates to load
    assert answer.is_success, f"{method} {url} answered {answer.status_code}: {answer.text}"
    return answer.json()
