"""How each app at fal is told things, and an order as the body it wants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from frontispiece import inputs
from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order, Task
from frontispiece.hosted import check_options, nearest_ratio

_RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")


@dataclass(frozen=True, slots=True)
class _Form:
    """How an app is told things: `options` by our names and its own, and where the tasks with pictures are done.

    `size`: as `image_size` {width, height} in pixels, as the nearest ratio by either of two names, or not at all.
    `paths`: what follows the app's name for a task. `pictures`: their field; "image_urls[]" takes a list.
    """

    options: Mapping[str, str]
    size: Literal["image_size", "aspect_ratio", "resolution_mode", ""] = "image_size"
    paths: Mapping[Task, str] = field(default_factory=dict)
    pictures: str = ""
    mask: str = ""


def _named(*same: str, **others: str) -> dict[str, str]:
    return {name: name for name in (*same, "output_format")} | others


# The fields are those of the npm package @fal-ai/client 1.10.1 (src/types/endpoints.d.ts), made from fal's own
# OpenAPI files; of klein, those of https://fal.ai/models/fal-ai/flux-2/klein/9b/llms.txt. That white is repainted is
# not said there: the model that fills is BFL's, where it is so.
_OPEN = _named(steps="num_inference_steps", guidance="guidance_scale")
_PRO = _named("safety_tolerance", prompt_upsampling="enhance_prompt")
_LORA = _OPEN | {"lora": "lora", "lora_scale": "lora_scale"}
_FLUX_2 = _named("safety_tolerance")
_KLEIN = _named(steps="num_inference_steps")
_EDITED: Mapping[Task, str] = {"edit": "/edit", "references": "/edit"}
_PLAIN: Mapping[Task, str] = {"text-to-image": "/text-to-image"}
_FORMS = {
    "fal-ai/flux/schnell": _Form(_OPEN),
    "fal-ai/flux/dev": _Form(_OPEN),
    "fal-ai/flux-lora": _Form(_LORA),
    "fal-ai/flux-pro/v1.1": _Form(_PRO),
    "fal-ai/flux-pro/v1.1-ultra": _Form(_PRO | {"raw": "raw"}, "aspect_ratio"),
    "fal-ai/flux-2": _Form(
        _OPEN | {"prompt_upsampling": "enable_prompt_expansion"}, paths=_EDITED, pictures="image_urls[]"
    ),
    "fal-ai/flux-2-pro": _Form(_FLUX_2, paths=_EDITED, pictures="image_urls[]"),
    "fal-ai/flux-2-max": _Form(_FLUX_2, paths=_EDITED, pictures="image_urls[]"),
    "fal-ai/flux-2-flex": _Form(_FLUX_2 | _OPEN, paths=_EDITED, pictures="image_urls[]"),
    "fal-ai/flux-2/klein/4b": _Form(_KLEIN),
    "fal-ai/flux-2/klein/4b/edit": _Form(_KLEIN, pictures="image_urls[]"),
    "fal-ai/flux-2/klein/9b": _Form(_KLEIN),
    "fal-ai/flux-pro/kontext": _Form(_PRO | _OPEN, "aspect_ratio", _PLAIN, "image_url"),
    "fal-ai/flux-pro/kontext/max": _Form(_PRO | _OPEN, "aspect_ratio", _PLAIN, "image_url"),
    "fal-ai/flux-kontext/dev": _Form(
        _OPEN | {"prompt_upsampling": "enhance_prompt"}, "resolution_mode", pictures="image_url"
    ),
    "fal-ai/flux-pro/v1.1/redux": _Form(_PRO | _OPEN, pictures="image_url"),
    "fal-ai/flux-pro/v1/fill": _Form(_PRO, "", pictures="image_url", mask="mask_url"),
    "fal-ai/flux-lora-canny": _Form(_LORA, pictures="image_url"),
    "fal-ai/flux-lora-depth": _Form(_LORA, pictures="image_url"),
}


def asked(order: Order) -> tuple[str, dict[str, Any]]:
    """The path and the body of an order."""
    form = _FORMS.get(order.model)
    if form is None:
        raise GeneratorProblem(f"no fal model {order.model!r} is known here; known are: {', '.join(_FORMS)}")
    check_options(order.model, order.options, form.options)
    body = {"prompt": order.prompt, "seed": order.seed, **_size(form, order), **_options(order, form)}
    return order.model + form.paths.get(order.task, ""), body | _pictures(form, order)


def _size(form: _Form, order: Order) -> dict[str, Any]:
    ratio = nearest_ratio(order.width, order.height, _RATIOS)
    told: dict[str, Any] = dict.fromkeys(("aspect_ratio", "resolution_mode"), ratio)
    told["image_size"] = {"width": order.width, "height": order.height}
    return {form.size: told[form.size]} if form.size else {}


def _options(order: Order, form: _Form) -> dict[str, Any]:
    told = {form.options[name]: value for name, value in order.options.items()}
    if "safety_tolerance" in told:
        told["safety_tolerance"] = str(told["safety_tolerance"])  # "1" to "6" at fal
    scale = told.pop("lora_scale", 1.0)
    if lora := told.pop("lora", ""):
        told["loras"] = [{"path": lora, "scale": scale}]
    return told


def _pictures(form: _Form, order: Order) -> dict[str, Any]:
    """The pictures and the mask as the app takes them; one that fills expands by filling."""
    if order.task == "text-to-image":
        return {}
    if not form.pictures:
        raise GeneratorProblem(f"{order.model} takes no pictures, so it cannot do {order.task}")
    if not order.images:
        raise GeneratorProblem(f"{order.task} needs a picture to start from, and none was handed over")
    images, mask = order.images, order.mask
    if form.mask and order.task == "expand":
        canvas, mask = inputs.expanded(images[0], order.margins)
        images = (canvas,)
    if form.mask and not mask:
        raise GeneratorProblem(
            f"{order.task} needs a mask, white where it shall be repainted, and none was handed over"
        )
    name = form.pictures.removesuffix("[]")
    urls = [inputs.data_url(image) for image in images]
    told: dict[str, Any] = {name: urls if name != form.pictures else urls[0]}
    return told | ({form.mask: inputs.data_url(mask)} if form.mask else {})
