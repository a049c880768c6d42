"""Setting a few words in a box: where the lines break, which size fits, and drawing them."""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from PIL import ImageDraw, ImageFont, features

from frontispiece.fonts import Face, Words

_NEVER_FIRST = "、。，．・：；！？）」』】〕〉》ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ!?,.:;)’”…"
_NEVER_LAST = "（「『【〔〈《‘“("
_MOST_PIECES = 160
_VOWEL = "[aeiouyäöüåæøœáàâéèêëíìîóòôúùûαάεέηήιίοόυύωώаеёиіоуыэюя]"
_CONSONANTS = f"(?:sch|(?<!s)ch|ph|th|(?<![cpt])h|(?!{_VOWEL}|h)[^\\W\\d_])"
_ONSET = re.compile(_CONSONANTS + _VOWEL)  # how a syllable begins

Colour = tuple[int, int, int]
Piece = tuple[str, str]  # letters that stay together, and what goes between them and the piece before


@dataclass(frozen=True, slots=True)
class Line:
    """One line of type. `x`, `y`: where its base line begins; `ink`: the box its ink fills; in pixels of the block."""

    text: str
    x: float
    y: float
    ink: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one `size` that fill `width` × `height` pixels. `cut`: words are missing at the end."""

    lines: tuple[Line, ...]
    size: int
    width: float
    height: float
    cut: bool = False


class Setter:
    """Measures and draws one text. It makes its own font objects, so a Setter belongs to one thread."""

    def __init__(self, content: Words) -> None:
        self.content = content
        self._fonts: dict[tuple[Face, int], ImageFont.FreeTypeFont] = {}
        self._widths: dict[tuple[str, int], float] = {}
        shaping = features.check("raqm")  # Pillow refuses both of these without libraqm
        self._way = ("rtl" if content.rtl else "ltr") if shaping else None
        self._language = content.language if shaping and content.language.isascii() and content.language else None
        self._leading = max(face.leading for face in content.faces)

    def fit(self, box: tuple[float, float], largest: int, smallest: int, lines: int) -> Block:
        """The largest setting within `box` (width, height in pixels) in at most `lines` lines, well balanced.

        Words are broken only where they would else shrink below 55 % of `largest`; what does not fit at `smallest`
        is cut after a word, with an ellipsis. A box too small for anything gives a block without lines.
        """
        everything = list(_pieces(self.content.text))
        pieces = everything[:_MOST_PIECES]
        turn = max(smallest, largest * 11 // 20)
        first: Block | None = None
        for size in _sizes(largest, smallest) if len(pieces) == len(everything) else ():
            whole = pieces if size > turn else self._broken(pieces, size, box[0])
            block = self._set(whole, size, box, lines if size > turn else lines + 3)
            if first and size < first.size * 0.75:
                return first
            if block and not _ragged(block):
                return block
            first = first or block
        return first or self._cut(self._broken(pieces, smallest, box[0]), smallest, box)

    def draw(self, canvas: ImageDraw.ImageDraw, block: Block, at: tuple[float, float], colour: Colour) -> None:
        """Draws the block with its upper left corner at `at`."""
        for line in block.lines:
            self._write(canvas, (at[0] + line.x, at[1] + line.y), line.text, block.size, colour)

    def draw_label(
        self, canvas: ImageDraw.ImageDraw, at: tuple[float, float], width: float, size: int, colour: Colour
    ) -> None:
        """One small line in `width` pixels, its capitals hanging from `at`; set wide where the script allows it."""
        loose = not any(face.shaped for face in self.content.faces)
        letters = list(self.content.text) if loose else [self.content.text]
        gap = size * 0.11 if loose else 0
        reach = sum(self._width(letter, size) + gap for letter in letters) - gap
        if reach > width and size > 1:
            return self.draw_label(canvas, at, width, min(size - 1, int(size * width / reach)), colour)
        x = at[0] + (width - reach if self.content.rtl else 0)
        for letter in letters:
            x += self._write(canvas, (x, at[1] + size * 0.73), letter, size, colour) + gap
        return None

    def _write(
        self, canvas: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, colour: Colour
    ) -> float:
        x = at[0]
        for face, run in self._runs(text):
            font = self._font(face, size)
            canvas.text((x, at[1]), run, colour, font, "ls", direction=self._way, language=self._language)
            x += self._advance(font, run)
        return x - at[0]

    def _cut(self, pieces: list[Piece], size: int, box: tuple[float, float]) -> Block:
        best = Block((), size, 0, 0, cut=True)
        low, high = 1, len(pieces)
        while low <= high:
            middle = (low + high) // 2
            last, glue = pieces[middle - 1]
            shorter = [*pieces[: middle - 1], (last.rstrip(" ,.;:–-") + "…", glue)]
            block = self._set(shorter, size, box, 99)
            if block:
                best, low = Block(block.lines, size, block.width, block.height, cut=True), middle + 1
            else:
                high = middle - 1
        return best

    def _set(self, pieces: list[Piece], size: int, box: tuple[float, float], lines: int) -> Block | None:
        wrapped = self._wrapped(pieces, size, box[0])
        if not wrapped or len(wrapped) > lines:
            return None
        block = self._placed(self._balanced(pieces, size, box[0], len(wrapped)), size, box[0])
        return block if block.width <= box[0] and block.height <= box[1] else None

    def _wrapped(self, pieces: list[Piece], size: int, width: float) -> list[str]:
        """Lines filled one after the other; none if a piece alone is wider than `width`."""
        lines: list[str] = []
        for piece, glue in pieces:
            longer = f"{lines[-1]}{glue}{piece}" if lines else ""
            if lines and self._width(longer, size) <= width:
                lines[-1] = longer
            elif self._width(piece, size) <= width:
                lines.append(piece)
            else:
                return []
        return lines

    def _balanced(self, pieces: list[Piece], size: int, width: float, count: int) -> list[str]:
        """The same number of lines, as even as they can be: wrapped at the least width that does not add one."""
        low, high = width / count / 2, width
        while high - low > size / 20:
            middle = (low + high) / 2
            enough = 0 < len(self._wrapped(pieces, size, middle)) <= count
            low, high = (low, middle) if enough else (middle, high)
        return self._wrapped(pieces, size, high)

    def _placed(self, texts: list[str], size: int, width: float) -> Block:
        step = round(size * self._leading)
        inks = [self._ink(text, size) for text in texts]
        lines = []
        for i, (text, (left, top, right, bottom)) in enumerate(zip(texts, inks, strict=True)):
            x = width - right if self.content.rtl else -left  # flush by ink, not by side bearing
            y = i * step - inks[0][1]
            lines.append(Line(text, x, y, (x + left, y + top, x + right, y + bottom)))
        widest = max(right - left for left, _, right, _ in inks)
        return Block(tuple(lines), size, widest, max(line.ink[3] for line in lines))

    def _ink(self, text: str, size: int) -> tuple[float, float, float, float]:
        x, boxes = 0.0, []
        for face, run in self._runs(text):
            font = self._font(face, size)
            left, top, right, bottom = font.getbbox(run, anchor="ls", direction=self._way, language=self._language)
            boxes.append((x + left, top, x + right, bottom))
            x += self._advance(font, run)
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)

    def _width(self, text: str, size: int) -> float:
        if (text, size) not in self._widths:
            runs = self._runs(text)
            self._widths[text, size] = sum(self._advance(self._font(face, size), run) for face, run in runs)
        return self._widths[text, size]

    def _advance(self, font: ImageFont.FreeTypeFont, run: str) -> float:
        return font.getlength(run, direction=self._way, language=self._language)

    def _runs(self, text: str) -> list[tuple[Face, str]]:
        """Stretches of one font, from left to right as they are drawn."""
        runs: list[tuple[Face, str]] = []
        for character in text:
            face = runs[-1][0] if runs and _follows(character) else self.content.face(character)
            if runs and runs[-1][0] == face:
                runs[-1] = (face, runs[-1][1] + character)
            else:
                runs.append((face, character))
        return runs[::-1] if self.content.rtl else runs

    def _font(self, face: Face, size: int) -> ImageFont.FreeTypeFont:
        if (face, size) not in self._fonts:
            self._fonts[face, size] = ImageFont.truetype(str(face.path), size)
        return self._fonts[face, size]

    def _broken(self, pieces: list[Piece], size: int, width: float) -> list[Piece]:
        result: list[Piece] = []
        for piece, glue in pieces:
            parts = [piece] if self._width(piece, size) <= width else self._parts(piece, size, width)
            result += [(part, "" if i else glue) for i, part in enumerate(parts)]
        return result

    def _parts(self, piece: str, size: int, width: float) -> list[str]:
        """A word too long for a line, in as few and as even parts as will fit."""
        letters = _clusters(piece)
        fewest = max(2, int(self._width(piece, size) / width))
        for count in range(fewest, len(letters) + 1):
            even = range(len(letters) // count, len(letters) - 1, math.ceil(len(letters) / count))
            cuts = [0, *(_syllable(letters, cut) for cut in even), len(letters)]
            parts = ["".join(letters[start:end]) for start, end in pairwise(cuts) if end > start]
            parts = [part + _hyphen(part) for part in parts[:-1]] + parts[-1:]
            if all(self._width(part, size) <= width for part in parts):
                return parts
        return letters


def _sizes(largest: int, smallest: int) -> Iterator[int]:
    size = largest
    while size > smallest:
        yield size
        size = min(size - 1, round(size * 0.95))
    yield smallest


def _ragged(block: Block) -> bool:
    """Whether a lonely short line spoils the block: the last one, or a very short one before it."""
    shares = [(line.ink[2] - line.ink[0]) / block.width for line in block.lines]
    return shares[-1] < 0.52 or min(shares) < 0.4


def _pieces(text: str) -> Iterator[Piece]:
    for word in text.split():
        cuts = [0, *(i for i in range(1, len(word)) if _may_break(word, i)), len(word)]
        for start, end in pairwise(cuts):
            yield word[start:end], "" if start else " "


def _may_break(word: str, i: int) -> bool:
    before, after = word[i - 1], word[i]
    if after in _NEVER_FIRST or before in _NEVER_LAST or unicodedata.category(after).startswith("M"):
        return False
    if before in "、。！？：；，":
        return True
    if before in "-–—/" and i > 2:
        return after.isalpha()
    if "\u0e40" <= after <= "\u0e44":  # a leading vowel begins a syllable of Thai
        return i > 2
    if _kana(word):  # Japanese: a phrase ends with its particles, before the next kanji or katakana
        return _script(before) == "HIRAGANA" and _script(after) != "HIRAGANA"
    return (_ideographic(before) or _ideographic(after)) and not before.isdigit()


def _ideographic(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"} and not "\uac00" <= character <= "\ud7a3"


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _kana(word: str) -> bool:
    return any("\u3041" <= character <= "\u30ff" for character in word)


def _follows(character: str) -> bool:
    return character in "\u200c\u200d" or unicodedata.category(character).startswith("M")


def _clusters(word: str) -> list[str]:
    """Letters with their marks; what a virama or joiner binds stays together."""
    result: list[str] = []
    for character in word:
        bound = result and (unicodedata.combining(result[-1][-1]) == 9 or result[-1][-1] == "\u200d")
        if result and (bound or _follows(character)):
            result[-1] += character
        else:
            result.append(character)
    return result


def _syllable(letters: list[str], at: int) -> int:
    """The nearest place before `at` where a syllable seems to begin; `at` itself if there is none."""
    word = "".join(letter[0] for letter in letters)
    return next((i for i in range(at, max(at - 6, 2), -1) if _ONSET.match(word, i)), at)


def _hyphen(part: str) -> str:
    last = next((c for c in reversed(part) if c.isalpha()), " ")
    return "-" if _script(last) in {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN"} else ""
