"""What the review desk keeps: comments, links, saved views, what was answered; and what a search looks at."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_answers")),
        sa.UniqueConstraint("who", "key", name=op.f("uq_kept_answers_who")),
    )
    with op.batch_alter_table("kept_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_answers_at"), ["at"], unique=False)

    op.create_table(
        "template_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=12), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_versions")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_template_versions_name")),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_views_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_saved_views_user_id")),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("illustration_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["illustration_id"], ["illustrations.id"], name=op.f("fk_comments_illustration_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_comments_illustration_id"), ["illustration_id"], unique=False)

    op.create_table(
        "links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("notice", sa.String(length=64), nullable=False),
        sa.Column("illustration_id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("used", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["illustration_id"], ["illustrations.id"], name=op.f("fk_links_illustration_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("key", name=op.f("uq_links_key")),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_illustration_id"), ["illustration_id"], unique=False)

    op.create_table(
        "presences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("illustration_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["illustration_id"], ["illustrations.id"], name=op.f("fk_presences_illustration_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presences")),
        sa.UniqueConstraint("illustration_id", "name", name=op.f("uq_presences_illustration_id")),
    )
    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.add_column(sa.Column("colour", sa.String(length=7), server_default="", nullable=False))
        batch_op.add_column(sa.Column("by", sa.String(length=80), server_default="", nullable=False))
        batch_op.alter_column("render_id", existing_type=sa.INTEGER(), nullable=True)

    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("section", sa.String(length=200), server_default="", nullable=False))
        batch_op.add_column(sa.Column("search", sa.String(length=300), server_default="", nullable=False))

    with op.batch_alter_table("illustrations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("alts", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("captions", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("focal", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("assignee", sa.String(length=80), server_default="", nullable=False))

    with op.batch_alter_table("renders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("template", sa.String(length=80), server_default="", nullable=False))
        batch_op.add_column(sa.Column("parent_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("by", sa.String(length=80), server_default="", nullable=False))

    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.add_column(sa.Column("chips", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("before", sa.String(length=16), server_default="", nullable=False))
        batch_op.add_column(sa.Column("undone", sa.Double(), nullable=True))

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject", sa.String(length=400), nullable=True))
        batch_op.add_column(sa.Column("language", sa.String(length=8), server_default="", nullable=False))
        batch_op.create_unique_constraint(batch_op.f("uq_users_subject"), ["subject"])

    _note_what_is_sought()


def _note_what_is_sought() -> None:
    """Section and title out of the snapshots of the entries that are there."""
    entries = sa.table(
        "entries",
        sa.column("id", sa.Integer()),
        sa.column("title", sa.Text()),
        sa.column("snapshot", sa.JSON()),
        sa.column("section", sa.String()),
        sa.column("search", sa.String()),
    )
    connection = op.get_bind()
    for number, title, snapshot in connection.execute(
        sa.select(entries.c.id, entries.c.title, entries.c.snapshot)
    ).all():
        section = str((snapshot or {}).get("section") or "")[:200].replace("\0", "")
        values = {"section": section, "search": _flat(title)}
        connection.execute(entries.update().where(entries.c.id == number).values(**values))


def _flat(text: str) -> str:
    """As `records.searchable` made it when this migration was written."""
    signs = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in signs if not unicodedata.combining(sign))[:300]


def downgrade() -> None:
    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_users_subject"), type_="unique")
    columns = {
        "users": ("subject", "language"),
        "reviews": ("chips", "before", "undone"),
        "renders": ("template", "parent_id", "by"),
        "illustrations": ("alts", "captions", "focal", "assignee"),
        "entries": ("section", "search"),
        "candidates": ("colour", "by"),
    }
    op.execute("DELETE FROM candidates WHERE render_id IS NULL")
    with op.batch_alter_table("candidates") as batch_op:
        batch_op.alter_column("render_id", existing_type=sa.Integer(), nullable=False)
    for table, names in columns.items():
        with op.batch_alter_table(table) as batch_op:
            for name in names:
                batch_op.drop_column(name)
    for table in ("presences", "links", "comments", "saved_views", "template_versions", "kept_answers"):
        op.drop_table(table)
