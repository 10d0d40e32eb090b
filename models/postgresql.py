"""How PostgreSQL is connected to: how many connections, how long each step may take, and how to be rid of them."""

import asyncio
from typing import Any
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine


class Connections:
    """The connections of one process. After `cut` there are none, and there will be none."""

    def __init__(self) -> None:
        self._opening: set[asyncio.Task[Any]] = set()
        self._open: WeakSet[Any] = WeakSet()
        self._is_cut = False

    def options(
        self, most: int, connect_seconds: float, statement_seconds: float | None, application: str
    ) -> dict[str, Any]:
        """For `create_async_engine`: never more connections than that.

        `application` is what the server's own tools call them.
        """
        return {
            "pool_size": most,
            "max_overflow": 0,
            "pool_timeout": connect_seconds,
            "connect_args": {
                "async_creator_fn": self._connect,
                "timeout": connect_seconds,
                "command_timeout": statement_seconds,
                "server_settings": {"application_name": application},
            },
        }

    def cut(self) -> None:
        """Break what is open and what is being opened, so that nobody goes on waiting for an answer."""
        self._is_cut = True
        for task in self._opening:
            task.cancel()
        for connection in list(self._open):
            connection.terminate()

    async def _connect(self, *arguments: Any, **options: Any) -> Any:
        if self._is_cut:
            raise ConnectionAbortedError
        import asyncpg  # not needed over SQLite

        opening = asyncio.ensure_future(asyncpg.connect(*arguments, **options))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        try:
            connection = await opening
        except asyncio.CancelledError:
            if self._is_cut:
                raise ConnectionAbortedError from None
            opening.cancel()
            raise
        self._open.add(connection)
        return connection


def prepare(engine: AsyncEngine) -> None:
    """Use no connection again that was closed meanwhile.

    To ask the server itself before each use takes four trips to it, more than most units have statements.
    """

    @event.listens_for(engine.sync_engine, "checkout")
    def _refuse_closed(connection: Any, *_: object) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError("it was closed meanwhile")
