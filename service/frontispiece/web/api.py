"""`/api/v1`: the acts of the desk for programs and for panels inside a CMS.

A bearer token says who asks; one that is limited to a site sees nothing of another. A browser that is logged in may
read, and may act where it sends the form token of its page in `X-CSRF-Token`.
"""

import hmac
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, abort, g, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ValidationError

from frontispiece import accounts, cms
from frontispiece.errors import Problem, StaleState
from frontispiece.models import Entry, Illustration, Token
from frontispiece.web import acts, media, openapi, security, shapes, views

api = Blueprint("api", __name__, url_prefix="/api/v1")

B = TypeVar("B", bound=BaseModel)
ID = "<int(max=2147483647):number>"
PUBLIC = {"api.description", "api.schema"}


@api.before_request
def _who() -> ResponseReturnValue | None:
    """Sets `g.token` (None for a person with a cookie). 401 without either, 403 where it may not do this."""
    if request.endpoint in PUBLIC:
        return None
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    g.token = accounts.token(security.house().database, key.strip()) if kind.lower() == "bearer" else None
    if g.token is None and (kind or security.person() is None):
        words = "This token is not known." if kind else "Send a token: Authorization: Bearer fp_…"
        return _error(401, words, {"WWW-Authenticate": 'Bearer realm="Frontispiece"'})
    if request.method == "GET":
        return None
    if g.token is not None:
        return None if g.token.scope == "review" else _error(403, "This token may only read; this needs scope review.")
    sent = request.headers.get("X-CSRF-Token", "").encode("utf8", "replace")
    if security.is_foreign() or not hmac.compare_digest(sent, security.form_token().encode()):
        return _error(403, "With a cookie this needs the form token of the page in X-CSRF-Token; programs use a token.")
    return None if security.may("editor") else _error(403, "This needs the role editor.")


@api.get("/illustrations")
def illustrations() -> ResponseReturnValue:
    """Lists illustrations, newest first."""
    query = _checked(shapes.Query, request.args.to_dict())
    limit = _limit()
    if limit and query.site not in ("", limit):
        abort(404, f"This token knows no site {query.site!r}.")
    site = query.site or limit
    clauses = [
        clause
        for given, clause in (
            (site, Entry.site == site),
            (query.ref, Entry.ref == query.ref),
            (query.state, Illustration.state == query.state),
            (query.before, Illustration.id < (query.before or 0)),
        )
        if given
    ]
    house = security.house()
    with house.database.read() as session:
        rows = views.found(session, *clauses, limit=query.limit)
    told = [shapes.illustration(house, row) for row in rows]
    return jsonify(shapes.Illustrations(illustrations=told).model_dump(mode="json"))


@api.get(f"/illustrations/{ID}")
def illustration(number: int) -> ResponseReturnValue:
    """One illustration."""
    return _told(number)


@api.post(f"/illustrations/{ID}/approve")
def approve(number: int) -> ResponseReturnValue:
    """The picture goes to the CMS; approving the same one again changes nothing."""
    body = _body(shapes.Approve)
    said = body.model_dump(include={"alt", "caption", "as_it_is"})
    return _act(number, lambda: acts.approve(security.house(), number, body.candidate, _by(body), **said))


@api.post(f"/illustrations/{ID}/reject")
def reject(number: int) -> ResponseReturnValue:
    """The entry stays as it is."""
    body = _body(shapes.Reject)
    return _act(number, lambda: acts.reject(security.house(), number, _by(body), body.reason))


@api.post(f"/illustrations/{ID}/regenerate")
def regenerate(number: int) -> ResponseReturnValue:
    """Another picture, by the same prompt or the one given."""
    body = _body(shapes.Regenerate)
    return _act(number, lambda: acts.regenerate(security.house(), number, _by(body), body.prompt))


@api.post(f"/illustrations/{ID}/retry")
def retry(number: int) -> ResponseReturnValue:
    """Takes up what failed or was held."""
    body = _body(shapes.Act)
    return _act(number, lambda: acts.retry(security.house(), number, _by(body)))


@api.post(f"/illustrations/{ID}/revert")
def revert(number: int) -> ResponseReturnValue:
    """What the CMS had before comes back."""
    body = _body(shapes.Act)
    return _act(number, lambda: acts.revert(security.house(), number, _by(body)))


@api.get(f"/candidates/{ID}/image")
def image(number: int) -> ResponseReturnValue:
    """The image of a candidate, as it came or `width` pixels wide."""
    with security.house().database.read() as session:
        row = views.candidate(session, number)
    if row is None or _limit() not in ("", row[1]):
        abort(404, f"There is no candidate {number}.")
    return media.answer(security.house(), row[0])


@api.get("/openapi.json")
def description() -> ResponseReturnValue:
    """What this API takes and gives, in OpenAPI 3.1."""
    return jsonify(openapi.document(security.house().settings.server.url))


@api.get("/schemas/<name>.json")
def schema(name: str) -> ResponseReturnValue:
    """The JSON Schemas of the generic plugin's contract."""
    module = sys.modules[cms.load("generic").__module__]
    known = cast("Callable[[], dict[str, Any]]", module.schemas)()
    if name not in known:
        abort(404, f"There is no schema {name!r}; there are: {', '.join(sorted(known))}.")
    return jsonify(known[name])


@api.errorhandler(Problem)
def _problem(problem: Problem) -> ResponseReturnValue:
    return _error(409 if isinstance(problem, StaleState) else 400, problem.words)


def _act(number: int, act: Callable[[], None]) -> ResponseReturnValue:
    _told(number)  # 404 before anything is done
    act()
    return _told(number)


def _told(number: int) -> Response:
    house = security.house()
    with house.database.read() as session:
        rows = views.found(session, Illustration.id == number, limit=1)
    if not rows or _limit() not in ("", rows[0].entry.site):
        abort(404, f"There is no illustration {number}.")
    return jsonify(shapes.illustration(house, rows[0]).model_dump(mode="json"))


def _limit() -> str:
    """The one site that this token may see; "" is all of them."""
    token: Token | None = g.token
    return "" if token is None else token.site


def _by(body: shapes.Act) -> str:
    token: Token | None = g.token
    if token is None:
        return cast("str", g.person.name)
    return f"{body.by} via {token.name}" if body.by else token.name


def _body(shape: type[B]) -> B:
    given = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(given, dict):
        raise Problem("The body is not a JSON object (and Content-Type has to be application/json).")
    return _checked(shape, given)


def _checked(shape: type[B], given: dict[str, Any]) -> B:
    try:
        return shape.model_validate(given)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where, words = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
        raise Problem(f"{where}: {words}" if where else words) from None


def _error(status: int, words: str, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    return {"error": words}, status, headers or {}
