"""A decision keeps what the illustration was before it; which image may be replaced is no longer a yes for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.add_column(sa.Column("was", sa.JSON(), server_default="{}", nullable=False))
    with op.batch_alter_table("illustrations", schema=None) as batch_op:
        batch_op.drop_column("may_replace")


def downgrade() -> None:
    with op.batch_alter_table("illustrations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("may_replace", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.drop_column("was")
