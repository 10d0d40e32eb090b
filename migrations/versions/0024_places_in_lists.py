"""Where records stand in lists, as numbers in the indexes, so that a page costs what it shows and not what there is."""

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

BY_DUE_DATE = ["due_date", "place", "id"]
BY_KIND = ["kind_rank", "place", "id"]
DUE = ["workspace_id", "is_open"]
OWNER = ["workspace_id", "owner_id", "is_open"]
KIND = ["workspace_id", "project_id", "kind", "is_open"]


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
    _replace([*DUE, *BY_DUE_DATE, "owner_id"], [*OWNER, *BY_DUE_DATE], [*KIND, "status", *BY_KIND])
    op.create_index("ix_record_listed", "record", ["workspace_id", "project_id", "is_open", *BY_DUE_DATE])
    op.create_index("ix_record_kind", "record", [*KIND, *BY_KIND])
    op.create_index(
        "ix_record_closed",
        "record",
        ["workspace_id", "project_id", "is_open", "closed_at", "id"],
        sqlite_where=sa.text("is_open IS 0"),
        postgresql_where=sa.text("is_open IS false"),
    )


def downgrade() -> None:
    for name in ("ix_record_closed", "ix_record_kind", "ix_record_listed"):
        op.drop_index(name, "record")
    _replace([*DUE, "due_date", "owner_id"], [*OWNER, "due_date"], [*KIND, "status"])
    op.drop_column("record", "kind_rank")
    op.drop_column("record", "place")


def _replace(due: list[str], owner: list[str], project: list[str]) -> None:
    for name, columns in (("ix_record_due", due), ("ix_record_owner", owner), ("ix_record_project", project)):
        op.drop_index(name, "record")
        op.create_index(name, "record", columns)
