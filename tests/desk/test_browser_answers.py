"""Answers that come late, lost, or after somebody else's, in a real browser: nobody loses a word or their place."""

from collections.abc import Callable

import pytest
from desk.browsing import Held, Opened, accessible, painted, shot
from desk.furnish import DOT, Web
from playwright.sync_api import FilePayload, Page, Route, expect
from sqlalchemy import delete, select, update

from frontispiece import review
from frontispiece.models import Candidate, Comment, Illustration, Login, State

pytestmark = pytest.mark.real

FAILED = "Failed to load resource|Failed to fetch|htmx:"
BREAD, RIVER, KEEPER = "Bread that takes three days", "Why the river smells", "The last keeper"
CHANGED = "document.body.dispatchEvent(new CustomEvent('frontispiece:changed', {detail: []}))"  # as live.js does it


def three(web: Web) -> list[int]:
    """`BREAD`, `RIVER` and `KEEPER`, in the order in which they are decided."""
    return [web.illustration(number=number) for number in range(3)][::-1]


def titled(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


def begin(page: Page, words: str) -> None:
    """Types a reason, and is not done with it."""
    painted(page)
    page.keyboard.press("r")
    page.locator("#reason").press_sequentially(words)


def decided(page: Page, first: int, then: str) -> Held:
    """`A` on the first, whose answer waits here, and these words of a reason on the next."""
    page.wait_for_load_state("networkidle")
    held = Held(page, f"**/desk/{first}/approve")
    page.keyboard.press("a")
    titled(page, RIVER)
    begin(page, then)
    return held


def log_out(web: Web) -> None:
    with web.house.database.write() as session:
        session.execute(delete(Login))


def log_in(web: Web, page: Page) -> None:
    """In another window."""
    key, url = web.login("editor"), page.url.partition("/desk")[0]
    page.context.add_cookies([{"name": "frontispiece", "value": key, "url": url}])


def comments(web: Web) -> list[str]:
    with web.house.database.read() as session:
        return list(session.scalars(select(Comment.text)))


# Whoever types stays where they are


def test_a_lost_decision_is_told_to_whoever_types_and_takes_neither_page_nor_focus(web: Web, opened: Opened) -> None:
    first, second, _ = three(web)
    with opened(f"/desk/{first}", expected=FAILED) as page:
        held = decided(page, first, then="wro")
        held[0].abort()
        expect(page.get_by_role("alert")).to_contain_text(BREAD)
        page.keyboard.type("ng cap")
        expect(page.locator("#reason")).to_have_value("wrong cap")
        titled(page, RIVER)
    assert (web.reviews(first), web.reviews(second)) == ([], [])


def test_a_refused_decision_is_told_to_whoever_types_in_its_words(web: Web, opened: Opened) -> None:
    first, *_ = three(web)
    with opened(f"/desk/{first}", expected="409") as page:
        held = decided(page, first, then="wrong")
        review.reject(web.house, first, "Kim")
        held[0].continue_()
        expect(page.get_by_role("alert")).to_contain_text("Somebody decided first. Rejected.")
        expect(page.locator("#reason")).to_be_focused()
        page.unroute_all()
        page.get_by_role("button", name="Send again").click()
        titled(page, BREAD)
        expect(page.get_by_role("alert")).to_contain_text("Somebody decided first. Rejected.")


def test_a_next_one_that_is_gone_meanwhile_stays_for_whoever_types(web: Web, opened: Opened) -> None:
    first, second, _ = three(web)
    with opened(f"/desk/{first}") as page:
        held = decided(page, first, then="wrong")
        review.reject(web.house, second, "Kim")
        held[0].continue_()
        expect(page.locator("#notices")).to_contain_text("Approved:")
        titled(page, RIVER)
        expect(page.locator("#reason")).to_be_focused()


def test_words_that_are_begun_while_an_answer_is_waited_for_are_not_left(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        held = Held(page, "**/approve")
        page.keyboard.press("a")
        page.get_by_label("Comment", exact=True).fill("but the crop")
        with page.expect_response("**/desk?*"):
            held[0].continue_()
        page.wait_for_load_state("networkidle")
        expect(page.get_by_label("Comment", exact=True)).to_have_value("but the crop")


# Undoing


def test_u_takes_back_the_last_decision_and_none_before_it(web: Web, opened: Opened) -> None:
    first, second, _ = three(web)
    with opened(f"/desk/{first}") as page:
        page.wait_for_load_state("networkidle")
        held = Held(page, "**/approve")
        page.keyboard.press("a")
        titled(page, RIVER)
        painted(page)
        page.keyboard.press("a")
        titled(page, KEEPER)
        with page.expect_request(f"**/{second}/approve"):  # is sent once the first is answered
            held[0].continue_()
        page.keyboard.press("u")
        held[1].continue_()
        expect(page.locator("#notices")).to_contain_text("Approved: “Why the river")
        page.keyboard.press("u")
        expect(page.locator("#notices")).to_contain_text("is taken back.")
    assert (web.one(first).state, web.one(second).state) == (State.APPROVED, State.IN_REVIEW)


def test_u_takes_nothing_back_from_the_page_that_is_shown_before_the_answer(web: Web, opened: Opened) -> None:
    number = web.illustration()
    review.reject(web.house, number, "Jo Editor")
    with opened(f"/desk/{number}") as page:
        held = Held(page, "**/describe")
        page.get_by_label("Alt text").fill("a lamp")
        page.get_by_role("button", name="Save words").press("Enter")
        page.keyboard.press("u")
        held[0].continue_()
        expect(page.locator("#notices")).to_contain_text("are saved")
    assert web.one(number).state == State.REJECTED


def test_an_undo_that_did_not_arrive_is_named_and_kept_and_sent_again(web: Web, opened: Opened) -> None:
    first, *_ = three(web)
    with opened(f"/desk/{first}", expected=FAILED) as page:
        page.wait_for_load_state("networkidle")
        page.keyboard.press("a")
        expect(page.locator("#notices")).to_contain_text("Approved:")
        page.route("**/undo", lambda route: route.abort())
        painted(page)
        page.keyboard.press("u")
        expect(page.get_by_role("alert")).to_contain_text(f"Undo: {BREAD}")
        page.unroute("**/undo")
        page.keyboard.press("a")
        expect(page.locator("#notices")).to_contain_text("Approved: “Why the river")
        page.get_by_role("button", name="Send again").click()
        expect(page.locator("#notices")).to_contain_text("is taken back.")
    assert web.one(first).state == State.IN_REVIEW


# What somebody else does


def test_a_refresh_leaves_picked_what_is_looked_at(web: Web, opened: Opened) -> None:
    number = web.illustration(candidates=3)
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        page.keyboard.press("ArrowLeft")
        looked_at = page.locator(".thumbs :checked").input_value()
        review.give(web.house, number, "Kim", DOT)
        page.evaluate(CHANGED)
        expect(page.locator(".thumbs label")).to_have_count(4)
        painted(page)
        page.keyboard.press("a")
        expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert web.one(number).chosen_id == int(looked_at)


def test_a_refresh_leaves_open_what_is_open_and_everybody_where_they_are(web: Web, opened: Opened) -> None:
    number = web.illustration(candidates=2)
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        page.locator("#history summary").first.click()
        page.locator("#compare").focus()
        page.evaluate("scrollTo(0, 200)")
        review.give(web.house, number, "Kim", DOT)
        page.evaluate(CHANGED)
        expect(page.locator(".thumbs label")).to_have_count(3)
        expect(page.locator("#history details").first).to_have_attribute("open", "")
        expect(page.locator("#compare")).to_be_focused()
        assert page.evaluate("scrollY") == 200


def test_a_refresh_waits_for_whoever_is_in_a_field_that_goes(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Alt text").focus()
        review.reject(web.house, number, "Kim")
        with web.house.database.write() as session:
            session.execute(update(Illustration).values(state=State.SKIPPED))
        with page.expect_response(f"**/desk/{number}"):
            page.evaluate(CHANGED)
        page.wait_for_load_state("networkidle")
        expect(page.get_by_label("Alt text")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_label("Alt text")).to_have_count(0)


def test_while_a_picture_is_drawn_what_is_open_stays_open(web: Web, opened: Opened) -> None:
    number = web.illustration(State.RENDERING, candidates=1)
    with opened(f"/desk/{number}") as page:
        page.locator("#history summary").first.click()
        page.locator("#places summary").click()
        for _ in range(2):
            page.wait_for_event("response", lambda answer: answer.url.endswith(f"/desk/{number}"))
        expect(page.locator("#history details").first).to_have_attribute("open", "")
        expect(page.locator("#places")).to_have_attribute("open", "")
        expect(page.get_by_role("button", name="Zoom")).to_be_visible()


def test_a_page_that_is_come_back_to_hears_of_the_others_again(web: Web, opened: Opened) -> None:
    first, second, _ = three(web)
    with opened(f"/desk/{first}") as page:
        page.wait_for_load_state("networkidle")
        page.keyboard.press("j")
        page.wait_for_url(f"**/desk/{second}")
        with page.expect_response(f"**/desk/{first}/together", timeout=9_000):  # the clock alone would take 20 s
            page.keyboard.press("k")


# A login that ends


def test_a_login_that_ends_is_said_and_leaves_what_was_typed(web: Web, opened: Opened) -> None:
    number = web.illustration()
    poll = f"document.body.dispatchEvent(new CustomEvent('frontispiece:changed-{number}'))"
    with opened(f"/desk/{number}", expected="status of 401") as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Alt text").fill("words that took a while")
        log_out(web)
        page.evaluate(poll)
        expect(page.get_by_role("alert")).to_contain_text("You are logged out. Log in again in another window")
        expect(page.get_by_label("Alt text")).to_have_value("words that took a while")
        accessible(page)
        shot(page, "illustration-logged-out")
        log_in(web, page)
        page.evaluate(poll)
        expect(page.get_by_role("alert")).to_have_count(0)


def test_a_file_that_was_chosen_outlives_the_login(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}/change/own", expected="status of 401") as page:
        page.get_by_label("Choose a file").set_input_files(FilePayload(name="a.png", mimeType="image/png", buffer=DOT))
        log_out(web)
        page.get_by_role("button", name="Take this picture").click()
        expect(page.get_by_role("alert")).to_contain_text("You are logged out.")
        log_in(web, page)
        page.get_by_role("button", name="Take this picture").click()
        page.wait_for_url(f"**/desk/{number}?candidate=*")
    with web.house.database.read() as session:
        assert session.scalars(select(Candidate.by)).all()[-1] == "Jo Editor"


# What was typed for another act


def test_saving_the_words_leaves_the_prompt_and_the_comment_that_were_typed(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("e")
        page.locator("#prompt").fill("A lamp in fog.")
        page.locator("[name=wrong]").first.check()
        page.get_by_label("Comment", exact=True).fill("half a sentence")
        page.get_by_role("button", name="Save words").click()
        expect(page.locator("#notices")).to_contain_text("are saved")
        expect(page.locator("#prompt")).to_have_value("A lamp in fog.")
        expect(page.locator("[name=wrong]").first).to_be_checked()
        expect(page.get_by_label("Comment", exact=True)).to_have_value("half a sentence")


@pytest.mark.parametrize("keys", ["g", "r1"])
def test_words_that_were_typed_are_saved_by_another_act(web: Web, opened: Opened, keys: str) -> None:
    first, *_ = three(web)
    with opened(f"/desk/{first}") as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Alt text").fill("a lamp")
        page.keyboard.press("Escape")
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator("#notices .good")).to_be_visible()
    assert (web.one(first).alt, web.one(first).state != State.IN_REVIEW) == ("a lamp", True)


def test_a_comment_that_was_typed_is_sent_along_with_the_decision(web: Web, opened: Opened) -> None:
    first, *_ = three(web)
    with opened(f"/desk/{first}") as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Comment", exact=True).fill("the crop is tight,\ntook it anyway")
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("#notices")).to_contain_text("Approved:")
    assert (comments(web), web.one(first).state) == (["the crop is tight,\ntook it anyway"], State.APPROVED)


def test_a_decision_whose_comment_did_not_arrive_waits_with_it(web: Web, opened: Opened) -> None:
    first, *_ = three(web)
    with opened(f"/desk/{first}", expected=FAILED) as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Comment", exact=True).fill("the crop is tight")
        page.route("**/comment", lambda route: route.abort())
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("alert")).to_contain_text(BREAD)
        page.unroute("**/comment")
        page.get_by_role("button", name="Send again").click()
        expect(page.locator("#notices")).to_contain_text("Approved:")
    assert (comments(web), web.one(first).state) == (["the crop is tight"], State.APPROVED)


def test_an_undo_leaves_what_was_typed_for_the_picture_that_was_shown(web: Web, opened: Opened) -> None:
    first, *_ = three(web)
    with opened(f"/desk/{first}") as page:
        page.wait_for_load_state("networkidle")
        page.keyboard.press("a")
        expect(page.locator("#notices")).to_contain_text("Approved:")
        page.get_by_label("Alt text").fill("half a sente")
        page.keyboard.press("Escape")
        page.keyboard.press("u")
        titled(page, BREAD)
        painted(page)
        page.keyboard.press("j")
        expect(page.get_by_label("Alt text")).to_have_value("half a sente")


def test_what_was_typed_stays_however_many_pictures_are_looked_at_since(web: Web, opened: Opened) -> None:
    numbers = [web.illustration(number=at % 12, site=("gazette", "shop")[at // 12]) for at in range(18)]
    with opened(f"/desk/{numbers[-1]}") as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Alt text").fill("half a sente")
        page.keyboard.press("Escape")
        for number in [*numbers[2:-1][::-1], *numbers[3:]]:
            page.keyboard.press("j" if number < numbers[-1] and page.url.endswith(f"/{number + 1}") else "k")
            page.wait_for_url(f"**/desk/{number}")
            page.wait_for_load_state("networkidle")
        expect(page.get_by_label("Alt text")).to_have_value("half a sente")


# Comments and assignment


@pytest.mark.parametrize(
    "fails", [lambda route: route.abort(), lambda route: route.fulfill(status=503, body="busy")], ids=["lost", "503"]
)
def test_a_comment_that_did_not_arrive_says_so_and_stays(
    web: Web, opened: Opened, fails: Callable[[Route], None]
) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}", expected=FAILED) as page:
        page.route("**/comment", fails)
        page.get_by_label("Comment", exact=True).fill("too dark")
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#together").get_by_role("alert")).to_contain_text("It was not sent")
        expect(page.get_by_label("Comment", exact=True)).to_have_value("too dark")
        page.unroute("**/comment")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".comments li")).to_contain_text("too dark")
        expect(page.get_by_role("alert")).to_have_count(0)


def test_an_assignment_that_did_not_arrive_says_so_and_is_not_shown(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}", expected=FAILED) as page:
        page.wait_for_load_state("networkidle")
        page.route("**/assign", lambda route: route.abort())
        page.get_by_label("Assigned to").select_option("Jo Editor")
        page.get_by_role("button", name="Assign").click()
        expect(page.locator("#together").get_by_role("alert")).to_contain_text("It was not sent")
        expect(page.get_by_label("Assigned to")).to_have_value("")


def test_after_a_comment_one_is_where_one_was(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.get_by_label("Comment", exact=True).fill("too dark")
        page.get_by_role("button", name="Send").press("Enter")
        expect(page.locator(".comments li")).to_contain_text("too dark")
        expect(page.get_by_role("button", name="Send")).to_be_focused()
        expect(page.get_by_label("Comment", exact=True)).to_have_value("")


def test_arrow_keys_that_go_through_the_names_give_it_to_nobody(web: Web, opened: Opened) -> None:
    number = web.illustration()
    web.login("editor", "Kim")
    with opened(f"/desk/{number}") as page:
        page.wait_for_load_state("networkidle")
        page.get_by_label("Assigned to").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label("Assigned to")).to_have_value("Kim")
        page.wait_for_load_state("networkidle")
    assert web.one(number).assignee == ""
