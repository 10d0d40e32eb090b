"""Inserts that two units may attempt at the same moment: one adds the row, the other meets it.

The one place that knows how the two databases say so. They go through the session's connection, since the workspace
filter of ORM statements has no place in an insert; the workspace is filled in here instead.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

Row = Mapping[str, Any]

# What one statement may hold: SQLite takes 32,766 arguments, PostgreSQL's protocol 32,767.
ARGUMENTS_MAX = 30_000


def insert_into(table: type[SQLModel], dialect: str) -> postgresql.Insert:
    """The database's own INSERT, which has ON CONFLICT; both databases' share the words used here."""
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: postgresql.Insert = insert(table.__table__)  # type: ignore[attr-defined]
    return statement


async def add_missing(session: AsyncSession, table: type[SQLModel], rows: Sequence[Row]) -> int:
    """Insert the rows whose key is not there yet; how many that were. One statement unless they are thousands."""
    if not rows:
        return 0
    statement = insert_into(table, session.get_bind().dialect.name).on_conflict_do_nothing()
    connection = await session.connection()
    at_once = ARGUMENTS_MAX // (len(rows[0]) + 1)
    added = 0
    for start in range(0, len(rows), at_once):
        values = [{"workspace_id": workspace_of(session), **row} for row in rows[start : start + at_once]]
        # What holds the values of several rows is compiled anew each time; a single row's go beside it.
        told = (statement, values[0]) if len(values) == 1 else (statement.values(values),)
        added += (await connection.execute(*told)).rowcount
    return added


async def add_rows(session: AsyncSession, rows: Sequence[SQLModel]) -> None:
    """Insert new rows of any tables, in their order; one statement a table. They become no part of the session.

    For many rows at once: the session's own way takes a statement each where it has to learn a row's id on SQLite.
    """
    tables: dict[type[SQLModel], list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(type(row), []).append(dict(row))
    connection = await session.connection()
    for table, values in tables.items():
        given_out = table.__table__.autoincrement_column  # type: ignore[attr-defined]
        left_out = {given_out.key} if given_out is not None else set()
        workspace = {"workspace_id": workspace_of(session)}
        whole = [{key: value for key, value in row.items() if key not in left_out} | workspace for row in values]
        await connection.execute(insert_into(table, session.get_bind().dialect.name), whole)


async def count_up(session: AsyncSession, table: type[SQLModel], key: Row, column: str, *, by: int = 1) -> int:
    """Add to the column, or begin it there; the new value. The row stays locked until the transaction ends."""
    statement = insert_into(table, session.get_bind().dialect.name)
    counted = getattr(table, column)
    key = {"workspace_id": workspace_of(session), **key}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_={column: counted + by})
    connection = await session.connection()
    return int((await connection.execute(statement.returning(counted), {**key, column: by})).scalar_one())


def workspace_of(session: AsyncSession) -> str:
    """The workspace that the session was opened for."""
    return str(session.sync_session.info["workspace_id"])
