"""Words of titles in the index once more, as their kind's, to find likely duplicates by; all of it up to date."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# What has no words is indexed when the schema is settled, see models/search.py.
KINDS = "'action', 'assumption', 'decision', 'dependency', 'issue', 'risk'"
FORGET = f"UPDATE record SET words = '' WHERE kind IN ({KINDS})"
INDEXES = ("ix_record_words", "ix_comment_words")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for index in INDEXES:
            op.execute(f"ALTER INDEX {index} SET (fastupdate = off)")
            op.execute(f"SELECT gin_clean_pending_list('{index}')")
        op.execute(FORGET)
    else:
        _forget_in_sqlite()


def _forget_in_sqlite() -> None:
    # The trigger would take the words of each row out of the index, which takes longer than to make it anew.
    run = op.get_bind().exec_driver_sql
    trigger = run("SELECT sql FROM sqlite_master WHERE name = 'record_words_changed'").scalar_one()
    run("DROP TRIGGER record_words_changed")
    run(FORGET)
    run(trigger)
    run("INSERT INTO record_words (record_words) VALUES ('rebuild')")


def downgrade() -> None:
    """The words stay: to the release before they are like any others, and nobody looks for them."""
    if op.get_bind().dialect.name == "postgresql":
        for index in INDEXES:
            op.execute(f"ALTER INDEX {index} RESET (fastupdate)")
