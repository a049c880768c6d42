"""What is said of an order and of a model's folder before torch is started; nothing here needs torch."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from servers.local import mask, order, picture

from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import checks, weights, worker

PARTS = {"vae": "AutoencoderKL", "transformer": "FluxTransformer2DModel", "tokenizer": "CLIPTokenizer"}


def _tensors(path: Path, *shape: int, missing: int = 0) -> None:
    """A safetensors file of one tensor, cut off by so many bytes."""
    size = 2
    for side in shape:
        size *= side
    header = json.dumps({"weight": {"dtype": "BF16", "shape": shape, "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size - missing))


@pytest.fixture(name="model")
def _model(tmp_path: Path) -> Path:
    folder = tmp_path / "black-forest-labs" / "FLUX.1-schnell"
    for part in PARTS:
        (folder / part).mkdir(parents=True)
    for part in ("vae", "transformer"):
        _tensors(folder / part / "diffusion_pytorch_model.safetensors", 3, 5)
        (folder / part / "config.json").write_text('{"block_out_channels": [8, 8, 8, 8]}')
    (folder / "tokenizer" / "vocab.json").write_text("{}")
    index = {"_class_name": "FluxPipeline", "image_encoder": [None, None]}
    index |= {part: ["diffusers", kind] for part, kind in PARTS.items()}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def _shards(folder: Path) -> None:
    """The transformer in two files, of which the second is not there."""
    whole = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    whole.rename(whole.with_name("model-00001-of-00002.safetensors"))
    named = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    whole.with_name("model.safetensors.index.json").write_text(json.dumps({"weight_map": named}))


def _emptied(folder: Path) -> None:
    (folder / "tokenizer" / "vocab.json").unlink()


def _removed(folder: Path) -> None:
    _emptied(folder)
    (folder / "tokenizer").rmdir()


def _wordless(folder: Path) -> None:
    (folder / "tokenizer" / "vocab.json").rename(folder / "tokenizer" / "tokenizer_config.json")


def _unweighted(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()


def _cut(folder: Path) -> None:
    _tensors(folder / "vae" / "diffusion_pytorch_model.safetensors", 3, 5, missing=1)


def _garbage(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1")


def _unindexed(folder: Path) -> None:
    (folder / "model_index.json").unlink()


def _strange(folder: Path) -> None:
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')


def test_a_complete_model_is_told_by_its_pipeline(model: Path) -> None:
    assert "FluxPipeline" == checks.complete(model)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (_removed, "not complete: tokenizer is missing"),
        (_emptied, "not complete: tokenizer is empty"),
        (_wordless, "not complete: tokenizer has no vocabulary"),
        (_unweighted, "not complete: vae has no weights"),
        (_cut, "not complete: vae/diffusion_pytorch_model.safetensors is cut off"),
        (_garbage, "not complete: vae/diffusion_pytorch_model.safetensors is cut off"),
        (_shards, "not complete: transformer/model-00002-of-00002.safetensors is missing"),
        (_unindexed, "model_index.json cannot be read"),
        (_strange, "holds a StableDiffusionPipeline; known are: FluxPipeline"),
    ],
)
def test_a_broken_folder_is_told_by_what_is_broken(model: Path, broken: Callable[[Path], None], words: str) -> None:
    broken(model)
    with pytest.raises(GeneratorProblem, match=words):
        checks.complete(model)


def test_everything_that_is_missing_is_told_at_once(model: Path) -> None:
    _removed(model)
    _unweighted(model)
    with pytest.raises(GeneratorProblem, match="tokenizer is missing; vae has no weights"):
        checks.complete(model)


@pytest.mark.parametrize("name", ["black-forest-labs/FLUX.1-schnell", "FLUX.1-schnell"])
def test_a_model_is_found_below_the_folder_with_its_owner_or_without(model: Path, name: str) -> None:
    folder = model.parent.parent if "/" in name else model.parent
    assert model == checks.find(name, folder)


def test_a_model_is_found_by_its_absolute_path(model: Path, tmp_path: Path) -> None:
    assert model == checks.find(str(model), tmp_path / "elsewhere")


def test_a_model_is_found_in_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    place = tmp_path / "models--black-forest-labs--FLUX.1-schnell"
    snapshot = place / "snapshots" / "0b1c"
    snapshot.mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("0b1c")

    assert snapshot == checks.find("black-forest-labs/FLUX.1-schnell", None)


@pytest.mark.parametrize("name", ["../secrets", "nothing"])
def test_a_model_outside_of_the_folder_is_not_found(model: Path, name: str) -> None:
    (model.parent.parent / "secrets").mkdir()
    with pytest.raises(GeneratorProblem, match=f"the model {name} is not in the folder .*; `hf download {name}`"):
        checks.find(name, model.parent)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"width": 65}, "65 × 64 cannot be drawn: both must be multiples of 16"),
        ({"height": 70}, "96 × 70 cannot be drawn"),
        ({"width": 0}, "0 × 64 cannot be drawn"),
        ({"height": -16}, "96 × -16 cannot be drawn"),
        ({"seed": -1}, "the seed -1 is not between 0 and 4294967295"),
        ({"seed": 2**32}, "the seed 4294967296 is not between"),
        ({"steps": 0}, "steps is 0, expected a whole number from 1"),
        ({"steps": 4.0}, "steps is 4.0, expected"),
        ({"task": "edit"}, "edit needs a picture to start from"),
        ({"task": "fill", "images": (picture(),), "mask": mask()}, "cannot do fill; it can do: text-to-image, edit"),
    ],
)
def test_what_would_be_drawn_otherwise_or_not_at_all_is_refused(model: Path, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(GeneratorProblem, match=words):
        checks.order(order("schnell", **wrong), model, "FluxPipeline")


def test_a_fill_without_a_mask_is_refused(model: Path) -> None:
    with pytest.raises(GeneratorProblem, match="fill needs a mask that is white"):
        checks.order(order("fill", task="fill", images=(picture(),)), model, "FluxFillPipeline")


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_a_seed_at_the_edge_is_taken(model: Path, seed: int) -> None:
    checks.order(order("schnell", seed=seed), model, "FluxPipeline")


def test_a_lora_is_looked_for_below_the_folder(tmp_path: Path) -> None:
    _tensors(tmp_path / "red.safetensors", 2)
    assert {"lora": tmp_path / "red.safetensors"} == checks.lora(_with_lora("red.safetensors"), tmp_path)


@pytest.mark.parametrize("name", ["blue.safetensors", "red.bin"])
def test_a_lora_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "red.bin").write_bytes(b"pickled")
    with pytest.raises(GeneratorProblem, match=f"{name} is not there, or no .safetensors file"):
        checks.lora(_with_lora(name), tmp_path)


def test_a_lora_that_is_cut_off_is_told(tmp_path: Path) -> None:
    _tensors(tmp_path / "red.safetensors", 2, missing=1)
    with pytest.raises(GeneratorProblem, match="is cut off; fetch it again"):
        checks.lora(_with_lora("red.safetensors"), tmp_path)


def _with_lora(name: str) -> Order:
    return order("schnell", lora=name)


def test_the_parts_of_a_model_are_counted(model: Path) -> None:
    assert {"transformer": 15, "vae": 15} == weights.parts(model)


@pytest.mark.parametrize(("task", "option"), [("variation", "base"), ("depth", "depth_model")])
def test_a_second_model_that_is_not_named_is_told(model: Path, task: str, option: str) -> None:
    wanted = replace(order("any", task=task, images=(picture(),)), model=str(model))
    with pytest.raises(GeneratorProblem, match=f"{task} needs a second model: the option {option} names it"):
        worker.check(wanted, DiffusersSettings())


def test_redux_goes_with_no_other_kind_of_model(model: Path) -> None:
    index = model / "model_index.json"
    index.write_text(index.read_text().replace("FluxPipeline", "Flux2KleinPipeline"))
    wanted = replace(order("any", task="variation", images=(picture(),), base=str(model)), model=str(model))
    with pytest.raises(GeneratorProblem, match=r"which is no FLUX\.1 for text to image"):
        worker.check(wanted, DiffusersSettings())
