"""Kind and priority in the indexes of lists, so that what they leave out is not read."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

OF_ALL = ["workspace_id", "is_open"]
OF_OWNER = ["workspace_id", "owner_id", "is_open"]
OF_PROJECT = ["workspace_id", "project_id", "is_open"]
BY_DUE_DATE = ["due_date", "place", "id"]
BY_END = ["closed_at", "id"]
SEEN = ["confidentiality", "is_archived"]

BEFORE = {
    "ix_record_due": [*OF_ALL, *BY_DUE_DATE, "owner_id", "project_id", *SEEN],
    "ix_record_owner": [*OF_OWNER, *BY_DUE_DATE, "project_id", *SEEN],
    "ix_record_closed": [*OF_PROJECT, *BY_END, "kind", *SEEN],
    "ix_record_ended": [*OF_ALL, *BY_END, "kind", "project_id", *SEEN],
}
AFTER = {
    "ix_record_due": [*OF_ALL, *BY_DUE_DATE, "owner_id", "project_id", "kind", "priority", *SEEN],
    "ix_record_owner": [*OF_OWNER, *BY_DUE_DATE, "project_id", "kind", "priority", *SEEN],
    "ix_record_closed": [*OF_PROJECT, *BY_END, "kind", "priority", *SEEN],
    "ix_record_ended": [*OF_ALL, *BY_END, "kind", "project_id", "priority", *SEEN],
}
OF_CLOSED = ("ix_record_closed", "ix_record_ended")


def upgrade() -> None:
    _replace(AFTER)


def downgrade() -> None:
    _replace(BEFORE)


def _replace(indexes: Mapping[str, list[str]]) -> None:
    where = {"sqlite_where": sa.text("is_open IS 0"), "postgresql_where": sa.text("is_open IS false")}
    for name, columns in indexes.items():
        op.drop_index(name, "record")
        op.create_index(name, "record", columns, **(where if name in OF_CLOSED else {}))
