"""Our calls of Storyblok's Management API and our stand-in for it, held against Storyblok's own client."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers.storyblok import SPACE, TOKEN, Server
from servers.storyblok_client import drive

from frontispiece.cms import Picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

DRAWING = Picture("boats-1-2.webp", "image/webp", b"RIFF a drawing", 1600, 900, "A boat", alts={"de": "Ein Boot"})


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.stop()


def work(site: Server) -> str:
    """Does all that an adapter does but for webhooks, which the client does not know; the story's `ref`."""
    adapter, ref = site.adapter(locales=["en", "de"]), site.create("published")
    with adapter.open() as api:
        adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), DRAWING))
        adapter.doctor(api)
        assert [event.ref for event in adapter.recent(api, datetime(2020, 1, 1, tzinfo=UTC))] == [ref]
    return ref


def test_our_calls_are_those_that_storyblok_s_own_client_makes(site: Server) -> None:
    ref = work(site)
    ours, site.calls = site.calls, set()
    drive(site.url, TOKEN, SPACE, ref)
    assert ours - site.calls == set()


def test_storyblok_s_own_client_finds_its_way_around_the_stand_in(site: Server) -> None:
    ref = site.create("changed")
    found = drive(site.url, TOKEN, SPACE, ref)
    assert found["story"]["content"]["intro"] == "Written by Storyblok's client"
    assert found["asset"]["filename"].endswith("/sea_a.png")
    assert (site.state(ref), site.public_title(ref)) == ("published", "A day at sea (changed)")
