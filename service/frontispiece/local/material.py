"""The pipeline for a task, and the pictures and masks in the form and size that it wants. The child imports this."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from frontispiece.generators import Order
from frontispiece.inputs import expanded
from frontispiece.local import controls
from frontispiece.local.pipelines import Held

GRAIN = 16  # pixels, the side of what the models take as one piece of a picture


def gather(held: Held, order: Order, folders: Mapping[str, Path]) -> tuple[Any, dict[str, Any]]:
    """The pipeline over the held weights, and what it is given beside the prompt, the size and the seed."""
    kind, task = type(held.pipe).__name__, order.task
    if task in ("canny", "depth"):
        return held.pipe, {"control_image": _control(order, folders)}
    if task in ("fill", "expand"):
        return _filling(held, kind, order)
    if kind == "FluxKontextPipeline":
        return held.pipe, _kontext(order)
    if task == "edit" and kind == "FluxPipeline":
        return held.as_kind("FluxImg2ImgPipeline"), {
            "image": _fitted(order.images[0], order),
            "strength": _strength(order),
        }
    if task in ("edit", "references"):
        return held.pipe, {"image": [opened(each) for each in order.images]}
    return held.pipe, {}


def _strength(order: Order) -> float:
    """The share of the steps that are done; at least one is left out, else nothing of the picture would be left."""
    steps, strength = int(order.options["steps"]), float(order.options.get("strength", 0.6))
    left_out = min(steps - 1, max(1, round(steps * (1 - strength)))) if strength < 1 else 0
    return (steps - left_out) / steps - (1e-6 if left_out else 0)  # diffusers cuts off what it multiplies


def _control(order: Order, folders: Mapping[str, Path]) -> Image.Image:
    picture = _fitted(order.images[0], order)
    if order.options.get("prepared"):
        return picture
    return controls.canny(picture) if order.task == "canny" else controls.depth(picture, folders["depth_model"])


def _filling(held: Held, kind: str, order: Order) -> tuple[Any, dict[str, Any]]:
    picture, mask = order.images[0], order.mask
    if order.task == "expand":
        picture, mask = expanded(picture, order.margins)
    given: dict[str, Any] = {"image": _fitted(picture, order), "mask_image": _fitted(mask, order).convert("L")}
    if order.task == "expand" or kind != "FluxFillPipeline":
        given["mask_image"] = _whole_blocks(given["mask_image"])
    if kind == "FluxFillPipeline":
        return held.pipe, given
    return held.as_kind("Flux2KleinInpaintPipeline"), given | {"strength": 1.0}


def _whole_blocks(mask: Image.Image) -> Image.Image:
    """White wherever a block of the model's grain has any white: a thinner strip would be lost, and stay grey."""
    return mask.reduce(GRAIN).point(lambda grey: 255 if grey else 0).resize(mask.size, Image.Resampling.NEAREST)


def _kontext(order: Order) -> dict[str, Any]:
    """It would choose the size by itself; told the area of the order, it stays with it."""
    pixels = order.width * order.height
    given = {"max_area": pixels, "_auto_resize": False}
    return given | ({"image": _of_area(opened(order.images[0]), pixels)} if order.images else {})


def opened(picture: bytes) -> Image.Image:
    """The picture, in colours and without transparency."""
    return Image.open(io.BytesIO(picture)).convert("RGB")


def _fitted(picture: bytes, order: Order) -> Image.Image:
    """The picture in the size of the order; what is beyond its ratio is cut off."""
    return ImageOps.fit(opened(picture), (order.width, order.height))


def _of_area(picture: Image.Image, pixels: int) -> Image.Image:
    """The picture in its own ratio, with about so many pixels."""
    scale = (pixels / (picture.width * picture.height)) ** 0.5
    width, height = (max(GRAIN, round(side * scale / GRAIN) * GRAIN) for side in picture.size)
    return ImageOps.fit(picture, (width, height))
