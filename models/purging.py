"""A workspace that is gone: every row of it is deleted, in every table that there is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Table, delete, func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from models import kinds  # noqa: F401 - so that every table is described
from models.database import Database
from models.database_errors import OVERTAKEN
from models.errors import Overtaken
from models.tables import Installation, Workspace, scope_of, table_of

# Rows deleted in one transaction, so that nobody waits for long: SQLite has one writer, PostgreSQL asks each table that
# may refer to a row whether it does.
AT_ONCE = 100

# So long after Steward was removed from a workspace its data waits for somebody to install it again.
KEPT: Final = timedelta(days=30)

_workspaces, _installations = table_of(Workspace), table_of(Installation)
_THEMSELVES: Final = (_workspaces, _installations)


async def purge(database: Database, workspace_id: str, *, removed_before: datetime | None = None) -> int:
    """Delete everything of the workspace, itself last; how many rows that were. What another workspace has stays.

    Each batch is a transaction of its own, so a purge that is interrupted is gone on with by the next one. With
    `removed_before` it ends where Steward was installed there again, and what it has not deleted by then stays.
    Raises Overtaken where somebody stores something at the last moment; the next purge goes on.
    """
    referring_first = [table for table in reversed(SQLModel.metadata.sorted_tables) if scope_of(table) is not None]
    belongings = [table for table in referring_first if table not in _THEMSELVES]
    # At the end all at once, with what was stored meanwhile: nothing may be left that points at what is gone.
    steps = [*(([table], AT_ONCE) for table in belongings), ([*belongings, *_THEMSELVES], None)]
    gone = 0
    for some, limit in steps:
        deleted: int | None = limit
        while deleted == limit:  # once where there is none
            try:
                deleted = await _delete(database, workspace_id, some, limit, removed_before)
            except IntegrityError as error:
                # PostgreSQL: something points at these that was stored meanwhile. The end takes both.
                if limit is None:
                    raise Overtaken(OVERTAKEN) from error
                break
            if deleted is None:
                return gone
            gone += deleted
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


async def _delete(
    database: Database, workspace_id: str, some: Sequence[Table], limit: int | None, removed_before: datetime | None
) -> int | None:
    """Delete the workspace's rows of the tables, or so many of each; None where it is not to be purged any more."""
    async with database.outside(writes=True, purges=True) as connection:
        if removed_before is not None and not await _is_removed(connection, workspace_id, removed_before):
            return None
        deleted = 0
        for table in some:
            scope = scope_of(table)
            assert scope is not None
            keys = select(*table.primary_key).where(scope == workspace_id).limit(limit)
            if table is _installations and removed_before is not None:
                keys = keys.where(table.c.removed_at < removed_before)
            deleted += (await connection.execute(delete(table).where(tuple_(*table.primary_key).in_(keys)))).rowcount
        return deleted


async def _is_removed(connection: AsyncConnection, workspace_id: str, before: datetime) -> bool:
    """Whether Steward was removed there before that instant; whoever installs it again waits for this transaction."""
    is_meant = (_workspaces.c.id == workspace_id, _workspaces.c.removed_at < before)
    held = await connection.execute(select(_workspaces.c.id).where(*is_meant).with_for_update())
    return held.first() is not None
