"""The Wagtail adapter without a Wagtail: odd bodies and odd answers."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Entry, Event, Gone, Headers, Picture, Unreadable

Wagtail = cms.load("wagtail")
SITE = tomllib.loads((Path(__file__).parents[2] / "plugins/wagtail/deliveries/site.toml").read_text("utf8"))
PAGE = {
    "id": 12,
    "type": "blog.ArticlePage",
    "locale": "de",
    "live": True,
    "version": None,
    "url": "",
    "edit_url": "http://127.0.0.1:8000/admin/pages/12/edit/",
    "image": {"id": "5", "url": "http://127.0.0.1:8000/media/x.webp", "alt": "Described"},
    "fields": {"title": "Sea"},
}


@pytest.fixture
def adapter() -> Adapter:
    return Wagtail(Wagtail.Settings.model_validate(SITE))


def body(**fields: Any) -> Delivery:
    usual = {"event": "entry.published", "type": "blog.ArticlePage", "id": 12}
    return Delivery(Headers(), json.dumps(usual | fields).encode())


def answering(adapter: Adapter, status: int, told: Any) -> httpx.Client:
    return adapter.open(httpx.MockTransport(lambda _: httpx.Response(status, json=told)))


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "12"},
        {"id": 0},
        {"id": True},
        {"id": None},
        {"type": "ArticlePage"},
        {"type": "../x.y"},
        {"type": "blög.Page"},
        {"type": None},
        {"event": "entry.x"},
    ],
    ids=str,
)
def test_what_our_app_never_sends_is_unreadable(adapter: Adapter, fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        adapter.events(body(**fields))


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"7", b"\xff", b"{}", b"[" * 200_000], ids=lambda text: text[:4])
def test_a_body_that_is_no_delivery_is_unreadable(adapter: Adapter, text: bytes) -> None:
    with pytest.raises(Unreadable):
        adapter.events(Delivery(Headers(), text))


def test_a_page_type_that_wants_no_pictures_is_no_event(adapter: Adapter) -> None:
    assert adapter.events(body(type="blog.IndexPage")) == []
    assert adapter.events(body()) == [Event("published", "blog.ArticlePage/12")]


def test_a_page_has_its_own_locale(adapter: Adapter) -> None:
    with answering(adapter, 200, PAGE) as api:
        assert adapter.fetch(api, "blog.ArticlePage/12", "en").locale == "de"


def test_alt_text_of_the_page_goes_before_the_image_s_description() -> None:
    fields = {"blog.ArticlePage": {"image": "hero_image", "alt": "hero_alt"}}
    adapter = Wagtail(Wagtail.Settings.model_validate(SITE | {"types": fields}))
    page = PAGE | {"fields": {"title": "Sea", "hero_alt": "The page's own"}}
    with answering(adapter, 200, page) as api:
        image = adapter.fetch(api, "blog.ArticlePage/12").image
    assert image is not None
    assert image.alt == "The page's own"


def test_a_page_of_another_type_is_not_the_one_that_was_meant(adapter: Adapter) -> None:
    with answering(adapter, 200, PAGE | {"type": "blog.IndexPage"}) as api, pytest.raises(Gone, match="IndexPage"):
        adapter.fetch(api, "blog.ArticlePage/12")


def test_a_conflict_is_said_in_wagtail_s_own_words(adapter: Adapter) -> None:
    entry, shown = Entry("blog.ArticlePage/12", "article", "Sea"), Picture("x.webp", "image/webp", b"", 1, 1, "")
    with answering(adapter, 409, {"detail": "page 12 is locked"}) as api, pytest.raises(Conflict, match="12 is locked"):
        adapter.attach(api, entry, shown)


def test_an_entry_that_the_settings_do_not_name_gets_no_picture(adapter: Adapter) -> None:
    shown = Picture("x.jpg", "image/jpeg", b"", 1, 1, "")
    with answering(adapter, 200, PAGE) as api:
        entry = adapter.fetch(api, "blog.IndexPage/1")
        assert entry.opted_out
        with pytest.raises(CmsProblem, match=r'no table types\."blog\.IndexPage"'):
            adapter.attach(api, entry, shown)


def test_recent_reads_page_by_page(adapter: Adapter) -> None:
    pages = {"0": ([1, 3], 100), "100": ([101], 2), "102": ([], 0)}

    def answer(request: httpx.Request) -> httpx.Response:
        found, read = pages[request.url.params["offset"]]
        return httpx.Response(200, json={"pages": [{"id": one, "live": False} for one in found], "read": read})

    with adapter.open(httpx.MockTransport(answer)) as api:
        refs = [event.ref for event in adapter.recent(api, datetime(2026, 11, 21, tzinfo=UTC))]
    assert refs == ["blog.ArticlePage/1", "blog.ArticlePage/3", "blog.ArticlePage/101"]
