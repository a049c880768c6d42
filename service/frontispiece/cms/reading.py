"""Reading what a CMS sent: bodies that may be anything, and fields at dotted paths."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from frontispiece.cms.text import plain_tree
from frontispiece.errors import Unreadable


@contextmanager
def reading(words: str) -> Iterator[None]:
    """Turns whatever taking a body apart may raise into `Unreadable` with these words and a short reason."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
        raise Unreadable(f"{words} ({type(problem).__name__}: {str(problem)[:200]})") from problem


def whole_number(found: Any) -> str:
    """An id that is a whole number above 0, as text; strict, because it becomes part of an address. Or a ValueError."""
    if type(found) is not int or found < 1:
        raise ValueError(f"an id is {str(found)[:60]!r}")
    return str(found)


def dig(found: Any, path: str) -> Any:
    """What lies at a dotted path of nested objects, such as `hero.alternativeText`; None where it ends early."""
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def dig_all(found: Any, path: str) -> list[Any]:
    """All that lies at a dotted path, through lists on the way (`tags.tag.name`); "" is no path."""
    there = [found] if path else []
    for part in path.split("."):
        inner = [one.get(part) for one in there if isinstance(one, Mapping)]
        there = [one for item in inner for one in (item if isinstance(item, list) else [item]) if one is not None]
    return there


def texts(found: Any, path: str) -> tuple[str, ...]:
    """The texts at a dotted path, each once; an object stands for its name or title."""
    named = (one.get("name") or one.get("title") if isinstance(one, Mapping) else one for one in dig_all(found, path))
    plain = (
        plain_tree(one) if isinstance(one, str) else str(one) for one in named if isinstance(one, str | int | float)
    )
    return tuple(dict.fromkeys(text for text in plain if text))


def prose(found: Any, path: str) -> str:
    """The text at a dotted path, be it plain, HTML or a rich text editor's tree."""
    return plain_tree(dig(found, path)) if path else ""


def fill(pattern: str, found: Any, safe: str = "") -> str:
    """An address with its `{paths}` replaced by what lies there, percent-encoded but for the signs in `safe`."""
    return re.sub(r"\{([\w.-]+)\}", lambda gap: quote(str(dig(found, gap[1]) or ""), safe=safe), pattern)
