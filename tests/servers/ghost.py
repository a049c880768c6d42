"""A real Ghost with SQLite and a custom integration, whose owner does what editors do in the admin interface."""

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

import httpx
from servers.database import free_port
from servers.ghost_core import process, session, template
from servers.ghost_install import VERSION
from servers.site import Site, State

__all__ = ["Server"]


class Server(Site):
    """One site; it is ready as it is copied, with its key. Ghost knows no unpublished changes of a published post."""

    plugin: ClassVar[str] = "ghost"
    version: ClassVar[str] = VERSION
    states: ClassVar[tuple[State, ...]] = ("draft", "published")

    def __init__(self, folder: Path) -> None:
        port = free_port()
        keys = json.loads((template() / "keys.json").read_text())
        shutil.copytree(template() / "content", folder / "content")
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        self.keys: dict[str, Any] = {"admin_key": keys["admin_key"]}
        self.integration: str = keys["integration"]
        self._process = process(folder, port)
        self._session: httpx.Client | None = None

    @property
    def log(self) -> str:
        """What Ghost has said so far."""
        return self._process.log.read_text(errors="replace")

    @property
    def editor(self) -> httpx.Client:
        """The Admin API as the admin interface has it."""
        assert self._session is not None, "Ghost is not running"
        return self._session

    def start(self) -> None:
        self._process.start()
        self._session = session(self.url)

    def stop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._process.stop()

    def webhooks(self) -> list[dict[str, Any]]:
        """Those of the integration, as the admin interface shows them, with how their last delivery went."""
        answer = self.editor.get(f"/integrations/{self.integration}/", params={"include": "webhooks"})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["integrations"][0]["webhooks"]
        return found

    def hook(self, address: str) -> None:
        for one in self.webhooks():
            self.editor.delete(f"/webhooks/{one['id']}/").raise_for_status()
        adapter = self.adapter()
        with adapter.open() as api:
            adapter.connect(api, address)

    def write(self, kind: str = "posts", **fields: Any) -> str:
        """A new post or page; its ref."""
        words = {"title": "A day at sea", "lexical": _lexical("Waves.")} | fields
        answer = self.editor.post(f"/{kind}/", json={kind: [words]}).raise_for_status()
        return f"{kind}/{answer.json()[kind][0]['id']}"

    def read(self, ref: str) -> dict[str, Any]:
        """A post or page as its editor has it."""
        kind = ref.partition("/")[0]
        answer = self.editor.get(f"/{ref}/", params={"formats": "html,lexical"}).raise_for_status()
        found: dict[str, Any] = answer.json()[kind][0]
        return found

    def save(self, ref: str, **fields: Any) -> None:
        """An editor saves these fields over what is there now."""
        kind = ref.partition("/")[0]
        words = {"updated_at": self.read(ref)["updated_at"], **fields}
        self.editor.put(f"/{ref}/", json={kind: [words]}).raise_for_status()

    def create(self, state: State, title: str = "A day at sea") -> str:
        assert state in self.states
        return self.write(title=title, status=state)

    def state(self, ref: str) -> State:
        found: State = self.read(ref)["status"]
        return found

    def title(self, ref: str) -> str:
        return str(self.read(ref)["title"])

    def public_title(self, ref: str) -> str:
        """From the page that visitors get; a draft's address is 404."""
        page = httpx.get(f"{self.url}/{self.read(ref)['slug']}/", timeout=30)
        return "" if page.status_code == 404 else page.text.split("<title>")[1].split("</title>")[0]

    def image(self, ref: str) -> str:
        return self.read(ref)["feature_image"] or ""

    def alt(self, ref: str) -> str:
        return self.read(ref)["feature_image_alt"] or ""

    def set_image(self, ref: str, data: bytes) -> None:
        form = {"purpose": "image"}
        answer = self.editor.post("/images/upload/", data=form, files={"file": ("own.png", data, "image/png")})
        url = answer.raise_for_status().json()["images"][0]["url"]
        self.save(ref, feature_image=url, feature_image_alt="The editor's own")

    def rename(self, ref: str, title: str) -> None:
        self.save(ref, title=title)

    def delete(self, ref: str) -> None:
        self.editor.delete(f"/{ref}/").raise_for_status()

    def pictures(self) -> int:
        """Files as they were uploaded; Ghost keeps each twice, as it came (`_o`) and as it shows it."""
        found = (self.folder / "content/images").glob("[0-9]*/*/*")
        return sum(not file.stem.endswith("_o") for file in found)


def _lexical(words: str) -> str:
    """One paragraph, as the editor stores it."""
    usual = {"version": 1, "format": "", "indent": 0, "direction": "ltr"}
    text = {"type": "extended-text", "text": words, "version": 1, "detail": 0, "format": 0, "mode": "normal"}
    line = usual | {"type": "paragraph", "children": [text | {"style": ""}]}
    return json.dumps({"root": usual | {"type": "root", "children": [line]}})
