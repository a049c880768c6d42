"""The board's export: one line for each illustration that was asked for, or moved, in a period."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session

from frontispiece.database import Database
from frontispiece.figures import Period
from frontispiece.models import Candidate, Entry, Illustration, Publication, Render, Review
from frontispiece.web.lead.sheets import Cell
from frontispiece.web.plain import iso

HEAD = (
    *("illustration", "site", "ref", "title", "section", "rule", "slot", "state", "template", "model", "seed"),
    *("cost", "decision", "decided_by", "reason", "chips", "asked_for", "decided", "published", "updated"),
)
COLUMNS = (
    *(Illustration.id, Illustration.rule, Illustration.slot, Illustration.state, Illustration.template),
    *(Illustration.chosen_id, Illustration.created, Illustration.updated),
    *(Entry.site, Entry.ref, Entry.title, Entry.section),
)
BATCH = 1000  # illustrations that are read together; no session stays open while they travel


def rows(database: Database, period: Period, batch: int = BATCH) -> Iterator[Sequence[Cell]]:
    """The lines, the oldest first; times are ISO 8601 in UTC, `cost` is in US dollars."""
    last = 0
    while True:
        with database.read() as session:
            found = _batch(session, period, last, batch)
            told = list(_lines(session, found))
        yield from told
        if len(found) < batch:
            return
        last = found[-1].id


def _batch(session: Session, period: Period, last: int, batch: int) -> Sequence[Row[*tuple[Any, ...]]]:
    wanted = select(*COLUMNS).join(Illustration.entry).where(Illustration.id > last, _within(period))
    return session.execute(wanted.order_by(Illustration.id).limit(batch)).all()


def _within(period: Period) -> ColumnElement[bool]:
    asked = and_(Illustration.created >= period.start, Illustration.created < period.end)
    return or_(asked, and_(Illustration.updated >= period.start, Illustration.updated < period.end))


def _lines(session: Session, found: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[Sequence[Cell]]:
    numbers = [one.id for one in found]
    drawn, cost = _drawn(session, found), _costs(session, numbers)
    said, published = _said(session, numbers), _published(session, numbers)
    for one in found:
        template, model, seed = drawn.get(one.id, (one.template, "", None))
        words = said[one.id]
        what = (one.id, one.site, one.ref, one.title, one.section, one.rule, one.slot, one.state.value)
        how = (template, model, seed, round(cost.get(one.id, 0.0), 6))
        times = (iso(one.created), words[4], published.get(one.id, ""), iso(one.updated))
        yield *what, *how, *words[:4], *times


def _drawn(session: Session, found: Sequence[Row[*tuple[Any, ...]]]) -> dict[int, tuple[str, str, int | None]]:
    """Template, model and seed of the approved picture, else of the last one; a person's own has none."""
    last = select(func.max(Candidate.id)).where(Candidate.illustration_id.in_([one.id for one in found]))
    newest = {number for number in session.scalars(last.group_by(Candidate.illustration_id)) if number}
    wanted = newest | {one.chosen_id for one in found if one.chosen_id}
    facts = select(Candidate.id, Candidate.illustration_id, Render.template, Render.model, Render.seed)
    facts = facts.outerjoin(Render, Render.id == Candidate.render_id).where(Candidate.id.in_(wanted))
    chosen = {one.chosen_id for one in found}
    told: dict[int, tuple[str, str, int | None]] = {}
    for number, of, template, model, seed in session.execute(facts.order_by(Candidate.id)):
        if number in chosen or of not in told:
            told[of] = (template or "", model or "", seed)
    return told


def _costs(session: Session, numbers: Sequence[int]) -> dict[int, float]:
    spent = func.sum(func.coalesce(Render.cost, Render.reserved))
    wanted = select(Render.illustration_id, spent).where(Render.illustration_id.in_(numbers))
    return {number: float(dollars) for number, dollars in session.execute(wanted.group_by(Render.illustration_id))}


def _said(session: Session, numbers: Sequence[int]) -> dict[int, tuple[str, str, str, str, str]]:
    """The last decision that stands: what, who, why; all reasons picked on the way; when."""
    wanted = select(Review).where(Review.illustration_id.in_(numbers), Review.undone.is_(None)).order_by(Review.id)
    told: dict[int, tuple[str, str, str, str, str]] = defaultdict(lambda: ("", "", "", "", ""))
    chips: dict[int, dict[Any, None]] = defaultdict(dict)
    for one in session.scalars(wanted):
        chips[one.illustration_id].update(dict.fromkeys(one.chips))
        picked = "; ".join(map(str, chips[one.illustration_id]))
        told[one.illustration_id] = (one.decision, one.by, one.reason, picked, iso(one.at))
    return told


def _published(session: Session, numbers: Iterable[int]) -> dict[int, str]:
    done = func.max(Publication.finished)
    wanted = select(Publication.illustration_id, done).where(Publication.illustration_id.in_(numbers))
    found = session.execute(wanted.where(Publication.finished.is_not(None)).group_by(Publication.illustration_id))
    return {number: iso(at) for number, at in found if at is not None}
