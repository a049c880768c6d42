"""What is particular to Strapi: drafts and publishing, language versions, its media library, its tokens."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.recorder import Recorder, recording
from servers.strapi import EVENTS, Server

from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Event, Gone, Picture, Refused, Unavailable

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

DOT = (Path(__file__).parent / "dot.png").read_bytes()
PICTURE = Picture("frontispiece-7.png", "image/png", DOT, 1, 1, "A boat leaves", "By nobody", focal=(0.25, 0.6))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    strapi = Server(tmp_path_factory.mktemp("strapi"))
    try:
        strapi.start()
        yield strapi
    finally:
        strapi.stop()


class Meanwhile(httpx.BaseTransport):
    """Goes through to Strapi, and lets an editor do something after the n-th call whose line has these words."""

    def __init__(self, words: str, then: Callable[[], None], number: int = 1) -> None:
        self.real, self.words, self.then, self.left = httpx.HTTPTransport(), words, then, number

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.real.handle_request(request)
        if self.words in f"{request.method} {request.url}":
            self.left -= 1
            if self.left == 0:
                self.then()
        return answer

    def close(self) -> None:
        self.real.close()


def unlike(picture: Picture, ref: str) -> Picture:
    """The same picture under a name for this entry."""
    return replace(picture, name=f"frontispiece-{ref.partition('/')[2]}.png")


def attached(adapter: Adapter, api: httpx.Client, ref: str, locale: str = "", **changes: Any) -> str:
    """The id of our picture, now on this entry."""
    entry = adapter.fetch(api, ref, locale)
    return adapter.attach(api, entry, replace(unlike(PICTURE, ref), **changes)).media_id


def cover(site: Server, ref: str, status: str = "draft", locale: str = "en") -> str:
    found = site.seen(ref, status, locale)["cover"]
    return str(found["id"]) if found else ""


def test_a_published_entry_shows_the_picture_to_visitors_at_once(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("published")
    ours = attached(adapter, api, ref)
    assert (cover(site, ref, "published"), site.state(ref)) == (ours, "published")


def test_a_published_entry_keeps_everything_else(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    body = [{"type": "paragraph", "children": [{"type": "text", "text": "Waves."}]}]
    sea = site.cm("POST", "category", json={"name": "Sea"})["data"]["id"]
    fields = {"title": "T", "slug": "t", "description": "D", "body": body, "category": sea, "tags": [sea]}
    ref = site.write("published", **fields)
    before = site.seen(ref, "published")
    attached(adapter, api, ref)
    ours = {"cover", "id", "updatedAt", "publishedAt", "updatedBy"}
    after = site.seen(ref, "published")
    assert {name for name in before if before[name] != after[name]} <= ours


def test_a_draft_is_still_not_public(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("draft")
    ours = attached(adapter, api, ref)
    assert (cover(site, ref), site.state(ref)) == (ours, "draft")


def test_unfinished_edits_get_the_picture_and_visitors_keep_what_they_have(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("changed")
    ours = attached(adapter, api, ref)
    assert (cover(site, ref), cover(site, ref, "published")) == (ours, "")


def test_the_editor_s_own_publishing_makes_it_public(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("changed")
    ours = attached(adapter, api, ref)
    site.cm("POST", ref, "/actions/publish", json={})
    assert cover(site, ref, "published") == ours


@pytest.mark.parametrize(("words", "number"), [("/api/upload", 2), ("status=published", 3)])
def test_an_edit_that_is_saved_while_we_are_at_it_is_not_published(
    site: Server, adapter: Adapter, words: str, number: int
) -> None:
    """After the upload; and between the last two looks at the entry."""
    ref = site.create("published", "Before")
    edit = Meanwhile(words, lambda: site.cm("PUT", ref, json={"title": "Unfinished"}), number)
    with adapter.open(edit) as api:
        ours = attached(adapter, api, ref)
    assert edit.left == 0
    assert (site.public_title(ref), site.title(ref), cover(site, ref)) == ("Before", "Unfinished", ours)


def test_an_image_that_is_set_during_the_upload_stays(site: Server, adapter: Adapter) -> None:
    ref = site.create("published")
    edit = Meanwhile("POST ", lambda: site.set_image(ref, DOT))
    with adapter.open(edit) as api, pytest.raises(Conflict):
        attached(adapter, api, ref)
    assert site.seen(ref)["cover"]["name"] == "mine.png"


def test_a_revert_of_unfinished_edits_publishes_nothing(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published", "Before")
    entry = adapter.fetch(api, ref)
    receipt = adapter.attach(api, entry, unlike(PICTURE, ref))
    site.cm("PUT", ref, json={"title": "Unfinished"})
    adapter.revert(api, ref, receipt)
    assert (site.public_title(ref), cover(site, ref), cover(site, ref, "published")) == (
        "Before",
        "",
        receipt.media_id,
    )


def test_a_type_without_drafts_gets_its_picture(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.write("draft", "product", name="Boots")
    ours = attached(adapter, api, ref)
    entry = adapter.fetch(api, ref)
    assert entry.image is not None
    assert (entry.kind, entry.status, entry.image.id) == ("product", "published", ours)


def test_words_and_focal_point_are_kept(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("draft")
    attached(adapter, api, ref)
    kept = site.seen(ref)["cover"]
    told = (kept["alternativeText"], kept["caption"], kept["focalPoint"], kept["mime"])
    assert told == ("A boat leaves", "By nobody", {"x": 25, "y": 60}, "image/png")


def test_words_changed_between_two_tries_are_the_newer_ones(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("draft")
    first = attached(adapter, api, ref)
    second = attached(adapter, api, ref, alt="Newer words")
    kept = site.seen(ref)["cover"]
    assert (first, kept["alternativeText"], kept["focalPoint"]) == (second, "Newer words", {"x": 25, "y": 60})


def french(site: Server) -> str:
    """An entry with an English and a French version, both published."""
    ref = site.create("published", "A day at sea")
    site.cm("PUT", ref, params={"locale": "fr"}, json={"title": "Un jour en mer"})
    site.cm("POST", ref, "/actions/publish", params={"locale": "fr"}, json={})
    return ref


def test_a_language_version_is_read_and_written_alone(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = french(site)
    ours = attached(adapter, api, ref, "fr", alt="Un bateau part")
    assert (adapter.fetch(api, ref, "fr").title, adapter.fetch(api, ref).title) == ("Un jour en mer", "A day at sea")
    assert (cover(site, ref, "published", "fr"), cover(site, ref, "published", "en")) == (ours, "")


def test_a_revert_finds_the_language_version_again(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = french(site)
    entry = adapter.fetch(api, ref, "fr")
    receipt = adapter.attach(api, entry, unlike(PICTURE, ref))
    assert cover(site, ref, locale="fr") == receipt.media_id
    adapter.revert(api, ref, receipt)
    assert cover(site, ref, "published", "fr") == ""


def test_an_image_field_that_is_not_localised_serves_every_language(site: Server) -> None:
    adapter = site.adapter(types={"article": {"image": "banner"}})
    ref = french(site)
    with adapter.open() as api:
        ours = attached(adapter, api, ref, "fr")
    shown = [site.seen(ref, "published", locale)["banner"]["id"] for locale in ("en", "fr")]
    assert shown == [int(ours), int(ours)]


def test_a_language_version_that_is_not_there_is_gone_and_is_not_made(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("published")
    with pytest.raises(Gone):
        adapter.fetch(api, ref, "fr")
    with pytest.raises(Gone):
        adapter.attach(api, replace(adapter.fetch(api, ref), locale="fr"), unlike(PICTURE, ref))


def test_fields_arrive_as_the_settings_say(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    body = [{"type": "paragraph", "children": [{"type": "text", "text": "Waves."}]}]
    sea, wind = (site.cm("POST", "category", json={"name": name})["data"]["id"] for name in ("Sea", "Wind"))
    more = {"description": "D", "body": body, "category": sea, "tags": [sea, wind], "without_picture": True}
    entry = adapter.fetch(api, site.write("draft", title="T", slug="t-1", **more), "en")
    assert (entry.excerpt, entry.body, entry.section, entry.tags) == ("D", "Waves.", "Sea", ("Sea", "Wind"))
    assert (entry.opted_out, entry.url, entry.locale) == (True, "https://www.example.org/news/t-1", "en")


def test_a_related_entry_that_the_token_may_not_find_is_left_out(site: Server) -> None:
    sea = site.cm("POST", "category", json={"name": "Sea"})["data"]["id"]
    ref = site.write("draft", title="T", category=sea)
    narrow = site.adapter(api_token=_token(site, *ARTICLE, *UPLOAD))
    with narrow.open() as api:
        assert narrow.fetch(api, ref).sections == ()


def test_what_was_missed_comes_with_its_language_and_state(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    since = datetime.now(UTC)
    ref = french(site)
    draft, boots = site.create("draft"), site.write("draft", "product", name="Boots")
    found = list(adapter.recent(api, since - timedelta(milliseconds=1)))
    assert found == [
        Event("published", ref, "en"),
        Event("published", ref, "fr"),
        Event("created", draft, "en"),
        Event("published", boots, ""),
    ]


def test_what_was_published_in_a_list_is_found_although_it_was_not_changed(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("draft")
    since = datetime.now(UTC)
    site.cm("POST", "article", "/actions/bulkPublish", json={"documentIds": [ref.partition("/")[2]]})
    assert list(adapter.recent(api, since)) == [Event("published", ref, "en")]


@pytest.mark.parametrize("data", [DOT[:40], b"no picture at all"], ids=["cut off", "text"])
@pytest.mark.parametrize("kind", ["webp", "png"])
def test_a_picture_that_is_none_is_final_and_does_not_stay(
    site: Server, adapter: Adapter, api: httpx.Client, kind: str, data: bytes
) -> None:
    ref, there = site.create("draft"), site.pictures()
    broken = replace(PICTURE, name=f"broken.{kind}", mime=f"image/{kind}", data=data)
    with pytest.raises(CmsProblem) as caught:
        adapter.attach(api, adapter.fetch(api, ref), broken)
    assert (caught.value.retry, cover(site, ref), site.pictures()) == (False, "", there)


def test_a_strapi_that_is_down_is_worth_another_try(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.stop()
    try:
        with pytest.raises(Unavailable):
            adapter.fetch(api, ref)
    finally:
        site.start()


@pytest.fixture
def service() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


def test_connecting_again_brings_the_secret_up_to_date(
    site: Server, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    hook = f"{service.url}/hooks/cms"
    site.adapter(webhook_secret="an older secret").connect(api, hook)
    with pytest.raises(Refused):
        adapter.verify(_delivery(service))
    words = adapter.connect(api, hook).words
    delivery = _delivery(service)
    assert (adapter.verify(delivery), adapter.events(delivery)) == ("", [Event("ping", "")])
    assert words[1] == f"a test delivery to {hook} arrived"


def _delivery(service: Recorder) -> Delivery:
    request = service.take()
    return Delivery(request.headers, request.body)


def test_the_webhook_listens_to_all_that_the_guide_names(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    adapter.connect(api, "http://127.0.0.1:4242/hooks/other")
    hooks = site.ask("GET", "/admin/webhooks")["data"]
    assert set(next(one["events"] for one in hooks if one["url"].endswith("/other"))) == set(EVENTS)


def test_a_receiver_that_says_no_is_told_in_words(adapter: Adapter, api: httpx.Client, service: Recorder) -> None:
    service.status, service.words = 503, "closed for today"
    words = adapter.connect(api, f"{service.url}/hooks/cms").words
    assert words[1].endswith("did not arrive (503 closed for today)")


def _token(site: Server, *rights: str) -> str:
    facts = {"name": secrets.token_hex(4), "description": "", "lifespan": None, "type": "custom"}
    made = site.ask("POST", "/admin/api-tokens", json=facts | {"permissions": list(rights)})
    return str(made["data"]["accessKey"])


ARTICLE = [f"api::article.article.{act}" for act in ("find", "findOne", "update")]
UPLOAD = [f"plugin::upload.content-api.{act}" for act in ("find", "upload")]


@pytest.mark.parametrize(
    "rights", [ARTICLE[:2] + UPLOAD, ARTICLE + UPLOAD[:1], UPLOAD], ids=["update", "upload", "find"]
)
def test_the_doctor_says_which_rights_the_token_needs(site: Server, rights: list[str]) -> None:
    narrow = site.adapter(api_token=_token(site, *rights), types={"article": {}})
    with narrow.open() as api, pytest.raises(CmsProblem, match="the API token needs find, findOne and update"):
        narrow.doctor(api)


def test_the_doctor_says_that_the_test_picture_stays_without_the_right_to_remove_it(site: Server) -> None:
    narrow = site.adapter(api_token=_token(site, *ARTICLE, *UPLOAD), admin_token=None, types={"article": {}})
    with narrow.open() as api:
        words = narrow.doctor(api)
    assert any("it stays, and may be deleted" in line for line in words)


@pytest.mark.parametrize(("optimizes", "words"), [(True, "came back changed"), (False, "came back as it was sent")])
def test_the_doctor_says_whether_metadata_survive(site: Server, *, optimizes: bool, words: str) -> None:
    facts = site.ask("GET", "/upload/settings")["data"]
    site.ask("PUT", "/upload/settings", json=facts | {"sizeOptimization": optimizes})
    adapter = site.adapter(admin_token=None)
    with adapter.open() as api:
        assert any(words in line for line in adapter.doctor(api))


def test_the_doctor_misses_a_webhook_that_is_switched_off(
    site: Server, adapter: Adapter, api: httpx.Client, service: Recorder
) -> None:
    for one in site.ask("GET", "/admin/webhooks")["data"]:
        site.ask("DELETE", f"/admin/webhooks/{one['id']}")
    adapter.connect(api, f"{service.url}/hooks/cms")
    one = site.ask("GET", "/admin/webhooks")["data"][0]
    site.ask("PUT", f"/admin/webhooks/{one.pop('id')}", json=one | {"isEnabled": False})
    with pytest.raises(CmsProblem, match="no webhook that is on"):
        adapter.doctor(api)


def test_a_wrong_plural_is_named(site: Server) -> None:
    wrong = site.adapter(types={"article": {"plural": "essays"}})
    with wrong.open() as api, pytest.raises(CmsProblem, match="are name and plural of the type 'article' right"):
        wrong.doctor(api)


def test_a_wrong_image_field_is_named(site: Server) -> None:
    wrong = site.adapter(types={"article": {"image": "hero"}})
    with wrong.open() as api, pytest.raises(CmsProblem, match="Invalid key hero"):
        wrong.doctor(api)


def test_in_production_strapi_refuses_a_webhook_to_a_private_address(tmp_path: Path) -> None:
    strapi = Server(tmp_path, NODE_ENV="production")
    try:
        strapi.process.start()
        adapter = strapi.adapter()
        with adapter.open() as api, pytest.raises(CmsProblem, match="isn't reachable over the public internet"):
            adapter.connect(api, "http://127.0.0.1:4242/hooks/cms")
    finally:
        strapi.stop()


def test_equal_times_are_what_strapi_s_own_panel_calls_published(site: Server) -> None:
    told = {state: site.seen(site.create(state))["status"] for state in site.states}
    assert told == {"draft": "draft", "published": "published", "changed": "modified"}
