"""Text on its way into a prompt: cleaned, unquoted, cut, listed; and colours said in words."""

import colorsys
import re
import unicodedata

_SENTENCE_END = re.compile(r"(?<=\w{4}\.)\s+|(?<=[!?…])\s+|(?<=[。！？؟])")
_TAG = re.compile(r"<(sd_cpp_extra_args)\b[^>]*>.*?</\1\s*>|</?[a-z!?][^<>]*>", re.IGNORECASE | re.DOTALL)
_LONE_QUOTE = re.compile(r"(?<!\w)['’]|['’](?!\w)")
_QUOTES = dict.fromkeys(map(ord, '"“”„‟«»‹›‘‚‛`「」『』″＂'), " ")
_ANGLES = {ord("<"): " ", ord(">"): " "}
_JOINERS = "\u200c\u200d"  # Persian and emoji are spelt with them
_HUES = (
    (15, "red"),
    (42, "orange"),
    (68, "yellow"),
    (160, "green"),
    (195, "teal"),
    (255, "blue"),
    (290, "violet"),
    (335, "magenta"),
    (361, "red"),
)


def plain(text: str) -> str:
    """One line of text: without control, bidirectional and unpaired characters, and without angle-bracket markup.

    Some image servers take orders from tags inside the prompt (LocalAI: `<sd_cpp_extra_args>`), so no angle bracket
    stays, whatever stood around it.
    """
    kept = _TAG.sub(" ", "".join(map(_printable, unicodedata.normalize("NFC", text))))
    return " ".join(kept.translate(_ANGLES).split())


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return character if category not in ("Cf", "Cs", "Co", "Cn") or character in _JOINERS else ""


def unquoted(text: str) -> str:
    """The text without quotation marks: Flux paints quoted words into the picture. Apostrophes inside words stay."""
    return " ".join(_LONE_QUOTE.sub(" ", text.translate(_QUOTES)).split())


def cut(text: str, length: int) -> str:
    """At most `length` characters, cut between words where there is a space to cut at."""
    if len(text) <= length:
        return text
    head, space, _ = text[: length + 1].rpartition(" ")
    return head if space else text[:length]


def words(text: str, count: int) -> str:
    """The first `count` words, without the punctuation that would then stand at the end."""
    return unstopped(" ".join(text.split()[:count]))


def opening(text: str) -> str:
    """The first sentence as it stands. A stop after "Dr" or "St" ends nothing."""
    return _SENTENCE_END.split(text.strip(), maxsplit=1)[0]


def sentence(text: str) -> str:
    """The first sentence without its full stop; the template puts its own."""
    return unstopped(opening(text))


def unstopped(text: str) -> str:
    """The text without the punctuation at its end."""
    return text.rstrip(" .,:;!?…。！？؟-–—")


def listed(items: list[str], last: str = "and") -> str:
    """One, two and three."""
    return f" {last} ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


def colour(code: str) -> str:
    """A "#rrggbb" as Flux understands it best: "deep blue hex #1a2b3c".

    https://docs.bfl.ai/guides/usecases_t2i_hex_color_prompting
    """
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, _ = colorsys.rgb_to_hls(red, green, blue)
    strength = max(red, green, blue) - min(red, green, blue)
    return f"{_colour_name(hue * 360, light, strength)} hex {code.lower()}"


def _colour_name(hue: float, light: float, strength: float) -> str:
    warm = 15 <= hue < 68
    if light > 0.88 and strength < 0.2:
        return "cream" if warm and strength > 0.02 else "white"
    if strength < 0.09:
        return "black" if light < 0.12 else f"{_shade(light)} grey".strip()
    if warm and light < 0.45 and hue < 42:
        return "dark brown" if light < 0.2 else "brown"
    if warm and light > 0.6 and strength < 0.4:
        return "beige"
    name = next(name for end, name in _HUES if hue < end)
    if name in ("red", "magenta") and light > 0.72:
        return "pink"
    return f"{_shade(light) or ('muted' if strength < 0.35 else '')} {name}".strip()


def _shade(light: float) -> str:
    return "deep" if light < 0.33 else "pale" if light > 0.72 else ""
