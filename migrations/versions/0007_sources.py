"""Where the message stands that a record was made from, drafts, and what reactions mean."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _columns() -> tuple["sa.Column[Any]", ...]:
    """What a record gets, made anew for each run. Of what is already stored only the link is known."""
    return (
        sa.Column("source_channel_id", sa.String(), nullable=True),
        sa.Column("source_ts", sa.String(), nullable=True),
        sa.Column("source_thread_ts", sa.String(), nullable=True),
        sa.Column("source_change", sa.String(length=20), nullable=True),
        sa.Column("is_draft", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def upgrade() -> None:
    for column in _columns():
        op.add_column("record", column)
    op.create_index("ix_record_source", "record", ["workspace_id", "source_channel_id", "source_ts"])
    op.add_column("workspace", sa.Column("reactions", sa.JSON(), nullable=True))
    op.create_table(
        "capture",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "channel_id", "ts", "kind"),
    )


def downgrade() -> None:
    op.drop_table("capture")
    op.drop_column("workspace", "reactions")
    op.drop_index("ix_record_source", "record")
    for column in reversed(_columns()):
        op.drop_column("record", column.name)
