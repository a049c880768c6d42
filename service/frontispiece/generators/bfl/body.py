"""What each of BFL's endpoints takes, and an order as the body it wants; what it would refuse is refused before.

The contract is https://api.bfl.ai/openapi.json, and for FLUX 3 https://docs.bfl.ai.
"""

from dataclasses import asdict, dataclass
from typing import Any

from frontispiece import inputs
from frontispiece.errors import GeneratorProblem
from frontispiece.generators import Order, Task
from frontispiece.hosted import check_options, nearest_ratio

_MEGA = 1024 * 1024
_MOST_MEGABYTES = 20  # BFL says so of Kontext, and of the others nothing


@dataclass(frozen=True, slots=True)
class _Pictures:
    """How an endpoint takes pictures: the fields that hold them, for which tasks, and how large each may be."""

    fields: tuple[str, ...]
    tasks: tuple[Task, ...]
    least_side: int = 1  # pixels
    most_megapixels: int = 20  # as _MOST_MEGABYTES


_REDRAWN: tuple[Task, ...] = ("text-to-image", "edit", "references")
_INPUTS = ("input_image", *(f"input_image_{number}" for number in range(2, 9)))
_EIGHT = _Pictures(_INPUTS, _REDRAWN)
_FOUR = _Pictures(_INPUTS[:4], _REDRAWN)
_TEN = _Pictures(("images",) * 10, _REDRAWN, least_side=256, most_megapixels=16)  # one field holds all
_ONE = _Pictures(("image_prompt",), ("text-to-image", "variation"))
_FILL = _Pictures(("image",), ("fill",))
_EXPAND = _Pictures(("image",), ("expand",))

_FLUX_2 = frozenset({"width", "height", "seed", "safety_tolerance", "output_format"})
_PRO_1_1 = _FLUX_2 | {"prompt_upsampling"}
_TUNED = _PRO_1_1 | {"steps", "guidance"}
_TOOL = _TUNED - {"width", "height"}  # what comes has the picture's size
_BY_RATIO = _PRO_1_1 - {"width", "height"} | {"aspect_ratio"}
_ULTRA = _BY_RATIO | {"image_prompt_strength"}
_FINETUNED = frozenset({"finetune_id", "finetune_strength"})
ENDPOINTS = {  # the fields beside prompt and pictures; FLUX 3 answers any other with 422
    "flux-2-max": (_FLUX_2, _EIGHT),
    "flux-2-pro": (_FLUX_2, _EIGHT),
    "flux-2-pro-preview": (_FLUX_2, _EIGHT),
    "flux-2-flex": (_TUNED, _EIGHT),
    "flux-2-klein-4b": (_FLUX_2, _FOUR),
    "flux-2-klein-9b": (_FLUX_2, _FOUR),
    "flux-2-klein-9b-preview": (_FLUX_2, _FOUR),
    "flux-3-image": (frozenset({"aspect_ratio", "resolution", "safety_tolerance", "grounding"}), _TEN),
    "flux-pro-1.1": (_PRO_1_1, _ONE),
    "flux-pro-1.1-ultra": (_ULTRA | {"raw"}, _ONE),
    "flux-pro-1.1-ultra-finetuned": (_ULTRA | _FINETUNED, _ONE),
    "flux-dev": (_TUNED, _ONE),
    "flux-kontext-pro": (_BY_RATIO, _FOUR),
    "flux-kontext-max": (_BY_RATIO, _FOUR),
    "flux-pro-1.0-fill": (_TOOL, _FILL),
    "flux-pro-1.0-fill-finetuned": (_TOOL | _FINETUNED, _FILL),
    "flux-pro-1.0-expand": (_TOOL, _EXPAND),
}
# FLUX 3 knows these; ultra and Kontext take anything between the first and the last
_RATIOS = ["21:9", "2:1", "16:9", "3:2", "7:5", "4:3", "5:4", "1:1", "4:5", "3:4", "5:7", "2:3", "9:16", "1:2", "9:21"]


def body(order: Order) -> dict[str, Any]:
    if order.model not in ENDPOINTS:
        raise GeneratorProblem(f"no BFL model {order.model!r} is known here; known are: {', '.join(ENDPOINTS)}")
    fields, pictures = ENDPOINTS[order.model]
    ratio = nearest_ratio(order.width, order.height, _RATIOS)
    ours = {"width": order.width, "height": order.height, "aspect_ratio": ratio, "seed": order.seed}
    known = fields - set(ours)
    check_options(order.model, order.options, known)
    if "finetune_id" in known and not order.options.get("finetune_id"):
        raise GeneratorProblem(f"{order.model} needs the option finetune_id, the name of your fine-tune at BFL")
    _check_pictures(order, pictures)
    taken = {name: value for name, value in (ours | _options(order)).items() if name in fields}
    return {"prompt": order.prompt, **taken, **_handed(order, pictures)}


def _options(order: Order) -> dict[str, Any]:
    """The options as they are sent: the weight of a picture only beside one."""
    return {name: value for name, value in order.options.items() if order.images or name != "image_prompt_strength"}


def _handed(order: Order, pictures: _Pictures) -> dict[str, Any]:
    texts = [inputs.in_base64(picture) for picture in order.images]
    if pictures is _TEN:
        return {"images": texts} if texts else {}
    handed = dict(zip(pictures.fields, texts, strict=False))
    if order.task == "fill":
        return handed | {"mask": inputs.in_base64(order.mask)}
    return handed | asdict(order.margins) if order.task == "expand" else handed


def _check_pictures(order: Order, pictures: _Pictures) -> None:
    """Raises before anything is sent where BFL would refuse, or would paint something else than was meant."""
    if order.task not in pictures.tasks:
        raise GeneratorProblem(f"{order.model} cannot do {order.task}; it can: {', '.join(pictures.tasks)}")
    given, most = len(order.images), 0 if order.task == "text-to-image" else len(pictures.fields)
    if most and not given:
        raise GeneratorProblem(f"{order.task} with {order.model} needs a picture to start from; the order has none")
    if given > most:
        raise GeneratorProblem(
            f"too many pictures for {order.task} with {order.model}: {given}, where {most} can go along"
        )
    for number, picture in enumerate(order.images, 1):
        _check_size(f"picture {number} for {order.model}", picture, pictures)
    if order.task == "fill":
        _check_mask(order)
    if order.task == "expand":
        _check_margins(order)


def _check_size(name: str, picture: bytes, pictures: _Pictures) -> None:
    width, height = inputs.size(picture)
    if len(picture) > _MOST_MEGABYTES * _MEGA:
        raise GeneratorProblem(f"{name} has {len(picture):,} bytes; BFL takes {_MOST_MEGABYTES} megabytes at most")
    if min(width, height) < pictures.least_side:
        raise GeneratorProblem(f"{name} is {width} × {height}; BFL wants {pictures.least_side} pixels a side or more")
    if width * height > pictures.most_megapixels * _MEGA:
        most = f"{pictures.most_megapixels} megapixels"
        raise GeneratorProblem(f"{name} is {width} × {height}; BFL takes {most} at most")


def _check_mask(order: Order) -> None:
    if not order.mask:
        raise GeneratorProblem(f"fill with {order.model} needs a mask, white where it shall paint; the order has none")
    if (mask := inputs.size(order.mask)) != (picture := inputs.size(order.images[0])):
        sizes = "{} × {} pixels, the picture {} × {}".format(*mask, *picture)
        raise GeneratorProblem(f"the mask for {order.model} has {sizes}; they must be alike")


def _check_margins(order: Order) -> None:
    margins = asdict(order.margins)
    if not any(margins.values()) or not all(0 <= margin <= 2048 for margin in margins.values()):
        told = ", ".join(f"{side} {margin}" for side, margin in margins.items())
        raise GeneratorProblem(f"{order.model} paints 1 to 2048 pixels beyond a side; the order says {told}")
