"""Tables of figures, as a page shows them and as a spreadsheet opens them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from flask import Response

from frontispiece.web.i18n import Lazy

Cell = str | int | float | None
Kind = Literal["text", "count", "share", "dollars", "part"]

MARK = "\ufeff"  # at the start of the file: without it Excel takes UTF-8 for something else
# What a spreadsheet would take for a formula: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
AT_ONCE = 200  # lines that are sent together


@dataclass(frozen=True)
class Column:
    """`name` in a file, `words` on a page; a "part" is a share of the whole that needs no words of its own."""

    name: str
    words: Lazy
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """`title` and `note` say what it is, `empty` what to say where there is nothing."""

    name: str
    title: Lazy
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: Lazy
    note: Lazy | str = ""


def defused(cell: Cell) -> Cell:
    """The cell, with an apostrophe before a text that a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def lines(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The file in pieces."""
    yield MARK + _written([head])
    rest = iter(rows)
    while some := list(islice(rest, AT_ONCE)):
        yield _written([[defused(cell) for cell in row] for row in some])


def _written(rows: Iterable[Sequence[Cell]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def answer(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A download of that name (without its ending), sent while it is made."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(lines(head, rows), mimetype="text/csv", headers=headers)


def download(table: Table, name: str) -> Response:
    """A table as a file."""
    return answer(name, [column.name for column in table.columns], table.rows)
