"""Reaching the CMS of a site, which is left alone while it refuses our credentials; and when it was last looked at."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from frontispiece import pauses, tasks
from frontispiece.cms import Adapter
from frontispiece.database import upsert
from frontispiece.errors import NotAllowed, Problem
from frontispiece.house import House
from frontispiece.models import Delivery, Illustration, Pause, Site, Task, TaskState


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


def ask_doctor(house: House, name: str) -> bool:
    """Has a worker ask the CMS how it is doing; false where one is asking already."""
    with house.database.write() as session:
        number = _number(session, name)
        asking = Task.state.in_((TaskState.READY, TaskState.RUNNING))
        if session.scalar(select(Task.id).where(Task.step == "doctor", Task.subject == number, asking)):
            return False
        tasks.add(session, "doctor", number, due=time.time())
    return True


def try_now(house: House, name: str) -> None:
    """Ends the wait of a pause: what met it, and the look for what was missed, are due at once."""
    with house.database.write() as session:
        session.execute(update(Pause).where(Pause.name == pauses.of_site(name)).values(until=time.time()))
        number = _number(session, name)
        tasks.postpone(session, "look", number, due=0.0)
        mine = select(Illustration.id).where(Illustration.site == name)
        came = select(Delivery.id).where(Delivery.site == name)
        for_it = or_(
            and_(Task.step.in_(("compose", "publish", "revert")), Task.subject.in_(mine)),
            and_(Task.step == "plan", Task.subject.in_(came)),
        )
        # what waits without an error waits for another reason: a last save, somebody who may undo
        stuck = update(Task).where(Task.state == TaskState.READY, Task.error != "", for_it)
        session.execute(stuck.values(due=time.time(), hinted=0.0))


def _number(session: Session, name: str) -> int:
    upsert(session, Site, ["name"], {"name": name, "looked": 0.0}, [])
    return session.scalars(select(Site.id).where(Site.name == name)).one()


def look_soon(house: House) -> None:
    """Has every configured site looked at as soon as somebody has time; for the start, when deliveries were missed."""
    with house.database.write() as session:
        for name, settings in house.settings.sites.items():
            if settings.look_every:
                number = _number(session, name)
                tasks.add(session, "look", number)
                tasks.postpone(session, "look", number, due=0.0)
