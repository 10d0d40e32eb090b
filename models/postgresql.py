"""How PostgreSQL is connected to: how many connections, how long each step may take, and which are open."""

from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry


def options(connections: int, connect_seconds: float, statement_seconds: float | None) -> dict[str, Any]:
    """For `create_async_engine`: never more connections than that, each looked at before it is used again."""
    return {
        "pool_pre_ping": True,
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": connect_seconds,
        "connect_args": {"timeout": connect_seconds, "command_timeout": statement_seconds},
    }


def open_connections(engine: AsyncEngine) -> Iterable[Any]:
    """The driver's own connections that are open at the moment of looking."""
    found: WeakSet[Any] = WeakSet()

    @event.listens_for(engine.sync_engine, "connect")
    def _note(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        found.add(connection.driver_connection)

    return found
