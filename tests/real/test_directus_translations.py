"""One picture with words in every language of an item, on a real Directus with a field of type translations."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from servers.directus import Server
from servers.directus_core import token
from servers.recorder import Recorder, recording
from servers.sites import picture

from frontispiece.cms import Adapter, CmsProblem, Conflict, Delivery, Entry, Picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

GUIDES = {
    "image": "hero",
    "translations": "translations",
    "title": "translations.title",
    "body": "translations.body",
    "alt": "translations.hero_alt",
    "caption": "translations.hero_caption",
    "url": "https://example.org/{translations.slug}",
}
LOCALES = ("en-US", "de-DE", "fr-FR")
TITLES = {"en-US": "A day at sea", "de-DE": "Ein Tag auf See"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("directus"))
    try:
        made.start()
        made.ask("POST", "/items/languages", json=[{"code": code} for code in (*LOCALES, "it-IT")])
        yield made
    finally:
        made.stop()


@pytest.fixture
def adapter(site: Server) -> Adapter:
    return site.adapter(locales=LOCALES, types={"guides": GUIDES})


def create(site: Server, titles: dict[str, str] = TITLES, **fields: Any) -> str:
    """A guide with these translations, which have alt texts of an editor's already."""
    rows = [{"languages_code": code, "title": title, "hero_alt": f"Old {code}"} for code, title in titles.items()]
    return f"guides/{site.ask('POST', '/items/guides', json={'translations': rows, **fields})['id']}"


def words(site: Server, ref: str, *names: str) -> dict[str, Any]:
    """Fields of each translation, by language; one field is told without a list."""
    asked = {"fields": "translations.*"}
    rows = site.ask("GET", f"/items/{ref}", params=asked)["translations"]
    return {row["languages_code"]: row[names[0]] if len(names) == 1 else [row[name] for name in names] for row in rows}


def drawn(adapter: Adapter, entry: Entry, **changes: Any) -> Picture:
    alts, captions = {"en-US": "A boat", "de-DE": "Ein Boot"}, {"de-DE": "Gezeichnet"}
    usual = {"alt": "A boat", "caption": "Drawn", "alts": alts, "captions": captions}
    return picture(adapter, entry, **{**usual, **changes})


def test_an_item_is_read_in_the_first_language_and_has_its_titles_in_all(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    entry = adapter.fetch(api, create(site))
    assert (entry.locale, entry.title, dict(entry.titles)) == ("en-US", "A day at sea", TITLES)


def test_a_language_may_be_asked_for(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    entry = adapter.fetch(api, create(site), "de-DE")
    assert (entry.locale, entry.title) == ("de-DE", "Ein Tag auf See")


def test_an_item_without_the_first_language_is_read_in_the_one_that_it_has(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    rows = [{"languages_code": "fr-FR", "title": "La mer", "body": "<p>Des vagues</p>", "slug": "la mer"}]
    number = site.ask("POST", "/items/guides", json={"translations": rows})["id"]
    entry = adapter.fetch(api, f"guides/{number}")
    assert (entry.locale, entry.title, entry.body) == ("fr-FR", "La mer", "Des vagues")
    assert entry.url == "https://example.org/la%20mer"


def test_each_language_gets_its_own_words_of_one_picture(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref, there = create(site, status="published"), site.pictures()
    entry = adapter.fetch(api, ref)
    shown = drawn(adapter, entry)
    first = adapter.attach(api, entry, shown)
    assert adapter.attach(api, entry, shown) == first
    assert words(site, ref, "hero_alt", "hero_caption") == {
        "en-US": ["A boat", "Drawn"],
        "de-DE": ["Ein Boot", "Gezeichnet"],
    }
    assert (site.image(ref), site.pictures()) == (first.media_id, there + 1)


def test_a_language_that_the_settings_do_not_name_is_left_alone(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = create(site, {**TITLES, "it-IT": "Il mare"})
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, drawn(adapter, entry, alts={"it-IT": "Una barca"}))
    assert words(site, ref, "hero_alt") == {"en-US": "A boat", "de-DE": "Old de-DE", "it-IT": "Old it-IT"}


def test_nothing_else_of_the_translations_changes(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = create(site)
    names = ("id", "guides_id", "languages_code", "title", "body", "slug")
    before, entry = words(site, ref, *names), adapter.fetch(api, ref)
    adapter.attach(api, entry, drawn(adapter, entry))
    assert words(site, ref, *names) == before


def test_words_are_cut_to_what_a_field_of_a_translation_holds(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = create(site)
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, drawn(adapter, entry, alts={"de-DE": "ä" * 300}))
    assert words(site, ref, "hero_alt")["de-DE"] == "ä" * 255


def test_a_revert_brings_back_the_words_of_each_language(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = create(site)
    entry = adapter.fetch(api, ref)
    adapter.revert(api, ref, adapter.attach(api, entry, drawn(adapter, entry)))
    assert words(site, ref, "hero_alt") == {"en-US": "Old en-US", "de-DE": "Old de-DE"}
    assert site.ask("GET", f"/items/{ref}")["hero"] is None


def test_what_was_there_before_outlives_a_lost_answer(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = create(site)
    entry = adapter.fetch(api, ref)
    shown = drawn(adapter, entry)
    adapter.attach(api, entry, shown)
    adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), shown))
    assert words(site, ref, "hero_alt") == {"en-US": "Old en-US", "de-DE": "Old de-DE"}


def test_a_translation_that_was_deleted_since_does_not_stop_a_revert(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = create(site)
    entry = adapter.fetch(api, ref)
    receipt = adapter.attach(api, entry, drawn(adapter, entry))
    site.ask("DELETE", f"/items/guides_translations/{words(site, ref, 'id')['de-DE']}")
    adapter.revert(api, ref, receipt)
    assert words(site, ref, "hero_alt") == {"en-US": "Old en-US"}


def test_an_image_of_an_editor_keeps_its_words_in_all_languages(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = create(site)
    entry = adapter.fetch(api, ref)
    site.ask("PATCH", f"/items/{ref}", json={"hero": site.upload(picture(adapter, entry).data)})
    with pytest.raises(Conflict):
        adapter.attach(api, entry, drawn(adapter, entry))
    assert words(site, ref, "hero_alt") == {"en-US": "Old en-US", "de-DE": "Old de-DE"}


def test_a_translation_that_is_unfinished_in_a_version_is_promoted_beside_our_words(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = create(site, status="published")
    facts = {"key": "draft", "name": "Draft", "collection": "guides", "item": ref.partition("/")[2]}
    version = site.ask("POST", "/versions", json=facts)["id"]
    rows = [{"id": words(site, ref, "id")["de-DE"], "title": "Unfertig"}]
    new = [{"languages_code": "fr-FR", "title": "La mer"}]
    change = {"translations": {"create": new, "update": rows, "delete": []}}
    site.ask("POST", f"/versions/{version}/save", json=change)
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, drawn(adapter, entry))
    assert words(site, ref, "title") == TITLES
    site.promote(version)
    assert words(site, ref, "title", "hero_alt") == {
        "en-US": ["A day at sea", "A boat"],
        "de-DE": ["Unfertig", "Ein Boot"],
        "fr-FR": ["La mer", None],
    }


def test_a_draft_stays_a_draft(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = create(site, status="draft")
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, drawn(adapter, entry))
    assert site.ask("GET", f"/items/{ref}")["status"] == "draft"


def test_what_we_write_to_translations_is_not_sent(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    with recording() as service:
        told = site.adapter(locales=LOCALES, types={"guides": GUIDES})
        told.connect(api, f"{service.url}/hooks/cms")
        ref = create(site)
        assert _ref(adapter, service) == ref
        entry = adapter.fetch(api, ref)
        adapter.revert(api, ref, adapter.attach(api, entry, drawn(adapter, entry)))
        marker = create(site)
        assert _ref(adapter, service) == marker


def _ref(adapter: Adapter, service: Recorder) -> str:
    request = service.take()
    [event] = adapter.events(Delivery(request.headers, request.body))
    return event.ref


def test_the_doctor_says_that_translations_may_not_be_written(site: Server) -> None:
    adapter = site.adapter(token=token("reader"), locales=LOCALES, types={"guides": GUIDES})
    with adapter.open() as api, pytest.raises(CmsProblem, match="hero_alt, hero_caption of guides_translations"):
        adapter.doctor(api)


def test_the_doctor_says_that_translations_are_read_and_written(adapter: Adapter, api: httpx.Client) -> None:
    with recording() as service:
        adapter.connect(api, f"{service.url}/hooks/cms")
        assert "guides_translations: may be read, and hero_alt, hero_caption written" in adapter.doctor(api)


def test_without_translations_in_the_settings_nothing_of_them_is_touched(site: Server) -> None:
    adapter, ref = site.adapter(types={"guides": {"image": "hero", "title": "status"}}), create(site)
    with adapter.open() as api:
        entry = adapter.fetch(api, ref)
        adapter.attach(api, entry, replace(picture(adapter, entry), alts={"de-DE": "Ein Boot"}))
    assert words(site, ref, "hero_alt") == {"en-US": "Old en-US", "de-DE": "Old de-DE"}
    assert (entry.locale, entry.titles) == ("en", {})
