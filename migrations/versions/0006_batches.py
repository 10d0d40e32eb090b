"""Batches of changes, what was taken back by which change, and the last change of a person as one cheap question."""

from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

IN_BATCH = sa.text("batch IS NOT NULL")


def upgrade() -> None:
    op.add_column("history", sa.Column("batch", sa.String(), nullable=True))
    op.add_column("history", sa.Column("undone_by", sa.Integer(), nullable=True))
    op.create_index("ix_history_actor", "history", ["workspace_id", "actor_id", "id"])
    op.create_index(
        "ix_history_batch", "history", ["workspace_id", "batch"], sqlite_where=IN_BATCH, postgresql_where=IN_BATCH
    )
    _mark_what_was_undone()


def _mark_what_was_undone() -> None:
    """An undo took back the version right before it; the undo of an undo brought that version back."""
    connection = op.get_bind()
    undone = "SELECT DISTINCT record_id, version FROM history WHERE act = 'undone' ORDER BY record_id, version"
    for record_id, rows in groupby(connection.execute(sa.text(undone)).all(), key=itemgetter(0)):
        for first, last in _runs([version for _, version in rows]):
            if (last - first) % 2 == 0:
                mark = sa.text("UPDATE history SET undone_by = :last WHERE record_id = :record AND version = :version")
                connection.execute(mark, {"last": last, "record": record_id, "version": first - 1})


def _runs(versions: list[int]) -> list[tuple[int, int]]:
    """The first and last of each stretch of versions without a gap."""
    runs: list[tuple[int, int]] = []
    for version in versions:
        if runs and version == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], version
        else:
            runs.append((version, version))
    return runs


def downgrade() -> None:
    op.drop_index("ix_history_batch", "history")
    op.drop_index("ix_history_actor", "history")
    op.drop_column("history", "undone_by")
    op.drop_column("history", "batch")
