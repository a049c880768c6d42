"""One's own page: password, language, and the browsers in which one is logged in."""

from typing import cast

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from frontispiece import accounts, brake
from frontispiece.errors import Problem
from frontispiece.models import User
from frontispiece.web import security
from frontispiece.web.doors.people import ROLES
from frontispiece.web.i18n import LANGUAGES, lazy

me = Blueprint("me", __name__, url_prefix="/me")
me.before_request(security.refuse_foreign_forms)

DONE = {
    "password": lazy("You have a new password. Other browsers are logged out."),
    "language": lazy("This is your language now."),
    "out": lazy("Other browsers are logged out."),
}


@me.get("")
@security.needs("viewer")
def show() -> ResponseReturnValue:
    """The page."""
    return _page(done=DONE.get(request.args.get("done", ""), ""))


@me.post("/password")
@security.needs("viewer")
def password() -> ResponseReturnValue:
    """A new password for whoever knows the old one; this browser stays logged in, with another key."""
    database, old, new = security.house().database, request.form.get("old", ""), request.form.get("new", "")
    try:
        security.new_cookie(accounts.change_password(database, _me().name, old, new, request.remote_addr or ""))
    except brake.Slower as slower:
        return _page(slower.words, 429)
    except Problem as problem:
        return _page(problem.words, 400)
    return _done("password")


@me.post("/language")
@security.needs("viewer")
def language() -> ResponseReturnValue:
    """The language of the desk from here on; one that is not known is as the browser asks."""
    chosen = request.form.get("language", "")
    accounts.set_language(security.house().database, _me().name, chosen if chosen in LANGUAGES else "")
    return _done("language")


@me.post("/out")
@security.needs("viewer")
def out() -> ResponseReturnValue:
    """Ends all logins but this one."""
    accounts.log_out_everywhere(security.house().database, _me().name, but=security.cookie())
    return _done("out")


def _me() -> User:
    return cast("User", g.person)


def _done(what: str) -> Response:
    return make_response(redirect(url_for("me.show", done=what), 303))


def _page(problem: str = "", status: int = 200, *, done: object = "") -> Response:
    house = security.house()
    logins = accounts.logins(house.database, _me().id, security.cookie())
    facts = {"languages": LANGUAGES, "logins": logins, "roles": ROLES, "provider": house.settings.oidc}
    return make_response(render_template("me.html", problem=problem, done=done, **facts), status)
