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
from frontispiece.languages import SPEAKERS, Speaker, later
from frontispiece.messenger import Event
from frontispiece.models import Pause, Task, TaskState
from frontispiece.notices import Address, NotSent
from frontispiece.tasks import Claim

NEARLY = 0.8  # of a cap
_CODES = {"day": 0, "month": 2}
_NEARLY = {
    "day": later("%(share)s%% of the budget of the day"),
    "month": later("%(share)s%% of the budget of the month"),
}
_OVER = {
    "day": later("The budget of the day is used up"),
    "month": later("The budget of the month is used up"),
}
_GOES_ON = later("$%(gone)s of $%(cap)s are gone. Drawing goes on until it is used up.")
_STOPS = later("$%(gone)s of $%(cap)s are gone. Nothing more is drawn until there is money again.")
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
            for alarm in _now(house, session, SPEAKERS["en"])  # in whatever words
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
    if at < len(everybody):
        _tell(house, everybody[at], code)
    with house.database.write() as session:
        claim.finish(session)


def _tell(house: House, address: Address, code: int) -> None:
    """Tells it, if it is still so, in the language of the address. Raises `NotSent`."""
    say = address.speaker
    with house.database.read() as session:
        alarm = next((alarm for alarm in _now(house, session, say) if alarm.code == code), None)
    if not alarm or not _wants(address, alarm):
        return
    desk = say.gettext("At the desk: %(url)s", url=f"{house.settings.server.url.rstrip('/')}/desk")
    if not notices.send(house, address, alarm.title, f"{alarm.text}\n\n{desk}", bad=True):
        raise NotSent(f"the notice {address.notice} was not taken", seconds=notices.AWAY)


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


def _now(house: House, session: Session, say: Speaker) -> Iterator[Alarm]:
    yield from _money(house, session, say)
    for pause in pauses.listed(session):
        site = pause.name.removeprefix(pauses.of_site("")) if pause.name.startswith(pauses.of_site("")) else ""
        title, text = _paused(say, pause, site)
        yield Alarm(100 + crc32(pause.name.encode()) % 1_000_000, "paused", pause.since, title, text, site)


def _paused(say: Speaker, pause: Pause, site: str) -> tuple[str, str]:
    """Title and text about a service that takes nothing; why is said in the words that are stored."""
    words = notices.plain(pause.words, 500)
    if site:
        title = say.gettext("Paused: the site %(name)s", name=site)
        return title, say.gettext("the site %(name)s takes nothing from us: %(words)s", name=site, words=words)
    title = say.gettext("Paused: %(name)s", name=pause.name)
    return title, say.gettext("%(name)s takes nothing from us: %(words)s", name=pause.name, words=words)


def _money(house: House, session: Session, say: Speaker) -> Iterator[Alarm]:
    """For each cap that is nearly reached one alarm; another where nothing more can be drawn for it."""
    budget = house.settings.budget
    caps = zip(("day", "month"), (budget.day, budget.month), money.spans(), strict=True)
    spent = {name: (money.spent_since(session, start), cap, start) for name, cap, start in caps if cap}
    fullest = max(spent, key=lambda name: spent[name][0] / spent[name][1], default="")
    for name, (gone, cap, start) in spent.items():
        over = gone >= cap or (name == fullest and _lacking(session))
        if over or gone >= NEARLY * cap:
            title = say.gettext((_OVER if over else _NEARLY)[name], share=f"{gone / cap * 100:.0f}")
            text = _spent(say, _STOPS if over else _GOES_ON, gone, cap)
            yield Alarm(_CODES[name] + over, "budget", start, title, text)


def _spent(say: Speaker, words: str, gone: float, cap: float) -> str:
    return say.gettext(words, gone=say.figures(f"{gone:.2f}"), cap=say.figures(f"{cap:.2f}"))


def _lacking(session: Session) -> bool:
    """Whether a picture waits for money: a cap need not be reached for the next picture to be too dear."""
    waits = (Task.step == "resume") & Task.state.in_((TaskState.READY, TaskState.RUNNING))
    return bool(session.scalar(select(exists().where(waits))))
