"""What a delivery asked of Slack and did not hear of yet, so that it can be looked for there.

And two indexes, so that the clock's work reads no more than it is about.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("call", sa.JSON(), nullable=True))
    # Without the note it would be certain that nothing was sent; of what the release before was sending it is not.
    op.execute(
        "UPDATE delivery SET state = 'unconfirmed', lease_until = NULL, last_error = 'an upgrade came between' "
        "WHERE state = 'sending'"
    )
    op.create_index("ix_standup_entry_state", "standup_entry", ["workspace_id", "state", "opens_at"])
    op.drop_index("ix_seen_request_at", "seen_request")
    op.create_index("ix_seen_request_age", "seen_request", ["workspace_id", "at"])


def downgrade() -> None:
    op.drop_index("ix_seen_request_age", "seen_request")
    op.create_index("ix_seen_request_at", "seen_request", ["at"])
    op.drop_index("ix_standup_entry_state", "standup_entry")
    op.drop_column("delivery", "call")
