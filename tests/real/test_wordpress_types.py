"""Pages and custom post types of a real WordPress are told, read, given pictures and looked for like posts."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from servers.recorder import Recorder, recording
from servers.sites import picture
from servers.wordpress import SUITES, WordPress, running

from frontispiece.cms import Event

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
each_type = pytest.mark.parametrize("base", ["pages", "recipes"])


@pytest.fixture(scope="module")
def service() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def site(service: Recorder) -> Iterator[WordPress]:
    with running(SUITES[-1], service.url, post_types=["page", "recipe"]) as wordpress:
        yield wordpress


def entry(site: WordPress, base: str) -> str:
    """A published entry of a type; its ref."""
    with site.api("editor") as api:
        answer = api.post(f"/wp/v2/{base}", json={"title": "Rye bread", "status": "publish"})
    return f"{base}/{answer.raise_for_status().json()['id']}"


@each_type
def test_an_entry_of_another_type_is_told(site: WordPress, service: Recorder, base: str) -> None:
    ref = entry(site, base)
    told = json.loads(service.take().body)
    assert (told["event"], f"{told['rest_base']}/{told['id']}") == ("entry.published", ref)


@each_type
def test_an_entry_of_another_type_gets_its_picture(site: WordPress, base: str) -> None:
    ours = site.adapter()
    with ours.open() as api:
        read = ours.fetch(api, entry(site, base))
        receipt = ours.attach(api, read, picture(ours, read))
        found = ours.fetch(api, read.ref).image
    assert (read.title, found and found.id) == ("Rye bread", receipt.media_id)


def test_missed_entries_of_other_types_are_looked_for(site: WordPress) -> None:
    ours, since = site.adapter(post_types=["pages", "recipes"]), datetime.now(UTC) - timedelta(minutes=1)
    page, recipe = entry(site, "pages"), entry(site, "recipes")
    with ours.open() as api:
        assert {Event("published", page), Event("published", recipe)} <= set(ours.recent(api, since))
