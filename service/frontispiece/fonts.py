"""Which font has which letters: ours first, then those installed on the machine.

Coverage is read from the fonts themselves (their `cmap` table), so that no letter is ever drawn as an empty box.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import features

_OURS = Path(__file__).parent / "generators" / "fonts"
INSTALLED = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
    Path.home() / ".local/share/fonts",
    Path.home() / "Library/Fonts",
)
_JOINERS = "\u200c\u200d"  # invisible, but they shape Arabic and Indic words
_LOOSE_JOINER = re.compile(f"(?:(?<=[\\s\u2600-\u27bf\U0001f000-\U0001faff])|^)[{_JOINERS}]+")  # of emoji, not of words
_MOST = 1000  # characters; nobody sets more than that in a title


@dataclass(frozen=True, slots=True)
class Face:
    """One font file. `leading` is from base line to base line in ems; a `shaped` script is wrong without libraqm."""

    path: Path
    leading: float
    shaped: bool = False


SANS = Face(_OURS / "sans.ttf", 1.12)
SERIF = Face(_OURS / "serif.ttf", 1.1)
_OTHERS = (
    Face(_OURS / "arabic.ttf", 1.5, shaped=True),
    Face(_OURS / "hebrew.ttf", 1.2, shaped=True),
    Face(_OURS / "devanagari.ttf", 1.35, shaped=True),
    Face(_OURS / "thai.ttf", 1.45, shaped=True),
    Face(_OURS / "cjk.otf", 1.32),
)


@dataclass(frozen=True, slots=True)
class Words:
    """Text ready to be set: every character is in one of `faces`. `rtl` = it begins at the right."""

    text: str
    faces: tuple[Face, ...]
    language: str
    rtl: bool

    def face(self, character: str) -> Face:
        """The first face that has the character."""
        return next((face for face in self.faces if ord(character) in coverage(face.path)), self.faces[0])


def words(text: str, language: str, first: Face, folders: Iterable[Path] = INSTALLED) -> Words | None:
    """What of `text` can be set, in `first` where possible; None if letters are missing from every font found.

    Symbols that our fonts lack (emoji) are left out. `folders` are searched when letters are missing from ours.
    Without libraqm, scripts that must be shaped count as missing: set letter by letter they would be nonsense.
    """
    ours = [face for face in (first, SANS, *_OTHERS) if not face.shaped or features.check("raqm")]
    known = frozenset(map(ord, _JOINERS)).union(*(coverage(face.path) for face in ours))
    plain = tidy("".join(c for c in tidy(text[:_MOST]) if ord(c) in known or not _dispensable(c)))
    missing = {ord(c) for c in plain} - known
    if missing:
        settable = features.check("raqm") or all(unicodedata.east_asian_width(chr(c)) in "WF" for c in missing)
        found = _installed(missing, folders) if settable else None
        if found is None:
            return None
        ours.append(found)
    return Words(plain, tuple(_needed(plain, ours)), language, _rtl(plain))


def tidy(text: str) -> str:
    """One line of plain text: composed (NFC), without control and formatting characters, single spaces."""
    spaced = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    kept = (c for c in spaced if unicodedata.category(c) not in {"Cf", "Cs"} or c in _JOINERS)
    return " ".join(_LOOSE_JOINER.sub("", unicodedata.normalize("NFC", "".join(kept))).split())


def _dispensable(character: str) -> bool:
    return unicodedata.category(character) in {"So", "Sk", "Sm", "Co", "Cn", "Me"} or character in "\ufe0e\ufe0f"


def _rtl(text: str) -> bool:
    kinds = (unicodedata.bidirectional(character) for character in text)
    return next((kind != "L" for kind in kinds if kind in {"L", "R", "AL"}), False)


def _needed(text: str, faces: list[Face]) -> list[Face]:
    """One font for the whole text if there is one (the line then looks of a piece), else all that have a part."""
    letters = {ord(c) for c in text if c not in _JOINERS}
    needed: list[Face] = []
    while letters:
        needed.append(max(faces, key=lambda face: len(letters & coverage(face.path))))
        letters -= coverage(needed[-1].path)
    return needed or faces[:1]


def _installed(missing: set[int], folders: Iterable[Path]) -> Face | None:
    for folder in folders:
        for path in sorted(folder.rglob("*.[ot]t[cf]")):
            if "emoji" not in path.name.lower() and missing <= coverage(path):
                return Face(path, 1.4)
    return None


@lru_cache(maxsize=512)
def coverage(path: Path) -> frozenset[int]:
    """The code points that a TrueType or OpenType font has glyphs for; none if it cannot be read.

    https://learn.microsoft.com/en-us/typography/opentype/spec/cmap
    """
    try:
        return frozenset(_characters(path.read_bytes()))
    except (OSError, struct.error):
        return frozenset()


def _characters(font: bytes) -> Iterator[int]:
    start = _numbers(font, 12, ">I")[0] if font[:4] == b"ttcf" else 0
    records = [struct.unpack_from(">4s3I", font, start + 12 + 16 * i) for i in range(_numbers(font, start + 4)[0])]
    cmap = next((offset for tag, _, offset, _ in records if tag == b"cmap"), 0)
    for i in range(_numbers(font, cmap + 2)[0] if cmap else 0):
        platform, encoding, offset = _numbers(font, cmap + 4 + 8 * i, ">HHI")
        if platform == 0 or (platform == 3 and encoding in {1, 10}):
            yield from _subtable(font, cmap + offset)


def _subtable(font: bytes, at: int) -> Iterator[int]:
    kind = _numbers(font, at)[0]
    if kind == 4:
        yield from _segments(font, at)
    elif kind == 12:
        for i in range(_numbers(font, at + 12, ">I")[0]):
            first, last, _ = _numbers(font, at + 16 + 12 * i, ">3I")
            yield from range(first, min(last, 0x10FFFF) + 1)


def _segments(font: bytes, at: int) -> Iterator[int]:
    size = _numbers(font, at + 6)[0]  # of each of the four parallel arrays, in bytes
    for i in range(0, size, 2):
        last, first, delta, offset = (
            _numbers(font, at + 14 + pad + n * size + i)[0] for n, pad in enumerate((0, 2, 2, 2))
        )
        glyphs = at + 16 + 3 * size + i + offset
        for n, character in enumerate(range(first, min(last, 0xFFFE) + 1)):
            glyph = _numbers(font, glyphs + 2 * n)[0] if offset else character
            if (glyph or not offset) and (glyph + delta) & 0xFFFF:
                yield character


def _numbers(font: bytes, at: int, form: str = ">H") -> tuple[int, ...]:
    return struct.unpack_from(form, font, at)
