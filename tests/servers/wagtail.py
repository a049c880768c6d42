"""A real Wagtail with our app installed, on SQLite."""

import json
import os
import shutil
import subprocess
import uuid
import venv
from pathlib import Path
from typing import Any, ClassVar

import httpx
from servers.database import free_port
from servers.installed import installed
from servers.process import Process
from servers.site import SECRET, Site, State

FILES = Path(__file__).parent / "wagtail-files"
PLUGIN = Path(__file__).parents[2] / "plugins/wagtail/plugin"


def _environment(folder: Path) -> None:
    """A venv with Wagtail."""
    venv.create(folder / "venv", with_pip=True)
    command = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    packages = ["-r", str(FILES / "requirements.txt")]
    subprocess.run([str(folder / "venv/bin/python"), *command, *packages], check=True, timeout=600)


def _django() -> list[str]:
    """How a command of Django's is called."""
    environment = installed("wagtail-venv", [FILES / "requirements.txt"], _environment)
    return [str(environment / "venv/bin/python"), "-m", "django"]


def _settings(home: Path, database: Path) -> dict[str, str]:
    """The environment of a site whose code is in `home`."""
    env = {"PYTHONPATH": f"{PLUGIN}:{home}", "PYTHONDONTWRITEBYTECODE": "1", "DATABASE": str(database)}
    env |= {"DJANGO_SETTINGS_MODULE": "gazette_settings", "MEDIA": str(database.parent / "media")}
    return env | {"FRONTISPIECE_SECRET": SECRET, "FRONTISPIECE_HOOK": "http://127.0.0.1:1/"}


def _seeded(folder: Path) -> None:
    """The project, and a database with its tables and users."""
    shutil.copytree(FILES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    env = {**os.environ, **_settings(folder, folder / "seeded.db")}
    for command in (["makemigrations", "blog", "-v0"], ["migrate", "-v0"]):
        subprocess.run([*_django(), *command], cwd=folder, env=env, check=True, timeout=300)
    seed = [*_django(), "shell", "-v0", "-c", (FILES / "gazette_seed.py").read_text("utf8")]
    told = subprocess.run(seed, cwd=folder, env=env, check=True, timeout=60, stdout=subprocess.PIPE)
    (folder / "seed.json").write_bytes(told.stdout)


class Server(Site):
    """Everything on the articles is done with the editor's token; Frontispiece has its own user's."""

    plugin: ClassVar[str] = "wagtail"
    version: ClassVar[str] = "8.0.1"

    def __init__(self, folder: Path) -> None:
        home = installed("wagtail", [FILES], _seeded)
        shutil.copy(home / "seeded.db", folder / "wagtail.db")
        facts = json.loads((home / "seed.json").read_text("utf8"))
        self.tokens: dict[str, str] = facts["tokens"]
        self.parent: int = facts["home"]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        article = {"image": "hero_image", "excerpt": "intro", "body": "body", "opt_out": "plain"}
        self.keys: dict[str, Any] = {"token": self.tokens["frontispiece"], "types": {"blog.ArticlePage": article}}
        self.env = _settings(home, folder / "wagtail.db")
        command = [*_django(), "runserver", "--noreload", f"127.0.0.1:{port}"]
        self._server = Process(command, f"{self.url}/api/v3/openapi.json", folder, self.env)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def hook(self, address: str) -> None:
        """An operator sets a variable and starts Wagtail again."""
        self.stop()
        self._server.env["FRONTISPIECE_HOOK"] = address
        self.start()

    def shell(self, code: str, **env: str) -> str:
        """What this Python prints, run inside the site. Raises `subprocess.CalledProcessError`."""
        command = [*_django(), "shell", "-v0", "-c", code]
        env = {**os.environ, **self.env, **env}
        return subprocess.run(command, env=env, check=True, timeout=60, stdout=subprocess.PIPE).stdout.decode()

    def sent(self, method: str, path: str, user: str = "editor", **request: Any) -> Any:
        """What Wagtail answers to this user."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"}
        answer = httpx.request(method, f"{self.url}/api/v3{path}", headers=headers, timeout=30, **request)
        return answer.raise_for_status().json() if answer.content else None

    def create(self, state: State, title: str = "A day at sea") -> str:
        meta = {"type": "blog.ArticlePage", "parent_id": self.parent}
        action = {} if state == "draft" else {"action": "publish"}
        page = {"meta": meta | action, "title": title, "slug": uuid.uuid4().hex}
        ref = f"blog.ArticlePage/{self.sent('POST', '/pages/', json=page)['id']}"
        if state == "changed":
            self.edit(ref, title=f"{title} (changed)")
        return ref

    def edit(self, ref: str, *, publish: bool = False, **fields: Any) -> None:
        """An editor saves a draft of these fields over what is there, or publishes all of it."""
        meta = {"meta": {"action": "publish"}} if publish else {}
        self.sent("PATCH", f"/pages/{_number(ref)}/", json=meta | fields)

    def page(self, ref: str) -> dict[str, Any]:
        """The page as editors see it."""
        found: dict[str, Any] = self.sent("GET", f"/pages/{_number(ref)}/", params={"version": "draft"})
        return found

    def state(self, ref: str) -> State:
        if not self.public_title(ref):
            return "draft"
        return "changed" if self.page(ref)["has_unpublished_changes"] else "published"

    def title(self, ref: str) -> str:
        return str(self.page(ref)["title"])

    def public_title(self, ref: str) -> str:
        answer = httpx.get(f"{self.url}/api/v3/pages/{_number(ref)}/")
        return str(answer.json()["title"]) if answer.is_success else ""

    def image(self, ref: str) -> str:
        hero = self.page(ref)["hero_image"]
        return str(hero["id"]) if hero else ""

    def alt(self, ref: str) -> str:
        return str(self.sent("GET", f"/images/{self.image(ref)}/")["description"])

    def set_image(self, ref: str, data: bytes) -> None:
        file = {"file": ("harbour.png", data, "image/png")}
        image = self.sent("POST", "/images/", data={"title": "The harbour"}, files=file)["id"]
        self.edit(ref, publish=self.state(ref) == "published", hero_image_id=image)

    def rename(self, ref: str, title: str) -> None:
        self.edit(ref, publish=self.state(ref) == "published", title=title)

    def delete(self, ref: str) -> None:
        self.sent("DELETE", f"/pages/{_number(ref)}/")

    def pictures(self) -> int:
        return int(self.sent("GET", "/images/", params={"limit": 1})["count"])


def _number(ref: str) -> str:
    return ref.partition("/")[2]
