"""A workspace that is gone: every row of it is deleted, in every table that there is."""

from typing import Any

from sqlalchemy import Table, delete, select, tuple_
from sqlmodel import SQLModel

from models import kinds, tables  # noqa: F401 - so that every table is described
from models.database import Database

# Rows deleted in one transaction, so that nobody waits for long: SQLite has one writer, PostgreSQL asks each table that
# may refer to a row whether it does.
AT_ONCE = 100


async def purge(database: Database, workspace_id: str) -> int:
    """Delete everything of the workspace, itself last; how many rows that were. What another workspace has stays.

    Each batch is a transaction of its own, so a purge that is interrupted is gone on with by the next one.
    """
    gone = 0
    for table in reversed(SQLModel.metadata.sorted_tables):
        if (scope := scope_of(table)) is not None:
            gone += await _empty(database, table, scope == workspace_id)
    return gone


def scope_of(table: Table) -> Any:
    """The column that says whose the table's rows are; None for a table that belongs to no workspace."""
    return table.c.id if table is tables.Workspace.__table__ else table.c.get("workspace_id")  # type: ignore[attr-defined]


async def _empty(database: Database, table: Table, is_theirs: Any) -> int:
    key = tuple_(*table.primary_key)
    some = select(*table.primary_key).where(is_theirs).limit(AT_ONCE)
    gone = 0
    while True:
        async with database.outside(writes=True, purges=True) as connection:
            deleted = (await connection.execute(delete(table).where(key.in_(some)))).rowcount
        gone += deleted
        if deleted < AT_ONCE:
            return gone
