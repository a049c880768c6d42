"""The adapters against somebody's own site at a hosted CMS.

Off unless FRONTISPIECE_LIVE names a TOML file: the tables of `[sites.<name>]` as in frontispiece.toml, each with one
more key, `entry`: the ref of an entry that has no image and may be played with. What is written is taken back.

    FRONTISPIECE_LIVE=live.toml pytest -m live tests/live
"""

import os
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.sites import picture

from frontispiece.cms import Adapter, load

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


def _sites() -> dict[str, Any]:
    path = os.environ.get("FRONTISPIECE_LIVE")
    sites: dict[str, Any] = tomllib.loads(Path(path).read_text("utf8"))["sites"] if path else {}
    return sites


@pytest.fixture(params=_sites().items(), ids=lambda item: str(item[0]))
def site(request: pytest.FixtureRequest) -> tuple[Adapter, str]:
    """An adapter, and the ref of the entry it may play with."""
    keys = dict(request.param[1])
    ref, kind = keys.pop("entry"), load(keys["plugin"])
    return kind(kind.Settings.model_validate({"webhook_secret": kind.Settings.new_secret(), **keys})), ref


@pytest.fixture
def api(site: tuple[Adapter, str]) -> Iterator[httpx.Client]:
    with site[0].open() as client:
        yield client


def test_the_doctor_finds_nothing_wrong(site: tuple[Adapter, str], api: httpx.Client) -> None:
    assert site[0].doctor(api)


def test_a_picture_comes_goes_and_comes_once(site: tuple[Adapter, str], api: httpx.Client) -> None:
    adapter, ref = site
    entry = adapter.fetch(api, ref)
    assert entry.image is None, f"{ref} has an image; name an entry without one"
    shown = picture(adapter, entry)
    receipt = adapter.attach(api, entry, shown)
    try:
        found = adapter.fetch(api, ref).image
        assert (found and found.id, adapter.attach(api, entry, shown)) == (receipt.media_id, receipt)
    finally:
        adapter.revert(api, ref, receipt)
    assert adapter.fetch(api, ref).image is None


def test_what_was_changed_lately_can_be_listed(site: tuple[Adapter, str], api: httpx.Client) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    assert all(event.ref for event in site[0].recent(api, since))
