"""Words of titles in the index once more, as their kind's, to find likely duplicates by; all of it up to date."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

INDEXES = ("ix_record_words", "ix_comment_words")
KINDS = "'action', 'assumption', 'decision', 'dependency', 'issue', 'risk'"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for index in INDEXES:
            op.execute(f"ALTER INDEX {index} SET (fastupdate = off)")
            op.execute(f"SELECT gin_clean_pending_list('{index}')")
    # What has no words is indexed when the schema is settled, see models/search.py.
    op.execute(f"UPDATE record SET words = '' WHERE kind IN ({KINDS})")


def downgrade() -> None:
    """The words stay: to the release before they are like any others, and nobody looks for them."""
    if op.get_bind().dialect.name == "postgresql":
        for index in INDEXES:
            op.execute(f"ALTER INDEX {index} RESET (fastupdate)")
