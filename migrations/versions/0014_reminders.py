"""When the clock reminds of a due time, and a project's channel of what is due."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

WAITING = {"sqlite_where": sa.text("remind_at IS NOT NULL"), "postgresql_where": sa.text("remind_at IS NOT NULL")}

# What is past for good: the clock's next look plans the reminder.
PLAN_ANEW = "'2000-01-01 00:00:00'"


def upgrade() -> None:
    op.add_column("record", sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_record_remind", "record", ["workspace_id", "remind_at"], **WAITING)
    zone = "" if op.get_bind().dialect.name == "sqlite" else "::timestamp AT TIME ZONE 'UTC'"
    op.execute(f"UPDATE record SET remind_at = {PLAN_ANEW}{zone} WHERE is_open AND due_time IS NOT NULL")
    for column in (
        sa.Column("remind_before_minutes", sa.Integer(), nullable=False, server_default="60"),
        sa.Column("channel_reminder", sa.String(length=20), nullable=False, server_default="off"),
        sa.Column("names_in_channel", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("next_reminder_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
    ):
        op.add_column("project", column)
    op.create_index("ix_project_next_reminder", "project", ["workspace_id", "next_reminder_at"])


def downgrade() -> None:
    op.drop_index("ix_project_next_reminder", "project")
    for column in (
        "reminded_on",
        "next_reminder_at",
        "names_in_channel",
        "channel_reminder",
        "remind_before_minutes",
    ):
        op.drop_column("project", column)
    op.drop_index("ix_record_remind", "record")
    op.drop_column("record", "remind_at")
