"""PostgreSQL's indexes of words tell a whole word from the beginnings of longer ones, see models/search.py."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

BEFORE = "words"
AFTER = r"regexp_replace(words, '.(?: |$)', '|\&', 'g')"


def upgrade() -> None:
    _index(AFTER)


def downgrade() -> None:
    _index(BEFORE)


def _index(words: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("record", "comment"):
            op.execute(f"DROP INDEX ix_{table}_words")
            op.execute(
                f"CREATE INDEX ix_{table}_words ON {table} USING gin "
                f"(array_to_tsvector(array_remove(string_to_array({words}, ' '), ''))) WITH (fastupdate = off)"
            )
