"""Links between records."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("from_id", "type", "to_id"),
        sa.ForeignKeyConstraint(["from_id"], ["record.id"]),
        sa.ForeignKeyConstraint(["to_id"], ["record.id"]),
    )
    op.create_index("ix_link_to", "link", ["workspace_id", "to_id"])


def downgrade() -> None:
    op.drop_table("link")
