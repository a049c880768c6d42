"""What is Ghost's own: its lock, its limits, pictures that nobody can list or delete, and what it tells of a write."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.ghost import Server
from servers.recorder import Recorder, recording

from frontispiece.cms import Adapter, CmsProblem, Delivery, Entry, Event, NotAllowed, Picture, Receipt, Unavailable

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

KEPT = ("title", "slug", "lexical", "html", "tags", "authors", "status", "visibility", "published_at", "custom_excerpt")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("ghost"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def service(site: Server) -> Iterator[Recorder]:
    """Takes the deliveries in Frontispiece's place, for one test."""
    with recording() as recorder:
        site.hook(f"{recorder.url}/hooks/blog")
        yield recorder
        for one in site.webhooks():
            site.editor.delete(f"/webhooks/{one['id']}/").raise_for_status()


class Between(httpx.BaseTransport):
    """Lets an editor do something in the moment before the entry is written."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act, self.real = act, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            self.act()
        return self.real.handle_request(request)

    def close(self) -> None:
        self.real.close()


def picture(entry: Entry, **changes: Any) -> Picture:
    """The entry's own, always the same; Ghost can make it smaller, and its metadata say where it comes from."""
    file = io.BytesIO()
    noise = Image.frombytes("RGB", (320, 180), Random(entry.ref).randbytes(320 * 180 * 3))
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">trainedAlgorithmicMedia</x:xmpmeta>'
    noise.save(file, "webp", quality=95, xmp=xmp)
    name = f"frontispiece-{entry.ref[-8:]}.webp"
    usual = Picture(name, "image/webp", file.getvalue(), 320, 180, "A boat leaves the harbour", "Drawn for us")
    return replace(usual, **changes)


def attached(site: Server, adapter: Adapter, api: httpx.Client, ref: str = "", **changes: Any) -> tuple[Entry, Receipt]:
    entry = adapter.fetch(api, ref or site.create("published"))
    return entry, adapter.attach(api, entry, picture(entry, **changes))


def told(adapter: Adapter, service: Recorder, last: Event) -> list[Event]:
    """The events of all deliveries up to this last one."""
    found: list[Event] = []
    while last not in found:
        request = service.take()
        delivery = Delivery(request.headers, request.body, request.path)
        adapter.verify(delivery)
        found += adapter.events(delivery)
    return found


def files(site: Server, receipt: Receipt) -> tuple[Path, Path]:
    """The copy that Ghost shows, and the original beside it."""
    shown = site.folder / httpx.URL(receipt.url).path.lstrip("/")
    return shown, shown.with_stem(f"{shown.stem}_o")


@pytest.mark.parametrize("kind", ["posts", "pages"])
@pytest.mark.parametrize("status", ["draft", "published", "scheduled"])
def test_nothing_but_the_image_changes(
    site: Server, adapter: Adapter, api: httpx.Client, kind: str, status: str
) -> None:
    when = {"published_at": "2035-01-01T00:00:00.000Z"} if status == "scheduled" else {}
    ref = site.write(kind, status=status, custom_excerpt="Short", tags=[{"name": "Boats"}], **when)
    before = site.read(ref)
    attached(site, adapter, api, ref)
    after = site.read(ref)
    assert {field: after[field] for field in KEPT} == {field: before[field] for field in KEPT}
    assert after["feature_image"]


def test_a_post_is_read_with_its_words_and_tags(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.write(custom_excerpt="Short", tags=[{"name": "Boats"}, {"name": "#photo"}]))
    assert (entry.excerpt, entry.body, entry.tags, entry.section) == ("Short", "Waves.", ("Boats",), "Boats")
    assert (entry.sections, entry.author, entry.status) == (("Boats", "#photo"), "The Editor", "draft")


def test_the_tag_that_opts_out_is_read(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    assert adapter.fetch(api, site.write(tags=[{"name": "#No-Picture"}])).opted_out is True


def test_a_save_between_reading_and_writing_is_kept_and_the_write_tried_again(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    shown, there = picture(entry), site.pictures()

    def save() -> None:
        """Until Ghost's clock, which counts whole seconds, has moved on."""
        while site.read(entry.ref)["updated_at"] == entry.version:
            site.rename(entry.ref, f"{site.title(entry.ref)}!")

    with adapter.open(Between(save)) as crossed, pytest.raises(Unavailable, match="saved by somebody"):
        adapter.attach(crossed, entry, shown)
    title = site.title(entry.ref)
    adapter.attach(api, entry, shown)
    assert (site.title(entry.ref), site.title(entry.ref).endswith("!")) == (title, True)
    assert site.pictures() == there + 1


@pytest.mark.parametrize("letter", ["e", "é", "\N{SHIP}"])
def test_an_alt_text_of_191_characters_arrives_whole(
    site: Server, adapter: Adapter, api: httpx.Client, letter: str
) -> None:
    entry, _ = attached(site, adapter, api, alt=letter * 191)
    assert site.alt(entry.ref) == letter * 191


def test_a_longer_alt_text_ends_after_a_word(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, _ = attached(site, adapter, api, alt="boat " * 60)
    assert site.alt(entry.ref) == ("boat " * 38).strip() + "…"


def test_readers_see_picture_alt_text_and_caption(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, receipt = attached(site, adapter, api, caption="A <b>boat</b> & Co")
    page = httpx.get(entry.url).text
    assert 'alt="A boat leaves the harbour"' in page
    assert "A &lt;b&gt;boat&lt;/b&gt; &amp; Co" in page
    assert httpx.URL(receipt.url).path.rpartition("/")[2] in page


def test_ghost_shows_a_smaller_copy_without_metadata_and_keeps_the_original(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    _, receipt = attached(site, adapter, api)
    shown, original = files(site, receipt)
    assert b"trainedAlgorithmicMedia" not in shown.read_bytes()
    assert b"trainedAlgorithmicMedia" in original.read_bytes()


def test_alt_text_and_caption_of_a_replaced_image_come_back(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.save(
        ref, feature_image="https://example.org/own.jpg", feature_image_alt="Ours", feature_image_caption="<b>1</b>"
    )
    entry, receipt = attached(site, adapter, api, ref)
    adapter.revert(api, entry.ref, receipt)
    after = site.read(ref)
    assert (after["feature_image_alt"], after["feature_image_caption"]) == ("Ours", "<b>1</b>")


def test_after_a_lost_receipt_a_revert_still_brings_back_what_was_there(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("published")
    site.save(ref, feature_image="https://example.org/own.jpg")
    entry = adapter.fetch(api, ref)
    shown = picture(entry)
    adapter.attach(api, entry, shown)  # the receipt is lost with the worker
    adapter.revert(api, ref, adapter.attach(api, entry, shown))
    assert site.image(ref) == "https://example.org/own.jpg"


def test_our_write_is_not_told_as_an_event(
    site: Server, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    ref = site.create("published")
    entry, receipt = attached(site, adapter, api, ref)
    adapter.revert(api, ref, receipt)
    marker = site.create("draft")
    events = [event for event in told(adapter, service, Event("created", marker)) if event.ref == entry.ref]
    assert sorted(event.kind for event in events) == ["created", "published"]


def test_a_change_of_words_is_told(site: Server, adapter: Adapter, service: Recorder) -> None:
    ref = site.create("draft")
    site.rename(ref, "Another day at sea")
    assert told(adapter, service, Event("updated", ref)) == [Event("created", ref), Event("updated", ref)]


def test_a_deleted_post_is_told(site: Server, adapter: Adapter, service: Recorder) -> None:
    ref = site.create("draft")
    site.delete(ref)
    assert told(adapter, service, Event("deleted", ref))


def test_pages_are_told_where_the_site_wants_them(site: Server, api: httpx.Client, service: Recorder) -> None:
    both = site.adapter(post_types=("posts", "pages"))
    both.connect(api, f"{service.url}/hooks/blog")
    ref = site.write("pages", status="published")
    assert told(both, service, Event("published", ref))


def test_connecting_again_says_what_it_cannot_change(adapter: Adapter, api: httpx.Client) -> None:
    first, second = (adapter.connect(api, "https://frontispiece.example.org/hooks/blog").words for _ in range(2))
    assert (len(first), len(second)) == (1, 2)
    assert "post.published" in second[1]
    assert "delete these webhooks" in second[1]


def test_an_upload_that_was_cut_off_is_made_anew_and_known_as_ours(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, receipt = attached(site, adapter, api)
    adapter.revert(api, entry.ref, receipt)
    shown, original = files(site, receipt)
    original.unlink()
    shown.write_bytes(shown.read_bytes()[:500])
    again = adapter.attach(api, entry, picture(entry))
    assert again.url == receipt.url.replace(".webp", "-1.webp")
    assert adapter.attach(api, entry, picture(entry)) == again


@pytest.fixture
def private(site: Server) -> Iterator[None]:
    """Visitors need a password."""
    switch = [{"key": "is_private", "value": True}, {"key": "password", "value": "for tests only"}]
    site.editor.put("/settings/", json={"settings": switch}).raise_for_status()
    yield
    site.editor.put("/settings/", json={"settings": [{"key": "is_private", "value": False}]}).raise_for_status()


@pytest.mark.usefixtures("private")
def test_on_a_private_site_an_earlier_upload_is_found_too(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, receipt = attached(site, adapter, api)
    adapter.revert(api, entry.ref, receipt)
    there = site.pictures()
    assert adapter.attach(api, entry, picture(entry)) == receipt
    assert site.pictures() == there


def test_a_picture_that_is_none_is_said_to_be_invalid(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    with pytest.raises(CmsProblem, match="Image processing failed") as caught:
        attached(site, adapter, api, data=b"no picture at all")
    assert caught.value.retry is False


def test_recent_finds_drafts_scheduled_and_published_ones(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    draft, page = site.create("draft"), site.write("pages", status="published")
    later = site.write(status="scheduled", published_at="2035-01-01T00:00:00.000Z")
    found = list(site.adapter(post_types=("posts", "pages")).recent(api, since))
    assert {Event("created", draft), Event("created", later), Event("published", page)} <= set(found)
    assert page not in {event.ref for event in adapter.recent(api, since)}


def test_the_doctor_leaves_one_test_picture_however_often_it_comes(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    adapter.doctor(api)
    there = site.pictures()
    words = adapter.doctor(api)
    assert site.pictures() == there
    assert words[1].startswith("a test picture of an earlier time stays")
    assert words[2].startswith("metadata stay in the original")


@pytest.mark.parametrize("act", ["fetch", "attach", "revert", "recent", "connect", "doctor"])
@pytest.mark.parametrize("part", ["id", "secret"])
def test_a_wrong_key_is_not_allowed(site: Server, adapter: Adapter, api: httpx.Client, act: str, part: str) -> None:
    entry = adapter.fetch(api, site.create("draft"))
    number, secret = site.keys["admin_key"].split(":")
    wrong = site.adapter(admin_key=f"{'0' * 24}:{secret}" if part == "id" else f"{number}:{'0' * 64}")
    acts: dict[str, Callable[[httpx.Client], object]] = {
        "fetch": lambda client: wrong.fetch(client, entry.ref),
        "attach": lambda client: wrong.attach(client, entry, picture(entry)),
        "revert": lambda client: wrong.revert(client, entry.ref, Receipt("", "", {})),
        "recent": lambda client: list(wrong.recent(client, datetime.now(UTC))),
        "connect": lambda client: wrong.connect(client, "https://frontispiece.example.org/hooks/blog"),
        "doctor": wrong.doctor,
    }
    with wrong.open() as client, pytest.raises(NotAllowed):
        acts[act](client)
