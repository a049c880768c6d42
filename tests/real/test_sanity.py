"""What is particular to Sanity: signatures and GROQ, by its own JavaScript, and drafts beside what is public."""

import io
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.recorder import parse, recording
from servers.sanity import Server, sign
from servers.sanity_node import run
from servers.site import SECRET, State

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Current,
    Delivery,
    Entry,
    Event,
    Headers,
    Picture,
    Unavailable,
)

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

DELIVERIES = Path(__file__).parents[2] / "plugins/sanity/deliveries"
STAMP = 1795229587123


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("sanity"))
    made.start()
    yield made
    made.stop()


def picture(**changes: Any) -> Picture:
    file = io.BytesIO()
    Image.effect_noise((64, 36), 90).convert("RGB").save(file, "webp")
    usual = Picture("frontispiece-1.webp", "image/webp", file.getvalue(), 64, 36, alt="A boat leaves the harbour")
    return replace(usual, **changes)


def read(site: Server, adapter: Adapter, api: httpx.Client, state: State = "published", **fields: Any) -> Entry:
    return adapter.fetch(api, site.create(state, **fields))


def public_image(site: Server, entry: Entry) -> str:
    """The image that visitors see."""
    return str(site.documents.get(entry.ref, {}).get("mainImage", {}).get("asset", {}).get("_ref", ""))


class Meanwhile(httpx.BaseTransport):
    """Lets an editor act just before our transaction goes out, or loses the answer to it."""

    def __init__(self, act: Callable[[], None] = lambda: None, *, cut: bool = False) -> None:
        self.act, self.cut, self.real = act, cut, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        ours = "/data/mutate/" in request.url.path
        if ours:
            self.act()
        answer = self.real.handle_request(request)
        if ours and self.cut:
            answer.close()
            raise httpx.ReadError("the connection was cut")
        return answer

    def close(self) -> None:
        self.real.close()


# Signatures


@pytest.mark.parametrize("body", ['{"_id":"a","title":"Zwölf 🚢\\r\\n"}', "[]", " {} "])
def test_what_sanity_signs_is_authentic(adapter: Adapter, body: str) -> None:
    header = run("signature.js", secret=SECRET, body=body, stamp=STAMP)
    delivery = Delivery(Headers([("sanity-webhook-signature", header)]), body.encode(), "", STAMP / 1000)
    assert adapter.verify(delivery) == ""


def test_sanity_accepts_what_our_stand_in_signs() -> None:
    header = sign(SECRET, b'{"_id":"a"}', STAMP)["sanity-webhook-signature"]
    assert run("signature.js", secret=SECRET, body='{"_id":"a"}', header=header) is True
    assert run("signature.js", secret=SECRET, body='{"_id":"b"}', header=header) is False


@pytest.mark.parametrize("path", sorted(DELIVERIES.glob("*.http")), ids=lambda path: path.stem)
def test_sanity_accepts_the_deliveries_beside_the_plugin(path: Path) -> None:
    sent = parse(path.read_bytes())
    header = sent.headers.get("sanity-webhook-signature")
    secret = tomllib.loads((DELIVERIES / "site.toml").read_text("utf8"))["webhook_secret"]
    assert run("signature.js", secret=secret, body=sent.body.decode(), header=header) is True


# The state before × our write


def test_on_a_published_document_the_picture_is_live(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api)
    receipt = adapter.attach(api, entry, picture())
    assert (public_image(site, entry), f"drafts.{entry.ref}" in site.documents) == (receipt.media_id, False)


def test_a_draft_stays_one_and_nothing_is_public(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api, "draft")
    adapter.attach(api, entry, picture())
    assert entry.ref not in site.documents


def test_a_picture_is_live_beside_unfinished_work_and_survives_its_publication(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = read(site, adapter, api, "changed")
    receipt = adapter.attach(api, entry, picture())
    assert (public_image(site, entry), site.public_title(entry.ref)) == (receipt.media_id, "A day at sea")
    site.publish(entry.ref)
    assert (public_image(site, entry), site.public_title(entry.ref)) == (receipt.media_id, "A day at sea (changed)")


def test_an_image_that_only_the_public_has_stays_when_the_draft_has_none(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = read(site, adapter, api)
    site.set_image(entry.ref, picture().data)
    theirs = public_image(site, entry)
    site.commit([{"create": site.documents[entry.ref] | {"_id": f"drafts.{entry.ref}"}}])
    site.commit([{"patch": {"id": f"drafts.{entry.ref}", "unset": ["mainImage"]}}])
    receipt = adapter.attach(api, adapter.fetch(api, entry.ref), picture())
    assert (site.image(entry.ref), public_image(site, entry)) == (receipt.media_id, theirs)


def test_a_revert_takes_the_picture_from_both(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api, "changed")
    adapter.revert(api, entry.ref, adapter.attach(api, entry, picture()))
    assert (site.image(entry.ref), public_image(site, entry), site.state(entry.ref)) == ("", "", "changed")


# Locks


@pytest.mark.parametrize("state", ["draft", "published", "changed"])
def test_a_save_just_before_our_write_is_not_written_over(
    site: Server, adapter: Adapter, api: httpx.Client, state: State
) -> None:
    entry = read(site, adapter, api, state)
    with adapter.open(Meanwhile(lambda: site.rename(entry.ref, "Faster"))) as slow, pytest.raises(Unavailable):
        adapter.attach(slow, entry, picture())
    assert (site.title(entry.ref), site.image(entry.ref), public_image(site, entry)) == ("Faster", "", "")


def test_a_draft_begun_just_before_our_write_gets_the_picture_too(site: Server, adapter: Adapter) -> None:
    ref = site.create("published")
    with adapter.open(Meanwhile(lambda: site.begin(ref, "Begun"))) as slow:
        receipt = adapter.attach(slow, adapter.fetch(slow, ref), picture())
    site.publish(ref)
    assert (site.image(ref), site.public_title(ref)) == (receipt.media_id, "Begun")


def test_an_image_set_just_before_our_write_is_a_conflict_the_next_time(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry, theirs = read(site, adapter, api), picture().data
    with adapter.open(Meanwhile(lambda: site.set_image(entry.ref, theirs))) as slow, pytest.raises(Unavailable):
        adapter.attach(slow, entry, picture())
    with pytest.raises(Conflict):
        adapter.attach(api, entry, picture())


# What is written, and put back


def test_caption_and_focal_point_go_into_the_image(site: Server) -> None:
    adapter = site.adapter(types={"post": {"caption": "caption"}})
    with adapter.open() as api:
        entry = read(site, adapter, api)
        adapter.attach(api, entry, picture(caption="A drawing", focal=(0.25, 0.75)))
    image = site.documents[entry.ref]["mainImage"]
    assert (image["caption"], image["hotspot"]["x"], image["hotspot"]["y"]) == ("A drawing", 0.25, 0.75)


def test_crop_and_words_of_the_image_before_come_back(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api)
    site.set_image(entry.ref, picture().data)
    site.commit([{"patch": {"id": entry.ref, "set": {"mainImage.crop": {"top": 0.1}, "mainImage.credit": "Ada"}}}])
    theirs = site.documents[entry.ref]["mainImage"]
    adapter.revert(api, entry.ref, adapter.attach(api, adapter.fetch(api, entry.ref), picture()))
    assert site.documents[entry.ref]["mainImage"] == theirs


def test_after_a_lost_answer_a_revert_still_brings_the_image_before(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref, shown = site.create("published"), picture()
    site.set_image(ref, picture().data)
    entry = adapter.fetch(api, ref)
    with adapter.open(Meanwhile(cut=True)) as cut, pytest.raises(Unavailable):
        adapter.attach(cut, entry, shown)
    adapter.revert(api, ref, adapter.attach(api, entry, shown))
    assert adapter.fetch(api, ref).image == entry.image


def test_an_image_in_an_object_that_is_not_there_is_said(site: Server) -> None:
    adapter = site.adapter(types={"post": {"image": "hero.image"}})
    with adapter.open() as api, pytest.raises(CmsProblem, match="kept the image none"):
        adapter.attach(api, read(site, adapter, api), picture())


def test_the_same_picture_on_two_entries_is_one_asset(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    shown, there = picture(), site.pictures()
    first, second = (adapter.attach(api, read(site, adapter, api), shown) for _ in range(2))
    assert (first.media_id, site.pictures()) == (second.media_id, there + 1)


def test_bytes_that_are_no_picture_are_final(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    with pytest.raises(CmsProblem, match="could not read metadata") as caught:
        adapter.attach(api, read(site, adapter, api), picture(data=b"no picture"))
    assert not caught.value.retry


# Reading


def test_references_and_portable_text_are_read_as_plain_text(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    site.commit([{"createIfNotExists": {"_id": "tag-sea", "_type": "tag", "title": "Sea"}}])
    spans = [{"_type": "span", "text": "The oven "}, {"_type": "span", "text": "never sleeps."}]
    body = [{"_type": "block", "children": spans}, {"_type": "image", "asset": {"_ref": "x"}}]
    entry = read(site, adapter, api, tags=[{"_ref": "tag-sea"}], body=body, language="de")
    assert (entry.body, entry.tags, entry.locale) == ("The oven never sleeps.", ("Sea",), "de")


def test_addresses_are_made_of_what_the_document_holds(site: Server) -> None:
    types = {"post": {"url": "https://example.org/{language}/{slug.current}"}}
    adapter = site.adapter(types=types, studio="https://studio.example.org")
    with adapter.open() as api:
        entry = read(site, adapter, api, slug={"current": "a b/c"}, language="en")
    assert entry.url == "https://example.org/en/a%20b%2Fc"
    assert entry.edit_url == f"https://studio.example.org/intent/edit/id={entry.ref};type=post"


def test_an_editor_s_image_is_read_with_its_words(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api)
    site.set_image(entry.ref, picture().data)
    url = site.documents[site.image(entry.ref)]["url"]
    assert adapter.fetch(api, entry.ref).image == Current(site.image(entry.ref), url, "Our own photograph")


def test_recent_goes_on_after_its_first_page(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    made = [{"create": {"_id": f"many-{number:03}", "_type": "post", "title": "x"}} for number in range(105)]
    site.commit(made)  # one moment for all
    found = [event.ref for event in adapter.recent(api, since) if event.ref.startswith("many-")]
    assert found == sorted(found)
    assert len(found) == 105


def test_recent_tells_a_draft_from_what_is_public(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    draft, public = site.create("draft"), site.create("published")
    found = list(adapter.recent(api, since))
    assert Event("created", draft) in found
    assert Event("published", public) in found


# Webhooks


def test_our_own_write_is_never_told(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = read(site, adapter, api)
    with recording() as service:
        site.hook(f"{service.url}/hooks/blog")
        receipt = adapter.attach(api, entry, picture())
        adapter.revert(api, entry.ref, receipt)
        marker = site.create("published")
        told = [service.take() for _ in range(2)]  # the revert leaves a document without an image: it passes the filter
    events = [adapter.events(Delivery(one.headers, one.body)) for one in told]
    assert events == [[], [Event("published", marker)]]


def test_an_entry_with_an_image_is_not_told(site: Server, adapter: Adapter) -> None:
    ref = site.create("published")
    site.set_image(ref, picture().data)
    with recording() as service:
        site.hook(f"{service.url}/hooks/blog")
        site.rename(ref, "Another")
        marker = site.create("published")
        delivery = service.take()
    assert adapter.events(Delivery(delivery.headers, delivery.body)) == [Event("published", marker)]


def test_a_token_that_may_make_no_webhooks_is_told_how_to_make_one_by_hand(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    site.sees_hooks = False
    with pytest.raises(CmsProblem, match=r"sanity\.io/manage.*delta::operation") as caught:
        adapter.connect(api, "https://frontispiece.example.org/hooks/blog")
    site.sees_hooks = True
    assert SECRET not in caught.value.words


def test_a_webhook_whose_address_changed_is_brought_up_to_date(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    for name in ("old", "new"):
        adapter.connect(api, f"https://frontispiece.example.org/hooks/{name}")
    assert [hook["url"] for hook in site.hooks] == ["https://frontispiece.example.org/hooks/new"]
