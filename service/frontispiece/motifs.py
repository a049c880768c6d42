"""The drawings of a title card: flat geometric compositions, each from a palette and a random generator.

A motif fills an image of width × height pixels with flat colour; `cast.ground` is behind everything. Smoothness is the
caller's business: it draws large and scales down.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageColor, ImageDraw

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Cast:
    """The colours of one card: what is behind, and three or more that stand out from it, the strongest first."""

    ground: Colour
    colours: tuple[Colour, ...]


Motif = Callable[[ImageDraw.ImageDraw, int, int, Cast, Random], None]


def rgb(colour: str) -> Colour:
    """The three channels (0-255) of "#rrggbb". Raises ValueError for anything that is not a colour."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with a `share` (0-1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def paint(motif: Motif, width: int, height: int, cast: Cast, rng: Random) -> Image.Image:
    """The motif on an image of its own, so that nothing of it can run out over the type."""
    image = Image.new("RGB", (width, height), cast.ground)
    motif(ImageDraw.Draw(image), width, height, cast, rng)
    return image


def tiles(draw: ImageDraw.ImageDraw, width: int, height: int, cast: Cast, rng: Random) -> None:
    """A grid of quarter discs, discs, leaves and triangles."""
    across, down = rng.choice(_squarest(width, height))
    grounds = [cast.ground, cast.ground, *cast.colours]
    for row in range(down):
        for column in range(across):
            left, top = width * column / across, height * row / down
            box = (left, top, left + width / across, top + height / down)
            ground = rng.choice(grounds)
            draw.rectangle(box, ground)
            _tile(draw, box, _others(cast, ground), rng)


def _squarest(width: int, height: int) -> list[tuple[int, int]]:
    """The two best grids (columns, rows): those whose cells are nearest to squares."""
    short = min(width, height)
    grids = [(max(1, round(width * n / short)), max(1, round(height * n / short))) for n in (2, 3, 4)]
    return sorted(grids, key=lambda grid: abs(math.log(width / grid[0] / (height / grid[1]))))[:2]


def _tile(draw: ImageDraw.ImageDraw, box: Box, colours: Sequence[Colour], rng: Random) -> None:
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    colour, second = rng.sample(list(colours), 2)
    turn = rng.randrange(4)
    corner_x, corner_y = (left, right, right, left)[turn], (top, top, bottom, bottom)[turn]
    kind = rng.choice(("quarter", "quarter", "quarters", "leaf", "disc", "half", "triangle", "plain"))
    if kind in {"quarter", "quarters"}:
        _quarter(draw, (corner_x, corner_y), (wide, high), turn, colour)
    if kind == "quarters":
        _quarter(draw, (corner_x, corner_y), (wide / 2, high / 2), turn, second)
    elif kind == "leaf":
        draw.polygon(_leaf(box, turn), colour)
    elif kind == "disc":
        _disc(draw, ((left + right) / 2, (top + bottom) / 2), min(wide, high) * 0.38, colour)
    elif kind == "half":
        draw.pieslice(box, turn * 90, turn * 90 + 180, colour)
    elif kind == "triangle":
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        del corners[turn]
        draw.polygon(corners, colour)


def _quarter(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], radius: tuple[float, float], turn: int, colour: Colour
) -> None:
    box = (at[0] - radius[0], at[1] - radius[1], at[0] + radius[0], at[1] + radius[1])
    draw.pieslice(box, turn * 90, turn * 90 + 90, colour)


def _leaf(box: Box, turn: int) -> list[tuple[float, float]]:
    left, top, right, bottom = box
    arc = [(math.sin(i * math.pi / 120), 1 - math.cos(i * math.pi / 120)) for i in range(61)]
    points = arc + [(y, x) for x, y in reversed(arc)]
    if turn % 2:
        points = [(1 - x, y) for x, y in points]
    return [(left + (right - left) * x, top + (bottom - top) * y) for x, y in points]


def rings(draw: ImageDraw.ImageDraw, width: int, height: int, cast: Cast, rng: Random) -> None:
    """Concentric discs from one corner, and a small one over against it."""
    corner = rng.choice(((1, 1), (1, 0), (0.5, 1), (1, 0.5)))
    at = (width * corner[0], height * corner[1])
    short = min(width, height)
    room = min(*((side if share in {0, 1} else side / 2) for side, share in zip((width, height), corner, strict=True)))
    reach = room * rng.uniform(0.9, 0.98)
    steps = rng.randrange(4, 7)
    for i in range(steps):
        colour = cast.colours[i // 2 % len(cast.colours)] if i % 2 == 0 else cast.ground
        _disc(draw, at, reach * (1 - i / steps), colour)
    small = (width * (1 - corner[0]), height * (1 - corner[1]))
    inside = tuple(a + (b - a) * 0.2 for a, b in zip(small, (width / 2, height / 2), strict=True))
    _disc(draw, (inside[0], inside[1]), short * rng.uniform(0.06, 0.1), cast.colours[1])


def waves(draw: ImageDraw.ImageDraw, width: int, height: int, cast: Cast, rng: Random) -> None:
    """Hills one before the other, and a sun."""
    short = min(width, height)
    sun = (width * rng.uniform(0.3, 0.75), height * rng.uniform(0.26, 0.4))
    _disc(draw, sun, short * rng.uniform(0.14, 0.22), _others(cast, _strongest(cast))[0])
    layers = rng.randrange(4, 6)
    strong = _strongest(cast)
    near = mix(strong, (0, 0, 0), 0.3)
    far = mix(cast.ground, strong, 0.3)
    for i in range(layers):
        base = height * (0.42 + 0.5 * i / layers)
        swell, phase, turns = short * rng.uniform(0.05, 0.12), rng.uniform(0, 7), rng.uniform(0.5, 1.3)
        line = [(x, base + _swell(x / short, swell, phase, turns)) for x in range(0, width + 8, 4)]
        share = i / (layers - 1)
        draw.polygon([*line, (width + 8, height), (0, height)], mix(far, near, share))


def _swell(x: float, height: float, phase: float, turns: float) -> float:
    return height * (math.sin(phase + turns * x * 3) + math.sin(phase * 2 + x * 7) / 3)


def arches(draw: ImageDraw.ImageDraw, width: int, height: int, cast: Cast, rng: Random) -> None:
    """Nested arches of different heights, side by side."""
    count = max(2, round(width / min(width, height) * rng.choice((2, 3))))
    wide = width / count
    for i in range(count):
        order = rng.sample(list(cast.colours), len(cast.colours))
        top = height * rng.uniform(0.08, 0.62)
        bands = rng.randrange(2, 5)
        for band in range(bands):
            inset = wide * 0.5 * band / bands
            colour = cast.ground if band == bands - 1 and bands > 2 else order[band % len(order)]
            left, right = wide * i + inset, wide * (i + 1) - inset
            draw.pieslice((left, top + inset, right, top + inset + right - left), 180, 360, colour)
            draw.rectangle((left, top + inset + (right - left) / 2, right, height), colour)


def circles(draw: ImageDraw.ImageDraw, width: int, height: int, cast: Cast, rng: Random) -> None:
    """A few large discs laid over each other like sheets of glass."""
    image = draw._image  # noqa: SLF001 - ImageDraw has no public way to the image it draws on
    short, long = min(width, height), max(width, height)
    count = 3 if long < short * 1.4 else 4
    start = rng.uniform(0, math.tau)
    for i in range(count):
        angle = start + math.tau * i / count
        radius = short * rng.uniform(0.24, 0.31)
        at = (width / 2 + math.cos(angle) * width * 0.16, height / 2 + math.sin(angle) * height * 0.16)
        mask = Image.new("L", (width, height), 0)
        _disc(ImageDraw.Draw(mask), at, radius, 205)
        image.paste(cast.colours[i % len(cast.colours)], (0, 0), mask)


def halftone(draw: ImageDraw.ImageDraw, width: int, height: int, cast: Cast, rng: Random) -> None:
    """A disc behind a screen of dots that swell towards one side."""
    short = min(width, height)
    at = (width * rng.uniform(0.4, 0.65), height * rng.uniform(0.35, 0.65))
    _disc(draw, at, short * rng.uniform(0.3, 0.38), cast.colours[1])
    pitch = short / rng.randrange(13, 19)
    angle = rng.choice((0.0, 0.6, 1.2, 2.2))
    span = abs(math.cos(angle)) * width + abs(math.sin(angle)) * height
    for row in range(-1, int(height / pitch * 2) + 2):
        for column in range(-1, int(width / pitch) + 2):
            x, y = (column + (row % 2) / 2) * pitch, row * pitch / 2
            along = ((x - width / 2) * math.cos(angle) + (y - height / 2) * math.sin(angle)) / span + 0.5
            _disc(draw, (x, y), pitch * 0.46 * max(0.0, along * 1.25 - 0.2), cast.colours[0])


def contours(draw: ImageDraw.ImageDraw, width: int, height: int, cast: Cast, rng: Random) -> None:
    """The heights of an island, as on a map."""
    at = (width * rng.uniform(0.42, 0.62), height * rng.uniform(0.4, 0.6))
    waves_ = [(n, rng.uniform(0.03, 0.16) / n**0.5, rng.uniform(0, math.tau)) for n in (2, 3, 5)]
    reach = math.hypot(width, height) * 0.56
    steps, strong = rng.randrange(8, 11), _strongest(cast)
    for i in range(steps):
        share = i / (steps - 1)
        colour = mix(mix(cast.ground, strong, 0.12), strong, share)
        draw.polygon(_island(at, reach * (1 - share) ** 1.15 + reach * 0.04, waves_, share), colour)
    _disc(draw, at, reach * 0.022, _others(cast, strong)[0])


def _island(
    at: tuple[float, float], radius: float, swells: Sequence[tuple[int, float, float]], share: float
) -> list[tuple[float, float]]:
    points = []
    for i in range(360):
        angle = math.radians(i)
        r = radius * (1 + sum(size * math.sin(n * angle + phase + share * 1.8) for n, size, phase in swells))
        points.append((at[0] + r * math.cos(angle), at[1] + r * math.sin(angle)))
    return points


def blocks(draw: ImageDraw.ImageDraw, width: int, height: int, cast: Cast, rng: Random) -> None:
    """A page of rectangles, split again and again, with a disc or two."""
    gap = min(width, height) * 0.012
    parts: list[Box] = [(0, 0, width, height)]
    for _ in range(rng.randrange(5, 8)):
        parts.sort(key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
        parts += _halves(parts.pop(), rng.choice((0.38, 0.5, 0.62)))
    for i, (left, top, right, bottom) in enumerate(parts):
        colour = [*cast.colours, *cast.colours, cast.ground][(i + rng.randrange(2)) % (2 * len(cast.colours) + 1)]
        draw.rectangle((left + gap, top + gap, right - gap, bottom - gap), colour)
        if rng.random() < 0.4:
            radius = min(right - left, bottom - top) * 0.34
            _disc(draw, ((left + right) / 2, (top + bottom) / 2), radius, rng.choice(_others(cast, colour)))


def _halves(box: Box, share: float) -> list[Box]:
    left, top, right, bottom = box
    if right - left > bottom - top:
        middle = left + (right - left) * share
        return [(left, top, middle, bottom), (middle, top, right, bottom)]
    middle = top + (bottom - top) * share
    return [(left, top, right, middle), (left, middle, right, bottom)]


def _strongest(cast: Cast) -> Colour:
    return max(cast.colours, key=lambda colour: math.dist(colour, cast.ground))


def _others(cast: Cast, colour: Colour) -> list[Colour]:
    return [other for other in (*cast.colours, cast.ground) if other != colour]


def _disc(draw: ImageDraw.ImageDraw, at: tuple[float, float], radius: float, colour: Colour | int) -> None:
    if radius > 0:
        draw.ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), colour)


MOTIFS: tuple[Motif, ...] = (tiles, rings, waves, arches, circles, contours, blocks, halftone)
