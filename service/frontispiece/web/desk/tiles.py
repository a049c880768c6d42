"""What the queue shows of each illustration, and what its filters offer; never a query a row, never a whole row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from frontispiece.house import House
from frontispiece.models import Candidate, Entry, Illustration, SavedView, State, User
from frontispiece.web import search
from frontispiece.web.desk.together import REVIEWERS
from frontispiece.web.search import Query

MOST_NAMES = 300  # that a filter offers
COUNTED = ("waiting", "drawing", "attention")  # tabs of which a saved view tells how many; the others only grow


@dataclass(frozen=True)
class Shown:
    """The candidate that stands for an illustration: sizes in pixels, colour as #rrggbb or ""."""

    id: int
    width: int
    height: int
    colour: str


@dataclass(frozen=True)
class Tile:
    """One illustration in the queue; `updated` in seconds since the epoch."""

    id: int
    title: str
    locale: str
    site: str
    section: str
    slot: str
    state: State
    reason: str
    assignee: str
    updated: float
    picture: Shown | None
    pictures: int

    @property
    def place(self) -> str:
        """Where it stands in the queue, as an address carries it."""
        return f"{self.updated!r}-{self.id}"

    @property
    def pick(self) -> str:
        """What a form sends to say: this one, with this picture, as it was when I looked."""
        return f"{self.id}-{self.picture.id if self.picture else 0}-{self.updated!r}"


@dataclass(frozen=True)
class Choices:
    """What the filters and the form of assignment offer; names as pairs of what is sent and what is read."""

    sites: Sequence[tuple[str, str]]
    sections: Sequence[tuple[str, str]]
    rules: Sequence[tuple[str, str]]
    people: Sequence[str]


@dataclass(frozen=True)
class View:
    """A saved view; `waiting` is None where it looks at what is decided, which only grows."""

    id: int
    name: str
    query: Query
    waiting: int | None


def tiles(session: Session, numbers: Sequence[int]) -> list[Tile]:
    """The tiles of these illustrations in this order, in two queries."""
    one, entry = Illustration, Entry
    wanted = select(
        one.id, entry.title, entry.locale, one.site, one.section, one.slot, one.state, one.reason, one.assignee,
        one.updated, one.chosen_id,
    ).join(one.entry)  # fmt: skip
    rows = {row[0]: row for row in session.execute(wanted.where(one.id.in_(numbers)))}
    pictures = _pictures(session, numbers)
    found = [rows[number] for number in numbers if number in rows]
    return [Tile(*row[:10], *_standing(pictures.get(row[0], []), row[10])) for row in found]


def choices(session: Session, house: House) -> Choices:
    """Names to choose from."""
    settings = house.settings
    people = select(User.name).where(User.role.in_(REVIEWERS)).order_by(User.name).limit(MOST_NAMES)
    written = [name for name in _distinct(session, Illustration.section) if name]
    names = (sorted(settings.sites), written, [rule.name for rule in settings.rules])
    sites, sections, rules = ([(name, name) for name in some] for some in names)
    return Choices(sites, sections, rules, session.scalars(people).all())


def views(session: Session, user: User) -> list[View]:
    """The saved views of a person, by name, with how many there are in each, in two queries."""
    wanted = select(SavedView).where(SavedView.user_id == user.id).order_by(SavedView.name)
    saved = [(row, search.parsed(row.query, user.name)) for row in session.scalars(wanted)]
    numbers = _numbers(session, [query for _, query in saved])
    return [View(row.id, row.name, query, numbers.get(query)) for row, query in saved]


def _numbers(session: Session, queries: Sequence[Query]) -> Mapping[Query, int]:
    """How many each finds, counted in one walk through what is not decided yet."""
    live = list(dict.fromkeys(query for query in queries if query.tab in COUNTED))
    if not live:
        return {}
    fits = [and_(Illustration.state.in_(query.states), *search.limits(query)) for query in live]
    each = [func.count().filter(one).label(f"view_{at}") for at, one in enumerate(fits)]
    states = {state for query in live for state in query.states}
    wanted = select(*each).select_from(Illustration).where(Illustration.state.in_(states))
    return dict(zip(live, session.execute(wanted).one(), strict=True))


def _pictures(session: Session, numbers: Sequence[int]) -> dict[int, list[Shown]]:
    """The candidates of these illustrations, oldest first."""
    one = Candidate
    wanted = select(one.illustration_id, one.id, one.width, one.height, one.colour)
    rows = session.execute(wanted.where(one.illustration_id.in_(numbers)).order_by(one.illustration_id, one.id))
    return {number: [Shown(*row[1:]) for row in some] for number, some in groupby(rows, lambda row: row[0])}


def _standing(pictures: Sequence[Shown], chosen: int | None) -> tuple[Shown | None, int]:
    """The chosen candidate, else the last; and how many there are."""
    picked = next((one for one in pictures if one.id == chosen), pictures[-1] if pictures else None)
    return picked, len(pictures)


def _distinct(session: Session, column: InstrumentedAttribute[Any]) -> list[str]:
    """The values of an indexed column, by jumping from each to the next instead of reading all rows."""
    value = select(func.min(column).label("value")).cte("value", recursive=True)
    higher = select(func.min(column)).where(column > value.c.value).scalar_subquery()
    value = value.union_all(select(higher).where(value.c.value.is_not(None)))
    return list(session.scalars(select(value.c.value).where(value.c.value.is_not(None)).limit(MOST_NAMES)))
