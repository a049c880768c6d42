"""Two people at one illustration, each in a browser."""

import re

import pytest
from desk.browsing import Opened, accessible
from desk.furnish import Web
from playwright.sync_api import expect
from sqlalchemy import delete

from frontispiece.models import Login

pytestmark = pytest.mark.real


def test_a_comment_is_sent_without_leaving_the_page(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.get_by_label("Comment", exact=True).fill("too dark")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".comments li")).to_contain_text("too dark")
        expect(page.get_by_label("Comment", exact=True)).to_have_value("")


def test_a_refresh_leaves_a_half_written_comment_alone(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.get_by_label("Comment", exact=True).press_sequentially("half a sen")
        with page.expect_response("**/together"):
            page.evaluate(f"document.body.dispatchEvent(new CustomEvent('frontispiece:changed-{number}'))")
        page.get_by_label("Comment", exact=True).press_sequentially("tence")
        expect(page.get_by_label("Comment", exact=True)).to_have_value("half a sentence")


def test_a_name_that_is_picked_is_given_the_illustration(web: Web, opened: Opened) -> None:
    number = web.illustration()
    web.login("editor", "Kim")
    with opened(f"/desk/{number}") as page:
        page.get_by_label("Assigned to").select_option("Kim")
        page.get_by_role("button", name="Assign").click()
        expect(page.locator("#assignee option[selected]")).to_have_text("Kim")
    assert web.one(number).assignee == "Kim"


def test_a_new_login_in_another_tab_keeps_no_comment_back(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}", expected="status of 400") as page:
        page.wait_for_load_state("networkidle")
        with web.house.database.write() as session:
            session.execute(delete(Login))
        new = web.login("editor")
        page.context.add_cookies([{"name": "frontispiece", "value": new, "url": page.url.partition("/desk")[0]}])
        page.get_by_label("Comment", exact=True).fill("too dark")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".comments li")).to_have_text(re.compile("too dark"))
        expect(page.locator("#together").get_by_role("alert")).to_have_count(0)


def test_a_comment_needs_no_script(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}", scripts=False) as page:
        page.get_by_label("Comment", exact=True).fill("too dark")
        page.get_by_role("button", name="Send").click()
        page.goto(f"/desk/{number}/together")
        expect(page.get_by_text("too dark")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_comments_keeps_nobody_out(web: Web, opened: Opened, scheme: str) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}/together", scheme=scheme) as page:
        accessible(page)
