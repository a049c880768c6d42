"""Reasons change the next prompt in a fixed way: the same for the same, once for twice, whatever their order."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from frontispiece import lint, prompts, reasons
from frontispiece.cms import Entry
from frontispiece.errors import ConfigProblem, Problem
from frontispiece.generators import Margins, catalogue
from frontispiece.reasons import About
from frontispiece.wishes import Start, Wish

MODELS = catalogue.load()
ARTICLE = Entry("posts/1", "article", "Night trains return", tags=("trains", "coast"), excerpt="Two sleepers a week.")
STOOL = Entry("p/7", "product", "Milking stool Alm", attributes={"Colour": "honey"})
HERO = prompts.compose(prompts.load("article/hero"), ARTICLE, prompts.brand("house")).text
ALL = ["text", "subject", "brand", "artificial", "product", "crop"]


def about(entry: Entry = ARTICLE, *models: str, **more: Any) -> About:
    rows = {name: MODELS[name] for name in models or ("flux-2-pro",)}
    return About(entry, prompts.brand("house"), "hero", "16:9", rows, **more)


def worded(prompt: str, *picked: str, of: About | None = None) -> str:
    return reasons.changed(prompt, picked, of or about())[0]


def wished(*picked: str, of: About) -> Wish:
    return reasons.changed(HERO, picked, of)[1]


def own(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (folder / "reasons.toml").write_text(text, "utf8")
    monkeypatch.setenv("FRONTISPIECE_TEMPLATES", str(folder))


def test_there_are_the_six_that_editors_ask_for() -> None:
    assert list(reasons.titles()) == ALL


def test_each_title_is_said_in_words() -> None:
    assert reasons.titles()["artificial"] == "Looks artificial"


@pytest.mark.parametrize("name", ALL)
def test_the_words_of_every_reason_pass_the_lint_of_templates(name: str) -> None:
    reason = reasons.load()[name]
    assert [lint.lint(part) for part in (reason.first, reason.second, reason.last)] == [[], [], []]


@pytest.mark.parametrize("name", ALL)
def test_the_same_again_changes_nothing_more(name: str) -> None:
    once = worded(HERO, name, of=about(STOOL))
    assert worded(once, name, of=about(STOOL)) == once


def test_the_order_of_reasons_changes_nothing() -> None:
    every = {worded(HERO, *order, of=about(STOOL)) for order in itertools.permutations(ALL)}
    assert len(every) == 1


@pytest.mark.parametrize(
    "prompt", [HERO, "A lamp in fog", "One.\nTwo. \n\nThree", "Dr. Who sits", "雨が降る。街。", 'A "B" c']
)
def test_one_after_the_other_is_the_same_as_both_at_once(prompt: str) -> None:
    for first, second in itertools.permutations(ALL, 2):
        assert worded(worded(prompt, first), second) == worded(prompt, first, second)


def test_without_a_reason_a_prompt_stays_as_it_is() -> None:
    assert reasons.changed("  as typed ", [], about()) == ("  as typed ", Wish())


def test_a_reason_that_there_is_not_is_told() -> None:
    with pytest.raises(Problem, match="There is no reason 'ugly'; there are: text, subject"):
        worded(HERO, "ugly")


# What each does


def test_text_takes_out_what_is_quoted_with_the_words_that_lead_to_it() -> None:
    made = worded('A board that reads "OPEN" hangs by the door. A mug with the words “Good day” stands there.', "text")
    assert made.startswith("A board hangs by the door. Every wall")
    assert made.endswith("A mug stands there.")


@pytest.mark.parametrize("quoted", ['"OPEN"', "“OPEN”", "„OPEN“", "«OPEN»", "»OPEN«", "‘OPEN’", "'OPEN'", "「OPEN」"])
def test_text_knows_the_quotation_marks_of_many_languages(quoted: str) -> None:
    assert "OPEN" not in worded(f"A sign {quoted} over a door.", "text")


def test_text_leaves_apostrophes_and_inches_alone() -> None:
    kept = "The keeper's dog and the sailors' cat before a 32\" and a 40\" screen."
    assert worded(kept, "text").startswith(kept)


def test_text_leaves_the_lettering_of_a_product_alone() -> None:
    assert "Around the product every wall" in worded(HERO, "text", of=about(STOOL))


def test_subject_puts_the_title_before_everything_else() -> None:
    start = "The one main subject, large and recognisable at first glance: Night trains return. Around it stands only"
    assert worded(HERO, "subject").startswith(start)


def test_brand_says_colours_light_camera_and_look_again() -> None:
    house, made = prompts.brand("house"), worded("A lamp.", "brand")
    assert "deep blue hex #1f3a4d, orange hex #e2724a" in made
    assert all(words in made for words in (house.light, house.camera, house.look))


def test_artificial_asks_for_available_light_and_real_surfaces() -> None:
    assert "in the light that was there, with real surfaces up close" in worded(HERO, "artificial")


def test_artificial_lowers_the_guidance_where_the_model_has_it() -> None:
    assert wished("artificial", of=about(ARTICLE, "flux-2-flex")).options == {"guidance": 3.0}
    assert wished("artificial", of=about(ARTICLE, "flux-2-pro")).options == {}


def test_artificial_starts_from_the_guidance_of_the_rule_and_stays_within_what_the_model_takes() -> None:
    assert wished("artificial", of=about(ARTICLE, "flux-2-flex", options={"guidance": 9})).options == {"guidance": 5.4}
    assert wished("artificial", of=about(ARTICLE, "flux-2-flex", options={"guidance": 2.0})).options == {
        "guidance": 1.5
    }


def test_artificial_leaves_guidance_alone_where_it_cannot_be_lower() -> None:
    assert wished("artificial", of=about(ARTICLE, "diffusers-klein-4b")).options == {}


def test_product_draws_from_as_many_photographs_as_the_model_takes() -> None:
    wish = wished("product", of=about(STOOL, "flux-2-pro", photos=("photos/a", "photos/b")))
    assert (wish.model, wish.ask and wish.ask.task, wish.ask and wish.ask.given) == (
        "flux-2-pro", "references", ("photos/a", "photos/b"),
    )  # fmt: skip


def test_product_takes_another_of_the_rules_models_where_the_first_knows_no_pictures() -> None:
    wish = wished("product", of=about(STOOL, "flux-pro-1.1", "flux-2-klein-4b", photos=("photos/a",)))
    assert wish.model == "flux-2-klein-4b"


def test_product_edits_a_photograph_where_no_model_draws_after_several() -> None:
    wish = wished("product", of=about(STOOL, "fal-flux-kontext-pro", photos=("photos/a", "photos/b")))
    assert wish.ask is not None
    assert (wish.ask.task, wish.ask.given) == ("edit", ("photos/a",))


def test_product_without_photographs_says_how_it_is_sold() -> None:
    made, wish = reasons.changed(HERO, ["product"], about(STOOL))
    assert made.startswith("The product is made exactly as it is sold: Milking stool Alm, colour honey.")
    assert wish == Wish()


def test_product_is_said_of_products_only() -> None:
    assert "product" not in reasons.offered("article")
    assert worded(HERO, "product", of=about(ARTICLE)) == HERO


def test_crop_asks_for_room_around_the_subject() -> None:
    assert "The whole subject is inside the wide 16:9 frame" in worded(HERO, "crop")


def test_crop_alone_paints_around_the_picture_where_a_model_of_the_rule_can() -> None:
    start = Start(5, "renders/1", 1600, 900)
    wish = wished("crop", of=about(ARTICLE, "flux-2-pro", "flux-expand", start=start))
    assert wish.ask is not None
    assert (wish.model, wish.ask.task, wish.ask.given) == ("flux-expand", "expand", ("renders/1",))
    assert (wish.ask.margins, wish.size, wish.parent) == (Margins(135, 240, 135, 240), (2080, 1170), 5)


def test_crop_with_another_reason_draws_anew() -> None:
    known = about(ARTICLE, "flux-2-pro", "flux-expand", start=Start(5, "renders/1", 1600, 900))
    assert wished("crop", "text", of=known).ask is None


# What stands in the prompt already


def test_a_prompt_tells_which_reasons_it_carries() -> None:
    assert reasons.said_in(worded(HERO, "text", "brand"), about()) == {"text", "brand"}


def test_template_syntax_in_an_entry_is_text() -> None:
    known = about(replace(ARTICLE, title="{{ 7 * 7 }} {% for x in y %}"))
    assert "{{ 7 * 7 }} {% for x in y %}" in worded(HERO, "subject", of=known)


def test_template_syntax_in_a_prompt_is_text() -> None:
    assert worded("{{ brand.light }} {% if x %}", "text").startswith("{{ brand.light }} {% if x %}.")


# An operator's own


def test_the_operators_own_stand_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(
        tmp_path,
        monkeypatch,
        '[dull]\ntitle = "Too dull"\nlast = "Strong colours of {{ brand.main }} fill the picture."',
    )
    assert worded("A lamp.", "dull") == "A lamp. Strong colours of deep blue hex #1f3a4d fill the picture."
    assert reasons.titles() == {"dull": "Too dull"}


def test_painting_around_is_for_a_reason_alone_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(
        tmp_path,
        monkeypatch,
        '[tight]\ntitle = "Tight"\nexpand = 0.2\n[dull]\ntitle = "Dull"\nlast = "Strong colours."',
    )
    known = about(ARTICLE, "flux-expand", start=Start(5, "renders/1", 1600, 900))
    assert wished("tight", of=known).size == (2240, 1260)
    assert wished("tight", "dull", of=known).ask is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[a]\ntitle = "A"\nlast = "There is no text."', r"\[a\] last: line 1: “no text”: Flux paints what is named"),
        ('[a]\ntitle = "A"\nlast = "A beautiful light."', "“beautiful”: says nothing that can be seen"),
        ('[a]\ntitle = "A"\nlast = "{{ entry.__class__ }}"', "entry has no"),
        ('[a]\ntitle = "A"\nlust = "x"', "lust: Extra inputs are not permitted"),
        ('["A b"]\ntitle = "A"', "a name has small letters"),
        ("[a", "reasons.toml"),
    ],
)
def test_an_operators_mistake_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
    own(tmp_path, monkeypatch, text)
    with pytest.raises(ConfigProblem, match=words):
        reasons.load()


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own(tmp_path, monkeypatch, '[dull]\ntitle = "Too dull"')
    assert reasons.titles() == {"dull": "Too dull"}
    own(tmp_path, monkeypatch, '[dull]\ntitle = "Much too dull"')
    assert reasons.titles() == {"dull": "Much too dull"}
