"""Logging in and out; also what every page of ours has: headers, the shared words, and errors told to people."""

import json

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from frontispiece import accounts, brake
from frontispiece.errors import Problem
from frontispiece.web import frame, plain, security
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import lazy
from frontispiece.web.said import told

login = Blueprint("login", __name__)
login.before_request(security.refuse_foreign_forms)
login.after_app_request(security.bolt)
login.after_app_request(security.keep_cookie)


@login.get("/login")
def show() -> ResponseReturnValue:
    """The form; somebody who is logged in already is sent on."""
    if security.person():
        return redirect(security.local_path(request.args.get("next", "")), 303)
    return page()


@login.post("/login")
def enter() -> ResponseReturnValue:
    """Checks name and password; the login gets a key of its own. 403 where only the identity provider lets in."""
    provider = security.house().settings.oidc
    if provider and provider.only:
        abort(403, _("Nobody logs in with a password here: use “Log in with %(title)s”.", title=provider.title))
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        key = accounts.log_in(security.house().database, name, password, request.remote_addr or "")
    except brake.Slower as slower:
        return page(told(slower.words), 429, {"Retry-After": str(int(slower.seconds) + 1)})
    except Problem as problem:
        return page(told(problem.words), 401)
    security.new_cookie(key)
    return redirect(security.local_path(request.form.get("next", "")), 303)


@login.post("/logout")
def leave() -> ResponseReturnValue:
    """Ends the login here and in the table."""
    person = security.person()
    accounts.log_out(security.house().database, security.cookie())
    bye = "there" if person and person.subject else "here"  # where one may still be logged in
    return security.drop_cookie(make_response(redirect(url_for("login.show", bye=bye), 303)))


def page(words: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The page with all ways to log in, and what went wrong."""
    if not security.cookie():
        security.new_cookie()
    facts = {"name": request.form.get("name", ""), "next": request.values.get("next", "")}
    shown = render_template("login.html", words=words, provider=security.house().settings.oidc, **facts)
    return make_response(shown, status, headers or {})


@login.app_context_processor
def _shared() -> dict[str, object]:
    return {
        "person": security.person,
        "may": security.may,
        "form_token": security.form_token,
        "rooms": frame.rooms,
        "spoken": frame.spoken,
        "role_names": plain.ROLES,
        "live": frame.live,
    }


@login.app_errorhandler(HTTPException)
def _tell(problem: HTTPException) -> ResponseReturnValue:
    if problem.code is None or problem.code < 400:
        return problem
    headers = {name: value for name, value in problem.get_headers() if name in ("Allow", "Retry-After")}
    words = str(WORDS.get(problem.code, problem.description or problem.name))
    if problem.description and problem.description != type(problem).description:
        words = problem.description
    if request.path.startswith("/api/"):
        return Response(json.dumps({"error": words}) + "\n", problem.code, headers, mimetype="application/json")
    return render_template("problem.html", words=words, code=problem.code), problem.code, headers


WORDS = {
    404: lazy("There is no such page."),
    405: lazy("That cannot be done here."),
    413: lazy("That is too large to be sent here."),
    500: lazy("A mistake in Frontispiece. Its log has the details; what you were working on is as it was before."),
}
