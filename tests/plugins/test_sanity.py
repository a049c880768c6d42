"""The Sanity adapter without a Sanity: odd bodies, odd headers, odd answers."""

import json
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from frontispiece import cms
from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Delivery,
    Entry,
    Event,
    Gone,
    Headers,
    Picture,
    Refused,
    Unavailable,
    Unreadable,
)

Sanity = cms.load("sanity")
SITE = tomllib.loads((Path(__file__).parents[2] / "plugins/sanity/deliveries/site.toml").read_text("utf8"))


def adapter(**other: Any) -> Adapter:
    return Sanity(Sanity.Settings.model_validate({**SITE, **other}))


def told(operation: str | None = "create", headers: dict[str, str] | None = None, **fields: Any) -> Delivery:
    body = {"_id": "abc", "_type": "post", "_rev": "r1"} | ({"operation": operation} if operation else {}) | fields
    return Delivery(Headers((headers or {}).items()), json.dumps(body).encode())


def answering(status: int, text: str) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, text=text))


@pytest.mark.parametrize(("operation", "kind"), [("create", "published"), ("update", "updated"), ("delete", "deleted")])
def test_what_became_of_a_public_document(operation: str, kind: Any) -> None:
    assert adapter().events(told(operation)) == [Event(kind, "abc")]


def test_a_webhook_made_by_hand_without_projection_tells_the_operation_in_a_header() -> None:
    assert adapter().events(told(None, {"sanity-operation": "update"})) == [Event("updated", "abc")]


def test_a_draft_has_the_ref_of_its_entry() -> None:
    assert adapter().events(told("create", _id="drafts.abc")) == [Event("created", "abc")]


def test_a_draft_that_is_discarded_or_published_deletes_no_entry() -> None:
    assert adapter().events(told("delete", _id="drafts.abc")) == []


@pytest.mark.parametrize(
    "fields", [{"_id": "versions.r1.abc"}, {"_type": "author"}, {"_rev": "frontispiece-1f"}], ids=str
)
def test_a_release_another_type_and_our_own_write_are_not_for_us(fields: dict[str, Any]) -> None:
    assert adapter().events(told("update", **fields)) == []


def test_a_document_that_we_wrote_last_can_be_deleted() -> None:
    assert adapter().events(told("delete", _rev="frontispiece-1f")) == [Event("deleted", "abc")]


@pytest.mark.parametrize("number", ["", ".", "a/b", "a b", "a" * 129, 'a"', "ä"])
def test_an_id_that_sanity_never_gives_is_unreadable(number: str) -> None:
    with pytest.raises(Unreadable):
        adapter().events(told(_id=number))


def test_a_body_of_brackets_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        adapter().events(Delivery(Headers(), b"[" * 200_000))


@pytest.mark.parametrize(
    "header",
    [
        "v1=abc",
        "t=1795229587123",
        "t=1795229587123,v1=short",
        "t=1795229587123,v1=" + "+" * 43,
        "t=1795229587123,v1=" + "A" * 43 + "=",
        "t=x,v1=" + "A" * 43,
        "t=1795229587123,v1=" + "A" * 43,
    ],
)
def test_another_form_of_signature_is_refused(header: str) -> None:
    delivery = Delivery(Headers([("sanity-webhook-signature", header)]), b"{}", received=1795229587)
    with pytest.raises(Refused):
        adapter().verify(delivery)


@pytest.mark.parametrize("key", ["project", "dataset"])
def test_what_becomes_part_of_an_address_is_checked_in_the_settings(key: str) -> None:
    with pytest.raises(ValueError, match=key):
        adapter(**{key: "../users"})


def test_a_document_that_is_not_there_is_gone() -> None:
    with adapter().open(answering(200, '{"result": []}')) as api, pytest.raises(Gone):
        adapter().fetch(api, "abc")


def test_a_document_of_another_type_is_left_alone() -> None:
    result = '{"result": [{"_id": "abc", "_type": "author", "_rev": "1"}]}'
    with adapter().open(answering(200, result)) as api:
        assert adapter().fetch(api, "abc").opted_out
        with pytest.raises(CmsProblem, match="of the type author"):
            adapter().attach(api, Entry("abc", "article", "x"), Picture("a.webp", "image/webp", b"", 1, 1, ""))


def test_a_ref_that_is_none_is_never_asked_for() -> None:
    with adapter().open(answering(500, "")) as api, pytest.raises(Unreadable):
        adapter().fetch(api, "../abc")


def test_a_lake_that_is_busy_is_asked_again() -> None:
    with adapter().open(answering(429, "slow down")) as api, pytest.raises(Unavailable):
        adapter().fetch(api, "abc")
