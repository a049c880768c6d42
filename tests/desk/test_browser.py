"""The desk in a real browser: by keyboard, without JavaScript, on a phone, and live."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desk.furnish import Web
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import update
from werkzeug.serving import make_server

from frontispiece import accounts
from frontispiece.models import Illustration, State

pytestmark = pytest.mark.real

PASSWORD = "correct horse battery"
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET.split())
        yield browser
        browser.close()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with Web(tmp_path) as made:
        accounts.add_user(made.house.database, "Jo", "editor", PASSWORD)
        yield made


@contextmanager
def opened(web: Web, chromium: Browser, *, scripts: bool = True, width: int = 1280) -> Iterator[Page]:
    """The desk in a new window, with somebody logged in; complaints of the browser are failures."""
    server = make_server("127.0.0.1", 0, web.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = chromium.new_context(
        base_url=f"http://127.0.0.1:{server.port}",
        java_script_enabled=scripts,
        viewport={"width": width, "height": 800},
    )
    page, complaints = context.new_page(), []
    page.on("console", lambda told: complaints.append(told.text))
    page.on("pageerror", lambda told: complaints.append(str(told)))
    try:
        page.goto("/desk")
        page.get_by_label("Name").fill("Jo")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("navigation", name="State")).to_be_visible()
        page.wait_for_load_state("load")  # from here on the keys work
        yield page
    finally:
        context.close()
        server.shutdown()
        server.server_close()
    assert complaints == []


def test_two_keys_decide_two_pictures(web: Web, chromium: Browser) -> None:
    first, second = web.illustration(number=1), web.illustration(number=2)
    with opened(web, chromium) as page:
        page.keyboard.press("j")
        for key in ("Enter", "a"):
            with page.expect_navigation():
                page.keyboard.press(key)
        expect(page.get_by_role("status").first).to_contain_text("Approved: “Bread that takes three days")
        page.keyboard.press("a")
        expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert (web.one(first).state, web.one(second).state) == (State.APPROVED, State.APPROVED)


def test_a_rejection_is_typed_without_the_mouse(web: Web, chromium: Browser) -> None:
    number = web.illustration()
    with opened(web, chromium) as page:
        page.goto(f"/desk/{number}")
        page.keyboard.press("r")
        page.keyboard.type("a ghost in it")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Rejected:")).to_be_visible()
    assert web.one(number).reason == "a ghost in it"


def test_letters_typed_into_a_field_decide_nothing(web: Web, chromium: Browser) -> None:
    number = web.illustration()
    with opened(web, chromium) as page:
        page.goto(f"/desk/{number}")
        page.get_by_label("Alt text").fill("")
        page.get_by_label("Alt text").press_sequentially("a grand jar")
        expect(page.get_by_label("Alt text")).to_have_value("a grand jar")
    assert web.one(number).state == State.IN_REVIEW


def test_an_edited_prompt_is_sent_by_key(web: Web, chromium: Browser) -> None:
    number = web.illustration()
    with opened(web, chromium) as page:
        page.goto(f"/desk/{number}")
        page.keyboard.press("e")
        page.get_by_role("textbox", name="Prompt").fill("A lamp in fog.")
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        expect(page.get_by_text("is being drawn.").first).to_be_visible()
    assert web.one(number).prompt == "A lamp in fog."


def test_the_arrow_keys_choose_the_picture_that_is_shown_and_approved(web: Web, chromium: Browser) -> None:
    number = web.illustration(candidates=3)
    with opened(web, chromium) as page:
        page.goto(f"/desk/{number}")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".large figure").nth(1)).to_be_visible()
        expect(page.locator(".large figure").nth(2)).to_be_hidden()
        page.keyboard.press("a")
        expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert web.one(number).chosen_id == web.candidate(number) - 1


def test_j_and_k_go_from_picture_to_picture(web: Web, chromium: Browser) -> None:
    older, newer = web.illustration(number=1), web.illustration(number=2)
    with opened(web, chromium) as page:
        page.goto(f"/desk/{newer}")
        page.keyboard.press("j")
        page.wait_for_url(f"**/desk/{older}")
        page.keyboard.press("k")
        page.wait_for_url(f"**/desk/{newer}")


def test_everything_works_without_javascript(web: Web, chromium: Browser) -> None:
    first, second = web.illustration(number=1, candidates=2), web.illustration(number=2)
    with opened(web, chromium, scripts=False) as page:
        page.locator(".tile").nth(1).click()
        page.locator(".thumbs label").first.click()
        expect(page.locator(".large figure").first).to_be_visible()
        page.get_by_role("button", name="Approve").click()
        page.locator("summary", has_text="Reject").click()
        page.get_by_label("Why?").fill("not this")
        page.get_by_role("button", name="Reject", exact=True).click()
        expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert (web.one(first).state, web.one(first).chosen_id) == (State.APPROVED, web.candidate(first) - 1)
    assert web.one(second).state == State.REJECTED


def test_a_picture_that_is_drawn_appears_by_itself(web: Web, chromium: Browser) -> None:
    number = web.illustration(State.RENDERING, candidates=1)
    with opened(web, chromium) as page:
        page.goto(f"/desk/{number}")
        expect(page.get_by_role("button", name="Approve")).to_be_hidden()
        with web.house.database.write() as session:
            session.execute(update(Illustration).values(state=State.IN_REVIEW))
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
        expect(page.locator("[hx-get]")).to_have_count(0)


def test_a_refresh_of_the_queue_leaves_the_focus_where_it_is(web: Web, chromium: Browser) -> None:
    number = web.illustration(number=1)
    web.illustration(State.RENDERING, 2)
    with opened(web, chromium) as page:
        page.keyboard.press("j")
        new = web.illustration(number=3)
        expect(page.locator(f"#i{new}")).to_be_visible()
        assert page.evaluate("document.activeElement.id") == f"a{number}"


def test_a_phone_shows_the_desk_without_scrolling_sideways(web: Web, chromium: Browser) -> None:
    number = web.illustration(number=4, candidates=4)
    with opened(web, chromium, width=390) as page:
        for path in ("/desk", f"/desk/{number}"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_next_page_after_a_double_click_is_no_complaint(web: Web, chromium: Browser) -> None:
    number = web.illustration()
    with opened(web, chromium) as page:
        page.goto(f"/desk/{number}")
        page.get_by_role("button", name="Approve").dblclick()
        expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert web.reviews(number) == [("approve", "Jo", "")]
