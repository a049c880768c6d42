"""Somebody new at `frontispiece demo`, with a keyboard and nothing else."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from desk.browsing import shot
from playwright.sync_api import Browser, Page, expect
from servers.demo import Demo, demo

pytestmark = pytest.mark.real

WAIT = 60_000  # milliseconds for all ten to be drawn, or written back
SOME = ("a", "r1", "a", "a", "r5", "a", "a", "r2", "a", "a")  # the keys of ten decisions


@pytest.fixture(name="running")
def _running(tmp_path: Path) -> Iterator[Demo]:
    with demo(tmp_path) as running:
        yield running


@pytest.fixture(name="page")
def _page(browser: Browser, running: Demo) -> Iterator[Page]:
    """The desk, with all ten waiting, after a login by keyboard."""
    page = browser.new_page(locale="en", reduced_motion="reduce")
    page.goto(running.desk)
    page.keyboard.type(running.name)
    page.keyboard.press("Tab")
    page.keyboard.type(running.password)
    page.keyboard.press("Enter")
    expect(page.locator(".tile img")).to_have_count(10, timeout=WAIT)
    yield page
    page.close()


def press(page: Page, keys: Iterable[str]) -> None:
    for key in keys:
        page.keyboard.press(key)


def decide(page: Page, keys: str) -> None:
    """One decision, after which another picture is on the screen, or none waits."""
    before = page.locator("#live").get_attribute("data-illustration") or ""
    press(page, keys)
    expect(page.locator(f'#live[data-illustration="{before}"]')).to_have_count(0)


def test_a_decision_can_be_taken_back_after_the_page_heard_of_it(page: Page) -> None:
    press(page, ("j", "Enter"))
    page.wait_for_url("**/desk/*")
    first = page.locator("#live").get_attribute("data-illustration")
    decide(page, "a")
    undo = page.locator("#notices").get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    page.wait_for_event("response", lambda told: told.request.method == "GET" and "/desk/" in told.url)
    expect(undo).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator(f'#live[data-illustration="{first}"]')).to_be_visible()


def test_somebody_new_decides_ten_pictures_with_two_keys_each_at_most(page: Page, running: Demo) -> None:
    press(page, ("j", "Enter"))
    page.wait_for_url("**/desk/*")  # and until its keys work
    for keys in SOME:
        decide(page, keys)
    assert max(len(keys) for keys in SOME) <= 2
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    shot(page, "demo-decided")
    page.goto(running.newsroom)
    expect(page.get_by_text("No picture yet")).to_have_count(3, timeout=WAIT)
