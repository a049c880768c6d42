"""What the child does when its card fails it, and how models are kept; in processes of their own, because of torch."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.local

BEGIN = """
import io, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import torch
from PIL import Image
from servers.local import order, picture
from frontispiece.errors import GeneratorProblem
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import controls, memory, pipelines
from frontispiece.local.drawing import Studio
from frontispiece.local.worker import check

def studio(model="schnell", **settings):
    asked = DiffusersSettings(models=sys.argv[1], threads=1, devices=["cpu"], **settings)
    made, wanted = Studio(asked, "cpu"), order(model)
    folders = check(wanted, asked)
    made.hold(wanted, folders)
    return made, wanted, folders

def draw(made, wanted, folders, step=lambda _: None):
    try:
        return made.draw(wanted, folders, step)[0]
    except GeneratorProblem as problem:
        return problem.words

def raising(problem):
    def step(_):
        raise problem
    return step
"""


def _said(models: Path, script: str) -> list[str]:
    """What the script prints, line by line."""
    command = [sys.executable, "-c", BEGIN + script, str(models), str(Path(__file__).parent.parent)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def test_after_an_error_in_a_step_the_model_draws_the_same_picture(models: Path) -> None:
    script = """
made = studio()
before = draw(*made)
print(draw(*made, raising(RuntimeError("shapes do not fit"))))
print(before == draw(*made))
"""
    assert ["tiny-flux/schnell cannot draw this: shapes do not fit", "True"] == _said(models, script)


def test_an_error_of_cuda_ends_the_process(models: Path) -> None:
    script = """
try:
    draw(*studio(), raising(RuntimeError("CUDA error: an illegal memory access was encountered")))
except RuntimeError as problem:
    print(problem)
"""
    assert ["CUDA error: an illegal memory access was encountered"] == _said(models, script)


def test_a_card_that_stays_too_small_is_told_in_words(models: Path) -> None:
    script = """
made, wanted, folders = studio()
made.held.plan = memory.Plan("fp32", "model")
print(draw(made, wanted, folders, raising(torch.OutOfMemoryError("out of memory"))))
print(made.held.plan.offload)
"""
    assert ["the card's memory is too small for 96 × 64 pixels", "group"] == _said(models, script)


def test_a_picture_that_did_not_fit_is_drawn_with_less_on_the_card(models: Path) -> None:
    script = """
made, wanted, folders = studio()
made.held.plan = memory.Plan("fp32", "model")
short = iter([torch.OutOfMemoryError("out of memory")])
def step(_):
    for problem in short:
        raise problem
print(Image.open(io.BytesIO(draw(made, wanted, folders, step))).size, made.held.plan.offload)
"""
    assert ["(96, 64) group"] == _said(models, script)


@pytest.mark.parametrize("precision", ["bf16", "fp8-storage"])
def test_a_model_is_kept_as_it_is_asked_for(models: Path, precision: str) -> None:
    script = f"""
made = studio(precision="{precision}")
print(made[0].words())
print(made[0].held.pipe.transformer.transformer_blocks[0].attn.to_q.weight.dtype)
print(Image.open(io.BytesIO(draw(*made))).size)
"""
    kept = {"bf16": "torch.bfloat16", "fp8-storage": "torch.float8_e4m3fn"}[precision]
    assert [f"schnell, {precision}, on cpu", kept, "(96, 64)"] == _said(models, script)


def test_a_compiled_model_draws(models: Path) -> None:
    script = """
made = studio(compile=True)
print(made[0].words(), Image.open(io.BytesIO(draw(*made))).size)
"""
    assert ["schnell, fp32, on cpu, compiled (96, 64)"] == _said(models, script)


@pytest.mark.parametrize("offload", ["model", "group"])
def test_flux_2_dev_draws_offloaded_as_most_cards_need_it(models: Path, offload: str) -> None:
    script = f"""
made, wanted, folders = studio("flux-2-dev")
made._load(made.held.name, made.held.folder, memory.Plan("fp32", "{offload}"))
print(Image.open(io.BytesIO(draw(made, wanted, folders))).size, made.held.plan.offload)
"""
    assert [f"(96, 64) {offload}"] == _said(models, script)


def test_the_words_of_a_prompt_reach_the_text_encoder_of_flux_2_dev_in_its_template(models: Path) -> None:
    script = """
words = studio("flux-2-dev")[0].held.pipe.tokenizer
said = [{"role": "user", "content": [{"type": "text", "text": "Une porte dorée."}]}]
print(words.decode(words.apply_chat_template(said)["input_ids"]))
"""
    assert ["<s>[INST]Une porte dorée.[/INST]"] == _said(models, script)


def test_fp8_without_such_a_card_is_told(models: Path) -> None:
    script = """
try:
    studio(precision="fp8")
except GeneratorProblem as problem:
    print(problem)
"""
    words = "fp8 is computed by NVIDIA cards of 2022 or later; set the precision to bf16 or fp8-storage"
    assert [words] == _said(models, script)


def test_prompts_beyond_the_last_64_are_forgotten(models: Path) -> None:
    script = """
from dataclasses import replace
made, wanted, folders = studio()
for number in range(70):
    with torch.no_grad():
        made._words(replace(wanted, prompt=str(number)))
print(len(made.embeddings), [key[2] for key in made.embeddings][0])
"""
    assert ["64 6"] == _said(models, script)


def test_edges_are_one_pixel_wide_and_where_they_are(models: Path) -> None:
    script = """
square = Image.new("RGB", (64, 64), "black")
square.paste("white", (16, 16, 48, 48))
edges = controls.canny(square).convert("L")
print([x for x in range(64) if edges.getpixel((x, 32))], [y for y in range(64) if edges.getpixel((32, y))])
"""
    assert ["[15, 47] [15, 47]"] == _said(models, script)
