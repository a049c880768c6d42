"""What changed between two texts, word by word or line by line, for people."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

Kind = Literal["same", "out", "in"]
MANY = 1500  # words; of longer texts the frequent words are not compared, which would take seconds


class Part(NamedTuple):
    """A piece of text that both have, or that went out or came in."""

    kind: Kind
    text: str


class Line(NamedTuple):
    """One line of the comparison, in parts."""

    kind: Kind
    parts: list[Part]


def words(old: str, new: str) -> list[Part]:
    """The new text and what it no longer has, in the order of reading."""
    before, after = re.findall(r"\s*\S+", old), re.findall(r"\s*\S+", new)
    return [Part(kind, "".join(some)) for kind, some in _changes(before, after)]


def lines(old: str, new: str) -> list[Line]:
    """The same line by line; within a line that was changed the words that were are parts of their own."""
    told: list[Line] = []
    gone: list[str] = []
    for kind, some in [*_changes(old.splitlines(), new.splitlines()), ("same", [])]:
        if kind == "out":
            gone = list(some)
            continue
        came = list(some) if kind == "in" else []
        told += _block(gone, came)
        told += [Line("same", [Part("same", text)]) for text in some] if kind == "same" else []
        gone = []
    return told


def _block(gone: list[str], came: list[str]) -> list[Line]:
    """Lines that were replaced: first the old, then the new ones; what they share is not marked."""
    if not (gone and came):
        return [Line("out", [Part("out", text)]) for text in gone] + [Line("in", [Part("in", text)]) for text in came]
    parts = words("\n".join(gone), "\n".join(came))
    return [*_lines("out", parts), *_lines("in", parts)]


def _lines(kind: Kind, parts: list[Part]) -> list[Line]:
    made: list[list[Part]] = [[]]
    for part in parts:
        if part.kind not in ("same", kind):
            continue
        first, *rest = part.text.split("\n")
        made[-1].append(Part(part.kind, first))
        made += [[Part(part.kind, text)] for text in rest]
    return [Line(kind, [part for part in line if part.text]) for line in made]


def _changes(before: Sequence[str], after: Sequence[str]) -> list[tuple[Kind, Sequence[str]]]:
    told: list[tuple[Kind, Sequence[str]]] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=len(after) > MANY).get_opcodes():
        if what == "equal":
            told.append(("same", after[c:d]))
            continue
        told += [("out", before[a:b])] if a < b else []
        told += [("in", after[c:d])] if c < d else []
    return told
