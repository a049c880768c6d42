"""The whole journey with every CMS: it publishes, an editor approves, the picture is there, and no echo makes more."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from servers.frontispiece import Service
from servers.site import SECRET, Site
from servers.sites import PARAMS, server
from world import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]  # of stand-ins, too: a service is started for each


@dataclass
class Pair:
    """The service and the CMS it works for."""

    service: Service
    site: Site

    def approved(self, title: str) -> str:
        """A new entry whose picture an editor has approved; its ref."""
        ref = self.site.create("published", title)
        self.service.approve(ref)
        return ref


@pytest.fixture(scope="module", params=PARAMS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    site = server(request.param)(tmp_path_factory.mktemp(request.param))
    service = Service(tmp_path_factory.mktemp("service"))
    try:
        site.start()
        site.hook(f"{service.url}/hooks/blog")  # some choose their secret now
        keys: dict[str, Any] = {"plugin": site.plugin, "webhook_secret": SECRET, **site.keys}
        service.start({**keys, "url": site.url}, site.kind)
        yield Pair(service, site)
    finally:
        service.stop()
        site.stop()


@pytest.fixture(scope="module")
def walked(pair: Pair) -> str:
    """An entry that has its picture."""
    ref = pair.approved("The ferry that still carries the mail")
    pair.service.reach(ref, "published")
    return ref


def test_the_picture_is_there(pair: Pair, walked: str) -> None:
    assert pair.site.image(walked)


def test_our_own_write_is_no_work(pair: Pair, walked: str) -> None:
    later = pair.approved("Bread that takes three days")
    pair.service.reach(later, "published")
    assert [len(pair.service.illustrations(ref)) for ref in (walked, later)] == [1, 1]


def test_a_cms_that_is_down_when_an_editor_approves_gets_its_one_picture_later(pair: Pair) -> None:
    ref, there = pair.site.create("published", "A lamp in the fog"), pair.site.pictures()
    pair.service.reach(ref, "in_review")
    pair.site.stop()
    try:
        pair.service.approve(ref)
        until(lambda: pair.service.stumbled("publish"), "the write-back to fail")
    finally:
        pair.site.start()
    pair.service.reach(ref, "published")
    assert (bool(pair.site.image(ref)), pair.site.pictures()) == (True, there + 1)
