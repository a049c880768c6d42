"""The page of one illustration and the acts of an editor there, each of them a form that works without JavaScript."""

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from frontispiece import orders, reasons, records, review
from frontispiece.errors import Problem, StaleState
from frontispiece.models import Illustration, State
from frontispiece.web import acts, frame, plain, search, security, views
from frontispiece.web.desk import asking, done, history, stage, together, typed
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import known
from frontispiece.web.said import told

FILTERS = {"percent": typed.percent, "mark": typed.mark}

desk = Blueprint("desk", __name__, url_prefix="/desk")
desk.before_request(security.refuse_foreign_forms)
desk.record(lambda setup: setup.app.jinja_env.filters.update(plain.FILTERS | FILTERS))

NUMBER = "/<int(max=2147483647):number>"
ACTS = ("approve", "reject", "regenerate", "retry", "revert", "undo", "describe")
STAYING = ("retry", "revert", "undo", "describe")  # acts after which one looks at the same illustration
DESCRIBABLE = (State.IN_REVIEW, State.HELD, State.REVERTED, State.REJECTED, State.FAILED)


@desk.get(NUMBER)
@security.needs("viewer")
def illustration(number: int) -> ResponseReturnValue:
    """One illustration: the entry, the candidates, the acts that are possible now, the history."""
    return _illustration(number)


@desk.post(f"{NUMBER}/<any({','.join(ACTS)}):act>")
@security.needs("editor")
def decide(number: int, act: str) -> ResponseReturnValue:
    """Does what an editor decided and goes on to the next picture that waits."""
    with security.house().database.read() as session:
        before = views.whole(session, number)
    if before is None:
        abort(404, _("There is no illustration %(number)s.", number=number))
    try:
        _act(before.one, act)
    except StaleState:
        words = _("Somebody decided first. %(now)s", now=plain.LONG[_state(number)])
        return _illustration(number, 409, words)
    except Problem as problem:
        return _illustration(number, 422, told(problem.words))
    together.poke(number)  # of words and of a first approval its row does not tell
    return redirect(_next(before.one, act), 303)


def _act(one: Illustration, act: str) -> None:
    house, by, form, number = security.house(), g.person.name, request.form, one.id
    if act == "approve":
        hold = house.settings.desk.undo_seconds
        acts.approve(house, number, typed.candidate(), by, typed.details(one), as_it_is="as_it_is" in form, hold=hold)
    elif act == "describe":
        review.describe(house, number, typed.details(one))
    elif act == "reject":
        acts.reject(house, number, by, acts.clean(form.get("reason", ""), acts.REASON, "reason"), _chips())
    elif act == "regenerate":
        asking.redraw(number)
    elif act == "retry":
        acts.retry(house, number, by)
    elif act == "undo":
        acts.undo(house, number, by, typed.number(form.get("review", "")) or 0)
    else:
        acts.revert(house, number, by)


def _chips() -> list[str]:
    known = reasons.titles()
    return [chip for chip in typed.chips() if chip in known]


def _next(one: Illustration, act: str) -> str:
    query = search.asked()
    after: dict[str, Any] = {**query.args(), "did": act, "of": one.id}
    if act in STAYING or not (one.state in query.states or _is_repeated(one, act)):
        return url_for("desk.illustration", number=one.id, **after)
    with security.house().database.read() as session:
        found = search.next_after(session, query, (one.updated, one.id))
    if found in (None, one.id):
        return url_for("queue.show", **after)
    return url_for("desk.illustration", number=found, **after)


def _is_repeated(one: Illustration, act: str) -> bool:
    """Whether this person had done just that already: their answer was lost, or they clicked twice."""
    return [(row.decision, row.by) for row in stage.standing(one)[-1:]] == [(act, g.person.name)]


def _illustration(number: int, status: int = 200, problem: str = "") -> ResponseReturnValue:
    with security.house().database.read() as session:
        whole = views.whole(session, number)
        if whole is None:
            abort(404, _("There is no illustration %(number)s.", number=number))
        facts = _around(session, whole.one) | _shown(whole.one)
        facts |= {"done": done.done(session), "together": together.company(session, number, g.person.name)}
    facts["typed"] = _again(whole.one) | typed.kept()
    page = render_template(
        "_illustration.html" if frame.is_part() and request.method == "GET" else "illustration.html",
        whole=whole, one=whole.one, lines=history.lines(whole), tries=history.tries(whole.one),
        can=_possible(whole.one), moving=_is_moving(whole) and not problem, version=_version(whole),
        plain=plain, problem=problem, **facts,
    )  # fmt: skip
    return page, status


def _around(session: Session, one: Illustration) -> dict[str, Any]:
    """Where one can go from here; `after` is where a decision leads."""
    query = search.asked()
    before, following = search.neighbours(session, one, query)
    after = search.next_after(session, query, (one.updated, one.id)) if one.state in query.states else None
    facts = {"query": query, "tab": search.tab_of(one.state), "waiting": search.waiting(session, query)}
    return {"before": before, "following": following, "after": after if after != one.id else None, **facts}


def _shown(one: Illustration) -> dict[str, Any]:
    house = security.house()
    picked = typed.number(request.form.get("candidate", "") or request.args.get("candidate", ""))
    return {
        "stage": stage.stage(one, picked, typed.number(request.args.get("against", ""))),
        "places": stage.places(house, one),
        "words": stage.words(one),
        "votes": stage.votes(house, one, g.person.name),
        "undoable": stage.undoable(one, g.person.name),
        "final": orders.final_of(house, one),
        "chips": {name: known(reason.title) for name, reason in reasons.offered(one.entry.kind).items()},
    }


def _again(one: Illustration) -> dict[str, Any]:
    """The prompt of an earlier render, where somebody wants to begin with that."""
    wanted = typed.number(request.args.get("prompt", ""))
    return next(({"prompt": render.prompt} for render in one.renders if render.id == wanted), {})


def _possible(one: Illustration) -> set[str]:
    """The acts that fit the state; `review.py` has the last word."""
    can = {
        State.IN_REVIEW: {"approve", "reject", "regenerate"},
        State.HELD: {"approve", "reject", "regenerate", "retry"},
        State.FAILED: {"reject", "regenerate", "retry"},
        State.REVERTED: {"approve", "regenerate"},
        State.REJECTED: {"regenerate"},
        State.PUBLISHED: {"approve", "revert"},
    }.get(one.state, set())
    can |= {"describe"} if one.state in DESCRIBABLE else set()
    least = 2 if one.state == State.PUBLISHED else 1  # another one than that which is published
    return can - ({"approve"} if len(one.candidates) < least else set()) - ({"regenerate"} if not one.prompt else set())


def _version(whole: views.Whole) -> str:
    """What changes whenever the page would look different: whether one that was fetched ahead is still good."""
    one = whole.one
    words = typed.mark(repr((one.alt, one.caption, one.alts, one.captions, one.focal, one.entry.snapshot)))
    return f"{one.state.value}-{one.updated!r}-{len(one.candidates)}-{len(one.reviews)}-{len(whole.tasks)}-{words}"


def _is_moving(whole: views.Whole) -> bool:
    return whole.one.state in search.MOVING or bool(whole.tasks)


def _state(number: int) -> State:
    with security.house().database.read() as session:
        return records.illustration(session, number).state
