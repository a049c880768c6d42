"""The queue in a real browser: nothing typed into it decides, and the focus stays where somebody is at work."""

import pytest
from desk.browsing import Opened, Scheme, accessible, shot
from desk.furnish import Web
from playwright.sync_api import Page, expect
from sqlalchemy import delete, update

from frontispiece import review
from frontispiece.models import Candidate, Login, State

pytestmark = pytest.mark.real

CHANGED = "document.body.dispatchEvent(new CustomEvent('frontispiece:changed'))"
DAYS = 1_700_000_000.0
# The answer to an undo comes when somebody is in a field already.
LATE = """() => {
  const real = window.fetch;
  window.fetch = async (address, options) => {
    const answer = await real(address, options);
    const isLate = String(options?.body).includes("act=undo");
    while (isLate && !document.querySelector("input:focus")) await new Promise((done) => setTimeout(done, 20));
    return answer;
  };
}"""


def several(web: Web, many: int, assignee: str = "") -> list[int]:
    """So many that wait, the first of them at the top of the queue."""
    made = [web.illustration(number=at, updated=DAYS - at, candidates=1, assignee=assignee) for at in range(many)]
    with web.house.database.write() as session:
        session.execute(update(Candidate).values(colour="#7a8a99"))
    return made


def states(web: Web, numbers: list[int]) -> list[State]:
    return [web.one(number).state for number in numbers]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def somebody_rejects(web: Web, page: Page, number: int) -> None:
    """And the page hears of it."""
    review.reject(web.house, number, "Kim")
    page.evaluate(CHANGED)
    expect(page.locator(f"#i{number}")).to_have_count(0)


def log_out(web: Web) -> None:
    with web.house.database.write() as session:
        session.execute(delete(Login))


def log_in_again(web: Web, page: Page) -> None:
    log_out(web)
    page.context.add_cookies([{"name": "frontispiece", "value": web.login("editor"), "url": page.url}])


def hidden_by(page: Page, selector: str, other: str) -> bool:
    """Whether `other` lies over the middle of a part of the page."""
    return bool(
        page.evaluate(
            """([one, other]) => {
              const {left, top, width, height} = document.querySelector(one).getBoundingClientRect();
              return document.elementFromPoint(left + width / 2, top + height / 2)?.closest(other) !== null;
            }""",
            [selector, other],
        )
    )


@pytest.mark.parametrize("keys", ["jr", "jxr"])
def test_a_reason_is_typed_on_while_somebody_else_decides(web: Web, opened: Opened, keys: str) -> None:
    numbers = several(web, 4)
    with opened() as page:
        press(page, *keys)
        page.keyboard.type("too da")
        somebody_rejects(web, page, numbers[0])
        page.keyboard.type("rk and far away")
        expect(page.get_by_label("In words")).to_have_value("too dark and far away")
    assert states(web, numbers[1:]) == [State.IN_REVIEW] * 3


def test_a_reason_for_what_somebody_else_decided_rejects_nothing_and_says_so(web: Web, opened: Opened) -> None:
    numbers = several(web, 3)
    with opened() as page:
        press(page, "j", "r")
        somebody_rejects(web, page, numbers[0])
        press(page, "Enter")
        expect(page.get_by_role("alert")).to_contain_text("Somebody was quicker")
        expect(page.locator(f"#a{numbers[1]}")).to_be_focused()
    assert states(web, numbers[1:]) == [State.IN_REVIEW] * 2


def test_escape_from_a_reason_goes_to_the_nearest_where_its_picture_is_gone(web: Web, opened: Opened) -> None:
    numbers = several(web, 4)
    with opened() as page:
        press(page, "j", "j", "r")
        somebody_rejects(web, page, numbers[1])
        press(page, "Escape")
        expect(page.locator(f"#a{numbers[2]}")).to_be_focused()
        expect(page.locator("#bulk")).to_be_hidden()


@pytest.mark.parametrize(("key", "field"), [("r", "#bulk-reason"), ("/", "#q")])
def test_a_late_undo_leaves_the_field_one_types_in(web: Web, opened: Opened, key: str, field: str) -> None:
    numbers = several(web, 3)
    with opened() as page:
        page.evaluate(LATE)
        press(page, "j", "a")
        expect(page.get_by_text("Approved:")).to_be_visible()
        press(page, "u", "j", key)
        expect(page.locator(f"#i{numbers[0]}")).to_be_visible()
        expect(page.locator(field)).to_be_focused()


@pytest.mark.parametrize("start", [".chips label", "#rejecting summary", "legend"])
def test_letters_beside_the_reasons_begin_the_words(web: Web, opened: Opened, start: str) -> None:
    numbers = several(web, 3)
    with opened() as page:
        press(page, "j", "x", "j", "x", "r")
        page.locator(start).first.click()
        if start == "#rejecting summary":  # that closed it
            press(page, "Enter")
        page.keyboard.type("looks like wax")
        expect(page.get_by_label("In words")).to_have_value("looks like wax")
        press(page, "Escape")
        expect(page.locator("#rejecting")).not_to_have_attribute("open", "")
    assert states(web, numbers) == [State.IN_REVIEW] * 3


def test_space_ticks_a_reason(web: Web, opened: Opened) -> None:
    several(web, 1)
    with opened() as page:
        press(page, "j", "r", "Shift+Tab", "Space")
        expect(page.locator("#rejecting [name=chip]").last).to_be_checked()


def test_a_key_that_follows_somebody_elses_decision_at_once_decides_nothing(web: Web, opened: Opened) -> None:
    numbers = several(web, 3)
    with opened() as page:
        page.evaluate("performance.now = () => 1e6")
        press(page, "j")
        somebody_rejects(web, page, numbers[0])
        expect(page.locator(f"#a{numbers[1]}")).to_be_focused()
        press(page, "a", "g", "r")
        expect(page.locator(".going, .pop[open]")).to_have_count(0)
        page.evaluate("performance.now = () => 1e6 + 701")
        press(page, "a")
        expect(page.get_by_text("Approved:")).to_be_visible()
    assert states(web, numbers) == [State.REJECTED, State.APPROVED, State.IN_REVIEW]


def test_a_new_login_in_another_window_is_taken_over(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened(expected="40[01]") as page:
        log_in_again(web, page)
        press(page, "j", "a")
        expect(page.get_by_text("Approved:")).to_be_visible()
        log_in_again(web, page)
        press(page, "u")
        expect(page.get_by_text("Taken back:")).to_be_visible()
    assert states(web, numbers) == [State.IN_REVIEW] * 2


def test_who_is_logged_out_is_told_so(web: Web, opened: Opened) -> None:
    several(web, 2)
    with opened(expected="401") as page:
        log_out(web)
        press(page, "j", "a")
        expect(page.locator("#outcome [role=alert]")).to_contain_text("You are logged out.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_what_came_of_it_is_seen_from_below(web: Web, opened: Opened, scheme: Scheme, width: int) -> None:
    several(web, 20)
    with opened(scheme=scheme, width=width) as page:
        press(page, *"jjjjjjjjjjj")
        press(page, "a")
        expect(page.get_by_text("Approved:")).to_be_in_viewport(ratio=1)
        assert page.evaluate("scrollY") > 200
        accessible(page)
        shot(page, f"queue-outcome-{scheme}-{width}")


def test_a_tile_one_goes_up_to_is_not_under_what_came_of_the_last(web: Web, opened: Opened) -> None:
    several(web, 9)
    with opened(width=390) as page:
        press(page, *"jjjjjjjj")
        press(page, "a")
        expect(page.get_by_text("Approved:")).to_be_visible()
        press(page, *"kkkk")
        outcome, tile = (page.locator(part).bounding_box() for part in ("#outcome", ".tile:focus"))
        assert outcome
        assert tile
        assert outcome["y"] + outcome["height"] <= tile["y"]


def test_all_reasons_can_be_reached_at_400_percent(web: Web, opened: Opened) -> None:
    several(web, 1)
    with opened(width=320) as page:
        page.set_viewport_size({"width": 320, "height": 256})
        press(page, "j", "r")
        for part in ("legend", ".chips label", "#rejecting button"):
            page.locator(part).first.scroll_into_view_if_needed()
            expect(page.locator(part).first).to_be_in_viewport(ratio=1)
        accessible(page)


def test_a_long_name_of_a_view_does_not_widen_the_page(web: Web, opened: Opened) -> None:
    several(web, 1)
    with opened(width=390) as page:
        page.get_by_text("Views", exact=True).click()
        page.get_by_label("Save what you see as").fill("v" * 80)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("link", name="vvvv")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_long_name_of_a_reviewer_is_read_to_its_end(web: Web, opened: Opened) -> None:
    several(web, 1, assignee="Wolfeschlegelsteinhausenbergerdorff " * 3)
    with opened(width=320) as page:
        whose, card = (page.locator(part).bounding_box() for part in (".whose", ".card"))
        assert whose
        assert card
        assert whose["x"] + whose["width"] <= card["x"] + card["width"]


@pytest.mark.parametrize(("width", "language"), [(390, "en"), (320, "de")])
def test_the_last_facts_can_be_scrolled_clear_of_the_bar(web: Web, opened: Opened, width: int, language: str) -> None:
    several(web, 3)
    with opened(width=width, language=language) as page:
        page.locator(".pick").last.click()
        expect(page.locator("#bulk")).to_be_visible()
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert not hidden_by(page, ".card:last-child .facts", "#bulk")


def test_the_focus_goes_on_to_a_tile_after_none(web: Web, opened: Opened) -> None:
    numbers = several(web, 2)
    with opened() as page:
        page.locator(".pick").first.click()
        page.get_by_role("button", name="None").click()
        expect(page.locator(f"#a{numbers[0]}")).to_be_focused()


def test_the_focus_goes_to_the_undo_after_all_are_approved(web: Web, opened: Opened) -> None:
    several(web, 2)
    with opened() as page:
        page.get_by_role("checkbox", name="Choose").first.check()
        page.get_by_role("link", name="All on this page").click()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
        expect(page.get_by_role("button", name="Undo")).to_be_focused()


def test_the_focus_goes_to_those_that_move_up_after_all_on_the_page(web: Web, opened: Opened) -> None:
    numbers = several(web, 26)
    with opened() as page:
        page.get_by_role("checkbox", name="Choose").first.check()
        page.get_by_role("link", name="All on this page").click()
        here = page.locator(".pick :checked").count()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text(f"{here} pictures are approved.")).to_be_visible()
        expect(page.locator(f"#a{numbers[here]}")).to_be_focused()
