"""The openai generator with pictures to start from, and what its doctor finds, against `servers/openai.py`."""

import base64
import dataclasses
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from PIL import Image
from servers.bfl import draw
from servers.openai import File, OpenaiServer

from frontispiece import inputs, net
from frontispiece.errors import GeneratorProblem, Outage, OutOfCredit, Unknown
from frontispiece.generators import Finished, Margins, Order, Task, Ticket
from frontispiece.generators.openai import Openai, OpenaiSettings

DOOR, CHAIR = (draw("flux", words, 1, (96, 64), "png") for words in ("A door.", "A chair."))
EDIT = Order("flux-kontext", "Paint it red.", 96, 64, seed=7, task="edit", images=(DOOR,))
MANY = dataclasses.replace(EDIT, task="references", images=(DOOR, CHAIR))
Make = Callable[..., Openai]


def half_mask() -> bytes:
    """White, so repainted, on its left half."""
    mask, file = Image.new("L", (96, 64), 0), io.BytesIO()
    mask.paste(255, (0, 0, 48, 64))
    mask.save(file, "PNG")
    return file.getvalue()


FILL = dataclasses.replace(EDIT, task="fill", mask=half_mask())
EXPAND = dataclasses.replace(EDIT, task="expand", width=128, height=96, margins=Margins(16, 16, 16, 16))


@pytest.fixture(name="server")
def _server() -> Iterator[OpenaiServer]:
    with OpenaiServer() as server:
        yield server


@pytest.fixture(name="make_openai")
def _make_openai(server: OpenaiServer) -> Iterator[Make]:
    with ExitStack() as open_clients:

        def make_openai(**keys: object) -> Openai:
            settings = OpenaiSettings.model_validate({"api_key": server.key, "base_url": server.url, **keys})
            client = open_clients.enter_context(net.client(Openai.origins(settings), seconds=20))
            return Openai(settings, client)

        yield make_openai


@pytest.fixture(name="openai")
def _openai(make_openai: Make) -> Openai:
    return make_openai()


@pytest.fixture(name="together")
def _together(make_openai: Make, server: OpenaiServer) -> Openai:
    server.fields |= {"width", "height", "image_url", "reference_images"}
    return make_openai(pictures="json", size="width+height", response_format="base64")


def _pixels(data: bytes, *places: tuple[int, int]) -> list[object]:
    with Image.open(io.BytesIO(data)) as image:
        return [image.getpixel(place) for place in places]


def test_an_edit_posts_its_picture_as_a_form(openai: Openai, server: OpenaiServer) -> None:
    assert openai.submit(EDIT) == Finished((server.picture(server.bodies[0]),), facts={"revised_prompt": None})
    assert [File("image", "image.png", "image/png", DOOR)] == server.files
    assert [{"model": "flux-kontext", "prompt": "Paint it red.", "n": "1", "size": "96x64"}] == server.bodies


def test_an_edit_starts_from_the_first_picture_only(openai: Openai, server: OpenaiServer) -> None:
    openai.submit(dataclasses.replace(EDIT, images=(DOOR, CHAIR)))
    assert [DOOR] == [file.data for file in server.files]


def test_a_jpeg_is_posted_as_one(openai: Openai, server: OpenaiServer) -> None:
    jpeg = draw("flux", "A door.", 1, (96, 64), "jpeg")
    openai.submit(dataclasses.replace(EDIT, images=(jpeg,)))
    assert [File("image", "image.jpeg", "image/jpeg", jpeg)] == server.files


def test_several_references_are_posted_in_their_order(openai: Openai, server: OpenaiServer) -> None:
    openai.submit(MANY)
    assert [("image[]", DOOR), ("image[]", CHAIR)] == [(file.field, file.data) for file in server.files]


def test_what_is_filled_is_transparent_in_the_mask(openai: Openai, server: OpenaiServer) -> None:
    openai.submit(FILL)
    mask = server.files[1]
    assert ("mask", "mask.png") == (mask.field, mask.name)
    assert [(0, 0, 0, 0), (0, 0, 0, 255)] == _pixels(mask.data, (10, 10), (90, 10))


def test_sd_server_is_sent_a_mask_that_is_white_where_it_paints(make_openai: Make, server: OpenaiServer) -> None:
    server.grey_masks = True
    make_openai(extras="sd-server").submit(FILL)
    assert half_mask() == server.files[1].data


def test_an_expansion_fills_grey_margins(openai: Openai, server: OpenaiServer) -> None:
    openai.submit(EXPAND)
    image, mask = server.files
    assert (128, 96) == inputs.size(image.data) == inputs.size(mask.data)
    assert [(0, 0, 0, 0), (0, 0, 0, 255)] == _pixels(mask.data, (15, 15), (16, 16))
    assert [(128, 128, 128), *_pixels(DOOR, (0, 0))] == _pixels(image.data, (15, 15), (16, 16))


def test_seed_and_options_are_fields_of_the_form(make_openai: Make, server: OpenaiServer) -> None:
    server.fields |= {"seed"}
    make_openai(extras=True).submit(dataclasses.replace(EDIT, options={"quality": "low"}))
    assert {"seed": "7", "quality": "low"}.items() <= server.bodies[0].items()


def test_orders_to_sd_server_are_taken_out_of_the_prompt_of_an_edit(openai: Openai, server: OpenaiServer) -> None:
    openai.submit(dataclasses.replace(EDIT, prompt='Red.<sd_cpp_extra_args>{"seed":1}</sd_cpp_extra_args>'))
    assert server.bodies[0]["prompt"] == "Red."


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (dataclasses.replace(EDIT, images=()), "edit with flux-kontext starts from a picture, and the order has none"),
        (dataclasses.replace(FILL, mask=b""), "fill with flux-kontext needs a mask, and the order has none"),
        (dataclasses.replace(EDIT, task="depth"), "cannot do depth"),
        (dataclasses.replace(EDIT, images=(b"<html>",)), "cannot be read"),
    ],
)
def test_an_order_that_cannot_be_asked_for_is_not_sent(
    openai: Openai, server: OpenaiServer, order: Order, words: str
) -> None:
    with pytest.raises(GeneratorProblem, match=words):
        openai.submit(order)
    assert server.posts == 0


@pytest.mark.parametrize(
    ("fault", "kind"), [("lost", Unknown), ("half", Unknown), ("bad-gateway", Unknown), ("unpaid", OutOfCredit)]
)
def test_a_fault_of_an_edit_is_that_of_an_order(
    openai: Openai, server: OpenaiServer, fault: str, kind: type[GeneratorProblem]
) -> None:
    server.misbehave(fault)
    with pytest.raises(GeneratorProblem) as told:
        openai.submit(EDIT)
    assert (told.type, server.posts) == (kind, 1)


def test_an_edit_that_is_only_named_is_fetched(openai: Openai, server: OpenaiServer) -> None:
    server.misbehave("url")
    ticket = openai.submit(EDIT)
    assert isinstance(ticket, Ticket)
    assert openai.poll(ticket) == Finished((server.picture(server.bodies[0]),))


def test_kontext_at_together_is_sent_one_data_url(together: Openai, server: OpenaiServer) -> None:
    together.submit(dataclasses.replace(EDIT, model="black-forest-labs/FLUX.1-kontext-pro"))
    assert f"data:image/png;base64,{base64.b64encode(DOOR).decode()}" == server.bodies[0]["image_url"]


@pytest.mark.parametrize("order", [EDIT, MANY])
def test_flux_2_at_together_is_sent_a_list(together: Openai, server: OpenaiServer, order: Order) -> None:
    together.submit(dataclasses.replace(order, model="black-forest-labs/FLUX.2-pro"))
    assert list(map(inputs.data_url, order.images)) == server.bodies[0]["reference_images"]
    assert [] == server.files


@pytest.mark.parametrize(("order", "words"), [(MANY, "takes one picture"), (FILL, "no mask"), (EXPAND, "no mask")])
def test_what_together_cannot_do_is_not_sent(together: Openai, server: OpenaiServer, order: Order, words: str) -> None:
    with pytest.raises(GeneratorProblem, match=words):
        together.submit(order)
    assert server.posts == 0


def test_the_doctor_is_silent_about_models_that_are_there(openai: Openai) -> None:
    assert [] == openai.doctor(["flux-schnell"])


def test_the_doctor_names_a_model_that_is_gone(openai: Openai, server: OpenaiServer) -> None:
    words = f"{server.url} has no model flux-pro any more; it has: flux-schnell"
    assert [words] == openai.doctor(["flux-schnell", "flux-pro"])


def test_the_doctor_reads_a_bare_list_as_together_sends_it(openai: Openai, server: OpenaiServer) -> None:
    server.lists["/v1/models"] = [{"id": "flux-pro", "type": "image"}]
    assert [] == openai.doctor(["flux-pro"])


def test_the_doctor_reads_the_price_list_of_an_aggregator(make_openai: Make, server: OpenaiServer) -> None:
    prices = [{"model_name": "flux-dev", "quota_type": 1, "model_price": 0.02}, {"model_name": "gpt-5"}]
    server.lists = {"/api/pricing": {"success": True, "data": prices}}
    words = f"{server.url} has no model flux-pro any more; it has: flux-dev, gpt-5"
    assert [words] == make_openai(models_path="/api/pricing").doctor(["flux-pro", "flux-dev"])


def test_the_doctor_names_what_is_most_like_a_model_that_is_gone(openai: Openai, server: OpenaiServer) -> None:
    server.lists["/v1/models"] = {"data": [{"id": f"chat-{number}"} for number in range(300)] + [{"id": "flux-pro-2"}]}
    (words,) = openai.doctor(["flux-pro"])
    assert "it has: flux-pro-2, " in words
    assert words.endswith(" and 293 others")


def test_the_doctor_accepts_whatever_sd_server_was_started_with(make_openai: Make, server: OpenaiServer) -> None:
    server.lists["/v1/models"] = {"data": [{"id": "sd-cpp-local"}]}
    assert [] == make_openai(extras="sd-server").doctor(["flux-schnell"])


@pytest.mark.parametrize("told", [{}, [], {"data": None}, {"data": [{"title": "x"}]}, "nothing here"])
def test_the_doctor_says_that_a_list_cannot_be_read(openai: Openai, server: OpenaiServer, told: object) -> None:
    server.lists["/v1/models"] = told
    with pytest.raises(GeneratorProblem, match="list of models cannot be read"):
        openai.doctor(["flux-schnell"])


def test_the_doctor_says_that_the_key_is_wrong(make_openai: Make) -> None:
    with pytest.raises(GeneratorProblem, match=r"401: .*\(the key\); see api_key") as told:
        make_openai(api_key="sk-wrong").doctor(["flux-schnell"])
    assert "charged" not in str(told.value)


def test_the_doctor_says_that_there_is_no_server(openai: Openai, server: OpenaiServer) -> None:
    server.__exit__()
    with pytest.raises(Outage, match="cannot be asked"):
        openai.doctor(["flux-schnell"])


@pytest.mark.parametrize("task", ["canny", "depth", "variation"])
def test_a_task_that_the_api_does_not_have_is_refused(openai: Openai, task: Task) -> None:
    with pytest.raises(GeneratorProblem, match=task):
        openai.submit(dataclasses.replace(EDIT, task=task))
