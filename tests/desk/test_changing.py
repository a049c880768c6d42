"""The forms that change a picture: what they show before it runs, what is ordered, and what is refused in words."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk.furnish import PROMPT, Browser, entry, picture
from desk.studio import Studio
from PIL import Image
from servers.bfl import BflServer
from test_changes import bomb, mask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from frontispiece.models import State

HTMX = {"HX-Request": "true"}


@pytest.fixture
def studio(tmp_path: Path, bfl: BflServer) -> Iterator[Studio]:
    with Studio(tmp_path, bfl, budget={"day": 5}) as made:
        yield made


@pytest.fixture
def jo(studio: Studio) -> Browser:
    return studio.browser(name="Jo")


def preview(who: Browser, number: int, **fields: Any) -> TestResponse:
    data = {"token": who.form_token(), "prompt": PROMPT, **fields}
    return who.client.post(f"/desk/{number}/preview", data=data, headers=HTMX, buffered=True)


def redraw(who: Browser, number: int, **fields: Any) -> TestResponse:
    return who.post(f"/desk/{number}/regenerate", **{"prompt": PROMPT, **fields})


def use(who: Browser, number: int, tool: str, **fields: Any) -> TestResponse:
    return who.post(f"/desk/{number}/change/{tool}", **fields)


def large(who: Browser, number: int, data: bytes) -> TestResponse:
    """An upload whose body the test client keeps in memory."""
    boundary, body = encode_multipart({"token": who.form_token(), "picture": FileStorage(*file(data))})
    kind = f"multipart/form-data; boundary={boundary}"
    return who.client.post(f"/desk/{number}/change/own", data=body, content_type=kind, buffered=True)


def file(data: bytes, name: str = "picture.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


# The page of an illustration


def test_chips_fit_what_the_entry_is(studio: Studio, jo: Browser) -> None:
    article, product = studio.large(1), studio.large(2, told=entry(2, kind="product"))
    assert 'value="product"' not in part(jo.get(f"/desk/{article}").text, "wrong")
    assert 'value="product"' in part(jo.get(f"/desk/{product}").text, "wrong")


def part(page: str, name: str) -> str:
    """The first fieldset of that class."""
    return page.partition(f'<fieldset class="{name}"')[2].partition("</fieldset>")[0]


def test_models_are_offered_with_their_prices_and_only_those_that_can_draw(studio: Studio, jo: Browser) -> None:
    page = jo.get(f"/desk/{studio.large()}").text
    assert "FLUX.2 [max] · $0.1" in page
    assert "local-klein" not in page


def test_a_prompt_that_carries_a_reason_says_so(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    redraw(jo, number, wrong="text")
    studio.draw()
    assert "The prompt says so already." in jo.get(f"/desk/{number}").text


def test_where_words_come_from_is_said_beside_them(studio: Studio, jo: Browser) -> None:
    page = jo.get(f"/desk/{studio.large()}").text
    assert '<span class="run of-person"><span class="from">a person</span>' in page


def test_a_page_whose_rule_is_gone_still_shows(studio: Studio, jo: Browser) -> None:
    number = studio.large(rule="old")
    answer = jo.get(f"/desk/{number}")
    assert answer.status_code == 200
    assert "is not in the configuration any more" in answer.text


def test_a_page_with_a_broken_file_of_reasons_still_shows(
    studio: Studio, jo: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = studio.large()
    (tmp_path / "reasons.toml").write_text('[a]\ntitle = "A"\nlast = "No text."', "utf8")
    monkeypatch.setenv("FRONTISPIECE_TEMPLATES", str(tmp_path))
    answer = jo.get(f"/desk/{number}/change/words")
    assert answer.status_code == 200


# What changes is shown first


def test_what_a_reason_changes_is_shown_word_by_word(studio: Studio, jo: Browser) -> None:
    page = preview(jo, studio.large(), wrong="text").text
    assert "<ins>Every wall, sign, screen" in page
    assert "About $0.045; $4.97 are left for today." in page


def test_words_that_go_are_shown_as_gone(studio: Studio, jo: Browser) -> None:
    page = preview(jo, studio.large(), prompt=PROMPT.replace("wet basalt", "dry sand")).text
    assert "<del>wet basalt </del><ins>dry sand </ins>" in page


def test_settings_that_change_are_said_in_words(studio: Studio, jo: Browser) -> None:
    page = preview(jo, studio.large(), wrong="artificial", model="flux-2-flex", seed="12", ratio="1:1").text
    assert "Drawn by FLUX.2 [flex]." in page
    assert "Guidance 3.0 instead of 5.0." in page
    assert "Seed 12." in page
    assert "Drawn as 1:1 and cut to the slot." in page


def test_a_product_without_photographs_is_told_so(studio: Studio, jo: Browser) -> None:
    number = studio.large(told=entry(0, kind="product"))
    assert "no photograph of the product" in preview(jo, number, wrong="product").text


def test_a_preview_orders_nothing(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    preview(jo, number, wrong="text")
    assert (studio.one(number).state, studio.one(number).prompt, len(studio.renders(number))) == (
        State.IN_REVIEW, PROMPT, 1,
    )  # fmt: skip


def test_a_preview_over_the_cap_offers_no_button(tmp_path: Path, bfl: BflServer) -> None:
    with Studio(tmp_path, bfl, budget={"day": 0.05}) as studio:
        page = preview(studio.browser(), studio.large(), wrong="text").text
    assert "and only $0.02 are left for today." in page
    assert "<button" not in page


def test_a_prompt_of_100_kb_is_told_its_length_and_compared_with_nothing(studio: Studio, jo: Browser) -> None:
    page = preview(jo, studio.large(), prompt="long " * 20_000).text
    assert "99,999 characters" in page or "99999 characters" in page


def test_a_prompt_that_a_reason_makes_too_long_is_told_before_it_runs(studio: Studio, jo: Browser) -> None:
    page = preview(jo, studio.large(), prompt="A lamp. " * 499, wrong="brand").text
    assert "4000 are the most" in page
    assert "<button" not in page


@pytest.mark.parametrize("field", ["seed", "seed_own"])
@pytest.mark.parametrize("seed", ["-1", "1.5", "x", "4294967296", "٣"])
def test_what_is_no_seed_is_told(studio: Studio, jo: Browser, field: str, seed: str) -> None:
    assert "from 0 to 4294967295" in preview(jo, studio.large(), **{field: seed}).text


def test_template_syntax_and_markup_in_a_prompt_are_shown_as_text(studio: Studio, jo: Browser) -> None:
    page = preview(jo, studio.large(), prompt="{{ 7 * 7 }} <script>alert(1)</script> {% for x in y %}").text
    assert "{{ 7 * 7 }} &lt;script&gt;" in page
    assert "{% for x in y %}" in page


def test_without_javascript_the_change_has_a_page_of_its_own(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    page = jo.post(f"/desk/{number}/preview", prompt=PROMPT, wrong="crop", comment="more sky").text
    assert "<ins>The whole subject is inside" in page
    assert 'name="comment" value="more sky"' in page
    assert f'action="/desk/{number}/regenerate"' in page


# Drawing again


def test_a_reason_reaches_the_model_and_the_record(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    redraw(jo, number, wrong=["text", "brand"], comment="the clock has numbers")
    studio.draw()
    body: Any = studio.got().body
    last = studio.last_review(number)
    assert "Every wall, sign, screen" in body.prompt
    assert (last.chips, last.reason, last.by) == (["text", "brand"], "the clock has numbers", "Jo")


def test_model_seed_and_ratio_reach_the_service(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    redraw(jo, number, model="flux-2-max", seed_own="4294967295", ratio="1:1")
    studio.draw()
    body: Any = studio.got().body
    assert (studio.got().model, body.seed, body.width, body.height) == ("flux-2-max", 4294967295, 1200, 1200)


def test_a_double_click_draws_once(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    fields = {"wrong": "text", "seen": studio.renders(number)[-1].id}
    assert [redraw(jo, number, **fields).status_code for _ in range(2)] == [303, 303]
    assert len(studio.renders(number)) == 2


def test_a_second_click_after_the_picture_has_come_draws_nothing_more(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    fields = {"wrong": "text", "seen": studio.renders(number)[-1].id}
    redraw(jo, number, **fields)
    studio.draw()
    assert redraw(jo, number, **fields).status_code == 303
    assert len(studio.renders(number)) == 2


def test_a_stale_page_draws_nothing_beside_somebody_elses_picture(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    seen = studio.renders(number)[-1].id
    redraw(studio.browser(name="Kim"), number, wrong="text", seen=seen)
    studio.draw()
    answer = redraw(jo, number, prompt="A lamp.", wrong="crop", seen=seen, comment="mine")
    assert (answer.status_code, len(studio.renders(number))) == (409, 2)
    assert "A lamp.</textarea>" in answer.text
    assert 'value="crop" checked' in answer.text


def test_what_was_typed_is_kept_where_it_is_refused(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    answer = redraw(jo, number, prompt="A lamp.", wrong="text", seed_own="x", comment="why", model="flux-2-max")
    assert answer.status_code == 422
    for kept in (
        "A lamp.</textarea>",
        'value="text" checked',
        'value="x"',
        'value="why"',
        'value="flux-2-max" selected',
    ):
        assert kept in answer.text


def test_an_unknown_reason_is_refused_in_words(studio: Studio, jo: Browser) -> None:
    answer = redraw(jo, studio.large(), wrong="ugly")
    assert answer.status_code == 422
    assert "There is no reason" in answer.text


def test_over_the_cap_nothing_is_ordered_and_the_words_are_clear(tmp_path: Path, bfl: BflServer) -> None:
    with Studio(tmp_path, bfl, budget={"day": 0.05}) as studio:
        number = studio.large()
        answer = redraw(studio.browser(), number, wrong="text")
        assert (answer.status_code, studio.one(number).state) == (422, State.IN_REVIEW)
        assert "budget" in answer.text


# Tools


@pytest.mark.parametrize("tool", ["words", "repaint", "extend", "like", "own", "pick"])
def test_every_tool_has_a_page(studio: Studio, jo: Browser, tool: str) -> None:
    assert jo.get(f"/desk/{studio.large()}/change/{tool}").status_code == 200


def test_a_tool_that_no_model_can_do_says_which_could(tmp_path: Path, bfl: BflServer) -> None:
    with Studio(tmp_path, bfl, {"models": ["sketch"]}, generators={}) as studio:
        page = studio.browser().get(f"/desk/{studio.large()}/change/repaint").text
    assert "No model that is set up here can do this." in page
    assert "FLUX.1 Fill [dev], local" in page or "FLUX.2 [klein]" in page


def test_words_are_sent_with_the_candidate_that_was_chosen(studio: Studio, jo: Browser) -> None:
    number = studio.large(candidates=2)
    first = studio.candidates(number)[0]
    answer = use(jo, number, "words", prompt="Make it evening.", start=first.id)
    render = studio.renders(number)[-1]
    assert answer.headers["Location"].startswith(f"/desk/{number}?")
    assert (render.task, render.given, render.parent_id, render.by) == ("edit", [first.image], first.id, "Jo")


def test_a_mask_is_sent_as_a_file(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    use(jo, number, "repaint", prompt="A boat.", mask=file(mask(800, 450, (10, 10, 99, 99))))
    studio.draw()
    kept = Image.open(io.BytesIO(studio.house.storage.get(studio.renders(number)[-1].mask)))
    assert (studio.got().model, kept.size, studio.one(number).state) == (
        "flux-pro-1.0-fill", (1600, 900), State.IN_REVIEW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (mask(box=None), "Nothing is marked"),
        (b"", "Paint over a region first"),
        (bomb(), "30000 × 30000"),
        (b"x", "not a picture"),
    ],
    ids=["empty", "nothing", "bomb", "text"],
)
def test_a_mask_that_is_none_is_refused(studio: Studio, jo: Browser, data: bytes, words: str) -> None:
    number = studio.large()
    answer = use(jo, number, "repaint", prompt="A boat.", mask=file(data))
    assert (answer.status_code, len(studio.renders(number))) == (422, 1)
    assert words in answer.text
    assert "A boat.</textarea>" in answer.text


def test_margins_in_percent_are_of_the_pictures_own_sides(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    use(jo, number, "extend", top="0", right="10", bottom="20", left="", unit="percent")
    assert studio.renders(number)[-1].margins == {"top": 0, "right": 160, "bottom": 180, "left": 0}


def test_margins_in_pixels_are_taken_as_they_are(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    use(jo, number, "extend", top="64", unit="pixels")
    assert studio.renders(number)[-1].margins["top"] == 64


@pytest.mark.parametrize("top", ["-5", "a", "99999", "1e3", ""])
def test_margins_that_are_none_are_refused(studio: Studio, jo: Browser, top: str) -> None:
    assert use(jo, studio.large(), "extend", top=top, unit="pixels").status_code == 422


def test_a_tool_that_is_used_twice_draws_once(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    form = {"seen": studio.renders(number)[-1].id, "start": studio.candidates(number)[-1].id}
    for _ in range(2):
        assert use(jo, number, "words", prompt="Make it evening.", **form).status_code == 303
        studio.draw()
    assert len(studio.renders(number)) == 2


def test_while_a_picture_is_drawn_a_tool_says_so(studio: Studio, jo: Browser) -> None:
    number = studio.large(state=State.RENDERING)
    answer = use(jo, number, "words", prompt="Make it evening.")
    assert (answer.status_code, len(studio.renders(number))) == (409, 1)
    assert "Make it evening.</textarea>" in answer.text


# Other pictures


def test_a_picture_of_ones_own_becomes_a_candidate(studio: Studio, jo: Browser) -> None:
    number = studio.large()
    answer = use(jo, number, "own", picture=file(picture(5, 800, 450)))
    last = studio.candidates(number)[-1]
    assert (last.by, last.render_id, last.width) == ("Jo", None, 800)
    assert answer.headers["Location"] == f"/desk/{number}?candidate={last.id}"


def test_a_photograph_larger_than_a_delivery_may_be_is_taken(
    studio: Studio, jo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(studio.app.config, "MAX_CONTENT_LENGTH", 1_000)
    noise = io.BytesIO()
    Image.effect_noise((900, 900), 80).save(noise, "PNG")
    assert large(jo, studio.large(), noise.getvalue()).status_code == 303


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Choose a file first"),
        (b"<html>", "A web page came instead of a picture"),
        (b"<svg xmlns='x'>", "SVG"),
        (b"GIF89a", "not a picture that can be used"),
        (picture(1, 64, 64)[:300], "cut off or damaged"),
        (bomb(), "30000 × 30000 pixels"),
    ],
    ids=["nothing", "html", "svg", "gif", "cut off", "bomb"],
)
def test_what_is_no_picture_is_refused_in_words(studio: Studio, jo: Browser, data: bytes, words: str) -> None:
    number = studio.large()
    answer = use(jo, number, "own", picture=file(data))
    assert (answer.status_code, len(studio.candidates(number))) == (422, 1)
    assert words in answer.text


@pytest.mark.parametrize("size", [20_000_001, 21_500_000])
def test_a_file_that_is_too_large_is_refused_in_words(studio: Studio, jo: Browser, size: int) -> None:
    answer = large(jo, studio.large(), b"\xff" * size)
    assert answer.status_code in (413, 422)
    assert "larger than 20 MB" in answer.text


def test_a_picture_is_picked_from_those_of_the_site(studio: Studio, jo: Browser) -> None:
    here, there = studio.large(1), studio.large(2)
    studio.large(3, site="shop")
    page = jo.get(f"/desk/{here}/change/pick").text
    assert page.count('name="candidate"') == 1
    use(jo, here, "pick", candidate=studio.candidates(there)[0].id)
    assert len(studio.candidates(here)) == 2


def test_pictures_to_pick_are_sought_by_title_and_shown_page_by_page(studio: Studio, jo: Browser) -> None:
    here = studio.illustration(number=1)
    studio.illustration(number=2, candidates=25)
    first = jo.get(f"/desk/{here}/change/pick?words=bread").text
    assert first.count('name="candidate"') == 24
    assert "Older pictures" in first
    assert "No picture of this site" in jo.get(f"/desk/{here}/change/pick?words=zebra%00%25").text


@pytest.mark.parametrize("state", [State.PUBLISHED, State.RENDERING, State.FAILED])
def test_another_picture_can_be_given_where_none_can_be_drawn(studio: Studio, jo: Browser, state: State) -> None:
    number = studio.large(state=state, prompt="")
    assert f'href="/desk/{number}/change/own"' in jo.get(f"/desk/{number}").text
    assert use(jo, number, "own", picture=file(picture(5, 800, 450))).status_code == 303


def test_a_tool_for_an_illustration_that_there_is_not_is_404(jo: Browser) -> None:
    assert jo.get("/desk/99/change/words").status_code == 404


def test_a_viewer_is_not_asked_to_change_anything(studio: Studio) -> None:
    number = studio.large()
    viewer = studio.browser("viewer", "Kim")
    assert viewer.get(f"/desk/{number}/change/words").status_code == 403
    assert 'name="wrong"' not in viewer.get(f"/desk/{number}").text
