"""Indices in which queue, board and log are filtered and counted without a look at the rows themselves."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sought = ["section", "site", "kind", "search"]
    op.create_index("ix_entries_sought", "entries", sought, postgresql_include=["id"])
    op.create_index("ix_entries_ref", "entries", ["ref"], postgresql_include=["id"])
    op.drop_index("ix_illustrations_state", table_name="illustrations")
    columns = ["state", "updated", "entry_id", "assignee", "rule"]
    op.create_index("ix_illustrations_state", "illustrations", columns)
    op.create_index("ix_deliveries_heard", "deliveries", ["site", "received"])
    op.create_index("ix_reviews_at", "reviews", ["at"])


def downgrade() -> None:
    op.drop_index("ix_reviews_at", table_name="reviews")
    op.drop_index("ix_deliveries_heard", table_name="deliveries")
    op.drop_index("ix_illustrations_state", table_name="illustrations")
    op.create_index("ix_illustrations_state", "illustrations", ["state", "updated"])
    op.drop_index("ix_entries_ref", table_name="entries")
    op.drop_index("ix_entries_sought", table_name="entries")
