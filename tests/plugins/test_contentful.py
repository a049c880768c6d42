"""What is particular to Contentful, against its stand-in: versions, unfinished work, languages, signed requests."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.contentful import SECRET, Server, sign
from servers.recorder import recording
from servers.site import State

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
    Picture,
    Refused,
    Unavailable,
    Unreadable,
)

HOOK = "https://frontispiece.example.org/hooks/blog"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("contentful"))
    made.start()
    yield made
    made.stop()


class At(httpx.BaseTransport):
    """Goes through to Contentful; at the first request of this method and end of path, lets something happen.

    With `cut` the request is lost after that; with `lost` its answer.
    """

    def __init__(
        self, method: str, end: str, act: Callable[[], None], *, cut: bool = False, lost: bool = False
    ) -> None:
        self.method, self.end, self.act, self.cut, self.lost = method, end, act, cut, lost
        self.real, self.left = httpx.HTTPTransport(), 1

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.left and request.method == self.method and request.url.path.endswith(self.end):
            self.left = 0
            self.act()
            if self.lost:
                self.real.handle_request(request).close()
            if self.cut or self.lost:
                raise httpx.ReadError("the connection was cut")
        return self.real.handle_request(request)

    def close(self) -> None:
        self.real.close()


def picture(**changes: Any) -> Picture:
    file = io.BytesIO()
    Image.effect_noise((64, 36), 90).convert("RGB").save(file, "webp")
    usual = Picture("frontispiece-1.webp", "image/webp", file.getvalue(), 64, 36, alt="A boat leaves the harbour")
    return replace(usual, **changes)


def read(site: Server, adapter: Adapter, api: httpx.Client, state: State = "published", **fields: Any) -> Entry:
    return adapter.fetch(api, site.create(state, **fields))


def told(topic: str = "Entry.publish", **sys: Any) -> Delivery:
    usual = {"id": "abc", "contentType": {"sys": {"id": "post"}}}
    headers = Headers([("X-Contentful-Topic", f"ContentManagement.{topic}")])
    return Delivery(headers, json.dumps({"sys": usual | sys}).encode())


# The state before × our write


def test_visitors_see_the_picture_of_a_published_entry(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api)
    receipt = adapter.attach(api, entry, picture())
    assert (site.public_image(entry.ref), site.state(entry.ref)) == (receipt.media_id, "published")


@pytest.mark.parametrize("state", ["draft", "changed"])
def test_nothing_is_published_beside_unfinished_work(
    site: Server, adapter: Adapter, api: httpx.Client, state: State
) -> None:
    entry = read(site, adapter, api, state)
    before = site.public_title(entry.ref)
    receipt = adapter.attach(api, entry, picture())
    assert (site.image(entry.ref), site.public_image(entry.ref)) == (receipt.media_id, "")
    assert (site.state(entry.ref), site.public_title(entry.ref)) == (state, before)


def test_another_try_beside_unfinished_work_does_not_publish_it(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = read(site, adapter, api, "changed"), picture()
    for _ in range(2):
        adapter.attach(api, entry, shown)
    assert (site.state(entry.ref), site.public_title(entry.ref)) == ("changed", "A day at sea")


@pytest.mark.parametrize("other", ["draft", "changed"])
def test_a_language_that_is_not_published_stays_so(
    site: Server, adapter: Adapter, api: httpx.Client, other: str
) -> None:
    entry, shown = read(site, adapter, api), picture()
    site.entries[entry.ref]["sys"]["fieldStatus"] = {"*": {"en-US": "published", "de": other}}
    for _ in range(2):
        adapter.attach(api, entry, shown)
    assert (site.public_image(entry.ref), bool(site.image(entry.ref))) == ("", True)


def test_an_entry_with_all_its_languages_published_is_published(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = read(site, adapter, api)
    site.entries[entry.ref]["sys"]["fieldStatus"] = {"*": {"en-US": "published", "de": "published"}}
    receipt = adapter.attach(api, entry, picture())
    assert site.public_image(entry.ref) == receipt.media_id


def test_a_revert_of_a_published_entry_is_published(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api)
    adapter.revert(api, entry.ref, adapter.attach(api, entry, picture()))
    assert (site.public_image(entry.ref), site.state(entry.ref)) == ("", "published")


def test_a_try_that_ended_before_it_could_publish_is_published_by_the_next(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = read(site, adapter, api), picture()
    with adapter.open(At("PUT", f"{entry.ref}/published", lambda: None, cut=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    assert site.state(entry.ref) == "changed"
    receipt = adapter.attach(api, entry, shown)
    assert (site.public_image(entry.ref), site.state(entry.ref)) == (receipt.media_id, "published")


def test_a_revert_that_ended_before_it_could_publish_is_published_by_the_next(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = read(site, adapter, api)
    receipt = adapter.attach(api, entry, picture())
    with adapter.open(At("PUT", f"{entry.ref}/published", lambda: None, cut=True)) as cut, pytest.raises(Unavailable):
        adapter.revert(cut, entry.ref, receipt)
    adapter.revert(api, entry.ref, receipt)
    assert (site.public_image(entry.ref), site.state(entry.ref)) == ("", "published")


def test_work_begun_before_the_next_try_is_not_published(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = read(site, adapter, api), picture()
    with adapter.open(At("PUT", f"{entry.ref}/published", lambda: None, cut=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    site.rename(entry.ref, "Unfinished")
    adapter.attach(api, entry, shown)
    assert (site.state(entry.ref), site.public_title(entry.ref)) == ("changed", "A day at sea")


def test_work_begun_between_our_change_and_its_publication_is_not_published(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = read(site, adapter, api), picture()
    meanwhile = At("PUT", f"{entry.ref}/published", lambda: site.rename(entry.ref, "Unfinished"))
    with adapter.open(meanwhile) as slow, pytest.raises(Unavailable):
        adapter.attach(slow, entry, shown)
    adapter.attach(api, entry, shown)
    assert (site.title(entry.ref), site.public_title(entry.ref)) == ("Unfinished", "A day at sea")


def test_one_change_of_an_editor_s_that_shows_our_picture_is_not_published(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = read(site, adapter, api), picture()
    receipt = adapter.attach(api, entry, shown)
    adapter.revert(api, entry.ref, receipt)
    site.choose(entry.ref, receipt.media_id)  # in the editor, and not published yet
    adapter.attach(api, adapter.fetch(api, entry.ref), shown)
    assert (site.state(entry.ref), site.public_image(entry.ref)) == ("changed", "")


def test_a_change_that_cannot_be_published_is_said(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api)
    site.entries[entry.ref]["fields"]["title"] = {"en-US": ""}  # its content type has become stricter since
    with pytest.raises(CmsProblem, match=r"InvalidEntry.*publish the entry by hand") as caught:
        adapter.attach(api, entry, picture())
    assert not caught.value.retry


# Locks


def test_a_save_just_before_our_write_is_not_written_over(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api, "draft")
    meanwhile = At("PATCH", entry.ref, lambda: site.rename(entry.ref, "Faster"))
    with adapter.open(meanwhile) as slow, pytest.raises(Unavailable, match="VersionMismatch"):
        adapter.attach(slow, entry, picture())
    assert (site.title(entry.ref), site.image(entry.ref)) == ("Faster", "")


def test_an_entry_of_another_type_is_left_alone(site: Server) -> None:
    adapter, ref = site.adapter(types={"page": {}}), site.create("draft")
    with adapter.open() as api:
        assert adapter.fetch(api, ref).opted_out
        with pytest.raises(CmsProblem, match="content type that this site does not name"):
            adapter.attach(api, Entry(ref, "article", "x"), picture())


def test_an_archived_entry_is_gone(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api, "draft")
    site.archive(entry.ref)
    with pytest.raises(Gone, match="archived"):
        adapter.attach(api, entry, picture())


# Pictures


def test_an_upload_that_lapsed_before_it_was_taken_over_is_sent_again(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown, there = read(site, adapter, api), picture(), site.pictures()
    with adapter.open(At("PUT", "/process", site.uploads.clear, cut=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    adapter.attach(api, entry, shown)
    assert site.pictures() == there + 1


def test_what_contentful_is_still_working_on_is_not_sent_again(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, shown = read(site, adapter, api), picture()
    with adapter.open(At("PUT", "/process", lambda: None, lost=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    sent = len(site.uploads)
    adapter.attach(api, entry, shown)
    assert len(site.uploads) == sent


def test_words_changed_between_two_tries_are_the_newer_ones(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry, shown = read(site, adapter, api), picture()
    with adapter.open(At("PATCH", entry.ref, lambda: None, cut=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    adapter.attach(api, entry, replace(shown, alt="Newer words"))
    assert site.alt(entry.ref) == "Newer words"


def test_one_picture_has_its_words_in_every_language(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("draft", title="Harbour")
    site.entries[ref]["fields"]["title"]["de"] = "Hafen"
    adapter.attach(api, adapter.fetch(api, ref), picture(alts={"de": "Ein Boot verlässt den Hafen"}))
    asset = site.assets[site.image(ref)]["fields"]
    assert asset["title"] == {"en-US": "Harbour", "de": "Hafen"}
    assert asset["description"] == {"en-US": "A boat leaves the harbour", "de": "Ein Boot verlässt den Hafen"}


def test_a_picture_in_another_language_stays(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api, "draft")
    theirs = {"de": {"sys": {"type": "Link", "linkType": "Asset", "id": "theirs"}}}
    site.entries[entry.ref]["fields"]["heroImage"] = theirs
    seen = adapter.fetch(api, entry.ref)
    assert seen.image == Current("theirs")
    adapter.attach(api, seen, picture())
    assert site.entries[entry.ref]["fields"]["heroImage"]["de"] == theirs["de"]


def test_a_picture_that_only_another_language_has_is_a_conflict(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = read(site, adapter, api, "draft")
    link = {"sys": {"type": "Link", "linkType": "Asset", "id": "theirs"}}
    site.entries[entry.ref]["fields"]["heroImage"] = {"de": link}
    with pytest.raises(Conflict):
        adapter.attach(api, entry, picture())


# Reading


def test_an_entry_reads_in_its_language_and_else_in_the_default_one(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("draft", title="Harbour")
    site.entries[ref]["fields"]["title"]["de"] = "Hafen"
    entry = adapter.fetch(api, ref, "de")
    assert (entry.title, entry.excerpt, entry.locale) == ("Hafen", "Waves.", "de")
    assert entry.titles == {"en-US": "Harbour", "de": "Hafen"}


def test_rich_text_lists_and_addresses_are_read(site: Server) -> None:
    text = {"nodeType": "paragraph", "content": [{"nodeType": "text", "value": "The oven never sleeps.", "marks": []}]}
    body = {"nodeType": "document", "content": [text, {"nodeType": "embedded-asset-block", "content": [], "data": {}}]}
    kind = {"image": "heroImage", "body": "body", "tags": "tags", "opt_out": "noImage", "url": "https://a.test/{slug}"}
    adapter = site.adapter(types={"post": kind})
    with adapter.open() as api:
        entry = read(site, adapter, api, body=body, tags=["bread", "night"], slug="a b", noImage=True)
    assert (entry.body, entry.tags) == ("The oven never sleeps.", ("bread", "night"))
    assert (entry.url, entry.opted_out) == ("https://a.test/a%20b", True)


def test_recent_goes_on_after_its_first_page(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    since, made = datetime.now(UTC) - timedelta(seconds=1), {site.create("draft") for _ in range(103)}
    assert made <= {event.ref for event in adapter.recent(api, since)}


# Connecting


def test_our_own_write_is_never_told(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    with recording() as service:
        site.hook(f"{service.url}/hooks/blog")
        entry = read(site, adapter, api)
        adapter.attach(api, entry, picture())
        marker = site.create("draft")
        deliveries = [service.take() for _ in range(3)]
    events = [adapter.events(Delivery(one.headers, one.body)) for one in deliveries]
    assert events == [[Event("created", entry.ref)], [Event("published", entry.ref)], [Event("created", marker)]]


def test_another_signing_secret_of_the_space_is_left_alone(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    adapter.connect(api, HOOK)
    other = site.adapter(webhook_secret="x" * 64)
    with pytest.raises(CmsProblem, match="ends in") as caught:
        other.connect(api, HOOK)
    assert site.secret == SECRET
    assert SECRET not in caught.value.words


def test_a_new_secret_is_one_that_contentful_takes(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    site.secret, fresh = "", adapter.settings.new_secret()
    site.adapter(webhook_secret=fresh).connect(api, HOOK)
    assert site.secret == fresh
    site.secret = SECRET


def test_the_doctor_says_how_deliveries_fare(adapter: Adapter, api: httpx.Client) -> None:
    adapter.connect(api, HOOK)
    assert any("6 of the last 7" in line for line in adapter.doctor(api))


def test_a_user_who_is_no_administrator_is_told_what_is_missing(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    site.administrator = False
    with pytest.raises(CmsProblem, match="make the user an administrator"):
        adapter.connect(api, HOOK)
    assert any("administrators" in line for line in adapter.doctor(api))
    site.administrator = True


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"locale": "de"}, "default is 'en-US'"),
        ({"types": {"post": {"image": "title"}}}, "no field 'title' for one asset"),
        ({"types": {"page": {"image": "heroImage"}}}, "404"),
    ],
    ids=["locale", "field", "type"],
)
def test_the_doctor_finds_a_wrong_setting(site: Server, keys: dict[str, Any], words: str) -> None:
    adapter = site.adapter(**keys)
    with adapter.open() as api, pytest.raises(CmsProblem, match=words):
        adapter.doctor(api)


# Deliveries


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("create", "created"),
        ("publish", "published"),
        ("save", "updated"),
        ("unarchive", "updated"),
        ("archive", "deleted"),
        ("delete", "deleted"),
    ],
)
def test_what_became_of_an_entry(adapter: Adapter, topic: str, kind: Any) -> None:
    assert adapter.events(told(f"Entry.{topic}")) == [Event(kind, "abc")]


@pytest.mark.parametrize("topic", ["Entry.auto_save", "Entry.unpublish", "Entry.new", "Asset.publish", "Task.create"])
def test_other_topics_are_not_for_us(adapter: Adapter, topic: str) -> None:
    assert adapter.events(told(topic)) == []


def test_a_content_type_that_the_site_does_not_name_is_not_for_us(adapter: Adapter) -> None:
    assert adapter.events(told(contentType={"sys": {"id": "author"}})) == []


@pytest.mark.parametrize("number", ["", ".", "..", "a/b", "a b", "a" * 65, 7, None])
def test_an_id_that_contentful_never_gives_is_unreadable(adapter: Adapter, number: Any) -> None:
    with pytest.raises(Unreadable):
        adapter.events(told(id=number))


def test_a_delivery_without_its_topic_is_unreadable(adapter: Adapter) -> None:
    with pytest.raises(Unreadable):
        adapter.events(Delivery(Headers(), told().body))


@pytest.mark.parametrize("name", ["x-contentful-topic", "x-contentful-timestamp", "x-contentful-signed-headers"])
def test_a_signed_header_that_is_missing_or_doubled_is_refused(adapter: Adapter, name: str) -> None:
    headers = sign(SECRET, "/hooks/blog", {"X-Contentful-Topic": "t"}, b"{}", 1795229587123)
    pairs = list(headers.items())
    adapter.verify(Delivery(Headers(pairs), b"{}", "/hooks/blog", 1795229587))
    for changed in ([pair for pair in pairs if pair[0] != name], [*pairs, (name, headers[name])]):
        with pytest.raises(Refused):
            adapter.verify(Delivery(Headers(changed), b"{}", "/hooks/blog", 1795229587))


def test_a_delivery_to_another_path_is_refused(adapter: Adapter) -> None:
    headers = sign(SECRET, "/hooks/blog", {}, b"{}", 1795229587123)
    with pytest.raises(Refused):
        adapter.verify(Delivery(Headers(headers.items()), b"{}", "/hooks/shop", 1795229587))
