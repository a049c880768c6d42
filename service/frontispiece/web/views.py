"""What the desk and the API show of illustrations, read without a query per row; search.py says which ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from frontispiece.models import Candidate, Entry, Illustration, Publication, Review, Task, TaskState


@dataclass(frozen=True)
class Whole:
    """One illustration with everything that is known of it."""

    one: Illustration
    publications: Sequence[Publication]
    tasks: Sequence[Task]  # what is to be done for it, with the last error where a try failed


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


def reviewed(session: Session, number: int) -> Illustration | None:
    """One illustration, its entry and the decisions on it."""
    options = joinedload(Illustration.entry), selectinload(Illustration.reviews)
    return session.scalar(select(Illustration).where(Illustration.id == number).options(*options))


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


def candidate(session: Session, number: int) -> tuple[Candidate, str] | None:
    """A candidate and the site it was made for."""
    wanted = select(Candidate, Illustration.site).join(Illustration, Illustration.id == Candidate.illustration_id)
    row = session.execute(wanted.where(Candidate.id == number)).one_or_none()
    return None if row is None else (row[0], row[1])


def current_image(session: Session, number: int) -> tuple[str, str, str] | None:
    """The site, the address of the image that the entry had when we last looked, and what changes when that does."""
    wanted = select(Entry).join(Illustration, Illustration.entry_id == Entry.id).where(Illustration.id == number)
    entry = session.scalar(wanted)
    image = entry.snapshot.get("image") if entry else None
    if entry is None or not image or not image.get("url"):
        return None
    return entry.site, str(image["url"]), f"{image.get('id')} {entry.snapshot.get('version', '')}"


def _open_tasks(one: Illustration) -> Select[Task]:
    mine = and_(Task.step.in_(("compose", "publish", "revert")), Task.subject == one.id)
    drawing = and_(Task.step.in_(("render", "collect")), Task.subject.in_([render.id for render in one.renders]))
    return select(Task).where(Task.state.in_((TaskState.READY, TaskState.RUNNING)), or_(mine, drawing))
