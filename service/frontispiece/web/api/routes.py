"""The routes of the API, each told once, at its view: what it takes and gives is read from the view's annotations.

The same `Route` checks what comes in, makes what goes out and is written into the OpenAPI document, so that they cannot
differ. A view's parameters are the parts of its path, a `query` and a `body`; it returns a shape, or a whole answer.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, make_response, request
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from frontispiece.errors import Problem, StaleState
from frontispiece.web.api import callers, once
from frontispiece.web.api.shapes import MOST_ID, Asked

V = TypeVar("V", bound=Callable[..., BaseModel | Response])

api = Blueprint("api", __name__, url_prefix="/api/v1")


@dataclass(frozen=True)
class Route:
    """One route. `scope` is what a token needs ("" = nobody is asked); `upload` the field that may come as a file.

    `content` tells an answer that is no shape, `most` is the size of a body in bytes (0 = as configured).
    """

    verb: str
    path: str  # as OpenAPI writes it
    name: str
    summary: str
    scope: str
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int = 200
    more: tuple[int, ...] = ()  # statuses of errors beside those that follow from the rest
    content: Mapping[str, Any] = field(default_factory=dict)
    upload: str = ""
    most: int = 0

    @property
    def errors(self) -> set[int]:
        """The statuses of all errors that it answers with."""
        found = {*self.more}
        found |= {401} if self.scope else set()
        found |= {403} if self.scope not in ("", "read") else set()
        found |= {404} if "{" in self.path else set()
        found |= {400} if self.scope else set()
        return found | ({409, 413, 422} if self.verb == "POST" else set())


ROUTES: dict[str, Route] = {}  # by endpoint


def get(path: str, scope: str = "read", **told: Any) -> Callable[[V], V]:
    """A view that shows something."""
    return _route("GET", path, scope, told)


def post(path: str, scope: str = "review", **told: Any) -> Callable[[V], V]:
    """A view that does something, once for each idempotency key."""
    return _route("POST", path, scope, told)


def _route(verb: str, path: str, scope: str, told: dict[str, Any]) -> Callable[[V], V]:
    def add(view: V) -> V:
        signs = inspect.signature(view, eval_str=True)
        takes = {name: signs.parameters[name].annotation for name in ("query", "body") if name in signs.parameters}
        gives = signs.return_annotation
        route = Route(
            verb, path, view.__name__, (view.__doc__ or "").partition("\n")[0], scope,
            takes.get("query"), takes.get("body"), None if issubclass(gives, Response) else gives, **told,
        )  # fmt: skip
        rule = path.replace("{number}", "<int:number>").replace("{", "<").replace("}", ">")
        api.add_url_rule(rule, route.name, _guarded(route, view), methods=[verb])
        ROUTES[f"{api.name}.{route.name}"] = route
        return view

    return add


def _guarded(route: Route, view: Callable[..., BaseModel | Response]) -> Callable[..., Response]:
    def guarded(**where: Any) -> Response:
        if route.scope:
            callers.admit(route.scope)
        if where.get("number", 0) > MOST_ID:  # here, as a converter that fails is answered with 405
            callers.refuse(404, "There is no number as large as that.")
        if route.most:
            request.max_content_length = route.most
        if route.verb == "POST":
            return once.answered(lambda: _answer(route, view, where))
        return _answer(route, view, where)

    return guarded


def _answer(route: Route, view: Callable[..., BaseModel | Response], where: dict[str, Any]) -> Response:
    try:
        told = view(**where, **_taken(route))
    except Problem as problem:
        later = {"Retry-After": str(int(problem.seconds) + 1)} if problem.retry else {}
        return callers.error(_status(problem), problem.words, later)
    except HTTPException as problem:
        if problem.response is not None or problem.code is None:
            raise
        return callers.error(problem.code, problem.description or problem.name)
    if isinstance(told, Response):
        return told
    return make_response(jsonify(told.model_dump(mode="json")), route.status)


def _status(problem: Problem) -> int:
    if isinstance(problem, StaleState):
        return 409
    return 503 if problem.retry else 400


def _taken(route: Route) -> dict[str, BaseModel]:
    taken: dict[str, BaseModel] = {}
    if route.scope:
        query = callers.checked(route.query or Asked, request.args.to_dict())
        taken = {"query": query} if route.query else {}
    if route.body:
        is_form = bool(route.upload) and request.mimetype == "multipart/form-data"
        taken["body"] = callers.checked(route.body, _form(route.upload) if is_form else callers.sent_json())
    return taken


def _form(upload: str) -> dict[str, Any]:
    fields: dict[str, Any] = request.form.to_dict()
    file = request.files.get(upload)
    return fields | ({upload: file.stream.read()} if file else {})
