"""The desk in German in a real browser: longer words fit, and nobody is kept out."""

import pytest
from desk.browsing import Opened, accessible
from desk.furnish import Web

from frontispiece.models import State

pytestmark = [pytest.mark.real]

PAGES = ["/desk", "/desk/1", "/desk/1/change/own", "/board", "/sites", "/deliveries", "/templates", "/people", "/me"]


@pytest.fixture(name="furnished")
def _furnished(web: Web) -> Web:
    for number, state in enumerate((State.IN_REVIEW, State.HELD, State.PUBLISHED)):
        web.illustration(state, number, reason="it has an image already" if state == State.HELD else "")
    return web


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("path", PAGES)
def test_german_fits_a_telephone(opened: Opened, path: str) -> None:
    with opened(path, role="admin", language="de", width=390) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("path", PAGES)
def test_german_pages_keep_nobody_out(opened: Opened, path: str) -> None:
    with opened(path, role="admin", language="de") as page:
        assert page.locator("html").get_attribute("lang") == "de"
        accessible(page)
