"""What is particular to Payload: drafts on top of published documents, locks, groups, locales, and our own hooks."""

import io
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from PIL import Image
from servers.payload import KEY, Server
from servers.recorder import Recorder, recording

from frontispiece.cms import (
    Adapter,
    CmsProblem,
    Conflict,
    Delivery,
    Entry,
    Event,
    Gone,
    NotAllowed,
    Picture,
    Unavailable,
)

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def service() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def site(service: Recorder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    payload = Server(tmp_path_factory.mktemp("payload"))
    try:
        payload.hook(f"{service.url}/hooks/news")
        yield payload
    finally:
        payload.stop()


@pytest.fixture
def quiet(service: Recorder) -> None:
    """What earlier tests made Payload tell is not this one's."""
    while not service.arrived.empty():
        service.take()


class _Meanwhile(httpx.BaseTransport):
    """Lets somebody act just before the entry is written."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act, self.real = act, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH" and request.url.path == "/api/articles":
            self.act()
        return self.real.handle_request(request)

    def close(self) -> None:
        self.real.close()


def picture(kind: str = "jpeg") -> Picture:
    file = io.BytesIO()
    Image.effect_noise((320, 180), 90).convert("RGB").save(file, kind, comment=b"made by a machine")
    return Picture(f"a-day-at-sea.{kind}", f"image/{kind}", file.getvalue(), 320, 180, "A boat", "Drawing")


def told(adapter: Adapter, service: Recorder) -> Event:
    sent = service.take()
    [event] = adapter.events(Delivery(sent.headers, sent.body))
    return event


def product(site: Server) -> str:
    group = {"description": "Oak and brass", "pictureAlt": ""}
    return f"products/{site.sent('POST', '/products', json={'name': 'Barometer', 'meta': group})['doc']['id']}"


def test_payload_unpublishes_a_changed_document_by_a_plain_write(site: Server) -> None:
    """Why our writes are made as they are; if this fails, Payload has become kinder."""
    ref = site.create("changed")
    site.sent("PATCH", f"/{ref}", json={"slug": "a-day-at-sea"})
    assert site.state(ref) == "draft"


@pytest.mark.parametrize("field", [{"title": "Two days at sea"}, {"hero": None}], ids=["title", "image"])
def test_a_draft_saved_in_the_moment_of_our_write_is_neither_lost_nor_published(
    site: Server, adapter: Adapter, api: httpx.Client, field: dict[str, str]
) -> None:
    entry = adapter.fetch(api, site.create("published"))
    edit = _Meanwhile(lambda: site.sent("PATCH", f"/{entry.ref}", params={"draft": "true"}, json=field))
    with adapter.open(edit) as crossed, pytest.raises(Unavailable, match="at this very moment"):
        adapter.attach(crossed, entry, picture())
    assert (site.state(entry.ref), site.public_title(entry.ref)) == ("changed", "A day at sea")
    adapter.attach(api, entry, picture())
    assert (site.state(entry.ref), site.title(entry.ref)) == ("changed", field.get("title", "A day at sea"))


def test_a_document_that_somebody_has_open_waits(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("draft"))
    document = {"relationTo": "articles", "value": int(entry.ref.partition("/")[2])}
    person = {"relationTo": "users", "value": site.sent("GET", "/users/me")["user"]["id"]}
    lock = site.sent("POST", "/payload-locked-documents", json={"document": document, "user": person})["doc"]["id"]
    with pytest.raises(Unavailable, match="open in Payload"):
        adapter.attach(api, entry, picture())
    site.sent("DELETE", f"/payload-locked-documents/{lock}")
    assert adapter.attach(api, entry, picture()).media_id == site.image(entry.ref)


def test_an_image_inside_a_group_leaves_the_rest_of_the_group(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, product(site))
    receipt = adapter.attach(api, entry, picture())
    meta = site.doc(entry.ref)["meta"]
    assert (meta["description"], meta["pictureAlt"]) == ("Oak and brass", "A boat")
    adapter.revert(api, entry.ref, receipt)
    assert site.doc(entry.ref)["meta"] == {"description": "Oak and brass", "pictureAlt": "", "picture": None}


def test_caption_and_focal_point_arrive(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    adapter.attach(api, entry, replace(picture(), focal=(0.4, 0.25)))
    hero = site.doc(entry.ref)["hero"]
    assert (hero["caption"], hero["focalX"], hero["focalY"]) == ("Drawing", 40, 25)


def test_each_locale_has_its_title_and_its_alt_text(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.sent("PATCH", f"/{ref}", params={"locale": "de"}, json={"title": "Ein Tag auf See"})
    entry = adapter.fetch(api, ref)
    assert entry.titles == {"en": "A day at sea", "de": "Ein Tag auf See"}
    adapter.attach(api, entry, replace(picture(), alts={"en": "A boat", "de": "Ein Boot", "fr": "Un bateau"}))
    assert site.sent("GET", f"/{ref}", params={"locale": "de"})["hero"]["alt"] == "Ein Boot"
    assert site.alt(ref) == "A boat"


def test_each_locale_has_its_caption(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    alts, captions = {"en": "A boat", "de": "Ein Boot"}, {"de": "Zeichnung"}
    adapter.attach(api, entry, replace(picture(), alts=alts, captions=captions))
    said = [site.sent("GET", f"/{entry.ref}", params={"locale": code})["hero"]["caption"] for code in ("en", "de")]
    assert said == ["Drawing", "Zeichnung"]


def test_a_caption_that_is_not_localised_is_the_one_of_the_entry_s_locale(site: Server) -> None:
    adapter, ref = site.adapter(caption="credit"), site.create("published")
    alts, captions = {"en": "A boat", "de": "Ein Boot"}, {"de": "Zeichnung"}
    with adapter.open() as api:
        adapter.attach(api, adapter.fetch(api, ref), replace(picture(), alts=alts, captions=captions))
    assert site.doc(ref)["hero"]["credit"] == "Drawing"


def test_a_document_reads_as_plain_text(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    lexical = {"root": {"type": "root", "children": [{"type": "paragraph", "children": [{"text": "Waves."}]}]}}
    fields = {"title": "Sea", "slug": "a b", "body": lexical, "tags": ["boats", "wind"], "plain": True}
    ref = f"articles/{site.sent('POST', '/articles', json=fields)['doc']['id']}"
    entry = adapter.fetch(api, ref, "de")
    assert (entry.body, entry.tags, entry.opted_out, entry.locale) == ("Waves.", ("boats", "wind"), True, "de")
    assert entry.url == "https://example.org/news/a%20b"


def test_a_document_in_the_trash_is_gone(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, site.create("published"))
    site.sent("PATCH", f"/{entry.ref}", json={"deletedAt": datetime.now(UTC).isoformat()})
    with pytest.raises(Gone):
        adapter.attach(api, entry, picture())


@pytest.mark.parametrize("kind", ["jpeg", "png", "avif"])
def test_the_very_bytes_are_served(site: Server, adapter: Adapter, api: httpx.Client, kind: str) -> None:
    entry, shown = adapter.fetch(api, site.create("published")), picture(kind)
    assert httpx.get(adapter.attach(api, entry, shown).url).content == shown.data


def test_payload_encodes_a_webp_anew(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    """Why none is sent; if this fails, `formats` can have WebP."""
    entry, shown = adapter.fetch(api, site.create("published")), picture("webp")
    assert httpx.get(adapter.attach(api, entry, shown).url).content != shown.data


def test_a_wrong_key_is_noticed_although_payload_answers_as_to_any_visitor(site: Server) -> None:
    ref, wrong = site.create("published"), site.adapter(api_key="wrong")
    with wrong.open() as api, pytest.raises(NotAllowed):
        wrong.fetch(api, ref)


def test_recent_tells_drafts_from_what_is_public(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    draft, changed, shop = site.create("draft"), site.create("changed"), product(site)
    kinds = {event.ref: event.kind for event in adapter.recent(api, since)}
    assert (kinds[draft], kinds[changed], kinds[shop]) == ("created", "published", "published")


def test_recent_lists_what_was_saved_at_one_moment_by_its_ids(
    site: Server, adapter: Adapter, api: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    made = [site.create("draft") for _ in range(3)]
    file = next(tmp_path_factory.getbasetemp().glob("payload*/payload.db"))
    with closing(sqlite3.connect(file)) as database, database:
        newest = "2030-01-01T00:00:00.000Z"
        database.execute("UPDATE _articles_v SET version_updated_at = ?", [newest])
    assert [event.ref for event in adapter.recent(api, since) if event.ref in made] == made


def test_the_doctor_names_the_rights_that_are_missing(site: Server) -> None:
    reader = site.adapter(api_key=KEY.format("reader"))
    with reader.open() as api, pytest.raises(CmsProblem, match=r"may not update articles, .*create media"):
        reader.doctor(api)


def test_the_doctor_names_a_field_that_is_not_there(site: Server) -> None:
    wrong = site.adapter(types={"articles": {"image": "picture"}})
    with wrong.open() as api, pytest.raises(CmsProblem, match="cannot be queried: picture"):
        wrong.doctor(api)


@pytest.mark.usefixtures("quiet", "site")
def test_the_doctor_says_what_became_of_a_delivery(adapter: Adapter, api: httpx.Client, service: Recorder) -> None:
    words = " ".join(adapter.doctor(api))
    assert "byte for byte" in words
    assert f"reach {service.url}" in words
    assert told(adapter, service) == Event("ping", "")
    service.status = 401
    try:
        with pytest.raises(CmsProblem, match="answered 401"):
            adapter.doctor(api)
    finally:
        service.status = 202


def test_a_field_that_payload_ignores_is_noticed(site: Server) -> None:
    wrong = site.adapter(types={"articles": {"image": "picture"}})
    with wrong.open() as api, pytest.raises(CmsProblem, match="did not keep its picture"):
        wrong.attach(api, wrong.fetch(api, site.create("published")), picture())


@pytest.mark.usefixtures("quiet")
class TestDeliveries:
    """What our hooks tell, and when."""

    def test_each_act_is_told_once(self, site: Server, adapter: Adapter, service: Recorder) -> None:
        ref = site.create("draft")
        assert told(adapter, service) == Event("created", ref, "en")
        site.rename(ref, "Another title")
        assert told(adapter, service) == Event("updated", ref, "en")
        site.sent("PATCH", f"/{ref}", json={"_status": "published"})
        assert told(adapter, service) == Event("published", ref, "en")
        site.sent("PATCH", f"/{ref}", json={"deletedAt": datetime.now(UTC).isoformat()})
        assert told(adapter, service) == Event("deleted", ref, "en")

    def test_published_changes_are_told_as_published(self, site: Server, adapter: Adapter, service: Recorder) -> None:
        ref = site.create("changed")
        site.sent("PATCH", f"/{ref}", params={"locale": "de"}, json={"title": "See", "_status": "published"})
        kinds = [told(adapter, service) for _ in range(3)]
        assert kinds == [Event("published", ref, "en"), Event("updated", ref, "en"), Event("published", ref, "de")]

    def test_neither_our_own_writes_nor_typing_are_told(
        self, site: Server, adapter: Adapter, api: httpx.Client, service: Recorder
    ) -> None:
        ref = site.create("published")
        assert told(adapter, service).ref == ref
        receipt = adapter.attach(api, adapter.fetch(api, ref), picture())
        adapter.revert(api, ref, receipt)
        site.sent("PATCH", f"/{ref}", params={"draft": "true", "autosave": "true"}, json={"title": "Typ"})
        marker = site.create("published")
        assert told(adapter, service).ref == marker

    def test_a_delivery_that_was_not_taken_is_sent_again(
        self, site: Server, adapter: Adapter, service: Recorder
    ) -> None:
        service.status = 503
        ref = site.create("published")
        first = service.take()
        service.status = 202
        again = service.take()
        assert adapter.events(Delivery(again.headers, again.body)) == [Event("published", ref, "en")]
        assert again.headers.get("webhook-id") == first.headers.get("webhook-id")

    def test_what_is_told_can_be_read(
        self, site: Server, adapter: Adapter, api: httpx.Client, service: Recorder
    ) -> None:
        """The hooks run inside Payload's transaction."""
        with ThreadPoolExecutor(1) as editor:
            saving = editor.submit(site.create, "published", "Slow")
            assert adapter.fetch(api, told(adapter, service).ref).title == "Slow"
            saving.result()

    def test_a_save_does_not_wait_for_a_frontispiece_that_is_away(self, site: Server, service: Recorder) -> None:
        site.hook("http://127.0.0.1:1/hooks/news")
        try:
            assert site.title(site.create("published", title="Alone")) == "Alone"
        finally:
            site.hook(f"{service.url}/hooks/news")


def test_another_image_than_ours_is_not_reverted_after_a_publish(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry: Entry = adapter.fetch(api, site.create("changed"))
    receipt = adapter.attach(api, entry, picture())
    site.sent("PATCH", f"/{entry.ref}", json={"_status": "published", "hero": None})
    site.set_image(entry.ref, picture("png").data)
    with pytest.raises(Conflict):
        adapter.revert(api, entry.ref, receipt)
