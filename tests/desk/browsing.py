"""The desk in a real browser, for the tests of its rooms: one Chromium a module, a window for each test."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from desk.furnish import Web
from playwright.sync_api import Browser, Page, Route
from servers.axe import violations
from servers.browsing import chromium
from werkzeug.serving import make_server

Scheme = Literal["light", "dark"]
Opened = Callable[..., AbstractContextManager[Page]]
SHOTS = Path(os.environ.get("FRONTISPIECE_SHOTS", ".shots"))  # kept as artefacts of CI, and looked at


@pytest.fixture(scope="module", name="browser")
def _browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A house with faces and no illustrations yet."""
    with Web(tmp_path) as made:
        yield made


@pytest.fixture
def opened(web: Web, browser: Browser) -> Opened:
    """What opens a page of the desk in a new window; it takes the arguments of `window`."""

    def open_(path: str = "/desk", **how: Any) -> AbstractContextManager[Page]:
        return window(web, browser, path, **how)

    return open_


@contextmanager
def window(  # noqa: PLR0913 - what a browser may be like
    web: Web,
    browser: Browser,
    path: str = "/desk",
    *,
    role: str = "editor",
    scripts: bool = True,
    scheme: Scheme = "light",
    width: int = 1280,
    language: str = "en",
    name: str = "",
    touch: bool = False,
    expected: str = "",
) -> Iterator[Page]:
    """A page of the desk with somebody logged in; what the browser complains of fails the test. `width` is in pixels.

    `expected` is a pattern of complaints that belong to the test, such as those about a lost connection.
    """
    with serving(web) as url:
        context = browser.new_context(
            base_url=url,
            color_scheme=scheme,
            java_script_enabled=scripts,
            locale=language,
            reduced_motion="reduce",
            viewport={"width": width, "height": 800},
            has_touch=touch,
        )
        key = web.login(role, name)
        context.add_cookies([{"name": "frontispiece", "value": key, "url": url}])
        page, complaints = context.new_page(), []
        page.on("console", lambda told: complaints.append(told.text))
        page.on("pageerror", lambda told: complaints.append(str(told)))
        try:
            page.goto(path, wait_until="load")  # from here on the keys work
            yield page
        finally:
            context.close()
    assert [told for told in complaints if not (expected and re.search(expected, told))] == []


@contextmanager
def serving(web: Web) -> Iterator[str]:
    """The desk on a port of its own; the address."""
    server = make_server("127.0.0.1", 0, web.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def painted(page: Page) -> None:
    """Waits until what the page has now is on the screen: before that no key decides, as nobody has seen it."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


class Held:
    """What a page sends to an address waits here, to be let go or lost: the first is `held[0]`."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._routes: list[Route] = []
        page.route(address, lambda route: self._routes.append(route))  # noqa: PLW0108 - it takes no built-in method

    def __getitem__(self, at: int) -> Route:
        """Waits until so many were sent: ten seconds at most."""
        for _ in range(500):
            if len(self._routes) > at:
                return self._routes[at]
            self._page.wait_for_timeout(20)  # lets Playwright hand over what has come
        raise AssertionError(f"{at + 1} requests were not sent")


def accessible(page: Page) -> None:
    """Fails with axe's words where the page keeps somebody out."""
    assert violations(page) == []


def shot(page: Page, name: str) -> None:
    """Keeps a picture of the page as `name`, the whole of it."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
