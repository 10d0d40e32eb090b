"""When each project's weekly summary is due, and the headline and the fate of each."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is there already begins to post once somebody turns that on in its settings.
    op.add_column("project", sa.Column("has_summary", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("project", sa.Column("summary_day", sa.String(), nullable=False, server_default="fri"))
    op.add_column("project", sa.Column("summary_at", sa.Time(), nullable=False, server_default="15:00:00"))
    op.add_column("project", sa.Column("next_summary_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_project_summary", "project", ["workspace_id", "next_summary_at"])
    op.create_table(
        "weekly_summary",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("headline", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "project_id", "day"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
    )


def downgrade() -> None:
    op.drop_table("weekly_summary")
    op.drop_index("ix_project_summary", "project")
    for column in ("next_summary_at", "summary_at", "summary_day", "has_summary"):
        op.drop_column("project", column)
