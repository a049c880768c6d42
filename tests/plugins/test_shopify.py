"""What is particular to Shopify, against its stand-in: the order of media, articles, tokens, errors told with a 200."""

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.recorder import recording
from servers.shopify import CLIENT, TOKEN, Server, sign
from servers.site import SECRET

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Current,
    Delivery,
    Entry,
    Event,
    Gone,
    Headers,
    NotAllowed,
    Picture,
    Refused,
    Unavailable,
    Unreadable,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("shopify"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def adapter(shop: Server) -> Adapter:
    return shop.adapter(kinds=("products", "articles"))


class Meanwhile(httpx.BaseTransport):
    """Lets a person act just before this operation of ours goes out, or loses it."""

    def __init__(self, operation: str, act: Callable[[], None], *, cut: bool = False) -> None:
        self.operation, self.act, self.cut = operation.encode(), act, cut
        self.real = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if b'"query":"mutation ' + self.operation in request.read():
            self.act()
            if self.cut:
                raise httpx.ReadError("the connection was cut")
        return self.real.handle_request(request)

    def close(self) -> None:
        self.real.close()


def drawing() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 36), 90).convert("RGB").save(file, "jpeg")
    return file.getvalue()


def picture(**changes: Any) -> Picture:
    usual = Picture("frontispiece-1.jpeg", "image/jpeg", drawing(), 64, 36, alt="A boat leaves the harbour")
    return replace(usual, **changes)


def told(topic: str = "products/create", **fields: Any) -> Delivery:
    body = {"id": 788032119674292922, "status": "draft"} | fields
    return Delivery(Headers([("X-Shopify-Topic", topic)]), json.dumps(body).encode())


def media(shop: Server, ref: str) -> list[str]:
    """The product's media in their order."""
    return list(shop.products[ref.split("/")[1]]["media"])


# Products


def test_a_picture_comes_first_and_what_was_there_stays(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("published")
    shop.set_image(ref, drawing())
    theirs = media(shop, ref)
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    assert media(shop, ref) == [receipt.media_id, *theirs]


def test_a_revert_leaves_the_others_in_their_order(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("published")
    shop.set_image(ref, drawing())
    theirs = media(shop, ref)
    adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), picture()))
    assert media(shop, ref) == theirs


def test_a_revert_puts_back_first_what_was_first(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("published")
    shop.set_image(ref, drawing())
    theirs = media(shop, ref)
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    shop.set_image(ref, drawing())
    last = media(shop, ref)
    shop.products[ref.split("/")[1]]["media"] = [receipt.media_id, *last, *theirs]
    adapter.revert(api, ref, receipt)
    assert media(shop, ref) == [*theirs, *last]


def test_a_revert_takes_ours_off_and_says_so_where_the_earlier_photo_was_deleted(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = shop.create("published")
    shop.set_image(ref, drawing())
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    shop.set_image(ref, drawing())
    [last] = media(shop, ref)
    shop.products[ref.split("/")[1]]["media"] = [receipt.media_id, last]
    with pytest.raises(CmsProblem, match=f"our picture is off {ref}, which shows {last} and not"):
        adapter.revert(api, ref, receipt)
    assert media(shop, ref) == [last]


def test_an_image_set_while_shopify_works_on_ours_is_a_conflict(shop: Server, adapter: Adapter) -> None:
    ref = shop.create("published")
    with adapter.open(Meanwhile("Create(", lambda: shop.set_image(ref, drawing()))) as slow, pytest.raises(Conflict):
        adapter.attach(slow, adapter.fetch(slow, ref), picture())
    assert len(media(shop, ref)) == 1


def test_a_file_that_an_earlier_try_left_is_used(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown, there = adapter.fetch(api, shop.create("published")), picture(), shop.pictures()
    with adapter.open(Meanwhile("Update(", lambda: None, cut=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    asked = len(shop.said)
    adapter.attach(api, entry, shown)
    assert shop.pictures() == there + 1
    assert not any(query.startswith("mutation Stage") for query, _, _ in shop.said[asked:])


def test_a_picture_that_was_added_but_not_put_first_is_added_no_second_time(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref, shown = shop.create("published"), picture()
    shop.set_image(ref, drawing())
    theirs, entry = media(shop, ref), adapter.fetch(api, ref)
    with adapter.open(Meanwhile("Reorder(", lambda: None, cut=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    receipt = adapter.attach(api, entry, shown)
    assert media(shop, ref) == [receipt.media_id, *theirs]


def test_an_archived_product_is_not_looked_for(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("published")
    shop.products[ref.split("/")[1]]["status"] = "ARCHIVED"
    assert ref not in {event.ref for event in adapter.recent(api, datetime.now(UTC) - timedelta(seconds=2))}


def test_a_file_that_cannot_be_found_by_its_name_yet_is_made_no_second_time(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown, there = adapter.fetch(api, shop.create("published")), picture(), shop.pictures()
    with adapter.open(Meanwhile("Update(", lambda: None, cut=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    shop.indexed = False
    adapter.attach(api, entry, shown)
    shop.indexed = True
    assert shop.pictures() == there + 1


def test_photographs_and_options_are_read(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("draft")
    shop.set_image(ref, drawing())
    entry = adapter.fetch(api, ref)
    assert (entry.kind, entry.body, entry.section, entry.status) == ("product", "Waves.", "Prints", "draft")
    assert (entry.photos, entry.attributes) == (
        (shop.files[media(shop, ref)[0]].url,),
        {"Size": "A4, A3", "vendor": "Ours"},
    )


def test_alt_text_is_cut_to_what_shopify_takes(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    adapter.attach(api, entry, picture(alt="x" * 600))
    assert shop.alt(entry.ref) == "x" * 511 + "…"


def test_a_picture_that_shopify_cannot_read_is_final(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    with pytest.raises(CmsProblem, match="could not be read as an image") as caught:
        adapter.attach(api, entry, picture(data=b"no picture"))
    assert not caught.value.retry


def test_a_product_that_is_deleted_meanwhile_is_gone(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, shop.create("published"))
    shop.delete(entry.ref)
    with pytest.raises(Gone):
        adapter.attach(api, entry, picture())


# Articles


def test_an_article_gets_its_picture_and_stays_as_it_is(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.write(public=False)
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    entry = adapter.fetch(api, ref)
    assert entry.image == Current(receipt.media_id, receipt.url, "A boat leaves the harbour")
    assert (entry.kind, entry.status, entry.url) == ("article", "draft", "https://shop.test/blogs/news/a-day-at-sea")


def test_an_article_that_has_our_picture_is_not_written_again(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = adapter.fetch(api, shop.write()), picture()
    first, asked = adapter.attach(api, entry, shown), len(shop.said)
    assert adapter.attach(api, entry, shown) == first
    assert not any(query.startswith("mutation") for query, _, _ in shop.said[asked:])


def test_an_article_s_image_comes_back_and_somebody_s_newer_one_stays(
    shop: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = shop.write()
    theirs = {"url": "https://cdn.test/articles/theirs.png", "altText": "Our photograph"}
    shop.articles[ref.split("/")[1]]["image"] = theirs
    entry = adapter.fetch(api, ref)
    receipt = adapter.attach(api, entry, picture())
    adapter.revert(api, ref, receipt)
    assert adapter.fetch(api, ref).image == Current("theirs.png", f"{theirs['url']}?v=1", "Our photograph")
    shop.articles[ref.split("/")[1]]["image"] = theirs | {"url": "https://cdn.test/newer.png"}
    with pytest.raises(Conflict):
        adapter.revert(api, ref, receipt)


def test_recent_finds_articles_without_an_image_page_by_page(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    since, made = datetime.now(UTC) - timedelta(seconds=2), {shop.write() for _ in range(53)}
    full = shop.write()
    adapter.attach(api, adapter.fetch(api, full), picture())
    found = {event.ref for event in adapter.recent(api, since)}
    assert (made <= found, full in found) == (True, False)


# Answers of 200 that are errors


def test_too_many_calls_are_worth_another_try(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = shop.create("published")
    shop.busy = 1
    with pytest.raises(Unavailable, match="Throttled") as caught:
        adapter.fetch(api, ref)
    assert caught.value.seconds > 0
    assert adapter.fetch(api, ref).ref == ref


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"errors": [{"message": "Access denied for articles", "extensions": {"code": "ACCESS_DENIED"}}]}', "denied"),
        ('{"errors": "Not Found"}', "Not Found"),
        ("<html>", "without JSON"),
    ],
)
def test_an_answer_of_200_with_errors_is_one(adapter: Adapter, body: str, words: str) -> None:
    with adapter.open(httpx.MockTransport(lambda _: httpx.Response(200, text=body))) as api:
        with pytest.raises(CmsProblem, match=words) as caught:
            adapter.fetch(api, "products/1")
        assert not caught.value.retry


@pytest.mark.parametrize("field", ["userErrors", "mediaUserErrors"])
def test_what_shopify_says_against_the_input_is_an_error(adapter: Adapter, field: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        name = re.match(rb'{"query":"(?:query|mutation) (\w+)', request.content)
        data: Any = {"stagedUploadsCreate": {field: [{"message": "File size too large"}]}}
        if name and name[1] == b"Look":
            data = {"nodes": [{"featuredMedia": None}], "files": {"nodes": []}}
        return httpx.Response(200, json={"data": data})

    with adapter.open(httpx.MockTransport(answer)) as api, pytest.raises(CmsProblem, match="File size too large"):
        adapter.attach(api, Entry("products/1", "product", "A day at sea"), picture())


# Credentials


def test_tokens_are_asked_for_with_the_client_s_credentials_and_kept(shop: Server) -> None:
    adapter = shop.adapter(access_token=None, client_id=CLIENT)
    ref, there = shop.create("published"), len(shop.tokens)
    for _ in range(2):
        with adapter.open() as api:
            assert adapter.fetch(api, ref).ref == ref
    assert len(shop.tokens) == there + 1


def test_a_token_that_was_taken_away_is_replaced_at_the_next_call(shop: Server) -> None:
    adapter, ref = shop.adapter(access_token=None, client_id=CLIENT), shop.create("published")
    with adapter.open() as api:
        adapter.fetch(api, ref)
        shop.tokens = {TOKEN}
        with pytest.raises(NotAllowed):
            adapter.fetch(api, ref)
        assert adapter.fetch(api, ref).ref == ref


def test_an_app_that_the_shop_does_not_know_is_not_allowed(shop: Server) -> None:
    adapter = shop.adapter(access_token=None, client_id="another")
    with adapter.open() as api, pytest.raises(NotAllowed, match="application_cannot_be_found") as caught:
        adapter.fetch(api, "products/1")
    assert SECRET not in caught.value.words


def test_an_answer_with_a_token_is_not_read_without_a_bound(shop: Server) -> None:
    adapter, answer = shop.adapter(access_token=None, client_id=CLIENT), httpx.ByteStream(b"x" * 20_000_001)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=answer))
    with adapter.open(transport) as api, pytest.raises(CmsProblem, match="more than 20,000,000"):
        adapter.fetch(api, "products/1")


def test_missing_scopes_are_named(shop: Server, adapter: Adapter, api: httpx.Client) -> None:
    kept, shop.scopes = shop.scopes, ["read_products", "write_products", "read_content"]
    with pytest.raises(CmsProblem, match="write_content, write_files"):
        adapter.doctor(api)
    shop.scopes = kept


# Deliveries


def test_a_webhook_tells_no_more_than_is_needed(shop: Server) -> None:
    with recording() as service:
        shop.hook(f"{service.url}/hooks/shop")
        shop.create("published")
        body = json.loads(service.take().body)
    assert set(body) == {"id", "admin_graphql_api_id", "status", "updated_at"}


@pytest.mark.parametrize(
    ("topic", "status", "kind"),
    [
        ("products/create", "draft", "created"),
        ("products/create", "active", "published"),
        ("products/update", "active", "updated"),
        ("products/delete", None, "deleted"),
    ],
)
def test_what_became_of_a_product(adapter: Adapter, topic: str, status: str | None, kind: Any) -> None:
    assert adapter.events(told(topic, status=status)) == [Event(kind, "products/788032119674292922")]


def test_an_id_above_what_a_double_can_hold_is_read_exactly(adapter: Adapter) -> None:
    assert adapter.events(told(id=2**53 + 1)) == [Event("created", "products/9007199254740993")]


def test_another_topic_is_not_for_us(adapter: Adapter) -> None:
    assert adapter.events(told("orders/create")) == []


def test_a_test_notification_is_a_ping(adapter: Adapter) -> None:
    headers = Headers([("X-Shopify-Topic", "products/update"), ("X-Shopify-Test", "true")])
    assert adapter.events(Delivery(headers, told().body)) == [Event("ping", "")]


@pytest.mark.parametrize("number", [0, -1, True, None, 1.5, "1/../2", "", "12a", "1٣"])
def test_an_id_that_shopify_never_gives_is_unreadable(adapter: Adapter, number: Any) -> None:
    with pytest.raises(Unreadable):
        adapter.events(told(id=number))


def test_a_delivery_without_its_topic_is_unreadable(adapter: Adapter) -> None:
    with pytest.raises(Unreadable):
        adapter.events(Delivery(Headers(), told().body))


@pytest.mark.parametrize("ref", ["products/0", "collections/1", "products/1/2", "../1", ""])
def test_a_ref_that_is_none_is_never_asked_for(adapter: Adapter, api: httpx.Client, ref: str) -> None:
    with pytest.raises(Unreadable):
        adapter.fetch(api, ref)


def test_a_signature_in_hexadecimal_is_refused(adapter: Adapter) -> None:
    given = sign(SECRET, b"{}")["X-Shopify-Hmac-Sha256"]
    adapter.verify(Delivery(Headers([("X-Shopify-Hmac-Sha256", given)]), b"{}"))
    for wrong in (given.encode().hex(), f"{given}\n", given.rstrip("="), given.swapcase()):
        with pytest.raises(Refused):
            adapter.verify(Delivery(Headers([("X-Shopify-Hmac-Sha256", wrong)]), b"{}"))
