"""The log of deliveries: what each site sent, what came of it in words, and the way to have one read again."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.orm import Session

from frontispiece import planning, records
from frontispiece.cms import Event
from frontispiece.errors import Problem
from frontispiece.figures import Period
from frontispiece.models import Delivery, Task, TaskState
from frontispiece.web import frame, plain, security
from frontispiece.web.i18n import gettext as _
from frontispiece.web.lead import arrivals, outcomes, period
from frontispiece.web.lead.sites import EVENTS

deliveries = Blueprint("deliveries", __name__, url_prefix="/deliveries")
deliveries.before_request(security.refuse_foreign_forms)

NUMBER = "/<int(max=2147483647):number>"
PAGE = 50  # rows
COLUMNS = (Delivery.id, Delivery.site, Delivery.key, Delivery.received, Delivery.outcome, Delivery.words)
FILTERS = ("site", "outcome", "since", "until", "q")


@deliveries.get("")
@security.needs("lead")
def show() -> ResponseReturnValue:
    """The deliveries that the filters let through, the newest first; those that were refused stand by themselves."""
    house, asked = security.house(), {name: request.args.get(name, "").strip()[:200] for name in FILTERS}
    problem, span = "", None
    try:
        span = period.between(asked["since"], asked["until"])
    except ValueError:
        problem = _("Give days as year-month-day, such as 2026-11-21, the first one before the last.")
    with house.database.read() as session:
        rows = [] if asked["outcome"] == "refused" else _rows(session, asked, span)
        known = outcomes.about(session, [(row.outcome, row.words) for row in rows[:PAGE]])
    told = [(row, outcomes.of(row.outcome, row.words, known)) for row in rows[:PAGE]]
    names = [asked["site"]] if asked["site"] else list(house.settings.sites)
    refused = sorted(((*one, name) for name in names for one in house.refused.get(name, [])), reverse=True)
    more = rows[PAGE - 1] if len(rows) > PAGE else None
    facts = {"rows": told, "known": known, "numbers": outcomes.numbers, "refused": refused, "more": more}
    facts |= {"sites": sorted({*house.settings.sites, asked["site"]} - {""}), "words": outcomes.WORDS}
    page = render_template("deliveries.html", asked=asked, problem=problem, meaning=outcomes.MEANING, **facts)
    return page, 400 if problem else 200


@deliveries.get(NUMBER)
@security.needs("lead")
def show_one(number: int) -> ResponseReturnValue:
    """One delivery: headers, body, events, and what came of it."""
    return _page(number)


@deliveries.post(f"{NUMBER}/replay")
@security.needs("lead")
def replay(number: int) -> ResponseReturnValue:
    """Has it planned once more; a second press of the same button does nothing."""
    after = request.form.get("after", "")
    if not re.fullmatch(r"\d{1,12}", after, re.ASCII):
        abort(400, _("Load the page anew and press the button again."))
    with security.house().database.read() as session:
        _one(session, number)
    try:
        planning.again(security.house(), number, int(after))
    except Problem as problem:
        return _page(number, 409, problem.words)
    security.nudge()
    return redirect(url_for("deliveries.show_one", number=number), 303)


def _page(number: int, status: int = 200, problem: str = "") -> ResponseReturnValue:
    house = security.house()
    with house.database.read() as session:
        row = _one(session, number)
        known = outcomes.about(session, [(row.outcome, row.words)])
        after, task = planning.last_plan(session, number), _open_task(session, number)
    site = house.settings.sites.get(row.site)
    secrets = site.secrets if site else []
    events, unread = _events(row)
    facts: dict[str, Any] = {
        "outcome": outcomes.of(row.outcome, row.words, known),
        "headers": arrivals.headers(row.headers, secrets),
        "body": arrivals.body(row.body, secrets),
        "events": events,
        "unread": unread,
        "words": outcomes.WORDS,
        "meaning": outcomes.MEANING,
        "kinds": EVENTS,
        "illustrations": list(known.values()),
        "after": after,
        "task": task,
        "kept": row.headers != "[]" or bool(row.body),
    }
    page = "_delivery.html" if frame.is_part() else "delivery.html"
    return render_template(page, row=row, problem=problem, plain=plain, **facts), status


def _one(session: Session, number: int) -> Delivery:
    row = session.get(Delivery, number)
    if row is None:
        abort(404, _("There is no delivery %(number)s.", number=number))
    return row


def _open_task(session: Session, number: int) -> Task | None:
    wanted = select(Task).where(Task.step == "plan", Task.subject == number)
    return session.scalar(wanted.where(Task.state.in_((TaskState.READY, TaskState.RUNNING))))


def _events(row: Delivery) -> tuple[Sequence[Event], str]:
    """What its adapter reads in it now, or why it cannot."""
    if row.headers == "[]" and not row.body:
        return [], ""
    try:
        return security.house().adapter(row.site).events(records.as_delivery(row)), ""
    except (Problem, RecursionError) as problem:
        return [], str(problem)


def _rows(session: Session, asked: dict[str, str], span: Period | None) -> Sequence[Row[*tuple[Any, ...]]]:
    wanted = select(*COLUMNS).where(*_clauses(session, asked, span))
    return session.execute(wanted.order_by(Delivery.received.desc(), Delivery.id.desc()).limit(PAGE + 1)).all()


def _clauses(session: Session, asked: dict[str, str], span: Period | None) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if span:
        clauses += [Delivery.received >= span.start, Delivery.received < span.end]
    if asked["site"]:
        clauses.append(Delivery.site == asked["site"])
    if asked["q"]:
        clauses.append(Delivery.key.icontains(asked["q"].replace("\0", ""), autoescape=True))
    if asked["outcome"]:
        if asked["outcome"] not in outcomes.WORDS:
            abort(404, _("There is no outcome “%(outcome)s”.", outcome=asked["outcome"]))
        clauses.append(outcomes.clause(session, asked["outcome"]))
    after = request.args.get("after", "")
    return clauses + ([_below(after)] if after else [])


def _below(after: str) -> ColumnElement[bool]:
    """What comes after that place: when a delivery came, and its number."""
    if not re.fullmatch(r"\d{1,12}(\.\d{1,9})?-\d{1,10}", after, re.ASCII):
        abort(404, _("There is no such page of deliveries."))
    when, number = after.split("-")
    then = float(when)
    return or_(Delivery.received < then, and_(Delivery.received == then, Delivery.id < int(number)))
