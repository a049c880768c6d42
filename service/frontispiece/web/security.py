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

from frontispiece import accounts
from frontispiece.house import House
from frontispiece.models import User

P = ParamSpec("P")

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
    answer.headers.update(HEADERS)
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
    return user is not None and accounts.ROLES.index(user.role) >= accounts.ROLES.index(role)


def needs(role: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """A view for those with that role: the others are asked to log in, or told whom to ask."""

    def wrap(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if person() is None:
                return _ask_to_log_in()
            if not may(role):
                abort(403, f"This needs the role {role}; yours is {g.person.role}. An admin can change it.")
            return view(*args, **kwargs)

        return guarded

    return wrap


def _ask_to_log_in() -> Response:
    back = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else request.path.rpartition("/")[0]
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("login.show")})
    return make_response(redirect(url_for("login.show", next=back or None), 303))


def refuse_foreign_forms() -> None:
    """Answers 403 to a form that another site sent, 400 to one without this session's token."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if is_foreign():
        abort(403, "This form came from another site, so it was not acted upon.")
    if not cookie():
        abort(400, "The form came without its cookie. Allow cookies for this site, load the page and send it again.")
    if not hmac.compare_digest(form_token().encode(), request.form.get("token", "").encode("utf8", "replace")):
        abort(400, "This form is from another session. Go back, load the page anew and send it again.")


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
    if g.get("send_key"):
        answer.set_cookie(cookie_name(), g.key, httponly=True, samesite="Lax", secure=_is_https(), path="/")
    return answer


def drop_cookie(answer: Response) -> Response:
    """Takes the cookie away."""
    answer.delete_cookie(cookie_name(), httponly=True, samesite="Lax", secure=_is_https(), path="/")
    return answer


def cookie_name() -> str:
    """With https a name that browsers let no other host and no plain page set."""
    return "__Host-frontispiece" if _is_https() else "frontispiece"


def local_path(target: str) -> str:
    """The path to go to after a login: one of ours, whatever was asked for."""
    return target if target.startswith("/desk") and target.isprintable() else url_for("desk.queue")


def _is_https() -> bool:
    return house().settings.server.url.startswith("https://")


def _own_host() -> str:
    return urlsplit(house().settings.server.url).netloc
