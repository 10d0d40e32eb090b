"""What Alembic runs for every command: on the connection it was given, inside that connection's transaction."""

from alembic import context
from sqlmodel import SQLModel

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    # SQLite cannot alter most of a table in place, so Alembic copies the table; what both engines do stays one text.
    render_as_batch=True,
    # Our SQLite connections begin for themselves (see models.database), so a failed step leaves nothing there either.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
