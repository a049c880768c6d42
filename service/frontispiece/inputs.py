"""Pictures on their way into a generator: their size, and the forms in which services take them and their masks.

Whoever hands pictures over has had `images.check` look at them, so what cannot be read here is a mistake of ours.
"""

import base64
import io
from dataclasses import dataclass

from PIL import Image

from frontispiece.errors import GeneratorProblem

_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


@dataclass(frozen=True, slots=True)
class Margins:
    """What `expand` paints beyond each side of a picture, in pixels."""

    top: int = 0
    right: int = 0
    bottom: int = 0
    left: int = 0


def size(picture: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises `GeneratorProblem` where it is no picture."""
    with _opened(picture) as image:
        return image.size


def mime(picture: bytes) -> str:
    """Its MIME type. Raises `GeneratorProblem` where it is no PNG, JPEG or WebP."""
    with _opened(picture) as image:
        return _TYPES[str(image.format)]


def in_base64(picture: bytes) -> str:
    """Its bytes as text."""
    return base64.b64encode(picture).decode("ascii")


def data_url(picture: bytes) -> str:
    """The whole picture as a `data:` URL."""
    return f"data:{mime(picture)};base64,{in_base64(picture)}"


def clear_where_white(mask: bytes) -> bytes:
    """Our mask (white is repainted) in OpenAI's polarity: a PNG that is transparent where it shall be repainted."""
    with _opened(mask) as image:
        kept = image.convert("L").point(lambda grey: 255 - grey)
    clear = Image.new("RGBA", kept.size, (0, 0, 0, 0))
    clear.putalpha(kept)
    return _png(clear)


def expanded(picture: bytes, margins: Margins) -> tuple[bytes, bytes]:
    """A picture with grey margins around it and the mask that has them painted, for models that can only fill."""
    with _opened(picture) as image:
        width, height = image.size
        whole = (width + margins.left + margins.right, height + margins.top + margins.bottom)
        canvas, mask = Image.new("RGB", whole, (128, 128, 128)), Image.new("L", whole, 255)
        canvas.paste(image.convert("RGB"), (margins.left, margins.top))
    mask.paste(0, (margins.left, margins.top, margins.left + width, margins.top + height))
    return _png(canvas), _png(mask)


def _opened(picture: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(picture), formats=tuple(_TYPES))
    except (OSError, SyntaxError, ValueError) as problem:
        raise GeneratorProblem(f"a picture to start from cannot be read: {problem}") from problem


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
