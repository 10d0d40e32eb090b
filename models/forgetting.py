"""A workspace that is gone: every row of it is deleted, in every table that there is."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Table, delete, func, select, tuple_
from sqlmodel import SQLModel

from models import kinds  # noqa: F401 - so that every table is described
from models.database import Database
from models.tables import Installation, Workspace, scope_of, table_of

# Rows deleted in one transaction, so that nobody waits for long: SQLite has one writer, PostgreSQL asks each table that
# may refer to a row whether it does.
AT_ONCE = 100

# So long after Steward was removed from a workspace its data waits for somebody to install it again.
KEPT: Final = timedelta(days=30)

_THEMSELVES: Final = (table_of(Workspace), table_of(Installation))


async def purge(database: Database, workspace_id: str) -> int:
    """Delete everything of the workspace, itself last; how many rows that were. What another workspace has stays.

    Each batch is a transaction of its own, so a purge that is interrupted is gone on with by the next one.
    """
    referring_first = reversed(SQLModel.metadata.sorted_tables)
    scopes = {table: scope for table in referring_first if (scope := scope_of(table)) is not None}
    gone = 0
    for table in [*(each for each in scopes if each not in _THEMSELVES), *_THEMSELVES]:
        gone += await _empty(database, table, scopes[table] == workspace_id)
    return gone


async def rows_of(database: Database, workspace_id: str) -> dict[str, int]:
    """How many rows the workspace has in each table."""
    async with database.outside(writes=False) as connection:
        return {
            table.name: (
                await connection.execute(select(func.count()).select_from(table).where(scope == workspace_id))
            ).scalar_one()
            for table in SQLModel.metadata.sorted_tables
            if (scope := scope_of(table)) is not None
        }


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
