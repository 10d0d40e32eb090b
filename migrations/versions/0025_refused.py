"""Since when Slack refuses an installation, or a workspace of an organisation's, and when it last did."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ADDED = [(table, name) for table in ("installation", "workspace") for name in ("refused_since", "refused_at")]


def upgrade() -> None:
    for table, name in ADDED:
        op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table, name in ADDED:
        op.drop_column(table, name)
