"""The review desk: the queue, one illustration, and the acts, each of them a form that works without JavaScript."""

import re
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from frontispiece import orders, pauses, records, review
from frontispiece.errors import Problem, StaleState
from frontispiece.models import Illustration, State
from frontispiece.web import acts, history, plain, security, views

desk = Blueprint("desk", __name__, url_prefix="/desk")
desk.before_request(security.refuse_foreign_forms)
desk.record(lambda setup: setup.app.jinja_env.filters.update(plain.FILTERS))

NUMBER = "/<int(max=2147483647):number>"
ACTS = ("approve", "reject", "regenerate", "retry", "revert")
FIELDS = ("alt", "caption", "prompt", "reason", "candidate")


@desk.get("")
@security.needs("viewer")
def queue() -> ResponseReturnValue:
    """The illustrations of one tab and, where wanted, of one site."""
    tab, site = request.args.get("tab", "waiting"), _site()
    if tab not in views.TABS:
        abort(404, f"There is no tab {tab!r}.")
    with security.house().database.read() as session:
        counts = views.counts(session, site)
        rows = views.page(session, views.TABS[tab], site, _place(request.args.get("after", "")))
        done, paused = _done(session), pauses.listed(session)
    more = rows[views.PAGE - 1] if len(rows) > views.PAGE else None
    return render_template(
        "_queue.html" if _is_live() else "queue.html",
        tab=tab, site=site, counts=counts, rows=rows[: views.PAGE], more=more, done=done, plain=plain, pauses=paused,
    )  # fmt: skip


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
        abort(404, f"There is no illustration {number}.")
    try:
        _act(number, act)
    except StaleState:
        return _illustration(number, 409, f"Somebody decided first. {plain.LONG[_state(number)]}")
    except Problem as problem:
        return _illustration(number, 422, problem.words)
    return redirect(_next(before.one, act), 303)


def _act(number: int, act: str) -> None:
    house, by, form = security.house(), g.person.name, request.form
    if act == "approve":
        alt = acts.clean(form.get("alt", ""), acts.ALT, "alt text")
        caption = acts.clean(form.get("caption", ""), acts.CAPTION, "caption")
        acts.approve(house, number, _chosen(), by, alt=alt, caption=caption, as_it_is="as_it_is" in form)
    elif act == "reject":
        acts.reject(house, number, by, acts.clean(form.get("reason", ""), acts.REASON, "reason"))
    elif act == "regenerate":
        acts.regenerate(house, number, by, acts.clean(form.get("prompt", ""), review.MAX_PROMPT, "prompt"))
    elif act == "retry":
        acts.retry(house, number, by)
    else:
        acts.revert(house, number, by)


def _chosen() -> int:
    candidate = _number(request.form.get("candidate", ""))
    if candidate is None:
        raise Problem("Choose one of the pictures first.")
    return candidate


def _next(one: Illustration, act: str) -> str:
    site = _site()
    after: dict[str, Any] = {"site": site or None, "did": act, "of": one.id}
    if act in ("retry", "revert") or one.state not in views.TABS["waiting"]:
        return url_for("desk.illustration", number=one.id, **after)
    with security.house().database.read() as session:
        found = views.next_waiting(session, (one.updated, one.id), site)
    if found is None:
        return url_for("desk.queue", **after)
    return url_for("desk.illustration", number=found, **after)


def _illustration(number: int, status: int = 200, problem: str = "") -> ResponseReturnValue:
    site = _site()
    with security.house().database.read() as session:
        whole = views.whole(session, number)
        if whole is None:
            abort(404, f"There is no illustration {number}.")
        newer, older = views.neighbours(session, whole.one, site)
        around: dict[str, Any] = {"newer": newer, "older": older, "following": views.last_candidate(session, older)}
        around |= {"waiting": views.waiting(session, site), "done": _done(session)}
    typed = {field: request.form[field] for field in FIELDS if field in request.form}
    page = render_template(
        "_illustration.html" if _is_live() else "illustration.html",
        whole=whole, one=whole.one, lines=history.lines(whole), can=_possible(whole.one), moving=_is_moving(whole),
        final=orders.final_of(security.house(), whole.one),
        tab=views.tab_of(whole.one.state), site=site, plain=plain, problem=problem, typed=typed, **around,
    )  # fmt: skip
    return page, status


def _possible(one: Illustration) -> set[str]:
    """The acts that fit the state; `review.py` has the last word."""
    can = {
        State.IN_REVIEW: {"approve", "reject", "regenerate"},
        State.HELD: {"approve", "reject", "regenerate", "retry"},
        State.FAILED: {"reject", "regenerate", "retry"},
        State.REVERTED: {"approve", "regenerate"},
        State.REJECTED: {"regenerate"},
        State.PUBLISHED: {"revert"},
    }.get(one.state, set())
    return can - ({"approve"} if not one.candidates else set()) - ({"regenerate"} if not one.prompt else set())


def _is_moving(whole: views.Whole) -> bool:
    return whole.one.state in views.MOVING or bool(whole.tasks)


def _state(number: int) -> State:
    with security.house().database.read() as session:
        return records.illustration(session, number).state


def _done(session: Session) -> dict[str, Any] | None:
    """What the page before this one did, to say so and to offer the way back."""
    act, of = request.args.get("did", ""), _number(request.args.get("of", ""))
    title = views.title(session, of) if act in ACTS and of is not None else None
    return None if title is None else {"act": act, "of": of, "title": title}


def _number(given: str) -> int | None:
    """The id that somebody sent, if it is one."""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _site() -> str:
    site = request.values.get("site", "")
    return site if site.isprintable() else ""


def _place(given: str) -> views.Place | None:
    if not given:
        return None
    if not re.fullmatch(r"\d{1,12}(\.\d{1,9})?-\d{1,9}", given, re.ASCII):
        abort(404, "There is no such page of the queue.")
    when, number = given.split("-")
    return float(when), int(number)


def _is_live() -> bool:
    return request.headers.get("HX-Request") == "true"
