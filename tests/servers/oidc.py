"""A real OpenID Connect provider: panva's certified one, with a form that believes every password."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
from servers.database import free_port
from servers.installed import installed
from servers.process import Process

__all__ = ["CLIENT", "PEOPLE", "SECRET", "Server", "log_in"]

FILES = Path(__file__).with_name("oidc-files")
CLIENT, SECRET = "frontispiece", "a secret: with/signs & spaces"
PEOPLE: dict[str, dict[str, Any]] = {
    "kim": {"preferred_username": "Kim", "name": "Kim Person", "groups": ["desk"]},
    "stranger": {"preferred_username": "Stranger", "groups": ["tennis"]},
    "chief": {"preferred_username": "Chief", "groups": ["desk", "chief"]},
}


def modules() -> Path:
    """The folder `node_modules`."""
    return installed("oidc-modules", [FILES / "package.json", FILES / "package-lock.json"], _install) / "node_modules"


def _install(made: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FILES / name, made)
    words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(words, cwd=made, env={**os.environ, "CI": "1"}, check=True, stdout=subprocess.DEVNULL)


class Server:
    """The provider, with one client that lives at `desk` (a URL). `people` may change while it runs."""

    def __init__(self, folder: Path, desk: str) -> None:
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}"
        self.file = folder / "people.json"
        self.people(PEOPLE)
        shutil.copy(FILES / "provider.mjs", folder)
        (folder / "node_modules").symlink_to(modules())
        client = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [f"{desk}/login/oidc/back"]}
        client |= {"post_logout_redirect_uris": [f"{desk}/login"]}
        given = {"issuer": self.issuer, "port": port, "clients": [client], "people": str(self.file)}
        health = f"{self.issuer}/.well-known/openid-configuration"
        self.process = Process(["node", "provider.mjs"], health, folder, {"PROVIDER": json.dumps(given)})

    def people(self, people: dict[str, dict[str, Any]]) -> None:
        """Whom the provider knows from here on, by their subject."""
        self.file.write_text(json.dumps(people))

    def settings(self, **more: Any) -> dict[str, Any]:
        """The table `[oidc]` for this provider."""
        roles = {"desk": "editor", "chief": "lead", "it": "admin"}
        usual = {"issuer": self.issuer, "client_id": CLIENT, "client_secret": SECRET, "title": "Newsroom ID"}
        return usual | {"private": [self.issuer], "role_claim": "groups", "roles": roles} | more


def log_in(browser: httpx.Client, way_in: httpx.Response, sub: str) -> httpx.Response:
    """Follows a redirect to the provider, fills in its forms, and stops at the redirect back to the desk."""
    answer = _to_form(browser, way_in)
    for fields in ({"prompt": "login", "login": sub, "password": "any"}, {"prompt": "consent"}):
        if "/interaction/" not in str(answer.url):
            break
        form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
        assert form, answer.text
        answer = _to_form(browser, browser.post(form[1], data=fields))
    return answer


def _to_form(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Follows until there is a page to fill in, or the next step would leave the provider."""
    while answer.is_redirect and "/login/oidc/back" not in answer.headers["Location"]:
        answer = browser.get(answer.url.join(answer.headers["Location"]))
    return answer
