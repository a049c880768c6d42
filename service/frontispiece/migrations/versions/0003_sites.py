"""Sites, so that each can be asked for what deliveries did not tell; their pauses; and photographs of products."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("looked", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
    )
    _make_pauses("name", 80)
    op.add_column("illustrations", sa.Column("photos", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("illustrations", "photos")
    _make_pauses("generator", 64)
    op.drop_table("sites")


def _make_pauses(key: str, length: int) -> None:
    """Anew, as SQLite cannot rename and widen a column; what is in it comes back by itself within minutes."""
    op.drop_table("pauses")
    op.create_table(
        "pauses",
        sa.Column(key, sa.String(length=length), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(key, name=op.f("pk_pauses")),
    )
