"""Who asks the API, what they may do, and what they sent, checked."""

import hmac
from typing import Any, NoReturn, TypeVar, cast

from flask import Response, abort, g, jsonify, make_response, request
from pydantic import BaseModel, ValidationError

from frontispiece import accounts
from frontispiece.accounts import ROLES, SCOPES
from frontispiece.errors import Problem
from frontispiece.web import security
from frontispiece.web.api import shapes

B = TypeVar("B", bound=BaseModel)

ROLE = {"read": "viewer", "review": "editor", "manage": "lead"}  # that a person needs where a token needs the scope
MOST_BY = 80  # characters, as wide as the columns are


def admit(scope: str) -> None:
    """Sets `g.token`, None for a person with a cookie. Aborts with 401 without either, with 403 where it may not."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    g.token = accounts.token(security.house().database, key.strip()) if kind.lower() == "bearer" else None
    if g.token is not None:
        if not accounts.covers(SCOPES, g.token.scope, scope):
            refuse(403, f"This token has the scope {g.token.scope}; this needs {scope}.")
        return
    user = None if kind else security.person()
    if user is None:
        words = "This token is not known." if kind else "Send a token: Authorization: Bearer fp_…"
        refuse(401, words, {"WWW-Authenticate": 'Bearer realm="Frontispiece"'})
    if request.method == "POST":
        _must_come_from_our_page()
    if not accounts.covers(ROLES, user.role, ROLE[scope]):
        refuse(403, f"This needs the role {ROLE[scope]}.")


def _must_come_from_our_page() -> None:
    sent = request.headers.get("X-CSRF-Token", "").encode("utf8", "replace")
    if security.is_foreign() or not hmac.compare_digest(sent, security.form_token().encode()):
        refuse(403, "With a cookie this needs the form token of the page in X-CSRF-Token; programs use a token.")


def limit() -> str:
    """The one site that this token may see; "" is all of them."""
    return "" if g.token is None else cast("str", g.token.site)


def must_see(site: str, words: str) -> None:
    """Aborts with 404 and the words where that site is hidden from this token: it shall not learn what is there."""
    if limit() not in ("", site):
        abort(404, words)


def by(body: shapes.Act) -> str:
    """Who decides, as it is written down: a person, a token, or a person as the token's program knows them."""
    if g.token is None:
        return cast("str", g.person.name)
    name: str = g.token.name
    return (f"{body.by} via {name}" if body.by else name)[:MOST_BY]


def holder() -> str:
    """Whose idempotency keys these are. SQLite gives the id of who was removed to the next one, so not that alone."""
    return f"user {g.person.id} {g.person.created}" if g.token is None else f"token {g.token.key}"


def checked(shape: type[B], given: dict[str, Any]) -> B:
    """What was sent, as the shape has it. Raises `Problem` with the place and the words of the first mistake."""
    try:
        return shape.model_validate(given)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where, words = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
        raise Problem(f"{where}: {words}" if where else words) from None


def sent_json() -> dict[str, Any]:
    """The body; nothing at all counts as an empty object. Raises `Problem` where it is none."""
    try:
        given = request.get_json(silent=True) if request.get_data() else {}
    except RecursionError:
        given = None
    if not isinstance(given, dict):
        raise Problem("The body is not a JSON object (and Content-Type has to be application/json).")
    return given


def error(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    """What went wrong, as every error of the API is told."""
    return make_response(jsonify(error=words), status, headers or {})


def refuse(status: int, words: str, headers: dict[str, str] | None = None) -> NoReturn:
    """Ends the request with that error."""
    abort(error(status, words, headers))
