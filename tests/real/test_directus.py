"""What is particular to Directus, measured on a real one: versions, Flows, and files under ids of our own."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.directus import TYPES, Server
from servers.directus_core import token
from servers.recorder import Recorded, Recorder, recording

from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Entry, Event, Gone, Picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("directus"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def service(site: Server) -> Iterator[Recorder]:
    """Takes the deliveries in Frontispiece's place."""
    with recording() as recorder:
        site.hook(f"{recorder.url}/hooks/cms")
        yield recorder


@pytest.fixture
def quiet(service: Recorder) -> Recorder:
    """What the tests before have left is not this one's."""
    while not service.arrived.empty():
        service.take()
    return service


def picture(name: str = "frontispiece-1.webp", **changes: Any) -> Picture:
    file = io.BytesIO()
    Image.new("RGB", (640, 360), "teal").save(file, "webp")
    usual = Picture(name, "image/webp", file.getvalue(), 640, 360, alt="A boat leaves", caption="Drawn: A < B")
    return replace(usual, **changes)


def item(site: Server, ref: str) -> Any:
    return site.ask("GET", f"/items/{ref}")


def events(adapter: Adapter, request: Recorded) -> list[Event]:
    return adapter.events(Delivery(request.headers, request.body))


def claims(request: Recorded) -> Any:
    middle = request.body.split(b".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + b"=" * (-len(middle) % 4)))


class Meanwhile(httpx.BaseTransport):
    """Lets something happen just before our write reaches the item."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act, self.real = act, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH" and request.url.path.startswith("/items/"):
            self.act()
        return self.real.handle_request(request)

    def close(self) -> None:
        self.real.close()


def test_a_version_s_changes_are_promoted_beside_our_picture(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("changed")
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    site.promote(site.save_version(ref.partition("/")[2], {"summary": "Waves"}))
    shown = item(site, ref)
    assert (shown["title"], shown["summary"], shown["hero"]) == ("A day at sea (changed)", "Waves", receipt.media_id)


def test_an_image_in_a_version_outlives_our_picture(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref, theirs = site.create("published"), site.upload(picture().data)
    version = site.save_version(ref.partition("/")[2], {"hero": theirs})
    adapter.attach(api, adapter.fetch(api, ref), picture())
    assert site.image(ref) == theirs
    site.promote(version)
    assert item(site, ref)["hero"] == theirs


def test_a_first_draft_that_is_only_a_version_is_told_when_it_is_promoted(
    site: Server, adapter: Adapter, quiet: Recorder
) -> None:
    facts = {"key": "draft", "name": "Draft", "collection": "articles"}
    version = site.ask("POST", "/versions", json=facts)["id"]
    site.ask("POST", f"/versions/{version}/save", json={"title": "New", "status": "published"})
    number = site.ask("POST", f"/versions/{version}/promote", json={})
    assert events(adapter, quiet.take()) == [Event("published", f"articles/{number}")]


def test_a_version_that_is_saved_is_not_told(site: Server, adapter: Adapter, quiet: Recorder) -> None:
    ref = site.create("published")
    site.save_version(ref.partition("/")[2], {"title": "Another"})
    marker = site.create("draft")
    assert [events(adapter, quiet.take()) for _ in range(2)] == [[Event("published", ref)], [Event("created", marker)]]


@pytest.mark.parametrize("state", ["draft", "published"])
def test_what_we_write_is_not_sent(
    site: Server, adapter: Adapter, api: httpx.Client, quiet: Recorder, state: Any
) -> None:
    ref = site.create(state)
    quiet.take()
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    adapter.revert(api, ref, receipt)
    marker = site.create("draft")
    assert events(adapter, quiet.take()) == [Event("created", marker)]


def test_an_update_of_many_is_one_delivery_with_many_events(site: Server, adapter: Adapter, quiet: Recorder) -> None:
    refs = {site.create("draft"), site.create("draft")}
    [quiet.take() for _ in refs]
    keys = [ref.partition("/")[2] for ref in refs]
    site.ask("PATCH", "/items/articles", json={"keys": keys, "data": {"status": "published"}})
    found = events(adapter, quiet.take())
    assert {(event.kind, event.ref) for event in found} == {("published", ref) for ref in refs}


@pytest.mark.parametrize("away", ["archived", "deleted"])
def test_an_entry_that_was_put_away_is_told_and_gone(
    site: Server, adapter: Adapter, api: httpx.Client, quiet: Recorder, away: str
) -> None:
    ref = site.create("published")
    quiet.take()
    if away == "deleted":
        site.delete(ref)
    else:
        site.ask("PATCH", f"/items/{ref}", json={"status": "archived"})
    assert events(adapter, quiet.take()) == [Event("deleted", ref)]
    with pytest.raises(Gone):
        adapter.fetch(api, ref)


def test_a_delivery_has_no_word_of_the_entry(site: Server, quiet: Recorder) -> None:
    ref = site.create("published", title="Known to editors only")
    said = claims(quiet.take())
    assert said == {
        "event": "articles.items.create",
        "key": ref.partition("/")[2],
        "keys": "undefined",
        "status": {"status": "published"},
        "iat": said["iat"],
    }


def test_what_another_flow_makes_is_told_too(site: Server, adapter: Adapter, quiet: Recorder) -> None:
    """Nobody is its author: such a Flow may have the rights of the system itself."""
    options: dict[str, Any] = {"collection": "articles", "permissions": "$full", "emitEvents": True}
    options["payload"] = {"title": "By a flow"}
    step = {"key": "make", "type": "item-create", "position_x": 19, "position_y": 1, "options": options}
    flow = {"name": "Maker", "status": "active", "trigger": "webhook", "options": {"method": "POST"}}
    keys = site.keys["admin_token"]
    made = site.ask("POST", "/flows", keys, json={**flow, "operations": [step]})
    site.ask("PATCH", f"/flows/{made['id']}", keys, json={"operation": made["operations"][0]})
    with site.api() as editor:
        editor.post(f"/flows/trigger/{made['id']}").raise_for_status()
    assert [event.kind for event in events(adapter, quiet.take())] == ["created"]


def test_the_fields_that_the_settings_name_are_read(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    section = site.ask("POST", "/items/sections", json={"name": "Sport & Sea"})["id"]
    facts = {"summary": "Short", "tags": ["sea", "boats"], "section": section, "no_picture": True, "slug": "a b"}
    number = site.ask("POST", "/items/articles", json={"title": "T", "status": "published", **facts})["id"]
    read = adapter.fetch(api, f"articles/{number}")
    assert (read.excerpt, read.tags, read.section, read.author) == ("Short", ("sea", "boats"), "Sport & Sea", "Editor")
    assert (read.opted_out, read.url, read.status) == (True, "https://example.org/news/a%20b", "published")


def test_the_file_has_the_words_and_the_focal_point_in_pixels(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    receipt = adapter.attach(api, entry, picture(focal=(0.25, 0.5)))
    file = site.ask("GET", f"/files/{receipt.media_id}")
    assert (file["title"], file["description"], file["filename_download"]) == (
        "A day at sea",
        "A boat leaves",
        "frontispiece-1.webp",
    )
    assert (file["focal_point_x"], file["focal_point_y"]) == (160, 180)


def test_words_are_cut_to_what_a_field_holds(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    adapter.attach(api, adapter.fetch(api, ref), picture(alt="ä" * 300, caption="ß" * 300))
    assert (item(site, ref)["hero_alt"], item(site, ref)["hero_caption"]) == ("ä" * 255, "ß" * 255)


@pytest.mark.parametrize("data", [picture().data[:16], b"no picture at all"], ids=["a cut off webp", "text"])
def test_what_is_no_picture_is_final_and_does_not_stay(
    site: Server, adapter: Adapter, api: httpx.Client, data: bytes
) -> None:
    entry, there = adapter.fetch(api, site.create("published")), site.pictures()
    with pytest.raises(CmsProblem, match="cannot read it as a picture") as caught:
        adapter.attach(api, entry, picture(data=data))
    assert (caught.value.retry, site.pictures(), site.image(entry.ref)) == (False, there, "")


def test_directus_serves_the_very_bytes(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    receipt = adapter.attach(api, adapter.fetch(api, site.create("published")), picture())
    with site.api() as editor:
        assert editor.get(receipt.url).content == picture().data


def test_an_upload_that_was_cut_off_is_found_and_made_whole(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    receipt = adapter.attach(api, entry, picture())
    adapter.revert(api, entry.ref, receipt)
    site.ask("DELETE", f"/files/{receipt.media_id}")
    row = {"id": receipt.media_id, "storage": "local", "type": "image/webp", "filename_download": "half.webp"}
    site.ask("POST", "/files", json=row)  # what is there when Directus dies while it stores the bytes
    again = adapter.attach(api, entry, picture())
    with site.api() as editor:
        assert (again, editor.get(again.url).content) == (receipt, picture().data)


def test_the_words_of_an_editor_come_back_with_a_revert(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.ask("PATCH", f"/items/{ref}", json={"hero_alt": "By the editor", "hero_caption": None})
    receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
    assert (item(site, ref)["hero_alt"], item(site, ref)["hero_caption"]) == ("A boat leaves", "Drawn: A < B")
    adapter.revert(api, ref, receipt)
    assert (item(site, ref)["hero_alt"], item(site, ref)["hero_caption"]) == ("By the editor", None)


def test_a_lost_answer_does_not_lose_what_was_there_before(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.set_image(ref, picture().data)
    first = adapter.attach(api, adapter.fetch(api, ref), picture())
    assert adapter.attach(api, adapter.fetch(api, ref), picture()) == first


def test_a_file_whose_metadata_somebody_cleared_is_still_known_as_ours(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    first = adapter.attach(api, entry, picture(alt=""))
    site.ask("PATCH", f"/files/{first.media_id}", json={"metadata": None})
    assert adapter.attach(api, entry, picture(alt="")).previous == {"hero": None}


def test_an_image_that_is_set_while_ours_is_uploaded_stays(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    late = Meanwhile(lambda: site.set_image(entry.ref, picture().data))
    with adapter.open(late) as slow, pytest.raises(Conflict):
        adapter.attach(slow, entry, picture())
    assert item(site, entry.ref)["hero_alt"] == "Their own"


def test_nothing_but_image_and_words_changes(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    before = item(site, ref)
    adapter.attach(api, adapter.fetch(api, ref), picture())
    changed = {name for name, value in item(site, ref).items() if value != before[name]}
    assert changed == {"hero", "hero_alt", "hero_caption", "date_updated"}


def test_a_collection_without_states_and_with_another_key_has_its_alt_text_in_the_file(
    site: Server, adapter: Adapter, api: httpx.Client, quiet: Recorder
) -> None:
    number = site.ask("POST", "/items/products", json={"name": "A lamp"})["number"]
    [event] = events(adapter, quiet.take())
    entry: Entry = adapter.fetch(api, event.ref)
    receipt = adapter.attach(api, entry, picture())
    shown = adapter.fetch(api, event.ref).image
    assert (event, entry.kind, entry.title) == (Event("published", f"products/{number}"), "product", "A lamp")
    assert (shown and shown.id, shown and shown.alt) == (receipt.media_id, "A boat leaves")


def test_recent_reads_all_pages_and_leaves_out_what_is_archived(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=2)
    made = site.ask("POST", "/items/articles", params={"limit": "-1"}, json=[{"title": str(n)} for n in range(101)])
    site.ask("PATCH", f"/items/articles/{made[0]['id']}", json={"status": "archived"})
    found = {event.ref for event in adapter.recent(api, since)}
    wanted = {f"articles/{one['id']}" for one in made[1:]}
    assert (wanted <= found, f"articles/{made[0]['id']}" in found) == (True, False)


def test_the_doctor_says_that_directus_does_not_reach_us(site: Server, service: Recorder, api: httpx.Client) -> None:
    del service
    site.hook("http://127.0.0.1:9/hooks/cms")  # nobody listens there
    with pytest.raises(CmsProblem, match=r"does not reach our hook.*ECONNREFUSED"):
        site.adapter().doctor(api)


def test_the_doctor_says_that_our_secret_is_another(site: Server, quiet: Recorder, api: httpx.Client) -> None:
    site.hook(f"{quiet.url}/hooks/cms")
    with pytest.raises(CmsProblem, match="no Flow in Directus shows our webhook_secret"):
        site.adapter(webhook_secret="another one of them").doctor(api)


def test_the_doctor_says_that_a_collection_is_not_told(site: Server, quiet: Recorder, api: httpx.Client) -> None:
    site.adapter(types={"products": TYPES["products"]}).connect(api, f"{quiet.url}/hooks/cms")
    with pytest.raises(CmsProblem, match="out of date"):
        site.adapter().doctor(api)


def test_the_doctor_says_which_right_is_missing(site: Server) -> None:
    adapter = site.adapter(token=token("reader"), types={"articles": {"image": "hero"}})
    with adapter.open() as api, pytest.raises(CmsProblem, match="may not update hero of articles"):
        adapter.doctor(api)


def test_connecting_needs_an_administrator(site: Server) -> None:
    adapter = site.adapter(admin_token=None)
    with adapter.open() as api, pytest.raises(CmsProblem, match="must be that of an administrator"):
        adapter.connect(api, "http://127.0.0.1:9/hooks/cms")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Directus that sends nothing to its own machine, as it is by itself, and answers out of a cache."""
    settings = {"IMPORT_IP_DENY_LIST": "0.0.0.0,169.254.169.254", "CACHE_ENABLED": "true"}
    made = Server(tmp_path_factory.mktemp("guarded"), **settings)
    try:
        made.start()
        made.hook("http://127.0.0.1:9/hooks/cms")
        yield made
    finally:
        made.stop()


def test_the_doctor_names_the_setting_that_keeps_directus_from_us(guarded: Server) -> None:
    with guarded.adapter().open() as api, pytest.raises(CmsProblem, match=r"denied IP address.*IMPORT_IP_DENY_LIST"):
        guarded.adapter().doctor(api)


def test_a_flow_more_than_the_licence_has_is_not_made_but_ours_is_brought_up_to_date(guarded: Server) -> None:
    flow = {"name": "Another", "status": "active", "trigger": "webhook", "options": {"method": "POST"}}
    for _ in range(3):
        guarded.ask("POST", "/flows", guarded.keys["admin_token"], json=flow)
    with guarded.adapter().open() as api:
        assert "brought up to date" in guarded.adapter().connect(api, "http://127.0.0.1:9/hooks/cms").words[0]
        with pytest.raises(CmsProblem, match="switch off a Flow"):
            guarded.adapter().connect(api, "http://127.0.0.1:9/hooks/shop")


def test_a_cache_hides_nothing_from_us(guarded: Server) -> None:
    adapter, ref = guarded.adapter(), guarded.create("draft")
    with adapter.open() as api:
        adapter.fetch(api, ref)
        guarded.ask("PATCH", f"/items/{ref}", json={"title": "Newer"})
        assert adapter.fetch(api, ref).title == "Newer"
