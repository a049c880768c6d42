"""Whatever a CMS keeps text as, in plain text: HTML, and the trees of the rich text editors."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

BLOCKS = re.compile(r"address|article|aside|blockquote|br|d[dlt]|div|fig\w+|h[1-6r]|li|[ou]l|p|pre|section|t[adhr]\w*")
HIDDEN = ("script", "style", "template")
CHILDREN = ("children", "content", "root")


class _Text(HTMLParser):
    """Collects what a reader would see; a block begins a new line."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.hidden = "", 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the base class's signature
        self.hidden += tag in HIDDEN
        self.text += "\n" if BLOCKS.fullmatch(tag) else ""

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in HIDDEN and self.hidden > 0
        self.text += "\n" if BLOCKS.fullmatch(tag) else ""

    def handle_data(self, data: str) -> None:
        self.text += "" if self.hidden else data.replace("\n", " ")


def plain(html: str) -> str:
    """HTML as plain text, one line for each block."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    return _lines(parser.text)


def plain_tree(node: Any) -> str:
    """Rich text kept as JSON as plain text, one line for each block; text itself is read as HTML.

    Knows what Contentful, Sanity's Portable Text, Strapi's blocks, Lexical, Slate and ProseMirror have in common:
    a leaf has `text` (Contentful: `value`), all others `children` or `content`.
    """
    return plain(node) if isinstance(node, str) else _lines(_tree(node))


def shortened(text: str, most: int) -> str:
    """Not longer than `most` characters, and cut between words."""
    return text if len(text) <= most else f"{text[: most - 1].rsplit(' ', 1)[0]}…"


def _tree(node: Any) -> str:
    if isinstance(node, list):
        return "".join(map(_tree, node))
    if not isinstance(node, Mapping):
        return ""
    leaf = node.get("text", node.get("value"))
    if isinstance(leaf, str):
        return leaf
    inside = "".join(_tree(node[name]) for name in CHILDREN if name in node)
    return inside if node.get("type", node.get("nodeType")) in ("link", "hyperlink") else f"\n{inside}\n"


def _lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
