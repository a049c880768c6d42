"""What can be said of an order and of a model's folder before torch is started: what is missing, what cannot be drawn.

diffusers itself says it late or not at all: it rounds sizes without a word, and draws no matter what is said where the
tokenizer came without its vocabulary.
"""

import json
import os
from pathlib import Path
from typing import Any

from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order
from frontispiece.local import weights

VOCABULARIES = {"tokenizer.json", "vocab.json", "spiece.model", "tokenizer.model"}  # a tokenizer has one at least
SEEDS = 2**32  # the generator of torch uses no more bits than that

TASKS = {  # by the pipeline that model_index.json names
    "FluxPipeline": ("text-to-image", "edit"),
    "FluxFillPipeline": ("fill", "expand"),
    "FluxKontextPipeline": ("edit", "text-to-image"),
    "FluxControlPipeline": ("canny", "depth"),
    "FluxPriorReduxPipeline": ("variation",),
    "Flux2Pipeline": ("text-to-image", "edit", "references"),
    "Flux2KleinPipeline": ("text-to-image", "edit", "references", "fill", "expand"),
}


def find(name: str, models: Path | None) -> Path:
    """The folder of a model: an absolute path, one below `models`, or the hub's cache. Raises `GeneratorProblem`."""
    if Path(name).is_absolute():
        places, where = [Path(name)], "there"
    elif models:
        places, where = [models / name, models / name.rpartition("/")[2]], f"in the folder {models}"
        places = [place for place in places if models.resolve() in place.resolve().parents]
    else:
        places, where = _cached(name), f"in the hub's cache {hub()}"
    for place in places:
        if place.is_dir():
            return place
    raise GeneratorProblem(
        f"the model {name} is not {where}; `hf download {name}` fetches it, with a token where its licence wants one"
    )


def hub() -> Path:
    """https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def _cached(name: str) -> list[Path]:
    """The newest snapshot, as https://huggingface.co/docs/huggingface_hub/guides/manage-cache has it."""
    place = hub() / f"models--{name.replace('/', '--')}"
    try:
        commit = (place / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return []
    return [place / "snapshots" / commit]


def complete(folder: Path) -> str:
    """The pipeline that a model's folder is for. Raises `GeneratorProblem` that names everything missing in it."""
    index = _json(folder / "model_index.json")
    pipeline = index.get("_class_name")
    if pipeline not in TASKS:
        raise GeneratorProblem(f"{folder} holds a {pipeline or 'model of no kind'}; known are: {', '.join(TASKS)}")
    parts = [name for name, kind in index.items() if isinstance(kind, list) and kind and kind[0] is not None]
    if missing := [words for part in sorted(parts) for words in _missing(folder / part)]:
        raise GeneratorProblem(f"the model in {folder} is not complete: {'; '.join(missing)}; fetch it again")
    return str(pipeline)


def _missing(part: Path) -> list[str]:
    if not part.is_dir():
        return [f"{part.name} is missing"]
    files = {file.name for file in part.iterdir()}
    if not files:
        return [f"{part.name} is empty"]
    wanted = {file for index in part.glob("*.safetensors.index.json") for file in _json(index)["weight_map"].values()}
    if _has_weights(part) and not any(file.endswith(".safetensors") for file in files):
        return [f"{part.name} has no weights"]
    if part.name.startswith("tokenizer") and not files & VOCABULARIES:
        return [f"{part.name} has no vocabulary"]
    absent = [f"{part.name}/{file} is missing" for file in sorted(wanted - files)]
    cut = [file.name for file in sorted(part.glob("*.safetensors")) if weights.cut(file)]
    return absent + [f"{part.name}/{name} is cut off" for name in cut]


def _has_weights(part: Path) -> bool:
    """Tokenizers, schedulers and preprocessors have none; models have a config.json beside theirs."""
    return (part / "config.json").exists()


def _json(file: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(file.read_bytes())
    except (OSError, ValueError) as problem:
        raise GeneratorProblem(f"{file} cannot be read: {problem}") from problem
    if not isinstance(said, dict):
        raise GeneratorProblem(f"{file} is not what it should be; fetch the model again")
    return said


def order(order: Order, folder: Path, pipeline: str) -> None:
    """Raises `GeneratorProblem` where the model in `folder` would draw something else than was ordered, or nothing."""
    if order.task not in TASKS[pipeline]:
        raise GeneratorProblem(f"{order.model} cannot do {order.task}; it can do: {', '.join(TASKS[pipeline])}")
    multiple = _multiple(folder)
    if min(order.width, order.height) < multiple or order.width % multiple or order.height % multiple:
        raise GeneratorProblem(f"{order.width} × {order.height} cannot be drawn: both must be multiples of {multiple}")
    if not 0 <= order.seed < SEEDS:
        raise GeneratorProblem(f"the seed {order.seed} is not between 0 and {SEEDS - 1}")
    steps = order.options.get("steps")
    if type(steps) is not int or steps < 1:
        raise GeneratorProblem(f"steps is {steps!r}, expected a whole number from 1")
    if order.task != "text-to-image" and not order.images:
        raise GeneratorProblem(f"{order.task} needs a picture to start from")
    if order.task == "fill" and not order.mask:
        raise GeneratorProblem("fill needs a mask that is white where the picture shall be painted anew")


def _multiple(folder: Path) -> int:
    """What both sides must be multiples of: the scale of the VAE, and patches of two by two."""
    config = folder / "vae" / "config.json"
    return 2 ** len(_json(config).get("block_out_channels", ())) if config.exists() else 16


def lora(order: Order, models: Path | None) -> dict[str, Path]:
    """The file of LoRA weights that the order names, as "lora"; nothing if it names none. Raises `GeneratorProblem`."""
    named = order.options.get("lora")
    if not named:
        return {}
    path = (models or Path()) / str(named)
    if path.suffix != ".safetensors" or not path.is_file():
        raise GeneratorProblem(f"the LoRA {path} is not there, or no .safetensors file")
    if weights.cut(path):
        raise GeneratorProblem(f"the LoRA {path} is cut off; fetch it again")
    return {"lora": path}
