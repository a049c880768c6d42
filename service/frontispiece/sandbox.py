"""What a prompt template may do: a small list of allowed pieces on the parsed tree, filters of our own, bounded output.

Jinja2's sandbox keeps templates away from Python's insides, but not from methods and fields of what they are handed,
and not from eating memory or time. So a template is refused unless every piece of it is on the list below, it is
handed plain text and lists only, and its output is counted while it grows.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from frontispiece.errors import TemplateProblem
from frontispiece.wording import listed, sentence, words

SOURCE_LIMIT = 8_000  # characters of a template
OUTPUT_LIMIT = 4_000  # characters of a finished prompt
LIST_LIMIT = 50  # items of a list
_RAW_LIMIT = 20_000  # characters before white space is collapsed
_DEPTH_LIMIT = 12

Facts = Mapping[str, Mapping[str, Any]]  # {"entry": {"title": "…", "tags": ["…"]}, "brand": {…}}: text, lists of text
_Shape = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # Fields that can be a key
Fields = Mapping[str, Mapping[str, str]]  # the same with "text", "list" or "map" (text of any name) for the values


def _default(value: str | Undefined, other: str) -> str:
    return other if isinstance(value, Undefined) or not value else value


def _first(items: list[str]) -> str:
    return items[0] if items else ""


def _last(items: list[str]) -> str:
    return items[-1] if items else ""


class _Filter(NamedTuple):
    run: Callable[..., object]
    takes: str  # "text" or "list"
    gives: str
    arguments: tuple[type, ...] = ()


FILTERS = {
    "lower": _Filter(lambda text: text.lower(), "text", "text"),
    "upper": _Filter(lambda text: text.upper(), "text", "text"),
    "capitalize": _Filter(lambda text: text[:1].upper() + text[1:], "text", "text"),
    "words": _Filter(words, "text", "text", (int,)),
    "sentence": _Filter(sentence, "text", "text"),
    "default": _Filter(_default, "text", "text", (str,)),
    "first": _Filter(_first, "list", "text"),
    "last": _Filter(_last, "list", "text"),
    "limit": _Filter(lambda items, count: items[:count], "list", "list", (int,)),
    "join": _Filter(lambda items, between: between.join(items), "list", "text", (str,)),
    "listed": _Filter(listed, "list", "text", (str,)),
}
_OPTIONAL_ARGUMENT = {"listed"}

_TRUTHS = (nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Test)


class _Sandbox(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        """A dot reaches the fields we handed over, never an attribute or method of a Python object."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Square brackets are refused on the tree already; this is the second lock."""
        return self.getattr(obj, argument)


def _sandbox() -> _Sandbox:
    # Nothing is escaped: what comes out is a prompt, which no browser reads as HTML.
    sandbox = _Sandbox(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    sandbox.filters = {name: each.run for name, each in FILTERS.items()}
    sandbox.tests = {"defined": sandbox.tests["defined"]}
    sandbox.globals = {}
    return sandbox


_SANDBOX = _sandbox()


class Finding(NamedTuple):
    """Something a template may not do: where, and in words."""

    line: int
    words: str


class _Check:
    """Walks a parsed template and collects findings; `loop` is the loop's own name inside a loop, else ""."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.loop = ""
        self.findings: list[Finding] = []
        self.readers: dict[type[nodes.Node], Callable[[Any, int], str]] = {
            nodes.Filter: self.filtered,
            nodes.Getattr: self.field,
            nodes.Name: self.name,
            **dict.fromkeys(_TRUTHS, self.truth),
        }

    def refuse(self, node: nodes.Node, words: str) -> str:
        self.findings.append(Finding(node.lineno, words))
        return "any"

    def statements(self, body: list[nodes.Node], depth: int = 0) -> None:
        for node in body:
            if depth > _DEPTH_LIMIT:
                self.refuse(node, "is nested too deeply")
            elif type(node) is nodes.Output:
                self.output(node)
            elif type(node) is nodes.If:
                self.branch(node, depth + 1)
            elif type(node) is nodes.For:
                self.repeat(node, depth + 1)
            else:
                self.refuse(node, f"{_piece(node)} is not allowed: a template has text, {{{{ fields }}}}, if and for")

    def output(self, node: nodes.Output) -> None:
        for part in node.nodes:
            if type(part) is nodes.TemplateData:
                continue
            kind = self.kind(part)
            if kind == "list":
                self.refuse(part, f'{_said(part)} is a list: write {_said(part)} | listed, or | join(", ")')
            elif kind == "map":
                self.refuse(part, f"{_said(part)} holds several fields: name one of them")
            elif kind == "truth":
                self.refuse(part, "a comparison cannot be written out: use it in an if")

    def branch(self, node: nodes.If, depth: int) -> None:
        self.kind(node.test)
        self.statements(node.body, depth)
        for other in node.elif_:
            self.kind(other.test)
            self.statements(other.body, depth)
        self.statements(node.else_, depth)

    def repeat(self, node: nodes.For, depth: int) -> None:
        if self.loop:
            self.refuse(node, "a for inside a for is not allowed")
        elif not isinstance(node.target, nodes.Name) or node.target.name in (*self.fields, "loop"):
            self.refuse(node, "the loop needs one name of its own, as in {% for tag in entry.tags %}…{% endfor %}")
        elif node.test is not None or node.recursive:
            self.refuse(node, "write a loop as {% for tag in entry.tags %}…{% endfor %}")
        elif self.kind(node.iter) not in ("list", "any"):
            self.refuse(node, f"{_said(node.iter)} is no list; a for goes through a list")
        else:
            self.loop = node.target.name
            self.statements(node.body, depth)
            self.loop = ""
            self.statements(node.else_, depth)

    def kind(self, node: nodes.Node, depth: int = 0) -> str:
        """Checks an expression; answers "text", "list", "map", "truth", or "any" for what was refused."""
        if depth > _DEPTH_LIMIT:
            return self.refuse(node, "is nested too deeply")
        return self.readers.get(type(node), self.other)(node, depth + 1)

    def other(self, node: nodes.Node, _depth: int) -> str:
        if isinstance(node, nodes.Const) and isinstance(node.value, str):
            return "text"
        return self.refuse(node, f"{_piece(node)} is not allowed: name fields and filters only")

    def truth(self, node: nodes.Node, depth: int) -> str:
        if isinstance(node, nodes.Test) and (node.name != "defined" or node.args):
            return self.refuse(node, "a question may be “is defined” only")
        kinds = [self.kind(part, depth) for part in node.iter_child_nodes() if type(part) is not nodes.Operand]
        for operand in node.find_all(nodes.Operand) if isinstance(node, nodes.Compare) else ():
            kinds.append(self.kind(operand.expr, depth))
            if operand.op not in ("eq", "ne", "in", "notin"):
                return self.refuse(node, "compare with ==, !=, in or not in")
            if operand.op in ("in", "notin") and (kinds[0] != "text" or kinds[-1] not in ("text", "list")):
                return self.refuse(node, 'write it as "word" in entry.tags')
        return "truth"

    def name(self, node: nodes.Name, _depth: int) -> str:
        if node.name == self.loop:
            return "text"
        if node.name in self.fields:
            return "map"
        return self.refuse(node, f'there is no "{node.name}"; there are: {", ".join(self.fields)}')

    def field(self, node: nodes.Getattr, depth: int) -> str:
        if type(node.node) is nodes.Name and node.node.name in self.fields:
            known = self.fields[node.node.name]
            if node.attr in known:
                return known[node.attr]
            return self.refuse(node, f'{node.node.name} has no "{node.attr}"; it has: {", ".join(known)}')
        outer = self.kind(node.node, depth)
        if outer != "map" or node.attr.startswith("_"):
            return self.refuse(node, f'{_said(node.node)} has no fields of its own, so no "{node.attr}"')
        return "text"

    def filtered(self, node: nodes.Filter, depth: int) -> str:
        known = FILTERS.get(node.name)
        if known is None or node.node is None:
            return self.refuse(node, f'there is no filter "{node.name}"; there are: {", ".join(FILTERS)}')
        kind = self.kind(node.node, depth)
        if not _arguments_fit(node, known):
            self.refuse(node, f"the filter {node.name} wants {_wanted(known)} in its brackets")
        if kind not in ("any", known.takes):
            self.refuse(node, f"the filter {node.name} wants a {known.takes}, and {_said(node.node)} is a {kind}")
        return known.gives


def _arguments_fit(node: nodes.Filter, known: _Filter) -> bool:
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        return False
    if not node.args and node.name in _OPTIONAL_ARGUMENT:
        return True
    given = [part.value if type(part) is nodes.Const else None for part in node.args]
    return [type(value) for value in given] == list(known.arguments) and all(_modest(node.name, each) for each in given)


def _modest(name: str, value: object) -> bool:
    if isinstance(value, str):  # a long separator between many items would swell
        return len(value) <= (200 if name == "default" else 10)
    return isinstance(value, int) and 1 <= value <= 1000


def _wanted(known: _Filter) -> str:
    words = {int: "one whole number from 1 to 1000", str: "one short text in quotation marks"}
    return words[known.arguments[0]] if known.arguments else "nothing"


def _piece(node: nodes.Node) -> str:
    said = {"Getitem": "square brackets", "Call": "a call", "Const": "a bare number", "CondExpr": "an if inside {{ }}"}
    return said.get(type(node).__name__, f"“{type(node).__name__.lower()}”")


def _said(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_said(node.node)}.{node.attr}"
    return "this"


def parse(source: str) -> nodes.Template:
    """The parsed tree of a template. Raises `TemplateProblem` on what cannot be read as a template."""
    if len(source) > SOURCE_LIMIT:
        raise TemplateProblem(f"is {len(source)} characters long; a template may have {SOURCE_LIMIT}")
    try:
        return _SANDBOX.parse(source)
    except TemplateSyntaxError as problem:
        raise TemplateProblem(f"line {problem.lineno}: {problem.message}") from problem
    except RecursionError as problem:
        raise TemplateProblem("is nested too deeply") from problem
    except ValueError as problem:  # a number of thousands of digits
        raise TemplateProblem(f"cannot be read: {problem}") from problem


def findings(tree: nodes.Template, fields: Fields) -> list[Finding]:
    """Everything in a template that is not on the list of allowed pieces; [] = it may run."""
    check = _Check(fields)
    check.statements(tree.body)
    return check.findings


def render(source: str, facts: Facts, rewrite: Callable[[nodes.Template], None] | None = None) -> str:
    """The template's output as it stands, white space and all; checked against the list first.

    `rewrite` may change the tree after that. Raises `TemplateProblem`, whose words begin with the line where one is
    known.
    """
    shape = tuple((name, _kinds(values)) for name, values in facts.items())
    template = _prepared(source, shape, rewrite)
    try:
        return "".join(_counted(template.generate(**facts)))
    except UndefinedError as problem:
        frames = traceback.extract_tb(problem.__traceback__)
        line = max((frame.lineno or 1 for frame in frames if frame.filename == "<template>"), default=1)
        hint = 'this entry does not have it; write | default("…") behind it, or {% if … is defined %} around it'
        raise TemplateProblem(f"line {line}: {problem.message}: {hint}") from problem


@lru_cache(maxsize=128)
def _prepared(source: str, shape: _Shape, rewrite: Callable[[nodes.Template], None] | None) -> Template:
    """Checked and compiled; kept, as a page shows the same templates again and again."""
    tree = parse(source)
    for line, found in findings(tree, {name: dict(kinds) for name, kinds in shape}):
        raise TemplateProblem(f"line {line}: {found}")
    if rewrite:
        rewrite(tree)
    return _SANDBOX.from_string(tree)


def _kinds(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    kinds = ((dict, "map"), (list, "list"), (object, "text"))
    return tuple((name, next(kind for of, kind in kinds if isinstance(value, of))) for name, value in values.items())


def _counted(pieces: Iterator[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > _RAW_LIMIT:
            raise TemplateProblem(f"makes more than {_RAW_LIMIT} characters; shorten with | words(30) or | limit(5)")
        yield piece
