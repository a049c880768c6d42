"""A title card instead of a photograph: the headline, well set, beside a geometric drawing in the brand's colours.

It needs no model, no key and no network, and nobody takes it for a photograph: the first run, the placeholder and the
last resort. The same order always gives the same picture.
"""

import colorsys
import io
import math
import re
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from textwrap import shorten
from typing import ClassVar

import httpx
from PIL import Image, ImageDraw, ImageOps

from frontispiece import fonts, motifs
from frontispiece.generators import Finished, Generator, GeneratorProblem, GeneratorSettings, Order
from frontispiece.lettering import Block, Setter
from frontispiece.motifs import Cast, Colour, mix

LEAST, MOST = 64, 3000  # pixels a side
READABLE = 4.5  # contrast of text, https://www.w3.org/TR/WCAG22/#contrast-minimum
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
PALETTES = (
    ("#1f3a5f", "#f2b134", "#ed553b", "#f6efe3"),
    ("#0f5257", "#f4a259", "#f4e9cd", "#bc4b51"),
    ("#c8553d", "#f2d0a4", "#2f3e46", "#fbf3e4"),
    ("#2d3047", "#e0a458", "#5fa777", "#ffdbb5"),
    ("#264027", "#e9b44c", "#d1603d", "#ece2c0"),
    ("#46237a", "#f7b2ad", "#ffd166", "#f3ecf7"),
)
NO_FONT = (
    "The headline cannot be set here, so the card is drawn without it: no font has all its letters, "
    "or (Arabic, Hebrew, Indic, Thai) the system lacks FriBiDi."
)
LEFT_OUT = "Symbols that no font here has were left out of the headline."
CUT = "The headline is too long for the card; its end was left out."


class SketchSettings(GeneratorSettings):
    """`fonts`: folders searched for a font when a headline has letters that the bundled ones lack."""

    fonts: tuple[Path, ...] = fonts.INSTALLED


class Sketch(Generator):
    """Draws title cards, at once and at no cost."""

    Settings: ClassVar[type[GeneratorSettings]] = SketchSettings
    source = "algorithmicMedia"
    repeatable = True

    def __init__(self, settings: GeneratorSettings, client: httpx.Client) -> None:
        super().__init__(settings, client)
        self._folders = settings.fonts if isinstance(settings, SketchSettings) else fonts.INSTALLED

    def submit(self, order: Order) -> Finished:
        """One PNG of exactly the ordered size. `facts["note"]` says what of the headline could not be drawn."""
        if min(order.width, order.height) < LEAST or max(order.width, order.height) > MOST:
            said = f"A sketch of {order.width} × {order.height} pixels cannot be drawn"
            raise GeneratorProblem(f"{said}; each side must have {LEAST} to {MOST}.")
        card = Card(order, self._folders)
        out = io.BytesIO()
        card.drawn().save(out, "PNG")
        facts = {"note": card.note, "motif": card.motif.__name__, "seed": order.seed}
        return Finished((out.getvalue(),), 0.0, facts)


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of one card: `field` lies under the type, `ink` and `label` are readable on it."""

    field: Colour
    ink: Colour
    label: Colour
    cast: Cast


class Card:
    """One title card, laid out: `art` and `text` are boxes (left, top, right, bottom) in pixels of the drawing.

    The drawing is `scale` times as large as the picture, which makes every edge smooth when it is reduced.
    """

    def __init__(self, order: Order, folders: Iterable[Path] = fonts.INSTALLED) -> None:
        turn = zlib.crc32(f"{order.headline}/{order.section}".encode(errors="replace")) + order.seed
        self.motif = motifs.MOTIFS[turn % len(motifs.MOTIFS)]  # the next seed always draws something else
        self.rng = Random(turn)  # noqa: S311 - a drawing, not a secret
        self.scheme = scheme(order.palette, self.rng)
        self.scale = 4 if max(order.width, order.height) <= 640 else 3 if max(order.width, order.height) <= 1400 else 2
        self.size = (order.width * self.scale, order.height * self.scale)
        face = self.rng.choice((fonts.SERIF, fonts.SANS)) if min(order.width, order.height) >= 360 else fonts.SANS
        words = fonts.words(order.headline, order.language, face, folders)
        label = fonts.words(_capitals(order), order.language, fonts.SANS, folders)
        self.rtl = bool(words and words.rtl)
        self.margin = round(min(self.size) * 0.075)
        self.art, self.text = self._areas(typeset=bool(words and words.text))
        self.label = Setter(label) if label and label.text and words and words.text else None
        self.title = Setter(words) if words and words.text else None
        self.block = self._fitted(self.title) if self.title else Block((), 0, 0, 0)
        self.note = _note(order.headline, words, self.block)

    def drawn(self) -> Image.Image:
        """The picture, in RGB."""
        image = Image.new("RGB", self.size, self.scheme.field)
        left, top, right, bottom = self.art
        art = motifs.paint(self.motif, right - left, bottom - top, self.scheme.cast, self.rng)
        image.paste(ImageOps.mirror(art) if self.rtl else art, (left, top))
        draw = ImageDraw.Draw(image)
        if self.label:
            self._draw_label(draw, self.label)
        if self.title:
            self.title.draw(draw, self.block, self.block_at, self.scheme.ink)
        return image.reduce(self.scale)

    @property
    def block_at(self) -> tuple[float, float]:
        """The upper left corner of the headline's block: it stands on the lower edge of the text area."""
        return self.text[0], self.text[3] - self.block.height

    def _areas(self, *, typeset: bool) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
        """Where the drawing and the type go. Hills lie at the foot of a card, all else beside the type or above it."""
        width, height = self.size
        gap = self.margin
        if not typeset:
            return (0, 0, width, height), (0, 0, 0, 0)
        if self.motif is motifs.waves:
            edge = round(height * (0.6 if width > height * 1.2 else 0.54))
            return (0, edge, width, height), (gap, gap, width - gap, edge - gap // 3)
        if width > height * 1.2:
            edge = round(width * 0.4)
            if self.rtl:
                return (0, 0, edge, height), (edge + gap, gap, width - gap, height - gap)
            return (width - edge, 0, width, height), (gap, gap, width - edge - gap, height - gap)
        edge = round(height * (0.5 if height > width * 1.4 else 0.46))
        return (0, 0, width, edge), (gap, edge + gap, width - gap, height - gap)

    def _fitted(self, title: Setter) -> Block:
        left, top, right, bottom = self.text
        short = min(self.size)
        room = bottom - top - (2.4 * self.label_size if self.label else 0)
        lines = 6 if self.size[1] > self.size[0] * 1.4 else 5
        letters = len(title.content.text)
        largest = short * (0.15 if letters > 24 else 0.18 if letters > 12 else 0.22)
        return title.fit((right - left, room), round(largest), max(8 * self.scale, round(short * 0.03)), lines)

    @property
    def label_size(self) -> int:
        """Pixels of the section's name: small, but never below ten pixels in the picture."""
        return max(10 * self.scale, round(min(self.size) * 0.03))

    def _draw_label(self, draw: ImageDraw.ImageDraw, label: Setter) -> None:
        left, top, right, _ = self.text
        label.draw_label(draw, (left, top), right - left, self.label_size, self.scheme.label)


def _capitals(order: Order) -> str:
    section = shorten(fonts.tidy(order.section), 40, placeholder="…")
    turkic = order.language[:2] in {"tr", "az"}
    capitals = (section.replace("i", "İ") if turkic else section).upper()
    # Greek capitals drop the accent.
    return unicodedata.normalize("NFC", re.sub("(?<=[Α-Ω])\u0301", "", unicodedata.normalize("NFD", capitals)))


def _note(headline: str, words: fonts.Words | None, block: Block) -> str:
    if words is None:
        return NO_FONT
    if block.cut:
        return CUT
    return LEFT_OUT if words.text != fonts.tidy(headline) else ""


def scheme(palette: tuple[str, ...], rng: Random) -> Scheme:
    """Colours for one card from a brand's palette, the main colour first. Raises `GeneratorProblem` for no colour."""
    given = [_parsed(colour) for colour in palette or rng.choice(PALETTES)]
    main = given[0]
    light = max(given, key=luminance)
    paper = light if luminance(light) > 0.75 else mix(main, WHITE, 0.9)
    field = rng.choice((main, main, main, paper, mix(main, BLACK, 0.6)))
    cast = Cast(field, _standing_out(field, [*given[1:], main]))
    ink = max((mix(WHITE, field, 0.05), mix(BLACK, field, 0.12)), key=lambda c: contrast(c, field))
    if contrast(ink, field) < READABLE:
        ink = max((WHITE, BLACK), key=lambda c: contrast(c, field))
    label = next((colour for colour in cast.colours if contrast(colour, field) >= READABLE), ink)
    return Scheme(field, ink, label, cast)


def _parsed(colour: str) -> Colour:
    try:
        return motifs.rgb(colour)
    except ValueError as problem:
        raise GeneratorProblem(f'The palette has "{colour}", which is not a colour such as "#1f3a5f".') from problem


def _standing_out(field: Colour, given: list[Colour]) -> tuple[Colour, ...]:
    """Three or four colours that can be told from the field and from each other, the brand's own first."""
    tints = [mix(field, WHITE, 0.5), mix(field, BLACK, 0.5), mix(field, WHITE, 0.8)]
    made = [turned(field, 0.08), *tints, turned(field, 0.5)]
    chosen: list[Colour] = []
    for colour in (*given, *made):
        apart = min(_distance(colour, other) for other in (field, *chosen))
        if apart > 60 and len(chosen) < (4 if colour in given else 3):
            chosen.append(colour)
    return tuple(chosen)


def turned(colour: Colour, share: float) -> Colour:
    """A lively colour `share` (0-1) of the way round the wheel from this one."""
    hue, light, full = colorsys.rgb_to_hls(*(channel / 255 for channel in colour))
    red, green, blue = colorsys.hls_to_rgb((hue + share) % 1, 0.62 if light < 0.5 else 0.42, max(full, 0.45))
    return round(red * 255), round(green * 255), round(blue * 255)


def _distance(one: Colour, other: Colour) -> float:
    return math.dist(one, other)


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 (black) to 1 (white): https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """From 1 (the same) to 21 (black on white): https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
