"""The adapter of a test's site, and a client that is open for one test; each module says what its `site` is."""

from collections.abc import Callable, Iterator
from typing import Protocol

import httpx
import pytest

from frontispiece.cms import Adapter


class Adaptable(Protocol):
    """A server that says how we reach it."""

    def adapter(self) -> Adapter: ...


@pytest.fixture(name="adapter")
def _adapter(site: Adaptable) -> Adapter:
    return site.adapter()


@pytest.fixture
def api(adapter: Adapter) -> Iterator[httpx.Client]:
    """As `adapter` opens it."""
    with adapter.open() as client:
        yield client


class Meanwhile(httpx.BaseTransport):
    """Has a person do something while our first request of this kind is on its way; for `adapter.open`."""

    def __init__(self, method: str, path: str, act: Callable[[], object]) -> None:
        self.waits, self.act, self.real = (method, path), act, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Goes through to the server, after the person."""
        method, path = self.waits
        if request.method == method and request.url.path.endswith(path):
            self.waits = ("", "")
            self.act()
        return self.real.handle_request(request)

    def close(self) -> None:
        """Closes the connections."""
        self.real.close()
