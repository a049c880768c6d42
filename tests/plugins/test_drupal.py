"""The Drupal adapter: signatures, odd bodies, both kinds of field, and how Drupal says no (against the stand-in)."""

import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.drupal import Server

from frontispiece import cms
from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Event, NotAllowed, Picture, Refused, Unreadable

DOT = b"\x89PNG\r\n\x1a\n a dot"
DRAWING = Picture("boats-1-2.png", "image/png", DOT, 1600, 900, "A boat leaves the harbour")
UUID = "0c5b3dd5-6c2e-4a44-9a5e-1a7f0f6f9c11"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.stop()


def node(**fields: Any) -> dict[str, Any]:
    usual = {"type": [{"target_id": "article"}], "uuid": [{"value": UUID}], "status": [{"value": True}]}
    return {**usual, "langcode": [{"value": "de"}], **fields}


def told(event: str = "entity:node:update", user: str = "editor", **fields: Any) -> Delivery:
    said = {"event": event, "user": {"name": [{"value": user}]}, "entity": node(**fields)}
    return Delivery(cms.Headers(), json.dumps(said).encode())


def signed(name: str, algorithm: str, by: str) -> Delivery:
    """Signed with `by`, and called `algorithm` in the header `name`."""
    secret = "whsec_ZnJvbnRpc3BpZWNlIHRlc3Qgc2VjcmV0LCAzMiBieS4="
    signature = f"{algorithm}={hmac.new(secret.encode(), b'{}', by).hexdigest()}"
    return Delivery(cms.Headers([(name, signature)]), b"{}")


@pytest.mark.parametrize(("name", "by"), [("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")])
def test_both_signatures_of_the_module_are_taken(adapter: Adapter, name: str, by: str) -> None:
    assert adapter.verify(signed(name, by, by)) == ""


@pytest.mark.parametrize(("algorithm", "by"), [("md5", "md5"), ("sha1", "sha256"), ("", "sha1")])
def test_another_algorithm_is_refused(adapter: Adapter, algorithm: str, by: str) -> None:
    with pytest.raises(Refused):
        adapter.verify(signed("X-Hub-Signature", algorithm, by))


def test_a_weaker_signature_beside_a_wrong_one_does_not_help(adapter: Adapter) -> None:
    weak = signed("X-Hub-Signature", "sha1", "sha1").headers.pairs
    with pytest.raises(Refused):
        adapter.verify(Delivery(cms.Headers([*weak, ("X-Hub-Signature-256", "sha256=00")]), b"{}"))


def test_a_node_that_is_public_was_published(adapter: Adapter) -> None:
    assert adapter.events(told()) == [Event("published", f"article/{UUID}", "de")]


def test_a_node_that_is_not_public_was_updated(adapter: Adapter) -> None:
    assert adapter.events(told(status=[{"value": False}])) == [Event("updated", f"article/{UUID}", "de")]


def test_a_public_node_that_is_deleted_is_gone(adapter: Adapter) -> None:
    assert adapter.events(told("entity:node:delete")) == [Event("deleted", f"article/{UUID}", "de")]


def test_what_frontispiece_saves_itself_is_no_news(adapter: Adapter) -> None:
    assert adapter.events(told(user="frontispiece")) == []


@pytest.mark.parametrize("event", ["entity:user:create", "system:cron", "entity:node:presave"])
def test_other_messages_of_the_module_are_not_for_us(adapter: Adapter, event: str) -> None:
    assert adapter.events(told(event)) == []


def test_a_content_type_that_is_not_configured_is_not_for_us(adapter: Adapter) -> None:
    assert adapter.events(told(type=[{"target_id": "page"}])) == []


@pytest.mark.parametrize(
    "fields",
    [{"uuid": [{"value": "../user"}]}, {"uuid": []}, {"type": [{"target_id": "../x"}]}, {"type": "article"}],
    ids=str,
)
def test_a_field_that_cannot_be_drupal_s_is_unreadable(adapter: Adapter, fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        adapter.events(told(**fields))


def test_an_article_s_words_are_plain(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    assert (entry.body, entry.excerpt, entry.tags, entry.author) == ("Waves & wind.", "Windy", ("Sea",), "editor")


def test_a_wrong_password_is_not_taken_for_an_anonymous_visitor(site: Server) -> None:
    ref, wrong = site.create("published"), site.adapter(password="wrong")
    with wrong.open() as api, pytest.raises(NotAllowed, match="does not accept"):
        wrong.fetch(api, ref)


def test_unpublished_changes_are_named_as_the_reason(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("changed"))
    with pytest.raises(Conflict, match="has unpublished changes"):
        adapter.attach(api, entry, DRAWING)


def test_alt_text_is_cut_to_what_drupal_keeps(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    adapter.attach(api, entry, replace(DRAWING, alt="sea " * 200))
    assert site.alt(entry.ref) == ("sea " * 200)[:512]


def test_a_media_field_gets_a_media_item_with_alt_text(site: Server) -> None:
    adapter = site.with_media().adapter()
    with adapter.open() as api:
        entry = adapter.fetch(api, site.create("published"))
        receipt = adapter.attach(api, entry, DRAWING)
        assert site.image(entry.ref) == receipt.media_id in site.media
        assert adapter.fetch(api, entry.ref).image == cms.Current(receipt.media_id, receipt.url, DRAWING.alt)


def test_a_media_item_that_an_earlier_try_has_left_is_used(site: Server) -> None:
    adapter = site.with_media().adapter()
    with adapter.open() as api:
        entry = adapter.fetch(api, site.create("changed"))
        for _ in range(2):
            with pytest.raises(Conflict):
                adapter.attach(api, entry, DRAWING)
    assert (len(site.media), len(site.files)) == (1, 1)


def test_words_changed_between_two_tries_are_the_newer_ones_of_a_media_item(site: Server) -> None:
    adapter, ref = site.with_media().adapter(), site.create("changed")
    with adapter.open() as api:
        entry = adapter.fetch(api, ref)
        with pytest.raises(Conflict):
            adapter.attach(api, entry, DRAWING)
        site.public[ref.split("/")[1]] = site.latest.pop(ref.split("/")[1])  # the editor drops the public version
        adapter.attach(api, entry, replace(DRAWING, alt="Newer words"))
    assert (site.alt(ref), len(site.media)) == ("Newer words", 1)


def test_an_image_that_an_editor_sets_while_the_file_is_sent_is_kept(site: Server, adapter: Adapter) -> None:
    ref = site.create("published")

    def meanwhile(request: httpx.Request) -> None:
        if request.method == "POST":
            site.set_image(ref, DOT)

    with adapter.open() as api:
        api.event_hooks = {"request": [meanwhile]}
        with pytest.raises(Conflict):
            adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert site.alt(ref) == "Our own photograph"


def test_a_media_item_of_an_editor_comes_back_by_revert(site: Server) -> None:
    adapter, ref = site.with_media().adapter(), site.create("published")
    site.set_image(ref, DOT)
    theirs = site.image(ref)
    with adapter.open() as api:
        receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
        adapter.revert(api, ref, receipt)
    assert site.image(ref) == theirs


def test_the_other_pictures_of_a_field_for_many_stay(adapter: Adapter) -> None:
    others = [{"type": "file--file", "id": f"f{number}", "meta": {"alt": str(number)}} for number in (1, 2)]
    sent: list[Any] = []

    def drupal(request: httpx.Request) -> httpx.Response:
        shown = sent[-1] if sent else others
        if request.method == "PATCH":
            sent.append(json.loads(request.content)["data"]["relationships"]["field_image"]["data"])
        found = {"type": "node--article", "id": UUID, "relationships": {"field_image": {"data": shown}}}
        return httpx.Response(200, json={"data": found})

    with adapter.open(httpx.MockTransport(drupal)) as api:
        adapter.revert(api, f"article/{UUID}", cms.Receipt("f1", "", {"id": "f9", "alt": "Theirs"}))
    assert sent == [[{"type": "file--file", "id": "f9", "meta": {"alt": "Theirs"}}, others[1]]]


def test_an_entry_of_a_type_that_left_the_settings_is_explained(adapter: Adapter, api: httpx.Client) -> None:
    with pytest.raises(CmsProblem, match=r"no table types\.page"):
        adapter.fetch(api, f"page/{UUID}")


def test_the_doctor_says_where_writing_is_switched_on(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    site.read_only = True
    with pytest.raises(CmsProblem, match="/admin/config/services/jsonapi"):
        adapter.doctor(api)


def test_the_doctor_says_that_a_file_it_may_not_delete_stays(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    site.deletes_files = False
    assert any("stays for six hours" in line for line in adapter.doctor(api))


def test_recent_reads_page_after_page(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    refs = {site.create("published") for _ in range(51)}
    found = {event.ref for event in adapter.recent(api, datetime.now(UTC) - timedelta(minutes=1))}
    assert found == refs


def test_recent_asks_for_an_order_in_which_no_two_nodes_are_equal(adapter: Adapter, api: httpx.Client) -> None:
    asked: list[str | None] = []
    api.event_hooks = {"request": [lambda request: asked.append(request.url.params.get("sort"))]}
    list(adapter.recent(api, datetime.now(UTC)))
    assert asked == [None, "changed,drupal_internal__nid"]  # first it asks who we are


def test_a_revert_brings_back_whose_photograph_it_was(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.set_image(ref, b"\x89PNG theirs")
    site._edited(ref)["image"]["meta"]["title"] = "Photo: Ann Smith"
    adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), DRAWING))
    assert site._edited(ref)["image"]["meta"]["title"] == "Photo: Ann Smith"
