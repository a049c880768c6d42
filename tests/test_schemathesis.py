"""Schemathesis over the OpenAPI document: whatever it says may be sent, and whatever it says may not, is answered.

Nothing is answered with 5xx, and every answer is as the document says. The examples are the same on every run.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from desk.furnish import Web, whole
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from frontispiece.models import Delivery, State
from frontispiece.web.api import openapi
from frontispiece.web.api.routes import ROUTES

EXAMPLES = 25  # of each operation, of what is right and of what is wrong
HELD = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
DOCUMENT = openapi.document("http://127.0.0.1", ROUTES.values())
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = whole()
PUBLIC = ("GET /openapi.json", "GET /schemas/{name}.json")  # these take whatever is sent along, as caches ask with it
OPERATIONS = {found.label: found for found in (each.ok() for each in SCHEMA.get_all_operations())}  # type: ignore[union-attr] # an Err has none, and shall end the test


@pytest.fixture(scope="module", name="token")
def _token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The headers of somebody who may do everything, at a house with an illustration in each state."""
    with Web(tmp_path_factory.mktemp("house")) as web:
        for number, state in enumerate(State):
            web.illustration(state, number)
        with web.house.database.write() as session:
            session.add(Delivery(site="gazette", key="1", received=1.0, headers="[]", body=b"{}"))
        yield web.token("manage")


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("label", [label for label in OPERATIONS if label not in PUBLIC])
def test_whatever_is_sent_is_answered_as_the_document_says(
    token: dict[str, str], label: str, mode: GenerationMode
) -> None:
    numbers = itertools.cycle(range(1, len(State) + 2))

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def hold(case: Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE and "number" in case.path_parameters:  # else nearly none is one of ours
            case.path_parameters["number"] = next(numbers)
        case.call_and_validate(headers=token, checks=checks)

    checks: list[Any] = CHECKS.get_by_names(list(HELD))
    hold()
