"""The Vendure adapter without a Vendure: odd bodies, and odd answers of its GraphQL."""

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
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
    NotAllowed,
    Picture,
    Receipt,
    Unavailable,
    Unreadable,
)

SITE = Path(__file__).parents[2] / "plugins/vendure/deliveries/site.toml"
PICTURE = Picture("frontispiece-1.webp", "image/webp", b"RIFF", 640, 360, "A chair")


def vendure(**other: Any) -> Adapter:
    kind = cms.load("vendure")
    return kind(kind.Settings.model_validate(tomllib.loads(SITE.read_text("utf8")) | other))


def answering(adapter: Adapter, answer: Callable[[str], Any]) -> httpx.Client:
    """A client whose Vendure answers each query with what the function makes of it."""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answer(request.content.decode(errors="replace")))

    return adapter.open(httpx.MockTransport(handle))


def failing(code: str | None) -> Callable[[str], Any]:
    extensions = {"extensions": {"code": code}} if code else {}
    return lambda _: {"errors": [{"message": "It went wrong", **extensions}], "data": None}


def body(**fields: Any) -> Delivery:
    return Delivery(cms.Headers(), json.dumps({"event": "entry.published", "product": "12"} | fields).encode())


def test_a_delivery_names_its_product() -> None:
    assert vendure().events(body()) == [Event("published", "12")]


def test_a_product_may_have_a_uuid() -> None:
    number = "6f1c1f6e-4f5b-4c55-9f0c-0b8f5d2f8a11"
    assert vendure().events(body(product=number)) == [Event("published", number)]


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "entry.exploded"},
        {"event": None},
        {"event": []},
        {"product": 12},
        {"product": ""},
        {"product": "../1"},
    ],
    ids=str,
)
def test_a_field_that_our_plugin_never_sends_is_unreadable(fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        vendure().events(body(**fields))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"7", b'"entry"', b"\xff\xfe", b"[" * 200_000], ids=lambda text: repr(text[:9])
)
def test_a_body_that_is_no_delivery_is_unreadable(text: bytes) -> None:
    with pytest.raises(Unreadable):
        vendure().events(Delivery(cms.Headers(), text))


def test_a_200_that_forbids_is_about_the_credentials() -> None:
    adapter = vendure()
    with answering(adapter, failing("FORBIDDEN")) as api, pytest.raises(NotAllowed, match="api_key"):
        adapter.fetch(api, "1")


@pytest.mark.parametrize("code", [None, "INTERNAL_SERVER_ERROR"])
def test_a_200_with_an_error_of_no_kind_may_pass(code: str | None) -> None:
    adapter = vendure()
    with answering(adapter, failing(code)) as api, pytest.raises(Unavailable):
        adapter.fetch(api, "1")


def test_a_200_with_an_error_of_a_known_kind_is_final() -> None:
    adapter = vendure()
    with answering(adapter, failing("USER_INPUT_ERROR")) as api, pytest.raises(CmsProblem) as caught:
        adapter.fetch(api, "1")
    assert caught.value.retry is False


def test_a_product_that_vendure_does_not_know_is_gone() -> None:
    adapter = vendure()
    with answering(adapter, lambda _: {"data": {"product": None}}) as api, pytest.raises(Gone):
        adapter.fetch(api, "1")


def test_a_page_instead_of_json_is_explained() -> None:
    adapter = vendure()
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with adapter.open(page) as api, pytest.raises(CmsProblem, match="without JSON"):
        adapter.fetch(api, "1")


def shop(uploaded: Any, written: Any = None) -> Callable[[str], Any]:
    """A shop with one bare product, which answers these to an upload and to the write of the product."""
    bare: dict[str, Any] = {"featuredAsset": None, "assets": []}

    def answer(query: str) -> Any:
        if "createAssets" in query:
            return uploaded
        known = {"updateProduct": written, "updateAsset": {"id": "7"}, "deleteAsset": {"result": "DELETED"}}
        known |= {"assets": {"items": []}, "product": bare}
        return {"data": known}

    return answer


@pytest.mark.parametrize(
    "uploaded",
    [
        {"data": {"createAssets": [{"errorCode": "MIME_TYPE_ERROR", "message": "not permitted"}]}},
        {"data": {"createAssets": [{"id": "7", "source": "x", "width": 0, "height": 0}]}},
        {"errors": [{"message": "pngload_buffer: end of stream"}], "data": None},
    ],
    ids=["a type that is not permitted", "a size of nothing", "an error without a code"],
)
def test_a_picture_that_vendure_does_not_take_is_final(uploaded: Any) -> None:
    adapter = vendure()
    with answering(adapter, shop(uploaded)) as api, pytest.raises(CmsProblem) as caught:
        adapter.attach(api, Entry("1", "product", "A chair"), PICTURE)
    assert caught.value.retry is False


def test_a_picture_that_vendure_does_not_keep_on_the_product_is_noticed() -> None:
    adapter = vendure()
    uploaded = {"data": {"createAssets": [{"id": "7", "source": "x", "width": 640, "height": 360}]}}
    forgetful = shop(uploaded, {"featuredAsset": None, "assets": []})
    with answering(adapter, forgetful) as api, pytest.raises(CmsProblem, match="did not keep"):
        adapter.attach(api, Entry("1", "product", "A chair"), PICTURE)


def test_the_channel_and_the_language_are_asked_for() -> None:
    adapter, asked = vendure(channel_token="token-of-a-channel"), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.headers["vendure-token"], request.url.params["languageCode"]))
        return httpx.Response(404)

    with adapter.open(httpx.MockTransport(answer)) as api, pytest.raises(Gone):
        adapter.fetch(api, "1", "pt-BR")
    assert asked == [("token-of-a-channel", "pt_BR")]


def test_a_revert_of_what_is_reverted_writes_nothing() -> None:
    adapter = vendure()
    known = {"data": {"product": {"featuredAsset": {"id": "3"}, "assets": [{"id": "3"}]}}}
    with answering(adapter, lambda query: known if "mutation" not in query else {}) as api:
        adapter.revert(api, "1", Receipt("7", "x", {"featuredAssetId": "3"}))


def test_recent_reads_by_id_and_tells_the_oldest_change_first() -> None:
    adapter, since = vendure(), datetime(2026, 11, 21, tzinfo=UTC)

    def answer(asked: str) -> Any:
        options = json.loads(asked)["variables"]["options"]
        assert options["sort"] == {"id": "ASC"}
        number = options["skip"] // 100
        product = {"id": f"{number}", "enabled": False, "featuredAsset": None, "updatedAt": f"2026-11-2{9 - number}"}
        return {"data": {"products": {"totalItems": 201, "items": [product]}}}

    with answering(adapter, answer) as api:
        assert list(adapter.recent(api, since)) == [Event("created", ref) for ref in ("2", "1", "0")]
