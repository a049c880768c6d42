"""Drawing one order with a warm model. Only the child imports this.

A seed always goes into a generator on the processor, so that it is the same noise on every device.
"""

import gc
import io
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order
from frontispiece.generators.diffusers import DiffusersSettings
from frontispiece.local import material, memory, pipelines, weights

PROMPTS = 64  # whose embeddings are kept; one has 4 MB for FLUX.1, 8 MB for FLUX.2 klein 4B and 16 MB for dev

Step = Callable[[float], None]


class Studio:
    """One model at a time on one device, loaded when an order wants it and kept until another is wanted."""

    def __init__(self, settings: DiffusersSettings, device: str) -> None:
        pipelines.prepare(settings)
        self.settings, self.asked = settings, device
        self.held: pipelines.Held | None = None
        self.embeddings: OrderedDict[tuple[object, ...], tuple[torch.Tensor, ...]] = OrderedDict()

    def hold(self, order: Order, folders: Mapping[str, Path]) -> tuple[str, bool]:
        """Loads the model that the order wants, if it is another; says what is held, and whether it was loaded now."""
        self.device = pipelines.device(self.asked)
        self.card = pipelines.card(self.device)
        name, folder = self._base(order, folders)
        loaded = self.held is None or self.held.folder != folder
        if loaded:
            self._load(name, folder, memory.plan(weights.parts(folder), self.card, self.settings))
        return self.words(), loaded

    @staticmethod
    def _base(order: Order, folders: Mapping[str, Path]) -> tuple[str, Path]:
        """Redux is no model by itself: it puts a picture in the place of the prompt of another."""
        if "base" in folders:
            return str(order.options["base"]), folders["base"]
        return order.model, folders[""]

    def _load(self, name: str, folder: Path, plan: memory.Plan | None) -> None:
        """Loads with that plan, or the next smaller one that the card's memory lets in. Raises `GeneratorProblem`."""
        self.held = None
        while plan and not self.held:
            gc.collect()  # pipelines go round in circles
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            try:
                self.held = pipelines.load(name, folder, plan, self.device)
            except torch.OutOfMemoryError:
                plan = plan.smaller()
        if not self.held:
            raise GeneratorProblem(f"the card's memory is too small for {name}, however it is kept")

    def words(self) -> str:
        """The model that is held, and how."""
        assert self.held
        return memory.words(self.held.name, self.held.plan, self.card, pipelines.used(self.device))

    def draw(self, order: Order, folders: Mapping[str, Path], step: Step) -> tuple[bytes, dict[str, Any]]:
        """The picture as PNG, and what is told beside it. What `step` raises comes through; the model stays good.

        An error of CUDA comes through as well: only another process can use the card again.
        """
        begun = time.monotonic()
        picture = self._fitting(order, folders, step)
        if picture is None and self.held:  # outside of the error, which would keep what it is to free
            self._load(self.held.name, self.held.folder, self.held.plan.smaller())
            picture = self._fitting(order, folders, step)
        if picture is None:
            raise GeneratorProblem(f"the card's memory is too small for {order.width} × {order.height} pixels")
        facts = {"seed": order.seed, "seconds": round(time.monotonic() - begun, 3), "kept": self.words()}
        return _png(picture), facts

    def _fitting(self, order: Order, folders: Mapping[str, Path], step: Step) -> Image.Image | None:
        """The picture; None where the card's memory was too small for it."""
        try:
            with torch.no_grad():
                return self._drawn(order, folders, step)
        except torch.OutOfMemoryError:
            return None
        except (ValueError, TypeError, RuntimeError) as problem:
            if isinstance(problem, torch.AcceleratorError) or "CUDA" in str(problem):
                raise
            raise GeneratorProblem(f"{order.model} cannot draw this: {problem}") from problem

    def _drawn(self, order: Order, folders: Mapping[str, Path], step: Step) -> Image.Image:
        assert self.held
        self.held.use_lora(folders.get("lora"), float(order.options.get("lora_weight", 1.0)))
        pipe, pictures = material.gather(self.held, order, folders)
        words = self._redux(order, folders) if order.task == "variation" else self._words(order)
        drawn: Image.Image = pipe(
            **words,
            **pictures,
            width=order.width,
            height=order.height,
            num_inference_steps=order.options["steps"],
            guidance_scale=float(order.options.get("guidance", 1.0)),
            generator=torch.Generator("cpu").manual_seed(order.seed),
            callback_on_step_end=_counting(step),
        ).images[0]
        if drawn.size != (order.width, order.height):
            size = f"{drawn.size[0]} × {drawn.size[1]}"
            raise GeneratorProblem(f"{order.model} drew {size} instead of {order.width} × {order.height}")
        return drawn

    def _words(self, order: Order) -> dict[str, Any]:
        """What the text encoders make of the prompt; kept, since drafts and second tries have the same prompt."""
        assert self.held
        key = (self.held.folder, self.held.plan, order.prompt, self.held.tokens, self.held.lora)
        if key not in self.embeddings:
            encoded = self.held.pipe.encode_prompt(
                prompt=order.prompt, max_sequence_length=self.held.tokens, **_second(self.held.pipe)
            )
            self.embeddings[key] = tuple(each.cpu() for each in encoded[:-1])  # the last are positions
        self.embeddings.move_to_end(key)
        if len(self.embeddings) > PROMPTS:
            self.embeddings.popitem(last=False)
        names = ("prompt_embeds", "pooled_prompt_embeds")
        return {name: each.to(self.device) for name, each in zip(names, self.embeddings[key], strict=False)}

    def _redux(self, order: Order, folders: Mapping[str, Path]) -> dict[str, Any]:
        """What Redux makes of the picture and the prompt together."""
        assert self.held
        prior = pipelines.prior(self.held, folders[""], self.device)
        return dict(prior(material.opened(order.images[0]), prompt=order.prompt))


def _second(pipe: Any) -> dict[str, None]:
    """FLUX.1 has two text encoders, and wants to be told that both get the same prompt."""
    return {"prompt_2": None} if hasattr(pipe, "tokenizer_2") else {}


def _counting(step: Step) -> Callable[..., dict[str, Any]]:
    def ended(pipe: Any, number: int, _time: object, kept: dict[str, Any]) -> dict[str, Any]:
        step((number + 1) / pipe.num_timesteps)
        return kept

    return ended


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1, compress_type=zlib.Z_RLE)  # a fifth of the usual time, and no larger
    return file.getvalue()
