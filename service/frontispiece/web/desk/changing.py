"""Changing a picture: what another prompt would be, tools for a candidate, a picture of one's own, or another one."""

from typing import Any, cast

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from frontispiece import changes, review
from frontispiece.changes import TOOLS, Tool
from frontispiece.errors import PictureProblem, Problem, StaleState
from frontispiece.generators import Margins
from frontispiece.models import Candidate, Illustration, State
from frontispiece.retouch import MOST_MASK, start
from frontispiece.web import frame, plain, search, security, views
from frontispiece.web.desk import asking, offers, typed
from frontispiece.web.i18n import gettext as _
from frontispiece.web.said import told

changing = Blueprint("changing", __name__, url_prefix="/desk")

NUMBER = "/<int(max=2147483647):number>"
MOST_UPLOAD = 20_000_000  # bytes of a picture
DRAWABLE = (State.IN_REVIEW, State.HELD, State.REVERTED, State.REJECTED, State.FAILED)
SIDES = ("top", "right", "bottom", "left")


@changing.before_request
def room_for_pictures() -> None:
    """Files may be larger than deliveries; said before the form is read."""
    request.max_content_length = max(MOST_UPLOAD + 1_000_000, current_app.config["MAX_CONTENT_LENGTH"] or 0)


changing.before_request(security.refuse_foreign_forms)
changing.record(
    lambda setup: setup.app.jinja_env.globals.update(
        changing=offers.offer, origin_says=offers.says, price_says=offers.price_says, RATIOS=asking.RATIOS
    )
)


@changing.post(f"{NUMBER}/preview")
@security.needs("editor")
def preview(number: int) -> ResponseReturnValue:
    """What the form of the illustration's page would have drawn; a part of that page, or a page of its own."""
    one = _one(number)
    if frame.is_part():
        shown = asking.preview(one)
        return render_template("_change_shown.html", preview=shown, runs=offers.origins(one, shown.prompt))
    return _page(one, "prompt")


@changing.get(f"{NUMBER}/change/<any({','.join([*TOOLS, 'own', 'pick'])}):tool>")
@security.needs("editor")
def show(number: int, tool: str) -> ResponseReturnValue:
    """A tool, beginning with the candidate `start`."""
    return _page(_one(number), tool)


@changing.post(f"{NUMBER}/change/<any({','.join([*TOOLS, 'own', 'pick'])}):tool>")
@security.needs("editor")
def change(number: int, tool: str) -> ResponseReturnValue:
    """Has the candidate changed, or takes another picture; what is refused is shown again with the words for it."""
    one = _one(number)
    try:
        shown = _changed(one, tool)
    except StaleState:
        with security.house().database.read() as session:
            now = plain.LONG[views.whole(session, number).one.state]  # type: ignore[union-attr] # none is ever deleted
        return _page(_one(number), tool, _("Somebody decided first. %(now)s", now=now), 409)
    except Problem as problem:
        return _page(one, tool, told(problem.words), 422)
    did = {"did": "regenerate", "of": number} if shown is None else {"candidate": shown}
    return redirect(url_for("desk.illustration", number=number, **search.asked().args(), **did), 303)


@changing.errorhandler(RequestEntityTooLarge)
def too_large(_problem: RequestEntityTooLarge) -> ResponseReturnValue:
    """A file that is too large is told so in words, beside the form for the next one."""
    words = _("The file is larger than %(most)s MB; save the picture smaller.", most=MOST_UPLOAD // 1_000_000)
    arguments = request.view_args or {}
    if not security.may("editor") or "tool" not in arguments:
        return render_template("problem.html", words=words, code=413), 413
    request.form = ImmutableMultiDict()  # what was sent cannot be read any more
    return _page(_one(arguments["number"]), arguments["tool"], words, 413)


def _changed(one: Illustration, tool: str) -> int | None:
    """The candidate that there is at once; None where one is drawn now."""
    house, by = security.house(), g.person.name
    if tool == "own":
        found = review.give(house, one.id, by, _file("picture", MOST_UPLOAD))
        security.nudge()
        return found
    if tool == "pick":
        return changes.pick(house, one.id, typed.candidate())
    candidate = asking.start(one)
    if candidate is None:
        raise Problem(_("There is no picture to begin with."))
    asked = asking.asked()
    given: dict[str, Any] = {}
    if tool == "repaint":
        given["mask"] = _file("mask", MOST_MASK)
    elif tool == "extend":
        given["margins"] = _margins(candidate)
    asking.order(one, changes.retouched(house, one, candidate, cast("Tool", tool), asked, **given))
    return None


def _file(name: str, most: int) -> bytes:
    file = request.files.get(name)
    data = b""
    if file is not None:
        data = file.stream.read(most + 1)
        file.close()
    if not data:
        raise PictureProblem(_("Choose a file first.") if name == "picture" else _("Paint over a region first."))
    if len(data) > most:
        raise PictureProblem(
            _("The file is larger than %(most)s MB; save the picture smaller.", most=most // 1_000_000)
        )
    return data


def _margins(candidate: Candidate) -> Margins:
    """The margins of the form in pixels; percent are of the picture's own width or height."""
    begin = start(security.house(), candidate)
    percent = request.form.get("unit", "percent") == "percent"
    found = {}
    for side in SIDES:
        given = request.form.get(side, "").strip() or "0"
        if not (given.isascii() and given.isdigit() and len(given) < 6):
            raise Problem(_("A margin is a whole number."))
        across = begin.width if side in ("left", "right") else begin.height
        found[side] = round(across * int(given) / 100) if percent else int(given)
    return Margins(**found)


def _one(number: int) -> Illustration:
    with security.house().database.read() as session:
        whole = views.whole(session, number)
    if whole is None:
        abort(404, _("There is no illustration %(number)s.", number=number))
    return whole.one


def _page(one: Illustration, tool: str, problem: str = "", status: int = 200) -> ResponseReturnValue:
    picked, house = asking.start(one), security.house()
    facts: dict[str, Any] = {"uses": [offers.use(one, name, picked) for name in TOOLS] if picked else []}
    with house.database.read() as session:
        facts["left"] = changes.left(house, session)
        if tool == "pick":
            facts |= _pictures(session, one)
    page = render_template(
        "change.html", one=one, tool=tool, picked=picked, names=offers.NAMES, problem=problem,
        may_draw=one.state in DRAWABLE, typed=request.form, query=search.asked(), plain=plain,
        preview=asking.preview(one) if tool == "prompt" else None, sides=SIDES,
        words=one.prompt, most=MOST_UPLOAD, **facts,
    )  # fmt: skip
    return page, status


def _pictures(session: Any, one: Illustration) -> dict[str, Any]:
    words = request.args.get("words", "")[:200]
    found = changes.others(session, one, words, typed.number(request.args.get("before", "")) or 0)
    shown = found[: changes.PAGE]
    more = shown[-1].id if len(found) > changes.PAGE else None
    return {"pictures": shown, "titles": changes.titles_of(session, shown), "more": more, "words_sought": words}
