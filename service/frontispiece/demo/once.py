"""The whole journey, walked unattended over the public faces alone: the newsroom's pages and the service's API."""

import re
import time
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx

from frontispiece.demo.setting import Setting
from frontispiece.errors import Problem

T = TypeVar("T")
LIMIT = 120.0  # seconds for the journey
ENDS = ("failed", "held", "rejected", "skipped")


class Walk:
    """One article's journey; each step is printed with the seconds since the start."""

    def __init__(self, setting: Setting, token: str) -> None:
        self.setting = setting
        self.newsroom = httpx.Client(base_url=setting.newsroom, trust_env=False)
        key = {"Authorization": f"Bearer {token}"}
        self.api = httpx.Client(base_url=f"{setting.service}/api/v1", headers=key, trust_env=False, timeout=30)
        self.started = time.monotonic()

    def go(self) -> None:
        """From "publish" to the picture on the page. Raises `Problem` where it stops."""
        page = self._publish()
        self._until("delivery accepted", lambda: "Frontispiece: accepted" in self._get(self.newsroom, page).text)
        ref = page.rsplit("/", 1)[1]
        one = self._until_it("prompt composed", ref, lambda one: bool(one["prompt"]))
        one = self._until_it("picture drawn", ref, lambda one: bool(one["candidates"]))
        one = self._until_it("in review", ref, lambda one: one["state"] == "in_review")
        act = self.api.post(f"/illustrations/{one['id']}/approve", json={"candidate": one["candidates"][0]["id"]})
        self._tell("approved", _good(act).json()["alt"])
        self._until_it("published", ref, lambda one: one["state"] == "published")
        file = self._until("on the page", lambda: self._picture(page))
        click.echo(f"\nPicture  {file}\nPage     {self.setting.newsroom}{page}")

    def _publish(self) -> str:
        form = Form()
        form.feed(self._get(self.newsroom, "/write").text)
        path = publish(self.newsroom, form.filled)
        self._tell("article published", form.filled["title"])
        return path

    def _picture(self, page: str) -> Path | None:
        """The file of the picture that the page shows, once it can be fetched as readers fetch it."""
        found = re.search(r'<figure class="picture">\s*<img src="([^"]+)"', self._get(self.newsroom, page).text)
        if not found:
            return None
        self._get(self.newsroom, found[1])
        return self.setting.gazette / "pictures" / found[1].rsplit("/", 1)[1]

    def _until_it(self, name: str, ref: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Until the article's illustration is so; its words then."""

        def look() -> dict[str, Any] | None:
            query = {"site": "gazette", "ref": ref}
            found = _good(self.api.get("/illustrations", params=query)).json()["illustrations"]
            if not found:
                return None
            one: dict[str, Any] = found[0]
            if reached(one):
                return one
            if one["state"] in ENDS:
                raise Problem(f"the illustration is {one['state']}: {one['reason'] or 'no reason was given'}")
            return None

        return self._until(name, look)

    def _until(self, name: str, look: Callable[[], T | None]) -> T:
        while time.monotonic() - self.started < LIMIT:
            found = look()
            if found:
                self._tell(name)
                return found
            time.sleep(0.1)
        raise Problem(f"“{name}” was not reached within {LIMIT:.0f} seconds")

    def _tell(self, name: str, words: str = "") -> None:
        click.echo(f"{time.monotonic() - self.started:6.2f} s  {name:<18} {words}".rstrip())

    def _get(self, client: httpx.Client, path: str) -> httpx.Response:
        return _good(client.get(path))


def publish(newsroom: httpx.Client, story: Mapping[str, str]) -> str:
    """Publishes a story as a person would, with the fields of the newsroom's form; the path of its page."""
    answer = newsroom.post("/write", data={**story, "act": "publish"})
    if answer.status_code != 303:
        raise Problem(f"the newsroom answered {answer.status_code} to the article “{story['title']}”")
    return httpx.URL(answer.headers["Location"]).path


def _good(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        words = " ".join(answer.text.split())[:200]
        raise Problem(f"{answer.request.method} {answer.request.url} answered {answer.status_code}: {words}")
    return answer


class Form(HTMLParser):
    """What the fields of a page's form hold, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.filled: dict[str, str] = {}
        self._name = ""  # of the field that the text now belongs to
        self._chooser = ""  # the select that the options now belong to

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        keys = {name: value or "" for name, value in attrs}
        if tag == "input":
            self.filled[keys["name"]] = keys.get("value", "")
        elif tag in ("textarea", "select"):
            self.filled[keys["name"]] = ""
            self._name = keys["name"] if tag == "textarea" else ""
            self._chooser = keys["name"]
        elif tag == "option" and "selected" in keys:
            self._name = self._chooser

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "option"):
            self._name = ""

    def handle_data(self, data: str) -> None:
        if self._name:
            self.filled[self._name] += data
