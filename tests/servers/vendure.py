"""A real Vendure on PostgreSQL, server and worker in one process, whose administrator does what editors do."""

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

FILES = Path(__file__).parent / "vendure-files"
PLUGIN = Path(__file__).parents[2] / "plugins/vendure/plugin"
ASSETS = ["CreateAsset", "ReadAsset", "UpdateAsset", "DeleteAsset"]
RIGHTS = ["ReadCatalog", "UpdateProduct", *ASSETS, "ConnectFrontispiece"]
ROLE = "mutation($input: CreateRoleInput!) { createRole(input: $input) { id } }"
KEY = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey } }"
LOGIN = 'mutation { login(username: "superadmin", password: "for tests only") { __typename } }'
CREATE = "mutation($input: CreateProductInput!) { createProduct(input: $input) { id } }"
UPDATE = "mutation($input: UpdateProductInput!) { updateProduct(input: $input) { id } }"
UPLOAD = "mutation($file: Upload!) { createAssets(input: [{file: $file}]) { ... on Asset { id } } }"
READ = """query($id: ID!) { product(id: $id) {
  name enabled featuredAsset { id customFields { alt } } assets { id } description slug facetValues { code }
} }"""


class Server(Site):
    """One shop; its database is made from what the first start of all has left."""

    plugin: ClassVar[str] = "vendure"
    kind = "product"
    version: ClassVar[str] = "3.7.3"
    states: ClassVar[tuple[State, ...]] = ("draft", "published")

    def __init__(self, folder: Path) -> None:
        made = template()
        self.keys: dict[str, Any] = json.loads((made / "keys.json").read_text())
        self.url, self._process = _shop(folder, new_database(made / "shop.sql"))
        self._login: dict[str, str] = {}

    def start(self) -> None:
        self._process.start()
        self._login = login(self.url)

    def stop(self) -> None:
        self._process.stop()

    def hook(self, address: str) -> None:
        adapter = self.adapter()
        with adapter.open() as api:
            adapter.connect(api, address)

    def ask(self, query: str, path: str = "/admin-api", **variables: Any) -> Any:
        """What the shop answers its administrator."""
        return ask(f"{self.url}{path}", self._login, query, **variables)

    def key(self, rights: list[str]) -> str:
        """A new API key whose role has these rights."""
        return _key(self.url, rights)

    def create(self, state: State, title: str = "A day at sea") -> str:
        return self.product(title, enabled=state == "published")

    def product(self, title: str, **fields: Any) -> str:
        """A new product; its ref."""
        words = {
            "languageCode": "en",
            "name": title,
            "slug": f"slug-{os.urandom(4).hex()}",
            "description": "<p>Oak</p>",
        }
        number: str = self.ask(CREATE, input={"translations": [words], **fields})["createProduct"]["id"]
        return number

    def change(self, ref: str, **fields: Any) -> None:
        """An editor saves these fields of a product."""
        self.ask(UPDATE, input={"id": ref, **fields})

    def read(self, ref: str) -> dict[str, Any]:
        """A product as editors see it."""
        found: dict[str, Any] = self.ask(READ, id=ref)["product"]
        return found

    def state(self, ref: str) -> State:
        return "published" if self.read(ref)["enabled"] else "draft"

    def title(self, ref: str) -> str:
        return str(self.read(ref)["name"])

    def public_title(self, ref: str) -> str:
        shown = self.ask("query($id: ID!) { product(id: $id) { name } }", "/shop-api", id=ref)["product"]
        return str(shown["name"]) if shown else ""

    def image(self, ref: str) -> str:
        asset = self.read(ref)["featuredAsset"]
        return str(asset["id"]) if asset else ""

    def alt(self, ref: str) -> str:
        return str(self.read(ref)["featuredAsset"]["customFields"]["alt"] or "")

    def upload(self, data: bytes) -> str:
        """An editor's own picture in the library; its id."""
        form = {
            "operations": json.dumps({"query": UPLOAD, "variables": {"file": None}}),
            "map": '{"0":["variables.file"]}',
        }
        file = {"0": ("own.png", data, "image/png")}
        answer = httpx.post(
            f"{self.url}/admin-api", data=form, files=file, headers=self._login, timeout=30, verify=False
        )
        return str(_data(answer)["createAssets"][0]["id"])

    def set_image(self, ref: str, data: bytes) -> None:
        number = self.upload(data)
        self.change(ref, featuredAssetId=number, assetIds=[number])

    def rename(self, ref: str, title: str) -> None:
        self.change(ref, translations=[{"languageCode": "en", "name": title}])

    def delete(self, ref: str) -> None:
        self.ask("mutation($id: ID!) { deleteProduct(id: $id) { result } }", id=ref)

    def pictures(self) -> int:
        return int(self.ask("{ assets { totalItems } }")["assets"]["totalItems"])


def template() -> Path:
    """A folder with the database of a shop that was started once (shop.sql), and our key (keys.json)."""
    return installed("vendure-shop", [FILES, PLUGIN, Path(__file__)], _prepare)


def _modules() -> Path:
    return installed("vendure-modules", [FILES / "package.json", FILES / "package-lock.json"], _install)


def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FILES / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, timeout=900)


def _prepare(folder: Path) -> None:
    shop, database = folder / "shop", new_database()
    shop.mkdir()
    url, process = _shop(shop, database, PREPARE="yes")
    process.start()
    try:
        (folder / "keys.json").write_text(json.dumps({"api_key": _key(url, RIGHTS), "alt_field": "alt"}))
    finally:
        process.stop()
    dumped(database, folder / "shop.sql")
    shutil.rmtree(shop)


def _key(url: str, rights: list[str]) -> str:
    """As the guide has it made: an API key with a role of its own."""
    code = f"frontispiece-{os.urandom(4).hex()}"
    admin, role = login(url), {"code": code, "description": "Frontispiece", "permissions": rights}
    number = ask(f"{url}/admin-api", admin, ROLE, input=role)["createRole"]["id"]
    names = [{"languageCode": "en", "name": "Frontispiece"}]
    made = ask(f"{url}/admin-api", admin, KEY, input={"roleIds": [number], "translations": names})
    return str(made["createApiKey"]["apiKey"])


def _shop(folder: Path, database: str, **env: str) -> tuple[str, Process]:
    shutil.copy(FILES / "server.js", folder)
    shutil.copytree(PLUGIN, folder / "plugins/frontispiece")
    (folder / "node_modules").symlink_to(_modules() / "node_modules")
    port = free_port()
    url, env = f"http://127.0.0.1:{port}", env | {"PORT": str(port), "DATABASE_URL": database}
    return url, Process(["node", "server.js"], f"{url}/health", folder, env | {"VENDURE_DISABLE_TELEMETRY": "true"})


def login(url: str) -> dict[str, str]:
    """The headers of the shop's administrator."""
    answer = httpx.post(f"{url}/admin-api", json={"query": LOGIN}, timeout=30, verify=False).raise_for_status()
    return {"Authorization": f"Bearer {answer.headers['vendure-auth-token']}"}


def ask(url: str, headers: dict[str, str], query: str, **variables: Any) -> Any:
    """The data of an answer without errors."""
    asked = {"query": query, "variables": variables}
    return _data(httpx.post(url, json=asked, headers=headers, timeout=30, verify=False))  # certificates take a while


def _data(answer: httpx.Response) -> Any:
    told = answer.json()
    assert "errors" not in told, told["errors"]
    return told["data"]
