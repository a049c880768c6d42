"""A pipeline of diffusers, loaded from a folder and kept as planned. Only the child imports this.

Weights are taken from safetensors files only, since those of other kinds may run code.
"""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import diffusers
import torch
from transformers import AutoTokenizer

from frontispiece.errors import GeneratorProblem
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import checks
from frontispiece.local.memory import FP8, GB, Card, Plan

DTYPES = {"bf16": torch.bfloat16, "fp8": torch.bfloat16, "fp8-storage": torch.bfloat16, "fp32": torch.float32}
COMPILED = {"fullgraph": True}


@dataclass
class Held:
    """A loaded model: `pipe` draws from words; `kin` are other pipelines over the same weights."""

    name: str
    folder: Path
    plan: Plan
    pipe: Any
    kin: dict[str, Any] = field(default_factory=dict)
    lora: tuple[Path, int, float] | None = None  # the file, when it was changed, how strongly it is used

    def as_kind(self, kind: str) -> Any:
        """The same weights in another pipeline of diffusers."""
        if kind not in self.kin:
            self.kin[kind] = getattr(diffusers, kind)(**self.pipe.components)
            self.kin[kind].set_progress_bar_config(disable=True)
        return self.kin[kind]

    @cached_property
    def tokens(self) -> int:
        """How long a prompt may be: half as long for schnell, the FLUX.1 that takes no guidance, as for the others."""
        guided = getattr(self.pipe.transformer.config, "guidance_embeds", True)
        return 256 if type(self.pipe) is diffusers.FluxPipeline and not guided else 512

    def use_lora(self, path: Path | None, weight: float) -> None:
        """Puts these LoRA weights over the model's own, or takes off what is there. Raises `GeneratorProblem`."""
        wanted = (path, path.stat().st_mtime_ns, weight) if path else None
        if wanted == self.lora:
            return
        if self.lora:
            self.pipe.unload_lora_weights()
            self.lora = None
        if path and self.plan.precision.startswith("fp8"):
            raise GeneratorProblem(f"a LoRA goes with bf16, not with {self.plan.precision}: set the precision to bf16")
        if path:
            self._put_on(path, weight)
            self.lora = wanted

    def _put_on(self, path: Path, weight: float) -> None:
        where = {"weight_name": path.name, "adapter_name": "lora", "local_files_only": True}
        try:
            self.pipe.load_lora_weights(path.parent, **where)
            fitting = any("lora" in names for names in self.pipe.get_list_adapters().values())
            why = "" if fitting else "nothing in it is for this model"
        except (ValueError, KeyError, RuntimeError) as problem:
            why = _first(problem)
        if why:
            self.pipe.unload_lora_weights()
            raise GeneratorProblem(f"the LoRA {path} does not fit {self.name}: {why}")
        self.pipe.set_adapters(["lora"], [weight])


def card(device: torch.device) -> Card:
    """What there is to draw with."""
    if device.type != "cuda":
        return Card(device.type, 0.0)
    return Card("cuda", torch.cuda.mem_get_info(device)[1] / GB, torch.cuda.get_device_capability(device))


def used(device: torch.device) -> float:
    """GB of the card's memory that are taken."""
    if device.type != "cuda":
        return 0.0
    free, total = torch.cuda.mem_get_info(device)
    return float(total - free) / GB


def device(asked: str) -> torch.device:
    """The device of that name; "auto" is the first GPU, else the processor. Raises `GeneratorProblem`."""
    if asked == "auto":
        mps = torch.backends.mps.is_available()
        return torch.device("cuda:0" if torch.cuda.is_available() else "mps" if mps else "cpu")
    if asked.startswith("cuda") and not torch.cuda.is_available():
        raise GeneratorProblem(f"there is no {asked} that torch {torch.__version__} can use; see the setting devices")
    return torch.device(asked)


def load(name: str, folder: Path, plan: Plan, where: torch.device) -> Held:
    """Loads the model and puts it where the plan says. Raises `GeneratorProblem`."""
    try:
        pipe = _read(folder, DTYPES[plan.precision])
    except (OSError, ValueError) as problem:
        raise GeneratorProblem(f"the model in {folder} cannot be loaded: {_first(problem)}") from problem
    pipe.set_progress_bar_config(disable=True)
    keep(pipe, plan, where)
    return Held(name, folder, plan, pipe)


def _read(folder: Path, dtype: torch.dtype) -> Any:
    """FLUX.2 dev comes with a processor of words and pictures, which wants torchvision; here it only gets words."""
    how: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "dtype": dtype}
    if checks.complete(folder) != "Flux2Pipeline":
        return diffusers.DiffusionPipeline.from_pretrained(folder, **how)
    pipe = diffusers.Flux2Pipeline.from_pretrained(folder, tokenizer=None, **how)
    pipe.register_modules(tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True))
    return pipe


def keep(pipe: Any, plan: Plan, where: torch.device) -> None:
    """Brings a loaded pipeline into the precision and to the places that the plan names."""
    if plan.precision == "fp8-storage":
        pipe.transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.bfloat16)
    if plan.precision == "fp8" and plan.offload == "none":
        pipe.transformer.to(where)  # so that it is converted where that is fast
    if plan.precision == "fp8":
        _to_float8(pipe.transformer, where)
    if plan.offload == "none":
        pipe.to(where)
    else:
        pipe.vae.enable_tiling()
    if plan.offload == "model":
        pipe.enable_model_cpu_offload(device=where)
    if plan.offload == "group":
        pipe.enable_group_offload(onload_device=where, offload_type="leaf_level", use_stream=where.type == "cuda")
    if plan.compile:
        pipe.transformer.compile_repeated_blocks(**COMPILED)


def _to_float8(transformer: torch.nn.Module, where: torch.device) -> None:
    """Weights and, as they come, activations in float8, row by row. https://github.com/pytorch/ao."""
    if where.type != "cuda" or torch.cuda.get_device_capability(where) < FP8:
        raise GeneratorProblem(
            "fp8 is computed by NVIDIA cards of 2022 or later; set the precision to bf16 or fp8-storage"
        )
    try:
        from torchao import quantization  # noqa: PLC0415 - only this needs it
    except ImportError as problem:
        raise GeneratorProblem("precision fp8 needs torchao: pip install torchao") from problem
    config = quantization.Float8DynamicActivationFloat8WeightConfig(granularity=quantization.PerRow())
    quantization.quantize_(transformer, config)


def prepare(settings: DiffusersSettings) -> None:
    """What is set once in a process."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.backends.cuda.matmul.allow_tf32 = True


def _first(problem: Exception) -> str:
    """The first line of what an error says."""
    return str(problem).strip().partition("\n")[0][:300]


def prior(held: Held, folder: Path, where: torch.device) -> Any:
    """Redux in this folder, with the text encoders of the held model."""
    key = str(folder)
    if key not in held.kin:
        names = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
        shared = {name: held.pipe.components[name] for name in names}
        redux = diffusers.FluxPriorReduxPipeline.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=DTYPES[held.plan.precision], **shared
        )
        redux.image_encoder.to(where)
        redux.image_embedder.to(where)
        held.kin[key] = redux
    return held.kin[key]
