"""The Strapi adapter without a Strapi: captured deliveries, odd bodies, odd answers, settings that cannot be meant."""

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from servers.recorder import parse

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Conflict, Current, Delivery, Entry, Event, Picture, Unreadable

Strapi = cms.load("strapi")
DELIVERIES = Path(__file__).parents[2] / "plugins/strapi/deliveries"
KEYS = tomllib.loads((DELIVERIES / "site.toml").read_text())
BOATS = "article/bwof4aja28jd5n00ezj6i67o"
CAPTURED = {
    "test": Event("ping", ""),
    "created": Event("created", BOATS, "en"),
    "created-in-french": Event("created", BOATS, "fr"),
    "created-without-drafts": Event("published", "product/xk3m24e7aywqy2x70yls8hx9"),
    "updated": Event("updated", BOATS, "en"),
    "published": Event("published", BOATS, "en"),
    "deleted": Event("deleted", BOATS, "en"),
}
FIELDS = {"documentId": "abc", "updatedAt": "2026-11-21T08:00:00.000Z", "locale": None, "title": "Boats", "cover": None}
FILE = {"id": 7, "name": "a.webp", "url": "/uploads/a.webp", "width": 1, "alternativeText": "A boat", "caption": ""}
PICTURE = Picture("a.webp", "image/webp", b"picture", 1, 1, "A boat")


def made(**other: Any) -> Adapter:
    return Strapi(Strapi.Settings.model_validate({**KEYS, **other}))


def body(**fields: Any) -> Delivery:
    entry = {"documentId": "abc", "locale": "en", **fields.pop("entry", {})}
    usual = {"event": "entry.publish", "uid": "api::article.article", "entry": entry}
    return Delivery(cms.Headers(), json.dumps(usual | fields).encode())


def answering(draft: Mapping[str, Any] | None, put: Mapping[str, Any] | None = None) -> httpx.MockTransport:
    """A Strapi that keeps this one draft and a file, and answers a write with `put`."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/api/upload"):
            return httpx.Response(200, json=[FILE])
        if request.method == "PUT":
            return httpx.Response(200, json={"data": put})
        if draft is None or request.url.params.get("status") == "published":
            return httpx.Response(404, text="Not Found")
        return httpx.Response(200, json={"data": draft})

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("name", CAPTURED)
def test_a_captured_delivery_says_what_its_file_is_called_after(name: str) -> None:
    request = parse((DELIVERIES / f"{name}.http").read_bytes())
    assert made().events(Delivery(request.headers, request.body)) == [CAPTURED[name]]


def test_a_type_that_the_settings_do_not_name_is_not_for_us() -> None:
    assert made().events(body(uid="api::page.page")) == []


def test_a_type_of_a_plugin_of_the_same_name_is_not_for_us() -> None:
    assert made().events(body(uid="plugin::blog.article")) == []


@pytest.mark.parametrize(
    "event", ["media.create", "media.delete", "releases.publish", "review-workflows.updateEntryStage"]
)
def test_an_event_that_is_no_entry_s_is_not_for_us(event: str) -> None:
    assert made().events(body(event=event)) == []


def test_a_type_with_a_name_of_its_own_in_strapi_is_known_by_its_uid() -> None:
    blog = made(types={"post": {"uid": "api::blog.post"}})
    assert blog.events(body(uid="api::blog.post")) == [Event("published", "post/abc", "en")]


@pytest.mark.parametrize(
    "fields",
    [
        {"entry": {"documentId": "../users"}},
        {"entry": {"documentId": "abc?locale=fr"}},
        {"entry": {"documentId": ""}},
        {"entry": {"documentId": 12}},
        {"entry": {"documentId": None}},
        {"entry": {"locale": "en&status=published"}},
        {"entry": {"locale": ["en"]}},
        {"event": ["entry.publish"]},
        {"uid": None, "event": {}},
    ],
    ids=str,
)
def test_a_field_that_strapi_never_sends_is_unreadable(fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        made().events(body(**fields))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'"entry"', b"\xff\xfe", b"[" * 200_000])
def test_a_body_that_is_no_delivery_is_unreadable(text: bytes) -> None:
    with pytest.raises(Unreadable):
        made().events(Delivery(cms.Headers(), text))


@pytest.mark.parametrize(
    "types", [{}, {"../admin": {}}, {"article": {"plural": "a/../b"}}, {"article": {"image": "cover][x"}}], ids=str
)
def test_types_that_cannot_become_an_address_are_refused(types: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        made(types=types)


@pytest.mark.parametrize("ref", ["article/../users", "article/", "article/a/b", "page/abc"])
def test_a_ref_that_is_not_ours_is_never_asked_for(ref: str) -> None:
    with made().open(answering(None)) as api, pytest.raises(CmsProblem, match="is no entry of a type"):
        made().fetch(api, ref)


def test_a_field_that_is_not_there_is_named() -> None:
    bare = {name: value for name, value in FIELDS.items() if name != "cover"}
    with made().open(answering(bare)) as api, pytest.raises(CmsProblem, match="'cover' is no media field"):
        made().fetch(api, "article/abc")


def test_a_field_for_several_files_is_named_and_not_written() -> None:
    with made().open(answering(FIELDS | {"cover": []})) as api, pytest.raises(CmsProblem, match="for one file"):
        made().fetch(api, "article/abc")


def test_an_entry_without_a_text_has_an_empty_one() -> None:
    with made().open(answering(FIELDS | {"title": None, "tags": None})) as api:
        entry = made().fetch(api, "article/abc")
    assert (entry.title, entry.tags, entry.body, entry.opted_out) == ("", (), "", False)


def test_a_file_at_another_host_keeps_its_address() -> None:
    far = FILE | {"url": "https://files.example.org/a.webp"}
    with made().open(answering(FIELDS | {"cover": far})) as api:
        image = made().fetch(api, "article/abc").image
    assert image is not None
    assert image.url == "https://files.example.org/a.webp"


def test_the_public_address_is_filled_in_and_escaped() -> None:
    site = made(types={"article": {"url": "https://example.org/{locale}/{section.slug}/{slug}"}})
    facts = {"slug": "a/b c", "section": {"slug": "sea"}, "locale": "fr"}
    with site.open(answering(FIELDS | facts)) as api:
        assert site.fetch(api, "article/abc", "fr").url == "https://example.org/fr/sea/a%2Fb%20c"


def test_a_write_that_strapi_did_not_keep_is_noticed() -> None:
    with made().open(answering(FIELDS, FIELDS)) as api:
        entry = made().fetch(api, "article/abc")
        with pytest.raises(CmsProblem, match="kept the image None when 7 was set"):
            made().attach(api, entry, PICTURE)


def test_nothing_is_uploaded_for_an_entry_that_lost_its_image_meanwhile() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(200, json=[] if request.url.path.startswith("/api/upload") else {"data": FIELDS})

    entry = Entry("article/abc", "article", "Boats", image=Current("5"))
    with made().open(httpx.MockTransport(answer)) as api, pytest.raises(Conflict, match="has another image by now"):
        made().attach(api, entry, PICTURE)
    assert set(asked) == {"GET"}


def test_a_page_instead_of_json_is_explained() -> None:
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>Soon</html>"))
    with made().open(page) as api, pytest.raises(CmsProblem, match="without JSON"):
        made().fetch(api, "article/abc")


def test_without_an_admin_token_connect_says_what_to_do_by_hand() -> None:
    with made().open(answering(None)) as api, pytest.raises(CmsProblem, match=r"Settings > Webhooks.*hooks/blog"):
        made().connect(api, "https://frontispiece.example.org/hooks/blog")


def test_recent_asks_for_an_order_in_which_no_two_entries_are_equal() -> None:
    asked: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.add(request.url.params["sort"])
        rows = [FIELDS] if request.url.params["status"] == "draft" else []
        return httpx.Response(200, json={"data": rows, "meta": {"pagination": {"pageCount": 1}}})

    with made().open(httpx.MockTransport(answer)) as api:
        assert list(made().recent(api, datetime(2026, 11, 21, tzinfo=UTC)))
    assert asked == {"updatedAt:asc,id:asc"}
