"""The service itself, `frontispiece up` in a process of its own, for one real CMS beside it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from servers.database import free_port
from servers.wordpress import SECRET, WordPress, running
from world import until

__all__ = ["EDITOR", "PASSWORD", "Service", "paired"]

EDITOR, PASSWORD = "Jo", "correct horse battery"
ENDS = {"failed", "held", "rejected", "skipped"}
CONFIG = """
data = "{folder}/data"
[server]
url = "{url}"
port = {port}
[sites]
blog = {site}
[[rules]]
name = "pictures"
site = "blog"
kind = "{kind}"
events = ["created", "published"]
models = ["sketch"]
delay = 0
"""


def _toml(value: Any) -> str:
    """A value as TOML writes it in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


class Service:
    """One service in a folder of its own; `token` is the one of the panel in the CMS, and of these tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, site: Mapping[str, Any], kind: str = "article") -> None:
        """Returns when the service is ready, with an editor who may log in and a token for the panel.

        `site` are the keys of `[sites.blog]`, whose one rule is for entries of this kind.
        """
        facts = {"folder": self.folder, "url": self.url, "port": self.port, "site": _toml(site), "kind": kind}
        text = CONFIG.format(**facts)
        (self.folder / "frontispiece.toml").write_text(text, "utf8")
        with (self.folder / "service.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command("up"), env=self._env(), process_group=0, stdout=log, stderr=log
            )
        until(self._ready, f"{self.url}/readyz\n{(self.folder / 'service.log').read_text()}")
        self.command("user", "add", EDITOR, "--role", "editor", given=f"{PASSWORD}\n")
        self.token = self.command("token", "add", "panel", "--site", "blog")

    def stop(self) -> None:
        """Asks the parent to end, which ends its children."""
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(60)

    def command(self, *words: str, given: str = "") -> str:
        """What a command of ours prints."""
        done = subprocess.run(
            self._command(*words), input=given, env=self._env(), capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def illustrations(self, ref: str) -> list[dict[str, Any]]:
        """All that the API tells of one entry."""
        answer = self._ask("GET", "/illustrations", params={"site": "blog", "ref": ref})
        found: list[dict[str, Any]] = answer["illustrations"]
        return found

    def reach(self, ref: str, state: str) -> dict[str, Any]:
        """The entry's illustration, as soon as it is in this state."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = self.illustrations(ref)
            assert {one["state"] for one in found} <= {state} or not {one["state"] for one in found} & ENDS, found
            return [one["state"] for one in found] == [state]

        until(there, f"{ref} to be {state}")
        return found[0]

    def approve(self, ref: str) -> None:
        """What an editor does, by the API, once the picture waits."""
        one = self.reach(ref, "in_review")
        candidate = one["candidates"][-1]["id"]
        self._ask("POST", f"/illustrations/{one['id']}/approve", json={"candidate": candidate})

    def deliveries(self, ref: str, since: float = 0.0) -> list[str]:
        """What came of each delivery about this post, in order, once the service has thought about all of them."""
        until(lambda: not self._rows("SELECT 1 FROM deliveries WHERE outcome = 'received'"), "all deliveries planned")
        wanted = "SELECT outcome FROM deliveries WHERE CAST(body AS TEXT) LIKE ? AND received > ? ORDER BY id"
        return [row[0] for row in self._rows(wanted, f'%"id":{ref.removeprefix("posts/")},%', since)]

    def written(self, ref: str) -> float:
        """When the write-back of this post's picture began, in seconds since the epoch."""
        wanted = "SELECT started FROM publications WHERE illustration_id = ?"
        return float(self._rows(wanted, self.reach(ref, "published")["id"])[-1][0])

    def stumbled(self, step: str) -> bool:
        """Whether a task of this step has failed and will be tried again."""
        return bool(self._rows("SELECT 1 FROM tasks WHERE step = ? AND state = 'ready' AND error <> ''", step))

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "data/frontispiece.db", timeout=30)) as db:
            return db.execute(query, values).fetchall()

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        key = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, f"{self.url}/api/v1{path}", headers=key, timeout=30, **request)
        return answer.raise_for_status().json()

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "service.log").read_text()
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "frontispiece", *words]

    def _env(self) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("FRONTISPIECE_", "BFL_"))}
        return bare | {"FRONTISPIECE_CONFIG": str(self.folder / "frontispiece.toml")}


@contextmanager
def paired(suite: str, folder: Path) -> Iterator[tuple[Service, WordPress]]:
    """The service and a WordPress of this Debian suite, each configured for the other as the guide says."""
    service = Service(folder)
    with running(suite, service.url) as site:
        try:
            user = {"user": "frontispiece", "password": site.passwords["frontispiece"]}
            service.start({"plugin": "wordpress", "url": site.url, "webhook_secret": SECRET, **user})
            site.configure(token=service.token)
            yield service, site
        finally:
            service.stop()
