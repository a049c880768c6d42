"""Which entry gets a picture."""

from dataclasses import replace
from typing import Any

import pytest

from frontispiece.cms import Current, Entry
from frontispiece.rules import refusal, wanting
from frontispiece.tables import Rule

ENTRY = Entry(ref="1", kind="article", title="A title", section="City", tags=("Harbour",))


def rule(**keys: Any) -> Rule:
    return Rule(name="articles", site="blog", **keys)


def test_a_rule_hears_its_own_events_at_its_own_site() -> None:
    rules = [rule(), rule(events=["created"]), Rule(name="other", site="shop")]

    assert wanting(rules, "blog", "published") == [rules[0]]


def test_an_article_without_an_image_is_wanted() -> None:
    assert refusal(rule(), ENTRY) == ""


@pytest.mark.parametrize(
    ("change", "keys", "words"),
    [
        ({"kind": "product"}, {}, "it is no article"),
        ({"image": Current("7")}, {}, "it has an image already"),
        ({"opted_out": True}, {}, "pictures are switched off for this entry"),
        ({"tags": ("No-Image",)}, {}, "it is tagged no-image"),
        ({"title": " "}, {}, "it has no title yet"),
        ({}, {"sections": ["Culture"]}, "the section City is not one of the rule's"),
    ],
)
def test_what_is_not_wanted_is_told_in_words(change: dict[str, Any], keys: dict[str, Any], words: str) -> None:
    assert refusal(rule(**keys), replace(ENTRY, **change)) == words


def test_a_section_matches_in_any_case() -> None:
    assert refusal(rule(sections=["city"]), ENTRY) == ""


def test_one_of_several_sections_is_enough() -> None:
    assert refusal(rule(sections=["Travel"]), replace(ENTRY, section="Animals", sections=("Animals", "Travel"))) == ""


def test_a_rule_may_say_that_an_image_is_replaced() -> None:
    assert refusal(rule(replace=True), replace(ENTRY, image=Current("7"))) == ""
