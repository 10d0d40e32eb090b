"""Comments are found by their words, and can be reworded.

The program fills in the words of comments that are there already, as it does whenever they are empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE comment_words USING fts5("
    "words, content='comment', content_rowid='id', tokenize='ascii', detail='none', columnsize=0)",
    "CREATE TRIGGER comment_words_added AFTER INSERT ON comment BEGIN "
    "INSERT INTO comment_words (rowid, words) VALUES (new.id, new.words); END",
    "CREATE TRIGGER comment_words_removed AFTER DELETE ON comment BEGIN "
    "INSERT INTO comment_words (comment_words, rowid, words) VALUES ('delete', old.id, old.words); END",
    "CREATE TRIGGER comment_words_changed AFTER UPDATE OF words ON comment WHEN old.words <> new.words BEGIN "
    "INSERT INTO comment_words (comment_words, rowid, words) VALUES ('delete', old.id, old.words); "
    "INSERT INTO comment_words (rowid, words) VALUES (new.id, new.words); END",
)
POSTGRESQL_INDEX = (
    "CREATE INDEX ix_comment_words ON comment USING gin "
    "(array_to_tsvector(array_remove(string_to_array(words, ' '), '')))"
)


def upgrade() -> None:
    with op.batch_alter_table("comment") as comment:
        comment.add_column(sa.Column("words", sa.String(), nullable=False, server_default=""))
        comment.add_column(sa.Column("reworded_at", sa.DateTime(timezone=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE_INDEX:
            op.execute(statement)
        op.execute("INSERT INTO comment_words (comment_words) VALUES ('rebuild')")
    else:
        op.execute(POSTGRESQL_INDEX)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("added", "removed", "changed"):
            op.execute(f"DROP TRIGGER comment_words_{trigger}")
        op.execute("DROP TABLE comment_words")
    else:
        op.execute("DROP INDEX ix_comment_words")
    with op.batch_alter_table("comment") as comment:
        comment.drop_column("reworded_at")
        comment.drop_column("words")
