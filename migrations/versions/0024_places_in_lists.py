"""Where records stand in lists, as numbers in the indexes, so that a page costs what it shows and not what there is."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# As models/ranks.py says, at the time of this step.
DAY = {
    "sqlite": "CAST(julianday(due_date) - 1721424.5 AS INTEGER)",
    "postgresql": "due_date - DATE '0001-01-01' + 1",
}
MINUTE = {
    "sqlite": "CAST(substr(due_time, 1, 2) AS INTEGER) * 60 + CAST(substr(due_time, 4, 2) AS INTEGER)",
    "postgresql": "CAST(extract(hour FROM due_time) * 60 + extract(minute FROM due_time) AS INTEGER)",
}
BELOW_CRITICAL = "CASE priority WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END"
KIND_RANKS = {
    "risk": "-coalesce(probability * impact, 0)",
    "issue": "CASE severity WHEN '1' THEN 0 WHEN '2' THEN 1 WHEN '3' THEN 2 WHEN '4' THEN 3 ELSE 99 END",
    "assumption": "CASE confidence WHEN 'low' THEN 0 WHEN 'medium' THEN 1 WHEN 'high' THEN 2 ELSE 99 END",
    "dependency": "CASE light WHEN 'red' THEN 0 WHEN 'amber' THEN 1 WHEN 'green' THEN 2 ELSE 99 END",
}

OF_ALL = ["workspace_id", "is_open"]
OF_OWNER = ["workspace_id", "owner_id", "is_open"]
OF_PROJECT = ["workspace_id", "project_id", "is_open"]
OF_KIND = ["workspace_id", "project_id", "kind", "is_open"]
BY_DUE_DATE = ["due_date", "place", "id"]
BY_RANK = ["kind_rank", "place", "id"]
BY_END = ["closed_at", "id"]
SEEN = ["confidentiality", "is_archived"]

BEFORE = {
    "ix_record_due": [*OF_ALL, "due_date", "owner_id"],
    "ix_record_owner": [*OF_OWNER, "due_date"],
    "ix_record_project": [*OF_KIND, "status"],
}
AFTER = {
    "ix_record_due": [*OF_ALL, *BY_DUE_DATE, "owner_id", "project_id", *SEEN],
    "ix_record_owner": [*OF_OWNER, *BY_DUE_DATE, "project_id", *SEEN],
    "ix_record_listed": [*OF_PROJECT, *BY_DUE_DATE, "kind", "priority", *SEEN],
    "ix_record_kind": [*OF_KIND, *BY_RANK, "priority", "due_date", *SEEN],
    "ix_record_project": [*OF_KIND, "status", *BY_RANK, *SEEN],
}
AFTER_CLOSING = {
    "ix_record_closed": [*OF_PROJECT, *BY_END, "kind", *SEEN],
    "ix_record_ended": [*OF_ALL, *BY_END, "kind", "project_id", *SEEN],
}


def upgrade() -> None:
    # SQLite takes a column without a default only where it may be empty.
    op.add_column("record", sa.Column("place", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("record", sa.Column("kind_rank", sa.Integer(), nullable=False, server_default="0"))
    engine = op.get_bind().dialect.name
    kinds = " ".join(
        f"WHEN '{kind}' THEN (SELECT {rank} FROM {kind} WHERE {kind}.record_id = record.id)"
        for kind, rank in KIND_RANKS.items()
    )
    op.execute(
        f"UPDATE record SET place = coalesce({DAY[engine]}, 3652060) * CAST(5764 AS BIGINT)"
        f" + coalesce({MINUTE[engine]}, 1440) * 4 + {BELOW_CRITICAL}, kind_rank = coalesce(CASE kind {kinds} END, 0)"
    )
    _drop(BEFORE)
    for name, columns in AFTER.items():
        op.create_index(name, "record", columns)
    where = {"sqlite_where": sa.text("is_open IS 0"), "postgresql_where": sa.text("is_open IS false")}
    for name, columns in AFTER_CLOSING.items():
        op.create_index(name, "record", columns, **where)


def downgrade() -> None:
    _drop([*AFTER, *AFTER_CLOSING])
    for name, columns in BEFORE.items():
        op.create_index(name, "record", columns)
    op.drop_column("record", "kind_rank")
    op.drop_column("record", "place")


def _drop(names: Iterable[str]) -> None:
    for name in names:
        op.drop_index(name, "record")
