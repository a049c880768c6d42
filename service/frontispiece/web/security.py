"""What stands before every page: who is asking, whether the request is really theirs, and headers for the answer.

The cookie holds a random key. Before a login it only ties the login form to this browser; a login gets a new key,
whose SHA-256 is in the table of logins. Form tokens are made of that key, so none is stored.
"""

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import ParamSpec, cast
from urllib.parse import urlsplit

from flask import Response, abort, current_app, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from frontispiece import accounts
from frontispiece.house import House
from frontispiece.models import User
from frontispiece.web import plain
from frontispiece.web.i18n import gettext as _

P = ParamSpec("P")
DESK = "/desk"

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def house() -> House:
    """The open parts of this process."""
    return cast("House", current_app.extensions["house"])


def nudge() -> None:
    """Tells the workers that there is something to do, so that it does not wait for the sweep."""
    current_app.extensions["nudge"]()


def bolt(answer: Response) -> Response:
    """Puts the protecting headers on an answer; pages about illustrations are kept by no cache."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def person() -> User | None:
    """Who is logged in, looked up once a request."""
    if "person" not in g:
        key = cookie()
        g.person = accounts.logged_in(house().database, key) if key else None
    return cast("User | None", g.person)


def may(role: str) -> bool:
    """Whether the one who asks is logged in with that role or a higher one."""
    user = person()
    return user is not None and accounts.covers(accounts.ROLES, user.role, role)


def needs(role: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """A view for those with that role: the others are asked to log in, or told whom to ask."""

    def wrap(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if person() is None:
                return _ask_to_log_in()
            if not may(role):
                names = {"role": plain.ROLES[role], "own": plain.ROLES[g.person.role]}
                abort(403, _("This needs the role %(role)s; yours is %(own)s. An admin can change it.", **names))
            return view(*args, **kwargs)

        return guarded

    return wrap


def _ask_to_log_in() -> Response:
    back = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else request.path.rpartition("/")[0]
    if request.headers.get("HX-Request"):  # the page stays, with what was typed there, and its script says so
        return Response(_("You are logged out. Log in again in another window, then send it."), 401)
    return make_response(redirect(url_for("login.show", next=back or None), 303))


def refuse_foreign_forms() -> None:
    """Answers 403 to a form that another site sent, 400 to one without this session's token."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if is_foreign():
        abort(403, _("This form came from another site, so it was not acted upon."))
    if not cookie():
        abort(400, _("The form came without its cookie. Allow cookies for this site, load the page and send it again."))
    if not hmac.compare_digest(form_token().encode(), request.form.get("token", "").encode("utf8", "replace")):
        abort(400, _("This form is from another session. Go back, load the page anew and send it again."))


def is_foreign() -> bool:
    """Whether a browser says that this request was made by a page of another origin."""
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from is not None:
        return fetched_from not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] not in (request.host, _own_host())


def form_token() -> str:
    """The token that a form of this session carries."""
    return hmac.new(cookie().encode("utf8", "replace"), b"form", sha256).hexdigest()


def cookie() -> str:
    """The key in the cookie, or the one that `new_cookie` has just put there; "" where there is none."""
    if "key" not in g:
        g.key = request.cookies.get(cookie_name(), "")
    return cast("str", g.key)


def new_cookie(key: str = "") -> None:
    """From this answer on the browser has that key, or a fresh one that nobody is logged in with."""
    g.key = key or secrets.token_urlsafe(32)
    g.send_key = True


def keep_cookie(answer: Response) -> Response:
    """Sends the cookie where `new_cookie` asked for it."""
    return send_cookie(answer, g.key) if g.get("send_key") else answer


def send_cookie(answer: Response, value: str, part: str = "", seconds: int | None = None) -> Response:
    """Gives the browser a cookie that no script reads and no other site sends along with a form."""
    answer.set_cookie(cookie_name(part), value, seconds, path="/", httponly=True, samesite="Lax", secure=_is_https())
    return answer


def drop_cookie(answer: Response, part: str = "") -> Response:
    """Takes the cookie away."""
    answer.delete_cookie(cookie_name(part), path="/", httponly=True, samesite="Lax", secure=_is_https())
    return answer


def cookie_name(part: str = "") -> str:
    """The name of our cookie; with https one that browsers let no other host and no plain page set."""
    return name_of_cookie(house().settings.server.url) + part


def name_of_cookie(url: str) -> str:
    """The session cookie's name where people reach the service at that address."""
    return "__Host-frontispiece" if url.startswith("https://") else "frontispiece"


def local_path(target: str) -> str:
    """The path to go to after a login: a page of ours, whatever was asked for, else the queue."""
    path, pages = target.partition("?")[0], current_app.url_map.bind("")
    strange = not target.isprintable() or "\\" in target or not target.startswith("/")
    try:
        if strange or path.startswith(("/login", "/logout", "/static")):
            return DESK
        pages.match(path, "GET")
    except HTTPException:  # also a redirect to another spelling
        return DESK
    return target


def _is_https() -> bool:
    return house().settings.server.url.startswith("https://")


def _own_host() -> str:
    return urlsplit(house().settings.server.url).netloc
