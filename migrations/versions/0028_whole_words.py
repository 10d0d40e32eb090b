"""PostgreSQL's indexes of words tell a whole word from the beginnings of longer ones, see models/search.py."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KINDS = "'action', 'assumption', 'decision', 'dependency', 'issue', 'risk'"
BEFORE = "words"
AFTER = 'reverse(initcap(reverse(words) COLLATE "C"))'
# Words in which a letter of another alphabet follows one of a to z have parts that are words too.
MIXED = {"postgresql": "words ~ '[a-z][^ -~‖]'", "sqlite": "words GLOB '*[a-z][^ -~‖]*'"}


def upgrade() -> None:
    _index(AFTER)
    mixed = MIXED[op.get_bind().dialect.name]
    # What has no words is indexed when the schema is settled, see models/search.py.
    op.execute(f"UPDATE record SET words = '' WHERE kind IN ({KINDS}) AND {mixed}")
    op.execute(f"UPDATE comment SET words = '' WHERE {mixed}")


def downgrade() -> None:
    """The words stay: to the release before they are like any others."""
    _index(BEFORE)


def _index(words: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ("record", "comment"):
            op.execute(f"DROP INDEX ix_{table}_words")
            op.execute(
                f"CREATE INDEX ix_{table}_words ON {table} USING gin "
                f"(array_to_tsvector(array_remove(string_to_array({words}, ' '), ''))) WITH (fastupdate = off)"
            )
