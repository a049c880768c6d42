"""What goes wrong while one decides, in a real browser: lost connections, old pages, two at once, too much text."""

import pytest
from desk.browsing import Held, Opened, accessible, painted, shot
from desk.furnish import DOT, Web
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from frontispiece import review
from frontispiece.models import Login, State

pytestmark = pytest.mark.real

LOST = "Failed to load resource|Failed to fetch"
REFUSED = "status of (409|422)"
BREAD, RIVER = "Bread that takes three days", "Why the river smells"


def titled(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


def test_a_decision_that_did_not_arrive_comes_back_with_what_was_typed(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}", expected=LOST) as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Alt text").fill("words that took a while")
        page.context.set_offline(True)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("alert")).to_contain_text("The connection is lost.")
        expect(page.get_by_role("alert")).to_contain_text(BREAD)
        titled(page, BREAD)
        expect(page.get_by_label("Alt text")).to_have_value("words that took a while")
        accessible(page)
        shot(page, "illustration-lost")
    assert web.one(number).state == State.IN_REVIEW


def test_what_did_not_arrive_is_sent_again(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}", expected=LOST) as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Alt text").fill("words that took a while")
        page.context.set_offline(True)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("button", name="Send again")).to_be_focused()
        page.context.set_offline(False)
        page.keyboard.press("Enter")
        titled(page, RIVER)
        expect(page.get_by_role("alert")).to_have_count(0)
    assert (web.one(number).state, web.one(number).alt) == (State.APPROVED, "words that took a while")


def test_several_decisions_that_did_not_arrive_are_all_sent_again(web: Web, opened: Opened) -> None:
    numbers = [web.illustration(number=at) for at in range(3)]
    with opened(f"/desk/{numbers[2]}", expected=LOST) as page:
        page.wait_for_load_state("networkidle")
        page.context.set_offline(True)
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).to_contain_text(BREAD)
        page.keyboard.press("j")
        titled(page, RIVER)
        painted(page)
        page.keyboard.press("r")
        page.keyboard.press("4")
        expect(page.get_by_role("alert")).to_contain_text(RIVER)
        expect(page.get_by_role("alert")).to_contain_text(BREAD)
        page.context.set_offline(False)
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page.locator("#notices")).to_contain_text("Rejected:")
    assert [web.one(number).state for number in numbers] == [State.IN_REVIEW, State.REJECTED, State.APPROVED]


def test_an_answer_that_was_lost_on_the_way_is_no_second_decision(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}", expected="Failed to load resource") as page:
        page.wait_for_load_state("networkidle")
        page.route("**/approve", lambda route: (route.fetch(max_redirects=0), route.abort()))
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).to_contain_text("Not sent:")
        page.unroute("**/approve")
        page.get_by_role("button", name="Send again").click()
        titled(page, RIVER)
    assert len(web.reviews(number)) == 1


def test_what_did_not_arrive_may_be_dropped(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}", expected=LOST) as page:
        page.context.set_offline(True)
        page.keyboard.press("a")
        page.get_by_role("button", name="Do not send").click()
        expect(page.get_by_role("alert")).to_have_count(0)
    assert web.reviews(number) == []


def test_a_login_that_is_over_loses_no_decision(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}", expected="status of 4") as page:
        with web.house.database.write() as session:
            session.execute(delete(Login))
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).to_contain_text("You are logged out.")
        new = web.login("editor")  # in another window
        page.context.add_cookies([{"name": "frontispiece", "value": new, "url": page.url.partition("/desk")[0]}])
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert web.one(number).state == State.APPROVED


def test_of_two_who_decide_at_once_the_second_hears_it_and_keeps_what_was_typed(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}", expected=REFUSED) as jo, opened(f"/desk/{number}", name="Kim") as kim:
        jo.wait_for_load_state("networkidle")
        jo.get_by_label("Alt text").fill("words that took a while")
        kim.keyboard.press("r")
        kim.keyboard.press("1")
        expect(kim.locator("#notices")).to_contain_text("Rejected:")
        jo.get_by_role("button", name="Approve").click()
        expect(jo.get_by_role("alert")).to_contain_text("Somebody decided first. Rejected.")
        titled(jo, BREAD)
        expect(jo.get_by_label("Alt text")).to_have_value("words that took a while")
    assert [decision for decision, _, _ in web.reviews(number)] == ["reject"]


@pytest.mark.parametrize("scripts", [True, False])
def test_an_approval_from_an_older_page_leaves_the_words_of_somebody_else(
    web: Web, opened: Opened, *, scripts: bool
) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}", scripts=scripts) as jo, opened(f"/desk/{number}", name="Kim") as kim:
        kim.get_by_label("Alt text").fill("Kim's lamp,\nat dawn")
        kim.get_by_role("button", name="Save words and focal point").click()
        expect(kim.locator("#notices")).to_contain_text("are saved")
        jo.get_by_label("Caption").fill("Jo's caption")
        jo.get_by_role("button", name="Approve").click()
        expect(jo.get_by_text("Nothing waits for you.")).to_be_visible()
    one = web.one(number)
    assert (one.state, one.alt, one.caption) == (State.APPROVED, "Kim's lamp,\nat dawn", "Jo's caption")


def test_a_page_that_was_fetched_ahead_leaves_the_words_of_somebody_else(web: Web, opened: Opened) -> None:
    other, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        review.describe(web.house, other, review.Details(alt="Kim's lamp"))
        held = Held(page, f"**/desk/{number}/approve")
        page.keyboard.press("a")
        titled(page, RIVER)
        painted(page)
        page.keyboard.press("a")  # before the answer to the first one brings the page as it is now
        with page.expect_response(f"**/desk/{other}/approve"):
            held[0].continue_()
    assert (web.one(other).state, web.one(other).alt) == (State.APPROVED, "Kim's lamp")


def test_a_next_one_that_somebody_decided_meanwhile_is_passed_over(web: Web, opened: Opened) -> None:
    last, second, first = (web.illustration(number=at) for at in range(3))
    with opened(f"/desk/{first}") as page:
        page.wait_for_load_state("networkidle")
        review.reject(web.house, second, "Kim")
        page.keyboard.press("a")
        titled(page, "The last keeper")
        assert page.url.endswith(f"/desk/{last}")
    assert web.one(last).state == State.IN_REVIEW


def test_a_page_that_was_fetched_ahead_and_has_changed_is_shown_as_it_is_now(web: Web, opened: Opened) -> None:
    other, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        review.give(web.house, other, "Kim", DOT)
        page.keyboard.press("a")
        titled(page, RIVER)
        expect(page.locator(".thumbs label")).to_have_count(2)


CHANGED = "document.body.dispatchEvent(new CustomEvent('frontispiece:changed', {detail: []}))"  # as live.js does it


def test_what_somebody_else_decides_is_shown_at_once(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        review.reject(web.house, number, "Kim")
        page.evaluate(CHANGED)
        expect(page.get_by_text("Rejected. The entry stays as it is.")).to_be_visible()


def test_words_that_somebody_else_saves_are_shown_at_once(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        review.describe(web.house, number, review.Details(alt="Kim's lamp"))
        page.evaluate(CHANGED)
        expect(page.get_by_label("Alt text")).to_have_value("Kim's lamp")


def test_whoever_is_typing_is_left_in_peace(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Alt text").fill("half a sente")
        review.reject(web.house, number, "Kim")
        with page.expect_response(f"**/desk/{number}"):
            page.evaluate(CHANGED)
        page.wait_for_load_state("networkidle")
        expect(page.get_by_label("Alt text")).to_have_value("half a sente")


def test_a_prompt_of_100_kb_is_refused_in_words_and_kept(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}", expected=REFUSED) as page:
        page.wait_for_load_state("networkidle")
        page.keyboard.press("e")
        page.locator("#prompt").fill("a lamp " * 15_000)
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        expect(page.get_by_role("alert")).to_contain_text("4000 are the most")
        titled(page, BREAD)
        expect(page.locator("#prompt")).to_have_value("a lamp " * 15_000)
    assert len(web.renders(number)) == 1


def test_an_old_tab_is_told_what_became_of_its_picture(web: Web, opened: Opened) -> None:
    number = web.illustration(candidates=2)
    with opened(f"/desk/{number}", expected=REFUSED) as page:
        review.approve(web.house, number, web.candidate(number), "Kim")
        page.locator(".thumbs label").first.click()
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).to_contain_text("Somebody decided first. Approved.")
    assert web.one(number).chosen_id == web.candidate(number)
