"""Settings of a project in depth: sponsor, working days and holidays, who may edit, archive; a person's project."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("project", sa.Column("sponsor_id", sa.String(), nullable=True))
    op.add_column(
        "project", sa.Column("working_days", sa.String(), nullable=False, server_default="mon tue wed thu fri")
    )
    op.add_column("project", sa.Column("holiday_country", sa.String(), nullable=True))
    op.add_column("project", sa.Column("holiday_subdivision", sa.String(), nullable=True))
    op.add_column("project", sa.Column("days_off", sa.String(), nullable=False, server_default=""))
    op.add_column("project", sa.Column("who_may_edit", sa.String(length=20), nullable=False, server_default="members"))
    op.add_column("project", sa.Column("may_others_log", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("project", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("current_project_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("person", "current_project_id")
    for name in (
        "archived_at",
        "may_others_log",
        "who_may_edit",
        "days_off",
        "holiday_subdivision",
        "holiday_country",
        "working_days",
        "sponsor_id",
    ):
        op.drop_column("project", name)
