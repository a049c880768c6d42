"""One picture with words in every language of a story, whose fields Storyblok translates (against the stand-in)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from adapters import Meanwhile
from servers.storyblok import Server

from frontispiece.cms import Adapter, CmsProblem, Conflict, Picture

ALTS = {"en": "A boat", "de": "Ein Boot", "pt-br": "Um barco", "fr": "Un bateau"}
DRAWING = Picture(
    "boats-1-2.webp", "image/webp", b"RIFF a drawing", 1600, 900, "A boat", "Drawn", ALTS, {"de": "Malerei"}
)
TITLES = {"de": "Ein Tag auf See", "pt-br": "Um dia no mar"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.keys |= {"locales": ["en", "de", "pt-br"], "types": {"article": {"title": "headline"}}}
    made.start()
    yield made
    made.stop()


@pytest.fixture
def ref(site: Server) -> str:
    """A published story in three languages."""
    number = site.create("published")
    for code, title in TITLES.items():
        site.translate(number, code, headline=title)
    return number


def theirs(number: int, alt: str = "Unser eigenes") -> dict[str, Any]:
    """An image that an editor has set."""
    return {"fieldtype": "asset", "id": number, "filename": f"https://a.storyblok.com/f/1/{number}.png", "alt": alt}


def content(site: Server, ref: str) -> dict[str, Any]:
    found: dict[str, Any] = site.stories[int(ref)]["content"]
    return found


def test_a_story_has_its_titles_in_all_languages(adapter: Adapter, api: httpx.Client, ref: str) -> None:
    entry = adapter.fetch(api, ref)
    assert (entry.locale, dict(entry.titles)) == ("en", {"en": "A day at sea", **TITLES})


def test_a_story_without_a_field_for_its_title_has_its_translated_names(site: Server, ref: str) -> None:
    site.stories[int(ref)]["translated_slugs"] = [
        {"lang": "de", "name": "Auf See", "slug": "see"},
        {"lang": "pt-br", "name": None, "slug": "mar"},
    ]
    adapter = site.adapter(types={"article": {}})
    with adapter.open() as api:
        assert adapter.fetch(api, ref).titles == {"en": "A day at sea", "de": "Auf See"}


def test_visitors_see_one_picture_with_words_in_their_language(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    seen = [site.seen(ref, code)["image"] for code in ("en", "de", "pt-br")]
    assert [(image["alt"], image["title"]) for image in seen] == [
        ("A boat", "Drawn"),
        ("Ein Boot", "Malerei"),
        ("Um barco", "Drawn"),
    ]
    assert {image["filename"] for image in seen} == {receipt.url}
    assert len(site.assets) == 1


def test_the_asset_s_metadata_have_the_words_of_all_languages(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    words = {"alt": "A boat", "title": "Drawn", "alt__i18n__de": "Ein Boot", "title__i18n__de": "Malerei"}
    words |= {"alt__i18n__pt_br": "Um barco", "title__i18n__pt_br": "Drawn"}
    assert site.assets[int(receipt.media_id)]["meta_data"] == words
    assert content(site, ref)["image"]["meta_data"] == words


def test_a_language_that_the_settings_do_not_name_gets_nothing(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert "image__i18n__fr" not in content(site, ref)


def test_a_language_that_the_story_is_not_translated_to_gets_nothing(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    adapter.attach(api, adapter.fetch(api, ref), replace(DRAWING, alts={"en": "A boat", "de": "Ein Boot"}))
    assert "image__i18n__pt_br" not in content(site, ref)


def test_an_image_field_that_is_not_translatable_has_no_translated_values(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.translatable = {"headline"}
    adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert [name for name in content(site, ref) if name.startswith("image")] == ["image"]
    assert content(site, ref)["image"]["meta_data"]["alt__i18n__de"] == "Ein Boot"


def test_without_locales_nothing_is_translated(site: Server, ref: str) -> None:
    adapter = site.adapter(locales=[])
    with adapter.open() as api:
        entry = adapter.fetch(api, ref)
        adapter.attach(api, entry, DRAWING)
    assert (entry.locale, entry.titles) == ("en", {})
    assert [name for name in content(site, ref) if name.startswith("image")] == ["image"]
    assert "meta_data" not in content(site, ref)["image"]


def test_attaching_twice_is_one_picture_in_all_languages(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    first = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    before = dict(content(site, ref))
    assert adapter.attach(api, adapter.fetch(api, ref), DRAWING).media_id == first.media_id
    assert (content(site, ref), len(site.assets)) == (before, 1)


def test_an_image_of_its_own_that_a_language_has_stays(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.translate(ref, "de", image=theirs(7))
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert content(site, ref)["image__i18n__de"] == theirs(7)
    adapter.revert(api, ref, receipt)
    assert content(site, ref)["image__i18n__de"] == theirs(7)


def test_a_revert_brings_back_the_image_of_each_language(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site._save(int(ref), publish=True, image=theirs(7, "Our own"))
    site.translate(ref, "de", image=theirs(7, "Unser eigenes"))
    before = dict(content(site, ref))
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert content(site, ref)["image__i18n__de"]["alt"] == "Ein Boot"
    adapter.revert(api, ref, receipt)
    assert content(site, ref) == before


def test_a_revert_after_a_lost_answer_leaves_our_picture_in_no_language(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, DRAWING)
    adapter.revert(api, ref, adapter.attach(api, entry, DRAWING))
    assert [name for name in content(site, ref) if name.startswith("image__i18n__")] == []
    assert content(site, ref)["image"]["filename"] == ""


def test_an_image_that_somebody_gave_a_language_since_outlives_a_revert(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    site.translate(ref, "de", image=theirs(9))
    adapter.revert(api, ref, receipt)
    assert content(site, ref)["image__i18n__de"] == theirs(9)
    assert "image__i18n__pt_br" not in content(site, ref)


def test_a_translation_that_waits_to_be_published_keeps_waiting(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.one_by_one = True
    site.translate(ref, "de", headline="Unfertig")
    site.public[int(ref)]["content"].pop("headline__i18n__de")
    adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert "headline" not in site.seen(ref, "de")
    assert content(site, ref)["headline__i18n__de"] == "Unfertig"


def test_a_draft_stays_a_draft_in_all_languages(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    number = site.create("draft")
    site.translate(number, "de", headline="Entwurf")
    adapter.attach(api, adapter.fetch(api, number), DRAWING)
    assert (site.state(number), content(site, number)["headline__i18n__de"]) == ("draft", "Entwurf")


def test_a_language_s_image_that_storyblok_does_not_keep_is_noticed(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.drops = "image__i18n__de"
    with pytest.raises(CmsProblem, match="does not show the image and alt text"):
        adapter.attach(api, adapter.fetch(api, ref), DRAWING)


def test_an_image_that_an_editor_sets_meanwhile_is_a_conflict_in_all_languages(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    entry = adapter.fetch(api, ref)
    site._save(int(ref), publish=True, image=theirs(7))
    with pytest.raises(Conflict):
        adapter.attach(api, entry, DRAWING)
    assert "image__i18n__de" not in content(site, ref)


def test_what_an_editor_saves_while_we_ask_for_translated_fields_stays_unpublished(
    site: Server, adapter: Adapter, ref: str
) -> None:
    faster = Meanwhile("GET", "/components", lambda: site._save(int(ref), publish=False, intro="Calm."))
    with adapter.open(faster) as api:
        adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert (content(site, ref)["intro"], site.state(ref)) == ("Calm.", "changed")
