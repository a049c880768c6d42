"""The Webflow adapter: signatures, what visitors see after a write, and secrets of webhooks (against the stand-in)."""

import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.webflow import COLLECTION, Server

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Event, Picture, Refused, Unreadable

DRAWING = Picture("boats-1-2.webp", "image/webp", b"RIFF a drawing", 1600, 900, "A boat leaves the harbour")
ITEM = "582b900cba19143b2bb8a759"
HOOK = "https://frontispiece.example.org/hooks/site"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.stop()


def signed(secret: str, body: bytes = b"{}") -> Delivery:
    stamp = str(int(time.time() * 1000))
    signature = hmac.new(secret.encode(), f"{stamp}:".encode() + body, "sha256").hexdigest()
    return Delivery(cms.Headers([("x-webflow-timestamp", stamp), ("x-webflow-signature", signature)]), body)


def told(trigger: str, **fields: Any) -> Delivery:
    payload = {"id": ITEM, "collectionId": COLLECTION, **fields}
    return Delivery(cms.Headers(), json.dumps({"triggerType": trigger, "payload": payload}).encode())


@pytest.mark.parametrize("secret", ["first-key", "second-key"])
def test_each_of_several_secrets_is_good(site: Server, secret: str) -> None:
    assert site.adapter(webhook_secret="first-key second-key").verify(signed(secret)) == ""


def test_all_secrets_together_are_none(site: Server) -> None:
    with pytest.raises(Refused):
        site.adapter(webhook_secret="first-key second-key").verify(signed("first-key second-key"))


def test_an_upper_case_signature_is_refused(site: Server) -> None:
    delivery = signed("first-key")
    stamp, signature = (value for _, value in delivery.headers.pairs)
    shouted = cms.Headers([("x-webflow-timestamp", stamp), ("x-webflow-signature", signature.upper())])
    with pytest.raises(Refused):
        site.adapter(webhook_secret="first-key").verify(Delivery(shouted, delivery.body))


def test_items_published_together_are_one_event_each(adapter: Adapter) -> None:
    items = [{"id": ITEM, "collectionId": COLLECTION}, {"id": COLLECTION, "collectionId": COLLECTION}]
    found = adapter.events(told("collection_item_published", items=items))
    assert found == [Event("published", f"{COLLECTION}/{ITEM}"), Event("published", f"{COLLECTION}/{COLLECTION}")]


@pytest.mark.parametrize("trigger", ["form_submission", "site_publish", "collection_item_unpublished", ""])
def test_other_triggers_are_not_for_us(adapter: Adapter, trigger: str) -> None:
    assert adapter.events(told(trigger)) == []


def test_a_collection_that_is_not_configured_is_not_for_us(adapter: Adapter) -> None:
    assert adapter.events(told("collection_item_created", collectionId=ITEM)) == []


@pytest.mark.parametrize("fields", [{"id": "../x"}, {"id": None}, {"collectionId": 5}, {"items": [7]}], ids=str)
def test_a_field_that_cannot_be_webflow_s_is_unreadable(adapter: Adapter, fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        adapter.events(told("collection_item_created", **fields))


def test_an_item_has_its_words_and_its_address(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    assert (entry.excerpt, entry.body) == ("Windy.", "Waves.")
    assert entry.url == f"https://example.org/sea-{entry.ref.split('/')[1][:6]}"


def test_visitors_see_the_picture_of_a_published_item_at_once(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    assert adapter.attach(api, entry, DRAWING).media_id == site.public_image(entry.ref)


def test_the_picture_of_an_item_with_waiting_changes_waits_too(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("changed"))
    adapter.attach(api, entry, DRAWING)
    assert (site.public_image(entry.ref), site.items[entry.ref.split("/")[1]]["isDraft"]) == ("", True)


def test_changes_queued_for_the_next_publish_stay_queued(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("changed"))
    item = site.items[entry.ref.split("/")[1]]
    item["isDraft"] = False
    adapter.attach(api, entry, DRAWING)
    assert (site.public_title(entry.ref), site.public_image(entry.ref)) == ("A day at sea", "")
    assert item["isDraft"] is False


def test_an_item_that_an_editor_has_marked_as_draft_is_not_published(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    site.items[entry.ref.split("/")[1]]["isDraft"] = True
    adapter.attach(api, entry, DRAWING)
    assert (site.state(entry.ref), site.public_image(entry.ref)) == ("changed", "")


def test_a_long_file_name_is_cut_to_what_webflow_takes(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    adapter.attach(api, entry, replace(DRAWING, name=f"{'boats-' * 20}.webp"))
    assert [len(one["originalFileName"]) for one in site.assets.values()] == [99]


def test_a_picture_that_is_there_already_is_not_uploaded_again(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    first = adapter.attach(api, entry, DRAWING)
    adapter.revert(api, entry.ref, first)
    assert adapter.attach(api, entry, DRAWING) == first


def test_a_file_that_never_reached_the_storage_is_sent_anew(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    first = adapter.attach(api, entry, DRAWING)
    site.assets[first.media_id]["size"] = 0
    adapter.revert(api, entry.ref, first)
    again = adapter.attach(api, entry, DRAWING)
    assert list(site.assets) == [again.media_id] != [first.media_id]


def test_an_image_that_an_editor_sets_while_the_file_is_sent_is_kept(site: Server, adapter: Adapter) -> None:
    ref = site.create("published")

    def meanwhile(request: httpx.Request) -> None:
        if request.url.path == "/s3/bucket":
            site.set_image(ref, b"theirs")

    with adapter.open() as api:
        api.event_hooks = {"request": [meanwhile]}
        with pytest.raises(Conflict):
            adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert site.alt(ref) == "Our own photograph"


def test_a_revert_takes_the_picture_from_visitors_too(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    adapter.revert(api, entry.ref, adapter.attach(api, entry, DRAWING))
    assert site.public_image(entry.ref) == ""


def test_connect_brings_the_secret_of_each_webhook(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    secret = adapter.connect(api, HOOK).secret
    assert secret.split() == [hook["secretKey"] for hook in site.hooks]
    assert len(site.hooks) == 3


def test_connect_again_asks_for_no_new_secret(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    adapter.connect(api, HOOK)
    assert (adapter.connect(api, HOOK).secret, len(site.hooks)) == ("", 3)


def test_connect_adds_the_secret_of_a_webhook_that_was_missing(site: Server, api: httpx.Client) -> None:
    known = site.adapter().connect(api, HOOK).secret.split()
    site.hooks.pop()
    secret = site.adapter(webhook_secret=" ".join(known[:2])).connect(api, HOOK).secret.split()
    assert secret == [*known[:2], site.hooks[2]["secretKey"]]


def test_the_doctor_misses_an_image_field(site: Server) -> None:
    wrong = site.adapter(types={COLLECTION: {"image": "name"}})
    with wrong.open() as api, pytest.raises(CmsProblem, match="no image field 'name'"):
        wrong.doctor(api)


def test_recent_leaves_archived_items_alone(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    site.items[site.create("published").split("/")[1]]["isArchived"] = True
    draft = site.create("draft")
    assert list(adapter.recent(api, datetime.now(UTC) - timedelta(minutes=1))) == [Event("created", draft)]


def test_recent_reads_by_slug_and_tells_the_oldest_change_first(adapter: Adapter) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["sortBy"] == "slug"
        number = int(request.url.params["offset"]) // 100
        item = {"id": f"{number:024x}", "fieldData": {}, "lastUpdated": f"2026-11-2{9 - number}T08:00:00.000Z"}
        return httpx.Response(200, json={"items": [item], "pagination": {"total": 201}})

    with adapter.open(httpx.MockTransport(answer)) as api:
        found = list(adapter.recent(api, datetime(2026, 11, 21, tzinfo=UTC)))
    assert found == [Event("created", f"{COLLECTION}/{number:024x}") for number in (2, 1, 0)]
