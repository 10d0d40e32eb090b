"""The only way to the data: one unit of work, opened for one workspace and filtered to it in this one place."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, String, bindparam, event, inspect, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Mapper, ORMExecuteState
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql.visitors import InternalTraversal
from sqlmodel import Session, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models import sqlite, tables  # kinds: so that every kind's own table is mapped before a session opens
from models.errors import Overtaken, StewardError
from models.inserting import insert_into

T = TypeVar("T")

# How long a statement waits for SQLite's one writer, in milliseconds: people wait less than the worker does.
PERSON_WAIT_MS = 2_000
WORKER_WAIT_MS = 10_000


BUSY = "Steward's database was busy. Nothing was saved; please try again."


OVERTAKEN = "Somebody else changed this at the same moment. Nothing was saved; please try again."

# PostgreSQL ended one of two units that waited for each other: a deadlock, or a serialization failure.
LOST_A_RACE = frozenset({"40P01", "40001"})


class DatabaseBusy(StewardError):
    """SQLite's writer was held too long; nothing was stored."""


class WrongWorkspace(RuntimeError):
    """A programming error: a row of one workspace in a unit of another. Never shown, never stored."""


def async_url(url: str) -> URL:
    """The address with the async driver in it. Takes what deployment tools give: postgres://, postgresql://, sqlite:///.

    Raises ValueError with a sentence for any other kind of database.
    """
    parsed = make_url(url)
    family = parsed.get_backend_name()
    if family == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if family in ("postgres", "postgresql"):
        # libpq's name of the option; asyncpg reads the same words under `ssl`.
        query = {("ssl" if key == "sslmode" else key): value for key, value in parsed.query.items()}
        return parsed.set(drivername="postgresql+asyncpg", query=query)
    raise ValueError(f"{family} is not supported: use sqlite:///FILE or postgresql://...")


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Run the work in a task of its own that the caller's cancellation cannot tear in the middle of a commit."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


class Database:
    """One engine; `unit` opens a transaction for one workspace. SQLite (WAL, durable) or PostgreSQL."""

    def __init__(self, url: str, *, wait_ms: int = PERSON_WAIT_MS) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # What people wrote is no business of a log: errors name the statement without its values.
        self.engine: AsyncEngine = create_async_engine(self.url, hide_parameters=True, pool_pre_ping=not self.is_sqlite)
        self._writer = self.engine.execution_options(steward_writes=True)
        if self.is_sqlite:
            sqlite.prepare(self.engine, wait_ms)
        self._wait_seconds = wait_ms / 1_000
        self._line = asyncio.Lock()

    @asynccontextmanager
    async def unit(self, workspace_id: str, *, writes: bool = True) -> AsyncIterator[AsyncSession]:
        """A session in one transaction, limited to the workspace; commits at the end, rolls back on any exception.

        Raises DatabaseBusy when SQLite stays locked and Overtaken when a row changed under the unit's feet.
        """
        bind = self._writer if writes else self.engine
        session = _UnitSession(bind, expire_on_commit=False)
        session.sync_session.info["workspace_id"] = workspace_id
        session.sync_session.info["limit"] = _limit_to(workspace_id)
        try:
            async with self._turn(writes), session:
                yield session
                await session.commit()
        except StaleDataError as error:
            raise Overtaken(OVERTAKEN) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in LOST_A_RACE:
                raise Overtaken(OVERTAKEN) from error
            if self.is_sqlite and isinstance(error, OperationalError) and "locked" in str(error.orig):
                raise DatabaseBusy(BUSY) from error
            raise

    @asynccontextmanager
    async def _turn(self, writes: bool) -> AsyncIterator[None]:
        """A place in the line for SQLite's one writer: SQLite itself lets those who come late overtake.

        Raises DatabaseBusy when the line does not move in time.
        """
        if not (writes and self.is_sqlite):
            yield
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._line.acquire()
        except TimeoutError as error:
            raise DatabaseBusy(BUSY) from error
        try:
            yield
        finally:
            self._line.release()

    async def workspace_ids(self) -> list[str]:
        """Every workspace there is, for the clock's work; the one question that belongs to no workspace."""
        async with self.engine.connect() as connection:
            return list(await connection.scalars(select(tables.Workspace.__table__.c.id)))  # type: ignore[attr-defined]

    async def beat(self, name: str, at: Any) -> None:
        """Note that the part of that name lives at the instant `at` (wall clock)."""
        statement = insert_into(tables.Heartbeat, self.engine.dialect.name).values(name=name, at=at)
        async with self._turn(writes=True), self._writer.begin() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": at}))

    async def last_beat(self, name: str) -> Any:
        """The instant of the part's last sign of life, or None."""
        async with AsyncSession(self.engine) as session:
            beat = await session.get(tables.Heartbeat, name)
            return beat.at if beat else None

    async def note_restored(self, at: Any) -> None:
        """Note in every workspace that this database came from a backup at the instant `at`.

        What was being sent when the backup was made has an outcome that nobody knows.
        """
        workspaces = tables.Workspace.__table__  # type: ignore[attr-defined]
        deliveries = tables.Delivery.__table__  # type: ignore[attr-defined]
        is_sending = deliveries.c.state == tables.DeliveryState.SENDING
        async with self._turn(writes=True), self._writer.begin() as connection:
            await connection.execute(update(workspaces).values(restored_at=at))
            await connection.execute(
                update(deliveries).where(is_sending).values(state=tables.DeliveryState.UNCONFIRMED)
            )

    async def dispose(self) -> None:
        """Close every connection. aiosqlite's threads keep the process alive otherwise."""
        await self.engine.dispose()


def sqlite_path(url: str) -> Path | None:
    """The database file, or None for a database that is no file."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


class _OneWorkspace(LoaderCriteriaOption):
    """What `with_loader_criteria` gives for one table, for all of them at once, aliases too.

    One option for each table would be gone through anew for each statement, which took most of a request's time. The
    workspace is a parameter of the statement, so that what is compiled serves every workspace.
    """

    _traverse_internals = [("where_criteria", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - as in its base
    entity = None
    deferred_where_criteria = False
    include_aliases = True
    propagate_to_loaders = True

    def __init__(self, workspace_id: str) -> None:
        self.where_criteria: Any = bindparam("of_workspace", workspace_id, String)
        self._limited: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def on(self, statement: Any) -> Any:
        """The statement with the limit, the same one each time for one that is kept: so its compiled form is found."""
        if statement not in self._limited:
            self._limited[statement] = statement.options(self)
        return self._limited[statement]

    def _all_mappers(self) -> Iterator[Mapper[Any]]:
        return (mapper for mapper in SQLModel._sa_registry.mappers if mapper.class_ is not tables.Heartbeat)

    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        entity = ext_info.entity
        column = entity.id if ext_info.mapper.class_ is tables.Workspace else entity.workspace_id
        condition: ColumnElement[bool] = column == self.where_criteria
        return condition


_limit_to = cache(_OneWorkspace)


class _FilteredSession(Session):
    """Filters every statement and refuses foreign rows, see below."""


class _UnitSession(AsyncSession):
    sync_session_class = _FilteredSession


@event.listens_for(_FilteredSession, "do_orm_execute")
def _limit_to_workspace(state: ORMExecuteState) -> None:
    if not state.is_orm_statement or state.is_insert:
        raise WrongWorkspace(f"the workspace filter cannot reach this statement: {state.statement}")
    if not state.is_column_load and not state.is_relationship_load:
        state.statement = state.session.info["limit"].on(state.statement)


@event.listens_for(_FilteredSession, "before_flush")
def _refuse_other_workspaces(session: Session, *_: object) -> None:
    workspace_id = session.info["workspace_id"]
    for row in [*session.new, *session.dirty, *session.deleted]:
        column = "id" if isinstance(row, tables.Workspace) else "workspace_id"
        if getattr(row, column) is None and row in session.new:
            setattr(row, column, workspace_id)
        if getattr(row, column) != workspace_id:
            raise WrongWorkspace(f"a {inspect(row).mapper.class_.__name__} of another workspace")
