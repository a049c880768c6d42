"""Odd bodies and odd answers met by the Directus adapter; tests/real/test_directus.py asks a real Directus."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Delivery,
    Event,
    Headers,
    Receipt,
    Refused,
    Unavailable,
    Unreadable,
    load,
)

SECRET = "whsec_ZnJvbnRpc3BpZWNlIHRlc3Qgc2VjcmV0LCAzMiBieS4="
TYPES: Mapping[str, Any] = {
    "articles": {"image": "hero", "body": "text", "tags": "tags.tags_id.name", "url": "https://example.org/{slug}"},
    "lamps": {"kind": "product", "key": "number", "status": "", "title": "name"},
}
JWT = Headers([("Content-Type", "application/jwt")])
ARTICLE: Mapping[str, Any] = {"id": "a1", "status": "draft", "title": "Boats", "hero": None}


def adapter(**other: Any) -> Adapter:
    kind = load("directus")
    facts = {"plugin": "directus", "url": "https://cms.example.org", "webhook_secret": SECRET, "token": "t"}
    return kind(kind.Settings.model_validate({**facts, "types": TYPES, **other}))


def part(said: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def delivery(said: object, secret: str = SECRET) -> Delivery:
    """Signed as RFC 7519 says."""
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(said)}"
    signature = base64.urlsafe_b64encode(hmac.digest(secret.encode(), signed.encode(), "sha256")).decode()
    return Delivery(JWT, f"{signed}.{signature.rstrip('=')}".encode())


def events(body: object) -> list[Event]:
    return adapter().events(delivery(body))


def answering(data: object, status: int = 200) -> httpx.Client:
    """A Directus that answers everything with this."""
    return adapter().open(httpx.MockTransport(lambda _: httpx.Response(status, json={"data": data})))


def test_one_change_made_twice_is_two_deliveries() -> None:
    """As told a second apart: equal bytes would count as one delivery sent again."""
    first, second = (
        adapter().verify(delivery({"event": "x", "iat": stamp})) for stamp in (1_800_000_000, 1_800_000_001)
    )
    assert first != second


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + "x", SECRET.lower(), "ä"])
def test_another_secret_is_refused(secret: str) -> None:
    with pytest.raises(Refused):
        adapter().verify(delivery({"event": "x"}, secret))


def test_what_says_that_it_needs_no_signature_is_refused() -> None:
    unsigned = ".".join(map(part, ({"alg": "none"}, {"event": "x"}))) + "."
    with pytest.raises(Refused):
        adapter().verify(Delivery(JWT, unsigned.encode()))


@pytest.mark.parametrize("spoil", [bytes.upper, bytes.lower, lambda body: body + b"=", lambda body: b"x" + body])
def test_a_spoilt_token_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    sent = delivery({"event": "x"})
    with pytest.raises(Refused):
        adapter().verify(replace(sent, body=spoil(sent.body)))


@pytest.mark.parametrize("body", [b"", b".", b"..", b"\xff.\xff.\xff", b"{}"])
def test_what_is_no_token_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        adapter().verify(Delivery(JWT, body))


@pytest.mark.parametrize(
    ("what", "status", "kind"),
    [
        ("create", "draft", "created"),
        ("create", "published", "published"),
        ("update", "undefined", "updated"),
        ("update", "draft", "updated"),
        ("update", "published", "published"),
        ("update", "archived", "deleted"),
        ("delete", "undefined", "deleted"),
    ],
)
def test_what_happened_follows_from_event_and_status(what: str, status: str, kind: Any) -> None:
    body = {"event": f"articles.items.{what}", "key": "a1", "keys": "undefined", "status": {"status": status}}
    assert events(body) == [Event(kind, "articles/a1")]


def test_an_item_of_a_collection_without_states_is_public_at_once() -> None:
    assert events({"event": "lamps.items.create", "key": 7, "status": {}}) == [Event("published", "lamps/7")]


@pytest.mark.parametrize("event", ["pages.items.create", "articles.items.sort", "articles.items.promote", "x"])
def test_what_the_settings_do_not_name_is_passed_over(event: str) -> None:
    assert events({"event": event, "key": "a1", "status": {}}) == []


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        "text",
        {},
        {"event": 7},
        {"event": "articles.items.create"},
        {"event": "articles.items.create", "key": "undefined", "keys": "undefined", "status": {}},
        {"event": "articles.items.create", "key": True, "status": {}},
        {"event": "articles.items.create", "key": None, "status": {}},
        {"event": "articles.items.create", "key": "a\n1", "status": {}},
        {"event": "articles.items.create", "key": "", "status": {}},
        {"event": "articles.items.update", "keys": [{"id": 1}], "status": {}},
        {"event": "articles.items.update", "keys": ["a1"], "status": "draft"},
    ],
)
def test_a_body_that_our_flow_does_not_make_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        events(body)


def test_a_body_nested_without_end_is_unreadable() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 99_999)
    with pytest.raises(Unreadable):
        adapter().events(Delivery(JWT, b"e30." + deep + b".x"))


def test_a_key_of_any_text_never_becomes_part_of_an_address() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"data": [ARTICLE]})

    with adapter().open(httpx.MockTransport(answer)) as api:
        adapter().fetch(api, "articles/../../users/me?x=1")
    assert asked[0].url.path == "/items/articles"
    assert json.loads(asked[0].url.params["filter"]) == {"id": {"_eq": "../../users/me?x=1"}}


def test_an_entry_of_a_collection_that_is_not_ours_is_not_asked_for() -> None:
    with answering([ARTICLE]) as api, pytest.raises(CmsProblem, match="does not name"):
        adapter().fetch(api, "directus_users/1")


def test_texts_of_other_items_are_followed_through_lists() -> None:
    tags = [
        {"tags_id": {"name": "sea"}},
        {"tags_id": None},
        {"tags_id": {"name": "sea"}},
        {"tags_id": {"name": "wind"}},
    ]
    with answering([{**ARTICLE, "tags": tags}]) as api:
        assert adapter().fetch(api, "articles/a1").tags == ("sea", "wind")


@pytest.mark.parametrize(
    "text",
    [
        "<p>Boats &amp; sea</p><p>Wind</p>",
        {"blocks": [{"type": "paragraph", "data": {"text": "Boats &amp; sea"}}, {"data": {"text": "<b>Wind</b>"}}]},
    ],
    ids=["HTML", "the block editor"],
)
def test_rich_text_is_read_as_plain_text(text: object) -> None:
    with answering([{**ARTICLE, "text": text}]) as api:
        assert adapter().fetch(api, "articles/a1").body == "Boats & sea\nWind"


def test_a_title_is_no_html() -> None:
    with answering([{**ARTICLE, "title": "Is 1 <b or not?"}]) as api:
        assert adapter().fetch(api, "articles/a1").title == "Is 1 <b or not?"


def test_a_field_of_several_files_is_refused_in_words() -> None:
    with answering([{**ARTICLE, "hero": [{"id": "f1"}]}]) as api, pytest.raises(CmsProblem, match="several files"):
        adapter().fetch(api, "articles/a1")


def test_a_picture_in_a_field_that_the_settings_name_no_more_is_not_reverted() -> None:
    receipt = Receipt("f1", "", {"cover": None})
    with answering([{**ARTICLE, "hero": {"id": "f1"}}]) as api, pytest.raises(Conflict, match="another field"):
        adapter().revert(api, "articles/a1", receipt)


def test_a_directus_that_is_away_is_not_taken_for_a_wrong_token_by_connect() -> None:
    with answering(None, 503) as api, pytest.raises(Unavailable):
        adapter().connect(api, "https://frontispiece.example.org/hooks/cms")


def test_a_singleton_is_refused_in_words() -> None:
    with answering(ARTICLE) as api, pytest.raises(CmsProblem, match="articles is a singleton"):
        adapter().fetch(api, "articles/a1")


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json={"id": 1})])
def test_an_answer_that_is_not_directus_s_is_said(answer: httpx.Response) -> None:
    with adapter().open(httpx.MockTransport(lambda _: answer)) as api, pytest.raises(CmsProblem, match="url"):
        adapter().fetch(api, "articles/a1")


def test_recent_is_oldest_first_by_whichever_time_is_later() -> None:
    found = [
        {"id": "b", "status": "draft", "date_created": "2026-01-02T00:00:00", "date_updated": "2026-01-09T00:00:00"},
        {"id": "a", "status": "published", "date_created": "2026-01-03T00:00:00", "date_updated": None},
    ]
    only = adapter(types={"articles": TYPES["articles"]})
    with answering(found) as api:
        told = list(only.recent(api, datetime(2026, 1, 1, tzinfo=UTC)))
    assert told == [Event("published", "articles/a"), Event("created", "articles/b")]


def test_a_collection_without_times_is_never_looked_through() -> None:
    only = adapter(types={"lamps": {**TYPES["lamps"], "created": "", "updated": ""}})
    with answering([{"number": 1}]) as api:
        assert list(only.recent(api, datetime(2026, 1, 1, tzinfo=UTC))) == []


def test_translations_without_locales_are_refused() -> None:
    with pytest.raises(ValueError, match="needs locales"):
        adapter(types={"articles": {"translations": "translations"}})


def test_the_language_of_a_translation_may_be_told_by_a_path() -> None:
    rows = [{"id": 1, "languages_id": {"code": "de"}, "title": "Boote"}, {"id": 2, "languages_id": None}]
    kind = {"translations": "texts", "language": "languages_id.code", "title": "texts.title"}
    with answering([{**ARTICLE, "image": None, "texts": rows}]) as api:
        entry = adapter(locales=["en", "de"], types={"articles": kind}).fetch(api, "articles/a1")
    assert (entry.locale, entry.title, entry.titles) == ("de", "Boote", {"de": "Boote"})


def test_an_item_without_any_translation_is_read() -> None:
    kind = {"translations": "texts", "title": "texts.title"}
    with answering([{**ARTICLE, "image": None, "texts": []}]) as api:
        entry = adapter(locales=["en"], types={"articles": kind}).fetch(api, "articles/a1")
    assert (entry.locale, entry.title, entry.titles) == ("en", "", {})


def test_a_translation_that_directus_did_not_change_is_noticed() -> None:
    before = {"hero": None, "texts": {"create": [], "update": [{"id": 1, "alt": "Old"}], "delete": []}}
    item = {**ARTICLE, "hero": {"id": "f1"}, "texts": [{"id": 1, "languages_code": "en", "alt": "New"}]}
    kind = {"image": "hero", "translations": "texts", "alt": "texts.alt"}

    def answer(request: httpx.Request) -> httpx.Response:
        kept = {"hero": None, "texts": [{"id": 1, "alt": "New"}]} if request.method == "PATCH" else item
        return httpx.Response(200, json={"data": [kept]})

    told = adapter(locales=["en"], types={"articles": kind})
    with told.open(httpx.MockTransport(answer)) as api, pytest.raises(CmsProblem, match="kept"):
        told.revert(api, "articles/a1", Receipt("f1", "", before))


def test_settings_without_a_collection_are_refused() -> None:
    with pytest.raises(ValueError, match="types"):
        adapter(types={})
