"""Looking at the pictures of one illustration in a real browser: side by side, by the pixel, in place, on a phone."""

import re

import pytest
from desk.browsing import Opened, Scheme, accessible, shot
from desk.furnish import Web, entry
from playwright.sync_api import expect

from frontispiece.models import State

pytestmark = pytest.mark.real

OVER = "Nothing waits for you."
LANGUAGES = {"en": "What bees hear", "de": "Was Bienen hören"}


def test_the_arrow_keys_choose_the_picture_that_is_shown_and_approved(web: Web, opened: Opened) -> None:
    number = web.illustration(candidates=3)
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".large figure").nth(1)).to_be_visible()
        expect(page.locator(".large figure").nth(2)).to_be_hidden()
        page.keyboard.press("a")
        expect(page.get_by_text(OVER)).to_be_visible()
    assert web.one(number).chosen_id == web.candidate(number) - 1


def test_two_candidates_are_compared_and_the_marked_one_is_approved(web: Web, opened: Opened) -> None:
    number = web.illustration(candidates=3)
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("c")
        expect(page.locator(".large figure").nth(1)).to_be_visible()
        expect(page.locator(".large figure").nth(2)).to_be_visible()
        page.locator(".thumbs label").nth(2).click()  # the other of the two: they change their parts
        expect(page.locator(".large figure.against")).to_have_attribute("class", "against")
        expect(page.locator(".large figure:visible")).to_have_count(2)
        page.keyboard.press("a")
        expect(page.get_by_text(OVER)).to_be_visible()
    assert web.one(number).chosen_id == web.candidate(number)


def test_z_shows_the_picture_pixel_by_pixel(web: Web, opened: Opened) -> None:
    number = web.illustration(data=b"")
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("z")
        image = page.locator("#zoomed img")
        expect(image).to_have_js_property("naturalWidth", 1600)
        expect(image).to_have_css("width", "1600px")
        before = page.evaluate("document.querySelector('#zoomed .sheet').scrollLeft")
        page.mouse.move(640, 400)
        page.mouse.down()
        page.mouse.move(540, 400)
        page.mouse.up()
        assert page.evaluate("document.querySelector('#zoomed .sheet').scrollLeft") == before + 100
        page.keyboard.press("z")
        expect(image).to_be_hidden()


def test_a_zoomed_picture_stands_in_the_middle_of_a_wider_window(web: Web, opened: Opened) -> None:
    number = web.illustration(data=b"")
    with opened(f"/desk/{number}", width=2000) as page:
        page.keyboard.press("z")
        expect(page.locator("#zoomed img")).to_have_css("width", "1600px")
        box = page.locator("#zoomed img").bounding_box()
        assert box
        assert box["x"] == pytest.approx(200, abs=10)  # there may be a scroll bar


def test_whether_two_are_compared_is_told_without_looking(web: Web, opened: Opened) -> None:
    number = web.illustration(candidates=2)
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("c")
        expect(page.locator("#compare")).to_have_attribute("aria-current", "true")
        page.keyboard.press("c")
        expect(page.locator("#compare[aria-current]")).to_have_count(0)


def test_a_reason_that_is_picked_is_marked_by_more_than_colour(web: Web, opened: Opened) -> None:
    number = web.illustration()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("r")
        page.keyboard.press("Shift+Digit2")
        picked = page.locator("#reject label", has=page.locator(":checked"))
        expect(picked).to_have_css("font-weight", "600")
        assert "✓" in picked.evaluate("(label) => getComputedStyle(label, '::before').content")


def test_a_title_that_runs_from_right_to_left_is_set_so(web: Web, opened: Opened) -> None:
    told = entry(0, title="الضوء الأخير في المنارة القديمة (2026)", locale="ar")
    number = web.illustration(told=told, alt="منارة")
    with opened(f"/desk/{number}") as page:
        expect(page.get_by_role("heading", level=1)).to_have_css("direction", "rtl")
        expect(page.get_by_label("Alt text")).to_have_css("direction", "rtl")
        expect(page.get_by_label("Comment", exact=True)).to_have_css("direction", "ltr")


def test_the_focal_point_is_set_by_a_click_and_the_cuts_follow(web: Web, opened: Opened) -> None:
    number = web.illustration(data=b"")
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("p")
        page.keyboard.press("f")
        box = page.locator(".large figure img").bounding_box()
        assert box
        page.locator(".large figure img").click(position={"x": box["width"] / 4, "y": box["height"] / 2})
        expect(page.locator("#left")).to_have_value(re.compile(r"^2[45]"))
        expect(page.locator("[data-cut]").first).to_have_attribute("src", re.compile(r"focal=0\.2"))
        page.get_by_role("button", name="Save words and focal point").click()
        expect(page.locator("#notices")).to_contain_text("are saved.")
    focal = web.one(number).focal
    assert focal
    assert focal == pytest.approx([0.25, 0.5], abs=0.01)


def test_the_focal_point_is_moved_by_the_arrow_keys(web: Web, opened: Opened) -> None:
    number = web.illustration(focal=[0.5, 0.5], candidates=2)
    with opened(f"/desk/{number}") as page:
        for key in ("f", "ArrowRight", "ArrowRight", "Shift+ArrowUp"):
            page.keyboard.press(key)
        expect(page.locator("#left")).to_have_value("52")
        expect(page.locator("#top")).to_have_value("45")
        page.keyboard.press("a")
        expect(page.get_by_text(OVER)).to_be_visible()
    assert (web.one(number).focal, web.one(number).chosen_id) == ([0.52, 0.45], web.candidate(number))


def test_the_places_stay_open_from_picture_to_picture(web: Web, opened: Opened) -> None:
    _, number = web.illustration(number=1), web.illustration(number=2)
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("p")
        expect(page.get_by_text("As a link preview")).to_be_visible()
        page.keyboard.press("j")
        expect(page.get_by_role("heading", level=1)).to_contain_text("river")
        expect(page.get_by_text("As a link preview")).to_be_visible()


def test_a_phone_shows_the_desk_without_scrolling_sideways(web: Web, opened: Opened) -> None:
    number = web.illustration(number=4, candidates=4)
    with opened(f"/desk/{number}", width=390) as page:
        page.keyboard.press("p")
        page.locator("#history summary").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        expect(page.get_by_role("button", name="Approve")).to_be_in_viewport()


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.PUBLISHED, State.REJECTED, State.HELD])
def test_a_page_as_narrow_as_a_wide_one_enlarged_does_not_scroll_sideways(
    web: Web, opened: Opened, state: State
) -> None:
    _, number, _ = (web.illustration(state, number=at, candidates=2) for at in range(3))
    with opened(f"/desk/{number}", width=320, language="de") as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 320


SWIPE = """([from, to]) => {
  const large = document.querySelector("#large img:not([loading])");
  const at = (x) => new Touch({identifier: 1, target: large, clientX: x, clientY: 200});
  const say = (kind, x) => large.dispatchEvent(new TouchEvent(kind, {
    bubbles: true, touches: kind === "touchend" ? [] : [at(x)], changedTouches: [at(x)]}));
  say("touchstart", from);
  say("touchend", to);
}"""


def test_a_swipe_shows_the_other_candidate(web: Web, opened: Opened) -> None:
    number = web.illustration(candidates=2)
    with opened(f"/desk/{number}", width=390, touch=True) as page:
        page.evaluate(SWIPE, [100, 260])
        expect(page.locator(".large figure").first).to_be_visible()
        page.evaluate(SWIPE, [260, 100])
        expect(page.locator(".large figure").nth(1)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_keeps_nobody_out(web: Web, opened: Opened, scheme: Scheme) -> None:
    told = entry(5, titles=LANGUAGES, locale="en")
    number = web.illustration(number=5, candidates=3, told=told, data=b"")
    with opened(f"/desk/{number}", scheme=scheme) as page:
        accessible(page)
        shot(page, f"illustration-{scheme}")
        for summary in page.locator("summary:visible").all():
            summary.click()
        page.keyboard.press("f")
        accessible(page)
        shot(page, f"illustration-open-{scheme}")
        page.keyboard.press("c")
        page.keyboard.press("z")
        accessible(page)
