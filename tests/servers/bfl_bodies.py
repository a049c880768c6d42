"""What BFL takes for each endpoint: fields, ranges, pictures, and what an order costs; for the stand-in in `bfl.py`.

Sources: https://docs.bfl.ai and https://api.bfl.ai/openapi.json. What is stricter than BFL: an unknown field is a 422
on every endpoint, pictures come as base64 and not as addresses, and a fill has its mask beside the picture.
"""

import base64
import io
import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MEGAPIXEL = 1024 * 1024
MARK = 32  # pixels: the side of each picture handed over, as it hangs in the corner of what is drawn


def _within_21_to_9(ratio: str) -> str:
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", ratio) or not 9 / 21 <= _number(ratio) <= 21 / 9:
        raise ValueError("must be a ratio between 21:9 and 9:21")
    return ratio


def _number(ratio: str) -> float:
    width, height = map(int, ratio.split(":"))
    return width / height


def _of_ratio(ratio: str, side: int, multiple: int) -> tuple[int, int]:
    """Nearly as many pixels as a square of that side has, within the area of it."""
    stretch = math.sqrt(_number(ratio))
    return int(side * stretch) // multiple * multiple, int(side / stretch) // multiple * multiple


def _image(text: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("PNG", "JPEG", "WEBP"))
    image.load()
    return image


def _picture(text: str) -> str:
    try:
        width, height = _image(text).size
    except (OSError, ValueError, SyntaxError) as problem:
        raise ValueError("must be the base64 of a PNG, JPEG or WebP picture") from problem
    if len(text) * 3 // 4 > 20 * MEGAPIXEL or width * height > 20 * MEGAPIXEL:
        raise ValueError("must have 20 MB and 20 megapixels at most")
    return text


def _for_flux_3(text: str) -> str:
    width, height = _image(text).size
    if min(width, height) < 256 or width * height > 16 * MEGAPIXEL:
        raise ValueError("must have 256 pixels a side at least and 16 megapixels at most")
    return text


def _megapixels(width: int, height: int) -> int:
    """Those begun."""
    return -(-width * height // MEGAPIXEL)


Picture = Annotated[str, AfterValidator(_picture)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    def size(self) -> tuple[int, int]:
        raise NotImplementedError

    def given(self) -> list[Image.Image]:
        """The pictures handed over, in their order."""
        fields = ("input_image", *(f"input_image_{number}" for number in range(2, 9)), "image_prompt", "image")
        return [_image(text) for field in fields if (text := getattr(self, field, None))]

    def credits(self, first: float, further: float) -> float:
        given = sum(_megapixels(*image.size) for image in self.given())
        return first + further * (_megapixels(*self.size()) - 1 + given)

    def show(self, drawn: Image.Image) -> Image.Image:
        """What was drawn, with the pictures handed over in a row in its upper left corner."""
        for place, image in enumerate(self.given()):
            drawn.paste(image.convert("RGB").resize((MARK, MARK)), (place * MARK, 0))
        return drawn


class Seeded(Body):
    seed: int | None = None
    output_format: Literal["jpeg", "png", "webp"] = "jpeg"
    webhook_url: Annotated[str, Field(min_length=1, max_length=2083)] | None = None
    webhook_secret: str | None = None


class Klein(Seeded):
    prompt: str
    input_image: Picture | None = None
    input_image_2: Picture | None = None
    input_image_3: Picture | None = None
    input_image_4: Picture | None = None
    width: Annotated[int, Field(ge=64)] | None = None
    height: Annotated[int, Field(ge=64)] | None = None
    safety_tolerance: Annotated[int, Field(ge=0, le=5)] = 2

    def size(self) -> tuple[int, int]:
        """FLUX.2 takes any size and makes of it multiples of 16 within 4 megapixels."""
        width, height = self.width or 1024, self.height or 1024
        shrink = min(1.0, (4 * MEGAPIXEL / (width * height)) ** 0.5)
        return int(width * shrink) // 16 * 16, int(height * shrink) // 16 * 16


class Flux2(Klein):
    input_image_5: Picture | None = None
    input_image_6: Picture | None = None
    input_image_7: Picture | None = None
    input_image_8: Picture | None = None


class Flex(Flux2):
    prompt_upsampling: bool = True
    guidance: Annotated[float, Field(ge=1.5, le=10)] = 5
    steps: Annotated[int, Field(ge=1, le=50)] = 50


class Pro11(Seeded):
    prompt: str = ""
    width: Annotated[int, Field(ge=256, le=1440, multiple_of=32)] = 1024
    height: Annotated[int, Field(ge=256, le=1440, multiple_of=32)] = 768
    image_prompt: Picture | None = None
    prompt_upsampling: bool = False
    safety_tolerance: Annotated[int, Field(ge=0, le=6)] = 2

    def size(self) -> tuple[int, int]:
        return self.width, self.height


class Dev(Pro11):
    guidance: Annotated[float, Field(ge=1.5, le=5)] = 3
    steps: Annotated[int, Field(ge=1, le=50)] = 28


class Ultra(Seeded):
    prompt: str = ""
    aspect_ratio: Annotated[str, AfterValidator(_within_21_to_9)] = "16:9"
    image_prompt: Picture | None = None
    image_prompt_strength: Annotated[float, Field(ge=0, le=1)] = 0.1
    prompt_upsampling: bool = False
    safety_tolerance: Annotated[int, Field(ge=0, le=6)] = 2

    def size(self) -> tuple[int, int]:
        return _of_ratio(self.aspect_ratio, 2048, 16)


class UltraOrRaw(Ultra):
    raw: bool = False


class FinetunedUltra(Ultra):
    finetune_id: Annotated[str, Field(min_length=1)]
    finetune_strength: Annotated[float, Field(ge=0, le=2)] = 1.2


class Kontext(Seeded):
    prompt: str
    input_image: Picture | None = None
    input_image_2: Picture | None = None
    input_image_3: Picture | None = None
    input_image_4: Picture | None = None
    aspect_ratio: Annotated[str, AfterValidator(_within_21_to_9)] = "1:1"
    output_format: Literal["jpeg", "png", "webp"] = "png"
    prompt_upsampling: bool = False
    safety_tolerance: Annotated[int, Field(ge=0, le=6)] = 2

    def size(self) -> tuple[int, int]:
        return _of_ratio(self.aspect_ratio, 1024, 32)


class Tool(Seeded):
    prompt: str = ""
    image: Picture
    steps: Annotated[int, Field(ge=15, le=50)] = 50
    guidance: Annotated[float, Field(ge=1.5, le=100)] = 60
    prompt_upsampling: bool = False
    safety_tolerance: Annotated[int, Field(ge=0, le=6)] = 2


class Fill(Tool):
    mask: Picture

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if _image(self.mask).size != _image(self.image).size:
            raise ValueError("mask must have the size of image")
        return self

    def size(self) -> tuple[int, int]:
        return _image(self.image).size

    def show(self, drawn: Image.Image) -> Image.Image:
        """Drawn where the mask is white, the picture where it is black."""
        return Image.composite(drawn, _image(self.image).convert("RGB"), _image(self.mask).convert("L"))


class FinetunedFill(Fill):
    finetune_id: Annotated[str, Field(min_length=1)]
    finetune_strength: Annotated[float, Field(ge=0, le=2)] = 1.1


class Expand(Tool):
    top: Annotated[int, Field(ge=0, le=2048)] = 0
    bottom: Annotated[int, Field(ge=0, le=2048)] = 0
    left: Annotated[int, Field(ge=0, le=2048)] = 0
    right: Annotated[int, Field(ge=0, le=2048)] = 0

    def size(self) -> tuple[int, int]:
        width, height = _image(self.image).size
        return self.left + width + self.right, self.top + height + self.bottom

    def show(self, drawn: Image.Image) -> Image.Image:
        """The picture in its place, drawn around it."""
        drawn.paste(_image(self.image).convert("RGB"), (self.left, self.top))
        return drawn


Ratio = Literal[
    "auto", "21:9", "2:1", "16:9", "3:2", "7:5", "4:3", "5:4", "1:1", "4:5", "3:4", "5:7", "2:3", "9:16", "1:2", "9:21"
]  # fmt: skip


class Flux3(Body):
    prompt: str
    images: Annotated[
        list[Annotated[Picture, AfterValidator(_for_flux_3)]] | None, Field(min_length=1, max_length=10)
    ] = None
    aspect_ratio: Ratio = "auto"
    resolution: Literal["768sq", "1k", "1.5k", "2k", "4k"] = "1k"
    safety_tolerance: Annotated[int, Field(ge=0, le=4)] = 2
    grounding: bool = True
    version: str = "latest"

    def size(self) -> tuple[int, int]:
        side = {"768sq": 768, "1k": 1024, "1.5k": 1536, "2k": 2048, "4k": 4096}[self.resolution]
        return _of_ratio("1:1" if self.aspect_ratio == "auto" else self.aspect_ratio, side, 16)

    def given(self) -> list[Image.Image]:
        return [_image(text) for text in self.images or ()]

    def credits(self, first: float, further: float) -> float:  # noqa: ARG002 - has a list of its own
        return {"768sq": 4.1, "1k": 4.8, "1.5k": 10.0, "2k": 10.0, "4k": 60.7}[self.resolution]


# body, credits of the first megapixel, and of each further one and each one handed over
ENDPOINTS: Mapping[str, tuple[type[Body], float, float]] = {
    "flux-2-max": (Flux2, 7, 3),
    "flux-2-pro": (Flux2, 3, 1.5),
    "flux-2-flex": (Flex, 5, 5),
    "flux-2-klein-4b": (Klein, 1.4, 0.1),
    "flux-2-klein-9b": (Klein, 1.5, 0.2),
    "flux-3-image": (Flux3, 0, 0),
    "flux-pro-1.1": (Pro11, 4, 0),
    "flux-pro-1.1-ultra": (UltraOrRaw, 6, 0),
    "flux-pro-1.1-ultra-finetuned": (FinetunedUltra, 7, 0),
    "flux-dev": (Dev, 2.5, 0),
    "flux-kontext-pro": (Kontext, 4, 0),
    "flux-kontext-max": (Kontext, 8, 0),
    "flux-pro-1.0-fill": (Fill, 5, 0),
    "flux-pro-1.0-fill-finetuned": (FinetunedFill, 6, 0),
    "flux-pro-1.0-expand": (Expand, 5, 0),
}
