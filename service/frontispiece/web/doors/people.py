"""The page of the admins: who may do what at the desk, and which programs have a token."""

from collections.abc import Callable

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from frontispiece import accounts
from frontispiece.database import Database
from frontispiece.errors import Problem
from frontispiece.models import User
from frontispiece.web import plain, security
from frontispiece.web.i18n import gettext as _
from frontispiece.web.i18n import lazy

people = Blueprint("people", __name__, url_prefix="/people")
people.before_request(security.refuse_foreign_forms)

ROLES = {
    "viewer": lazy("Viewer: looks, and decides nothing"),
    "editor": lazy("Editor: decides about pictures"),
    "lead": lazy("Lead: also sees the board, sites and deliveries"),
    "admin": lazy("Admin: also decides who may do what"),
}
SCOPES = {
    "read": lazy("Looks only"),
    "review": lazy("What an editor may do"),
    "manage": lazy("What a lead may do"),
}
DONE = {
    "add": lazy("%(name)s may log in now."),
    "role": lazy("%(name)s has another role now."),
    "password": lazy("%(name)s has a new password and is logged out everywhere."),
    "out": lazy("%(name)s is logged out everywhere."),
    "remove": lazy("%(name)s may no longer log in. What they decided stays."),
    "token/remove": lazy("The token %(name)s is worthless now."),
}


@people.get("")
@security.needs("admin")
def show() -> ResponseReturnValue:
    """Everybody, and the tokens."""
    done, name = request.args.get("done", ""), request.args.get("name", "")
    return _page(done=DONE[done] % {"name": name} if done in DONE else "")


@people.post("/add")
@security.needs("admin")
def add() -> ResponseReturnValue:
    """Somebody new with a password of ours."""
    return _act("add", lambda database, name: accounts.add_user(database, name, _sent("role"), _sent("password")))


@people.post("/role")
@security.needs("admin")
def role() -> ResponseReturnValue:
    """Another role, unless the identity provider decides about it."""

    def act(database: Database, name: str) -> None:
        user = next((one for one, *_rest in accounts.users(database) if one.name == name), None)
        if user and decided_there(user):
            raise Problem(_("%(name)s gets their role from the identity provider at each login.", name=name))
        accounts.set_role(database, name, _sent("role"))

    return _act("role", act)


@people.post("/password")
@security.needs("admin")
def password() -> ResponseReturnValue:
    """A new password, which the admin tells them."""
    return _act("password", lambda database, name: accounts.set_password(database, name, _sent("password")))


@people.post("/out")
@security.needs("admin")
def out() -> ResponseReturnValue:
    """Ends all their logins."""
    return _act("out", accounts.log_out_everywhere)


@people.post("/remove")
@security.needs("admin")
def remove() -> ResponseReturnValue:
    """Takes their access away."""
    return _act("remove", accounts.remove_user)


@people.post("/token")
@security.needs("admin")
def make_token() -> ResponseReturnValue:
    """A new token, shown in this answer and never again."""
    house, site = security.house(), _sent("site")
    try:
        if site:
            house.adapter(site)  # raises where there is no such site
        key = accounts.add_token(house.database, _sent("name"), _sent("scope"), site)
    except Problem as problem:
        return make_response(_page("token", problem.words), 400)
    return _page(key=key)


@people.post("/token/remove")
@security.needs("admin")
def remove_token() -> ResponseReturnValue:
    """A token that is worthless from here on."""
    return _act("token/remove", accounts.remove_token)


def decided_there(user: User) -> bool:
    """Whether the identity provider decides about their role, at each login anew."""
    provider = security.house().settings.oidc
    return bool(user.subject and provider and provider.role_claim)


def _act(what: str, act: Callable[[Database, str], object]) -> ResponseReturnValue:
    name = _sent("name").strip()
    try:
        act(security.house().database, name)
    except Problem as problem:
        return make_response(_page(what, problem.words), 400)
    return redirect(url_for("people.show", done=what, name=name), 303)


def _page(wrong: str = "", problem: str = "", *, done: str = "", key: str = "") -> str:
    """The page: with what went wrong in which form, what was done before it, or the key of a new token."""
    house = security.house()
    facts = {"users": accounts.users(house.database), "tokens": accounts.tokens(house.database)}
    words = {"wrong": wrong, "problem": problem, "done": done, "key": key}
    typed = {} if wrong == "" else {name: _sent(name) for name in ("name", "role", "scope", "site")}
    known = {
        "roles": ROLES,
        "names": plain.ROLES,
        "scopes": SCOPES,
        "sites": sorted(house.settings.sites),
        "provider": house.settings.oidc,
    }
    return render_template(
        "people.html", typed=typed, decided_there=decided_there, sent_name=_sent("name"), **facts, **words, **known
    )


def _sent(name: str) -> str:
    return request.form.get(name, "")
