"""The Payload adapter without a Payload: odd bodies and odd answers."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Delivery, Event, Headers, Picture, Unreadable

Payload = cms.load("payload")
SITE = tomllib.loads((Path(__file__).parents[2] / "plugins/payload/deliveries/site.toml").read_text("utf8"))


@pytest.fixture
def adapter() -> Adapter:
    return Payload(Payload.Settings.model_validate(SITE))


def body(**fields: Any) -> Delivery:
    usual = {"event": "entry.published", "collection": "articles", "id": 12, "locale": "en"}
    return Delivery(Headers(), json.dumps(usual | fields).encode())


def answering(adapter: Adapter, **answers: Any) -> httpx.Client:
    """A Payload that answers by the last part of the path; who we are it knows."""
    known = {"me": {"user": {"id": 1}}, **answers}

    def answer(request: httpx.Request) -> httpx.Response:
        found = known.get(request.url.path.rpartition("/")[2])
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)

    return adapter.open(httpx.MockTransport(answer))


@pytest.mark.parametrize("number", [12, "65f1a0c2b7e4d90012345678", "0d9f1c52-7f0e-4b53-9f4b-1c2d3e4f5a6b"])
def test_ids_are_numbers_or_text(adapter: Adapter, number: int | str) -> None:
    assert adapter.events(body(id=number)) == [Event("published", f"articles/{number}", "en")]


@pytest.mark.parametrize(
    "fields",
    [{"id": "../users/1"}, {"id": ""}, {"id": True}, {"id": None}, {"collection": "a/b"}, {"event": "entry.x"}],
    ids=str,
)
def test_what_our_hooks_never_send_is_unreadable(adapter: Adapter, fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        adapter.events(body(**fields))


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"7", b"\xff", b"{}", b"[" * 200_000], ids=lambda text: text[:4])
def test_a_body_that_is_no_delivery_is_unreadable(adapter: Adapter, text: bytes) -> None:
    with pytest.raises(Unreadable):
        adapter.events(Delivery(Headers(), text))


def test_a_collection_that_wants_no_pictures_is_no_event(adapter: Adapter) -> None:
    assert adapter.events(body(collection="users")) == []


@pytest.mark.parametrize("locale", ["xx", "", None])
def test_a_locale_that_the_site_does_not_name_is_left_out(adapter: Adapter, locale: str | None) -> None:
    assert adapter.events(body(locale=locale)) == [Event("published", "articles/12", "")]


def test_a_relation_that_was_unfolded_is_called_by_its_name() -> None:
    fields = {"section": "desk", "author": "writer", "tags": "tags", "url": "", "title": "about.title"}
    kind = Payload(Payload.Settings.model_validate(SITE | {"types": {"articles": fields}}))
    doc = {"id": 1, "about": {"title": "Sea"}, "desk": {"id": 2, "name": "News"}, "writer": {"id": 3, "email": "a@b.c"}}
    with answering(kind, **{"1": doc | {"tags": [{"title": "boats"}, "wind"]}}) as api:
        entry = kind.fetch(api, "articles/1")
    assert (entry.title, entry.section, entry.author, entry.tags) == ("Sea", "News", "", ("boats", "wind"))


def test_an_image_that_we_may_not_read_is_an_image_all_the_same(adapter: Adapter) -> None:
    with answering(adapter, **{"1": {"id": 1, "title": "Sea", "hero": 5}}) as api:
        image = adapter.fetch(api, "articles/1").image
    assert image is not None
    assert image.id == "5"


def test_an_entry_that_the_settings_do_not_name_gets_no_picture(adapter: Adapter) -> None:
    shown = Picture("x.jpg", "image/jpeg", b"", 1, 1, "")
    with answering(adapter) as api:
        entry = adapter.fetch(api, "pages/1")
        assert entry.opted_out
        with pytest.raises(CmsProblem, match=r"no table types\.pages"):
            adapter.attach(api, entry, shown)


def test_a_payload_without_our_plugin_is_explained(adapter: Adapter) -> None:
    every = dict.fromkeys(("read", "create", "update"), True)
    media = {"id": 1, "url": "/api/media/file/x.jpg", "filename": "x.jpg"}
    answers = {"access": {"collections": {"articles": every, "media": every}}, "articles": {}, "media": {"doc": media}}
    with answering(adapter, **answers) as api, pytest.raises(CmsProblem, match="not among the `plugins`"):
        adapter.doctor(api)


def test_the_key_is_shown_to_the_cms_alone(adapter: Adapter) -> None:
    """Where the pictures are kept by another host, the doctor looks at them without it."""
    asked: list[httpx.Request] = []
    every = {name: dict.fromkeys(("read", "create", "update"), True) for name in ("articles", "media")}
    media = {"doc": {"id": 1, "url": "https://pictures.example.net/x.jpg", "filename": "x.jpg"}}
    answers = {"me": {"user": {"id": 1}}, "access": {"collections": every}, "media": media, "articles": {}}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        told = answers.get(request.url.path.rpartition("/")[2], {"hook": "http://h", "status": 202, "words": ""})
        return httpx.Response(200, json=told)

    with adapter.open(httpx.MockTransport(answer)) as api:
        adapter.doctor(api)
    assert [one.url.host for one in asked if "Authorization" not in one.headers] == ["pictures.example.net"]


def test_recent_asks_for_an_order_in_which_no_two_documents_are_equal(adapter: Adapter) -> None:
    asked: list[str | None] = []
    with answering(adapter, articles={"docs": [], "nextPage": None}) as api:
        api.event_hooks = {"request": [lambda request: asked.append(request.url.params.get("sort"))]}
        list(adapter.recent(api, datetime(2026, 11, 21, tzinfo=UTC)))
    assert asked == [None, "updatedAt,id"]  # first it asks who we are
