"""Pictures handed over to BFL, over real HTTP: what goes along, what comes back, what is refused before it is sent.

The stand-in hangs each picture it was given into the upper left corner of what it draws; after a fill it has painted
only where the mask is white, after an expand only around the picture.
"""

import base64
import dataclasses
import io
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image
from servers.bfl import BflServer
from servers.bfl_bodies import MARK

from frontispiece import net
from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Finished, Margins, Order, Task
from frontispiece.generators.bfl import Bfl, BflSettings
from frontispiece.generators.catalogue import Model, load

MODELS = {name: model for name, model in load().items() if model.generator == "bfl"}
GIVEN = [(name, task) for name, model in MODELS.items() for task in model.tasks if task != "text-to-image"]
REDRAWN = [name for name, model in MODELS.items() if "references" in model.tasks]
VARIED = [name for name, model in MODELS.items() if "variation" in model.tasks]
FILLED = [name for name, model in MODELS.items() if "fill" in model.tasks]
COLOURS = ["red", "lime", "blue", "yellow", "magenta", "cyan", "white", "black", "orange", "purple", "navy"]


def _flat(colour: str, width: int = 320, height: int = 256, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, kind)
    return file.getvalue()


def _mask(width: int = 320, height: int = 256) -> bytes:
    """White in its left half."""
    mask, file = Image.new("L", (width, height), 0), io.BytesIO()
    mask.paste(255, (0, 0, width // 2, height))
    mask.save(file, "PNG")
    return file.getvalue()


def _order(name: str, task: Task, **changes: Any) -> Order:
    """An order that BFL takes: one red picture, and what else the task needs."""
    model: Model = MODELS[name]
    options = model.settle({"finetune_id": "house"} if "finetune_id" in model.options else {})
    order = Order(model.name, "A red door.", *model.fit(1024, 768), seed=1, options=options, task=task)
    order = dataclasses.replace(order, images=(_flat("red"),))
    if task == "fill":
        order = dataclasses.replace(order, mask=_mask())
    if task == "expand":
        order = dataclasses.replace(order, margins=Margins(top=16, right=32, bottom=48, left=64))
    return dataclasses.replace(order, **changes)


def _drawn(bfl: Bfl, order: Order) -> Image.Image:
    finished = bfl.poll(bfl.submit(order))
    assert isinstance(finished, Finished)
    return Image.open(io.BytesIO(finished.images[0])).convert("RGB")


def _colours(picture: Image.Image, box: tuple[int, int, int, int]) -> set[Any]:
    return {colour for _, colour in picture.crop(box).getcolors(2**24) or []}


def _body(service: BflServer) -> dict[str, Any]:
    return next(iter(service.tasks.values())).body.model_dump(exclude_unset=True)


@pytest.fixture(name="service")
def _service() -> Iterator[BflServer]:
    with BflServer() as service:
        yield service


@pytest.fixture(name="bfl")
def _bfl(service: BflServer) -> Iterator[Bfl]:
    with net.client([service.url], seconds=20) as client:
        yield Bfl(BflSettings.model_validate({"api_key": service.key, "base_url": service.url}), client)


@pytest.mark.parametrize(("name", "task"), GIVEN)
def test_every_task_of_the_catalogue_brings_a_picture(bfl: Bfl, name: str, task: Task) -> None:
    assert min(_drawn(bfl, _order(name, task)).size) >= 256


@pytest.mark.parametrize(("name", "task"), GIVEN)
def test_a_picture_is_sent_as_the_plain_base64_of_its_bytes(
    bfl: Bfl, service: BflServer, name: str, task: Task
) -> None:
    order = _order(name, task)
    bfl.submit(order)

    sent = _body(service)
    field = next(field for field in ("input_image", "image_prompt", "image", "images") if field in sent)
    text = base64.b64encode(order.images[0]).decode()
    assert sent[field] == ([text] if field == "images" else text)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_jpeg_and_a_webp_are_handed_over_as_they_are(bfl: Bfl, service: BflServer, kind: str) -> None:
    bfl.submit(_order("flux-2-pro", "edit", images=(_flat("red", kind=kind),)))
    assert base64.b64decode(_body(service)["input_image"]) == _flat("red", kind=kind)


@pytest.mark.parametrize("name", REDRAWN)
def test_a_model_is_handed_as_many_pictures_as_the_catalogue_says_in_their_order(bfl: Bfl, name: str) -> None:
    colours = COLOURS[: MODELS[name].images]
    images = tuple(_flat(colour) for colour in colours)
    picture = _drawn(bfl, _order(name, "references", images=images))

    marks = [picture.getpixel((MARK * place + 9, 9)) for place in range(len(colours))]
    assert marks == [Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in colours]


@pytest.mark.parametrize(("name", "task"), GIVEN)
def test_one_picture_more_than_that_is_refused_before_anything_is_sent(
    bfl: Bfl, service: BflServer, name: str, task: Task
) -> None:
    images = tuple(map(_flat, COLOURS[: MODELS[name].images + 1]))
    with pytest.raises(
        GeneratorProblem, match=rf"^too many pictures for {task} with .*, where {MODELS[name].images} can go along"
    ):
        bfl.submit(_order(name, task, images=images))
    assert service.submits == 0


@pytest.mark.parametrize(("name", "task"), GIVEN)
def test_a_task_without_its_picture_is_refused_before_anything_is_sent(
    bfl: Bfl, service: BflServer, name: str, task: Task
) -> None:
    with pytest.raises(GeneratorProblem, match=f"^{task} with .* needs a picture to start from"):
        bfl.submit(_order(name, task, images=()))
    assert service.submits == 0


def test_a_picture_beside_an_order_for_text_alone_is_refused(bfl: Bfl, service: BflServer) -> None:
    with pytest.raises(GeneratorProblem, match="for text-to-image with flux-2-pro: 1, where 0 can go along"):
        bfl.submit(_order("flux-2-pro", "text-to-image"))
    assert service.submits == 0


@pytest.mark.parametrize(
    ("name", "task"), [("flux-2-pro", "expand"), ("flux-dev", "edit"), ("flux-fill", "text-to-image")]
)
def test_a_task_that_the_endpoint_cannot_do_is_refused_with_those_it_can(
    bfl: Bfl, service: BflServer, name: str, task: Task
) -> None:
    with pytest.raises(GeneratorProblem, match=f"cannot do {task}; it can: {MODELS[name].tasks[0]}"):
        bfl.submit(_order(name, task))
    assert service.submits == 0


@pytest.mark.parametrize(("name", "task"), GIVEN)
def test_a_picture_costs_what_the_catalogue_says(bfl: Bfl, name: str, task: Task) -> None:
    order = _order(name, task, images=(_flat("red", 1600, 900),), mask=_mask(1600, 900) if task == "fill" else b"")
    ticket = bfl.submit(order)
    assert ticket.cost == pytest.approx(float(MODELS[name].price(order.width, order.height, given=2)))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("flux-2-pro", {"width": 1024, "height": 768}),
        ("flux-2-klein-4b", {"width": 1024, "height": 768}),
        ("flux-kontext-pro", {"aspect_ratio": "4:3"}),
        ("flux-3-image", {"aspect_ratio": "4:3"}),
    ],
)
def test_an_edit_is_told_the_size_that_was_ordered(
    bfl: Bfl, service: BflServer, name: str, size: dict[str, object]
) -> None:
    bfl.submit(_order(name, "edit"))
    sent = {key: value for key, value in _body(service).items() if key in ("width", "height", "aspect_ratio")}
    assert sent == size


@pytest.mark.parametrize("name", [*FILLED, "flux-expand"])
def test_a_fill_and_an_expand_are_told_no_size(bfl: Bfl, service: BflServer, name: str) -> None:
    bfl.submit(_order(name, MODELS[name].tasks[0]))
    assert not {"width", "height", "aspect_ratio"} & set(_body(service))


@pytest.mark.parametrize("name", FILLED)
def test_a_fill_paints_where_the_mask_is_white_and_nowhere_else(bfl: Bfl, name: str) -> None:
    picture = _drawn(bfl, _order(name, "fill"))

    assert picture.size == (320, 256)
    assert _colours(picture, (160, 0, 320, 256)) == {(255, 0, 0)}
    assert (255, 0, 0) not in _colours(picture, (0, 0, 160, 256))


@pytest.mark.parametrize("name", FILLED)
def test_a_fill_without_a_mask_is_refused_before_anything_is_sent(bfl: Bfl, service: BflServer, name: str) -> None:
    with pytest.raises(GeneratorProblem, match="needs a mask, white where it shall paint"):
        bfl.submit(_order(name, "fill", mask=b""))
    assert service.submits == 0


def test_a_mask_of_another_size_is_refused_before_anything_is_sent(bfl: Bfl, service: BflServer) -> None:
    with pytest.raises(GeneratorProblem, match="has 256 × 320 pixels, the picture 320 × 256; they must be alike"):
        bfl.submit(_order("flux-fill", "fill", mask=_mask(256, 320)))
    assert service.submits == 0


def test_an_expand_paints_each_margin_on_its_side(bfl: Bfl) -> None:
    picture = _drawn(bfl, _order("flux-expand", "expand"))  # top 16, right 32, bottom 48, left 64

    assert picture.size == (64 + 320 + 32, 16 + 256 + 48)
    assert _colours(picture, (64, 16, 64 + 320, 16 + 256)) == {(255, 0, 0)}
    assert (255, 0, 0) not in _colours(picture, (0, 0, 64, 320)) | _colours(picture, (0, 0, 416, 16))


@pytest.mark.parametrize("margins", [Margins(), Margins(top=2049), Margins(top=64, left=-1)])
def test_margins_that_bfl_cannot_paint_are_refused_before_anything_is_sent(
    bfl: Bfl, service: BflServer, margins: Margins
) -> None:
    with pytest.raises(GeneratorProblem, match=f"1 to 2048 pixels .* says top {margins.top}, right 0"):
        bfl.submit(_order("flux-expand", "expand", margins=margins))
    assert service.submits == 0


def test_bfl_takes_the_largest_margin(bfl: Bfl) -> None:
    assert _drawn(bfl, _order("flux-expand", "expand", margins=Margins(right=2048))).size == (2368, 256)


@pytest.mark.parametrize("name", [name for name in VARIED if "ultra" in name])
def test_the_weight_of_a_picture_goes_along_with_it(bfl: Bfl, service: BflServer, name: str) -> None:
    order = _order(name, "variation")
    bfl.submit(dataclasses.replace(order, options={**order.options, "image_prompt_strength": 0.7}))
    assert _body(service)["image_prompt_strength"] == 0.7


@pytest.mark.parametrize("name", VARIED)
def test_a_variation_needs_no_words(bfl: Bfl, name: str) -> None:
    picture = _drawn(bfl, _order(name, "variation", prompt=""))
    assert picture.getpixel((9, 9)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("flux-kontext-pro", (5000, 5000), "picture 1 for flux-kontext-pro is 5000 × 5000; BFL takes 20 megapixels"),
        ("flux-2-pro", (5000, 5000), "20 megapixels at most"),
        ("flux-3-image", (4097, 4096), "16 megapixels at most"),
        ("flux-3-image", (255, 1000), "is 255 × 1000; BFL wants 256 pixels a side or more"),
    ],
)
def test_a_picture_beyond_bfls_limits_is_refused_before_anything_is_sent(
    bfl: Bfl, service: BflServer, name: str, size: tuple[int, int], words: str
) -> None:
    with pytest.raises(GeneratorProblem, match=words):
        bfl.submit(_order(name, "edit", images=(_flat("red", *size),)))
    assert service.submits == 0


def test_a_file_of_more_than_twenty_megabytes_is_refused_before_anything_is_sent(bfl: Bfl, service: BflServer) -> None:
    file = io.BytesIO()
    Image.frombytes("RGB", (2700, 2700), random.Random(1).randbytes(2700 * 2700 * 3)).save(
        file, "PNG", compress_level=0
    )
    with pytest.raises(GeneratorProblem, match=r"picture 2 for flux-kontext-pro has 21,8.*; BFL takes 20 megabytes"):
        bfl.submit(_order("flux-kontext-pro", "references", images=(_flat("red"), file.getvalue())))
    assert service.submits == 0


@pytest.mark.parametrize("size", [(256, 256), (4096, 4096)])
def test_flux_3_takes_pictures_at_the_edge_of_its_limits(bfl: Bfl, service: BflServer, size: tuple[int, int]) -> None:
    bfl.submit(_order("flux-3-image", "edit", images=(_flat("red", *size),)))
    assert service.submits == 1


def test_bytes_that_are_no_picture_are_refused_before_anything_is_sent(bfl: Bfl, service: BflServer) -> None:
    with pytest.raises(GeneratorProblem, match="a picture to start from cannot be read"):
        bfl.submit(_order("flux-2-pro", "edit", images=(b"GIF89a",)))
    assert service.submits == 0


@pytest.mark.parametrize(
    ("endpoint", "changes", "place"),
    [
        ("flux-2-pro", {"prompt": None}, "prompt"),
        ("flux-2-pro", {"input_image": "https://example.com/a.png"}, "input_image"),
        ("flux-2-pro", {"input_image": base64.b64encode(b"GIF89a").decode()}, "input_image"),
        ("flux-2-klein-4b", {"input_image_5": base64.b64encode(_flat("red")).decode()}, "input_image_5"),
        ("flux-3-image", {"images": []}, "images"),
        ("flux-pro-1.0-fill", {"image": None}, "image"),
        ("flux-pro-1.0-fill", {"mask": base64.b64encode(_mask(64, 64)).decode()}, ""),
        ("flux-pro-1.0-fill", {"width": 320}, "width"),
        ("flux-pro-1.0-fill", {"steps": 14}, "steps"),
        ("flux-pro-1.0-expand", {"top": 2049}, "top"),
        ("flux-pro-1.1-ultra-finetuned", {"finetune_id": None}, "finetune_id"),
    ],
)
def test_the_stand_in_refuses_what_bfl_refuses(
    service: BflServer, endpoint: str, changes: dict[str, object], place: str
) -> None:
    picture = base64.b64encode(_flat("red")).decode()
    own = {"image": picture} if "1.0" in endpoint else {"finetune_id": "house"} if "tuned" in endpoint else {}
    mask = {"mask": base64.b64encode(_mask()).decode()} if "fill" in endpoint else {}
    body = {name: value for name, value in ({"prompt": "x"} | own | mask | changes).items() if value is not None}
    answer = httpx.post(f"{service.url}/v1/{endpoint}", json=body, headers={"x-key": service.key})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", *([place] if place else [])]


def test_the_catalogue_knows_that_kontext_max_is_drawn_six_at_a_time() -> None:
    limits = {name: model.active for name, model in MODELS.items() if model.active}
    assert limits == {"flux-kontext-max": 6}
