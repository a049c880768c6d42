"""Our GraphQL operations, and what our stand-in answers to them, held against Shopify's published Admin schema."""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from servers.shopify import Server
from servers.shopify_node import faults

from frontispiece import cms
from frontispiece.cms import Picture

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


def picture() -> Picture:
    file = io.BytesIO()
    Image.effect_noise((64, 36), 90).convert("RGB").save(file, "jpeg")
    return Picture("frontispiece-1.jpeg", "image/jpeg", file.getvalue(), 64, 36, alt="A boat leaves the harbour")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("shopify"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def exchanges(shop: Server) -> list[dict[str, Any]]:
    """All that we ever ask, with the answers: pictures for a product and an article, both taken back, and so on."""
    adapter, refs = shop.adapter(kinds=("products", "articles")), [shop.create("published"), shop.write()]
    shop.set_image(refs[0], picture().data)
    with adapter.open() as api:
        adapter.connect(api, "https://frontispiece.example.org/hooks/shop")
        adapter.connect(api, "https://frontispiece.example.org/hooks/shop")
        list(adapter.recent(api, datetime.now(UTC) - timedelta(minutes=1)))
        for ref in refs:
            adapter.revert(api, ref, adapter.attach(api, adapter.fetch(api, ref), picture()))
        adapter.doctor(api)
    return [{"query": query, "variables": variables, "data": data} for query, variables, data in shop.said]


def test_every_operation_of_ours_was_asked(exchanges: list[dict[str, Any]]) -> None:
    ours = sys.modules[cms.load("shopify").__module__].OPERATIONS
    assert set(ours.values()) == {one["query"] for one in exchanges}


def test_operations_and_variables_and_answers_are_what_the_schema_says(exchanges: list[dict[str, Any]]) -> None:
    assert faults(exchanges) == []


def test_a_field_that_the_schema_does_not_know_is_found() -> None:
    assert faults([{"query": "query A { shop { nosuchfield } }", "variables": {}}]) != []


def test_a_variable_that_the_schema_does_not_know_is_found(exchanges: list[dict[str, Any]]) -> None:
    [create] = [one for one in exchanges if one["query"].startswith("mutation Create(")][:1]
    wrong = {"files": [create["variables"]["files"][0] | {"duplicateResolutionMode": "MERGE"}]}
    assert any("MERGE" in fault for fault in faults([create | {"variables": wrong}]))


def test_an_answer_of_another_type_is_found(exchanges: list[dict[str, Any]]) -> None:
    [look] = [one for one in exchanges if one["query"].startswith("query Look(")][:1]
    wrong = {"nodes": look["data"]["nodes"], "files": {"nodes": [{"id": "1", "fileStatus": "DONE", "fileErrors": []}]}}
    assert any("DONE" in fault for fault in faults([look | {"data": wrong}]))


def test_the_schema_knows_the_topics_that_we_subscribe_to(exchanges: list[dict[str, Any]]) -> None:
    topics = {one["variables"]["topic"] for one in exchanges if "topic" in one["variables"]}
    assert topics == {"PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE"}
