"""Tags of records, and the table by which they are found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("record") as record:
        record.add_column(sa.Column("tags", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "record_tag",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "tag", "record_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
    )
    op.create_index("ix_record_tag_record", "record_tag", ["workspace_id", "record_id"])


def downgrade() -> None:
    op.drop_table("record_tag")
    with op.batch_alter_table("record") as record:
        record.drop_column("tags")
