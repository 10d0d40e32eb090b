"""Indexes by which the clock finds what is due or to be reviewed for a person, and what a project has to decide."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OWNER = ["workspace_id", "owner_id", "is_open"]
PROJECT = ["workspace_id", "project_id", "kind", "is_open"]


def upgrade() -> None:
    _replace([*OWNER, "due_date"], [*PROJECT, "status"])
    is_wanted = sa.text("next_review IS NOT NULL")
    columns = ["workspace_id", "owner_id", "next_review"]
    op.create_index("ix_record_review", "record", columns, sqlite_where=is_wanted, postgresql_where=is_wanted)


def downgrade() -> None:
    op.drop_index("ix_record_review", "record")
    _replace(OWNER, PROJECT)


def _replace(owner: list[str], project: list[str]) -> None:
    for name, columns in (("ix_record_owner", owner), ("ix_record_project", project)):
        op.drop_index(name, "record")
        op.create_index(name, "record", columns)
