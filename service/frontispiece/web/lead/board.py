"""The board: what waits, what was decided, how fast, how good and for how much; on a page and as files."""

from collections.abc import Callable
from functools import cached_property

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from frontispiece import figures, money, reasons
from frontispiece.errors import Problem
from frontispiece.figures import Cost, Period, Rate, Verdict
from frontispiece.models import State
from frontispiece.tables import Budget
from frontispiece.web import security
from frontispiece.web.i18n import Lazy, known
from frontispiece.web.i18n import lazy as later
from frontispiece.web.lead import export, period, sheets
from frontispiece.web.lead.sheets import Column, Table

board = Blueprint("board", __name__, url_prefix="/board")
board.record(lambda setup: setup.app.jinja_env.filters.update(lasted=period.lasted))

FEW = 20  # judged pictures; a share of fewer says little
DECISIONS = {
    "approve": later("Approved"),
    "reject": later("Rejected"),
    "regenerate": later("Asked for another"),
    "endorse": later("Approved by the first of two"),
    "retry": later("Tried again"),
    "revert": later("Taken back"),
}
JUDGED, APPROVED = Column("judged", later("Judged"), "count"), Column("approved", later("Approved"), "count")
SHARE = Column("share", later("Approval rate"), "share")
SPENT = (
    Column("renders", later("Pictures drawn"), "count"),
    Column("dollars", later("Cost"), "dollars"),
    Column("part", later("Of all"), "part"),
)
NOTE = later("Pictures that somebody judged in this time; drafts count for the model that drew them.")


@board.get("")
@security.needs("lead")
def show() -> ResponseReturnValue:
    """The figures of a period, and what waits now."""
    asked = period.asked(request.args)
    with security.house().database.read() as session:
        now, found = figures.states(session), Found(session, asked.period)
        facts = {
            "waiting": now[State.IN_REVIEW],
            "drawing": now[State.QUEUED] + now[State.COMPOSING] + now[State.RENDERING],
            "stuck": now[State.HELD] + now[State.FAILED],
            "today": figures.decisions(session, period.asked({"period": "today"}).period),
            "waits": figures.waits(session, asked.period, 0.5, 0.9),
            "budget": _budget(session, security.house().settings.budget),
            "tables": [make(found) for make in TABLES.values()],
        }
    shown = render_template("board.html", asked=asked, periods=period.NAMES, few=FEW, **facts)
    return shown, 400 if asked.problem else 200


@board.get("/illustrations.csv")
@security.needs("lead")
def illustrations() -> ResponseReturnValue:
    """Everything about the illustrations of a period, one a line."""
    asked = _period()
    found = export.rows(security.house().database, asked.period)
    return sheets.answer(f"frontispiece-illustrations-{asked.file}", export.HEAD, found)


@board.get("/<name>.csv")
@security.needs("lead")
def table(name: str) -> ResponseReturnValue:
    """One of the board's tables as a file."""
    if name not in TABLES:
        abort(404)
    asked = _period()
    with security.house().database.read() as session:
        made = TABLES[name](Found(session, asked.period))
    return sheets.download(made, f"frontispiece-{name}-{asked.file}")


def _period() -> period.Asked:
    asked = period.asked(request.args)
    if asked.problem:
        abort(400, asked.problem)
    return asked


def _budget(session: Session, caps: Budget) -> list[tuple[Lazy, float, float | None]]:
    """For the day and the month that it is: what is spent or reserved, and the cap."""
    day, month = money.spans()
    return [
        (later("Today"), money.spent_since(session, day), caps.day),
        (later("This month"), money.spent_since(session, month), caps.month),
    ]


class Found:
    """The figures of a period that several tables are made of, each counted once."""

    def __init__(self, session: Session, span: Period) -> None:
        self.session, self.span = session, span

    @cached_property
    def verdicts(self) -> list[Verdict]:
        return figures.verdicts(self.session, self.span)

    @cached_property
    def costs(self) -> list[Cost]:
        return figures.costs(self.session, self.span)


def _decisions(found: Found) -> Table:
    told = figures.decisions(found.session, found.span)
    rows: list[tuple[str, int]] = [(str(words), told.people[name]) for name, words in DECISIONS.items()]
    rows = [row for row in [*rows, (str(later("Approved by a rule")), told.rules)] if row[1]]
    columns = Column("decision", later("Decision")), Column("number", later("Number"), "count")
    empty = later("Nothing was decided in this time.")
    return Table("decisions", later("Decisions"), columns, rows, empty, later("What was taken back is left out."))


def _reasons(found: Found) -> Table:
    told = figures.reasons(found.session, found.span)
    rows = [(_chip(one.chip), one.named, one.approved, one.approved / one.named) for one in told]
    counts = Column("picked", later("Picked"), "count"), Column("approved", later("Approved in the end"), "count")
    columns = Column("reason", later("Reason")), *counts, SHARE
    note = later("How often each reason was picked, and after how many of these times a picture was approved.")
    return Table("reasons", later("Reasons"), columns, rows, later("No reason was picked in this time."), note)


def _chip(chip: str) -> str:
    """What a reason says; its own name where it is none of ours any more."""
    try:
        return known(reasons.titles().get(chip, chip))
    except Problem:
        return chip


def rated(found: dict[str, Rate]) -> list[tuple[str, int, int, float | None]]:
    """Rows of a table of rates."""
    return [(name, rate.judged, rate.approved, rate.share) for name, rate in found.items()]


def _verdicts(name: str, title: Lazy, of: Lazy, key: Callable[[Verdict], str]) -> Callable[[Found], Table]:
    def make(found: Found) -> Table:
        rows = rated(figures.rates(found.verdicts, key))
        columns = Column(name.removesuffix("s"), of), JUDGED, APPROVED, SHARE
        return Table(name, title, columns, rows, later("Nothing was judged in this time."), NOTE)

    return make


def _costs(name: str, title: Lazy, of: Lazy, key: Callable[[Cost], str]) -> Callable[[Found], Table]:
    def make(found: Found) -> Table:
        sums = figures.summed(found.costs, key)
        whole = sum(dollars for _, dollars in sums.values())
        rows = [(one, number, dollars, dollars / whole if whole else 0.0) for one, (number, dollars) in sums.items()]
        columns = Column(name.removeprefix("cost-by-"), of), *SPENT
        return Table(name, title, columns, rows, later("Nothing was drawn in this time."))

    return make


TABLES: dict[str, Callable[[Found], Table]] = {
    "decisions": _decisions,
    "templates": _verdicts("templates", later("By template version"), later("Template"), lambda one: one.template),
    "models": _verdicts("models", later("By model"), later("Model"), lambda one: one.model),
    "reasons": _reasons,
    "cost-by-site": _costs("cost-by-site", later("Cost by site"), later("Site"), lambda one: one.site),
    "cost-by-rule": _costs("cost-by-rule", later("Cost by rule"), later("Rule"), lambda one: one.rule),
    "cost-by-model": _costs("cost-by-model", later("Cost by model"), later("Model"), lambda one: one.model),
}
