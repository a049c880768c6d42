"""Reaching the CMS of a site, which is left alone while it refuses our credentials; and when it was last looked at."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from frontispiece import pauses, tasks
from frontispiece.cms import Adapter
from frontispiece.database import upsert
from frontispiece.errors import NotAllowed, Problem
from frontispiece.house import House
from frontispiece.models import Site


@contextmanager
def reach(house: House, site: str) -> Iterator[tuple[Adapter, httpx.Client]]:
    """The adapter of a site and a client for its API. Refused credentials pause the site, an answer ends the pause.

    Raises `NotAllowed` at once while the site is paused.
    """
    name = pauses.of_site(site)
    with house.database.read() as session:
        known = pauses.known(session, name)
    if known and known.running:
        raise NotAllowed(known.words, seconds=known.until - time.time())
    try:
        with house.api(site) as both:
            yield both
    except NotAllowed as problem:
        with house.database.write() as session:
            pauses.begin(session, name, problem.words)
        raise
    if known:
        with house.database.write() as session:
            pauses.end(session, name)


def row(session: Session, number: int) -> Site:
    """One site. Raises `Problem` where there is none."""
    found = session.get(Site, number)
    if found is None:
        raise Problem(f"there is no site {number}")
    return found


def look_soon(house: House) -> None:
    """Has every configured site looked at as soon as somebody has time; for the start, when deliveries were missed."""
    with house.database.write() as session:
        for name, settings in house.settings.sites.items():
            if settings.look_every:
                upsert(session, Site, ["name"], {"name": name, "looked": 0.0}, [])
                number = session.scalars(select(Site.id).where(Site.name == name)).one()
                tasks.add(session, "look", number)
                tasks.postpone(session, "look", number, due=0.0)
