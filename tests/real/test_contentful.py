"""Signed requests, held against Contentful's own JavaScript in both directions."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from servers.contentful import SECRET, sign
from servers.contentful_node import signed, verified
from servers.recorder import parse

from frontispiece import cms
from frontispiece.cms import Adapter, Delivery, Headers, Refused

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

DELIVERIES = Path(__file__).parents[2] / "plugins/contentful/deliveries"
STAMP = 1795229587123
BODY = '{"sys":{"id":"1"},"fields":{"title":{"en-US":"Zwölf Boote 🚢 & <em>ein</em>\\r\\n"}}}'
HEADERS = {"X-Contentful-Topic": "ContentManagement.Entry.publish", "X-Spaced": "  two words  ", "X-Empty": ""}


def adapter(**other: Any) -> Adapter:
    kind = cms.load("contentful")
    site = tomllib.loads((DELIVERIES / "site.toml").read_text("utf8"))
    return kind(kind.Settings.model_validate({**site, **other}))


def by_contentful(path: str = "/hooks/blog", body: str = BODY, headers: dict[str, str] = HEADERS) -> Delivery:
    """A delivery that Contentful's own library has signed."""
    request = {"method": "POST", "path": path, "headers": headers, "body": body}
    sent = headers | signed(SECRET, request, STAMP)
    return Delivery(Headers(sent.items()), body.encode(), path, STAMP / 1000)


@pytest.mark.parametrize("body", [BODY, "", "[]", '{"a": 12345678901234567890}'])
def test_what_contentful_signs_is_authentic(body: str) -> None:
    assert adapter().verify(by_contentful(body=body)) == ""


@pytest.mark.parametrize(
    "path", ["/hooks/blog?a=1&b=two words", "/hooks/ü/blog", "/hooks/blog?key=ä%20b?c", "/hooks/a b!'()*~"]
)
def test_a_path_is_encoded_as_contentful_encodes_it(path: str) -> None:
    adapter().verify(by_contentful(path))


def test_the_path_that_contentful_called_may_be_another_than_ours() -> None:
    asked = by_contentful("/frontispiece/hooks/blog")
    moved = Delivery(asked.headers, asked.body, "/hooks/blog", asked.received)
    assert adapter(hook_path="/frontispiece/hooks/blog").verify(moved) == ""
    with pytest.raises(Refused):
        adapter().verify(moved)


def test_headers_that_nobody_signed_are_left_out() -> None:
    asked = by_contentful()
    more = Headers([*asked.headers.pairs, ("x-forwarded-for", "192.0.2.1")])
    adapter().verify(Delivery(more, asked.body, asked.path, asked.received))


def test_the_two_headers_that_are_always_signed_need_not_be_named() -> None:
    asked = by_contentful()
    fewer = dict(asked.headers.pairs) | {"x-contentful-signed-headers": "x-contentful-topic,x-empty,x-spaced"}
    adapter().verify(Delivery(Headers(fewer.items()), asked.body, asked.path, asked.received))
    assert verified(SECRET, {"method": "POST", "path": asked.path, "headers": fewer, "body": BODY})


def test_a_signed_header_that_was_changed_is_refused() -> None:
    asked = by_contentful()
    other = [(name, value.replace("publish", "delete")) for name, value in asked.headers.pairs]
    with pytest.raises(Refused):
        adapter().verify(Delivery(Headers(other), asked.body, asked.path, asked.received))


def test_contentful_accepts_what_our_stand_in_signs() -> None:
    headers = sign(SECRET, "/hooks/blog", {"X-Contentful-Topic": "t"}, BODY.encode(), STAMP)
    request: dict[str, Any] = {"method": "POST", "path": "/hooks/blog", "headers": headers, "body": BODY}
    assert verified(SECRET, request)
    assert not verified(SECRET, request | {"body": BODY + " "})


@pytest.mark.parametrize("path", sorted(DELIVERIES.glob("*.http")), ids=lambda path: path.stem)
def test_contentful_accepts_the_deliveries_beside_the_plugin(path: Path) -> None:
    sent = parse(path.read_bytes())
    headers = dict(sent.headers.pairs)
    request = {"method": sent.method, "path": sent.path, "headers": headers, "body": sent.body.decode()}
    assert verified(SECRET, request)
