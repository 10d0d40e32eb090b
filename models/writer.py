"""The line for SQLite's one writer, and the units whose work goes to disk together.

SQLite lets those overtake who come late, so the units of a process that write wait here for each other. What a brief
unit did goes to disk with the work of those who stood in line behind it by then: to wait for the disk, and to write a
page that each of them changes, takes longer than what they do. Nobody is told anything before all that they saw is on
disk; where that fails, nothing of it was done, and all of them are told so.
"""

import asyncio
import sqlite3
from asyncio import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.database_errors import AWAY, BUSY, PERHAPS, DatabaseAway, DatabaseBusy
from models.shielding import shielded

# So many units go to disk together at most: the first of them waits for the last.
MOST_TOGETHER = 8


@dataclass
class _Together:
    """Units whose work is done; `stored` is when it is on disk, or why it cannot be."""

    stored: Future[None]
    units: int = 0
    end: asyncio.Task[None] | None = None


class Writer:
    """The one connection of a process that writes, and who waits for it; `engine` says of those it opens that they do.

    Who waits for longer than `wait_ms` is refused.
    """

    def __init__(self, engine: AsyncEngine, wait_ms: int) -> None:
        self._engine = engine
        self._wait_seconds = wait_ms / 1_000
        self._line = asyncio.Lock()
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._together: _Together | None = None

    async def enter(self, *, is_alone: bool) -> None:
        """Take the writer, once those before have left it; alone, once their work is on disk too.

        Raises DatabaseBusy when the line does not move in time.
        """
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._line.acquire()
        except TimeoutError as error:
            raise DatabaseBusy(BUSY) from error
        if self._together is None or not (is_alone or self._together.units >= MOST_TOGETHER):
            return
        try:
            await shielded(self._store())
        except BaseException:
            self._line.release()
            raise

    async def leave(self, *, is_alone: bool) -> None:
        """Give the writer to the next, and wait until what was done is on disk.

        Raises what kept it from there, as the driver's error or as DatabaseAway.
        """
        together = self._noted(is_alone=is_alone)
        try:
            if together is not None and is_alone:
                await shielded(self._store())
        finally:
            self._line.release()
        if together is not None:
            await asyncio.shield(together.stored)

    async def connection(self) -> AsyncConnection:
        """The connection of whoever has the writer."""
        used = self._connection
        if used is not None and not used.invalidated and used.get_transaction() is None:
            return used
        if used is not None:  # a unit was called off in the middle of a statement, or could not be ended
            self._give_up()
            self._connection = None  # whatever becomes of what follows, a closed one is not taken for an open one
            await used.invalidate()
            await used.close()
        self._connection = await self._engine.connect()
        self._driver = (await self._connection.get_raw_connection()).driver_connection
        self._driver.keeps = True
        return self._connection

    async def close(self) -> None:
        """Store what is done, and close the connection."""
        async with self._line:
            await self._store()
            if self._connection is not None:
                await self._connection.close()
            self._connection = self._driver = None

    def _noted(self, *, is_alone: bool) -> _Together | None:
        """Those whose work is to go to disk next, after a unit has done its own or failed."""
        together, used = self._together, self._connection
        if used is None or used.invalidated or not self._driver.has_kept:
            self._give_up()  # as SQLite gives up the whole transaction where the disk fails it
            return together
        if together is None:
            together = self._together = _Together(asyncio.get_running_loop().create_future())
        together.units += 1
        if not is_alone and (together.end is None or together.end.done()):  # a done one was called off
            together.end = asyncio.create_task(self._end(together))
        return together

    def _give_up(self) -> None:
        """Tell those whose work is done that it is lost."""
        together, self._together = self._together, None
        if together is not None:
            together.stored.set_exception(DatabaseAway(AWAY))

    async def _end(self, together: _Together) -> None:
        """Store their work when all have had their turn who are in line now."""
        async with self._line:
            if self._together is together:
                await self._store()

    async def _store(self) -> None:
        """Put on disk what was done, and tell those who wait for it; by whoever has the writer."""
        together, self._together = self._together, None
        if together is None:
            return
        try:
            await self._driver.store()
        except sqlite3.Error as error:
            together.stored.set_exception(OperationalError("COMMIT", None, error))
        except asyncio.CancelledError:
            together.stored.set_exception(DatabaseAway(PERHAPS, perhaps=True))
            raise
        except Exception as error:
            together.stored.set_exception(error)
        else:
            together.stored.set_result(None)
