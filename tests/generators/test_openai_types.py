"""What is sent to OpenAI, held against the types of OpenAI's own client library."""

from collections.abc import Iterator

import httpx
import pytest
from openai.types import ImagesResponse
from openai.types.image_edit_params import ImageEditParamsBase
from openai.types.image_generate_params import ImageGenerateParamsNonStreaming
from pydantic import TypeAdapter
from servers.bfl import draw
from servers.openai import OpenaiServer

from frontispiece import net
from frontispiece.generators import Order
from frontispiece.generators.catalogue import load
from frontispiece.generators.openai import Openai, OpenaiSettings

MODELS = [name for name in load() if name.startswith("gpt-image")]
DOOR = draw("flux-schnell", "A green door.", 1, (96, 64), "png")


@pytest.fixture
def server() -> Iterator[OpenaiServer]:
    with OpenaiServer() as started:
        yield started


def sent(server: OpenaiServer, model: str, **changes: object) -> dict[str, object]:
    """What arrived for an order of this model in its smallest size."""
    row = load()[model]
    settings = OpenaiSettings.model_validate({"api_key": server.key, "base_url": server.url})
    width, height = row.fit(1024, 1024)
    order = Order(row.name, "A red door.", width, height, seed=7, options=row.settle({}), **changes)  # type: ignore[arg-type]
    with net.client(Openai.origins(settings)) as client:
        Openai(settings, client).submit(order)
    return server.bodies[0]


@pytest.mark.parametrize("model", MODELS)
def test_an_order_has_the_fields_and_values_that_the_library_would_send(server: OpenaiServer, model: str) -> None:
    body = sent(server, model)
    TypeAdapter(ImageGenerateParamsNonStreaming).validate_python(body)
    assert set(body) <= set(TypeAdapter(ImageGenerateParamsNonStreaming).json_schema()["properties"])


@pytest.mark.parametrize("model", MODELS)
def test_an_edit_has_the_fields_that_the_library_would_send(server: OpenaiServer, model: str) -> None:
    body = sent(server, model, task="edit", images=(DOOR,))
    fields = {*body, *(file.field.removesuffix("[]") for file in server.files)}
    assert fields <= {"image", *ImageEditParamsBase.__annotations__}


def test_the_stand_in_answers_what_the_library_reads(server: OpenaiServer) -> None:
    order = {"model": "gpt-image-2", "prompt": "A red door.", "n": 1, "size": "1024x1024"}
    key = {"Authorization": f"Bearer {server.key}"}
    answer = httpx.post(f"{server.url}/images/generations", json=order, headers=key).json()
    assert TypeAdapter(ImagesResponse).validate_python(answer).data
