"""Escalations: when a record's next step is due, whom it was asked of, and a project's settings for that."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_record_climb", ("climb_at", "owner_id"), "climb_at IS NOT NULL"),
    ("ix_record_climbing", ("project_id",), "climb_rung IS NOT NULL"),
)


def upgrade() -> None:
    op.add_column("project", sa.Column("escalates", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("project", sa.Column("grace_days", sa.Integer(), nullable=False, server_default="2"))
    op.add_column("record", sa.Column("climb_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("record", sa.Column("climb_rung", sa.String(length=20), nullable=True))
    op.add_column("record", sa.Column("climb_since", sa.DateTime(timezone=True), nullable=True))
    for name, columns, where in INDEXES:
        is_used = sa.text(where)
        op.create_index(name, "record", ["workspace_id", *columns], sqlite_where=is_used, postgresql_where=is_used)
    # Any instant that has passed makes the first ticks plan the records that are open.
    op.execute("UPDATE record SET climb_at = created_at WHERE is_open AND NOT is_archived AND NOT is_draft")
    op.create_table(
        "escalation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("concern", sa.String(), nullable=False),
        sa.Column("rung", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("heard_on", sa.Date(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
    )
    op.create_index("ix_escalation_record", "escalation", ["workspace_id", "record_id", "ended_at"])
    op.create_index("ix_escalation_person", "escalation", ["workspace_id", "person_id", "asked_at"])


def downgrade() -> None:
    op.drop_table("escalation")
    for name, _, _ in INDEXES:
        op.drop_index(name, "record")
    for name in ("climb_since", "climb_rung", "climb_at"):
        op.drop_column("record", name)
    for name in ("grace_days", "escalates"):
        op.drop_column("project", name)
