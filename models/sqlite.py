"""How SQLite is opened and asked: every setting, when a transaction takes the writer, and one trip for each statement.

aiosqlite keeps each connection in a thread of its own. Between that thread and the event loop it goes four times for
a statement (a cursor, its execution, its rows, its end), and each way costs far more than SQLite's work.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

Row = tuple[Any, ...]


class _Cursor:
    """A statement's outcome, fetched whole in the trip that executes it. As SQLAlchemy uses aiosqlite's cursor."""

    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "_Cursor":
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> None:
        await self._connection.run(self._ask, sqlite3.Cursor.execute, sql, parameters)

    async def executemany(self, sql: str, parameters: Sequence[Any]) -> None:
        await self._connection.run(self._ask, sqlite3.Cursor.executemany, sql, parameters)

    async def fetchall(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []

    def _ask(self, execute: Callable[..., sqlite3.Cursor], sql: str, parameters: Any) -> None:
        """In the connection's own thread."""
        cursor = self._connection.cursor_there()
        try:
            execute(cursor, sql, parameters)
            self._rows = cursor.fetchall()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


class _Connection(aiosqlite.Connection):
    """A connection whose statements take one trip each, and whose rollback of nothing takes none."""

    _unfinished = 0  # trips that failed, or that nobody waits for any more: a transaction may begin after them

    def cursor(self) -> Any:
        return _Cursor(self)

    async def rollback(self) -> None:
        if self.in_transaction or self._unfinished:
            await super().rollback()
            self._unfinished = 0

    async def run(self, work: Callable[..., object], *arguments: object) -> None:
        self._unfinished += 1
        await self._execute(work, *arguments)  # type: ignore[no-untyped-call]
        self._unfinished -= 1

    def cursor_there(self) -> sqlite3.Cursor:
        return self._conn.cursor()


def creator(url: URL) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """What opens the database of that address, for `create_async_engine`."""
    arguments, options = url.get_dialect()().create_connect_args(url)

    async def connect() -> aiosqlite.Connection:
        connection = _Connection(partial(sqlite3.connect, *arguments, **options), iter_chunk_size=1)
        connection._thread.daemon = True
        return await connection

    return connect


def prepare(engine: AsyncEngine, wait_ms: int) -> None:
    """Set what each connection needs; a statement waits that long for the writer. Writers say so first."""

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={wait_ms}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        # SQLite's own lower() knows only A to Z; names have more letters, and PostgreSQL knows them.
        connection.create_function("lower", 1, lambda text: text and str(text).lower(), deterministic=True)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writer fails at once whatever the timeout; so writers say so first.
        writes = connection.get_execution_options().get("steward_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


async def set_to_purge(connection: AsyncConnection) -> None:
    """Make this connection, before its transaction, overwrite what it deletes and check no references; then drop it.

    For each deleted row SQLite would look through whole tables that may refer to it, other workspaces' rows and all.
    """
    pooled = await connection.get_raw_connection()
    opened: Any = pooled.driver_connection
    for pragma in ("secure_delete=ON", "foreign_keys=OFF"):
        await opened.execute(f"PRAGMA {pragma}")
    pooled.detach()
