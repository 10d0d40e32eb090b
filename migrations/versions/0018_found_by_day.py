"""Indexes by which the clock finds what is due for a person or to be reviewed, what is to be decided, what to send."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OWNER = ["workspace_id", "owner_id", "is_open"]
PROJECT = ["workspace_id", "project_id", "kind", "is_open"]
DUE = ["workspace_id", "state", "due_at"]


def upgrade() -> None:
    _replace([*OWNER, "due_date"], [*PROJECT, "status"], [*DUE, "id"])
    is_wanted = sa.text("next_review IS NOT NULL")
    columns = ["workspace_id", "owner_id", "next_review"]
    op.create_index("ix_record_review", "record", columns, sqlite_where=is_wanted, postgresql_where=is_wanted)


def downgrade() -> None:
    op.drop_index("ix_record_review", "record")
    _replace(OWNER, PROJECT, DUE)


def _replace(owner: list[str], project: list[str], due: list[str]) -> None:
    for table, name, columns in (
        ("record", "ix_record_owner", owner),
        ("record", "ix_record_project", project),
        ("delivery", "ix_delivery_due", due),
    ):
        op.drop_index(name, table)
        op.create_index(name, table, columns)
