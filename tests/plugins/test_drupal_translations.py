"""One file with words in every language of a node that Drupal translates (against the stand-in)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from servers.drupal import Server

from frontispiece.cms import Adapter, CmsProblem, Conflict, Picture

DOT = b"\x89PNG\r\n\x1a\n a dot"
ALTS = {"en": "A boat", "de": "Ein Boot", "fr": "Un bateau"}
DRAWING = Picture("boats-1-2.png", "image/png", DOT, 1600, 900, "A boat", alts=ALTS)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.keys |= {"locales": ["en", "de", "fr"]}
    made.start()
    yield made
    made.stop()


@pytest.fixture
def ref(site: Server) -> str:
    """A published node in English and German; French is a language of the site only."""
    made = site.create("published")
    site.translate(made, "de", "Ein Tag auf See")
    return made


def shown(site: Server, ref: str) -> dict[str, str]:
    """The alt text in each language that the node has, where it has an image."""
    return {
        code: site.shown(ref, code)[1] for code in ("en", *site._edited(ref)["languages"]) if site.shown(ref, code)[0]
    }


def test_a_node_has_its_titles_in_the_languages_that_it_has(adapter: Adapter, api: httpx.Client, ref: str) -> None:
    entry = adapter.fetch(api, ref)
    assert (entry.locale, entry.titles) == ("en", {"en": "A day at sea", "de": "Ein Tag auf See"})


@pytest.mark.parametrize("translated", ["alt", "file"])
def test_each_language_gets_its_own_alt_text_of_one_file(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str, translated: str
) -> None:
    site.translated = translated
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert {site.shown(ref, code) for code in ("en", "de")} == {
        (receipt.media_id, "A boat"),
        (receipt.media_id, "Ein Boot"),
    }
    assert site.pictures() == 1


def test_attaching_twice_is_one_picture_in_all_languages(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    entry = adapter.fetch(api, ref)
    first = adapter.attach(api, entry, DRAWING)
    assert adapter.attach(api, entry, DRAWING).media_id == first.media_id
    assert (shown(site, ref), site.pictures()) == ({"en": "A boat", "de": "Ein Boot"}, 1)


@pytest.mark.parametrize("translated", ["alt", "file"])
def test_a_try_that_ended_before_the_other_languages_is_finished_by_the_next(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str, translated: str
) -> None:
    site.translated = translated
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, replace(DRAWING, alts={}))
    adapter.attach(api, entry, DRAWING)
    assert shown(site, ref) == {"en": "A boat", "de": "Ein Boot"}


def test_alt_text_of_a_translation_is_cut_to_what_drupal_keeps(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    adapter.attach(api, adapter.fetch(api, ref), replace(DRAWING, alts={"de": "See " * 200}))
    assert site.shown(ref, "de")[1] == ("See " * 200)[:512]


@pytest.mark.parametrize("translated", ["alt", "file"])
def test_a_revert_brings_back_the_image_of_each_language(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str, translated: str
) -> None:
    site.translated = translated
    site.set_image(ref, DOT)
    node = site._edited(ref)
    node["languages"]["de"]["image"] = {**node["image"], "meta": {"alt": "Unser eigenes"}}
    before = [site.shown(ref, code) for code in ("en", "de")]
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert shown(site, ref) == {"en": "A boat", "de": "Ein Boot"}
    adapter.revert(api, ref, receipt)
    assert [site.shown(ref, code) for code in ("en", "de")] == before


@pytest.mark.parametrize("translated", ["alt", "file"])
def test_a_revert_after_a_lost_answer_leaves_our_picture_in_no_language(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str, translated: str
) -> None:
    site.translated = translated
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, DRAWING)
    adapter.revert(api, ref, adapter.attach(api, entry, DRAWING))
    assert shown(site, ref) == {}


def test_a_revert_after_a_lost_answer_gives_every_language_what_the_entry_had(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.translated = "file"
    site.set_image(ref, DOT)
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, DRAWING)
    adapter.revert(api, ref, adapter.attach(api, entry, DRAWING))
    assert shown(site, ref) == dict.fromkeys(("en", "de"), "Our own photograph")


@pytest.mark.parametrize("translated", ["alt", "file"])
def test_a_revert_that_ended_before_the_other_languages_is_finished_by_the_next(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str, translated: str
) -> None:
    site.translated = translated
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    site._edited(ref)["image"] = None
    adapter.revert(api, ref, receipt)
    assert shown(site, ref) == {}


def test_an_image_of_its_own_that_a_language_has_stays(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.translated = "file"
    site.set_image(ref, DOT, "de")
    theirs = site.shown(ref, "de")
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert site.shown(ref, "de") == theirs
    adapter.revert(api, ref, receipt)
    assert site.shown(ref, "de") == theirs


def test_an_image_that_somebody_gave_a_language_since_outlives_a_revert(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.translated = "file"
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    site.set_image(ref, DOT, "de")
    adapter.revert(api, ref, receipt)
    assert shown(site, ref) == {"de": "Our own photograph"}


def test_alt_text_that_an_editor_improved_since_outlives_a_revert(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.translated = "file"
    site.set_image(ref, DOT + b"de", "de")
    receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    site._edited(ref)["languages"]["de"]["image"]["meta"]["alt"] = "Ein besserer Text"
    adapter.revert(api, ref, receipt)
    assert site._edited(ref)["languages"]["de"]["image"]["meta"]["alt"] == "Ein besserer Text"


def test_a_translation_that_is_not_published_stays_so(site: Server, adapter: Adapter, api: httpx.Client) -> None:
    ref = site.create("published")
    site.translate(ref, "de", "Entwurf", published=False)
    adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    german = site._edited(ref)["languages"]["de"]
    assert (german["status"], german["title"], site.shown(ref, "de")[1]) == (False, "Entwurf", "Ein Boot")


def test_a_translation_that_our_user_may_not_see_is_left_alone(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref, site.translated, site.sees_unpublished = site.create("published"), "file", False
    site.translate(ref, "de", "Entwurf", published=False)
    entry = adapter.fetch(api, ref)
    adapter.attach(api, entry, DRAWING)
    assert (entry.titles, shown(site, ref)) == ({"en": "A day at sea"}, {"en": "A boat"})


def test_a_node_in_another_language_than_the_site_s_gets_its_picture(
    site: Server, adapter: Adapter, api: httpx.Client
) -> None:
    ref = site.create("published", title="Ein Tag auf See")
    site._edited(ref)["langcode"] = "de"
    entry = adapter.fetch(api, ref)
    receipt = adapter.attach(api, entry, replace(DRAWING, alt="Ein Boot"))
    assert (entry.locale, entry.titles, site.alt(ref)) == ("de", {"de": "Ein Tag auf See"}, "Ein Boot")
    adapter.revert(api, ref, receipt)
    assert site.image(ref) == ""


def test_unpublished_changes_in_one_language_are_named_as_the_reason(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    entry = adapter.fetch(api, ref)
    site.rename(ref, "Unfinished", draft=True)
    with pytest.raises(Conflict, match="has unpublished changes"):
        adapter.attach(api, entry, DRAWING)
    assert shown(site, ref) == {}


def test_a_field_whose_words_are_the_same_in_all_languages_keeps_those_of_the_entry(
    site: Server, adapter: Adapter, api: httpx.Client, ref: str
) -> None:
    site.translated = ""
    with pytest.raises(CmsProblem, match="one alternative text of field_image for all languages"):
        adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert shown(site, ref) == {"en": "A boat", "de": "A boat"}


def test_a_prefix_that_the_site_does_not_have_is_explained(site: Server, ref: str) -> None:
    adapter = site.adapter(locales=["en", "german"])
    with adapter.open() as api, pytest.raises(CmsProblem, match="locales are the prefixes") as caught:
        adapter.fetch(api, ref)
    assert not caught.value.retry


def test_a_media_field_is_written_in_the_entry_s_language_only(site: Server, ref: str) -> None:
    adapter = site.with_media().adapter()
    with adapter.open() as api:
        receipt = adapter.attach(api, adapter.fetch(api, ref), DRAWING)
    assert (site.image(ref), site.alt(ref), len(site.media)) == (receipt.media_id, "A boat", 1)


def test_without_locales_only_the_entry_s_language_is_asked_for(site: Server, ref: str) -> None:
    asked: list[str] = []
    adapter = site.adapter(locales=[])
    with adapter.open() as api:
        api.event_hooks = {"request": [lambda request: asked.append(request.url.path)]}
        entry = adapter.fetch(api, ref)
        receipt = adapter.attach(api, entry, DRAWING)
    assert (entry.titles, set(receipt.previous)) == ({}, {"id", "alt"})
    assert not [path for path in asked if not path.startswith("/jsonapi")]
