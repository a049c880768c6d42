"""The comfyui generator over real HTTP, against `servers/comfyui.py`."""

import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import ValidationError
from servers.comfyui import ComfyuiServer

from frontispiece import net
from frontispiece.errors import Busy, GeneratorProblem, Outage
from frontispiece.generators import Finished, Margins, Order, Task, Ticket, Waiting
from frontispiece.generators.catalogue import Model, load, make
from frontispiece.generators.comfyui import Comfyui, ComfyuiSettings
from frontispiece.generators.comfyui.workflow import SHIPPED

ORDER = Order("flux-schnell", "A red door.", 96, 64, seed=7, options={"steps": 4})
MODELS = {name: model for name, model in load().items() if model.generator == "comfyui"}
Make = Callable[..., Comfyui]


def picture(size: tuple[int, int] = (96, 64), colour: str = "navy", form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, form)
    return file.getvalue()


def half_white(size: tuple[int, int] = (96, 64)) -> bytes:
    """A mask that has the right half of a picture repainted."""
    mask, file = Image.new("L", size, 0), io.BytesIO()
    mask.paste(255, (size[0] // 2, 0, *size))
    mask.save(file, "PNG")
    return file.getvalue()


def order_for(model: Model, task: Task) -> Order:
    width, height = model.fit(900, 600)
    order = Order(model.name, "A red door.", width, height, seed=7, options=model.settle({}), task=task)
    if task == "expand":
        return dataclasses.replace(order, images=(picture((width, height - 64)),), margins=Margins(bottom=64))
    images = (picture((300, 200)),) * model.images
    return dataclasses.replace(order, images=images, mask=half_white((300, 200)) if task == "fill" else b"")


def change(workflow: str, folder: Path, name: str = "mine", **replaced: Any) -> None:
    """Writes an own workflow: a shipped one in which text is replaced."""
    text = (SHIPPED / f"{workflow}.json").read_text("utf-8")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    (folder / f"{name}.json").write_text(text, "utf-8")


@pytest.fixture(name="server")
def _server() -> Iterator[ComfyuiServer]:
    with ComfyuiServer() as server:
        yield server


@pytest.fixture(name="make_comfyui")
def _make_comfyui(server: ComfyuiServer) -> Iterator[Make]:
    with ExitStack() as open_clients:

        def make_comfyui(**keys: object) -> Comfyui:
            settings = ComfyuiSettings.model_validate({"base_url": server.url, **keys})
            client = open_clients.enter_context(net.client(Comfyui.origins(settings), seconds=20))
            return Comfyui(settings, client)

        yield make_comfyui


@pytest.fixture(name="comfyui")
def _comfyui(make_comfyui: Make) -> Comfyui:
    return make_comfyui()


def draw(comfyui: Comfyui, order: Order) -> bytes:
    answer = comfyui.poll(comfyui.submit(order))
    assert isinstance(answer, Finished)
    return answer.images[0]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


TASKS = [(name, task) for name, model in MODELS.items() for task in model.tasks]


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_every_model_of_the_catalogue_brings_a_picture_of_the_ordered_size(
    comfyui: Comfyui, name: str, task: Task
) -> None:
    order = order_for(MODELS[name], task)
    assert opened(draw(comfyui, order)).size == (order.width, order.height)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_the_same_order_brings_the_same_picture_and_another_seed_another(
    comfyui: Comfyui, name: str, task: Task
) -> None:
    order = order_for(MODELS[name], task)
    first = draw(comfyui, order)

    assert draw(comfyui, order) == first
    assert draw(comfyui, dataclasses.replace(order, seed=8)) != first


@pytest.mark.parametrize("name", MODELS)
def test_every_option_of_a_row_changes_the_picture(comfyui: Comfyui, name: str) -> None:
    order = order_for(MODELS[name], MODELS[name].tasks[0])
    first = draw(comfyui, order)
    for option, value in order.options.items():
        other = {**order.options, option: type(value)(value / 2)}
        assert draw(comfyui, dataclasses.replace(order, options=other)) != first, option


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].images])
def test_another_picture_to_start_from_brings_another_picture(comfyui: Comfyui, name: str) -> None:
    order = order_for(MODELS[name], MODELS[name].tasks[0])
    other = dataclasses.replace(order, images=(picture((300, 200), "teal"),))
    assert draw(comfyui, order) != draw(comfyui, other)


def test_the_shipped_workflows_are_those_of_the_catalogue() -> None:
    assert {path.stem for path in SHIPPED.glob("*.json")} == {model.name for model in MODELS.values()}


def test_only_what_is_white_in_the_mask_is_repainted(comfyui: Comfyui) -> None:
    model = MODELS["comfyui-fill"]
    drawn = opened(draw(comfyui, order_for(model, "fill")))
    width, height = drawn.size

    assert drawn.crop((0, 0, width // 2 - 8, height)).getcolors(1) is not None
    assert drawn.crop((width // 2 + 8, 0, width, height)).getcolors(1) is None


def test_an_expanded_picture_keeps_what_was_there(comfyui: Comfyui) -> None:
    order = order_for(MODELS["comfyui-fill"], "expand")
    kept = opened(draw(comfyui, order)).crop((0, 0, order.width, order.height - 64))
    assert kept.getcolors(1) == [(order.width * (order.height - 64), opened(picture()).getpixel((0, 0)))]


def test_a_picture_costs_nothing_and_tells_the_file_that_comfyui_keeps(comfyui: Comfyui) -> None:
    answer = comfyui.poll(comfyui.submit(ORDER))
    assert isinstance(answer, Finished)
    assert (answer.cost, answer.facts) == (0.0, {"file": "frontispiece_00001_.png"})


def test_a_prompt_is_put_in_as_it_is_and_not_looked_at_again(comfyui: Comfyui, server: ComfyuiServer) -> None:
    words = 'A "{seed}" sign, {width} {nonsense} {0} %s \\ \n {{door}}'
    comfyui.submit(dataclasses.replace(ORDER, prompt=words))
    assert server.jobs[0].workflow["4"]["inputs"]["text"] == words


def test_parentheses_of_an_author_weigh_no_words(comfyui: Comfyui, server: ComfyuiServer) -> None:
    comfyui.submit(dataclasses.replace(ORDER, prompt="A ship (lost at sea:2.0)"))

    assert server.jobs[0].workflow["4"]["inputs"]["text"] == r"A ship \(lost at sea:2.0\)"


def test_a_placeholder_alone_stays_a_number(comfyui: Comfyui, server: ComfyuiServer) -> None:
    comfyui.submit(ORDER)
    steps = server.jobs[0].workflow["7"]["inputs"]
    assert (steps["seed"], steps["steps"], steps["cfg"]) == (7, 4, 1.0)


def test_a_placeholder_within_a_text_becomes_text(make_comfyui: Make, server: ComfyuiServer, tmp_path: Path) -> None:
    change("flux-schnell", tmp_path, **{'"{prompt}"': '"{prompt} {day|night} {width} {"'})
    make_comfyui(workflows=tmp_path).submit(dataclasses.replace(ORDER, model="mine"))
    assert server.jobs[0].workflow["4"]["inputs"]["text"] == "A red door. {day|night} 96 {"


def test_a_title_with_braces_is_no_placeholder(make_comfyui: Make, tmp_path: Path) -> None:
    change("flux-schnell", tmp_path, **{'"title": "Size"': '"title": "Size {of_it}"'})
    assert draw(make_comfyui(workflows=tmp_path), dataclasses.replace(ORDER, model="mine"))


def test_an_own_workflow_is_taken_before_the_shipped_one(
    make_comfyui: Make, server: ComfyuiServer, tmp_path: Path
) -> None:
    change("flux-schnell", tmp_path, "flux-schnell", euler="ddim")
    make_comfyui(workflows=tmp_path).submit(ORDER)
    assert server.jobs[0].workflow["7"]["inputs"]["sampler_name"] == "ddim"


def test_a_second_picture_has_a_placeholder_of_its_own(
    make_comfyui: Make, server: ComfyuiServer, tmp_path: Path
) -> None:
    change(
        "flux-dev-variation",
        tmp_path,
        **{'"9": {': '"20": {"class_type": "LoadImage", "inputs": {"image": "{image_2}"}},\n  "9": {'},
    )
    options = MODELS["comfyui-flux-dev-variation"].settle({})
    images = (picture(), picture(colour="teal", form="JPEG"))
    order = dataclasses.replace(ORDER, model="mine", options=options, images=images)
    make_comfyui(workflows=tmp_path).submit(order)

    name = server.jobs[0].workflow["20"]["inputs"]["image"]
    assert (name[-4:], server.uploads[name]) == (".jpg", images[1])


def test_the_same_picture_is_uploaded_under_the_same_name(comfyui: Comfyui, server: ComfyuiServer) -> None:
    order = order_for(MODELS["comfyui-kontext"], "edit")
    comfyui.submit(order)
    comfyui.submit(order)
    assert list(server.uploads.values()) == [order.images[0]]


def test_a_file_left_half_by_an_upload_is_replaced(comfyui: Comfyui, server: ComfyuiServer) -> None:
    order = order_for(MODELS["comfyui-kontext"], "edit")
    comfyui.submit(order)
    server.uploads = dict.fromkeys(server.uploads, b"half")
    comfyui.submit(order)
    assert list(server.uploads.values()) == [order.images[0]]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (dataclasses.replace(ORDER, options={}), r"flux-schnell\.json asks for {steps}, which the order lacks"),
        (
            dataclasses.replace(ORDER, options={"steps": 4, "raw": True}),
            r"flux-schnell\.json lacks the placeholder {raw}",
        ),
        (dataclasses.replace(ORDER, images=(picture(),)), r"flux-schnell\.json lacks the placeholder {image}"),
        (dataclasses.replace(order_for(MODELS["comfyui-kontext"], "edit"), images=()), r"asks for {image}"),
        (dataclasses.replace(order_for(MODELS["comfyui-fill"], "fill"), mask=b""), r"flux-fill\.json asks for {mask}"),
        (dataclasses.replace(order_for(MODELS["comfyui-fill"], "expand"), images=()), "no picture to expand"),
        (dataclasses.replace(ORDER, model="flux-9"), "no workflow 'flux-9'; there are: flux-dev, .*, flux2-klein"),
        (dataclasses.replace(ORDER, model="../workflows/flux-schnell"), "there is no workflow"),
    ],
)
def test_an_order_that_does_not_fit_its_workflow_is_refused_before_anything_is_sent(
    comfyui: Comfyui, server: ComfyuiServer, order: Order, words: str
) -> None:
    with pytest.raises(GeneratorProblem, match=words) as told:
        comfyui.submit(order)
    assert (told.value.retry, server.posts, server.uploads) == (False, 0, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"nodes": [], "links": []}', r"as ComfyUI saves it; use its menu File, Export \(API\)"),
        ("{", "cannot be read"),
        ("[]", "no workflow in API form"),
        ('{"1": {"inputs": {}}}', r"no workflow in API form: 1\.class_type: Field required"),
        ('{"1": {"class_type": "SaveImage"}}', r"no workflow in API form: 1\.inputs: Field required"),
    ],
)
def test_a_file_that_is_no_workflow_is_named(make_comfyui: Make, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mine.json").write_text(text, "utf-8")
    with pytest.raises(GeneratorProblem, match=rf"mine\.json.*{words}"):
        make_comfyui(workflows=tmp_path).submit(dataclasses.replace(ORDER, model="mine"))


@pytest.mark.parametrize(
    ("workflow", "replaced", "words"),
    [
        ("flux-schnell", {"flux1-schnell": "flux9"}, r"node 1 \(UNETLoader\): Value not in list \(unet_name: 'flux9"),
        ("flux-schnell", {'"cfg": 1.0': '"cfg": 900'}, r"node 7 \(KSampler\): Value 900.* bigger than max of 100"),
        ("flux-schnell", {'["2", 0]': '["1", 0]'}, r"node 4 \(CLIPTextEncode\): Return type mismatch .*MODEL"),
        ("flux-schnell", {'["6", 0]': '["66", 0]'}, r"node 7 \(KSampler\): Exception when validating"),
        ("flux-schnell", {'"vae": ["3", 0]': '"of": 1'}, r"node 8 \(VAEDecode\): .*Required input is missing \(vae\)"),
        ("flux-schnell", {'"UNETLoader"': '"UnetLoaderGGUF"'}, r"Node 'Model, .*' not found.*\(Node ID '#1'\)"),
        ("flux-schnell", {'"SaveImage"': '"VAEEncode"'}, "400: Prompt has no outputs$"),
    ],
)  # fmt: skip
def test_a_workflow_that_comfyui_refuses_is_told_by_node(
    make_comfyui: Make, server: ComfyuiServer, tmp_path: Path, workflow: str, replaced: dict[str, str], words: str
) -> None:
    change(workflow, tmp_path, **replaced)
    with pytest.raises(GeneratorProblem, match=words) as told:
        make_comfyui(workflows=tmp_path).submit(dataclasses.replace(ORDER, model="mine"))
    assert (told.type, server.jobs) == (GeneratorProblem, [])


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("down", Outage, "503: <html>one moment"),
        ("busy-7-seconds", Busy, "429"),
        ("forbidden", GeneratorProblem, "403"),
        ("not-found", GeneratorProblem, "404.*see its base_url"),
        ("lost", Outage, "cannot be asked"),
        ("garbage", Outage, "does not answer like ComfyUI, see its base_url: <html>one moment"),
        ("no-id", Outage, "does not answer like ComfyUI"),
    ],
)
def test_a_failed_submit_may_be_repeated_unless_the_server_said_no(
    comfyui: Comfyui, server: ComfyuiServer, fault: str, kind: type[GeneratorProblem], words: str
) -> None:
    server.misbehave(fault)
    with pytest.raises(GeneratorProblem, match=words) as told:
        comfyui.submit(ORDER)
    assert (told.type, told.value.retry) == (kind, kind is not GeneratorProblem)


def test_the_wait_that_a_proxy_asks_for_is_kept(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.misbehave("busy-7-seconds")
    with pytest.raises(Busy) as told:
        comfyui.submit(ORDER)
    assert told.value.seconds == 7


def test_a_server_that_is_not_there_is_an_outage(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.__exit__()
    with pytest.raises(Outage, match=rf"ComfyUI at {server.url} cannot be asked"):
        comfyui.submit(ORDER)


def test_a_picture_too_large_to_upload_is_told_in_comfyuis_words(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.upload_limit = 1_000
    with pytest.raises(GeneratorProblem, match="413: Maximum request body size 1000 exceeded"):
        comfyui.submit(order_for(MODELS["comfyui-fill"], "fill"))


def test_two_pictures_are_drawn_one_after_the_other(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.seconds = 100.0
    first, second = comfyui.submit(ORDER), comfyui.submit(ORDER)
    assert (comfyui.poll(first), comfyui.poll(second)) == (Waiting(0.5), Waiting(1.0))

    server.advance(100)
    assert isinstance(comfyui.poll(first), Finished)
    assert comfyui.poll(second) == Waiting(0.5)


def test_a_picture_that_ends_between_two_looks_is_found(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.misbehave("ends-between")
    assert isinstance(comfyui.poll(comfyui.submit(ORDER)), Finished)


def test_a_history_without_a_status_counts_as_done(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.misbehave("no-status")
    assert isinstance(comfyui.poll(comfyui.submit(ORDER)), Finished)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("fails", r"failed at node 9 \(SaveImage\) with torch\.OutOfMemoryError: Allocation on device$"),
        ("stopped", r"stopped in ComfyUI, at node 9 \(SaveImage\)"),
        ("silent-failure", "does not say why"),
        ("only-a-preview", "must end in a SaveImage node"),
        ("vanishes", "does not know ticket .* any more"),
        ("gone-picture", "answered 404"),
        ("html", "sent text/html instead of a PNG"),
    ],
)
def test_a_ticket_that_brings_no_picture_is_final(
    comfyui: Comfyui, server: ComfyuiServer, fault: str, words: str
) -> None:
    server.misbehave(fault)
    ticket = comfyui.submit(ORDER)
    with pytest.raises(GeneratorProblem, match=words) as told:
        comfyui.poll(ticket)
    assert (told.type, told.value.retry) == (GeneratorProblem, False)


@pytest.mark.parametrize("fault", ["poll-down", "poll-lost", "poll-garbage"])
def test_a_poll_that_failed_is_repeated_without_a_second_order(
    comfyui: Comfyui, server: ComfyuiServer, fault: str
) -> None:
    server.misbehave(fault)
    ticket = comfyui.submit(ORDER)
    with pytest.raises(Outage):
        comfyui.poll(ticket)

    assert isinstance(comfyui.poll(ticket), Finished)
    assert server.posts == 1


def test_a_picture_that_is_cut_off_can_be_fetched_again(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.misbehave("truncated")
    with pytest.raises(Outage, match="did not arrive whole"):
        comfyui.poll(comfyui.submit(ORDER))


def test_a_ticket_of_another_server_is_not_asked_for(comfyui: Comfyui, server: ComfyuiServer) -> None:
    ticket = comfyui.submit(ORDER)
    elsewhere = ticket.polling_url.replace("127.0.0.1", "localhost")
    with pytest.raises(GeneratorProblem, match="not one of its own hosts"):
        comfyui.poll(Ticket(ticket.remote_id, elsewhere))
    assert server.jobs[0].asked == 0


def test_a_cancelled_ticket_leaves_the_queue_and_the_other_goes_on(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.seconds, server.modern = 100.0, False
    first, second = comfyui.submit(ORDER), comfyui.submit(ORDER)
    comfyui.cancel(second)

    assert comfyui.poll(first) == Waiting(0.5)
    assert (server.pending, server.interrupts) == ([], 0)


def test_a_workflow_without_a_prompt_takes_an_order_without_one(make_comfyui: Make, tmp_path: Path) -> None:
    change("flux-schnell", tmp_path, **{'"{prompt}"': '"A lighthouse."'})
    assert draw(make_comfyui(workflows=tmp_path), dataclasses.replace(ORDER, model="mine", prompt=""))


@pytest.mark.parametrize("modern", [True, False])
def test_a_cancelled_ticket_that_is_drawn_is_stopped(comfyui: Comfyui, server: ComfyuiServer, modern: bool) -> None:
    server.seconds, server.modern = 100.0, modern
    first, second = comfyui.submit(ORDER), comfyui.submit(ORDER)
    comfyui.cancel(first)

    assert comfyui.poll(second) == Waiting(0.5)
    with pytest.raises(GeneratorProblem, match="stopped in ComfyUI"):
        comfyui.poll(first)


def test_a_cancelled_ticket_that_is_over_stops_nobody(comfyui: Comfyui, server: ComfyuiServer) -> None:
    over = comfyui.submit(ORDER)
    server.seconds, server.modern = 100.0, False
    comfyui.submit(ORDER)
    comfyui.cancel(over)
    assert server.interrupts == 0


def test_the_doctor_tells_the_version_and_the_free_memory(comfyui: Comfyui, server: ComfyuiServer) -> None:
    assert comfyui.doctor([]) == [
        f"ComfyUI 0.3.64 at {server.url}",
        "cuda:0 NVIDIA Test Card: 16.0 of 24.0 GB are free",
    ]


@pytest.mark.parametrize("modern", [True, False])
def test_the_doctor_finds_the_shipped_workflows_fit(comfyui: Comfyui, server: ComfyuiServer, modern: bool) -> None:
    server.modern = modern
    assert len(comfyui.doctor([model.name for model in MODELS.values()])) == 2


@pytest.mark.parametrize("modern", [True, False])
def test_the_doctor_names_a_file_that_is_missing(comfyui: Comfyui, server: ComfyuiServer, modern: bool) -> None:
    server.modern = modern
    server.files["vae"].remove("ae.safetensors")
    told = comfyui.doctor(["flux-schnell", "flux2-klein"])
    assert told[2:] == ["flux-schnell.json: ComfyUI has no vae_name 'ae.safetensors' for VAELoader"]


def test_the_doctor_names_a_node_that_is_missing(comfyui: Comfyui, server: ComfyuiServer) -> None:
    server.lacks = {"Flux2Scheduler"}
    told = comfyui.doctor(["flux-schnell", "flux2-klein"])
    assert told[2:] == ["flux2-klein.json: ComfyUI has no Flux2Scheduler node"]


def test_the_doctor_names_a_workflow_that_is_missing(comfyui: Comfyui) -> None:
    assert "there is no workflow 'flux-9'" in comfyui.doctor(["flux-9"])[2]


def test_another_kind_of_server_is_told_by_the_doctor(server: ComfyuiServer) -> None:
    strange = httpx.MockTransport(lambda _: httpx.Response(200, json={"title": "A1111"}))
    settings = ComfyuiSettings.model_validate({"base_url": server.url})
    with httpx.Client(transport=strange) as client, pytest.raises(Outage, match=r"not answer like ComfyUI.*A1111"):
        Comfyui(settings, client).doctor([])


def test_the_servers_own_address_may_be_private() -> None:
    assert Comfyui.origins(ComfyuiSettings()) == ("http://127.0.0.1:8188/",)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"base_url": "127.0.0.1:8188"}, "base_url"),
        ({"base_url": "http://me:secret@comfy.example"}, "must have no user name"),
        ({"workflows": "/nowhere"}, "does not point to a directory"),
        ({"workflow": "x.json"}, "Extra inputs"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(keys: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ComfyuiSettings.model_validate(keys)


def test_the_generator_is_found_by_its_name() -> None:
    assert make("comfyui") is Comfyui


def test_a_base_url_with_a_path_is_kept(server: ComfyuiServer) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, text=json.dumps({"prompt_id": "a/b"}))

    settings = ComfyuiSettings.model_validate({"base_url": f"{server.url}/api/"})
    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        ticket = Comfyui(settings, client).submit(ORDER)
    assert (asked, ticket.polling_url) == (["/api/prompt"], f"{server.url}/api/history/a%2Fb")
