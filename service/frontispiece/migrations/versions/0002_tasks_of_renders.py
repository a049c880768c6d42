"""What a render is asked for beside text to image, and the pauses of generators."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column("generator", sa.String(length=64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("generator", name=op.f("pk_pauses")),
    )
    op.add_column("renders", sa.Column("task", sa.String(length=16), server_default="text-to-image", nullable=False))
    op.add_column("renders", sa.Column("given", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("renders", sa.Column("mask", sa.Text(), server_default="", nullable=False))
    op.add_column("renders", sa.Column("margins", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("renders", sa.Column("final", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    for column in ("final", "margins", "mask", "given", "task"):
        op.drop_column("renders", column)
    op.drop_table("pauses")
