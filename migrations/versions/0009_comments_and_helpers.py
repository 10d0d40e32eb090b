"""Comments and helpers of records, and the way from a record to the messages about it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HELPERS = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("record", sa.Column("helpers", HELPERS, nullable=False, server_default="[]"))
    op.create_table(
        "record_helper",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "person_id", "record_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
    )
    op.create_index("ix_record_helper_record", "record_helper", ["workspace_id", "record_id"])
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
    )
    op.create_index("ix_comment_record", "comment", ["workspace_id", "record_id", "id"])
    op.create_index("ix_delivery_record", "delivery", ["workspace_id", "record_id", "kind"])


def downgrade() -> None:
    op.drop_index("ix_delivery_record", "delivery")
    op.drop_table("comment")
    op.drop_table("record_helper")
    op.drop_column("record", "helpers")
