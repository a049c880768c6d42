"""What an editor asks for becomes an order: which model, which task, how large, for how much; masks are looked at."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk.furnish import entry, picture
from desk.studio import Studio
from PIL import Image, ImageDraw
from servers.bfl import BflServer
from sqlalchemy.orm import joinedload, selectinload

from frontispiece import changes, differences, pieces, prompts, retouch, review, wishes
from frontispiece.changes import Asked, Change
from frontispiece.differences import Run
from frontispiece.errors import ConfigProblem, OverBudget, PictureProblem, Problem
from frontispiece.generators import Margins
from frontispiece.models import Candidate, Illustration, State
from frontispiece.wishes import Start, Wish


@pytest.fixture
def studio(tmp_path: Path, bfl: BflServer) -> Iterator[Studio]:
    with Studio(tmp_path, bfl) as made:
        yield made


def whole(studio: Studio, number: int) -> Illustration:
    with studio.house.database.read() as session:
        found = session.get(
            Illustration,
            number,
            options=[
                joinedload(Illustration.entry),
                selectinload(Illustration.candidates).joinedload(Candidate.render),
                selectinload(Illustration.renders),
            ],
        )
        assert found
        return found


def redrawn(studio: Studio, number: int, **asked: Any) -> Change:
    one = whole(studio, number)
    return changes.redrawn(studio.house, one, Asked(**asked), one.candidates[-1])


def retouched(studio: Studio, number: int, tool: Any, words: str = "", model: str = "", **given: Any) -> Change:
    one = whole(studio, number)
    return changes.retouched(studio.house, one, one.candidates[-1], tool, Asked(words, model=model), **given)


def mask(width: int = 1600, height: int = 900, box: tuple[int, int, int, int] | None = (100, 100, 500, 400)) -> bytes:
    image = Image.new("L", (width, height), 0)
    if box:
        ImageDraw.Draw(image).rectangle(box, fill=255)
    return as_png(image)


def as_png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 900 million pixels."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    made = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + made


# Drawn again


def test_nothing_asked_for_is_what_the_rule_has(studio: Studio) -> None:
    change = redrawn(studio, studio.large())
    assert (change.quote.model, change.quote.ask.task, change.quote.width, change.quote.height) == (
        "flux-2-pro", "text-to-image", 1600, 912,
    )  # fmt: skip
    assert change.quote.price == pytest.approx(0.045)


def test_a_ratio_keeps_about_as_many_pixels(studio: Studio) -> None:
    quote = redrawn(studio, studio.large(), ratio="1:1").quote
    assert (quote.width, quote.height) == (1200, 1200)


@pytest.mark.parametrize("ratio", ["16/9", "0:1", "1:0", "100:1", "a:b", "1:1:1", "１:１"])
def test_what_is_no_ratio_is_refused(studio: Studio, ratio: str) -> None:
    with pytest.raises(Problem, match="is no ratio"):
        redrawn(studio, studio.large(), ratio=ratio)


def test_a_seed_that_is_none_is_refused(studio: Studio) -> None:
    number = studio.large()
    with pytest.raises(Problem, match="from 0 to 4294967295"):
        review.regenerate(studio.house, number, "Jo", wish=Wish(seed=2**32))
    assert studio.one(number).state == State.IN_REVIEW


def test_a_model_whose_generator_is_not_set_up_is_refused(studio: Studio) -> None:
    with pytest.raises(ConfigProblem, match=r"local-klein cannot draw here: \[generators.openai\] is not"):
        redrawn(studio, studio.large(), model="local-klein")


def test_a_model_that_there_is_not_is_refused(studio: Studio) -> None:
    with pytest.raises(ConfigProblem, match="there is no model 'dall-e-3'"):
        redrawn(studio, studio.large(), model="dall-e-3")


def test_a_chosen_model_is_asked_with_the_options_that_it_takes(studio: Studio) -> None:
    number = studio.large()
    change = redrawn(studio, number, model="flux-2-flex", chips=("artificial",), seed=77)
    review.regenerate(studio.house, number, "Jo", change.prompt, change.wish)
    studio.draw()
    body: Any = studio.got().body
    assert (studio.got().model, body.guidance, body.seed) == ("flux-2-flex", 3.0, 77)


def test_the_next_model_keeps_a_ratio_that_was_asked_for(tmp_path: Path, bfl: BflServer) -> None:
    with Studio(tmp_path, bfl, {"models": ["flux-2-pro", "flux-2-klein-4b"]}) as studio:
        number = studio.large()
        bfl.misbehave("failed")
        review.regenerate(studio.house, number, "Jo", wish=Wish(ratio="1:1", by="Jo"))
        studio.draw()
        render = studio.renders(number)[-1]
    assert (render.model, render.width, render.height, render.by) == ("flux-2-klein-4b", 1200, 1200, "Jo")


# Tools


def test_words_change_the_candidate_and_leave_the_prompt(studio: Studio) -> None:
    number = studio.large()
    change = retouched(studio, number, "words", "Make it evening.")
    review.regenerate(studio.house, number, "Jo", wish=change.wish)
    studio.draw()
    body: Any = studio.got().body
    assert body.prompt == "Make it evening."
    assert (body.given()[0].size, body.width, body.height) == ((1600, 900), 1600, 912)
    assert studio.one(number).prompt == whole(studio, number).renders[0].prompt
    assert studio.renders(number)[-1].parent_id == studio.candidates(number)[0].id


def test_pictures_that_are_handed_over_are_reckoned_by_their_megapixels(studio: Studio) -> None:
    change = retouched(studio, studio.large(), "words", "Make it evening.")
    assert change.quote.price == pytest.approx(0.03 + 0.015 + 2 * 0.015)


def test_words_that_are_not_there_are_asked_for(studio: Studio) -> None:
    with pytest.raises(Problem, match="Say what shall be different"):
        retouched(studio, studio.large(), "words", "")


def test_a_region_is_painted_anew_where_the_mask_is_white(studio: Studio) -> None:
    number = studio.large()
    change = retouched(studio, number, "repaint", "A boat.", mask=mask())
    review.regenerate(studio.house, number, "Jo", wish=change.wish)
    studio.draw()
    before, after = (
        Image.open(io.BytesIO(studio.house.storage.get(c.image))).convert("RGB") for c in studio.candidates(number)[-2:]
    )
    assert (studio.got().model, after.size) == ("flux-pro-1.0-fill", (1600, 900))
    assert after.getpixel((50, 50)) == before.getpixel((50, 50))
    assert after.getpixel((300, 300)) != before.getpixel((300, 300))


def test_a_region_without_words_is_drawn_after_the_prompt(studio: Studio) -> None:
    number = studio.large()
    change = retouched(studio, number, "repaint", mask=mask())
    review.regenerate(studio.house, number, "Jo", wish=change.wish)
    assert studio.renders(number)[-1].prompt == studio.one(number).prompt


def test_margins_are_painted_around_the_picture(studio: Studio) -> None:
    number = studio.large()
    change = retouched(studio, number, "extend", margins=Margins(top=90, left=160))
    review.regenerate(studio.house, number, "Jo", wish=change.wish)
    studio.draw()
    last = studio.candidates(number)[-1]
    assert (studio.got().model, last.width, last.height) == ("flux-pro-1.0-expand", 1760, 990)


@pytest.mark.parametrize("margins", [Margins(), Margins(top=-1), Margins(left=2049)])
def test_margins_that_cannot_be_are_refused(studio: Studio, margins: Margins) -> None:
    with pytest.raises(Problem, match="of 1 to 2048 pixels"):
        retouched(studio, studio.large(), "extend", margins=margins)


def test_more_like_this_hands_the_candidate_over(studio: Studio) -> None:
    change = retouched(studio, studio.large(), "like")
    assert (change.quote.model, change.quote.ask.task) == ("flux-2-pro", "references")
    assert change.drawn.endswith(changes.LIKE)


def test_more_like_this_is_a_variation_where_the_model_knows_that(studio: Studio) -> None:
    change = retouched(studio, studio.large(), "like", model="flux-pro-1.1")
    assert (change.quote.ask.task, change.drawn) == ("variation", change.prompt)


def test_the_models_of_the_rule_come_first(tmp_path: Path, bfl: BflServer) -> None:
    with Studio(tmp_path, bfl, {"models": ["flux-pro-1.1"], "final": "flux-2-max"}) as studio:
        one = whole(studio, studio.large())
        assert next(iter(changes.able(studio.house, one, "words"))) == "flux-2-max"
        assert next(iter(changes.able(studio.house, one, "like"))) == "flux-pro-1.1"


def test_without_a_model_that_can_it_is_said_which_could(studio: Studio) -> None:
    could = changes.would(studio.house, "repaint")
    assert any("Fill" in title for title in could)
    assert len(could) >= 4


def test_a_cap_refuses_a_change_and_nothing_happens(tmp_path: Path, bfl: BflServer) -> None:
    with Studio(tmp_path, bfl, budget={"day": 0.06}) as studio:
        number = studio.large()
        change = retouched(studio, number, "words", "Make it evening.")
        with pytest.raises(OverBudget):
            review.regenerate(studio.house, number, "Jo", wish=change.wish)
        assert (studio.one(number).state, len(studio.renders(number))) == (State.IN_REVIEW, 1)


def test_what_is_left_is_the_least_of_the_caps(tmp_path: Path, bfl: BflServer) -> None:
    with Studio(tmp_path, bfl, budget={"day": 5, "month": 0.5}) as studio:
        studio.large()  # took 0.03
        with studio.house.database.read() as session:
            assert changes.left(studio.house, session) == pytest.approx(0.47)


def test_without_a_cap_nothing_is_said_to_be_left(studio: Studio) -> None:
    with studio.house.database.read() as session:
        assert changes.left(studio.house, session) is None


# Masks

START = Start(1, "renders/1", 1600, 900)


def test_a_mask_is_kept_in_the_size_of_the_picture(studio: Studio) -> None:
    key = retouch.mask(studio.house, mask(800, 450, (10, 10, 100, 100)), START)
    kept = Image.open(io.BytesIO(studio.house.storage.get(key)))
    assert (kept.size, kept.mode, set(kept.get_flattened_data())) == ((1600, 900), "L", {0, 255})


def test_the_same_mask_is_kept_once(studio: Studio) -> None:
    assert retouch.mask(studio.house, mask(), START) == retouch.mask(studio.house, mask(), START)


def test_what_is_transparent_in_a_mask_stays(studio: Studio) -> None:
    image = Image.new("RGBA", (1600, 900), (255, 255, 255, 0))
    ImageDraw.Draw(image).rectangle((100, 100, 300, 300), fill="white")
    kept = Image.open(io.BytesIO(studio.house.storage.get(retouch.mask(studio.house, as_png(image), START))))
    assert (kept.getpixel((0, 0)), kept.getpixel((200, 200))) == (0, 255)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (mask(box=None), "Nothing is marked"),
        (mask(box=(0, 0, 2, 2)), "Nothing is marked"),
        (mask(box=(0, 0, 1600, 900)), "Everything is marked"),
        (mask(900, 900), "of another shape"),
        (b"<svg></svg>", "SVG"),
        (b"", "nothing was received"),
        (mask()[:200], "cut off or damaged"),
        (b"\0" * 8_000_001, "8,000,001 bytes"),
        (bomb(), "30000 × 30000 pixels"),
    ],
    ids=["empty", "a slip", "all", "shape", "svg", "nothing", "cut off", "large", "bomb"],
)
def test_a_mask_that_cannot_be_used_is_refused_in_words(studio: Studio, data: bytes, words: str) -> None:
    with pytest.raises(PictureProblem, match=words):
        retouch.mask(studio.house, data, START)


# Pictures that people gave


def given(studio: Studio, number: int, data: bytes) -> Candidate:
    review.give(studio.house, number, "Jo", data)
    return studio.candidates(number)[-1]


def test_a_photograph_that_lies_on_its_side_is_stood_up_before_it_is_changed(studio: Studio) -> None:
    photo, exif = Image.open(io.BytesIO(picture(1, 640, 360))).convert("RGB"), Image.Exif()
    exif[0x0112] = 6  # Orientation: a quarter turn
    file = io.BytesIO()
    photo.save(file, "JPEG", exif=exif)
    begin = retouch.start(studio.house, given(studio, studio.large(), file.getvalue()))
    assert (begin.width, begin.height) == (360, 640)


def test_an_avif_is_handed_over_as_something_that_generators_read(studio: Studio) -> None:
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(1, 640, 360))).save(file, "AVIF")
    begin = retouch.start(studio.house, given(studio, studio.large(), file.getvalue()))
    assert studio.house.storage.get(begin.key).startswith(b"\x89PNG")


def test_a_huge_photograph_is_made_smaller_before_it_is_changed(studio: Studio) -> None:
    file = io.BytesIO()
    Image.new("RGB", (4000, 3000), "teal").save(file, "JPEG")
    begin = retouch.start(studio.house, given(studio, studio.large(), file.getvalue()))
    assert begin.width * begin.height <= 4 * 1024 * 1024


# Pictures of the same site


def test_a_picture_of_the_same_site_is_picked_and_stays_what_it_was(studio: Studio) -> None:
    here, there = studio.large(1), studio.large(2)
    other = studio.candidates(there)[0]
    made = changes.pick(studio.house, here, other.id)
    last = studio.candidates(here)[-1]
    assert (last.id, last.image, last.render_id, last.by) == (made, other.image, other.render_id, "")


def test_picked_twice_it_is_there_once(studio: Studio) -> None:
    here, there = studio.large(1), studio.large(2)
    other = studio.candidates(there)[0].id
    assert changes.pick(studio.house, here, other) == changes.pick(studio.house, here, other)
    assert len(studio.candidates(here)) == 2


def test_a_rejected_illustration_waits_again_with_the_picture_that_was_picked(studio: Studio) -> None:
    here, there = studio.large(1, state=State.REJECTED), studio.large(2)
    changes.pick(studio.house, here, studio.candidates(there)[0].id)
    assert studio.one(here).state == State.IN_REVIEW


def test_a_picture_of_another_site_cannot_be_picked(studio: Studio) -> None:
    here, there = studio.large(1), studio.large(2, site="shop")
    with pytest.raises(Problem, match="of this site"):
        changes.pick(studio.house, here, studio.candidates(there)[0].id)


def test_others_are_found_by_words_of_their_titles_whatever_the_case(studio: Studio) -> None:
    here, there = studio.large(1), studio.large(2)
    studio.large(3)
    with studio.house.database.read() as session:
        one = whole(studio, here)
        assert [c.illustration_id for c in changes.others(session, one, "BREAD days")] == [there]
        assert changes.others(session, one, "100%_") == []


# Words compared


def test_what_was_put_in_is_told_as_a_sentence() -> None:
    assert differences.between("One. Two.", "One. Three. Two.") == [
        Run("same", "One. "), Run("new", "Three. "), Run("same", "Two."),
    ]  # fmt: skip


def test_what_was_put_at_the_end_begins_behind_the_last_full_stop() -> None:
    runs = differences.between("One two. Three four.", "New. One two. More here. Three four. End.")
    assert [run.text for run in runs if run.kind == "new"] == ["New. ", "More here. ", "End."]


@pytest.mark.timeout(20)
def test_prompts_of_thousands_of_the_same_words_are_compared_at_once() -> None:
    runs = differences.between("ab " * 1_300, "ba ab " * 1_000)
    assert "".join(run.text for run in runs if run.kind != "gone") == "ba ab " * 1_000


def test_each_word_of_a_prompt_is_told_where_it_comes_from() -> None:
    composed = [("template", "A photograph of "), ("entry", "Night trains return"), ("template", ", taken at dusk.")]
    told = differences.origins(
        "A photograph of Night trains return, taken at dawn. All is blank.", composed, ["All is blank."]
    )
    assert [(run.kind, run.text) for run in told] == [
        ("template", "A photograph of "), ("entry", "Night trains return"), ("template", ", taken at "),
        ("person", "dawn. "), ("reason", "All is blank."),
    ]  # fmt: skip


def test_the_words_of_a_brand_are_known_in_a_composed_prompt(studio: Studio) -> None:
    one = whole(studio, studio.large())
    text = "One clear subject stands slightly off centre in a wide 16:9 frame, with calm space around it."
    kinds = {
        run.text.strip(): run.kind for run in changes.origins(studio.house, one, text, changes.about(studio.house, one))
    }
    assert kinds["wide 16:9 frame"] == "slot"


@pytest.mark.parametrize("name", ["article/hero", "product/listing", "alt/en", "alt/de"])
def test_the_pieces_of_a_prompt_are_the_prompt(name: str) -> None:
    template, told = prompts.load(name), entry(0, attributes={"Colour": "honey"}, title="A \ue000 B  <b>C</b>")
    facts = prompts.facts_of(told, prompts.brand("house"), "hero", "16:9", 1)
    assert "".join(text for _, text in pieces.of(template, facts)) == prompts.composed(template, facts).text


def test_what_a_loop_writes_comes_from_the_list_that_it_goes_through() -> None:
    template = prompts.Template(
        "a/b", "With {% for tag in entry.tags %}{{ tag | upper }}, {% endfor %}ends.", "", Path()
    )
    facts = prompts.facts_of(entry(0), prompts.brand("house"), "hero", "16:9", 0)
    assert pieces.of(template, facts)[:3] == [("template", "With "), ("entry", "CITY"), ("template", ", ")]


def test_prices_are_asked_without_ordering(studio: Studio) -> None:
    one = whole(studio, studio.large())
    assert changes.price(studio.house, one, "repaint", "flux-fill", (1600, 900)) == pytest.approx(0.05)
    assert wishes.quote(studio.house, one).price == pytest.approx(0.045)
