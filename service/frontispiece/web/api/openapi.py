"""The API described in OpenAPI 3.1, made of the routes and shapes that check and make its messages."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from frontispiece.web.api import shapes

if TYPE_CHECKING:
    from frontispiece.web.api.routes import Route

REF = "#/components/schemas/{model}"
ERRORS = {
    400: "What was sent cannot be used; the words say why",
    401: "No token, or one that is not known",
    403: "The token may not do this",
    404: "There is none, or it belongs to a site that the token is not for",
    409: "Somebody decided first, or the state does not allow it; or the first request with this key is still at work",
    413: "That is too large",
    422: "The Idempotency-Key was used for another request",
    503: "Something that this needs is away; try again",
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again within a day, the same request with the same key is answered the same and done once",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]([ -~]{0,198}[!-~])?$"},
}


def document(server: str, routes: Iterable["Route"]) -> dict[str, Any]:
    """The whole document of those routes, for a service at that address."""
    told = list(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in told:
        paths.setdefault(route.path, {})[route.verb.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Frontispiece",
            "version": version("frontispiece"),
            "description": "Review the pictures of articles and products from a program or from inside a CMS.",
        },
        "servers": [{"url": server.rstrip("/") + "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(told),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas(routes: list["Route"]) -> dict[str, Any]:
    used: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(shapes.Error, "serialization"): None}
    for route in routes:
        used |= {(shape, "validation"): None for shape in (route.query, route.body) if shape}
        used |= {(shape, "serialization"): None for shape in (route.answer,) if shape}
    _, named = models_json_schema(list(used), ref_template=REF)
    queries = {route.query.__name__ for route in routes if route.query}
    return {name: schema for name, schema in named["$defs"].items() if name not in queries}


def _operation(route: "Route") -> dict[str, Any]:
    content = _json(route.answer) if route.answer else route.content
    answers = {str(route.status): {"description": "Done", "content": content}}
    answers |= {
        str(status): {"description": ERRORS[status], "content": _json(shapes.Error)} for status in sorted(route.errors)
    }
    told: dict[str, Any] = {"operationId": route.name, "summary": route.summary, "parameters": _parameters(route)}
    if route.scope:
        told["description"] = f"Needs the scope {route.scope}."
    else:
        told["security"] = []
    if route.body:
        required = bool(route.body.model_json_schema().get("required"))
        told["requestBody"] = {"required": required, "content": _taken(route, route.body)}
    return told | {"responses": answers}


def _parameters(route: "Route") -> list[Mapping[str, Any]]:
    number = {"type": "integer", "minimum": 1, "maximum": shapes.MOST_ID}
    found: list[Mapping[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": number if name == "number" else {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    return [*found, *_query(route.query), *([KEY] if route.verb == "POST" else [])]


def _query(shape: type[BaseModel] | None) -> list[dict[str, Any]]:
    told = shape.model_json_schema(ref_template=REF)["properties"] if shape else {}
    return [_asked(name, {key: is_ for key, is_ in schema.items() if key != "title"}) for name, schema in told.items()]


def _asked(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """One part of a query; what may be left out is never sent as null."""
    if schema.get("default") in ("", None):
        schema = {key: is_ for key, is_ in schema.items() if key != "default"}
    there = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if there:
        schema |= there[0]
    about = {"description": schema.pop("description")} if "description" in schema else {}
    return {"name": name, "in": "query", "required": False, "schema": schema} | about


def _taken(route: "Route", shape: type[BaseModel]) -> dict[str, Any]:
    if not route.upload:
        return _json(shape)
    told = shape.model_json_schema()
    told["properties"][route.upload] = {"type": "string", "format": "binary"}
    return _json(shape) | {"multipart/form-data": {"schema": told}}


def _json(shape: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=shape.__name__)}}}
