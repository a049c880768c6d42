"""Illustrations: found by what the queue of the desk can be asked for, one alone, and what became of it so far."""

from typing import Annotated, Literal

from flask import abort
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, select

from frontispiece import records
from frontispiece.models import Entry, Illustration, Publication, Render, RenderState, Review, State
from frontispiece.web import plain, security, views
from frontispiece.web.api import callers, shapes
from frontispiece.web.api.routes import get
from frontispiece.web.api.shapes import Asked, Illustrations, IllustrationShape, clean


class Query(Asked):
    """Which illustrations to list."""

    site: Annotated[str, clean(64, "name of the site", lines=False)] = ""
    ref: Annotated[str, Field(description="The entry's id in its CMS"), clean(200, "ref", lines=False)] = ""
    state: State | None = None
    section: Annotated[str, clean(200, "section", lines=False)] = ""
    kind: Literal["article", "product"] | None = None
    rule: Annotated[str, clean(64, "name of the rule", lines=False)] = ""
    assignee: Annotated[str, Field(description="The name of a user"), clean(80, "name", lines=False)] = ""
    search: Annotated[str, Field(description="A part of the title"), clean(200, "search", lines=False)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    before: Annotated[shapes.Number | None, Field(description="Only those with a smaller id; for the next page")] = None


@get("/illustrations")
def illustrations(query: Query) -> Illustrations:
    """Lists illustrations, newest first."""
    limit = callers.limit()
    if query.site:
        callers.must_see(query.site, f"This token knows no site {query.site!r}.")
    house = security.house()
    with house.database.read() as session:
        # Which ones from slim rows, else the database sorts whole ones, prompts and snapshots and all.
        wanted = select(Illustration.id).join(Illustration.entry).where(*_clauses(query, query.site or limit))
        numbers = session.scalars(wanted.order_by(Illustration.id.desc()).limit(query.limit)).all()
        rows = views.found(session, Illustration.id.in_(numbers), limit=query.limit)
    return Illustrations(illustrations=[shapes.illustration(house, row) for row in rows])


def _clauses(query: Query, site: str) -> list[ColumnElement[bool]]:
    sought = " ".join(records.searchable(query.search).split())
    pairs = (
        (site, Illustration.site == site),
        (query.ref, Entry.ref == query.ref),
        (query.state, Illustration.state == query.state),
        (query.section, Illustration.section == query.section),
        (query.kind, Illustration.kind == query.kind),
        (query.rule, Illustration.rule == query.rule),
        (query.assignee, Illustration.assignee == query.assignee),
        (sought, records.in_title(sought)),
        (query.before, Illustration.id < (query.before or 0)),
    )
    return [clause for given, clause in pairs if given]


@get("/illustrations/{number}")
def illustration(number: int) -> IllustrationShape:
    """One illustration."""
    return told(number)


def told(number: int) -> IllustrationShape:
    """One illustration as the API tells it. Aborts with 404 where there is none that this token may see."""
    house = security.house()
    with house.database.read() as session:
        rows = views.found(session, Illustration.id == number, limit=1)
    if not rows:
        abort(404, _missing(number))
    callers.must_see(rows[0].entry.site, _missing(number))
    return shapes.illustration(house, rows[0])


def _missing(number: int) -> str:
    return f"There is no illustration {number}."


class RenderShape(BaseModel):
    """One call of a model: what was asked for, by whom ("" = the rule), and what it cost in US dollars."""

    id: int
    state: RenderState
    model: str
    task: str
    prompt: str
    template: Annotated[str, Field(description="name@version; empty where an editor wrote the prompt")]
    seed: int
    width: int
    height: int
    parent: int | None
    by: str
    cost: float | None
    error: str
    created: str


class ReviewShape(BaseModel):
    """One decision, and when it was taken back."""

    id: int
    decision: str
    by: str
    reason: str
    chips: list[str]
    candidate: int | None
    at: str
    undone: str | None


class PublicationShape(BaseModel):
    """One write-back to the CMS."""

    candidate: int
    media_id: str
    url: str
    started: str
    finished: str | None
    reverted: str | None


class History(BaseModel):
    """What became of an illustration so far, each list oldest first."""

    renders: list[RenderShape]
    reviews: list[ReviewShape]
    publications: list[PublicationShape]


@get("/illustrations/{number}/history")
def history(number: int) -> History:
    """Every render, decision and write-back of one illustration."""
    with security.house().database.read() as session:
        whole = views.whole(session, number)
    if whole is None:
        abort(404, _missing(number))
    callers.must_see(whole.one.entry.site, _missing(number))
    return History(
        renders=[_render(row) for row in whole.one.renders],
        reviews=[_review(row) for row in whole.one.reviews],
        publications=[_publication(row) for row in whole.publications],
    )


SHOWN = ("id", "state", "model", "task", "prompt", "template", "seed", "width", "height", "by", "cost", "error")


def _render(row: Render) -> RenderShape:
    facts = {name: getattr(row, name) for name in SHOWN}
    return RenderShape(**facts, parent=row.parent_id, created=plain.iso(row.created))


def _review(row: Review) -> ReviewShape:
    facts = {name: getattr(row, name) for name in ("id", "decision", "by", "reason", "chips")}
    return ReviewShape(**facts, candidate=row.candidate_id, at=plain.iso(row.at), undone=_when(row.undone))


def _publication(row: Publication) -> PublicationShape:
    return PublicationShape(
        candidate=row.candidate_id,
        media_id=row.media_id,
        url=row.url,
        started=plain.iso(row.started),
        finished=_when(row.finished),
        reverted=_when(row.reverted),
    )


def _when(then: float | None) -> str | None:
    return None if then is None else plain.iso(then)
