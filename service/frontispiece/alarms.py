"""What a lead hears elsewhere than at the desk: money that runs out, and services that take nothing from us.

The watcher looks twice a minute. What is to be told is a task for each address (`alarm`); the rows of these tasks are
also what remembers that something was told, for as long as it lasts.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from frontispiece import money, notices, pauses, tasks
from frontispiece.house import House
from frontispiece.messenger import Event
from frontispiece.models import Task, TaskState
from frontispiece.notices import Address, NotSent
from frontispiece.tasks import Claim

NEARLY = 0.8  # of a cap
_CODES = {"day": 0, "month": 2}
_EACH = 1_000  # addresses at most; a task's subject is the alarm's code times this, plus the address


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is so at the moment. `code` names it, `since` is when it began (seconds since the epoch)."""

    code: int
    event: Event
    since: float
    title: str
    text: str
    site: str = ""


def look(house: House) -> None:
    """Has everybody told of what is so now and what they have not heard of yet."""
    everybody = list(_everybody(house))
    with house.database.read() as session:
        new = [
            alarm.code * _EACH + at
            for alarm in _now(house, session)
            for at, address in enumerate(everybody)
            if _wants(address, alarm) and not _told(session, alarm.code * _EACH + at, alarm.since)
        ]
    if new:
        with house.database.write() as session:
            for subject in new:
                tasks.add(session, "alarm", subject, due=time.time())


def sound(house: House, claim: Claim) -> None:
    """Tells one address of one thing, if it is still so. Raises `NotSent`."""
    code, at = divmod(claim.subject, _EACH)
    everybody = list(_everybody(house))
    with house.database.read() as session:
        alarm = next((alarm for alarm in _now(house, session) if alarm.code == code), None)
    if alarm and at < len(everybody):
        address = everybody[at]
        text = f"{alarm.text}\n\nAt the desk: {house.settings.server.url.rstrip('/')}/desk"
        if _wants(address, alarm) and not notices.send(house, address, alarm.title, text, bad=True):
            raise NotSent(f"the notice {address.notice} was not taken", seconds=notices.AWAY)
    with house.database.write() as session:
        claim.finish(session)


def _everybody(house: House) -> Iterator[Address]:
    for name, settings in house.settings.notices.items():
        for number, url in enumerate(settings.urls):
            yield Address(name, number, url, settings)


def _wants(address: Address, alarm: Alarm) -> bool:
    wanted = address.settings
    return alarm.event in wanted.on and (not alarm.site or not wanted.sites or alarm.site in wanted.sites)


def _told(session: Session, subject: int, since: float) -> bool:
    """Whether there is a task that was added since then; one that has to be tried again is due later still."""
    mine = (Task.step == "alarm") & (Task.subject == subject) & (Task.due >= since)
    return bool(session.scalar(select(exists().where(mine))))


def _now(house: House, session: Session) -> Iterator[Alarm]:
    yield from _money(house, session)
    for pause in pauses.listed(session):
        site = pause.name.removeprefix(pauses.of_site("")) if pause.name.startswith(pauses.of_site("")) else ""
        what = f"the site {site}" if site else pause.name
        title, text = f"Paused: {what}", f"{what} takes nothing from us: {notices.plain(pause.words, 500)}"
        yield Alarm(100 + crc32(pause.name.encode()) % 1_000_000, "paused", pause.since, title, text, site)


def _money(house: House, session: Session) -> Iterator[Alarm]:
    """For each cap that is nearly reached one alarm; another where nothing more can be drawn for it."""
    budget = house.settings.budget
    caps = zip(("day", "month"), (budget.day, budget.month), money.spans(), strict=True)
    spent = {name: (money.spent_since(session, start), cap, start) for name, cap, start in caps if cap}
    fullest = max(spent, key=lambda name: spent[name][0] / spent[name][1], default="")
    for name, (gone, cap, start) in spent.items():
        over = gone >= cap or (name == fullest and _lacking(session))
        if over or gone >= NEARLY * cap:
            title = f"The budget of the {name} is used up" if over else f"{gone / cap:.0%} of the budget of the {name}"
            rest = (
                "Nothing more is drawn until there is money again." if over else "Drawing goes on until it is used up."
            )
            yield Alarm(_CODES[name] + over, "budget", start, title, f"${gone:.2f} of ${cap:.2f} are gone. {rest}")


def _lacking(session: Session) -> bool:
    """Whether a picture waits for money: a cap need not be reached for the next picture to be too dear."""
    waits = (Task.step == "resume") & Task.state.in_((TaskState.READY, TaskState.RUNNING))
    return bool(session.scalar(select(exists().where(waits))))
