"""One decision about many illustrations, each of them in a transaction of its own, none of them twice.

A form names each with the picture and the moment that its page showed (`Tile.pick`). What has moved since is left
alone, unless it was this very decision of this person that moved it: then the form was sent twice.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from frontispiece import records
from frontispiece.errors import Problem, StaleState
from frontispiece.house import House
from frontispiece.models import Entry, Illustration, Review, State
from frontispiece.web import acts, plain
from frontispiece.web.desk import together
from frontispiece.web.i18n import gettext as _
from frontispiece.web.said import told

ACTS = ("approve", "reject", "regenerate", "assign", "undo")
MOST = 500  # at once; each takes a commit
SAME = {"approve": ("approve", "endorse"), "reject": ("reject",), "regenerate": ("regenerate",)}


@dataclass(frozen=True)
class Pick:
    """One illustration as a page showed it: its last picture (0 = none), and when it was last moved."""

    number: int
    candidate: int
    seen: float


@dataclass(frozen=True)
class Wish:
    """What somebody wants done with them; `house` is where, `by` who."""

    house: House
    act: str
    by: str
    reason: str = ""
    chips: Sequence[str] = ()
    assignee: str = ""


@dataclass
class Outcome:
    """What became of it: titles by illustration, and why some were left alone."""

    act: str
    done: dict[int, str] = field(default_factory=dict)
    refused: list[tuple[int, str, str]] = field(default_factory=list)  # illustration, title, why
    back: list[str] = field(default_factory=list)  # the picks that undo it
    endorsed: int = 0  # of those done: a second person has to approve them as well


@dataclass(frozen=True)
class Now:
    """How an illustration stands: its last decision that was not taken back, and the title of its entry."""

    state: State
    updated: float
    title: str
    last: Review | None


def picks(given: Iterable[str]) -> list[Pick]:
    """What a form names, each once. Raises `Problem`."""
    found = {}
    for one in given:
        if not re.fullmatch(r"\d{1,9}-\d{1,9}-\d{1,12}(\.\d{1,9})?", one, re.ASCII):
            raise Problem(_("The form names something that is no illustration. Load the page anew and try again."))
        number, candidate, seen = one.split("-")
        found[int(number)] = Pick(int(number), int(candidate), float(seen))
    if not found:
        raise Problem(_("Choose at least one picture first."))
    if len(found) > MOST:
        raise Problem(_("%(num)s pictures at once are too many; %(most)s are the most.", num=len(found), most=MOST))
    return list(found.values())


def decide(wish: Wish, chosen: Sequence[Pick]) -> Outcome:
    """Does it to each of them, in their order, and says what became of it."""
    outcome = Outcome(wish.act)
    now = _now(wish.house, [pick.number for pick in chosen])
    for pick in chosen:
        standing = now.get(pick.number)
        if standing is None:
            outcome.refused.append((pick.number, f"#{pick.number}", _("It is not there any more.")))
            continue
        try:
            outcome.endorsed += _one(wish, pick, standing) == "endorsed"
            outcome.done[pick.number] = standing.title
        except StaleState:
            outcome.refused.append((pick.number, standing.title, _stale(wish.house, pick.number)))
        except Problem as problem:
            outcome.refused.append((pick.number, standing.title, told(problem.words)))
    if wish.act in SAME:
        outcome.back = _back(wish, list(outcome.done))
    return outcome


def _one(wish: Wish, pick: Pick, now: Now) -> str | None:
    """What came of it, where that may differ from what was asked for."""
    if wish.act == "undo":
        _undo(wish, pick, now)
    elif wish.act == "assign":
        together.assign(wish.house, pick.number, wish.assignee)
    elif now.updated == pick.seen:
        return DOES[wish.act](wish, pick)
    elif not _did_so(wish, pick, now):
        raise StaleState("it has moved since the page showed it")
    return None


def _did_so(wish: Wish, pick: Pick, now: Now) -> bool:
    last = now.last
    return last is not None and last.by == wish.by and last.decision in SAME[wish.act] and last.at > pick.seen


def _approve(wish: Wish, pick: Pick) -> str:
    if not pick.candidate:
        raise Problem(_("There is no picture yet."))
    if _would_replace(wish.house, pick.number):
        raise Problem(_("The entry has another image now. Open it to see what yours would replace."))
    hold = wish.house.settings.desk.undo_seconds
    return acts.approve(wish.house, pick.number, pick.candidate, wish.by, hold=hold)


def _would_replace(house: House, number: int) -> bool:
    """Whether approving takes away a person's image, which a tile does not show."""
    with house.database.read() as session:
        one = records.illustration(session, number)
        image = records.as_current(one.entry.snapshot["image"])
        return one.state == State.HELD and records.is_in_the_way(session, one, image)


def _undo(wish: Wish, pick: Pick, now: Now) -> None:
    """Takes back the decision that the pick names in the candidate's place, once."""
    if now.last is not None and now.last.id == pick.candidate:
        acts.undo(wish.house, pick.number, wish.by, pick.candidate)  # by name: the same form may come twice at once
    elif not _is_undone(wish.house, pick.candidate):
        raise Problem(_("Something else was decided about it since."))


DOES: Mapping[str, Callable[[Wish, Pick], str | None]] = {
    "approve": _approve,
    "reject": lambda wish, pick: acts.reject(wish.house, pick.number, wish.by, wish.reason, wish.chips),
    # The same prompt: what a reason changes in it is seen, one by one, before it is drawn.
    "regenerate": lambda wish, pick: acts.regenerate(wish.house, pick.number, wish.by, ""),
}


def _now(house: House, numbers: Sequence[int]) -> dict[int, Now]:
    """How they stand, in two queries."""
    one = Illustration
    wanted = select(one.id, one.state, one.updated, Entry.title).join(one.entry).where(one.id.in_(numbers))
    with house.database.read() as session:
        rows, last = session.execute(wanted).all(), _last(session, numbers)
    return {number: Now(state, updated, title, last.get(number)) for number, state, updated, title in rows}


def _last(session: Session, numbers: Sequence[int]) -> dict[int, Review]:
    wanted = select(Review).where(Review.illustration_id.in_(numbers), Review.undone.is_(None)).order_by(Review.id)
    return {row.illustration_id: row for row in session.scalars(wanted)}


def _back(wish: Wish, numbers: Sequence[int]) -> list[str]:
    with wish.house.database.read() as session:
        last = _last(session, numbers)
    mine = [row for row in last.values() if row.by == wish.by and row.decision in SAME[wish.act]]
    return [f"{row.illustration_id}-{row.id}-0" for row in mine]


def _is_undone(house: House, review: int) -> bool:
    with house.database.read() as session:
        row = session.get(Review, review)
        return row is not None and row.undone is not None


def _stale(house: House, number: int) -> str:
    with house.database.read() as session:
        state = session.scalar(select(Illustration.state).where(Illustration.id == number))
    return _("Somebody was quicker, or it has changed since: %(state)s.", state=plain.SHORT[state]) if state else ""
