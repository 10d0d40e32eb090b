"""How SQLite is opened and asked: every setting, when a transaction takes the writer, and where statements run.

aiosqlite keeps each connection in a thread of its own. Between that thread and the event loop it goes four times for
a statement (a cursor, its execution, its rows, its end), and each way costs far more than SQLite's work. Here a
statement takes one trip, with the beginning of its transaction; what is over in a moment takes none.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.concurrency import await_

Row = tuple[Any, ...]

# See `models/search.py`, which asks them.
FULL_TEXT_INDEXES = ("record_words", "comment_words")

# An INSERT with more values holds many rows, and takes its time.
VALUES_OF_A_ROW = 100
# A question that is not answered in so many seconds is asked again in the thread; looked at after so many steps of
# SQLite's: some ten microseconds of work, or as many reads of a slow disk as a moment has room for.
MOMENT_SECONDS = 0.002
STEPS_AT_ONCE = 250
# In a question of a full-text index, what ends the beginning of a word (see `models/search.py`).
ENDS_A_BEGINNING = '"*'
_BEGINNING = re.compile(r'"([^"]+)"\*')
# The words of each full-text index, whose name comes before that. Up to so many are asked for instead of a beginning.
_ITS_WORDS = "_each"
MOST_WORDS = 100
# So much of the file each connection keeps in memory at most; a search goes through a thousand pages of 4 KiB.
CACHE_KIB = 8_000


class _Cursor:
    """A statement's outcome, fetched whole in the trip that executes it. A DBAPI cursor, as SQLAlchemy uses one."""

    arraysize = 1

    def __init__(self, adapted: AsyncAdapt_dbapi_connection) -> None:
        self._connection: _Connection = adapted.driver_connection
        self._rows: list[Row] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, sql: str, parameters: Any = ()) -> None:
        await_(self._execute(sql, parameters))

    async def _execute(self, sql: str, parameters: Any) -> None:
        if not self._is_answered_here(sql, parameters):
            await self._connection.run(self._ask, sqlite3.Cursor.execute, sql, parameters)

    def _is_answered_here(self, sql: str, parameters: Any) -> bool:
        """Do what waits for nobody and takes less than the way to the thread and back; whether it was that."""
        connection = self._connection
        is_row = connection.writes and sql.startswith("INSERT") and len(parameters) < VALUES_OF_A_ROW
        is_question = sql.startswith("SELECT") and not _looks_for_a_beginning(sql, parameters)
        if not (is_row or is_question) or not connection.begins_here():
            return False
        ask = partial(self._ask, sqlite3.Cursor.execute, sql, parameters)
        if not is_row:
            return connection.is_done_in_a_moment(ask)
        ask()  # to break it off would undo the transaction
        return True

    def executemany(self, sql: str, parameters: Sequence[Any]) -> None:
        await_(self._connection.run(self._ask, sqlite3.Cursor.executemany, sql, parameters))

    def fetchall(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = arraysize) -> list[Row]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchone(self) -> Row | None:
        return self._rows.pop(0) if self._rows else None

    def close(self) -> None:
        self._rows = []

    async def _async_soft_close(self) -> None:
        """Nothing is open: the rows were fetched."""

    def _ask(self, execute: Callable[..., sqlite3.Cursor], sql: str, parameters: Any) -> None:
        cursor = self._connection.cursor_in_transaction()
        try:
            execute(cursor, sql, parameters)
            self._rows = cursor.fetchall()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


def _looks_for_a_beginning(sql: str, parameters: Any) -> bool:
    """Whether SQLite may gather all rows with some word that begins so: one step, which cannot be broken off."""
    return " MATCH " in sql and any(ENDS_A_BEGINNING in value for value in parameters if isinstance(value, str))


class _Adapted(AsyncAdapt_aiosqlite_connection):
    """A connection as SQLAlchemy sees it."""

    __slots__ = ()
    _cursor_cls = _Cursor  # type: ignore[assignment]


class _Connection(aiosqlite.Connection):
    """A connection whose statements take one trip each, and whose end of a transaction one where it has to wait."""

    wait_ms = 0  # for the writer, in the thread; here nothing waits
    keeps = False  # whether what a unit did waits for `store`
    has_kept = False
    writes = False
    _is_in_unit = False
    _is_among_kept = False  # whether the unit's transaction is that of what is kept
    _waits_ms = -1  # as SQLite was told last
    _begin = ""  # how the transaction begins, until its first statement does it
    _unfinished = 0  # trips that failed, or that nobody waits for any more: a transaction may begin after them

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction with the next statement. Those that write take the writer then, and wait for it."""
        # A deferred transaction that turns into a writer fails at once whatever the timeout; so writers say so first.
        self._begin, self.writes = ("BEGIN IMMEDIATE" if writes else "BEGIN"), writes
        self._is_in_unit, self._is_among_kept = True, self.has_kept
        if self.has_kept:
            self._begin = "SAVEPOINT unit"

    @property
    def has_writer(self) -> bool:
        """Whether the transaction holds the writer, and nothing is under way in the thread."""
        return self.writes and not self._unfinished and self.in_transaction

    def begins_here(self) -> bool:
        """Whether the transaction could begin here without waiting, or has begun and nothing is under way."""
        if self._unfinished:
            return False
        self._wait(0)
        if self._begin and self.writes:
            try:
                self._conn.execute(self._begin)
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                return False
            self._begin = ""
        return True

    def is_done_in_a_moment(self, question: Callable[[], None]) -> bool:
        """Ask here, and break off what takes longer than a moment or would wait, of which nothing comes.

        Whether it was answered.
        """
        until = monotonic() + MOMENT_SECONDS
        self._conn.set_progress_handler(lambda: monotonic() > until, STEPS_AT_ONCE)
        try:
            question()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT and not is_busy(error):
                raise
            return False
        finally:
            self._conn.set_progress_handler(None, 0)
        return True

    def cursor_in_transaction(self) -> sqlite3.Cursor:
        """A cursor to ask at once."""
        cursor = self._conn.cursor()
        if self._begin:
            cursor.execute(self._begin)
            self._begin = ""
        return cursor

    async def commit(self) -> None:
        is_begun, self._begin, self._is_in_unit = not self._begin, "", False
        if self.keeps:
            if is_begun:
                await self._keep()
        elif self.has_writer or self._unfinished:
            await super().commit()
        else:
            self._conn.commit()  # of what was only read: nothing is written

    async def rollback(self) -> None:
        is_begun, self._begin = self._is_in_unit and not self._begin, ""
        self._is_in_unit = False
        if self.has_kept:
            if is_begun:
                await self._in_order(self._undo_among_kept)
        elif self.in_transaction or self._unfinished:
            await self._in_order(self._conn.rollback)

    async def store(self) -> None:
        """Put on disk what is kept. Raises sqlite3.Error, and then nothing of it is kept or stored."""
        self.has_kept = False
        await self._in_order(self._store)

    async def _keep(self) -> None:
        if self._unfinished:
            await self._in_order(self._end_unit)
        else:
            self._end_unit()

    def _end_unit(self) -> None:
        with self._all_or_nothing():
            self._require_transaction()
            if self._is_among_kept:
                self._conn.execute("RELEASE unit")

    def _undo_among_kept(self) -> None:
        with self._all_or_nothing():
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK TO unit")
                self._conn.execute("RELEASE unit")

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Where a unit cannot be ended by itself, as after a fault of the disk, give up what is kept with it."""
        try:
            yield
        except sqlite3.Error:
            self._conn.rollback()
            raise
        finally:
            self.has_kept = self._conn.in_transaction

    def _require_transaction(self) -> None:
        """Raise sqlite3.OperationalError where SQLite gave all of it up, since to store nothing succeeds."""
        if not self._conn.in_transaction:
            raise sqlite3.OperationalError("disk I/O error")

    def _store(self) -> None:
        self._require_transaction()
        try:
            self._conn.commit()
        except sqlite3.Error:
            self._conn.rollback()
            raise

    async def _in_order(self, work: Callable[[], object]) -> None:
        """Do it in the thread, after all that was begun there."""
        await self._execute(work)  # type: ignore[no-untyped-call]
        self._unfinished = 0

    async def run(self, work: Callable[..., object], *arguments: object) -> None:
        self._unfinished += 1
        await self._execute(self._patiently, work, *arguments)  # type: ignore[no-untyped-call]
        self._unfinished -= 1

    async def rows(self, sql: str) -> list[Row]:
        """What a statement outside of any transaction gives."""
        found: list[Row] = await self._execute(  # type: ignore[no-untyped-call]
            self._patiently, lambda: self._conn.execute(sql).fetchall()
        )
        return found

    def _patiently(self, work: Callable[..., Any], *arguments: object) -> Any:
        self._wait(self.wait_ms)
        return work(*arguments)

    def _wait(self, milliseconds: int) -> None:
        if self._waits_ms != milliseconds:
            self._conn.execute(f"PRAGMA busy_timeout={milliseconds}")
            self._waits_ms = milliseconds


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether somebody else was in the way, in any of the ways that SQLite tells apart beside its plain code."""
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def creator(url: URL) -> Callable[[], _Adapted]:
    """What opens the database of that address, for `create_async_engine`."""
    dialect = url.get_dialect()()
    arguments, options = dialect.create_connect_args(url)
    driver = dialect.import_dbapi()

    def connect() -> _Adapted:
        connection: Any = _Connection(partial(sqlite3.connect, *arguments, **options), iter_chunk_size=1)
        connection._thread.daemon = True
        return _Adapted(driver, await_(connection))

    return connect


def prepare(engine: AsyncEngine, wait_ms: int) -> None:
    """Set what each connection needs; a statement waits that long for the writer. Writers say so first."""

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        connection.driver_connection.wait_ms = wait_ms
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{CACHE_KIB}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        add_functions(connection.driver_connection._conn)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.begin(writes=bool(connection.get_execution_options().get("steward_writes")))


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection what Steward's statements call that SQLite has not, or has otherwise."""
    # SQLite's own lower() knows only A to Z; names have more letters, and PostgreSQL knows them.
    connection.create_function("lower", 1, lambda text: text and str(text).lower(), deterministic=True)
    for index in FULL_TEXT_INDEXES:
        connection.execute(f"CREATE VIRTUAL TABLE temp.{index}{_ITS_WORDS} USING fts5vocab(main, {index}, instance)")
    connection.create_function("in_whole_words", 2, partial(in_whole_words, connection))


def in_whole_words(connection: sqlite3.Connection, index: str, question: str) -> str:
    """The question of that full-text index, with words in place of each beginning that no more than a few begin with.

    What has a whole word SQLite reads one by one, and no further than it is asked for; of a beginning it gathers all.
    """
    return _BEGINNING.sub(lambda asked: _words_for(connection, index, asked), question)


def _words_for(connection: sqlite3.Connection, index: str, asked: re.Match[str]) -> str:
    next_word = f"SELECT term FROM temp.{index}{_ITS_WORDS} WHERE term >= ? LIMIT 1"
    beginning, words = asked[1], []
    row = connection.execute(next_word, (beginning,)).fetchone()
    while row and row[0].startswith(beginning):
        words.append(f'"{row[0]}"')
        if len(words) > MOST_WORDS:
            return asked[0]
        # No word holds a space, and what it holds comes after one.
        row = connection.execute(next_word, (f"{row[0]} ",)).fetchone()
    return f"({' OR '.join(words)})" if words else f'"{beginning}"'


FULL_TEXT = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'"


async def scrub(engine: AsyncEngine) -> bool:
    """Take what was deleted out of the file and of what is beside it; whether that was possible to the end.

    It writes the whole file anew: whoever writes meanwhile waits, and whoever still reads the old state is in its way.
    """
    async with engine.connect() as connection:
        pooled = await connection.get_raw_connection()
        opened: Any = pooled.driver_connection
        try:
            for (index,) in await opened.rows(FULL_TEXT):
                await opened.rows(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
            await opened.rows("VACUUM")
            written = await opened.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            return False
    return not written[0][0]


async def set_to_purge(connection: AsyncConnection) -> None:
    """Make this connection, before its transaction, overwrite what it deletes and check no references.

    It is fit for nothing else afterwards.

    For each deleted row SQLite would look through whole tables that may refer to it, other workspaces' rows and all.
    """
    pooled = await connection.get_raw_connection()
    opened: Any = pooled.driver_connection
    for pragma in ("secure_delete=ON", "foreign_keys=OFF"):
        await opened.rows(f"PRAGMA {pragma}")
