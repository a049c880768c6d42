"""What the queue looks for in an entry lies beside its illustrations, in the one index that the queue is read from."""

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

QUEUE = ["state", "updated", "id", "site", "kind", "section", "assignee", "rule", "sought"]


def upgrade() -> None:
    op.drop_index("ix_illustrations_state", table_name="illustrations")
    for name, size in (("site", 64), ("kind", 16), ("section", 200), ("sought", None)):
        kind = sa.String(size) if size else sa.Text()
        op.add_column("illustrations", sa.Column(name, kind, server_default="", nullable=False))
    _note_what_is_sought()
    op.create_index("ix_illustrations_queue", "illustrations", QUEUE)
    op.create_index("ix_illustrations_section", "illustrations", ["section"])
    op.drop_index("ix_entries_ref", table_name="entries")
    op.drop_index("ix_entries_sought", table_name="entries")
    op.drop_column("entries", "search")


def _note_what_is_sought() -> None:
    names = ("site", "kind", "section", "sought")
    entries = sa.table("entries", *(sa.column(name) for name in ("id", "site", "kind", "section", "title", "ref")))
    illustrations = sa.table("illustrations", *(sa.column(name) for name in ("entry_id", *names)))
    change = illustrations.update().where(illustrations.c.entry_id == sa.bindparam("number"))
    values: dict[str, Any] = {name: sa.bindparam(f"its_{name}") for name in names}
    rows = [_sought(dict(row)) for row in op.get_bind().execute(sa.select(entries)).mappings()]
    if rows:
        op.get_bind().execute(change.values(**values), rows)


def _sought(row: dict[str, Any]) -> dict[str, Any]:
    """As `records.sought` made it when this migration was written."""
    kept = {f"its_{name}": row[name] for name in ("site", "kind", "section")}
    sought = f"{_line(row['title'], 1000)}\n{_line(row['ref'], 300)}"
    return kept | {"number": row["id"], "its_sought": sought}


def _line(text: str, most: int) -> str:
    return " ".join(_flat(text).split()).encode()[:most].decode(errors="ignore")


def _flat(text: str) -> str:
    signs = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


def downgrade() -> None:
    op.add_column("entries", sa.Column("search", sa.String(300), server_default="", nullable=False))
    entries = sa.table("entries", sa.column("id"), sa.column("title"), sa.column("search"))
    rows = [{"number": row.id, "flat": _flat(row.title)[:300]} for row in op.get_bind().execute(sa.select(entries))]
    if rows:
        change = entries.update().where(entries.c.id == sa.bindparam("number"))
        op.get_bind().execute(change.values(search=sa.bindparam("flat")), rows)
    sought = ["section", "site", "kind", "search"]
    op.create_index("ix_entries_sought", "entries", sought, postgresql_include=["id"])
    op.create_index("ix_entries_ref", "entries", ["ref"], postgresql_include=["id"])
    op.drop_index("ix_illustrations_section", table_name="illustrations")
    op.drop_index("ix_illustrations_queue", table_name="illustrations")
    for name in ("sought", "section", "kind", "site"):
        op.drop_column("illustrations", name)
    op.create_index("ix_illustrations_state", "illustrations", ["state", "updated", "entry_id", "assignee", "rule"])
