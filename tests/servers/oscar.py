"""A real django-oscar shop with our app in it, whose editor works in Oscar's own dashboard."""

import json
import shutil
from contextlib import ExitStack
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
from servers.database import free_port
from servers.oscar_shop import environment, shop
from servers.process import Process
from servers.site import SECRET, Site, State

__all__ = ["Server"]

PRODUCTS = "/dashboard/catalogue/products"


class _Forms(HTMLParser):
    """The fields of a page as a browser would send them, without files and buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "input" and named.get("type") not in ("file", "submit", "checkbox"):
            self.fields[named.get("name", "")] = named.get("value", "")
        elif "checked" in named:
            self.fields[named["name"]] = "on"
        elif tag == "select":
            self._select = named.get("name", "")
        elif tag == "option" and "selected" in named:
            self.fields[self._select] = named["value"]
        elif tag == "textarea":
            self._area = named.get("name", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] = data.removeprefix("\r\n").removeprefix("\n")
            self._area = ""


class Server(Site):
    """One shop. `tokens` are of its users editor, frontispiece and nobody, who has no rights."""

    plugin = "oscar"
    kind = "product"
    version = "4.2.1"
    states = ("draft", "published")

    def __init__(self, folder: Path) -> None:
        for name in ("shop.sqlite3", "tokens.json"):
            shutil.copy(shop() / "site" / name, folder)
        self.tokens: dict[str, str] = json.loads((folder / "tokens.json").read_text())
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.keys = {"token": self.tokens["frontispiece"]}
        python = str(shop() / "venv/bin/python")
        command = [python, "-m", "django", "runserver", "--noreload", f"127.0.0.1:{port}"]
        env = environment(folder) | {"FRONTISPIECE_SECRET": SECRET}
        self._clients = ExitStack()
        self.process = Process(command, f"{self.url}/health", folder, env)

    def start(self) -> None:
        self.process.start()
        browser = httpx.Client(base_url=self.url, follow_redirects=True, timeout=30)
        headers = {"Authorization": f"Token {self.tokens['editor']}"}
        program = httpx.Client(base_url=f"{self.url}/api", headers=headers, timeout=30)
        self.dashboard, self.oscarapi = map(self._clients.enter_context, (browser, program))
        self.submit("/dashboard/login/", username="editor@example.org", password="password")

    def stop(self) -> None:
        self.process.stop()
        self._clients.close()

    def hook(self, address: str) -> None:
        self.process.env["FRONTISPIECE_HOOK"] = address
        self.stop()
        self.start()

    def submit(self, path: str, files: Any = None, **changes: str) -> httpx.Response:
        """Opens a page of the dashboard and sends its form with these fields changed."""
        page = self.dashboard.get(path).raise_for_status()
        fields = _Forms(page.text).fields | changes
        answer = self.dashboard.post(path, data=fields, files=files, headers={"Referer": f"{self.url}{path}"})
        assert answer.is_success, answer.text[:2000]
        assert "correct the errors" not in answer.text, answer.text
        return answer

    def create(self, state: State, title: str = "A day at sea") -> str:
        told = {"title": title, "description": "<p>Twelve boats <b>left</b> at dawn.</p>"}
        told |= {"productcategory_set-0-category": "1", "action": "continue"}
        answer = self.submit(f"{PRODUCTS}/create/books/", **told, is_public="on" if state == "published" else "")
        return str(answer.url).rstrip("/").rsplit("/", 1)[1]

    def product(self, ref: str) -> Any:
        """As oscarapi has it."""
        return self.oscarapi.get(f"/admin/products/{ref}/").raise_for_status().json()

    def state(self, ref: str) -> State:
        return "published" if self.product(ref)["is_public"] else "draft"

    def title(self, ref: str) -> str:
        return str(self.product(ref)["title"])

    def public_title(self, ref: str) -> str:
        page = httpx.get(f"{self.url}/catalogue/a_{ref}/", follow_redirects=True)
        return unescape(page.text.split("<h1>", 1)[1].split("</h1>", 1)[0]) if page.is_success else ""

    def image(self, ref: str) -> str:
        images = self.product(ref)["images"]
        return str(images[0]["id"]) if images else ""

    def alt(self, ref: str) -> str:
        return str(self.product(ref)["images"][0]["caption"])

    def set_image(self, ref: str, data: bytes) -> None:
        """Drops the images that are there and uploads one, all in one form, as its page has it."""
        path = f"{PRODUCTS}/{ref}/"
        there = len(self.product(ref)["images"])
        dropped = {f"images-{number}-DELETE": "on" for number in range(there)}
        self.submit(path, files={f"images-{there}-original": ("theirs.png", data, "image/png")}, **dropped)

    def rename(self, ref: str, title: str) -> None:
        self.submit(f"{PRODUCTS}/{ref}/", title=title)

    def delete(self, ref: str) -> None:
        self.submit(f"{PRODUCTS}/{ref}/delete/")

    def pictures(self) -> int:
        return sum(len(product["images"]) for product in self.oscarapi.get("/admin/products/").json())
