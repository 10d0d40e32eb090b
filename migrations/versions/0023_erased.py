"""Marks of people whose traces were erased, by which Slack telling of them again is recognised."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erased",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "mark"),
    )


def downgrade() -> None:
    op.drop_table("erased")
