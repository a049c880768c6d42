"""The BigCommerce adapter: what proves a delivery, the gallery around our picture, and `connect` (the stand-in's)."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from adapters import Meanwhile
from servers.bigcommerce import CLIENT_SECRET, Server
from servers.site import SECRET
from standardwebhooks import Webhook

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Event, Picture, Refused, Unavailable, Unreadable

DRAWING = Picture("mug-1-2.jpeg", "image/jpeg", b"\xff\xd8\xff a drawing", 1600, 900, "A blue mug")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.stop()


def delivery(key: bytes = CLIENT_SECRET.encode(), shown: str = SECRET, body: bytes = b"{}") -> Delivery:
    """Signed with this key, and showing this secret."""
    now = datetime.now(UTC)
    headers = [("webhook-id", "msg_1"), ("webhook-timestamp", str(int(now.timestamp())))]
    headers += [("webhook-signature", Webhook(key).sign("msg_1", now, body.decode())), ("X-Frontispiece-Secret", shown)]
    return Delivery(cms.Headers(headers), body)


def told(scope: str, number: Any) -> Delivery:
    return Delivery(cms.Headers(), json.dumps({"scope": scope, "data": {"type": "product", "id": number}}).encode())


def test_the_key_is_the_client_secret_s_own_text(adapter: Adapter) -> None:
    assert adapter.verify(delivery()) == "msg_1"


def test_a_key_decoded_from_the_client_secret_is_another_one(adapter: Adapter) -> None:
    with pytest.raises(Refused):
        adapter.verify(delivery(base64.b64decode(CLIENT_SECRET)))


def test_a_changed_body_is_refused_where_the_client_secret_is_known(adapter: Adapter) -> None:
    with pytest.raises(Refused):
        adapter.verify(replace(delivery(), body=b"[]"))


def test_a_signature_without_the_secret_header_is_refused(adapter: Adapter) -> None:
    with pytest.raises(Refused):
        adapter.verify(delivery(shown="another"))


def test_without_the_client_secret_the_secret_header_suffices(site: Server) -> None:
    shown = Delivery(cms.Headers([("X-Frontispiece-Secret", SECRET)]), b"{}")
    assert site.adapter(client_secret=None).verify(shown) == ""


@pytest.mark.parametrize("scope", ["store/product/inventory/updated", "store/order/created", ""])
def test_another_scope_is_not_for_us(adapter: Adapter, scope: str) -> None:
    assert adapter.events(told(scope, 5)) == []


@pytest.mark.parametrize("number", ["5", 0, True, None, 5.0, "../orders"], ids=repr)
def test_a_product_number_that_is_none_is_unreadable(adapter: Adapter, number: Any) -> None:
    with pytest.raises(Unreadable):
        adapter.events(told("store/product/created", number))


def test_a_product_has_its_categories_keywords_and_photographs(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("published")
    site.set_image(ref, b"\x89PNG theirs")
    entry = adapter.fetch(api, ref)
    assert (entry.kind, entry.sections, entry.tags, len(entry.photos)) == (
        "product",
        ("Seascapes",),
        ("sea", "wind"),
        1,
    )


def test_the_merchant_s_photographs_stay_behind_our_picture(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    for _ in range(2):
        site.set_image(ref, b"\x89PNG theirs")
    theirs = [image["sort_order"] for image in site.products[int(ref)]["images"]]
    adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    images = site.products[int(ref)]["images"]
    assert [image["sort_order"] for image in images[:2]] == theirs
    assert images[2]["sort_order"] < min(theirs)


def test_a_photograph_that_is_set_during_the_upload_keeps_its_place(site: Server, adapter: Adapter) -> None:
    ref = site.create("published")
    faster = Meanwhile("POST", f"/products/{ref}/images", lambda: site.set_image(ref, b"\xff\xd8\xff theirs"))
    with adapter.open(faster) as api, pytest.raises(Conflict):
        adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert (len(site.image(ref)) > 0, site.pictures()) == (True, 1)


def test_a_revert_takes_our_picture_out_of_the_gallery(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.set_image(ref, b"\x89PNG theirs")
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    adapter.revert(api, ref, receipt)
    assert [str(image["id"]) for image in site.products[int(ref)]["images"]] == [receipt.previous["id"]]


def test_a_revert_that_died_half_way_is_finished_by_the_next(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.set_image(ref, b"\x89PNG theirs")
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)

    def dying(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            raise httpx.ReadError("the connection was cut")
        return api.request(request.method, request.url.path, content=request.content, headers=request.headers)

    with adapter.open(httpx.MockTransport(dying)) as cut, pytest.raises(Unavailable):
        adapter.revert(cut, ref, receipt)
    adapter.revert(api, ref, receipt)
    assert (site.image(ref), site.pictures()) == (receipt.previous["id"], 1)


def test_a_revert_to_a_photograph_that_was_deleted_is_a_conflict(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("published")
    site.set_image(ref, b"\x89PNG theirs")
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    del site.products[int(ref)]["images"][0]
    with pytest.raises(Conflict):
        adapter.revert(api, ref, receipt)


def test_a_thumbnail_that_was_taken_back_between_two_tries_is_given_again(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    first = adapter.attach(api, entry, DRAWING)
    site.products[int(entry.ref)]["images"][0]["is_thumbnail"] = False
    assert adapter.attach(api, entry, DRAWING) == first
    assert site.image(entry.ref) == first.media_id


def test_connect_registers_created_and_deleted_with_the_secret(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    for _ in range(2):
        adapter.connect(api, "https://frontispiece.example.org/hooks/shop")
    assert [hook["scope"] for hook in site.hooks] == ["store/product/created", "store/product/deleted"]
    assert {hook["headers"]["X-Frontispiece-Secret"] for hook in site.hooks} == {SECRET}


def test_connect_wakes_a_webhook_that_was_switched_off(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    adapter.connect(api, "https://frontispiece.example.org/hooks/shop")
    site.hooks[0]["is_active"] = False
    adapter.connect(api, "https://frontispiece.example.org/hooks/shop")
    assert site.hooks[0]["is_active"]


@pytest.mark.parametrize(
    ("hook", "lines"), [("https://f.example.org/h", 1), ("https://f.example.org:8443/h", 2), ("http://f.test/h", 2)]
)
def test_connect_says_where_bigcommerce_will_not_call(
    adapter: Adapter, api: httpx.Client, hook: str, lines: int
) -> None:
    assert len(adapter.connect(api, hook).words) == lines


def test_the_doctor_finds_a_webhook_that_was_switched_off(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    adapter.connect(api, "https://frontispiece.example.org/hooks/shop")
    site.hooks[1]["is_active"] = False
    with pytest.raises(CmsProblem, match="connect again"):
        adapter.doctor(api)


def test_recent_tells_new_products_from_changed_ones(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    old, new = site.create("published"), site.create("published")
    site.products[int(old)]["date_created"] = "2020-01-01T00:00:00+00:00"
    found = list(adapter.recent(api, datetime(2025, 1, 1, tzinfo=UTC)))
    assert found == [Event("updated", old), Event("created", new)]


def test_recent_reads_by_id_and_tells_the_oldest_change_first(adapter: Adapter) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["sort"] == "id"
        number = int(request.url.params["page"])
        product = {"id": number, "images": [], "date_created": "2020-01-01T00:00:00+00:00"}
        product["date_modified"] = f"2026-11-2{9 - number}T08:00:00+00:00"
        return httpx.Response(200, json={"data": [product], "meta": {"pagination": {"total_pages": 3}}})

    with adapter.open(httpx.MockTransport(answer)) as api:
        found = list(adapter.recent(api, datetime(2026, 11, 21, tzinfo=UTC)))
    assert found == [Event("updated", number) for number in ("3", "2", "1")]
