"""What the API says of itself, to anybody: its OpenAPI document and the schemas of the generic plugin."""

import sys
from typing import TYPE_CHECKING, Any, cast

from flask import Response, abort, jsonify

from frontispiece import cms
from frontispiece.web import security
from frontispiece.web.api import openapi
from frontispiece.web.api.routes import ROUTES, get

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = {"application/json": {"schema": {"type": "object"}}}


@get("/openapi.json", scope="", content=JSON)
def description() -> Response:
    """The OpenAPI document that you are reading."""
    return jsonify(openapi.document(security.house().settings.server.url, ROUTES.values()))


@get("/schemas/{name}.json", scope="", content=JSON)
def schema(name: str) -> Response:
    """A JSON Schema of the generic plugin's contract."""
    module = sys.modules[cms.load("generic").__module__]
    known = cast("Callable[[], dict[str, Any]]", module.schemas)()
    if name not in known:
        abort(404, f"There is no schema {name!r}; there are: {', '.join(sorted(known))}.")
    return jsonify(known[name])
