"""`make bench-local`: what our warm child costs over the bare pipeline, and on a GPU the seconds of a real picture.

Both sides draw in turn in the same run. Models have random weights: nothing is downloaded. README.md says more.
"""

import argparse
import io
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import diffusers
import flux_card
import torch
from servers import checkpoints
from servers.local import Local, order
from transformers.utils import logging

from frontispiece.generators import Order

SIDE = 256  # pixels of the tiny model's pictures
OVERHEAD, CANCEL = 0.05, 1.0  # the targets: a share, seconds
PROMPT = "A lighthouse in a storm."


def main() -> None:
    """Measures the way through the child on any machine, and real sizes where there is a GPU; prints tables."""
    asked = _asked()
    logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        models = Path(folder) / "models"
        command = [sys.executable, checkpoints.__file__, str(models)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        local = Local(models, Path(folder) / "local", devices=["cpu"], threads=asked.threads)
        with local.server, local.http:
            _tiny(local, models, asked.rounds)
    if asked.tiny_only:
        return
    if torch.cuda.is_available():
        flux_card.measure(torch.device("cuda:0"), asked.models, asked.rounds_on_card)
    else:
        print("\nThere is no GPU that torch can use: all of the above ran on the processor with the tiny checkpoint,")
        print("and nothing was measured at real size.")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="tiny pictures of each side (40)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads of each side (1)")
    parser.add_argument("--tiny-only", action="store_true", help="leave out the GPU")
    parser.add_argument("--rounds-on-card", type=int, default=5, help="real-size pictures of each side (5)")
    parser.add_argument("--models", nargs="+", default=list(flux_card.STEPS), choices=list(flux_card.STEPS))
    return parser.parse_args()


def _tiny(local: Local, models: Path, rounds: int) -> None:
    pipe = diffusers.DiffusionPipeline.from_pretrained(models / checkpoints.OWNER / "schnell", dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    started = _seconds(lambda: _ours(local, 1))
    _bare(pipe, 1)
    seeds = range(2, 2 + rounds)
    both = [(_seconds(lambda s=s: _bare(pipe, s)), _seconds(lambda s=s: _ours(local, s))) for s in seeds]  # type: ignore[misc]
    bare, ours = (statistics.median(side) for side in zip(*both, strict=True))
    inside = statistics.median(local.finished(_order(seed)).facts["seconds"] for seed in seeds)

    print(f"{_machine()}\ntiny FLUX.1, {SIDE} × {SIDE}, 4 steps, {rounds} pictures of each side in turn, medians\n")
    for words, seconds in [
        ("the bare pipeline, and its picture saved as PNG", bare),
        ("ours: drawing, in the child", inside),
        ("ours: the whole way, submit → poll → PNG, over HTTP", ours),
        ("ours: the first picture, with the child's start and loading", started),
    ]:
        print(f"{words:62}{seconds * 1000:9.1f} ms")
    print()
    _say(
        f"{(ours / bare - 1):+.1%} over the bare pipeline, at most {OVERHEAD:+.0%}", reached=ours / bare - 1 <= OVERHEAD
    )
    _say(f"{rounds + 1} pictures, {local.child.loads} loading", reached=local.child.loads == 1)
    cancelled = _cancelled(local)
    _say(f"{cancelled:.2f} s from cancel until the child is free, at most {CANCEL:g} s", reached=cancelled <= CANCEL)
    _say("after kill -9 of the child the same order gives the same picture", reached=_same_after_kill(local))


def _order(seed: int, steps: int = 4) -> Order:
    return order("schnell", PROMPT, seed=seed, width=SIDE, height=SIDE, steps=steps)


def _seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _bare(pipe: diffusers.FluxPipeline, seed: int) -> bytes:
    noise, size = torch.Generator("cpu").manual_seed(seed), {"width": SIDE, "height": SIDE}
    drawn = pipe(
        prompt=PROMPT, num_inference_steps=4, guidance_scale=2.0, generator=noise, max_sequence_length=256, **size
    )
    file = io.BytesIO()
    drawn.images[0].save(file, "PNG")
    return file.getvalue()


def _ours(local: Local, seed: int) -> bytes:
    return local.finished(_order(seed)).images[0]


def _cancelled(local: Local) -> float:
    ticket = local.client.submit(_order(0, steps=1000))
    local.until_drawing(ticket)
    begun = time.perf_counter()
    local.client.cancel(ticket)
    with local.board.changed:
        local.board.changed.wait_for(lambda: not local.board.drawing, 60)
    return time.perf_counter() - begun


def _same_after_kill(local: Local) -> bool:
    wanted = _order(0, steps=40)
    undisturbed = local.drawn(wanted)
    local.client.cancel(local.client.submit(wanted))
    ticket = local.client.submit(wanted)
    local.until_drawing(ticket)
    os.kill(local.child.pid or 0, signal.SIGKILL)
    return undisturbed == local.finished(wanted).images[0] and local.child.loads == 2


def _machine() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown processor")
    return f"{cpu}, {os.cpu_count()} cores, torch {torch.__version__}, diffusers {diffusers.__version__}"


def _say(words: str, *, reached: bool) -> None:
    print(f"{'reached' if reached else 'MISSED '}  {words}", flush=True)


if __name__ == "__main__":
    main()
