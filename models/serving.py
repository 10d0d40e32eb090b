"""What other processes do with a database just now, for whoever is about to turn it over."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Final

from sqlalchemy import func, select, text

from models.database import Database

# How a process that serves people calls itself to PostgreSQL, where anybody can read it.
SERVING: Final = "steward serving"

# How long a transaction of a process may go on at most, and how often it is asked for.
SETTLED_SECONDS: Final = 60.0
ASK_AGAIN_SECONDS: Final = 0.1

_OTHERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name = :name AND (xact_start <= :since OR :since IS NULL)"
)


async def is_serving(database: Database) -> bool:
    """Whether a process serves people from this database; of SQLite's, whether any program has the file open.

    Over SQLite the caller may not have it open either.
    """
    if database.is_sqlite:
        return _is_open(str(database.url.database))
    async with database.outside(writes=False) as connection:
        return bool(await connection.scalar(_OTHERS, {"name": SERVING, "since": None}))


async def others_settled(database: Database) -> None:
    """Return once every transaction in PostgreSQL of those who serve people is over that had begun by now.

    Raises TimeoutError.
    """
    async with asyncio.timeout(SETTLED_SECONDS):
        since = None
        while True:
            async with database.outside(writes=False) as connection:
                since = since or await connection.scalar(select(func.clock_timestamp()))
                if not await connection.scalar(_OTHERS, {"name": SERVING, "since": since}):
                    return
            await asyncio.sleep(ASK_AGAIN_SECONDS)


def _is_open(file: str) -> bool:
    """Each connection to a file in WAL mode holds a lock on it, also while it asks nothing."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as alone:
        alone.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            alone.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return True
            raise
        alone.execute("ROLLBACK")
    return False
