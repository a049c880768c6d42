"""The page of one illustration in a real browser: by keyboard, by mouse, without JavaScript, on a phone."""

import re

import pytest
from desk.browsing import Opened, accessible, painted
from desk.furnish import Web
from playwright.sync_api import expect
from sqlalchemy import update

from frontispiece.models import Illustration, Review, State

pytestmark = pytest.mark.real

OVER = "Nothing waits for you."


def reviews(web: Web, number: int) -> list[Review]:
    with web.house.database.read() as session:
        return list(session.query(Review).where(Review.illustration_id == number).order_by(Review.id))


def test_two_keys_decide_two_pictures(web: Web, opened: Opened) -> None:
    first, second = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{second}") as page:
        page.keyboard.press("a")
        expect(page.locator("#notices")).to_contain_text("Approved: “Bread that takes three days")
        painted(page)
        page.keyboard.press("a")
        expect(page.get_by_text(OVER)).to_be_visible()
    assert (web.one(first).state, web.one(second).state) == (State.APPROVED, State.APPROVED)


@pytest.mark.timeout(300)
def test_a_hundred_pictures_are_decided_by_keyboard_alone_with_two_keys_at_most(web: Web, opened: Opened) -> None:
    numbers = [web.illustration(number=number) for number in range(100)]
    presses = 0
    with opened(f"/desk/{numbers[-1]}") as page:
        for number in reversed(numbers):
            expect(page.locator(f"#live[data-illustration='{number}']")).to_be_visible()
            painted(page)
            for key in ("r", str(number % 6 + 1)) if number % 4 == 0 else ("a",):
                page.keyboard.press(key)
                presses += 1
        expect(page.get_by_text(OVER)).to_be_visible()
    assert {web.one(number).state for number in numbers} == {State.APPROVED, State.REJECTED}
    assert presses == 125


def test_the_next_picture_comes_without_a_new_page(web: Web, opened: Opened) -> None:
    other, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}") as page:
        page.evaluate("window.still = 'the same page'")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("a")
        expect(page.get_by_role("heading", level=1)).to_have_text("Why the river smells of cucumber in May")
        assert page.evaluate("window.still") == "the same page"
        assert page.url.endswith(f"/desk/{other}")
        expect(page.locator("#notices")).to_contain_text("Approved")


def test_going_back_shows_what_was_decided(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        page.keyboard.press("a")
        expect(page.locator("#notices")).to_contain_text("Approved")
        page.go_back()
        expect(page.get_by_role("button", name="Undo my decision")).to_be_visible()
        assert page.url.endswith(f"/desk/{number}")


def test_a_number_rejects_with_its_reason(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("r")
        page.keyboard.press("2")
        expect(page.get_by_text(OVER)).to_be_visible()
    assert [(review.decision, review.chips) for review in reviews(web, number)] == [("reject", ["subject"])]


def test_shift_and_numbers_pick_several_reasons(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        for key in ("r", "Shift+Digit1", "Shift+Digit3", "Enter"):
            page.keyboard.press(key)
        expect(page.get_by_text(OVER)).to_be_visible()
    assert reviews(web, number)[0].chips == ["text", "brand"]


def test_a_rejection_is_typed_without_the_mouse(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("r")
        page.keyboard.type("a ghost in it")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Rejected:")).to_be_visible()
    assert web.one(number).reason == "a ghost in it"


def test_escape_leaves_the_reasons_and_decides_nothing(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("r")
        page.keyboard.press("Escape")
        expect(page.get_by_label("In your own words")).to_be_hidden()
        page.keyboard.press("3")
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
    assert web.reviews(number) == []


def test_u_takes_the_last_decision_back(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        page.keyboard.press("a")
        expect(page.get_by_role("button", name="Undo")).to_be_visible()
        page.keyboard.press("u")
        expect(page.locator("#notices")).to_contain_text("is taken back.")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Bread")
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
    assert web.one(number).state == State.IN_REVIEW


def test_what_came_of_a_decision_is_said_where_a_screen_reader_listens_already(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        said = page.locator("body > [role=status]").element_handle()
        page.keyboard.press("a")
        expect(page.locator("body > [role=status]")).to_contain_text("Approved: “Bread")
        assert "Approved" in (said.text_content() or "")
        page.keyboard.press("u")
        expect(page.locator("body > [role=status]")).to_contain_text("is taken back.")


def test_letters_typed_into_a_field_decide_nothing(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("w")
        page.get_by_label("Alt text").fill("")
        page.keyboard.type("a grand jar")
        expect(page.get_by_label("Alt text")).to_have_value("a grand jar")
    assert web.one(number).state == State.IN_REVIEW


def test_an_edited_prompt_is_sent_by_key(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("e")
        page.get_by_role("textbox", name="Prompt", exact=True).fill("A lamp in fog.")
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        expect(page.get_by_text("is being drawn.").first).to_be_visible()
    assert web.one(number).prompt == "A lamp in fog."


def test_j_and_k_go_from_picture_to_picture_and_keep_what_was_typed(web: Web, opened: Opened) -> None:
    older, newer = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{newer}") as page:
        page.get_by_label("Alt text").fill("half a sente")
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.wait_for_url(f"**/desk/{older}")
        page.keyboard.press("k")
        page.wait_for_url(f"**/desk/{newer}")
        expect(page.get_by_label("Alt text")).to_have_value("half a sente")


def test_the_filter_stays_on_from_decision_to_decision(web: Web, opened: Opened) -> None:
    web.illustration(number=1)
    wanted, number = web.illustration(number=2, site="shop"), web.illustration(number=3, site="shop")
    with opened(f"/desk/{number}?site=shop") as page:
        page.wait_for_load_state("networkidle")
        page.keyboard.press("a")
        page.wait_for_url(f"**/desk/{wanted}?site=shop")
        painted(page)
        page.keyboard.press("a")
        page.wait_for_url(re.compile(r"/desk\?.*site=shop"))


def test_everything_works_without_javascript(web: Web, opened: Opened) -> None:
    first, second = web.illustration(number=1, candidates=2), web.illustration(number=2)
    with opened(f"/desk/{first}", scripts=False) as page:
        page.locator(".thumbs label").first.click()
        expect(page.locator(".large figure").first).to_be_visible()
        page.locator("summary", has_text="In place").click()
        expect(page.locator(".shot img:visible")).to_have_count(4)
        page.get_by_label("Alt text").fill("a lamp")
        page.locator("summary", has_text="Focal point").click()
        page.get_by_label("From the left").fill("20")
        page.get_by_label("From the top").fill("30")
        page.get_by_role("button", name="Approve").click()
        page.locator("summary", has_text="Reject").click()
        page.locator("#reject").get_by_text("Off brand").click()
        page.get_by_label("In your own words").fill("not this")
        page.get_by_role("button", name="Reject", exact=True).click()
        expect(page.get_by_text(OVER)).to_be_visible()
    assert (web.one(first).state, web.one(first).chosen_id) == (State.APPROVED, web.candidate(first) - 1)
    assert (web.one(first).alt, web.one(first).focal) == ("a lamp", [0.2, 0.3])
    assert (web.one(second).state, reviews(web, second)[0].chips) == (State.REJECTED, ["brand"])


def test_without_javascript_a_decision_is_undone_and_two_are_compared(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2, candidates=2)
    with opened(f"/desk/{number}", scripts=False) as page:
        page.get_by_role("link", name="Compare").click()
        expect(page.locator(".large figure:visible")).to_have_count(2)
        page.get_by_role("button", name="Approve").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("is taken back.")).to_be_visible()
    assert web.one(number).state == State.IN_REVIEW


def test_a_picture_that_is_drawn_appears_by_itself(web: Web, opened: Opened) -> None:
    number = web.illustration(State.RENDERING, candidates=1)
    with opened(f"/desk/{number}") as page:
        expect(page.get_by_role("button", name="Approve")).to_be_hidden()
        with web.house.database.write() as session:
            session.execute(update(Illustration).values(state=State.IN_REVIEW))
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
        expect(page.locator("#live[hx-get]")).to_have_count(0)


def test_a_double_click_decides_one_picture(web: Web, opened: Opened) -> None:
    other, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="Approve").dblclick()
        expect(page.locator("#notices")).to_contain_text("Approved: “Bread")
        expect(page.get_by_role("heading", level=1)).to_contain_text("river")
    assert (len(web.reviews(number)), web.reviews(other)) == (1, [])


def test_the_next_page_after_a_double_click_is_no_complaint(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.get_by_role("button", name="Approve").dblclick()
        expect(page.get_by_text(OVER)).to_be_visible()
    assert web.reviews(number) == [("approve", "Jo Editor", "")]


def test_another_picture_of_a_published_one_is_taken_by_hand(web: Web, opened: Opened) -> None:
    number = web.illustration(State.PUBLISHED, candidates=2)
    with opened(f"/desk/{number}") as page:
        page.locator(".thumbs label").first.click()
        page.get_by_role("button", name="Publish the chosen one instead").click()
        expect(page.locator("#notices")).to_contain_text("Approved:")
    assert web.one(number).chosen_id == web.candidate(number) - 1


def test_a_slash_begins_a_search_in_the_queue(web: Web, opened: Opened) -> None:
    with opened(f"/desk/{web.illustration()}?site=gazette") as page:
        page.keyboard.press("/")
        expect(page.locator("#q")).to_be_focused()
        assert "site=gazette" in page.url


def test_help_lists_the_keys(web: Web, opened: Opened) -> None:
    with opened(f"/desk/{web.illustration()}") as page:
        page.keyboard.press("?")
        expect(page.get_by_role("dialog").get_by_text("see it in place")).to_be_visible()
        accessible(page)
