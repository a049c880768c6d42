"""The OpenAPI document: it is valid, tells every route and no other, and says of each what it really does."""

from typing import Any

import pytest
from desk.furnish import Web
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from frontispiece.accounts import SCOPES
from frontispiece.app import create_app
from frontispiece.models import State

VERBS = ("get", "post")


@pytest.fixture
def document(web: Web) -> dict[str, Any]:
    told: dict[str, Any] = web.app.test_client().get("/api/v1/openapi.json").get_json()
    return told


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{verb} {path}": one[verb] for path, one in document["paths"].items() for verb in one}


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_route_is_in_the_document_and_nothing_else(web: Web, document: dict[str, Any]) -> None:
    routes = {
        f"{verb.lower()} {rule.rule.removeprefix('/api/v1')}".replace("int:", "")
        for rule in create_app(web.house.settings).url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {name.translate({60: "{", 62: "}"}) for name in routes} == set(operations(document))


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(document: dict[str, Any]) -> None:
    told = operations(document).values()
    assert len({one["operationId"] for one in told}) == len(told)
    assert [one["operationId"] for one in told if not one["summary"].endswith(".")] == []


def test_every_post_takes_an_idempotency_key_and_no_get_does(document: dict[str, Any]) -> None:
    takes = {
        name
        for name, one in operations(document).items()
        if any(each["name"] == "Idempotency-Key" for each in one["parameters"])
    }
    assert takes == {name for name in operations(document) if name.startswith("post")}


def test_every_post_but_none_that_is_public_says_what_scope_it_needs(document: dict[str, Any]) -> None:
    said = {name: one.get("description", "").split(" ")[-1].rstrip(".") for name, one in operations(document).items()}
    assert {said[name] for name in said if name.startswith("post")} == set(SCOPES) - {"read"}
    assert {name for name, scope in said.items() if not scope} == {"get /openapi.json", "get /schemas/{name}.json"}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_may_what_the_document_says_its_scope_may(web: Web, document: dict[str, Any], scope: str) -> None:
    token, allowed = web.token(scope), SCOPES[: SCOPES.index(scope) + 1]
    wrong = []
    for name, one in operations(document).items():
        verb, path = name.split(" ")
        needs = one.get("description", "").split(" ")[-1].rstrip(".")
        path = f"/api/v1{path}".replace("{number}", "9").replace("{name}", "generic-picture")
        status = web.app.test_client().open(path, method=verb.upper(), headers=token).status_code
        if (status == 403) == (needs in ("", *allowed)):
            wrong.append((name, status))
    assert wrong == []


def test_what_may_be_left_out_may_be_left_out(web: Web, document: dict[str, Any]) -> None:
    number, token = web.illustration(State.PUBLISHED), web.token("manage")
    for name, one in operations(document).items():
        if name.startswith("post /illustrations") and not one["requestBody"]["required"]:
            path = f"/api/v1{name.split(' ')[1]}".replace("{number}", str(number))
            assert web.app.test_client().post(path, headers=token).status_code in (200, 409), name


def test_a_body_of_another_shape_than_the_document_has_is_refused(web: Web, document: dict[str, Any]) -> None:
    number, token = web.illustration(), web.token("manage")
    bodies = {name: one["requestBody"] for name, one in operations(document).items() if "requestBody" in one}
    for name in bodies:
        path = f"/api/v1{name.split(' ')[1]}".replace("{number}", str(number))
        answer = web.app.test_client().post(path, headers=token, json={"surprise": 1})
        assert answer.status_code == 400, name
        assert "Extra inputs" in answer.get_json()["error"] or "required" in answer.get_json()["error"], name


SHOWN = {
    "/illustrations": "Illustrations",
    "/illustrations/1": "IllustrationShape",
    "/illustrations/1/history": "History",
    "/illustrations/1/comments": "Comments",
    "/sites": "Sites",
    "/deliveries": "Deliveries",
    "/board": "Board",
}


@pytest.mark.parametrize("state", list(State))
def test_an_answer_is_as_the_document_says_in_every_state(web: Web, document: dict[str, Any], state: State) -> None:
    web.illustration(state, candidates=2)
    token = web.token("manage")
    for path, shape in SHOWN.items():
        schema = {"$ref": f"#/components/schemas/{shape}", "components": document["components"]}
        told = web.app.test_client().get(f"/api/v1{path}", headers=token).get_json()
        assert [error.message for error in OAS31Validator(schema).iter_errors(told)] == [], path
