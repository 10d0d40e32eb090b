"""Since when Slack refuses the token of an installation, and when it last did."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

COLUMNS = ("refused_since", "refused_at")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("installation", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("installation", name)
