"""A real WordPress with our plugin switched on, on a free port of this machine, for as long as a test wants it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from servers.site import SECRET, Site, State
from servers.wordpress_core import FILES, SUITES, php, template

from frontispiece.cms import Adapter, load

__all__ = ["PLUGIN", "SECRET", "SUITES", "TOKEN", "Server", "WordPress", "running"]

PLUGIN = Path(__file__).parents[2] / "plugins/wordpress/plugin/frontispiece"
TOKEN = "token-of-the-wordpress-tests"


class WordPress:
    """One site in a folder of its own. `users` are login -> id; everybody's password is "password"."""

    def __init__(self, suite: str, folder: Path, *, allow_private: bool = True) -> None:
        self.folder = folder / "site"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        shutil.copytree(template(suite), self.folder, copy_function=_link)
        facts = json.loads((self.folder / "site.json").read_text())
        self.users: dict[str, int] = facts["users"]
        self.passwords: dict[str, str] = facts["passwords"]  # application passwords, by login
        self._own("site.json", json.dumps(facts | {"url": self.url, "allow_private": allow_private}))
        shutil.copytree(PLUGIN, self.folder / "wp-content/plugins/frontispiece")
        self._server: subprocess.Popen[bytes] | None = None

    def _own(self, name: str, text: str) -> None:
        (self.folder / name).unlink()
        (self.folder / name).write_text(text)

    @property
    def version(self) -> str:
        """The core's own number, such as 6.8.7."""
        return str(self.php("return get_bloginfo('version');"))

    def start(self) -> None:
        """Returns when WordPress answers; its workers share the group of the process."""
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [*php(), "-S", f"127.0.0.1:{self.port}", "-t", str(self.folder)],
                env=os.environ | {"PHP_CLI_SERVER_WORKERS": "4"},
                process_group=0,
                stdout=log,
                stderr=log,
            )
        _wait_until_it_answers(f"{self.url}/wp-json/", self._server)

    def stop(self) -> None:
        """Ends the server and its workers; the site stays and can be started again."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def php(self, code: str) -> Any:
        """What the PHP code returns, run inside this WordPress as nobody in particular (JSON in between)."""
        command = [*php(), str(FILES / "run.php"), str(self.folder)]
        done = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{done.stdout}\n{done.stderr}")
        return json.loads(done.stdout.rsplit("\n", 1)[1])

    def configure(self, **settings: Any) -> None:
        """Switches the plugin on and stores its settings, as its page does."""
        text = json.dumps(json.dumps(settings))
        self.php(
            "activate_plugin('frontispiece/frontispiece.php');"
            f"update_option('frontispiece', json_decode({text}, true) + get_option('frontispiece', array()));"
        )

    def api(self, login: str = "admin") -> httpx.Client:
        """A client of the REST API as this user."""
        return httpx.Client(base_url=f"{self.url}/wp-json", auth=(login, self.passwords[login]), timeout=30)

    def adapter(self, **settings: Any) -> Adapter:
        """Ours for this site, as the service user."""
        kind = load("wordpress")
        facts = {"plugin": "wordpress", "url": self.url, "webhook_secret": SECRET, "user": "frontispiece"}
        password = {"password": self.passwords["frontispiece"]}
        return kind(kind.Settings.model_validate(facts | password | settings))

    @contextmanager
    def browser(self, login: str) -> Iterator[httpx.Client]:
        """A client with the cookies of a user who logged in at wp-login.php."""
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=60) as client:
            client.get("/wp-login.php")  # sets the cookie by which WordPress sees that cookies work
            client.post("/wp-login.php", data={"log": login, "pwd": "password"}).raise_for_status()
            yield client

    def run_cron(self) -> None:
        """What WordPress's own visitors or a crontab do: lets it run what is due."""
        httpx.get(f"{self.url}/wp-cron.php", timeout=60).raise_for_status()

    def post(self, login: str = "editor", **fields: Any) -> dict[str, Any]:
        """A new post, saved through REST as the block editor does."""
        with self.api(login) as api:
            answer = api.post("/wp/v2/posts", json={"title": "A day at sea", "content": "<p>Waves.</p>"} | fields)
        post: dict[str, Any] = answer.raise_for_status().json()
        return post


class Server(Site):
    """The newest WordPress, with posts that an editor writes in the block editor's way, by REST."""

    plugin = "wordpress"
    version = SUITES[-1]
    states = ("draft", "published")  # a published post has no unpublished changes but autosaves of one person

    def __init__(self, folder: Path) -> None:
        self.site = WordPress(self.version, folder)
        self.url = self.site.url
        self.keys = {"user": "frontispiece", "password": self.site.passwords["frontispiece"]}

    def start(self) -> None:
        self.site.start()

    def stop(self) -> None:
        self.site.stop()

    def hook(self, address: str) -> None:
        service, name = address.split("/hooks/")
        facts = {"service": service, "site": name, "secret": SECRET, "token": TOKEN, "user": "frontispiece"}
        self.site.configure(**facts)

    def create(self, state: State, title: str = "A day at sea") -> str:
        status = {"draft": "draft", "published": "publish"}[state]
        return f"posts/{self.site.post(title=title, status=status)['id']}"

    def state(self, ref: str) -> State:
        return "published" if self._read(ref)["status"] == "publish" else "draft"

    def title(self, ref: str) -> str:
        return str(self._read(ref)["title"]["raw"])

    def public_title(self, ref: str) -> str:
        found = httpx.get(f"{self.url}/wp-json/wp/v2/{ref}", timeout=30)
        return str(found.json()["title"]["rendered"]) if found.is_success else ""

    def image(self, ref: str) -> str:
        return str(self._read(ref)["featured_media"] or "")

    def alt(self, ref: str) -> str:
        return str(self._read(f"media/{self.image(ref)}")["alt_text"])

    def set_image(self, ref: str, data: bytes) -> None:
        with self.site.api("editor") as api:
            media = api.post("/wp/v2/media", files={"file": ("own.png", data, "image/png")}).raise_for_status().json()
            api.post(f"/wp/v2/{ref}", json={"featured_media": media["id"]}).raise_for_status()

    def rename(self, ref: str, title: str) -> None:
        with self.site.api("editor") as api:
            api.post(f"/wp/v2/{ref}", json={"title": title}).raise_for_status()

    def delete(self, ref: str) -> None:
        with self.site.api("editor") as api:
            api.delete(f"/wp/v2/{ref}", params={"force": True}).raise_for_status()

    def pictures(self) -> int:
        with self.site.api("admin") as api:
            return int(api.get("/wp/v2/media").raise_for_status().headers["X-WP-Total"])

    def _read(self, path: str) -> Any:
        with self.site.api("editor") as api:
            return api.get(f"/wp/v2/{path}", params={"context": "edit"}).raise_for_status().json()


@contextmanager
def running(suite: str, service: str, **settings: Any) -> Iterator[WordPress]:
    """A WordPress of this Debian suite whose plugin sends to `<service>/hooks/blog`."""
    with tempfile.TemporaryDirectory(prefix="wordpress-") as folder:
        site = WordPress(suite, Path(folder))
        facts = {"service": service, "site": "blog", "secret": SECRET, "token": TOKEN, "user": "frontispiece"}
        site.configure(**(facts | settings))
        site.start()
        try:
            yield site
        finally:
            site.stop()


def _link(source: str, target: str) -> None:
    """A hard link where the file is only read; a copy where it is written or the cache is on another disk."""
    if "/wp-content/database/" in source:
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_it_answers(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        try:
            if httpx.get(url, timeout=30).is_success:
                return
        except httpx.TransportError:
            pass
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer")
