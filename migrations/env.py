"""What Alembic runs for every command: on the connection it was given, inside that connection's transaction."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Enum
from sqlmodel import AutoString, SQLModel
from sqlmodel.sql.sqltypes import UTCDateTime


def plain_type(what: str, found: Any, _: Any) -> str | Literal[False]:
    """A column's type as a step should write it: what the database knows, nothing that the models may rename."""
    if what == "type" and isinstance(found, AutoString):
        return "sa.String()"
    if what == "type" and isinstance(found, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if what == "type" and isinstance(found, Enum):
        return f"sa.String(length={found.length})"
    return False


def is_described(name: str | None, *_: Any) -> bool:
    """Whether both engines have it: each has its own index over the words of records, written by hand in a step."""
    return not (name or "").removeprefix("ix_").startswith(("record_words", "comment_words"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=plain_type,
    include_name=is_described,
    # SQLite cannot alter most of a table in place, so Alembic copies the table; what both engines do stays one text.
    render_as_batch=True,
    # Our SQLite connections begin for themselves (see models.database), so a failed step leaves nothing there either.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
