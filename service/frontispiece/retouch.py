"""A picture to begin with and a mask for it, in the form that every generator takes."""

import hashlib
import io

from PIL import Image, ImageOps

from frontispiece import images
from frontispiece.errors import PictureProblem
from frontispiece.house import House
from frontispiece.models import Candidate
from frontispiece.storage import kept
from frontispiece.wishes import Start

MOST_MASK = 8_000_000  # bytes
_MOST_PIXELS = 4 * 1024 * 1024  # of a picture somebody gave; no model draws larger ones well
_LEAST_WHITE = 0.0002  # of the whole: less is a slip of the brush
_SIMILAR = 0.03  # by how much the ratio of a mask may differ from its picture's
_KNOWN = ("image/png", "image/jpeg", "image/webp")


def start(house: House, candidate: Candidate) -> Start:
    """The candidate as a picture to begin with.

    What a person gave may lie on its side, be huge or be an AVIF; of such a one an upright PNG is made and kept.
    """
    if candidate.render_id is not None and candidate.mime in _KNOWN:
        return Start(candidate.id, candidate.image, candidate.width, candidate.height)
    key = f"starts/{hashlib.sha256(candidate.image.encode()).hexdigest()[:24]}"
    facts = images.check(kept(house.storage, key, "image/png", lambda: _upright(house.storage.get(candidate.image))))
    return Start(candidate.id, key, facts.width, facts.height)


def mask(house: House, data: bytes, picture: Start) -> str:
    """The storage key of a mask for the picture: white where it shall be painted anew, scaled to the picture's size.

    Raises `PictureProblem` in words for a person.
    """
    if len(data) > MOST_MASK:
        raise PictureProblem(f"The mask has {len(data):,} bytes; {MOST_MASK:,} are the most.")
    facts = images.check(data)
    if abs(facts.width * picture.height / (facts.height * picture.width) - 1) > _SIMILAR:
        raise PictureProblem(
            f"The mask is {facts.width} × {facts.height} pixels, of another shape than the picture with "
            f"{picture.width} × {picture.height}."
        )
    drawn = _black_and_white(data, (picture.width, picture.height))
    white = drawn.histogram()[255] / (picture.width * picture.height)
    if white < _LEAST_WHITE:
        raise PictureProblem("Nothing is marked: paint over what shall be drawn anew.")
    if white > 1 - _LEAST_WHITE:
        raise PictureProblem("Everything is marked, so nothing of the picture would stay: draw another one instead.")
    file = io.BytesIO()
    drawn.save(file, "PNG", optimize=True)
    key = f"masks/{hashlib.sha256(file.getvalue()).hexdigest()[:32]}"
    house.storage.put(key, file.getvalue(), "image/png")
    return key


def _black_and_white(data: bytes, size: tuple[int, int]) -> Image.Image:
    with Image.open(io.BytesIO(data)) as given:
        shown = given.convert("RGBA")
    ground = Image.new("RGBA", shown.size, "black")
    ground.alpha_composite(shown)
    grey = ground.convert("L").resize(size, Image.Resampling.BILINEAR)
    return grey.point(lambda value: 255 if value > 127 else 0)


def _upright(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as given:
        image = ImageOps.exif_transpose(given).convert("RGB")
    shrink = (_MOST_PIXELS / (image.width * image.height)) ** 0.5
    if shrink < 1:
        image = image.resize((int(image.width * shrink), int(image.height * shrink)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
