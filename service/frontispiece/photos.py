"""A product's own photographs, fetched from the CMS for models that draw from references."""

import hashlib
import logging
from collections.abc import Iterator

import httpx

from frontispiece import images, net
from frontispiece.cms import Entry
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.tables import Rule

log = logging.getLogger("frontispiece")

DEADLINE = 20.0  # seconds for one photograph


def keep(house: House, rule: Rule, entry: Entry) -> list[str]:
    """The storage keys of as many photographs as the rule wants; none where its first model cannot use any.

    A photograph that cannot be had is left out: the picture is drawn from words then. Addresses are the CMS's word, so
    only public ones are followed, and those of the site itself.
    """
    if entry.kind != "product" or "references" not in house.models[rule.models[0]].tasks:
        return []
    site = house.settings.sites[rule.site].url
    with net.client([site]) as client:
        return list(_kept(house, client, entry.photos[: rule.photos]))


def _kept(house: House, client: httpx.Client, addresses: tuple[str, ...]) -> Iterator[str]:
    for address in addresses:
        try:
            data = net.download(client, address, [net.origin(address)], deadline=DEADLINE)
            kind = images.check(data).mime
        except (Problem, httpx.InvalidURL) as problem:
            log.warning("a photograph of the product is left out: %s", problem)
            continue
        key = f"photos/{hashlib.sha256(data).hexdigest()[:32]}"
        house.storage.put(key, data, kind)
        yield key
