"""The diffusers generator over HTTP, with a real child that draws with tiny models of the real architectures."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from servers.checkpoints import OWNER
from servers.local import LONG, Local, free_address, mask, order, picture, serving

from frontispiece import net
from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Finished, Margins, Ticket, Waiting
from frontispiece.generators.diffusers import Diffusers, DiffusersSettings

pytestmark = pytest.mark.local

ONE = (picture(),)
TASKS: dict[str, list[dict[str, Any]]] = {
    "schnell": [{}, {"task": "edit", "images": ONE}],
    "dev": [{}],
    "klein": [
        {},
        {"task": "edit", "images": ONE},
        {"task": "references", "images": (picture(), picture(64, 96, "green"))},
        {"task": "fill", "images": ONE, "mask": mask()},
        {"task": "expand", "images": ONE, "margins": Margins(8, 4, 2, 1)},
    ],
    "flux-2-dev": [
        {},
        {"task": "edit", "images": ONE},
        {"task": "references", "images": (picture(), picture(64, 96, "green"))},
    ],
    "fill": [
        {"task": "fill", "images": ONE, "mask": mask()},
        {"task": "expand", "images": ONE, "margins": Margins(8, 4, 2, 1)},
    ],
    "kontext": [{}, {"task": "edit", "images": ONE}],
    "control": [
        {"task": "canny", "images": ONE},
        {"task": "depth", "images": ONE, "depth_model": f"{OWNER}/depth"},
    ],
    "redux": [{"task": "variation", "images": ONE, "base": f"{OWNER}/dev"}],
}
CASES = [
    pytest.param(model, case, id=f"{model}-{case.get('task', 'text-to-image')}")
    for model, cases in TASKS.items()
    for case in cases
]
BARE = """
import sys, torch
from diffusers import DiffusionPipeline
from transformers import AutoTokenizer
torch.set_num_threads(1)
less = {"tokenizer": None} if sys.argv[1].endswith("flux-2-dev") else {}  # what its folder names wants torchvision
pipe = DiffusionPipeline.from_pretrained(sys.argv[1], dtype=torch.float32, **less)
if less:
    pipe.tokenizer = AutoTokenizer.from_pretrained(sys.argv[1] + "/tokenizer")
noise = torch.Generator("cpu").manual_seed(7)
how = {"width": 96, "height": 64, "num_inference_steps": 4, "guidance_scale": 2.0}
how["max_sequence_length"] = int(sys.argv[2])
pipe(prompt="A red door.", generator=noise, **how).images[0].save(sys.argv[3])
"""


def _pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize(("model", "case"), CASES)
def test_each_model_draws_each_of_its_tasks_in_the_ordered_size(local: Local, model: str, case: dict[str, Any]) -> None:
    finished = local.finished(order(model, **case))

    assert (96, 64) == Image.open(io.BytesIO(finished.images[0])).size
    assert (0.0, 7) == (finished.cost, finished.facts["seed"])


@pytest.mark.parametrize(("model", "case"), CASES)
def test_the_same_seed_is_the_same_picture(local: Local, model: str, case: dict[str, Any]) -> None:
    assert local.drawn(order(model, **case)) == local.drawn(order(model, **case))


@pytest.mark.parametrize(("model", "case"), CASES)
def test_another_seed_is_another_picture(local: Local, model: str, case: dict[str, Any]) -> None:
    assert local.drawn(order(model, **case)) != local.drawn(order(model, seed=8, **case))


@pytest.mark.parametrize(("model", "case"), CASES)
def test_another_prompt_is_another_picture(local: Local, model: str, case: dict[str, Any]) -> None:
    assert local.drawn(order(model, **case)) != local.drawn(order(model, "A blue boat.", **case))


@pytest.mark.parametrize(("model", "case"), [each for each in CASES if "images" in str(each.values[1])])
def test_another_picture_to_start_from_is_another_picture(local: Local, model: str, case: dict[str, Any]) -> None:
    other = case | {"images": (picture(colour="maroon"), *case["images"][1:])}
    if case["task"] in ("canny", "depth"):  # they see no colours
        other["images"] = (picture(72, 80),)
    assert local.drawn(order(model, **case)) != local.drawn(order(model, **other))


@pytest.mark.parametrize("model", ["klein", "flux-2-dev"])
def test_another_second_reference_is_another_picture(local: Local, model: str) -> None:
    first, second = (order(model, task="references", images=(*ONE, picture(colour=each))) for each in ("red", "tan"))
    assert local.drawn(first) != local.drawn(second)


@pytest.mark.parametrize("model", ["dev", "flux-2-dev"])
def test_another_guidance_is_another_picture(local: Local, model: str) -> None:
    assert local.drawn(order(model)) != local.drawn(order(model, guidance=4.0))


@pytest.mark.parametrize(
    ("model", "tokens"), [("schnell", "256"), ("dev", "512"), ("klein", "512"), ("flux-2-dev", "512")]
)
def test_it_is_the_picture_of_the_bare_pipeline(
    local: Local, models: Path, tmp_path: Path, model: str, tokens: str
) -> None:
    bare = tmp_path / "bare.png"
    command = [sys.executable, "-c", BARE, str(models / OWNER / model), tokens, str(bare)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    assert _pixels(bare.read_bytes()) == _pixels(local.drawn(order(model)))


@pytest.mark.parametrize("model", ["klein", "flux-2-dev"])
def test_what_a_prompt_was_made_into_is_the_same_when_it_is_used_again(local: Local, model: str) -> None:
    first = local.drawn(order(model, "A prompt of this test."))
    local.drawn(order(model, "Another prompt of this test."))

    assert first == local.drawn(order(model, "A prompt of this test."))


@pytest.mark.parametrize("part", ["scheduler", "text_encoder", "tokenizer", "transformer", "vae"])
def test_a_part_of_flux_2_dev_that_is_missing_is_named_before_anything_is_loaded(
    models: Path, tmp_path: Path, part: str
) -> None:
    shutil.copytree(models / OWNER / "flux-2-dev", tmp_path / OWNER / "flux-2-dev")
    shutil.rmtree(tmp_path / OWNER / "flux-2-dev" / part)
    local = Local(tmp_path, tmp_path / "spool")
    with local.server, local.http:
        with pytest.raises(GeneratorProblem, match=f"flux-2-dev is not complete: {part} is missing"):
            local.client.submit(order("flux-2-dev"))
        assert local.child.pid is None


def test_a_second_picture_is_drawn_without_loading(local: Local) -> None:
    local.drawn(order("schnell"))
    loads = local.child.loads
    local.drawn(order("schnell", seed=8))

    assert loads == local.child.loads


def test_the_same_order_twice_is_one_ticket(local: Local) -> None:
    assert local.client.submit(order("schnell", seed=9)) == local.client.submit(order("schnell", seed=9))


def test_progress_is_told_step_by_step(local: Local) -> None:
    ticket = local.client.submit(order("schnell", steps=LONG))
    local.until_drawing(ticket)
    told = local.client.poll(ticket)
    local.client.cancel(ticket)

    assert isinstance(told, Waiting)
    assert told.progress is not None
    assert 0 < told.progress < 1


@pytest.mark.parametrize("model", ["schnell", "klein", "flux-2-dev"])
def test_a_lora_changes_the_picture_by_its_weight_and_leaves_no_trace(local: Local, model: str) -> None:
    plain = local.drawn(order(model))
    strong = local.drawn(order(model, lora="red.safetensors"))
    weak = local.drawn(order(model, lora="red.safetensors", lora_weight=0.5))

    assert 3 == len({plain, strong, weak})
    assert plain == local.drawn(order(model))


@pytest.mark.parametrize("name", ["wide", "foreign"])
def test_a_lora_for_another_model_is_told_and_the_model_stays_good(local: Local, name: str) -> None:
    plain = local.drawn(order("schnell"))
    with pytest.raises(GeneratorProblem, match=rf"the LoRA .*{name}\.safetensors does not fit tiny-flux/schnell"):
        local.finished(order("schnell", lora=f"{name}.safetensors"))
    assert plain == local.drawn(order("schnell"))


def test_a_cancelled_order_stops_and_its_child_goes_on(local: Local) -> None:
    local.drawn(order("schnell"))
    child, ticket = local.child.pid, local.client.submit(order("schnell", steps=LONG))
    local.until_drawing(ticket)
    local.client.cancel(ticket)

    with local.board.changed:
        assert local.board.changed.wait_for(lambda: not local.board.drawing, 5)
    with pytest.raises(GeneratorProblem, match="does not know order"):
        local.client.poll(ticket)
    assert local.drawn(order("schnell"))
    assert child == local.child.pid


def test_an_order_that_is_cancelled_while_it_waits_is_never_drawn(local: Local) -> None:
    first = local.client.submit(order("schnell", steps=LONG))
    second = local.client.submit(order("schnell", seed=11))
    local.client.cancel(second)
    local.client.cancel(first)

    with local.board.changed:
        assert local.board.changed.wait_for(lambda: not local.board.drawing, 30)
    assert not local.board.spool.knows(second.remote_id)


def test_an_order_cancelled_and_placed_again_while_it_stops_is_drawn(local: Local) -> None:
    ticket = local.client.submit(order("schnell", steps=300))
    local.until_drawing(ticket)
    local.client.cancel(ticket)

    assert local.finished(order("schnell", steps=300)).images


def test_a_killed_child_costs_nothing_but_time(own: Local) -> None:
    wanted = order("schnell", steps=300)
    undisturbed = own.drawn(wanted)
    own.client.cancel(own.client.submit(wanted))
    ticket = own.client.submit(wanted)
    own.until_drawing(ticket)
    assert own.child.pid
    os.kill(own.child.pid, signal.SIGKILL)

    assert undisturbed == own.finished(wanted).images[0]
    assert 2 == own.child.loads


def test_an_order_that_ends_its_child_three_times_fails_in_words(own: Local) -> None:
    ticket = own.client.submit(order("schnell", steps=LONG))
    for _ in range(3):
        own.until_drawing(ticket)
        child = own.child.pid
        assert child
        os.kill(child, signal.SIGKILL)
        own.until(lambda now: not (now and now.state == "drawing" and now.progress), ticket)

    own.until(lambda now: bool(now and now.state == "failed"), ticket)
    with pytest.raises(GeneratorProblem, match="ended its process 3 times: it was killed by signal 9"):
        own.client.poll(ticket)


def test_a_picture_that_takes_too_long_fails_and_the_next_is_drawn(models: Path, tmp_path: Path) -> None:
    local = Local(models, tmp_path, picture_seconds=2)
    with local.server, local.http:
        with pytest.raises(GeneratorProblem, match=r"given up after 2 seconds \(picture_seconds"):
            local.finished(order("schnell", steps=LONG))
        assert local.finished(order("schnell")).images


def test_orders_are_drawn_after_the_server_has_ended_in_the_middle(models: Path, tmp_path: Path) -> None:
    wanted = order("schnell", steps=300)
    before = Local(models, tmp_path)
    with before.server, before.http:
        undisturbed = before.drawn(wanted)
        before.client.cancel(before.client.submit(wanted))
        ticket = before.client.submit(wanted)
        before.until_drawing(ticket)
    after = Local(models, tmp_path)
    with after.server, after.http:
        after.until(lambda now: bool(now and now.state == "finished"), ticket)
        assert undisturbed == after.finished(wanted).images[0]


def test_a_killed_server_takes_its_child_along_and_draws_again_when_it_is_back(models: Path, tmp_path: Path) -> None:
    url, wanted = free_address(), order("schnell", steps=300)
    settings = DiffusersSettings(base_url=url, models=models)
    with net.client([url]) as http:
        client = Diffusers(settings, http)
        first = serving(models, tmp_path, url)
        ticket = client.submit(wanted)
        _polled(client, ticket, lambda now: isinstance(now, Waiting) and bool(now.progress))
        child = http.get(f"{url}/healthz").json()["children"][0]["pid"]
        first.kill()
        first.wait()
        second = serving(models, tmp_path, url)
        finished = _polled(client, ticket, lambda now: isinstance(now, Finished))
        second.terminate()

    assert 0 == second.wait(30)
    assert isinstance(finished, Finished)
    assert not Path(f"/proc/{child}").exists()


def _polled(client: Diffusers, ticket: Ticket, wanted: Callable[[Waiting | Finished], bool]) -> Waiting | Finished:
    """Asks as the watcher does, until the answer is so; the test's own time limit ends it."""
    while not wanted(now := client.poll(ticket)):
        time.sleep(0.05)
    return now


def test_doctor_tells_what_is_held_and_what_is_missing(local: Local) -> None:
    local.drawn(order("schnell"))
    told = local.client.doctor([f"{OWNER}/schnell", f"{OWNER}/klein", f"{OWNER}/max"])

    assert ["auto: schnell, fp32, on cpu", "klein is complete and is loaded when it is first wanted"] == told[:2]
    assert told[2].startswith(f"the model {OWNER}/max is not in the folder")


def test_the_server_stays_free_of_torch(local: Local) -> None:
    local.drawn(order("schnell"))

    assert "torch" not in sys.modules
