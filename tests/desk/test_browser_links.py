"""A link from a real letter and a real chat message, opened in a real browser by somebody who is not logged in."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from desk.browsing import accessible, shot
from desk.furnish import app
from playwright.sync_api import Browser, Page, expect
from servers.database import free_port
from servers.receiving import chat, links, mail
from werkzeug.serving import make_server
from world import Build, World

from frontispiece.models import State

pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")]


@contextmanager
def served(build: Build, address: str) -> Iterator[tuple[World, str]]:
    """A world that sends links to an address, and where it is reached."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    world = build(rest=f'[server]\nurl = "{url}"\n[notices.editors]\nlinks = true\nurls = ["{address}"]')
    server = make_server("127.0.0.1", port, app(world.house), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        world.deliver(world.publish())
        world.run()
        yield world, url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def window(browser: Browser, address: str, **how: Any) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce", **how)
    page = context.new_page()
    try:
        page.goto(address)
        yield page
    finally:
        context.close()


def test_a_letter_s_link_is_opened_decided_and_opened_again(build: Build, browser: Browser) -> None:
    with mail() as box, served(build, box.box) as (world, url):
        (key,) = links(box.read()[1])
        with window(browser, f"{url}/l/{key}") as page:
            picture = page.get_by_role("img", name="The Lighthouse Is Lit Again")
            expect(picture).to_be_visible()
            assert picture.evaluate("image => image.complete && image.naturalWidth") == 1600
            shot(page, "link-light")
            page.get_by_role("button", name="Approve and publish").click()
            expect(page.get_by_role("status")).to_have_text("Approved: the picture goes to the site now.")
            shot(page, "link-approved")
        with window(browser, f"{url}/l/{key}") as page:
            expect(page.get_by_role("status")).to_have_text("editors by link approved a picture for this entry.")
            expect(page.get_by_role("button")).to_have_count(0)
        world.run()
        assert world.state() == State.PUBLISHED


def test_a_chat_s_link_rejects_without_scripts_on_a_phone(build: Build, browser: Browser) -> None:
    with chat() as room, served(build, room.room("editors")) as (world, url):
        (key,) = links(room.texts()[0])
        phone = {"width": 390, "height": 800}
        with window(browser, f"{url}/l/{key}", java_script_enabled=False, viewport=phone) as page:
            page.get_by_label("What is wrong with it").fill("The lamp is dark")
            page.get_by_role("button", name="Reject").click()
            expect(page.get_by_role("status")).to_contain_text("Rejected")
        assert (world.state(), world.one().reason) == (State.REJECTED, "The lamp is dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_a_link_keeps_nobody_out(build: Build, browser: Browser, scheme: Any, width: int) -> None:
    with chat() as room, served(build, room.room("editors")) as (_, url):
        (key,) = links(room.texts()[0])
        with window(browser, f"{url}/l/{key}", color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
            accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            shot(page, f"link-{scheme}-{width}")


def test_the_address_of_a_link_is_not_sent_along(build: Build, browser: Browser) -> None:
    with chat() as room, served(build, room.room("editors")) as (_, url):
        (key,) = links(room.texts()[0])
        referrers = []
        with window(browser, "about:blank") as page:
            page.on("request", lambda asked: referrers.append(asked.all_headers().get("referer", "")))
            page.goto(f"{url}/l/{key}")
            page.get_by_role("link", name="More can be done at the desk.").click()
            page.wait_for_load_state()
        assert len(referrers) > 3
        assert not [sent for sent in referrers if key in sent]
