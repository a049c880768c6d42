"""The adapter of a test's site, and a client that is open for one test; each module says what its `site` is."""

from collections.abc import Iterator
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
