"""The fields of the kinds in depth, assumptions and dependencies, moved due dates, and why a step was taken."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORD = sa.String(length=20)  # one of a closed list of words, which the code keeps


def _text(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.String(), nullable=False, server_default="")


def _count(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _people(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.JSON(), nullable=False, server_default="[]")


def _optional(name: str, kind: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=True)


def _columns() -> dict[str, tuple["sa.Column[Any]", ...]]:
    """Table -> the columns it gets, made anew for each run. What is already stored has nothing in them."""
    return {
        "record": (
            _optional("first_due_date", sa.Date()),
            _count("due_moves"),
            _optional("next_review", sa.Date()),
            _text("remark"),
        ),
        "action": (_text("effort"), _text("result")),
        "risk": (
            _text("cause"),
            _text("effect"),
            _optional("nature", WORD),
            _optional("category", WORD),
            _optional("proximity", WORD),
            _optional("trigger_date", sa.Date()),
            _text("trigger_sign"),
            _text("contingency"),
            _optional("residual_probability", sa.Integer()),
            _optional("residual_impact", sa.Integer()),
            _optional("closed_as", WORD),
        ),
        "issue": (
            _optional("issue_type", WORD),
            _text("effect"),
            _text("root_cause"),
            _optional("decider_id", sa.String()),
            _optional("escalated_to", sa.String()),
            _text("resolution"),
            _text("ticket"),
            _count("reopened"),
        ),
        "decision": (
            _people("deciders"),
            _text("problem"),
            _text("drivers"),
            _text("consequences"),
            _text("confirmation"),
            _optional("reversibility", WORD),
            _people("consulted"),
            _people("informed"),
        ),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    # The oldest date we know of is the first promise of what is already stored.
    op.execute("UPDATE record SET first_due_date = due_date")
    op.create_table(
        "assumption",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("confidence", WORD, nullable=True),
        sa.Column("if_false", sa.String(), nullable=False),
        sa.Column("how_checked", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("record_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
    )
    op.create_table(
        "dependency",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("direction", WORD, nullable=True),
        sa.Column("promised", sa.Date(), nullable=True),
        sa.Column("light", WORD, nullable=True),
        sa.Column("if_late", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("record_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
    )


def downgrade() -> None:
    # The release before knows no such kinds, and could not show a record of one.
    its_kinds = "kind IN ('assumption', 'dependency')"
    for table in ("history", "card", "delivery", "record_tag"):
        op.execute(f"DELETE FROM {table} WHERE record_id IN (SELECT id FROM record WHERE {its_kinds})")
    op.drop_table("dependency")
    op.drop_table("assumption")
    op.execute(f"DELETE FROM record WHERE {its_kinds}")
    for table, columns in reversed(_columns().items()):
        for column in reversed(columns):
            op.drop_column(table, column.name)
