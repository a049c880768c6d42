"""Two prompts compared word by word, and where the words of a prompt come from."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

Origin = Literal["entry", "brand", "slot", "template", "reason", "person"]

_Change = tuple[str, int, int, int, int]  # as difflib has it: what happened, and where it is in the old and the new
_STOPS = (".", "!", "?", "…")
_ALONE = 2
_CHANCE = 3  # words in a row that are the same by chance


@dataclass(frozen=True, slots=True)
class Run:
    """Words that stand together: what they are (`kind`), and the text with the white space behind it."""

    kind: str
    text: str


def between(old: str, new: str) -> list[Run]:
    """The words that are the "same", "gone" or "new", in the order of the new text.

    A word alone that is the same by chance, amid others that are not, is told as gone and new.
    """
    before, after = _words(old), _words(new)
    found: list[Run] = []
    gone = come = ""
    changes = _compared(before, after)
    for at, (change, old_from, old_to, new_from, new_to) in enumerate(changes):
        is_amid = 0 < at < len(changes) - 1 and _said(after[new_from:new_to]) < _ALONE
        if change == "equal" and not is_amid:
            found += [*_runs(gone, come), Run("same", "".join(after[new_from:new_to]))]
            gone = come = ""
        else:
            gone += "".join(before[old_from:old_to])
            come += "".join(after[new_from:new_to])
    return [run for run in (*found, *_runs(gone, come)) if run.text]


def _runs(gone: str, come: str) -> list[Run]:
    return [Run("gone", gone), Run("new", come)]


def _said(pieces: Sequence[str]) -> int:
    """How many of the pieces are words."""
    return sum(piece[0].isalnum() for piece in pieces)


def origins(prompt: str, composed: Iterable[tuple[str, str]], added: Sequence[str] = ()) -> list[Run]:
    """Where each word of a prompt comes from: one of the pieces it was composed of, what a reason added, a person.

    `composed` is what `pieces.of` gives; `added` are texts that reasons have put there.
    """
    wrote = [(piece, name) for name, text in composed for piece in _words(text)]
    now = _words(prompt)
    names: list[str] = ["person"] * len(now)
    for change, old_from, _, new_from, new_to in _compared([piece for piece, _ in wrote], now):
        if change == "equal" and (_said(now[new_from:new_to]) >= _CHANCE or len(wrote) == len(now)):
            names[new_from:new_to] = [name for _, name in wrote[old_from : old_from + new_to - new_from]]
    for start, end in _places(prompt, added):
        at = 0
        for place, piece in enumerate(now):
            if start <= at < end:
                names[place] = "reason"
            at += len(piece)
    pairs = zip(names, now, strict=True)
    return [Run(name, "".join(piece for _, piece in same)) for name, same in groupby(pairs, key=lambda pair: pair[0])]


def _places(text: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    return [(at, at + len(part)) for part in parts if part and (at := text.find(part)) >= 0]


def _words(text: str) -> list[str]:
    """Words and stops, each with the white space behind it; joined they are the text."""
    return re.findall(r"\s+|[\w’'/#-]+(?:\.[\w’'/#-]+)*\s*|[^\w\s]\s*", text)


def _compared(old: Sequence[str], new: Sequence[str]) -> list[_Change]:
    """What became of which words, compared without the white space behind them.

    What was put in begins with a sentence where it can: between “a. b.” and “a. c. b.” came “c. ”, and not “. c”.
    """
    before, after = [piece.strip() for piece in old], [piece.strip() for piece in new]
    found = list(_changes(before, after))
    for at in range(len(found) - 1):
        change, old_from, old_to, new_from, new_to = found[at]
        shift = _to_sentence(after, new_from, new_to, found[at + 1]) if change == "insert" else 0
        if shift:
            following = found[at + 1]
            found[at] = (change, old_from + shift, old_to + shift, new_from + shift, new_to + shift)
            found[at + 1] = ("equal", following[1] + shift, following[2], following[3] + shift, following[4])
            before_it = found[at - 1] if at else ("equal", 0, 0, 0, 0)
            grown = ("equal", before_it[1], before_it[2] + shift, before_it[3], before_it[4] + shift)
            found[max(at - 1, 0) : at] = [grown] if at else []
    return found


def _to_sentence(after: list[str], start: int, end: int, following: _Change) -> int:
    """By how many words what was put in can move, so that it begins behind a full stop."""
    for shift in range(following[4] - following[3] + 1):
        if start + shift and after[start + shift - 1] in _STOPS:
            return shift
        if end + shift == len(after) or after[start + shift] != after[end + shift]:
            break
    return 0


def _changes(old: list[str], new: list[str]) -> Iterator[_Change]:
    """As `SequenceMatcher` says it of what lies between the same start and the same end.

    It leaves words that are everywhere aside, else a prompt of one word a thousand times would take it minutes.
    """
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    if start:
        yield "equal", 0, start, 0, start
    matcher = SequenceMatcher(None, old[start : len(old) - end], new[start : len(new) - end], autojunk=True)
    for change, *places in matcher.get_opcodes():
        old_from, old_to, new_from, new_to = (place + start for place in places)
        yield change, old_from, old_to, new_from, new_to
    if end:
        yield "equal", len(old) - end, len(old), len(new) - end, len(new)


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words are the same from the start."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
