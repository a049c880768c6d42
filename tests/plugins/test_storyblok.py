"""The Storyblok adapter: signatures, what an editor does meanwhile, focal points, captions (against the stand-in)."""

import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.site import SECRET
from servers.storyblok import Server

from frontispiece import cms
from frontispiece.cms import Adapter, Conflict, Delivery, Event, Gone, Picture, Refused, Unreadable

DRAWING = Picture("boats-1-2.webp", "image/webp", b"RIFF a drawing", 1600, 900, "A boat leaves the harbour")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.stop()


def during(api: httpx.Client, act: Callable[[], None]) -> httpx.Client:
    """Has an editor do something while our file is on its way."""

    def meanwhile(request: httpx.Request) -> None:
        if request.url.path == "/s3/bucket":
            act()

    api.event_hooks = {"request": [meanwhile]}
    return api


def signed(received: float = 0.0, by: str = "sha1") -> Delivery:
    signature = hmac.new(SECRET.encode(), b"{}", by).hexdigest()
    return Delivery(cms.Headers([("webhook-signature", signature)]), b"{}", received=received)


def told(**fields: Any) -> Delivery:
    return Delivery(cms.Headers(), json.dumps({"action": "published", "story_id": 123, **fields}).encode())


def field(site: Server, ref: str) -> dict[str, Any]:
    value: dict[str, Any] = site.stories[int(ref)]["content"]["image"]
    return value


def test_the_same_bytes_an_hour_later_are_another_publish(adapter: Adapter) -> None:
    assert adapter.verify(signed(1_795_229_586)) != adapter.verify(signed(1_795_233_186))


def test_the_same_bytes_at_once_are_the_same_publish(adapter: Adapter) -> None:
    assert adapter.verify(signed(1_795_229_586)) == adapter.verify(signed(1_795_229_587))


def test_a_stronger_hash_than_storyblok_s_is_refused(adapter: Adapter) -> None:
    with pytest.raises(Refused):
        adapter.verify(signed(by="sha256"))


@pytest.mark.parametrize(
    "fields", [{"action": "moved"}, {"action": "unpublished"}, {"action": "stage.changed"}], ids=str
)
def test_other_actions_are_not_for_us(adapter: Adapter, fields: dict[str, Any]) -> None:
    assert adapter.events(told(**fields)) == []


def test_an_asset_that_was_deleted_is_no_story(adapter: Adapter) -> None:
    delivery = Delivery(cms.Headers(), b'{"action":"deleted","space_id":123,"asset_id":456}')
    assert adapter.events(delivery) == []


@pytest.mark.parametrize("number", ["123", 0, True, None, "../assets"], ids=repr)
def test_a_story_number_that_is_none_is_unreadable(adapter: Adapter, number: Any) -> None:
    with pytest.raises(Unreadable):
        adapter.events(told(story_id=number))


def test_a_story_has_its_words_and_its_address(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    assert (entry.excerpt, entry.body, entry.tags) == ("Windy.", "Waves.", ("sea",))
    assert entry.url == f"https://example.org/news/sea-{entry.ref}"


def test_a_content_type_that_is_not_configured_gets_no_picture(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("published")
    site.stories[int(ref)]["content"]["component"] = "page"
    assert adapter.fetch(api, ref).opted_out


def test_a_story_in_the_bin_is_gone(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    entry = adapter.fetch(api, ref)
    site.delete(ref)
    with pytest.raises(Gone):
        adapter.attach(api, entry, DRAWING)


def test_all_other_fields_are_sent_back_as_they_were(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    before = {name: value for name, value in site.stories[int(entry.ref)]["content"].items() if name != "image"}
    adapter.attach(api, entry, DRAWING)
    after = site.public[int(entry.ref)]["content"]
    assert {name: value for name, value in after.items() if name != "image"} == before


def test_visitors_see_the_picture_of_a_published_story_at_once(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    receipt = adapter.attach(api, entry, DRAWING)
    assert site.public[int(entry.ref)]["content"]["image"]["filename"] == receipt.url
    assert receipt.url.startswith("https://a.storyblok.com/f/")


def test_the_picture_of_a_story_with_waiting_changes_waits_too(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("changed"))
    adapter.attach(api, entry, DRAWING)
    assert site.public[int(entry.ref)]["content"]["image"]["filename"] == ""


def test_what_an_editor_saves_while_the_file_is_sent_is_kept(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    slow = during(api, lambda: site._save(int(ref), publish=False, intro="Calm."))
    adapter.attach(slow, adapter.fetch(slow, ref), DRAWING)
    assert site.stories[int(ref)]["content"]["intro"] == "Calm."
    assert site.state(ref) == "changed"


def test_an_image_that_an_editor_sets_while_the_file_is_sent_is_kept(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("published")
    slow = during(api, lambda: site.set_image(ref, b"theirs"))
    with pytest.raises(Conflict):
        adapter.attach(slow, adapter.fetch(slow, ref), DRAWING)
    assert field(site, ref)["alt"] == "Our own"


def test_a_story_that_somebody_has_open_is_a_conflict(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    site.locked.add(int(entry.ref))
    with pytest.raises(Conflict, match="has story"):
        adapter.attach(api, entry, DRAWING)


def test_a_picture_that_is_there_already_is_not_uploaded_again(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    first = adapter.attach(api, entry, DRAWING)
    adapter.revert(api, entry.ref, first)
    assert adapter.attach(api, entry, DRAWING) == first


def test_caption_and_focal_point_arrive(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    adapter.attach(api, entry, replace(DRAWING, caption="Drawn by a machine", focal=(0.25, 1.0)))
    assert (field(site, entry.ref)["title"], field(site, entry.ref)["focus"]) == (
        "Drawn by a machine",
        "400x899:401x900",
    )


def test_a_revert_brings_back_the_title_of_the_image_before(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.set_image(ref, b"theirs")
    theirs = dict(field(site, ref))
    adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), DRAWING))
    assert field(site, ref) == theirs


def test_a_file_whose_upload_was_not_finished_is_sent_anew(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    first = adapter.attach(api, entry, DRAWING)
    site.assets[int(first.media_id)]["content_length"] = 0
    adapter.revert(api, entry.ref, first)
    again = adapter.attach(api, entry, DRAWING)
    assert [str(number) for number in site.assets] == [again.media_id] != [first.media_id]


def test_connect_brings_a_webhook_s_secret_up_to_date(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    adapter.connect(api, "https://frontispiece.example.org/hooks/site")
    site.adapter(webhook_secret="another one").connect(api, "https://frontispiece.example.org/hooks/site")
    assert [hook["secret"] for hook in site.hooks] == ["another one"]


def test_recent_finds_drafts_that_no_webhook_tells_of(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    draft = site.create("draft")
    assert list(adapter.recent(api, datetime.now(UTC) - timedelta(minutes=1))) == [Event("created", draft)]


def test_recent_asks_for_an_order_in_which_no_two_stories_are_equal(adapter: Adapter, api: httpx.Client) -> None:
    asked: list[str] = []
    api.event_hooks = {"request": [lambda request: asked.append(request.url.params["sort_by"])]}
    list(adapter.recent(api, datetime.now(UTC)))
    assert asked == ["updated_at:desc,id:desc"]
