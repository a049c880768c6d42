"""How each site stands: whether it is paused, when it was last heard and looked at, and what last went wrong."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from frontispiece import money, pauses
from frontispiece.models import Delivery, Illustration, Pause, Site, State, Task, TaskState

OPEN = (TaskState.READY, TaskState.RUNNING)


class Trouble(NamedTuple):
    """What went wrong, and when (seconds since the epoch); `illustration` or `delivery` where it was one's."""

    at: float
    words: str
    illustration: int | None = None
    delivery: int | None = None


@dataclass
class Standing:
    """One site; times are seconds since the epoch, None for what never was."""

    name: str
    pause: Pause | None = None
    delivery: float | None = None
    looked: float | None = None
    next_look: float | None = None
    states: Counter[State] = field(default_factory=Counter)
    trouble: Trouble | None = None

    @property
    def heard(self) -> bool:
        """Whether anything ever came from it, or its CMS answered a look."""
        return self.delivery is not None or self.looked is not None


class Findings(NamedTuple):
    """What the doctor last found: `asked` is when somebody wanted to know, `well` None while it is not known yet."""

    asked: float
    lines: list[str]
    well: bool | None


def every(session: Session, names: Iterable[str]) -> list[Standing]:
    """How these sites stand, in this order; a fixed number of queries, however many there are."""
    found = {name: Standing(name) for name in names}
    for pause in pauses.listed(session):
        if one := found.get(pause.name.removeprefix(pauses.of_site(""))):
            one.pause = pause
    for name, received in session.execute(_last_deliveries(found)):
        found[name].delivery = received
    for name, state, number in session.execute(_counts(found)):
        found[name].states[state] += number
    for row, due, error, hinted in session.execute(_looks(found)):
        found[row.name].looked, found[row.name].next_look = row.looked or None, due
        found[row.name].trouble = (
            Trouble(hinted or 0.0, error) if error else None
        )  # its last hint stands for when it failed
    for name, trouble in [*_of_deliveries(session, found), *_of_illustrations(session, found)]:
        found[name].trouble = max(found[name].trouble or trouble, trouble, key=lambda one: one.at)
    return list(found.values())


def findings(session: Session, name: str) -> Findings | None:
    """What the doctor last found at a site; None where nobody ever asked."""
    wanted = select(Task).join(Site, Site.id == Task.subject).where(Task.step == "doctor", Site.name == name)
    task = session.scalar(wanted.order_by(Task.id.desc()).limit(1))
    if task is None:
        return None
    well = {TaskState.DONE: True, TaskState.DEAD: False}.get(task.state)
    return Findings(task.due, task.error.splitlines(), well)


def _last_deliveries(names: Collection[str]) -> Select[str, float]:
    wanted = select(Delivery.site, func.max(Delivery.received)).where(Delivery.site.in_(names))
    return wanted.group_by(Delivery.site)


def _counts(names: Collection[str]) -> Select[str, State, int]:
    one = Illustration
    return select(one.site, one.state, func.count()).where(one.site.in_(names)).group_by(one.site, one.state)


def _looks(names: Collection[str]) -> Select[Site, float | None, str | None, float | None]:
    """Each site with the look that is to come, and what went wrong with the last try."""
    coming = and_(Task.subject == Site.id, Task.step == "look", Task.state.in_(OPEN))
    return select(Site, Task.due, Task.error, Task.hinted).outerjoin(Task, coming).where(Site.name.in_(names))


def _of_deliveries(session: Session, names: Collection[str]) -> Iterator[tuple[str, Trouble]]:
    """The newest delivery of each site that could not be dealt with."""
    place = func.row_number().over(partition_by=Delivery.site, order_by=Delivery.received.desc())
    bad = select(Delivery.site, Delivery.received, Delivery.words, Delivery.id, place.label("place"))
    bad = bad.where(Delivery.site.in_(names), Delivery.outcome.in_(("failed", "unreadable")))
    rows = bad.subquery()
    for row in session.execute(select(rows).where(rows.c.place == 1)):
        yield row.site, Trouble(row.received, row.words, delivery=row.id)


def _of_illustrations(session: Session, names: Collection[str]) -> Iterator[tuple[str, Trouble]]:
    """The newest illustration of each site that stopped, but for those that wait for money."""
    one = Illustration
    place = func.row_number().over(partition_by=one.site, order_by=one.updated.desc())
    stopped = select(one.site, one.updated, one.reason, one.id, place.label("place"))
    stopped = stopped.where(one.state.in_((State.FAILED, State.HELD)), one.site.in_(names))
    rows = stopped.where(one.reason != "", ~one.reason.contains(money.OVER)).subquery()
    for row in session.execute(select(rows).where(rows.c.place == 1)):
        yield row.site, Trouble(row.updated, row.reason, illustration=row.id)
