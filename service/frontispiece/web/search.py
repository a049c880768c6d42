"""What somebody looks for in the queue: filters out of the query string, and what is found by them.

A `Query` goes along in every link (`args`), so that one works through what one has filtered.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode

from flask import abort, g, request
from sqlalchemy import ColumnElement, Select, String, and_, cast, func, literal, null, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from frontispiece.errors import Problem
from frontispiece.models import Illustration, Review, State
from frontispiece.records import in_ref, in_title, searchable
from frontispiece.web.i18n import gettext as _

S = State

TABS: dict[str, tuple[State, ...]] = {
    "waiting": (S.IN_REVIEW,),
    "drawing": (S.QUEUED, S.COMPOSING, S.RENDERING),
    "attention": (S.HELD, S.FAILED),
    "published": (S.APPROVED, S.PUBLISHING, S.PUBLISHED),
    "closed": (S.REJECTED, S.SKIPPED, S.REVERTED),
}
ANY_STATE = Illustration.state.in_(list(State))  # named so that PostgreSQL walks through the queue's index
MOVING = {S.QUEUED, S.COMPOSING, S.RENDERING, S.APPROVED, S.PUBLISHING}
SORTS = ("newest", "oldest")
WHOSE = ("me", "nobody", "somebody")
UNITS = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}  # seconds
LONGEST = 200  # characters of a filter

PLACE = r"\d{1,12}(\.\d{1,9})?-\d{1,9}"
Columns = TypeVar("Columns", bound=Select[*tuple[Any, ...]])
Place = tuple[float, int]  # of a row in the queue: when it was last moved, and its id


@dataclass(frozen=True)
class Query:
    """What is asked for; "" is anything. `me` is who asks and no part of the query string.

    `age` is newer or older, a colon, a number and h, d or w; `assignee` is me, nobody, somebody or a name; `chip` is a
    reason that was picked, `reason` a part of the words beside it.
    """

    tab: str = "waiting"
    site: str = ""
    section: str = ""
    kind: str = ""
    rule: str = ""
    assignee: str = ""
    age: str = ""
    chip: str = ""
    reason: str = ""
    q: str = ""
    sort: str = "newest"
    me: str = field(default="", compare=False)

    @classmethod
    def of(cls, given: Mapping[str, str], me: str = "") -> Self:
        """The query in these fields of a query string; others are left alone. Raises `Problem` in words."""
        names = [one.name for one in fields(cls) if one.name != "me"]
        found = {name: _plain(given[name]) for name in names if given.get(name)}
        made = cls(**{name: value for name, value in found.items() if value}, me=me)
        if made.tab not in TABS:
            raise Problem(_("There is no tab “%(tab)s”.", tab=made.tab))
        if made.sort not in SORTS:
            raise Problem(_("The queue is sorted by newest or oldest, not by “%(sort)s”.", sort=made.sort))
        if made.age and not re.fullmatch(r"(newer|older):\d{1,4}[hdw]", made.age, re.ASCII):
            raise Problem(_("An age is written like older:2d or newer:3h, not like “%(age)s”.", age=made.age))
        return made

    def args(self, **instead: str) -> dict[str, Any]:
        """What `url_for` needs to ask for the same again, or for the same with other fields instead."""
        asked = replace(self, **instead)
        known = [one for one in fields(asked) if one.name != "me"]
        return {one.name: getattr(asked, one.name) for one in known if getattr(asked, one.name) != one.default}

    def string(self) -> str:
        """The same as a query string."""
        return urlencode(self.args())

    @property
    def filters(self) -> dict[str, Any]:
        """What limits it, without the tab and the order."""
        return {name: value for name, value in self.args().items() if name not in ("tab", "sort")}

    @property
    def states(self) -> tuple[State, ...]:
        """The states of its tab."""
        return TABS[self.tab]


@dataclass(frozen=True)
class Counts:
    """How many illustrations the filters let through, by tab; `moving` of them need nobody to move on."""

    tabs: Counter[str]
    moving: int


def asked() -> Query:
    """The query that the address of this page carries. Aborts with 400 in words."""
    try:
        return Query.of(request.args, g.person.name if g.get("person") else "")
    except Problem as problem:
        abort(400, problem.words)


def parsed(saved: str, me: str) -> Query:
    """The query that somebody saved, as `me`; what is no longer understood is left out."""
    try:
        return Query.of(dict(parse_qsl(saved)), me)
    except Problem:
        return Query(me=me)


def place(given: str) -> Place | None:
    """The place in the queue that an address carries. Aborts with 404 where it is none."""
    if not given:
        return None
    if not re.fullmatch(PLACE, given, re.ASCII):
        abort(404, _("There is no such page of the queue."))
    when, number = given.split("-")
    return float(when), int(number)


def tab_of(state: State) -> str:
    """The tab under which an illustration is found."""
    return next(tab for tab, states in TABS.items() if state in states)


def counts(session: Session, query: Query) -> Counts:
    """How many there are under each tab, in one query."""
    wanted = select(Illustration.state, func.count()).where(ANY_STATE, *limits(query)).group_by(Illustration.state)
    return _counted((state, number) for state, number in session.execute(wanted))


def waiting(session: Session, query: Query) -> int:
    """How many wait for an editor, of those that the filters let through."""
    wanted = select(func.count()).select_from(Illustration).where(Illustration.state.in_(TABS["waiting"]))
    return session.scalar(wanted.where(*limits(query))) or 0


def found(session: Session, query: Query, after: Place | None, most: int) -> list[int]:
    """The ids of so many illustrations below a place of the queue, in its order."""
    return list(session.scalars(_listed(query, query.states, after, most)))


def both(session: Session, query: Query, after: Place | None, most: int) -> tuple[Counts, list[int]]:
    """What `counts` and `found` tell; what is sought in texts is sought once for both."""
    if not (query.q or query.chip or query.reason):
        return counts(session, query), found(session, query, after, most)
    columns = (Illustration.id, Illustration.state, Illustration.updated)
    fits = select(*columns).where(ANY_STATE, *limits(query)).cte("fits")
    numbers = select(literal(0).label("which"), fits.c.state, func.count()).group_by(fits.c.state)
    page = _below(select(fits.c.id).where(fits.c.state.in_(query.states)), query, after, fits.c, most).subquery("page")
    told = union_all(numbers, select(page.c.id, null(), literal(0)))
    rows = session.execute(told).all()
    return _counted((state, number) for which, state, number in rows if not which), [row[0] for row in rows if row[0]]


def _counted(rows: Iterable[tuple[State, int]]) -> Counts:
    tabs, moving = Counter[str](), 0
    for state, number in rows:
        tabs[tab_of(state)] += number
        moving += number if state in MOVING else 0
    return Counts(tabs, moving)


def neighbours(session: Session, one: Illustration, query: Query) -> tuple[int | None, int | None]:
    """The illustrations before and after this one in the queue, among those of its tab."""
    place, states = (one.updated, one.id), TABS[tab_of(one.state)]
    backwards = replace(query, sort=SORTS[query.sort == "newest"])
    return _first(session, backwards, states, place), _first(session, query, states, place)


def next_after(session: Session, query: Query, place: Place) -> int | None:
    """The illustration to decide after the one that was at that place: the one below it, else the first."""
    return _first(session, query, query.states, place) or _first(session, query, query.states, None)


def _first(session: Session, query: Query, states: Sequence[State], after: Place | None) -> int | None:
    return session.scalar(_listed(query, states, after, 1))


def limits(query: Query) -> list[ColumnElement[bool]]:
    """What the filters demand of an illustration, but for the tab."""
    demands = [
        (query.site, Illustration.site == query.site),
        (query.section, Illustration.section == query.section),
        (query.kind, Illustration.kind == query.kind),
        (query.rule, Illustration.rule == query.rule),
        (query.assignee, _whose(query)),
        (query.age, _aged(query.age)),
        (query.chip, _picked(query.chip)),
        (query.reason, Illustration.reason.icontains(query.reason, autoescape=True)),
        (query.q, _named(searchable(query.q))),
    ]
    return [clause for given, clause in demands if given]


def _plain(given: str) -> str:
    """Without signs that no name has, which a database might refuse."""
    return "".join(sign for sign in given if sign.isprintable()).strip()[:LONGEST]


def _whose(query: Query) -> ColumnElement[bool]:
    if query.assignee == "somebody":
        return Illustration.assignee != ""
    who = {"me": query.me, "nobody": ""}.get(query.assignee, query.assignee)
    return Illustration.assignee == who


def _aged(age: str) -> ColumnElement[bool]:
    which, span = (*age.split(":"), "")[:2]
    then = time.time() - int(span[:-1] or 0) * UNITS.get(span[-1:], 0.0)
    return Illustration.updated > then if which == "newer" else Illustration.updated < then


def _picked(chip: str) -> ColumnElement[bool]:
    """Somebody gave that reason for a decision that stands."""
    said = cast(Review.chips, String).contains(f'"{chip}"', autoescape=True)
    return Illustration.id.in_(select(Review.illustration_id).where(Review.undone.is_(None), said))


def _named(text: str) -> ColumnElement[bool]:
    """All words are in the title, whatever their order; or all of it is in the entry's ref."""
    words = text.split() or [text]
    anywhere = (Illustration.sought.contains(word, autoescape=True) for word in words)  # most fail in this look already
    return and_(*anywhere, or_(and_(*map(in_title, words)), in_ref(text)))


def _listed(query: Query, states: Sequence[State], after: Place | None, most: int) -> Select[int]:
    """So many ids below a place. Each state is a part of the index that has the order of the queue already."""
    columns = (Illustration.id, Illustration.updated)
    fits = [select(*columns).where(Illustration.state == state, *limits(query)) for state in states]
    parts = [_below(some, query, after, Illustration, most).subquery() for some in fits]
    rows = union_all(*(select(part) for part in parts)).subquery()
    return _below(select(rows.c.id), query, None, rows.c, most)


def _below(wanted: Columns, query: Query, after: Place | None, columns: Any, most: int) -> Columns:
    """So many rows below a place, in the order of the queue."""
    order = columns.updated, columns.id
    if query.sort == "newest":
        wanted = wanted.where(tuple_(*order) < after) if after else wanted
        return wanted.order_by(*(column.desc() for column in order)).limit(most)
    wanted = wanted.where(tuple_(*order) > after) if after else wanted
    return wanted.order_by(*order).limit(most)
