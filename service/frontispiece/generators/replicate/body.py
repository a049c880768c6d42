"""How each model at Replicate is told things, and an order as the body it wants."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frontispiece import inputs
from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order
from frontispiece.hosted import check_options, nearest_ratio

_RATIOS = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16", "9:21")
_NAME = re.compile(r"[\w.-]+/[\w.-]+(:[0-9a-f]{6,64})?")


@dataclass(frozen=True, slots=True)
class _Form:
    """How a model is told things: `options` by our names and its own, the fields of pictures, what is always said.

    `ratios` are those it can choose from; none means that width and height are told (`sized`) or nothing of it.
    """

    options: Mapping[str, str]
    ratios: Sequence[str] = ()
    sized: bool = False
    prompted: bool = True
    pictures: str = ""  # "images[]" takes a list
    mask: str = ""
    always: Mapping[str, Any] | None = None


def _named(*same: str, **others: str) -> dict[str, str]:
    return {name: name for name in (*same, "output_format")} | others


# The fields are those of https://replicate.com/black-forest-labs/<model>/api/schema; of the open models also
# https://github.com/replicate/cog-flux (predict.py): white is repainted, edges and depth are found by the model.
_OPEN = _named(steps="num_inference_steps")
_GUIDED = _OPEN | {"guidance": "guidance"}
_PRO = _named("safety_tolerance", "prompt_upsampling")
_TUNED = _PRO | {"steps": "steps", "guidance": "guidance"}
_FLUX_2 = _named("safety_tolerance")
_LORA = {"lora": "lora_weights", "lora_scale": "lora_scale"}
_FAST = {"go_fast": "go_fast"}
_MATCHED = {"megapixels": "match_input"}  # as large as the picture handed over, within 1440 × 1440 pixels
_KONTEXT = _Form(_PRO, (*_RATIOS, "2:1", "1:2"), pictures="input_image")
_FORMS = {
    "black-forest-labs/flux-schnell": _Form(_OPEN | _FAST, _RATIOS),
    "black-forest-labs/flux-dev": _Form(_GUIDED | _FAST, _RATIOS),
    "black-forest-labs/flux-dev-lora": _Form(_GUIDED | _FAST | _LORA, _RATIOS),
    "black-forest-labs/flux-1.1-pro": _Form(_PRO, sized=True),
    "black-forest-labs/flux-1.1-pro-ultra": _Form(_named("safety_tolerance", "raw"), _RATIOS),
    "black-forest-labs/flux-2-pro": _Form(_FLUX_2, sized=True, pictures="input_images[]"),
    "black-forest-labs/flux-2-max": _Form(_FLUX_2, sized=True, pictures="input_images[]"),
    "black-forest-labs/flux-2-flex": _Form(_TUNED, sized=True, pictures="input_images[]"),
    "black-forest-labs/flux-2-dev": _Form(_named("go_fast"), sized=True),
    "black-forest-labs/flux-2-klein-4b": _Form(
        _named(), _RATIOS, pictures="images[]", always={"output_megapixels": "1"}
    ),
    "black-forest-labs/flux-kontext-pro": _KONTEXT,
    "black-forest-labs/flux-kontext-max": _KONTEXT,
    "black-forest-labs/flux-kontext-dev": _Form(_GUIDED | _FAST, _RATIOS, pictures="input_image"),
    "black-forest-labs/flux-fill-pro": _Form(_TUNED, pictures="image", mask="mask"),
    "black-forest-labs/flux-fill-dev": _Form(_GUIDED | _LORA, pictures="image", mask="mask", always=_MATCHED),
    "black-forest-labs/flux-canny-pro": _Form(_TUNED, pictures="control_image"),
    "black-forest-labs/flux-canny-dev": _Form(_GUIDED, pictures="control_image"),
    "black-forest-labs/flux-depth-pro": _Form(_TUNED, pictures="control_image"),
    "black-forest-labs/flux-depth-dev": _Form(_GUIDED, pictures="control_image"),
    "black-forest-labs/flux-redux-dev": _Form(_GUIDED, _RATIOS, prompted=False, pictures="redux_image"),
    "black-forest-labs/flux-redux-schnell": _Form(_OPEN, _RATIOS, prompted=False, pictures="redux_image"),
}
# What Replicate's Flux trainer makes of somebody's pictures is always a version: "owner/name:version"
_TRAINED = _Form(_named("lora_scale", steps="num_inference_steps", guidance="guidance_scale"), sized=True)


def asked(order: Order, address: Callable[[bytes], str]) -> tuple[str, dict[str, Any]]:
    """The path below /v1 and the body of an order; `address` says where the model finds a picture."""
    if not _NAME.fullmatch(order.model):
        raise GeneratorProblem(f"{order.model!r} is no model of Replicate's; they are named owner/name")
    name, _, version = order.model.partition(":")
    form = _FORMS.get(name, _TRAINED if version else None)
    if form is None:
        raise GeneratorProblem(f"no Replicate model {name!r} is known here; known are: {', '.join(_FORMS)}")
    told = {"input": _told(form, order) | _pictures(form, order, address)}
    if version:
        return "predictions", {"version": version, **told}
    return f"models/{name}/predictions", told


def _told(form: _Form, order: Order) -> dict[str, Any]:
    """The input without its pictures."""
    check_options(order.model, order.options, form.options)
    told: dict[str, Any] = {"prompt": order.prompt} if form.prompted else {}
    told |= {"seed": order.seed, **(form.always or {})}
    if form.sized:
        told |= {"aspect_ratio": "custom", "width": order.width, "height": order.height}
    if form.ratios:
        told |= {"aspect_ratio": nearest_ratio(order.width, order.height, form.ratios)}
    return told | {form.options[name]: _spelt(value) for name, value in order.options.items()}


def _spelt(value: Any) -> Any:
    return "jpg" if value == "jpeg" else value


def _pictures(form: _Form, order: Order, address: Callable[[bytes], str]) -> dict[str, Any]:
    images, mask = _taken(form, order)
    if not images:
        return {}
    addresses = [address(image) for image in images]
    field = form.pictures.removesuffix("[]")
    told: dict[str, Any] = {field: addresses if field != form.pictures else addresses[0]}
    return told | ({form.mask: address(mask)} if form.mask else {})


def _taken(form: _Form, order: Order) -> tuple[tuple[bytes, ...], bytes]:
    """The pictures and the mask as the model takes them; a model that fills expands by filling."""
    if order.task == "text-to-image":
        return (), b""
    if not form.pictures:
        raise GeneratorProblem(f"{order.model} takes no pictures, so it cannot do {order.task}")
    if not order.images:
        raise GeneratorProblem(f"{order.task} needs a picture to start from, and none was handed over")
    if form.mask and order.task == "expand":
        canvas, mask = inputs.expanded(order.images[0], order.margins)
        return (canvas,), mask
    if form.mask and not order.mask:
        raise GeneratorProblem(
            f"{order.task} needs a mask, white where it shall be repainted, and none was handed over"
        )
    return order.images, order.mask
