"""The API described in OpenAPI 3.1, made of the types that check and make its messages."""

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from frontispiece.web import media, shapes

SHAPES: tuple[type[BaseModel], ...] = (
    shapes.Act,
    shapes.Approve,
    shapes.Reject,
    shapes.Regenerate,
    shapes.IllustrationShape,
    shapes.Illustrations,
    shapes.Error,
)
ACTS: dict[str, tuple[str, type[BaseModel]]] = {
    "approve": ("Approve a picture: it goes to the CMS. The same again changes nothing.", shapes.Approve),
    "reject": ("Reject: the entry stays as it is.", shapes.Reject),
    "regenerate": ("Draw another: the same prompt with a new seed, or the prompt given.", shapes.Regenerate),
    "retry": ("Take up what failed or was held.", shapes.Act),
    "revert": ("Put back what the CMS had before.", shapes.Act),
}
ERRORS = {
    "400": "What was sent cannot be used; the words say why",
    "401": "No token, or one that is not known",
    "403": "The token may not do this",
    "404": "There is none, or it belongs to a site that the token is not for",
    "409": "Somebody decided first, or the state does not allow it",
    "503": "The storage is away; try again",
}


def document(server: str) -> dict[str, Any]:
    """The whole document, for a service at that address."""
    _, named = models_json_schema(
        [(shape, "validation") for shape in SHAPES], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Frontispiece",
            "version": version("frontispiece"),
            "description": "Review the pictures of articles and products from a program or from inside a CMS.",
        },
        "servers": [{"url": server.rstrip("/") + "/api/v1"}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "schemas": named["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths() -> dict[str, Any]:
    number = _parameter("path", "number", {"type": "integer", "minimum": 1, "maximum": shapes.MOST_ID})
    width = _parameter("query", "width", {"enum": list(media.WIDTHS)}, "Pixels; left out = as it came")
    name = _parameter("path", "name", {"type": "string"})
    json = {"application/json": {"schema": {"type": "object"}}}
    picture = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media.KINDS}
    one = _json(shapes.IllustrationShape)
    return {
        "/illustrations": {
            "get": _operation("illustrations", "List illustrations.", _query(), _json(shapes.Illustrations), "400")
        },
        "/illustrations/{number}": {"get": _operation("illustration", "One illustration.", [number], one)},
        **{
            f"/illustrations/{{number}}/{act}": {
                "post": _operation(act, words, [number], one, "400", "403", "409")
                | {"requestBody": {"required": shape is shapes.Approve, "content": _json(shape)}}
            }
            for act, (words, shape) in ACTS.items()
        },
        "/candidates/{number}/image": {
            "get": _operation("image", "The image of a candidate.", [number, width], picture, "400", "503")
        },
        "/openapi.json": {"get": _public(_operation("description", "This document.", [], json))},
        "/schemas/{name}.json": {
            "get": _public(_operation("schema", "A JSON Schema of the generic plugin's contract.", [name], json))
        },
    }


def _operation(name: str, words: str, parameters: list[Any], content: dict[str, Any], *errors: str) -> dict[str, Any]:
    answers = {"200": {"description": "Done", "content": content}}
    for status in sorted({"401", "404", *errors}):
        answers[status] = {"description": ERRORS[status], "content": _json(shapes.Error)}
    return {"operationId": name, "summary": words, "parameters": parameters, "responses": answers}


def _public(operation: dict[str, Any]) -> dict[str, Any]:
    answers = {status: told for status, told in operation["responses"].items() if status != "401"}
    return operation | {"security": [], "responses": answers}


def _query() -> list[dict[str, Any]]:
    told = shapes.Query.model_json_schema(ref_template="#/components/schemas/{model}")
    return [
        _parameter("query", name, {key: value for key, value in schema.items() if key != "title"})
        for name, schema in told["properties"].items()
    ]


def _parameter(place: str, name: str, schema: dict[str, Any], words: str = "") -> dict[str, Any]:
    about = {"description": words} if words else {}
    return {"name": name, "in": place, "required": place == "path", "schema": schema} | about


def _json(shape: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}}
