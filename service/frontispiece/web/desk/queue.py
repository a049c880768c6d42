"""The queue: what waits, filtered and searched; saved views of it; one decision about many."""

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, func, select

from frontispiece import pauses, reasons
from frontispiece.database import upsert
from frontispiece.errors import Problem
from frontispiece.models import SavedView
from frontispiece.web import acts, frame, plain, search, security
from frontispiece.web.desk import bulk, done, filters, tiles
from frontispiece.web.i18n import gettext as _
from frontispiece.web.search import Query

queue = Blueprint("queue", __name__, url_prefix="/desk")
queue.before_request(security.refuse_foreign_forms)
queue.record(lambda setup: setup.app.jinja_env.filters.update(plain.FILTERS))

PAGE = 24  # tiles
MOST_TILES = 240  # that one refresh looks at; below them the queue stays as it was loaded
NAME = 80  # characters of a saved view's name
MOST_VIEWS = 30
PARTS = {"": "queue.html", "live": "_queue.html", "tiles": "_tiles.html"}
WORDS = {"plain": plain, "words": filters, "search": search}  # what the pages take their words from


@queue.get("")
@security.needs("viewer")
def show() -> ResponseReturnValue:
    """The queue; `part` is live for what changes by itself, or tiles for one more page of it."""
    query, after = search.asked(), search.place(request.args.get("after", ""))
    part = request.args.get("part", "")
    part, house = part if part in PARTS else "", security.house()
    most = _rows() if part == "live" else PAGE
    with house.database.read() as session:
        facts: dict[str, Any] = {}
        if part == "tiles":
            numbers = search.found(session, query, after, most + 1)
        else:
            facts["counts"], numbers = search.both(session, query, after, most + 1)
            facts |= {"views": tiles.views(session, g.person), "pauses": pauses.listed(session)}
        found = tiles.tiles(session, numbers)
        facts |= {"tiles": found[:most], "more": found[most - 1].place if len(found) > most else ""}
        if not part:
            facts |= {"choices": tiles.choices(session, house), "done": done.done(session)}
    return render_template(PARTS[part], query=query, after=request.args.get("after", ""), **WORDS, **facts)


@queue.post("/bulk")
@security.needs("editor")
def decide() -> ResponseReturnValue:
    """One decision about all that were picked; what came of it, with the way back."""
    try:
        outcome = bulk.decide(_wish(), bulk.picks(request.form.getlist("pick")))
    except Problem as problem:
        abort(400, problem.words)
    page = "_outcome.html" if frame.is_part() else "outcome.html"
    return render_template(page, outcome=outcome, query=search.asked(), **WORDS)


@queue.post("/views")
@security.needs("viewer")
def save() -> ResponseReturnValue:
    """Keeps the query of this page under a name; the same name again is the same view with another query."""
    query = search.asked()
    try:
        _keep(acts.clean(request.form.get("name", ""), NAME, _("name"), lines=False), query)
    except Problem as problem:
        abort(400, problem.words)
    return redirect(url_for("queue.show", **query.args()), 303)


@queue.post("/views/<int(max=2147483647):number>/delete")
@security.needs("viewer")
def drop(number: int) -> ResponseReturnValue:
    """Forgets a saved view of one's own; one that is gone already is no mistake."""
    with security.house().database.write() as session:
        session.execute(delete(SavedView).where(SavedView.id == number, SavedView.user_id == g.person.id))
    return redirect(url_for("queue.show", **search.asked().args()), 303)


def _keep(name: str, query: Query) -> None:
    if not name:
        raise Problem(_("Give the view a name."))
    values = {"user_id": g.person.id, "name": name, "query": query.string()}
    with security.house().database.write() as session:
        mine = select(func.count()).where(SavedView.user_id == g.person.id, SavedView.name != name)
        if (session.scalar(mine) or 0) >= MOST_VIEWS:
            raise Problem(_("You have %(most)s views already; delete one first.", most=MOST_VIEWS))
        upsert(session, SavedView, ["user_id", "name"], values, ["query"])


def _wish() -> bulk.Wish:
    form = request.form
    act = form.get("act", "")
    if act not in bulk.ACTS:
        raise Problem(_("Choose what is to be done."))
    reason = acts.clean(form.get("reason", ""), acts.REASON, _("reason"))
    chips = [chip for chip in dict.fromkeys(form.getlist("chip")) if chip in reasons.titles()]
    return bulk.Wish(security.house(), act, g.person.name, reason, chips, form.get("assignee", ""))


def _rows() -> int:
    """How many tiles a refresh brings: as many as the page has, in whole pages."""
    given = request.args.get("rows", "")
    wanted = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else PAGE
    return min(max(-(-wanted // PAGE) * PAGE, PAGE), MOST_TILES)
