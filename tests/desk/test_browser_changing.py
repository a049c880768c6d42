"""Changing a picture in a real browser: reasons and what they change, the brush, the margins, pictures of one's own."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk.browsing import Opened, accessible, shot
from desk.furnish import picture
from desk.studio import Studio
from PIL import Image
from playwright.sync_api import Dialog, FilePayload, Page, expect
from servers.bfl import BflServer
from test_changes import mask

from frontispiece.models import State

pytestmark = [pytest.mark.real]

TOOLS = ("words", "repaint", "extend", "like", "own", "pick")


@pytest.fixture
def web(tmp_path: Path, bfl: BflServer) -> Iterator[Studio]:
    with Studio(tmp_path, bfl, budget={"day": 5}) as made:
        yield made


def chip(page: Page, name: str) -> Any:
    return page.locator(f"[name=wrong][value={name}]")


def paint(page: Page, *path: tuple[float, float]) -> None:
    """Draws with the mouse, by fractions of the picture."""
    box = page.locator("canvas").bounding_box()
    assert box
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in path]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def sent_mask(web: Studio, number: int) -> Image.Image:
    return Image.open(io.BytesIO(web.house.storage.get(web.renders(number)[-1].mask)))


def png(data: bytes, name: str = "picture.png") -> FilePayload:
    return FilePayload(name=name, mimeType="image/png", buffer=data)


# Reasons


def test_a_reason_shows_what_it_changes_and_is_drawn(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}") as page:
        chip(page, "text").check()
        expect(page.locator("#preview ins")).to_contain_text("Every wall, sign, screen")
        expect(page.locator("#preview")).to_contain_text("About $0.045; $4.97 are left for today.")
        page.get_by_label("Say more").fill("the clock has numbers")
        page.get_by_role("button", name="Draw it like this").click()
        expect(page.get_by_text("is being drawn.").first).to_be_visible()
    assert web.last_review(number).chips == ["text"]
    assert "Every wall, sign, screen" in web.one(number).prompt


def test_what_a_reason_changes_is_brought_into_view(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}") as page:
        chip(page, "crop").check()
        expect(page.get_by_role("button", name="Draw it like this")).to_be_in_viewport()


def test_reasons_work_on_the_page_that_a_key_led_to(web: Studio, opened: Opened) -> None:
    older, newer = web.large(1), web.large(2)
    with opened(f"/desk/{newer}") as page:
        page.keyboard.press("j")
        page.wait_for_url(f"**/desk/{older}")
        chip(page, "text").check()
        page.get_by_role("button", name="Draw it like this").press("Enter")  # a click so soon may be a double one
        page.wait_for_url(f"**/desk/{newer}**")
        page.wait_for_load_state("networkidle")
    assert web.last_review(older).chips == ["text"]


def test_a_prompt_that_is_typed_is_compared_while_it_is_typed(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("e")
        page.locator("#prompt").press_sequentially("Gulls. ")
        expect(page.locator("#preview ins")).to_have_text("Gulls.")
        chip(page, "crop").check()
        expect(page.locator("#preview ins")).to_contain_text("Gulls. The whole subject is inside")


def test_where_words_come_from_follows_what_is_typed(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}") as page:
        page.locator("#prompt-box > summary").click()
        page.locator(".origins summary").click()
        chip(page, "text").check()
        expect(page.locator("#origins .of-reason")).to_contain_text("Every wall, sign, screen")
        expect(page.locator("#origins .from", has_text="a reason")).to_be_visible()


def test_settings_are_said_before_they_run(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("e")
        page.get_by_label("Model", exact=True).select_option("flux-2-flex")
        page.get_by_label("Ratio").select_option("1:1")
        page.get_by_label("Or this seed").fill("77")
        expect(page.locator("#preview")).to_contain_text("Seed 77.")
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        expect(page.get_by_text("is being drawn.").first).to_be_visible()
    last = web.renders(number)[-1]
    assert (last.model, last.seed, last.width == last.height) == ("flux-2-flex", 77, True)


def test_reasons_work_without_javascript(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}", scripts=False) as page:
        chip(page, "brand").check()
        page.get_by_role("button", name="Show what changes").click()
        expect(page.locator("ins").first).to_contain_text("The colours of the whole picture come from one palette")
        page.get_by_role("button", name="Draw it like this").click()
        expect(page.get_by_text("is being drawn.").first).to_be_visible()
    assert web.last_review(number).chips == ["brand"]


# Tools


def test_words_edit_the_candidate_that_is_shown(web: Studio, opened: Opened) -> None:
    number = web.large(candidates=2)
    first = web.candidates(number)[0]
    with opened(f"/desk/{number}") as page:
        page.keyboard.press("ArrowLeft")
        page.get_by_role("link", name="Edit by words").click()
        page.get_by_label("What shall be different?").fill("Make it evening.")
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_url(f"**/desk/{number}**")
    render = web.renders(number)[-1]
    assert (render.task, render.prompt, render.parent_id) == ("edit", "Make it evening.", first.id)


def test_a_region_is_painted_with_the_mouse_and_sent_as_a_mask(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/repaint") as page:
        paint(page, (0.2, 0.5), (0.6, 0.5))
        page.get_by_label("What should be there?").fill("A boat.")
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_url(f"**/desk/{number}?**")
    sent = sent_mask(web, number)
    assert (sent.size, sent.getpixel((640, 450)), sent.getpixel((1500, 450))) == ((1600, 900), 255, 0)


def test_a_region_is_painted_by_keyboard(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/repaint") as page:
        page.locator("canvas").focus()
        page.keyboard.down("Shift")
        for _ in range(4):
            page.keyboard.press("Shift+ArrowRight")
        page.keyboard.up("Shift")
        page.keyboard.press("ArrowDown")
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_url(f"**/desk/{number}?**")
    sent = sent_mask(web, number)
    assert (sent.getpixel((800, 450)), sent.getpixel((860, 450)), sent.getpixel((800, 600))) == (255, 255, 0)


def test_leaving_the_picture_backwards_paints_nothing(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/repaint") as page:
        page.locator("canvas").focus()
        page.keyboard.press("Shift+Tab")
        expect(page.locator("canvas")).not_to_be_focused()
        expect(page.get_by_role("button", name="Undo a stroke")).to_be_disabled()


def test_undoing_the_only_stroke_leads_back_to_the_picture(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/repaint") as page:
        paint(page, (0.1, 0.1), (0.2, 0.1))
        page.get_by_role("button", name="Undo a stroke").press("Enter")
        expect(page.locator("canvas")).to_be_focused()


def test_what_was_painted_is_not_lost_without_a_warning(web: Studio, opened: Opened) -> None:
    number = web.large()
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    with opened(f"/desk/{number}/change/repaint") as page:
        page.on("dialog", leave)
        page.reload()
        assert asked == []
        paint(page, (0.2, 0.5), (0.6, 0.5))
        page.reload()
        assert asked == ["beforeunload"]
        paint(page, (0.2, 0.5), (0.6, 0.5))
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_url(f"**/desk/{number}?**")
    assert asked == ["beforeunload"]


def test_the_last_stroke_is_undone_and_the_brush_grows(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/repaint") as page:
        paint(page, (0.1, 0.1), (0.2, 0.1))
        paint(page, (0.8, 0.8), (0.9, 0.8))
        page.get_by_role("button", name="Undo a stroke").click()
        before = page.locator("#brush").input_value()
        page.keyboard.press("]")
        assert int(page.locator("#brush").input_value()) == int(before) + 1
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_url(f"**/desk/{number}?**")
    sent = sent_mask(web, number)
    assert (sent.getpixel((240, 90)), sent.getpixel((1360, 720))) == (255, 0)


def test_without_a_stroke_nothing_is_sent_and_words_stay(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/repaint") as page:
        page.get_by_label("What should be there?").fill("A boat.")
        page.get_by_role("button", name="Draw it").click()
        expect(page.get_by_role("alert")).to_have_text("Paint over a region first.")
        expect(page.get_by_label("What should be there?")).to_have_value("A boat.")
    assert len(web.renders(number)) == 1


def test_what_was_painted_is_still_there_after_a_refusal(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/repaint", expected="422") as page:
        paint(page, (0.2, 0.5), (0.6, 0.5))
        page.get_by_label("What should be there?").evaluate("(box) => { box.value = 'a\\u0001b'; }")
        page.get_by_role("button", name="Draw it").click()
        expect(page.get_by_role("alert")).to_contain_text("no text")
        page.get_by_label("What should be there?").fill("A boat.")
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_url(f"**/desk/{number}?**")
    assert sent_mask(web, number).getpixel((640, 450)) == 255


def test_a_mask_is_uploaded_without_javascript(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/repaint", scripts=False) as page:
        page.get_by_label("Mask").set_input_files(png(mask(), "mask.png"))
        page.get_by_label("What should be there?").fill("A boat.")
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_url(f"**/desk/{number}?**")
    assert sent_mask(web, number).getpixel((300, 300)) == 255


def test_margins_are_shown_around_the_picture_and_painted(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/extend") as page:
        for side, margin in (("Top", "0"), ("Bottom", "50"), ("Left", "0"), ("Right", "0")):
            page.get_by_label(side).fill(margin)
        expect(page.get_by_text("1600 × 1350 pixels in all")).to_be_visible()
        sheet, image = page.locator(".sheet").bounding_box(), page.locator(".sheet img").bounding_box()
        assert sheet
        assert image
        assert image["height"] / sheet["height"] == pytest.approx(2 / 3, abs=0.01)
        page.get_by_role("button", name="Draw it").click()
        page.wait_for_url(f"**/desk/{number}?**")
    assert web.renders(number)[-1].margins == {"top": 0, "right": 0, "bottom": 450, "left": 0}


def test_another_model_says_what_it_costs(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/words") as page:
        page.get_by_label("Model", exact=True).select_option("flux-2-max")
        expect(page.locator("[data-price]")).to_contain_text("About $0.16;")


def test_a_double_click_on_a_tool_draws_once(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/like") as page:
        page.get_by_role("button", name="Draw it").dblclick()
        page.wait_for_url(f"**/desk/{number}?**")
    assert len(web.renders(number)) == 2


# Other pictures


def test_a_picture_of_ones_own_is_shown_uploaded_and_chosen(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/own") as page:
        page.get_by_label("Choose a file").set_input_files(png(picture(5, 800, 450)))
        expect(page.locator("canvas.instead")).to_be_visible()
        page.get_by_role("button", name="Take this picture").click()
        page.wait_for_url(f"**/desk/{number}?candidate=*")
        expect(page.get_by_text("given by Jo Editor").first).to_be_visible()
    assert web.candidates(number)[-1].by == "Jo Editor"


def test_what_is_no_picture_is_told_beside_the_form(web: Studio, opened: Opened) -> None:
    number = web.large()
    with opened(f"/desk/{number}/change/own", scripts=False, expected="422") as page:
        page.get_by_label("Choose a file").set_input_files(png(b"hello"))
        page.get_by_role("button", name="Take this picture").click()
        expect(page.get_by_role("alert")).to_contain_text("not a picture")


def test_a_picture_of_the_site_is_sought_and_picked_without_javascript(web: Studio, opened: Opened) -> None:
    here, there = web.large(1), web.large(2)
    web.large(3)
    with opened(f"/desk/{here}/change/pick", scripts=False) as page:
        page.get_by_label("Words of the title").fill("bread")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("button", name="Bread that takes three days").click()
        page.wait_for_url(f"**/desk/{here}?candidate=*")
    assert web.candidates(here)[-1].image == web.candidates(there)[0].image
    assert web.one(here).state == State.IN_REVIEW


SEARCH = "(words) => words.forEach((one) => { seek.value = one; seek.form.requestSubmit(); })"


def test_a_search_on_its_way_keeps_no_other_back(web: Studio, opened: Opened) -> None:
    here = web.large(1)
    with opened(f"/desk/{here}/change/pick") as page:
        page.evaluate(SEARCH, ["slow", "bread"])
        page.wait_for_url("**words=bread*")


def test_an_act_that_was_stopped_is_sent_again_after_a_while(web: Studio, opened: Opened) -> None:
    here, _ = web.large(1), web.large(2)
    with opened(f"/desk/{here}/change/pick") as page:
        page.clock.install()
        page.route("**/change/pick", lambda route: route.fulfill(status=204), times=1)  # the page stays
        again = page.get_by_role("button", name="Bread that takes three days")
        again.click()
        expect(again).to_have_attribute("aria-disabled", "true")
        page.clock.run_for(10_000)
        expect(again).not_to_have_attribute("aria-disabled", "true")
        again.click()
        page.wait_for_url(f"**/desk/{here}?candidate=*")


# How it looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_reasons_keep_nobody_out(web: Studio, opened: Opened, scheme: str) -> None:
    number = web.large(candidates=2)
    with opened(f"/desk/{number}", scheme=scheme) as page:
        chip(page, "brand").check()
        expect(page.locator("#preview ins").first).to_be_visible()
        page.locator("#prompt-box > summary").click()
        page.locator(".origins summary").click()
        shot(page, f"change-{scheme}")
        accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tools_keep_nobody_out(web: Studio, opened: Opened, scheme: str) -> None:
    number = web.large(candidates=2)
    for other in range(1, 7):
        web.large(other)
    with opened(f"/desk/{number}/change/words", scheme=scheme) as page:
        for tool in TOOLS:
            page.goto(f"/desk/{number}/change/{tool}")
            if tool == "repaint":
                paint(page, (0.2, 0.3), (0.35, 0.4), (0.5, 0.3))
            shot(page, f"change-{tool}-{scheme}")
            accessible(page)


def test_a_phone_shows_reasons_and_tools_without_scrolling_sideways(web: Studio, opened: Opened) -> None:
    number = web.large(candidates=2)
    with opened(f"/desk/{number}", width=390) as page:
        chip(page, "brand").check()
        expect(page.locator("#preview ins").first).to_be_visible()
        page.locator("#prompt-box > summary").click()
        for tool in ("", *(f"/change/{tool}" for tool in TOOLS)):
            if tool:
                page.goto(f"/desk/{number}{tool}")
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            shot(page, f"change-phone{tool.replace('/', '-')}")
