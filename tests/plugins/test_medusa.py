"""The Medusa adapter without a Medusa: odd bodies, and odd answers."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Delivery, Entry, Event, NotAllowed, Picture, Receipt, Unreadable

SITE = Path(__file__).parents[2] / "plugins/medusa/deliveries/site.toml"
PICTURE = Picture("frontispiece-1.webp", "image/webp", b"RIFF", 640, 360, "A chair")
BARE: dict[str, Any] = {"id": "prod_1", "thumbnail": None, "metadata": None, "images": []}


def medusa(**other: Any) -> Adapter:
    kind = cms.load("medusa")
    return kind(kind.Settings.model_validate(tomllib.loads(SITE.read_text("utf8")) | other))


def answering(adapter: Adapter, **answers: Any) -> httpx.Client:
    """A client whose Medusa answers these to a method and the first part of a path: POST_products={…}."""

    def handle(request: httpx.Request) -> httpx.Response:
        name = f"{request.method}_{request.url.path.removeprefix('/admin/').split('/')[0]}"
        return httpx.Response(200, json=answers[name]) if name in answers else httpx.Response(404)

    return adapter.open(httpx.MockTransport(handle))


def body(**fields: Any) -> Delivery:
    usual = {"event": "product.created", "product": "prod_12", "status": "published"}
    return Delivery(cms.Headers(), json.dumps(usual | fields).encode())


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"status": "draft"}, ["created"]),
        ({"status": "proposed"}, ["created"]),
        ({}, ["published"]),
        ({"event": "product.updated", "status": "draft"}, ["updated"]),
        ({"event": "product.updated"}, ["published", "updated"]),
        ({"event": "product.deleted", "status": ""}, ["deleted"]),
    ],
    ids=str,
)
def test_a_delivery_is_read_as_what_may_have_happened(fields: dict[str, Any], kinds: list[Any]) -> None:
    assert medusa().events(body(**fields)) == [Event(kind, "prod_12") for kind in kinds]


def test_the_doctor_s_test_delivery_is_a_ping() -> None:
    assert medusa().events(body(event="ping")) == [Event("ping", "")]


@pytest.mark.parametrize(
    "fields",
    [{"event": "order.placed"}, {"event": None}, {"product": 12}, {"product": ""}, {"product": "../stores"}],
    ids=str,
)
def test_a_field_that_our_plugin_never_sends_is_unreadable(fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        medusa().events(body(**fields))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"7", b'"entry"', b"\xff\xfe", b"[" * 200_000], ids=lambda text: repr(text[:9])
)
def test_a_body_that_is_no_delivery_is_unreadable(text: bytes) -> None:
    with pytest.raises(Unreadable):
        medusa().events(Delivery(cms.Headers(), text))


def test_a_page_instead_of_json_is_explained() -> None:
    adapter = medusa()
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with adapter.open(page) as api, pytest.raises(CmsProblem, match="without JSON"):
        adapter.fetch(api, "prod_1")


def test_a_key_that_was_revoked_is_about_the_credentials() -> None:
    adapter = medusa()
    revoked = httpx.MockTransport(lambda _: httpx.Response(401, json={"message": "Unauthorized"}))
    with adapter.open(revoked) as api, pytest.raises(NotAllowed):
        adapter.fetch(api, "prod_1")


def test_a_shop_without_our_plugin_is_said() -> None:
    adapter = medusa()
    with answering(adapter) as api, pytest.raises(CmsProblem, match="plugin is not in") as caught:
        adapter.connect(api, "http://frontispiece.example.org/hooks/shop")
    assert caught.value.retry is False


def test_a_picture_that_medusa_does_not_keep_on_the_product_is_noticed() -> None:
    adapter = medusa()
    answers: dict[str, Any] = {"GET_products": {"product": BARE}, "POST_products": {"product": BARE}}
    files = {"files": [{"id": "7.webp", "url": "http://shop/7.webp"}]}
    with answering(adapter, POST_uploads=files, **answers) as api, pytest.raises(CmsProblem, match="did not keep"):
        adapter.attach(api, Entry("prod_1", "product", "A chair"), PICTURE)


def test_a_revert_of_what_is_reverted_writes_nothing() -> None:
    adapter = medusa()
    there = BARE | {"thumbnail": "http://shop/old.png"}
    with answering(adapter, GET_products={"product": there}) as api:
        adapter.revert(api, "prod_1", Receipt("http://shop/7.webp", "", {"thumbnail": "http://shop/old.png"}))


def test_recent_reads_by_id_and_tells_the_oldest_change_first() -> None:
    adapter, since = medusa(), datetime(2026, 11, 21, tzinfo=UTC)

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["order"] == "id"
        number = int(request.url.params["offset"]) // 100
        product = {"id": f"p{number}", "thumbnail": None, "status": "draft", "updated_at": f"2026-11-2{9 - number}"}
        return httpx.Response(200, json={"products": [product], "count": 201})

    with adapter.open(httpx.MockTransport(answer)) as api:
        assert list(adapter.recent(api, since)) == [Event("created", ref) for ref in ("p2", "p1", "p0")]
