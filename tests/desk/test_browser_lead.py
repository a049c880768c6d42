"""What the lead sees, in a real browser: readable by everybody in light and dark, on a phone, and without scripts."""

from pathlib import Path
from typing import cast

import pytest
from desk.browsing import Opened, Scheme, accessible, shot
from desk.furnish import Web
from desk.leading import OLD, furnished
from playwright.sync_api import expect

from frontispiece import jobs, prompts, tasks

pytestmark = pytest.mark.real

PAGES = {
    "board": "/board?period=30",
    "templates": "/templates",
    "template": "/templates/article/hero",
    "compared": f"/templates/article/hero/compare?old={OLD}&new={prompts.load('article/hero').version}",
    "sites": "/sites",
    "site": "/sites/shop",
    "deliveries": "/deliveries",
    "delivery": "/deliveries/1",
    "refused": "/deliveries?outcome=refused",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_the_page(web: Web, opened: Opened, name: str, scheme: str) -> None:
    furnished(web)
    with opened(PAGES[name], role="lead", scheme=cast("Scheme", scheme)) as page:
        shot(page, f"lead-{name}-{scheme}")
        accessible(page)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_on_a_phone(web: Web, opened: Opened, name: str) -> None:
    furnished(web)
    with opened(PAGES[name], role="lead", width=390) as page:
        shot(page, f"lead-{name}-390")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        accessible(page)


def test_days_of_ones_own_are_chosen_on_the_board(web: Web, opened: Opened) -> None:
    furnished(web)
    with opened("/board", role="lead") as page:
        page.get_by_label("From").fill("2026-01-01")
        page.get_by_label("to", exact=True).fill("2026-01-31")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_text("Below: 1 Jan 2026 to 31 Jan 2026.")).to_be_visible()
        expect(page.get_by_text("Nothing was judged in this time.").first).to_be_visible()


def test_the_export_is_downloaded(web: Web, opened: Opened, tmp_path: Path) -> None:
    furnished(web)
    with opened("/board", role="lead") as page:
        with page.expect_download() as download:
            page.get_by_role("link", name="All illustrations as CSV").click()
        download.value.save_as(tmp_path / "board.csv")
        assert download.value.suggested_filename.startswith("frontispiece-illustrations-")
    assert len((tmp_path / "board.csv").read_text("utf-8-sig").splitlines()) == 11


def test_two_versions_are_picked_and_compared_without_scripts(web: Web, opened: Opened) -> None:
    furnished(web)
    with opened("/templates", role="lead", scripts=False) as page:
        page.get_by_role("link", name="article/hero", exact=True).click()
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("heading", name="article/hero: two versions")).to_be_visible()
        expect(page.locator("del").first).to_be_visible()


def test_a_changed_template_is_tried(web: Web, opened: Opened) -> None:
    furnished(web)
    with opened("/templates/article/hero", role="lead") as page:
        page.get_by_text("Try a change").click()
        page.get_by_label("Changed text").fill("A pencil drawing of {{ entry.title }}.")
        page.get_by_role("button", name="Try it on the last entries").click()
        expect(page.get_by_text("Nothing was saved.")).to_be_visible()
        expect(page.get_by_text("A pencil drawing of").nth(1)).to_be_visible()
        accessible(page)


def test_a_template_is_tried_on_a_small_phone_too(web: Web, opened: Opened) -> None:
    furnished(web)
    with opened("/templates/article/hero", role="lead", width=320, language="de") as page:
        page.get_by_text("Eine Änderung ausprobieren").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_template_in_a_deep_folder_is_readable_on_a_phone(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / ("ourtemplates" * 8) / "article" / "hero.j2"
    mine.parent.mkdir(parents=True)
    mine.write_text("A photograph of {{ entry.title }}.\n")
    monkeypatch.setenv("FRONTISPIECE_TEMPLATES", str(mine.parent.parent))
    with opened("/templates/article/hero", role="lead", width=320) as page:
        expect(page.get_by_text("ourtemplates")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_doctors_findings_appear_by_themselves(web: Web, opened: Opened) -> None:
    with opened("/sites/gazette", role="lead") as page:
        page.get_by_role("button", name="Ask the doctor").click()
        expect(page.get_by_text("a worker is at it")).to_be_visible()
        accessible(page)
        claim = tasks.take(web.house.database)
        assert claim
        jobs.perform(web.house, claim)
        expect(page.get_by_text("Something is wrong.")).to_be_visible()
        accessible(page)


def test_a_pause_is_ended_by_a_button(web: Web, opened: Opened) -> None:
    furnished(web)
    with opened("/sites/shop", role="lead", scripts=False) as page:
        page.get_by_role("button", name="Try now").click()
        expect(page.get_by_text("It is tried again with the next call.")).to_be_visible()


def test_a_delivery_is_found_and_replayed(web: Web, opened: Opened) -> None:
    furnished(web)
    with opened("/deliveries", role="lead") as page:
        page.get_by_label("Outcome").select_option(label="Unreadable")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name="msg_5").click()
        page.get_by_role("button", name="Replay").click()
        expect(page.get_by_role("status").first).to_contain_text("Waiting to be read")
