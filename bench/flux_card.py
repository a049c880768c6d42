"""The GPU's half of `local_flux.py`: seconds of a real-size picture, bare and ours, beside the arithmetic floor."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import real_flux
import torch
from servers.local import order
from torch.utils.flop_counter import FlopCounterMode

from frontispiece.errors import GeneratorProblem
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local.drawing import Studio
from frontispiece.local.memory import Plan
from frontispiece.local.pipelines import Held, card, keep

SIDE = 1024  # pixels
STEPS = {"schnell": 4, "klein-4B": 4, "dev": 28}
GUIDANCE = {"schnell": 0.0, "klein-4B": 1.0, "dev": 3.5}
PLANS = {
    "bf16, eager": Plan("bf16", "none"),
    "bf16, compiled": Plan("bf16", "none", compile=True),
    "fp8, compiled": Plan("fp8", "none", compile=True),
}
PROMPT = "A lighthouse in a storm."


@dataclass(frozen=True)
class Row:
    """Seconds of a picture, the first of each side included only in `first`; `peak` in GB."""

    first: float
    bare: float
    ours: float
    peak: float


def measure(device: torch.device, models: list[str], rounds: int, side: int = SIDE) -> None:
    """Prints a line for each model and plan."""
    rate = _rate(device)
    print(f"\n{_name(device)}: {rate / 1e12:.0f} TFLOP/s measured for bf16 matrices; {side} × {side}, random weights")
    print(f"{'':28}  first s   bare s   ours s   ours/bare   floor s   ours/floor   peak GB")
    for name in models:
        floor = 0.0
        for words, plan in PLANS.items():
            try:
                studio = _studio(name, plan, device)
            except GeneratorProblem as problem:
                print(f"{name + ', ' + words:28}  {problem}")
                continue
            floor = floor or _flops(studio, name, side) / rate
            row = _row(studio, name, rounds, side)
            print(
                f"{name + ', ' + words:28}{row.first:9.1f}{row.bare:9.3f}{row.ours:9.3f}{row.ours / row.bare:12.3f}"
                f"{floor:10.3f}{row.ours / floor:13.2f}{row.peak:10.1f}",
                flush=True,
            )
            del studio
            _free(device)


def _studio(name: str, plan: Plan, device: torch.device) -> Studio:
    """Ours, with a model that was never a folder."""
    studio = Studio(DiffusersSettings(), str(device))
    pipe = real_flux.build(name, device)
    pipe.set_progress_bar_config(disable=True)
    keep(pipe, plan, device)
    studio.device, studio.card = device, card(device)
    studio.held = Held(name, real_flux.NOWHERE, plan, pipe)
    return studio


def _row(studio: Studio, name: str, rounds: int, side: int) -> Row:
    _reset(studio.device)
    first = _seconds(studio.device, lambda: _ours(studio, name, 0, side))
    _bare(studio, name, 0, side)
    both = [
        (
            _seconds(studio.device, lambda seed=seed: _bare(studio, name, seed, side)),  # type: ignore[misc]
            _seconds(studio.device, lambda seed=seed: _ours(studio, name, seed, side)),  # type: ignore[misc]
        )
        for seed in range(1, 1 + rounds)
    ]
    bare, ours = (statistics.median(each) for each in zip(*both, strict=True))
    return Row(first, bare, ours, _peak(studio.device))


def _ours(studio: Studio, name: str, seed: int, side: int) -> bytes:
    how = {"steps": STEPS[name], "guidance": GUIDANCE[name]}
    picture, _ = studio.draw(order(name, PROMPT, seed=seed, width=side, height=side, **how), {}, lambda _: None)
    return picture


def _bare(studio: Studio, name: str, seed: int, side: int) -> Any:
    """The pipeline as its documentation calls it, with the prompt encoded each time."""
    assert studio.held
    return studio.held.pipe(
        prompt=PROMPT,
        width=side,
        height=side,
        num_inference_steps=STEPS[name],
        guidance_scale=GUIDANCE[name],
        max_sequence_length=studio.held.tokens,
        generator=torch.Generator("cpu").manual_seed(seed),
    ).images[0]


def _flops(studio: Studio, name: str, side: int) -> float:
    """What a picture takes, of matrices, attention and convolutions; the prompt, which is kept, is not counted."""
    _ours(studio, name, 0, side)
    with FlopCounterMode(display=False) as counter:
        _ours(studio, name, 0, side)
    return float(counter.get_total_flops())


def _rate(device: torch.device, size: int = 8192) -> float:
    """Floating-point operations a second of a large matrix product: as near to the card's best as one comes."""
    size = size if device.type == "cuda" else 1024
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        left @ right
    times = 20
    seconds = _seconds(device, lambda: [left @ right for _ in range(times)])
    return 2 * size**3 * times / seconds


def _seconds(device: torch.device, act: Callable[[], object]) -> float:
    _wait(device)
    begun = time.perf_counter()
    act()
    _wait(device)
    return time.perf_counter() - begun


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _reset(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _peak(device: torch.device) -> float:
    return torch.cuda.max_memory_allocated(device) / 1024**3 if device.type == "cuda" else 0.0


def _free(device: torch.device) -> None:
    gc.collect()
    torch.compiler.reset()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
