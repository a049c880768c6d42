"""What adapters share to read bodies, fields and names."""

import json
from dataclasses import replace

import pytest

from frontispiece.cms import (
    TEST_PICTURE,
    Conflict,
    Current,
    Unreadable,
    dig,
    dig_all,
    fill,
    prose,
    reading,
    shortened,
    texts,
    unchanged,
    whole_number,
)

POST = {
    "slug": "a day/at sea",
    "author": {"name": "Ada"},
    "tags": [{"tag": {"name": "boats"}}, {"tag": {"name": "harbour"}}, {"tag": {"name": "boats"}}],
    "views": 12,
    "body": [{"type": "p", "children": [{"text": "Waves."}]}, {"type": "p", "children": [{"text": "Gulls."}]}],
}


def test_a_path_leads_through_objects() -> None:
    assert dig(POST, "author.name") == "Ada"


def test_a_path_that_ends_early_leads_nowhere() -> None:
    assert (dig(POST, "author.mail.host"), dig_all(POST, "author.mail.host"), dig_all(POST, "")) == (None, [], [])


def test_texts_are_found_through_lists_and_each_once() -> None:
    assert texts(POST, "tags.tag.name") == ("boats", "harbour")


def test_an_object_stands_for_its_name() -> None:
    assert texts(POST, "author") == ("Ada",)


def test_a_number_is_a_text() -> None:
    assert texts(POST, "views") == ("12",)


def test_a_rich_text_is_read_block_by_block() -> None:
    assert prose(POST, "body") == "Waves.\nGulls."


def test_an_address_is_filled_and_encoded() -> None:
    assert fill("https://example.org/{author.name}/{slug}", POST) == "https://example.org/Ada/a%20day%2Fat%20sea"


def test_signs_that_are_safe_in_an_address_stay() -> None:
    assert fill("https://example.org/{main-path}", {"main-path": "news/a b"}, safe="/") == (
        "https://example.org/news/a%20b"
    )


@pytest.mark.parametrize("wrong", [0, -1, 1.0, True, "1", "1/../2", None])
def test_an_id_that_is_no_whole_number_never_becomes_part_of_an_address(wrong: object) -> None:
    with pytest.raises(ValueError, match="an id is"):
        whole_number(wrong)


def test_a_whole_number_becomes_text() -> None:
    assert whole_number(12) == "12"


@pytest.mark.parametrize(("most", "cut"), [(14, "Waves and gull"), (13, "Waves and…"), (9, "Waves…")])
def test_words_are_cut_between_words(most: int, cut: str) -> None:
    assert shortened("Waves and gull", most) == cut


@pytest.mark.parametrize(("now", "wanted"), [(None, "7"), (Current("8", "https://example.org/8.jpg"), "7")])
def test_an_image_that_is_not_the_one_wanted_is_a_conflict(now: Current | None, wanted: str) -> None:
    with pytest.raises(Conflict, match="post 3 has another image by now"):
        unchanged("post 3", now, wanted)


@pytest.mark.parametrize(("now", "wanted"), [(None, ""), (Current("7"), "7")])
def test_the_image_that_is_wanted_may_be_written_over(now: Current | None, wanted: str) -> None:
    unchanged("post 3", now, wanted)


@pytest.mark.parametrize("wrong", ["{", "[]", '{"id": {}}'])
def test_whatever_is_wrong_with_a_body_is_told_in_words(wrong: str) -> None:
    with pytest.raises(Unreadable, match="it sends no such body"), reading("it sends no such body"):
        json.loads(wrong)["id"].upper()


def test_the_same_bytes_have_the_same_name_and_no_others() -> None:
    other = replace(TEST_PICTURE, data=TEST_PICTURE.data + b"!")
    names = [TEST_PICTURE.stable_name, replace(TEST_PICTURE, alt="?").stable_name, other.stable_name]
    assert (names[0] == names[1], names[0] == names[2]) == (True, False)
