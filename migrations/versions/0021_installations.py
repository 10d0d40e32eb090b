"""Where Steward is installed, when somebody installs it through Slack's own pages."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "installation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("enterprise_id", sa.String(), nullable=True),
        sa.Column("app_id", sa.String(), nullable=False),
        sa.Column("bot_user_id", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("sealed_tokens", sa.Text(), nullable=True),
        sa.Column("expires_at", instant, nullable=True),
        sa.Column("refreshing_until", instant, nullable=True),
        sa.Column("refresh_error", sa.String(), nullable=True),
        sa.Column("installed_by", sa.String(), nullable=False),
        sa.Column("installed_at", instant, nullable=False),
        sa.Column("removed_at", instant, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "install_state",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_install_state_expires_at", "install_state", ["expires_at"])
    op.add_column("workspace", sa.Column("installation_id", sa.String(), nullable=True))
    op.add_column("workspace", sa.Column("removed_at", instant, nullable=True))


def downgrade() -> None:
    op.drop_column("workspace", "removed_at")
    op.drop_column("workspace", "installation_id")
    op.drop_index("ix_install_state_expires_at", "install_state")
    op.drop_table("install_state")
    op.drop_table("installation")
