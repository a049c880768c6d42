"""Which words of a prompt came from the entry, the brand, the slot, and which stand in the template itself."""

import re
from collections.abc import Iterator, Mapping

from jinja2 import nodes

from frontispiece import sandbox
from frontispiece.errors import TemplateProblem
from frontispiece.prompts import Template
from frontispiece.wording import plain

_SIGNS = {"entry": "\ue000", "brand": "\ue001", "slot": "\ue002"}  # in no fact: `plain` takes them out
_END = "\ue003"
_NAMES = {sign: name for name, sign in _SIGNS.items()} | {_END: "template"}
_SIGN = re.compile(f"([{''.join(_NAMES)}])")


def of(template: Template, facts: sandbox.Facts) -> list[tuple[str, str]]:
    """The prompt that `prompts.composed` makes: "entry", "brand", "slot" or "template", and what came from there.

    White space stands as it is in the prompt; joined, the pieces are the prompt. Raises `TemplateProblem`.
    """
    try:
        text = sandbox.render(template.source, facts, _marked)
    except TemplateProblem as problem:
        raise TemplateProblem(f"{template.name}: {problem}") from problem
    found = list(_named(text))
    if found and found[-1][1].endswith(" "):
        found[-1] = (found[-1][0], found[-1][1].rstrip())
    return found


def _named(text: str) -> Iterator[tuple[str, str]]:
    name, begins = "template", True  # begins: a space would be the first of the prompt, or the second in a row
    for piece in _SIGN.split(text):
        if piece in _NAMES:
            name = _NAMES[piece]
        elif said := _spaced(piece, begins):
            yield name, said
            begins = said.endswith(" ")


def _spaced(piece: str, begins: bool) -> str:
    """A piece of a prompt as `plain` leaves it, with one space at most at each end."""
    said = plain(piece)
    before = " " if piece[:1].isspace() and not begins else ""
    return f"{before}{said}{' ' if said and piece[-1:].isspace() else ''}"


def _marked(tree: nodes.Template) -> None:
    """Puts a sign before and behind whatever a field writes."""
    loops = {str(loop.target.name): _root(loop.iter) for loop in tree.find_all(nodes.For)}  # type: ignore[attr-defined] # checked by the sandbox
    for output in tree.find_all(nodes.Output):
        output.nodes = [piece for node in output.nodes for piece in _between(node, loops)]


def _between(node: nodes.Expr, loops: Mapping[str, str]) -> list[nodes.Expr]:
    root = _root(node)
    sign = _SIGNS.get(loops.get(root, root))
    return [nodes.TemplateData(sign), node, nodes.TemplateData(_END)] if sign else [node]


def _root(node: nodes.Node | None) -> str:
    """The name that an expression begins with."""
    while isinstance(node, nodes.Filter | nodes.Getattr):
        node = node.node
    return node.name if isinstance(node, nodes.Name) else ""
