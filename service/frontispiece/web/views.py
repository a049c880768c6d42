"""What the desk and the API show: which illustrations, read without a query per row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from frontispiece.models import Candidate, Entry, Illustration, Publication, Review, State, Task, TaskState

S = State
T = TypeVar("T")

TABS: dict[str, tuple[State, ...]] = {
    "waiting": (S.IN_REVIEW,),
    "drawing": (S.QUEUED, S.COMPOSING, S.RENDERING),
    "attention": (S.HELD, S.FAILED),
    "published": (S.APPROVED, S.PUBLISHING, S.PUBLISHED),
    "closed": (S.REJECTED, S.SKIPPED, S.REVERTED),
}
MOVING = {S.QUEUED, S.COMPOSING, S.RENDERING, S.APPROVED, S.PUBLISHING}
PAGE = 24  # rows

Place = tuple[float, int]  # of a row in the queue: when it was last moved, and its id


@dataclass(frozen=True)
class Counts:
    """How many illustrations there are, by tab (of the site that is looked at) and by site."""

    tabs: Counter[str]
    sites: Counter[str]
    moving: int


@dataclass(frozen=True)
class Whole:
    """One illustration with everything that is known of it."""

    one: Illustration
    publications: Sequence[Publication]
    tasks: Sequence[Task]  # what is to be done for it, with the last error where a try failed


def tab_of(state: State) -> str:
    """The tab under which an illustration is found."""
    return next(tab for tab, states in TABS.items() if state in states)


def counts(session: Session, site: str = "") -> Counts:
    """Everything the filters say, in one query."""
    wanted = select(Entry.site, Illustration.state, func.count()).join(Illustration.entry)
    tabs, sites, moving = Counter[str](), Counter[str](), 0
    for where, state, number in session.execute(wanted.group_by(Entry.site, Illustration.state)):
        sites[where] += number
        if site in ("", where):
            tabs[tab_of(state)] += number
            moving += number if state in MOVING else 0
    return Counts(tabs, sites, moving)


def page(session: Session, states: Sequence[State], site: str, after: Place | None) -> list[Illustration]:
    """A page of illustrations, the last moved first, and one more if there is another page."""
    # Which ones, from the index alone; else the database sorts whole rows, prompts and snapshots and all.
    numbers = _below(_newest(states, site), after).with_only_columns(Illustration.id).limit(PAGE + 1)
    wanted = _latest(select(Illustration).where(Illustration.id.in_(numbers))).options(
        joinedload(Illustration.entry), selectinload(Illustration.candidates).joinedload(Candidate.render)
    )
    return list(session.scalars(wanted))


def waiting(session: Session, site: str) -> int:
    """How many illustrations wait for an editor."""
    wanted = _of(select(func.count(Illustration.id)).where(Illustration.state.in_(TABS["waiting"])), site)
    return session.scalar(wanted) or 0


def neighbours(session: Session, one: Illustration, site: str) -> tuple[int | None, int | None]:
    """The illustrations before and after this one among those of its tab."""
    place, states = (one.updated, one.id), TABS[tab_of(one.state)]
    older = session.scalar(_below(_newest(states, site), place).with_only_columns(Illustration.id).limit(1))
    above = or_(Illustration.updated > place[0], and_(Illustration.updated == place[0], Illustration.id > place[1]))
    upwards = _of(select(Illustration.id).where(Illustration.state.in_(states), above), site)
    newer = session.scalar(upwards.order_by(Illustration.updated, Illustration.id).limit(1))
    return newer, older


def next_waiting(session: Session, place: Place, site: str) -> int | None:
    """The illustration to decide after the one that was at that place: the one below it, else the first."""
    below = _below(_newest(TABS["waiting"], site), place)
    for wanted in (below, _newest(TABS["waiting"], site)):
        found = session.scalar(wanted.with_only_columns(Illustration.id).limit(1))
        if found is not None:
            return found
    return None


def whole(session: Session, number: int) -> Whole | None:
    """One illustration, its entry, candidates, renders, reviews, publications and open tasks."""
    one = session.scalar(
        select(Illustration)
        .where(Illustration.id == number)
        .options(
            joinedload(Illustration.entry),
            selectinload(Illustration.candidates).joinedload(Candidate.render),
            selectinload(Illustration.renders),
            selectinload(Illustration.reviews),
        )
    )
    if one is None:
        return None
    written = select(Publication).where(Publication.illustration_id == number).order_by(Publication.id)
    return Whole(one, session.scalars(written).all(), session.scalars(_open_tasks(one)).all())


def found(session: Session, *clauses: ColumnElement[bool], limit: int) -> list[Illustration]:
    """The illustrations that fulfil all clauses, newest first, with all that the API tells of them."""
    wanted = (
        select(Illustration)
        .join(Illustration.entry)
        .where(*clauses)
        .options(
            joinedload(Illustration.entry),
            selectinload(Illustration.candidates).joinedload(Candidate.render),
            selectinload(Illustration.renders),
        )
    )
    return list(session.scalars(wanted.order_by(Illustration.id.desc()).limit(limit)))


def last_review(session: Session, number: int) -> Review | None:
    """The last decision on an illustration."""
    wanted = select(Review).where(Review.illustration_id == number)
    return session.scalar(wanted.order_by(Review.id.desc()).limit(1))


def last_candidate(session: Session, number: int | None) -> int | None:
    """The newest candidate of an illustration, which the desk shows first."""
    return session.scalar(select(func.max(Candidate.id)).where(Candidate.illustration_id == number))


def title(session: Session, number: int) -> str | None:
    """The title of the entry that an illustration is for."""
    return session.scalar(select(Entry.title).join(Illustration).where(Illustration.id == number))


def candidate(session: Session, number: int) -> tuple[Candidate, str] | None:
    """A candidate and the site it was made for."""
    wanted = select(Candidate, Entry.site).join(Illustration, Illustration.id == Candidate.illustration_id)
    row = session.execute(wanted.join(Entry).where(Candidate.id == number)).one_or_none()
    return None if row is None else (row[0], row[1])


def _open_tasks(one: Illustration) -> Select[Task]:
    mine = and_(Task.step.in_(("compose", "publish", "revert")), Task.subject == one.id)
    drawing = and_(Task.step.in_(("render", "collect")), Task.subject.in_([render.id for render in one.renders]))
    return select(Task).where(Task.state.in_((TaskState.READY, TaskState.RUNNING)), or_(mine, drawing))


def _newest(states: Sequence[State], site: str) -> Select[Illustration]:
    return _latest(_of(select(Illustration).where(Illustration.state.in_(states)), site))


def _latest(wanted: Select[Illustration]) -> Select[Illustration]:
    return wanted.order_by(Illustration.updated.desc(), Illustration.id.desc())


def _of(wanted: Select[T], site: str) -> Select[T]:
    return wanted.join(Illustration.entry).where(Entry.site == site) if site else wanted


def _below(wanted: Select[Illustration], place: Place | None) -> Select[Illustration]:
    if place is None:
        return wanted
    then, number = place
    return wanted.where(or_(Illustration.updated < then, and_(Illustration.updated == then, Illustration.id < number)))
