"""The django-oscar adapter without a shop: odd bodies, odd answers, limits."""

import json
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.recorder import parse

from frontispiece import cms
from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Delivery,
    Entry,
    Event,
    NotAllowed,
    Picture,
    Receipt,
    Unreadable,
)

Oscar = cms.load("oscar")
DELIVERIES = Path(__file__).parents[2] / "plugins/oscar/deliveries"
PICTURE = Picture("frontispiece-1.webp", "image/webp", b"bytes", 640, 360, alt="A boat")
ENTRY = Entry(ref="7", kind="product", title="A day at sea")


@pytest.fixture
def adapter() -> Adapter:
    return Oscar(Oscar.Settings.model_validate(tomllib.loads((DELIVERIES / "site.toml").read_text("utf8"))))


def body(**fields: Any) -> Delivery:
    usual = {"event": "product.published", "id": 7, "title": "A day at sea", "is_public": True}
    return Delivery(cms.Headers(), json.dumps(usual | fields).encode())


def product(*images: int) -> dict[str, Any]:
    shown = [{"id": number, "code": "", "caption": "", "url": f"http://shop/{number}.png"} for number in images]
    facts = {"title": "A day at sea", "description": "", "summary": "", "categories": [], "is_public": True, "url": ""}
    return facts | {
        "edit_url": "", "date_updated": "", "images": shown, "opted_out": False, "product_class": "", "attributes": {},
    }  # fmt: skip


def answering(adapter: Adapter, *answers: httpx.Response) -> httpx.Client:
    """A shop that gives these answers, one after the other."""
    left = iter(answers)
    return adapter.open(httpx.MockTransport(lambda _: next(left)))


@pytest.mark.parametrize("kind", ["created", "published", "updated", "deleted"])
def test_a_captured_delivery_says_what_its_file_is_called_after(adapter: Adapter, kind: Any) -> None:
    request = parse((DELIVERIES / f"{kind}.http").read_bytes())
    assert adapter.events(Delivery(request.headers, request.body)) == [Event(kind, "1")]


def test_the_captured_ping_is_a_ping(adapter: Adapter) -> None:
    request = parse((DELIVERIES / "ping.http").read_bytes())
    assert adapter.events(Delivery(request.headers, request.body)) == [Event("ping", "")]


def test_an_event_of_a_later_app_is_not_for_us(adapter: Adapter) -> None:
    assert adapter.events(body(event="product.reviewed")) == []


@pytest.mark.parametrize("number", ["7", "../users", 0, -1, True, None, 1.5, [7]], ids=str)
def test_an_id_that_no_product_has_is_unreadable(adapter: Adapter, number: Any) -> None:
    with pytest.raises(Unreadable):
        adapter.events(body(id=number))


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"{}", b'{"event": []}', b"\xff", b"[" * 200_000],
    ids=lambda text: repr(text[:9]),
)
def test_a_body_that_is_no_delivery_is_unreadable(adapter: Adapter, text: bytes) -> None:
    with pytest.raises(Unreadable):
        adapter.events(Delivery(cms.Headers(), text))


def test_alt_text_is_cut_to_200_characters_after_a_whole_word(adapter: Adapter) -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        form = request.read().decode()
        sent.append(form.split('name="caption"\r\n\r\n')[1].split("\r\n")[0])
        code = form.split('name="code"\r\n\r\n')[1].split("\r\n")[0]
        return httpx.Response(200, json={"id": 1, "code": code, "caption": sent[0], "url": "", "previous": ""})

    alt = "boats " * 50
    with adapter.open(httpx.MockTransport(answer)) as api:
        adapter.attach(api, ENTRY, Picture("a.webp", "image/webp", b"bytes", 1, 1, alt=alt))
    assert sent == ["boats " * 32 + "boats…"]


def test_a_409_of_the_shop_is_a_conflict(adapter: Adapter) -> None:
    said = httpx.Response(409, json={"detail": "the first image is 9 by now, and none was expected"})
    with answering(adapter, said) as api, pytest.raises(Conflict, match="is 9 by now"):
        adapter.attach(api, ENTRY, PICTURE)


def test_a_caption_that_the_shop_changed_is_said(adapter: Adapter) -> None:
    kept = httpx.Response(200, json={"id": 1, "code": "other", "caption": "A boat", "url": "", "previous": ""})
    with answering(adapter, kept) as api, pytest.raises(CmsProblem, match="instead of our picture"):
        adapter.attach(api, ENTRY, PICTURE)


def test_a_revert_that_was_done_already_writes_nothing(adapter: Adapter) -> None:
    with answering(adapter, httpx.Response(200, json=product(3))) as api:
        adapter.revert(api, "7", Receipt("9", "", {"id": "3"}))


def test_a_revert_leaves_the_photograph_that_was_added_behind_ours(adapter: Adapter) -> None:
    answers = httpx.Response(200, json=product(5, 9)), httpx.Response(204), httpx.Response(200, json=product(9))
    adapter.revert(answering(adapter, *answers), "7", Receipt("5", "", {"id": ""}))


def test_a_revert_that_cannot_bring_back_what_was_deleted_is_said(adapter: Adapter) -> None:
    answers = httpx.Response(200, json=product(9)), httpx.Response(204), httpx.Response(200, json=product())
    with answering(adapter, *answers) as api, pytest.raises(CmsProblem, match="shows image none and not 3"):
        adapter.revert(api, "7", Receipt("9", "", {"id": "3"}))


def test_a_refused_token_is_not_allowed(adapter: Adapter) -> None:
    with answering(adapter, httpx.Response(401, json={"detail": "Invalid token."})) as api, pytest.raises(NotAllowed):
        adapter.fetch(api, "7")


def test_a_page_instead_of_json_is_explained(adapter: Adapter) -> None:
    said = httpx.Response(200, text="<html>Coming soon</html>")
    with answering(adapter, said) as api, pytest.raises(CmsProblem, match="without JSON"):
        adapter.fetch(api, "7")


def test_a_ping_that_came_to_nothing_is_said_in_the_shop_s_words(adapter: Adapter) -> None:
    told = {"intact": True, "hook": "https://here/hooks/shop", "answer": "URLError: Connection refused"}
    with (
        answering(adapter, httpx.Response(200, json=told)) as api,
        pytest.raises(CmsProblem, match="Connection refused"),
    ):
        adapter.doctor(api)
