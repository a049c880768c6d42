"""The queue in a real browser: by keyboard, by touch, without JavaScript, and while others work."""

import pytest
from desk.browsing import Opened, Scheme, accessible, painted, shot
from desk.furnish import Web, entry, picture
from playwright.sync_api import Page, expect
from sqlalchemy import update

from frontispiece import review
from frontispiece.models import Candidate, State

pytestmark = pytest.mark.real

CHANGED = "document.body.dispatchEvent(new CustomEvent('frontispiece:changed'))"
DAYS = 1_700_000_000.0
# The first answer comes after the second, which is shown by then.
LATE = """() => {
  const [real, calls] = [window.fetch, []];
  window.fetch = async (address, options) => {
    const first = calls.push(address) === 1;
    const answer = await real(address, options);
    while (first && !document.querySelector("#outcome .notice")) await new Promise((done) => setTimeout(done, 20));
    return answer;
  };
}"""


def several(web: Web, many: int, candidates: int = 1) -> list[int]:
    """So many that wait, the first of them at the top of the queue."""
    made = [web.illustration(number=number, updated=DAYS - number, candidates=candidates) for number in range(many)]
    with web.house.database.write() as session:
        session.execute(update(Candidate).values(colour="#7a8a99"))
    return made


def states(web: Web, numbers: list[int]) -> list[State]:
    return [web.one(number).state for number in numbers]


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def shown(page: Page) -> list[str]:
    return [card.get_attribute("id") or "" for card in page.locator(".card").all()]


def test_one_key_decides_and_goes_on_to_the_next(web: Web, opened: Opened) -> None:
    numbers = several(web, 3)
    with opened() as page:
        for key in "jara":
            page.keyboard.press(key)
            if key == "r":
                page.keyboard.press("Enter")
            expect(page.locator(".going")).to_have_count(0)
        expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert states(web, numbers) == [State.APPROVED, State.REJECTED, State.APPROVED]


def test_j_and_k_walk_and_enter_opens(web: Web, opened: Opened) -> None:
    numbers = several(web, 3)
    with opened() as page:
        for key in ("j", "j", "j", "k", "Enter"):
            page.keyboard.press(key)
        page.wait_for_url(f"**/desk/{numbers[1]}")


def test_another_picture_is_drawn_by_key(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened() as page:
        page.keyboard.press("j")
        page.keyboard.press("g")
        expect(page.get_by_role("status")).to_contain_text("is being drawn.")
        assert focused(page) == f"a{numbers[1]}"
    assert states(web, numbers) == [State.RENDERING, State.IN_REVIEW]


def test_a_key_decides_nothing_where_no_picture_is_meant(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened() as page:
        page.keyboard.press("a")
        assert focused(page) == f"a{numbers[0]}"
    assert states(web, numbers) == [State.IN_REVIEW] * 2


def test_undo_brings_the_picture_and_the_focus_back(web: Web, opened: Opened) -> None:
    numbers = several(web, 3)
    with opened() as page:
        page.keyboard.press("j")
        page.keyboard.press("a")
        expect(page.locator(f"#i{numbers[0]}")).to_have_count(0)
        expect(page.get_by_role("status")).to_contain_text("Approved:")
        page.keyboard.press("u")
        expect(page.locator(f"#i{numbers[0]}")).to_be_visible()
        expect(page.locator(f"#a{numbers[0]}")).to_be_focused()
    assert states(web, numbers) == [State.IN_REVIEW] * 3


def test_u_takes_back_what_was_done_last(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    review.reject(web.house, numbers[0], "Jo")
    with opened(f"/desk?did=reject&of={numbers[0]}", name="Jo") as page:
        expect(page.get_by_text("Rejected:")).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("a")
        expect(page.get_by_text("Approved:")).to_be_visible()
        expect(page.get_by_text("Rejected:")).to_have_count(0)
        page.keyboard.press("u")
        expect(page.get_by_text("Taken back:")).to_be_visible()
    assert states(web, numbers) == [State.REJECTED, State.IN_REVIEW]


def test_u_means_the_last_decision_also_where_the_answer_to_an_older_one_is_late(web: Web, opened: Opened) -> None:
    numbers = several(web, 3)
    with opened() as page:
        page.evaluate(LATE)
        page.keyboard.press("j")
        page.keyboard.press("a")
        page.keyboard.press("a")
        expect(page.locator("#outcome .notice")).to_have_count(2)
        page.keyboard.press("u")
        expect(page.get_by_text("Taken back:")).to_be_visible()
    assert states(web, numbers) == [State.APPROVED, State.IN_REVIEW, State.IN_REVIEW]


def test_an_undo_that_did_not_arrive_can_be_sent_again(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened(expected="503") as page:
        page.keyboard.press("j")
        page.keyboard.press("a")
        undo = page.get_by_role("button", name="Undo")
        expect(undo).to_be_visible()
        page.route("**/desk/bulk", lambda route: route.fulfill(status=503, body="busy"))
        page.keyboard.press("u")
        expect(page.get_by_role("alert")).to_contain_text("The desk could not be reached.")
        page.unroute("**/desk/bulk")
        page.keyboard.press("u")
        expect(page.get_by_text("Taken back:")).to_be_visible()
    assert states(web, numbers) == [State.IN_REVIEW] * 2


def test_those_that_are_chosen_are_decided_together(web: Web, opened: Opened) -> None:
    numbers = several(web, 4)
    with opened() as page:
        for key in ("j", "x", "j", "j", "x"):
            page.keyboard.press(key)
        expect(page.get_by_text("2 chosen")).to_be_visible()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_contain_text("2 pictures are approved.")
        expect(page.get_by_text("2 chosen")).to_be_hidden()
    assert states(web, numbers) == [State.APPROVED, State.IN_REVIEW, State.APPROVED, State.IN_REVIEW]


def test_a_click_with_shift_chooses_all_in_between(web: Web, opened: Opened) -> None:
    several(web, 5)
    with opened() as page:
        boxes = page.get_by_role("checkbox", name="Choose")
        boxes.nth(3).click()
        boxes.nth(1).click(modifiers=["Shift"])
        expect(page.get_by_text("3 chosen")).to_be_visible()
        page.get_by_role("link", name="All on this page").click()
        expect(page.get_by_text("5 chosen")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".pick :checked")).to_have_count(0)


def test_a_rejection_carries_the_reasons_that_were_picked(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened() as page:
        page.keyboard.press("j")
        page.keyboard.press("r")
        page.get_by_role("checkbox", name="Off brand").check()
        page.get_by_label("In words").fill("a ghost")
        page.get_by_label("In words").press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Rejected:")
        expect(page.locator(f"#a{numbers[1]}")).to_be_focused()
    with web.house.database.read() as session:
        last = review.last_decision(session, numbers[0])
        assert last
        assert (last.chips, last.reason) == (["brand"], "a ghost")


def test_a_picture_that_was_not_rejected_after_all_is_not_approved_by_the_next_key(web: Web, opened: Opened) -> None:
    numbers = several(web, 3)
    with opened() as page:
        for key in ("j", "r", "Escape", "j", "a"):
            page.keyboard.press(key)
        expect(page.get_by_role("status")).to_contain_text("Approved:")
    assert states(web, numbers) == [State.IN_REVIEW, State.APPROVED, State.IN_REVIEW]


def test_a_click_beside_the_reasons_lets_go_of_the_picture_too(web: Web, opened: Opened) -> None:
    several(web, 2)
    with opened() as page:
        page.keyboard.press("j")
        page.keyboard.press("r")
        expect(page.get_by_text("1 chosen")).to_be_visible()
        page.mouse.click(2, 2)
        expect(page.locator(".pick :checked")).to_have_count(0)


@pytest.mark.parametrize(("button", "state"), [("Approve", State.APPROVED), ("Draw another", State.RENDERING)])
def test_the_buttons_beside_the_reasons_mean_the_same_picture(
    web: Web, opened: Opened, button: str, state: State
) -> None:
    numbers = several(web, 2)
    with opened() as page:
        page.keyboard.press("j")
        page.keyboard.press("r")
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("status")).to_be_visible()
    assert states(web, numbers) == [state, State.IN_REVIEW]


def test_a_picture_chosen_before_its_reasons_were_asked_for_stays_chosen(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened() as page:
        for key in ("j", "x", "r", "Escape"):
            page.keyboard.press(key)
        expect(page.locator(f"#i{numbers[0]} .pick :checked")).to_have_count(1)


def test_all_are_chosen_also_where_r_had_chosen_one(web: Web, opened: Opened) -> None:
    several(web, 3)
    with opened() as page:
        page.keyboard.press("j")
        page.keyboard.press("r")
        page.get_by_role("link", name="All on this page").click()
        expect(page.locator("#rejecting")).not_to_have_attribute("open", "")
        painted(page)
        expect(page.get_by_text("3 chosen")).to_be_visible()


def test_what_somebody_else_decided_first_is_said(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened() as page:
        page.keyboard.press("j")
        review.reject(web.house, numbers[0], "Kim")
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).to_contain_text("Somebody was quicker, or it has changed since: Rejected.")
        expect(page.locator(f"#i{numbers[0]}")).to_have_count(0)
    assert states(web, numbers) == [State.REJECTED, State.IN_REVIEW]


def test_a_lost_connection_decides_nothing_and_says_so(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened(expected="503") as page:
        page.keyboard.press("j")
        page.route("**/desk/bulk", lambda route: route.fulfill(status=503, body="busy"))
        page.keyboard.press("a")
        expect(page.get_by_role("alert")).to_contain_text("The desk could not be reached.")
        expect(page.locator(".card")).to_have_count(2)
    assert states(web, numbers) == [State.IN_REVIEW] * 2


def test_what_was_chosen_and_said_comes_back_where_it_did_not_arrive(web: Web, opened: Opened) -> None:
    several(web, 3)
    with opened(expected="503") as page:
        page.route("**/desk/bulk", lambda route: route.fulfill(status=503, body="busy"))
        for key in ("j", "x", "j", "x", "r"):
            page.keyboard.press(key)
        page.get_by_role("checkbox", name="Off brand").check()
        page.get_by_label("In words").fill("a ghost")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("The desk could not be reached.")
        expect(page.get_by_text("2 chosen")).to_be_visible()
        page.keyboard.press("r")
        expect(page.get_by_role("checkbox", name="Off brand")).to_be_checked()
        expect(page.get_by_label("In words")).to_have_value("a ghost")


def test_a_failed_rejection_of_one_picture_leaves_none_chosen(web: Web, opened: Opened) -> None:
    several(web, 2)
    with opened(expected="503") as page:
        page.route("**/desk/bulk", lambda route: route.fulfill(status=503, body="busy"))
        for key in ("j", "r", "Enter"):
            page.keyboard.press(key)
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.locator(".going")).to_have_count(0)
        expect(page.locator(".pick :checked")).to_have_count(0)


def test_a_refresh_keeps_focus_choice_and_place(web: Web, opened: Opened) -> None:
    numbers = several(web, 12)
    with opened() as page:
        for key in ("j", "x", "j", "j", "j", "j", "j", "j", "j"):
            page.keyboard.press(key)
        before = page.locator(f"#a{numbers[7]}").bounding_box()
        new = web.illustration(number=30)
        review.reject(web.house, numbers[2], "Kim")
        page.evaluate(CHANGED)
        expect(page.locator(f"#i{new}")).to_be_attached()
        expect(page.locator(f"#i{numbers[2]}")).to_have_count(0)
        assert focused(page) == f"a{numbers[7]}"
        assert page.locator(".pick :checked").count() == 1
        assert page.locator(f"#a{numbers[7]}").bounding_box() == before


@pytest.mark.parametrize(("steps", "then"), [(2, 2), (3, 1)])
def test_the_focus_goes_to_the_nearest_where_somebody_else_decides(
    web: Web, opened: Opened, steps: int, then: int
) -> None:
    numbers = several(web, 3)
    with opened() as page:
        for _ in range(steps):
            page.keyboard.press("j")
        review.reject(web.house, numbers[steps - 1], "Kim")
        page.evaluate(CHANGED)
        expect(page.locator(f"#i{numbers[steps - 1]}")).to_have_count(0)
        expect(page.locator(f"#a{numbers[then]}")).to_be_focused()


def test_the_counts_follow_what_others_do(web: Web, opened: Opened) -> None:
    numbers = several(web, 3)
    with opened() as page:
        expect(page.get_by_role("link", name="Waiting for you 3")).to_be_visible()
        review.reject(web.house, numbers[2], "Kim")
        page.evaluate(CHANGED)
        expect(page.get_by_role("link", name="Waiting for you 2")).to_be_visible()
        expect(page).to_have_title("Waiting for you (2) · Frontispiece")


def test_scrolling_brings_more_and_a_refresh_keeps_them(web: Web, opened: Opened) -> None:
    numbers = several(web, 70, candidates=0)
    with opened() as page:
        for many in (48, 70):
            page.locator("#more").scroll_into_view_if_needed()
            expect(page.locator(".card")).to_have_count(many)
        assert shown(page) == [f"i{number}" for number in numbers]
        review.reject(web.house, numbers[60], "Kim")
        page.evaluate(CHANGED)
        expect(page.locator(".card")).to_have_count(69)


def test_slash_goes_to_the_search_and_enter_finds(web: Web, opened: Opened) -> None:
    several(web, 4)
    with opened() as page:
        page.keyboard.press("/")
        page.keyboard.type("river")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=river*")
        expect(page.locator(".card")).to_have_count(1)
        expect(page.get_by_role("searchbox")).to_have_value("river")


def test_letters_typed_into_the_search_decide_nothing(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened() as page:
        page.keyboard.press("j")
        page.keyboard.press("/")
        page.keyboard.type("grand jar")
        expect(page.get_by_role("searchbox")).to_have_value("grand jar")
    assert states(web, numbers) == [State.IN_REVIEW] * 2


def test_keys_that_are_switched_off_decide_nothing_until_they_are_on_again(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened() as page:
        for wanted in (False, True):
            page.get_by_role("button", name="Keys").click()
            page.get_by_label("Single-letter keys").set_checked(wanted)
            page.keyboard.press("Escape")
            page.reload()
            page.locator(f"#a{numbers[0]}").focus()
            page.keyboard.press("a")
            expect(page.get_by_text("Approved:")).to_have_count(int(wanted))
    assert states(web, numbers) == [State.APPROVED, State.IN_REVIEW]


def test_a_button_names_no_key_that_is_switched_off(web: Web, opened: Opened) -> None:
    several(web, 1)
    with opened() as page:
        expect(page.locator("#help kbd")).to_be_visible()
        page.keyboard.press("?")
        page.get_by_label("Single-letter keys").uncheck()
        expect(page.locator("#help kbd")).to_be_hidden()


def test_arrow_keys_scroll_a_table_that_has_the_focus(web: Web, opened: Opened) -> None:
    number = web.illustration(candidates=2)
    with opened(f"/desk/{number}", width=360) as page:
        page.locator("#history summary").first.click()
        table = page.locator("#history .scroll")
        table.press("ArrowRight")
        page.wait_for_function("document.querySelector('#history .scroll').scrollLeft > 0")
        table.press("ArrowLeft")
        expect(page.locator(".thumbs input").last).to_be_checked()


def test_a_view_is_saved_opened_and_deleted(web: Web, opened: Opened) -> None:
    several(web, 3)
    with opened("/desk?section=City") as page:
        page.get_by_text("Views", exact=True).click()
        page.get_by_label("Save what you see as").fill("My city")
        page.get_by_role("button", name="Save").click()
        page.goto("/desk")
        page.get_by_role("link", name="My city 1").click()
        page.wait_for_url("**section=City")
        page.get_by_text("Views", exact=True).click()
        page.get_by_role("button", name="Delete the view “My city”").click()
        expect(page.get_by_role("link", name="My city")).to_have_count(0)


def test_everything_works_without_javascript(web: Web, opened: Opened) -> None:
    numbers = several(web, 30)
    with opened(scripts=False) as page:
        page.get_by_label("Given to").select_option("nobody")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("checkbox", name="Choose").nth(0).check()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("Approved: “The last keeper")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("link", name="Back to the queue").click()
        page.get_by_role("link", name="Older ones").click()
        page.get_by_role("link", name="All on this page").click()
        page.locator("summary", has_text="Reject").click()
        page.get_by_role("button", name="Reject").click()
        expect(page.get_by_text("6 pictures are rejected.")).to_be_visible()
    assert states(web, numbers) == [State.IN_REVIEW] * 24 + [State.REJECTED] * 6


def test_enter_in_the_reason_without_javascript_decides_nothing(web: Web, opened: Opened) -> None:
    numbers = several(web, 1)
    with opened(scripts=False, expected="400") as page:
        page.get_by_role("checkbox", name="Choose").check()
        page.locator("summary", has_text="Reject").click()
        page.get_by_label("In words").fill("a ghost")
        page.get_by_label("In words").press("Enter")
        expect(page.get_by_text("Choose what is to be done.")).to_be_visible()
    assert states(web, numbers) == [State.IN_REVIEW]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_queue_keeps_nobody_out(web: Web, opened: Opened, scheme: Scheme) -> None:
    for number in range(9):
        web.illustration(number=number, data=picture(number, 640, 360), candidates=1 + number % 2, assignee="Kim")
    with opened(scheme=scheme) as page:
        accessible(page)
        shot(page, f"queue-{scheme}")
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("r")
        accessible(page)
        shot(page, f"queue-rejecting-{scheme}")
        page.keyboard.press("Escape")
        page.get_by_text("More filters").click()
        accessible(page)
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        accessible(page)


def test_a_phone_shows_the_queue_without_scrolling_sideways(web: Web, opened: Opened) -> None:
    several(web, 3)
    with opened(width=390) as page:
        page.get_by_role("checkbox", name="Choose").first.check()
        page.locator("summary", has_text="Reject").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        accessible(page)
        shot(page, "queue-phone")


@pytest.mark.parametrize("which", [".rest", ".keep"])
def test_filters_and_views_open_over_the_whole_width_of_a_phone(web: Web, opened: Opened, which: str) -> None:
    several(web, 3)
    with opened(width=320, language="de") as page:
        page.locator(f"{which} summary").click()
        box = page.locator(f"{which} .sheet").bounding_box()
        assert box
        assert (box["x"], box["width"]) == (16, 288)
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        accessible(page)


def test_what_a_phone_filters_by_is_shown_from_within_the_filters(web: Web, opened: Opened) -> None:
    several(web, 3)
    with opened(width=390) as page:
        page.get_by_text("More filters").click()
        page.get_by_label("Order").select_option("oldest")
        page.locator(".rest").get_by_role("button", name="Show").click()
        page.wait_for_url("**sort=oldest*")


@pytest.mark.parametrize(("language", "words"), [("en", "More filters (2)"), ("de", "Weitere Filter (2)")])
def test_filters_that_are_on_are_counted_and_stay_closed(web: Web, opened: Opened, language: str, words: str) -> None:
    several(web, 3)
    with opened("/desk?kind=article&sort=oldest", language=language) as page:
        expect(page.get_by_text(words)).to_be_visible()
        expect(page.locator(".rest .sheet")).to_be_hidden()


def test_a_long_tag_does_not_widen_the_page_of_its_picture(web: Web, opened: Opened) -> None:
    number = web.illustration(told=entry(0, tags=("a" * 80,)))
    with opened(f"/desk/{number}", width=320) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_viewer_walks_but_decides_nothing(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened(role="viewer") as page:
        for key in "jxarg":
            page.keyboard.press(key)
        assert focused(page) == f"a{numbers[0]}"
    assert states(web, numbers) == [State.IN_REVIEW] * 2
