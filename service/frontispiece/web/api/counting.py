"""The figures of the board for programs, over all sites."""

from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from frontispiece import figures, money
from frontispiece.errors import Problem
from frontispiece.figures import Rate
from frontispiece.models import State
from frontispiece.web import plain, security
from frontispiece.web.api import callers
from frontispiece.web.api.routes import get
from frontispiece.web.api.shapes import Asked, clean
from frontispiece.web.lead import period

Day = Annotated[str, Field(description="A day as 2026-11-21, in UTC"), clean(20, "day", lines=False)]


class BoardQuery(Asked):
    """Which days to count; left out, the last seven."""

    since: Day = ""
    until: Day = ""


class RateShape(BaseModel):
    """How many pictures were judged, and how many of them approved."""

    judged: int
    approved: int


class ReasonShape(BaseModel):
    """How often a reason was picked, and after how many of these times a picture was approved in the end."""

    picked: int
    approved: int


class CostShape(BaseModel):
    """What renders of one site, rule and model cost or have reserved, in US dollars."""

    site: str
    rule: str
    model: str
    renders: int
    dollars: float


class BudgetShape(BaseModel):
    """What is spent or reserved in US dollars, and the cap (null = none)."""

    spent: float
    cap: float | None


class Board(BaseModel):
    """The figures from the first day to the end of the last; `states` and `budget` are those of this moment."""

    since: str
    until: str
    states: dict[State, int]
    decisions: Annotated[dict[str, int], Field(description="What people decided and did not take back")]
    by_rules: Annotated[int, Field(description="Pictures that rules approved by themselves")]
    median_seconds: Annotated[float | None, Field(description="From the event to the picture in the CMS")]
    templates: Annotated[dict[str, RateShape], Field(description="By name@version; empty are words of an editor")]
    models: dict[str, RateShape]
    reasons: dict[str, ReasonShape]
    costs: list[CostShape]
    budget: Annotated[dict[str, BudgetShape], Field(description="Of the day and the month")]


@get("/board", scope="manage")
def board(query: BoardQuery) -> Board:
    """The figures of the board. A token that is for one site may not see them: they are over all sites."""
    if callers.limit():
        callers.refuse(403, "The board is over all sites, and this token is for one.")
    asked = period.asked({name: given for name, given in query.model_dump().items() if given})
    if asked.problem:
        raise Problem(asked.problem)
    with security.house().database.read() as session:
        return _board(session, asked.period)


def _board(session: Session, span: figures.Period) -> Board:
    decided, verdicts = figures.decisions(session, span), figures.verdicts(session, span)
    found = figures.reasons(session, span)
    return Board(
        since=plain.iso(span.start),
        until=plain.iso(span.end),
        states=dict(figures.states(session)),
        decisions=dict(decided.people),
        by_rules=decided.rules,
        median_seconds=figures.waits(session, span, 0.5)[0],
        templates=_rates(figures.rates(verdicts, lambda one: one.template)),
        models=_rates(figures.rates(verdicts, lambda one: one.model)),
        reasons={one.chip: ReasonShape(picked=one.named, approved=one.approved) for one in found},
        costs=[CostShape(**one._asdict()) for one in figures.costs(session, span)],
        budget=_budget(session),
    )


def _rates(found: dict[str, Rate]) -> dict[str, RateShape]:
    return {name: RateShape(judged=rate.judged, approved=rate.approved) for name, rate in found.items()}


def _budget(session: Session) -> dict[str, BudgetShape]:
    caps = security.house().settings.budget
    spans = zip(("day", "month"), money.spans(), (caps.day, caps.month), strict=True)
    return {name: BudgetShape(spent=money.spent_since(session, since), cap=cap) for name, since, cap in spans}
