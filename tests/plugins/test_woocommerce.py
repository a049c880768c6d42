"""The WooCommerce adapter and its stand-in: pings, topics, galleries, webhooks that were switched off, odd answers."""

import base64
import hmac
import io
import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from adapters import Meanwhile
from PIL import Image
from pydantic import ValidationError
from servers.recorder import Recorder, parse, recording
from servers.site import SECRET
from servers.woocommerce import Server

from frontispiece import cms
from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Delivery,
    Event,
    EventKind,
    Gone,
    Headers,
    Picture,
    Refused,
    Unavailable,
    Unreadable,
)

WooCommerce = cms.load("woocommerce")
DELIVERIES = Path(__file__).parents[2] / "plugins/woocommerce/deliveries"
KEYS = tomllib.loads((DELIVERIES / "site.toml").read_text("utf8"))
HOOK = "https://frontispiece.example.org/hooks/shop"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def adapter(shop: Server) -> Adapter:
    return shop.adapter()


@pytest.fixture
def service() -> Iterator[Recorder]:
    with recording() as recorder:
        recorder.status = 200
        yield recorder


def alone() -> Adapter:
    """An adapter without a shop."""
    return WooCommerce(WooCommerce.Settings.model_validate(KEYS))


def drawing(colour: int = 90, kind: str = "webp") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 36), (colour, 90, 120)).save(file, kind)
    return file.getvalue()


def picture(**changes: Any) -> Picture:
    return replace(Picture("frontispiece-1.webp", "image/webp", drawing(), 64, 36, alt="A boat"), **changes)


def with_photos(shop: Server, count: int) -> tuple[str, list[str]]:
    """A product to which an editor gave so many pictures, and their ids."""
    ref = shop.create("published")
    made = [shop.shop.upload(f"photo{number}.png", drawing(number, "png"), {}) for number in range(count)]
    shop.shop.save(int(ref), {"images": [{"id": one["id"], "alt": f"photo {one['id']}"} for one in made]})
    return ref, [str(one["id"]) for one in made]


def signed(body: bytes, topic: str = "product.created") -> Delivery:
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
    return Delivery(Headers([("X-WC-Webhook-Topic", topic), ("X-WC-Webhook-Signature", signature)]), body)


def said(topic: str = "product.created", **changes: Any) -> list[Event]:
    product = {"id": 7, "type": "simple", "status": "publish", "images": [], "name": "A day at sea"}
    return alone().events(signed(json.dumps(product | changes).encode(), topic))


# -- verify


def test_the_ping_of_a_new_webhook_is_let_in_without_a_signature() -> None:
    ping = Delivery(Headers([("content-type", "application/x-www-form-urlencoded")]), b"webhook_id=14")
    assert alone().verify(ping) == "ping"
    assert alone().events(ping) == [Event("ping", "")]


@pytest.mark.parametrize(
    "body",
    [
        b"webhook_id=14&id=7",
        b"webhook_id=",
        b"webhook_id=0",
        b"webhook_id=-1",
        b"webhook_id=14\n",
        b" webhook_id=14",
        b"webhook_id=" + b"9" * 20,
        b'{"webhook_id": 14}',
        b'{"id": 7}',
        b"",
    ],
)
def test_nothing_else_is_let_in_without_a_signature(body: bytes) -> None:
    with pytest.raises(Refused):
        alone().verify(Delivery(Headers(), body))


def test_a_ping_with_a_wrong_signature_is_refused() -> None:
    with pytest.raises(Refused):
        alone().verify(Delivery(Headers([("X-WC-Webhook-Signature", "AAAA")]), b"webhook_id=14"))


@pytest.mark.parametrize("change", [lambda text: text.swapcase(), lambda text: base64.b64decode(text).hex()])
def test_a_signature_in_another_form_is_refused(change: Any) -> None:
    delivery = signed(b'{"id":7}')
    headers = Headers([("X-WC-Webhook-Signature", change(delivery.headers.get("x-wc-webhook-signature")))])
    with pytest.raises(Refused):
        alone().verify(Delivery(headers, delivery.body))


def test_a_signature_that_comes_twice_is_refused() -> None:
    delivery = signed(b'{"id":7}')
    with pytest.raises(Refused):
        alone().verify(Delivery(Headers(delivery.headers.pairs * 2), delivery.body))


def test_a_body_that_was_written_anew_is_refused() -> None:
    delivery = signed(b'{"id":7,"permalink":"http:\\/\\/shop\\/7"}')
    with pytest.raises(Refused):
        alone().verify(Delivery(delivery.headers, json.dumps(json.loads(delivery.body)).encode()))


# -- events


@pytest.mark.parametrize("kind", ["created", "published", "updated", "deleted"])
def test_a_delivery_says_what_its_file_is_called_after(kind: EventKind) -> None:
    request = parse((DELIVERIES / f"{kind}.http").read_bytes())
    assert [event.kind for event in alone().events(Delivery(request.headers, request.body))] == [kind]


@pytest.mark.parametrize(
    ("topic", "status", "images", "kind"),
    [
        ("product.created", "draft", [], "created"),
        ("product.created", "publish", [], "published"),
        ("product.updated", "draft", [], "updated"),
        ("product.updated", "publish", [], "published"),
        ("product.updated", "publish", [{"id": 9}], "updated"),
        ("product.updated", "publish", [{"id": 0}], "published"),
        ("product.restored", "draft", [], "updated"),
    ],
)
def test_what_a_topic_means(topic: str, status: str, images: list[Any], kind: EventKind) -> None:
    assert said(topic, status=status, images=images) == [Event(kind, "7")]


def test_a_variation_is_not_for_us() -> None:
    assert said(type="variation", parent_id=6) == []


@pytest.mark.parametrize("topic", ["order.created", "action.woocommerce_add_to_cart", "product.reviewed"])
def test_other_topics_are_not_for_us(topic: str) -> None:
    assert said(topic) == []


def test_a_product_that_was_gone_when_its_delivery_was_built_is_not_for_us() -> None:
    body = b'{"code":"woocommerce_rest_product_invalid_id","message":"Invalid ID.","data":{"status":404}}'
    assert alone().events(signed(body)) == []


def test_a_webhook_whose_user_may_not_read_is_explained() -> None:
    body = b'{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot view this resource."}'
    with pytest.raises(Unreadable, match="Sorry, you cannot view"):
        alone().events(signed(body))


def test_a_product_that_is_told_anew_as_deleted_is_unreadable() -> None:
    """The topic is no part of what is signed: whoever has seen a delivery could send it under another."""
    with pytest.raises(Unreadable):
        said("product.deleted")


def test_an_id_alone_is_nothing_but_a_deletion() -> None:
    with pytest.raises(Unreadable):
        alone().events(signed(b'{"id":7}', "product.created"))


def test_the_id_of_what_was_deleted_may_be_text() -> None:
    assert alone().events(signed(b'{"id":"7"}', "product.deleted")) == [Event("deleted", "7")]


@pytest.mark.parametrize("number", ["7/../8", "", 0, -1, True, None, 1.5, [7]], ids=str)
def test_an_id_that_no_product_has_is_unreadable(number: Any) -> None:
    with pytest.raises(Unreadable):
        said(id=number)


# -- attach and revert


def test_the_pictures_of_an_editor_stay_behind_ours_with_their_words(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref, theirs = with_photos(shop, 3)
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    assert shop.gallery(ref) == [receipt.media_id, *theirs]
    assert [shop.shop.media[int(number)]["alt_text"] for number in theirs] == [f"photo {number}" for number in theirs]


def test_a_revert_leaves_the_gallery_as_it_was(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref, theirs = with_photos(shop, 3)
    adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), picture()))
    assert shop.gallery(ref) == theirs


def test_a_revert_keeps_what_an_editor_has_added_behind(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref, theirs = with_photos(shop, 1)
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    added = shop.shop.upload("new.png", drawing(7, "png"), {})["id"]
    shop.shop.save(int(ref), {"images": [{"id": int(one)} for one in shop.gallery(ref)] + [{"id": added}]})
    adapter.revert(api, ref, receipt)
    assert shop.gallery(ref) == [*theirs, str(added)]


def test_a_revert_that_was_done_already_writes_nothing(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref, _ = with_photos(shop, 2)
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    adapter.revert(api, ref, receipt)
    before = shop.shop.products[int(ref)] | {}
    adapter.revert(api, ref, receipt)
    assert shop.shop.products[int(ref)] == before


def test_a_picture_that_an_editor_moved_back_is_not_put_first_again(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref, _ = with_photos(shop, 1)
    entry, shown = adapter.fetch(api, ref), picture()
    adapter.attach(api, entry, shown)
    moved = shop.gallery(ref)[::-1]
    shop.shop.save(int(ref), {"images": [{"id": int(one)} for one in moved]})
    with pytest.raises(Conflict):
        adapter.attach(api, entry, shown)
    assert shop.gallery(ref) == moved


def test_an_image_that_is_set_during_the_upload_is_not_replaced(shop: Server, adapter: Adapter) -> None:
    ref = shop.create("published")
    faster = Meanwhile("POST", "/media", lambda: shop.set_image(ref, drawing(7, "png")))
    with adapter.open(faster) as api, pytest.raises(Conflict):
        adapter.attach(api, adapter.fetch(api, ref), picture())
    assert len(shop.gallery(ref)) == 1


def test_words_changed_between_two_tries_are_the_newer_ones(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    shop.serving.app.before_request_funcs[None].append(_busy)
    with pytest.raises(Unavailable):
        adapter.attach(api, entry, picture(alt="Older words"))
    shop.serving.app.before_request_funcs[None].remove(_busy)
    adapter.attach(api, entry, picture(alt="Newer words"))
    assert (shop.alt(entry.ref), shop.pictures()) == ("Newer words", 1)


def _busy() -> Any:
    from flask import request

    return ("busy", 503) if request.method == "PUT" else None


def test_nothing_but_the_images_changes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("draft")
    changing = {"images": 0, "date_modified": 0, "date_modified_gmt": 0}
    before = shop.shop.products[int(ref)] | changing
    adapter.attach(api, adapter.fetch(api, ref), picture())
    assert shop.shop.products[int(ref)] | changing == before


@pytest.mark.parametrize("size", [20, 60])
def test_a_cut_off_picture_that_wordpress_took_is_removed_again(
    shop: Server, adapter: Adapter, api: httpx.Client, size: int
) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    with pytest.raises(CmsProblem, match="removed again") as caught:
        adapter.attach(api, entry, picture(data=drawing()[:size]))
    assert (caught.value.retry, shop.pictures()) == (False, 0)


def test_what_is_no_picture_is_final_although_wordpress_answers_500(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    with pytest.raises(CmsProblem, match="500") as caught:
        adapter.attach(api, entry, picture(data=b"no picture at all"))
    assert caught.value.retry is False


def test_an_image_that_the_shop_did_not_keep_is_said(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    shop.serving.app.view_functions["/wp-json/wc/v3/products/<int:number>"] = lambda number: shop.shop.shown(
        shop.shop.products[number]
    )
    with pytest.raises(CmsProblem, match=r"kept the images \[\]"):
        adapter.attach(api, entry, picture())


# -- fetch and recent


def test_a_product_is_read_as_plain_text(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, shop.create("published", title="Zwölf Boote &amp; ein <em>Hafen</em>"))
    assert (entry.title, entry.body) == ("Zwölf Boote & ein Hafen", "Twelve boats left at dawn.")
    assert (entry.section, entry.tags, entry.attributes) == ("Sea & coast", ("boats",), {"Wood": "Oak, Larch"})


def test_photos_are_handed_over_and_our_own_picture_is_not(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref, theirs = with_photos(shop, 2)
    adapter.attach(api, adapter.fetch(api, ref), picture())
    photos = adapter.fetch(api, ref).photos
    assert photos == tuple(shop.shop.media[int(number)]["source_url"] for number in theirs)


def test_a_custom_field_keeps_a_product_without_a_picture(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("published")
    shop.shop.save(int(ref), {"meta_data": [{"id": 1, "key": "no_automatic_image", "value": "yes"}]})
    assert adapter.fetch(api, ref).opted_out


def test_a_product_in_the_bin_is_gone(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    shop.delete(entry.ref)
    with pytest.raises(Gone):
        adapter.attach(api, entry, picture())


def test_a_variation_is_left_to_its_product(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    number = shop.shop.save(None, {"type": "variation", "parent_id": 6})["id"]
    with pytest.raises(CmsProblem, match="its parent, product 6"):
        adapter.fetch(api, str(number))


def test_recent_goes_through_all_pages(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    """The shop gives at most a hundred at a time."""
    made = [shop.create("draft") for _ in range(101)]
    assert [event.ref for event in adapter.recent(api, datetime.now(UTC) - timedelta(minutes=1))] == made


def test_recent_reads_by_date_and_id_and_tells_the_oldest_change_first(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    asked: list[str] = []
    api.event_hooks = {"request": [lambda request: asked.append(request.url.params["orderby"])]}
    late, early = shop.create("draft"), shop.create("draft")
    shop.shop.products[int(late)]["date_modified_gmt"] = "2030-01-01T00:00:00"
    found = list(adapter.recent(api, datetime.now(UTC) - timedelta(minutes=1)))
    assert (asked, [event.ref for event in found]) == (["date"], [early, late])


def test_a_page_instead_of_json_is_explained() -> None:
    said = httpx.Response(200, text="<html>Coming soon</html>")
    with alone().open(httpx.MockTransport(lambda _: said)) as api, pytest.raises(CmsProblem, match="without JSON"):
        alone().fetch(api, "7")


# -- connect and doctor


def test_a_consumer_key_is_refused_at_start() -> None:
    with pytest.raises(ValidationError, match="a consumer key is not accepted where pictures are uploaded"):
        WooCommerce.Settings.model_validate(KEYS | {"user": "ck_1234"})


def test_connect_gives_a_new_secret_to_the_webhooks_that_are_there(shop: Server, api: httpx.Client) -> None:
    shop.adapter().connect(api, HOOK)
    shop.adapter(webhook_secret="another secret").connect(api, HOOK)
    assert [one["secret"] for one in shop.shop.webhooks.values()] == ["another secret"] * 4


def test_connect_leaves_the_webhooks_of_others_alone(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    others = {"topic": "product.created", "delivery_url": "https://erp.example.org/", "secret": "theirs", "name": "ERP"}
    api.post("/wp-json/wc/v3/webhooks", json=others).raise_for_status()
    adapter.connect(api, HOOK)
    assert [one["name"] for one in shop.shop.webhooks.values() if one["secret"] == "theirs"] == ["ERP"]


def test_every_new_webhook_pings_and_is_let_in(shop: Server, adapter: Adapter, service: Recorder) -> None:
    shop.hook(f"{service.url}/hooks/shop")
    pings = [service.take() for _ in range(4)]
    assert [adapter.verify(Delivery(one.headers, one.body)) for one in pings] == ["ping"] * 4
    assert shop.shop.pings == ["200"] * 4


@pytest.mark.parametrize("hook", ["http://10.0.0.5/hooks/shop", "http://localhost/h", "https://f.example.org:8460/h"])
def test_connect_says_where_wordpress_will_not_send(adapter: Adapter, api: httpx.Client, hook: str) -> None:
    assert any("http_request_host_is_external" in words for words in adapter.connect(api, hook).words)


def test_connect_has_no_doubts_about_a_public_address(adapter: Adapter, api: httpx.Client) -> None:
    assert len(adapter.connect(api, HOOK).words) == 1


def test_a_webhook_that_woocommerce_switched_off_is_found_by_the_doctor_and_mended_by_connect(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    shop.shop.allow_private = False  # so that every delivery fails
    refused = "http://127.0.0.1:9/hooks/shop"
    adapter.connect(api, refused)
    for _ in range(6):
        shop.create("published")
    shop.shop.stop()  # waits for the deliveries
    shop.shop.start()
    with pytest.raises(CmsProblem, match="not active: product"):
        adapter.doctor(api)
    adapter.connect(api, refused)
    assert adapter.doctor(api)


def test_a_user_without_the_rights_is_told_which_they_are(shop: Server) -> None:
    poor = shop.adapter(user="customer", password="only buys")
    with poor.open() as api, pytest.raises(CmsProblem, match="may not upload_files, edit_products"):
        poor.doctor(api)


def test_a_wordpress_without_woocommerce_is_explained() -> None:
    said = httpx.Response(200, json={"namespaces": ["wp/v2"]})
    with alone().open(httpx.MockTransport(lambda _: said)) as api, pytest.raises(CmsProblem, match="is not active"):
        alone().doctor(api)
