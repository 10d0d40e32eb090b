"""The rest of the fields of the kinds, amounts of money and a project's currency, actions that repeat,
confidential records,
watchers, and fields of a project's own."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

WORD = sa.String(length=20)  # one of a closed list of words, which the code keeps


def _text(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.String(), nullable=False, server_default="")


def _optional(name: str, kind: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, nullable=True)


def _columns() -> dict[str, tuple["sa.Column[Any]", ...]]:
    """Table -> the columns it gets, made anew for each run. What is already stored has nothing in them."""
    return {
        "project": (_optional("currency", sa.String()), _text("own_fields")),
        "record": (
            sa.Column("confidentiality", WORD, nullable=False, server_default="open"),
            sa.Column("own_values", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False, server_default="{}"),
            sa.Column("is_watched", sa.Boolean(), nullable=False, server_default=sa.false()),
        ),
        "action": (_optional("repeats", sa.String()), _optional("next_id", sa.Integer())),
        "risk": (
            *(_optional(f"impact_{part}", sa.Integer()) for part in ("schedule", "cost", "scope", "quality")),
            _text("objective"),
            _optional("cost", sa.String()),
            _optional("contingency_budget", sa.String()),
            _optional("escalation_level", WORD),
            _optional("accepted_by", sa.String()),
        ),
        "issue": (
            _optional("schedule_days", sa.Integer()),
            _optional("cost", sa.String()),
            _text("scope_effect"),
            _text("quality_effect"),
            _optional("decide_by", sa.Date()),
            _optional("escalation_level", WORD),
            _optional("escalated_on", sa.Date()),
            _optional("resolved_on", sa.Date()),
        ),
        "decision": (_text("effect"),),
        "assumption": (_optional("validator_id", sa.String()),),
        "dependency": (_optional("confirmation", WORD),),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "watcher",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "record_id", "person_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
    )


def downgrade() -> None:
    op.drop_table("watcher")
    for table, columns in reversed(_columns().items()):
        for column in reversed(columns):
            op.drop_column(table, column.name)
