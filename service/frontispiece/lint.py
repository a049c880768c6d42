"""What is wrong or unwise in a template: what may not run, what Flux does not understand, what grows too long."""

import re
from collections.abc import Iterator

from frontispiece import prompts, sandbox
from frontispiece.errors import TemplateProblem
from frontispiece.wording import plain

_ATTENTION = 2_000  # characters: about the 512 tokens that local Flux models read
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nothing|without|avoid|except|free of|instead of|rather than|don['’]?t|\w+n['’]t)\b"
    r"(?:\s+\w+){0,2}",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:(?:high|best|top|great)[ -]quality|beautiful|stunning|amazing|awesome|gorgeous|nice|perfect|masterpiece|"
    r"award[ -]winning|trending on \w+|(?:ultra|highly|super|hyper|insanely)[ -]?(?:detailed|realistic)|[48]k|u?hd)\b",
    re.IGNORECASE,
)
_LETTERING = re.compile(
    r"\b(?:(?:sign|label|banner|poster|text|lettering|headline|slogan|caption)\b[^.\"“”„«]{0,40}?\b(?:says?|saying|"
    r"reads?|reading)|(?:with|showing) the (?:words?|text|slogan|headline|title|name))\b(?![\s:,]*[\"“„«])",
    re.IGNORECASE,
)
_QUOTED_FIELD = re.compile(r"[\"“„«]\s*\{\{-?\s*(entry\.\w+)")
_ADVICE = (
    (_NEGATION, "Flux paints what is named: write what should be there instead"),
    (_VAGUE, "says nothing that can be seen: name the light, the lens, the material"),
    (_LETTERING, "put the words that should appear in quotation marks, or leave the lettering out"),
    (_QUOTED_FIELD, "stands in quotation marks, so Flux will paint these words into the picture"),
)


def lint(source: str) -> list[str]:
    """What is wrong or unwise in a template's text, in words, one finding a line; [] = nothing found.

    What may not run comes first; then what Flux does not understand, and what can grow too long.
    """
    try:
        refused = [f"line {line}: {words}" for line, words in sandbox.findings(sandbox.parse(source), prompts.FIELDS)]
    except TemplateProblem as problem:
        return [str(problem)]
    return [*refused, *_advice(source), *([] if refused else _length(source))]


def _advice(source: str) -> Iterator[str]:
    text = re.sub(r"\{[#%].*?[#%]\}", lambda found: "\n" * found[0].count("\n"), source, flags=re.DOTALL)
    for pattern, words in _ADVICE:
        for found in pattern.finditer(text):
            said = found[1] if found.lastindex else " ".join(found[0].split())
            yield f"line {text.count(chr(10), 0, found.start()) + 1}: “{said}”: {words}"


def _length(source: str) -> Iterator[str]:
    """What it comes to for an entry that fills every field."""
    try:
        length = len(plain(sandbox.render(source, prompts.longest_facts())))
    except TemplateProblem as problem:
        yield str(problem)
        return
    if length > sandbox.OUTPUT_LIMIT:
        yield f"can grow to {length} characters, and {sandbox.OUTPUT_LIMIT} are the most: shorten with | words(30)"
    elif length > _ATTENTION:
        yield f"can grow to {length} characters; local Flux models read about the first {_ATTENTION}"
