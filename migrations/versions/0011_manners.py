"""What a person wants of the clock, records they want no reminder of, and how early a project reminds."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAGS = {"sqlite_where": sa.text("is_nag = 1"), "postgresql_where": sa.text("is_nag")}


def upgrade() -> None:
    for column in (
        sa.Column("digest_at", sa.Time(), nullable=False, server_default="09:00:00"),
        sa.Column("wants_digest", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("nags_a_day", sa.Integer(), nullable=False, server_default="3"),
        sa.Column("next_digest_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("person", column)
    op.create_index("ix_person_next_digest", "person", ["workspace_id", "next_digest_at"])
    op.create_table(
        "mute",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "person_id", "record_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
    )
    op.add_column("project", sa.Column("lead_days", sa.Integer(), nullable=False, server_default="2"))
    op.add_column("delivery", sa.Column("is_nag", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_delivery_nag", "delivery", ["workspace_id", "target", "due_at"], **NAGS)
    op.create_index("ix_absence_deputy", "absence", ["workspace_id", "deputy_id", "last_day"])


def downgrade() -> None:
    op.drop_index("ix_absence_deputy", "absence")
    op.drop_index("ix_delivery_nag", "delivery")
    op.drop_column("delivery", "is_nag")
    op.drop_column("project", "lead_days")
    op.drop_table("mute")
    op.drop_index("ix_person_next_digest", "person")
    for column in ("next_digest_at", "nags_a_day", "quiet_until", "quiet_from", "wants_digest", "digest_at"):
        op.drop_column("person", column)
