"""Strapi's admin panel with our plugin in it, built once, and what an editor does in it in a real browser."""

import os
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Locator, Page
from servers.installed import installed
from servers.strapi import FILES, PERSON, PLUGIN, Server, modules

__all__ = ["TOKEN", "enter", "open_panel", "with_panel"]

TOKEN = "token-of-the-strapi-tests"
WAIT = 60_000  # milliseconds; the admin panel is large


def with_panel(folder: Path, service: str, *, pages: bool = False) -> Server:
    """A Strapi whose panel asks this service; `pages`: with the admin panel itself, for a browser."""
    env = {"FRONTISPIECE_URL": service, "FRONTISPIECE_TOKEN": TOKEN}
    site = Server(folder, **env, SERVE_ADMIN=str(pages).lower())
    if pages:
        (folder / "build").symlink_to(
            installed("strapi-panel", [PLUGIN / "strapi-admin.js", FILES, Path(__file__)], _build) / "build"
        )
    return site


def _build(made: Path) -> None:
    for name in ("config", "src", "package.json"):
        copy = shutil.copytree if (FILES / name).is_dir() else shutil.copy
        copy(FILES / name, made / name)
    shutil.copytree(PLUGIN, made / "src/plugins/frontispiece")
    (made / "node_modules").symlink_to(modules())
    env = {"FRONTISPIECE_URL": "http://127.0.0.1", "FRONTISPIECE_TOKEN": TOKEN, "PORT": "1337"}
    command = ["node", "node_modules/@strapi/strapi/bin/strapi.js", "build"]
    quiet = {"NODE_ENV": "production", "STRAPI_TELEMETRY_DISABLED": "true"}
    subprocess.run(command, cwd=made, env=os.environ | env | quiet, check=True, capture_output=True, timeout=900)


def enter(page: Page, site: Server) -> None:
    """Logs in as the editor."""
    page.goto(f"{site.url}/admin/auth/login", timeout=WAIT)
    page.get_by_label("Email").fill(PERSON["email"])
    page.get_by_label("Password").first.fill(PERSON["password"])
    page.get_by_role("button", name="Login").click()
    page.get_by_role("link", name="Content Manager").wait_for(timeout=WAIT)


def open_panel(page: Page, site: Server, ref: str) -> Locator:
    """The Frontispiece panel beside this entry."""
    kind, _, number = ref.partition("/")
    page.goto(f"{site.url}/admin/content-manager/collection-types/api::{kind}.{kind}/{number}", timeout=WAIT)
    panel = page.locator(".frontispiece-panel")
    panel.wait_for(timeout=WAIT)
    return panel
