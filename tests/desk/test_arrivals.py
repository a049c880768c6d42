"""A delivery as a person may see it: what proves who sent it is masked, and its bytes are text that can do nothing."""

import json

import pytest

from frontispiece.web.lead import arrivals

PROOFS = (
    *("webhook-signature", "x-wc-webhook-signature", "x-shopify-hmac-sha256", "x-contentful-webhook-token"),
    *("x-directus-secret", "authorization", "x-api-key", "cookie", "digest"),
)


@pytest.mark.parametrize("name", PROOFS)
def test_what_proves_who_sent_it_is_masked(name: str) -> None:
    assert arrivals.headers(json.dumps([[name, "sha256=0123"]]), []) == [(name, arrivals.MASK)]


def test_other_headers_are_shown_as_they_came() -> None:
    assert arrivals.headers('[["content-type", "text/plain"]]', ["whsec_x"]) == [("content-type", "text/plain")]


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"", "none", ""),
        (b'{"a":[1,"\xc3\xbc"]}', "json", '{\n  "a": [\n    1,\n    "ü"\n  ]\n}'),
        (b"a=1&b=2", "text", "a=1&b=2"),
        (b"a\r\n\0b\x1b[31m\xe2\x80\xae", "text", "a\n⟨U+0000⟩b⟨U+001B⟩[31m⟨U+202E⟩"),
        (b"[" * 100_000, "text", "[" * arrivals.MOST),
        (b"9" * 5000, "text", "9" * 5000),
    ],
)
def test_a_body_is_shown_as_text_that_can_do_nothing(data: bytes, kind: str, text: str) -> None:
    found = arrivals.body(data, [])
    assert (found.kind, found.text, found.size) == (kind, text, len(data))


def test_bytes_that_are_no_text_are_shown_as_numbers() -> None:
    found = arrivals.body(b"\xff\xd8 JFIF" + bytes(600), [])
    assert (found.kind, found.more) == ("bytes", 607 - arrivals.SHOWN_BYTES)
    assert found.text.splitlines()[0] == "0000  ff d8 20 4a 46 49 46 00 00 00 00 00 00 00 00 00  ·· JFIF·········"


def test_of_a_long_body_the_start_is_shown_and_how_much_is_left() -> None:
    found = arrivals.body(b'"' + b"x" * 4_000_000 + b'"', [])
    assert (len(found.text), found.more) == (arrivals.MOST, 4_000_002 - arrivals.MOST)
