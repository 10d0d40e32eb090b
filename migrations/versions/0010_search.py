"""What records are found by: their words, and each database's index over them.

The program fills in the words of records that are there already, as it does whenever they are empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE record_words USING fts5("
    "words, content='record', content_rowid='id', tokenize='ascii', detail='none', columnsize=0)",
    "CREATE TRIGGER record_words_added AFTER INSERT ON record BEGIN "
    "INSERT INTO record_words (rowid, words) VALUES (new.id, new.words); END",
    "CREATE TRIGGER record_words_removed AFTER DELETE ON record BEGIN "
    "INSERT INTO record_words (record_words, rowid, words) VALUES ('delete', old.id, old.words); END",
    "CREATE TRIGGER record_words_changed AFTER UPDATE OF words ON record WHEN old.words <> new.words BEGIN "
    "INSERT INTO record_words (record_words, rowid, words) VALUES ('delete', old.id, old.words); "
    "INSERT INTO record_words (rowid, words) VALUES (new.id, new.words); END",
)
POSTGRESQL_INDEX = (
    "CREATE INDEX ix_record_words ON record USING gin "
    "(array_to_tsvector(array_remove(string_to_array(words, ' '), '')))"
)


def upgrade() -> None:
    with op.batch_alter_table("record") as record:
        record.add_column(sa.Column("words", sa.String(), nullable=False, server_default=""))
        record.add_column(sa.Column("title_words", sa.String(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE_INDEX:
            op.execute(statement)
        op.execute("INSERT INTO record_words (record_words) VALUES ('rebuild')")
    else:
        op.execute(POSTGRESQL_INDEX)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("added", "removed", "changed"):
            op.execute(f"DROP TRIGGER record_words_{trigger}")
        op.execute("DROP TABLE record_words")
    else:
        op.execute("DROP INDEX ix_record_words")
    with op.batch_alter_table("record") as record:
        record.drop_column("title_words")
        record.drop_column("words")
