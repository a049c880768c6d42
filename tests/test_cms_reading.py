"""What adapters share to read bodies, fields and names."""

import json
from dataclasses import replace

import pytest

from frontispiece.cms import TEST_PICTURE, Unreadable, dig, dig_all, fill, prose, reading, texts

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


@pytest.mark.parametrize("wrong", ["{", "[]", '{"id": {}}'])
def test_whatever_is_wrong_with_a_body_is_told_in_words(wrong: str) -> None:
    with pytest.raises(Unreadable, match="it sends no such body"), reading("it sends no such body"):
        json.loads(wrong)["id"].upper()


def test_the_same_bytes_have_the_same_name_and_no_others() -> None:
    other = replace(TEST_PICTURE, data=TEST_PICTURE.data + b"!")
    names = [TEST_PICTURE.stable_name, replace(TEST_PICTURE, alt="?").stable_name, other.stable_name]
    assert (names[0] == names[1], names[0] == names[2]) == (True, False)
