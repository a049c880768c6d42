"""`frontispiece connect`: a webhook secret, and the webhook in the CMS, by its API or by hand."""

import re
from collections.abc import Iterator
from pathlib import Path

from frontispiece import advice, cms, secretfiles, shelf
from frontispiece.cms import Adapter, Connection
from frontispiece.config import load, read
from frontispiece.errors import CmsProblem, ConfigProblem
from frontispiece.house import House


def connect(site: str) -> Iterator[str]:
    """Registers the webhook where the CMS lets us, else says what is to be entered there; a sentence a line.

    Raises `ConfigProblem`, `CmsProblem`.
    """
    made = _make_secret(site)
    if made:
        yield f"A webhook secret was made; it is kept in {made}."
    house = House(load())
    adapter = house.adapter(site)
    if adapter.connects:
        yield from _registered(house, site)
    else:
        yield from _by_hand(house, site, adapter)
    yield from advice.reachable(house.settings, site)
    yield f"Restart Frontispiece if it runs; then `frontispiece doctor {site}` says whether all is well."


def _registered(house: House, site: str) -> Iterator[str]:
    try:
        with house.api(site) as (adapter, api):
            connection = adapter.connect(api, advice.hook_url(house.settings, site))
    except CmsProblem:
        yield from _by_hand(house, site, house.adapter(site))
        raise
    yield from connection.words
    yield from _kept(house, site, connection)


def _make_secret(site: str) -> Path | None:
    """Makes and keeps a webhook secret for each site that has none; the file of this one's."""
    made: dict[str, Path] = {}
    while bare := _without_secret():
        given = read()
        kind = cms.load(given["sites"][bare]["plugin"])
        made[bare] = secretfiles.keep(secretfiles.data(given), bare, kind.Settings.new_secret())
    return made.get(site)


def _without_secret() -> str:
    """The first site that has none; "" where all have one."""
    try:
        load()
    except ConfigProblem as problem:
        found = re.search(r"sites\.([a-z0-9_-]+)\.webhook_secret: Field required", problem.words)
        if found is None:
            raise
        return found[1]
    return ""


def _kept(house: House, site: str, connection: Connection) -> Iterator[str]:
    """Where the CMS has chosen the secret: it is kept, unless the configuration says another."""
    if not connection.secret:
        return
    place = secretfiles.keep(house.settings.data, site, connection.secret)
    if connection.secret in load().sites[site].secrets:
        yield f"Its secret is kept in {place}."
    else:
        yield f"Set webhook_secret of [sites.{site}] to the secret that it chose: {connection.secret}"


def _by_hand(house: House, site: str, adapter: Adapter) -> Iterator[str]:
    settings = house.settings
    yield f"In {adapter.title} at {adapter.settings.url}, enter:"
    yield f"  service URL     {settings.server.url}"
    yield f"  site            {site}"
    yield f"  hook URL        {advice.hook_url(settings, site)}"
    yield f"  webhook secret  {adapter.settings.webhook_secret.get_secret_value()}"
    yield f"  API token       made by: frontispiece token add {site} --site {site}   (for the panel in the editor)"
    yield ""
    yield from _guide(adapter.settings.plugin).splitlines()
    yield ""


def _guide(plugin: str) -> str:
    """The five steps of a plugin's README: all before its second heading."""
    guides = (root / plugin / "README.md" for root in shelf.plugins())
    found = next((path for path in guides if path.exists()), None)
    return found.read_text("utf8").partition("\n## ")[0].strip() if found else f"plugins/{plugin} has no README.md"
