"""Whether people are served from a database just now, for whoever is about to turn it over."""

import sqlite3
from contextlib import closing
from typing import Final

from sqlalchemy import text

from models.database import Database

# How a process that serves people calls itself to PostgreSQL, where anybody can read it.
SERVING: Final = "steward serving"

_OTHERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name "
    "AND pid <> pg_backend_pid()"
)


async def is_serving(database: Database) -> bool:
    """Whether a process serves people from this database; of SQLite's, whether any program has the file open.

    Over SQLite the caller may not have it open either.
    """
    if database.is_sqlite:
        return _is_open(str(database.url.database))
    async with database.outside(writes=False) as connection:
        return bool(await connection.scalar(_OTHERS, {"name": SERVING}))


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
