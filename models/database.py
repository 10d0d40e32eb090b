"""The only way to the data: one unit of work, opened for one workspace and filtered to it in this one place."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Row,
    String,
    TableClause,
    TextClause,
    bindparam,
    delete,
    event,
    exists,
    inspect,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import Mapper, ORMExecuteState
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql.visitors import HasTraverseInternals, InternalTraversal, iterate
from sqlmodel import Session, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from models import postgresql, sqlite, tables  # kinds: so that every kind's own table is mapped before a session opens
from models.database_errors import MAKE_ROOM, PERHAPS, DatabaseAway, DatabaseBusy, DatabaseFull, kind_of, refusal_of
from models.errors import ReadsOnly, WrongWorkspace
from models.inserting import insert_into, store_kept
from models.prepared import Prepared, prepared
from models.writer import Writer

log = logging.getLogger(__name__)

# How long a statement waits for SQLite's one writer, in milliseconds: people wait less than the worker does.
PERSON_WAIT_MS = 2_000
WORKER_WAIT_MS = 10_000


# How long opening a connection to PostgreSQL may take, and waiting for a free one of this process, in seconds.
CONNECT_SECONDS = 5.0
# A statement of an interaction or of the clock takes a moment; without an answer for so long, there is no database.
STATEMENT_SECONDS = 10.0
CLOSE_SECONDS = 1.0


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


class Database:
    """One engine; `unit` opens a transaction for one workspace. SQLite (WAL, durable) or PostgreSQL.

    With `async with` it is disposed of at the end.

    `connections`, `statement_seconds` and `application` are of PostgreSQL: how many at most, how long a statement may
    take, and as what they are known there.
    """

    def __init__(
        self,
        url: str,
        *,
        wait_ms: int = PERSON_WAIT_MS,
        connections: int = 10,
        statement_seconds: float | None = None,
        application: str = "steward",
    ) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._connections = postgresql.Connections()
        options: dict[str, Any] = (
            {"creator": sqlite.creator(self.url)}
            if self.is_sqlite
            else self._connections.options(connections, CONNECT_SECONDS, statement_seconds, application)
        )
        # What people wrote is no business of a log: errors name the statement without its values.
        self.engine: AsyncEngine = create_async_engine(self.url, hide_parameters=True, **options)
        event.listen(self.engine.sync_engine, "before_cursor_execute", _refuse_unreachable)
        self._reader, self._writer = self.engine, self.engine.execution_options(steward_writes=True)
        if self.is_sqlite:
            sqlite.prepare(self.engine, wait_ms)
        else:
            postgresql.prepare(self.engine)
            # There each statement sees what was stored before it, in a transaction or not, and that is two trips more.
            self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._line = Writer(self._writer, wait_ms) if self.is_sqlite else None
        self._is_full = False

    @asynccontextmanager
    async def unit(
        self, workspace_id: str, *, writes: bool = True, is_brief: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """A session in one transaction, limited to the workspace; commits at the end, rolls back on any exception.

        Without `writes` it stores nothing, and raises ReadsOnly where it should; over PostgreSQL each of its statements
        sees what was stored by then. Over SQLite what brief ones store may go to disk together; each ends when it is
        there.

        Raises DatabaseBusy when the database has no time, DatabaseAway when it is not there and Overtaken when a row
        changed under the unit's feet.
        """
        info = {"workspace_id": workspace_id, "writes": writes, "limit": _limit_to(workspace_id)}
        with self._refused():
            async with (
                self._asked(writes, is_brief) as bind,
                _UnitSession(bind, expire_on_commit=False, info=info) as session,
            ):
                yield session
                await session.flush()
                with self._refused(committing=writes):
                    await session.commit()

    @contextmanager
    def _refused(self, *, committing: bool = False) -> Iterator[None]:
        """Turn what is nobody's bug into a refusal. What was lost while `committing` may have been stored."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            refusal = refusal_of(error, is_sqlite=self.is_sqlite)
            if refusal is None:
                raise
            if isinstance(refusal, DatabaseFull):
                self._is_full = True
                log.error(MAKE_ROOM)
            elif isinstance(refusal, DatabaseBusy):
                # By its kind alone: the text of an error may hold what somebody wrote.
                log.warning("the database: %s", kind_of(error))
                if committing and isinstance(refusal, DatabaseAway):
                    refusal = DatabaseAway(PERHAPS, perhaps=True)
            raise refusal from error

    @asynccontextmanager
    async def _asked(self, writes: bool, is_brief: bool) -> AsyncIterator[AsyncEngine | AsyncConnection]:
        """What a unit asks: any connection, or SQLite's writer in its turn."""
        if not writes or self._line is None:
            yield self._writer if writes else self._reader
            return
        async with self._turn(is_alone=not is_brief):
            yield await self._line.connection()

    @asynccontextmanager
    async def _turn(self, *, is_alone: bool = True) -> AsyncIterator[None]:
        """A place in the line for SQLite's one writer, and all that was done in it stored at the end.

        Raises DatabaseBusy when the line does not move in time.
        """
        if self._line is None:
            yield
            return
        await self._line.enter(is_alone=is_alone)
        unsaid: tuple[type[Exception], ...] = ()
        try:
            yield
        except (asyncio.CancelledError, SQLAlchemyError):
            unsaid = (Exception,)  # who is called off, or was let down by the database, knows enough
            raise
        finally:
            with self._refused(committing=True), suppress(*unsaid):
                await self._line.leave(is_alone=is_alone)

    async def is_away(self) -> bool:
        """Whether PostgreSQL cannot be reached now, or is only starting; other faults are for whoever opens it."""
        if self.is_sqlite:
            return False
        try:
            async with self.engine.connect():
                return False
        except (SQLAlchemyError, OSError) as error:
            return isinstance(refusal_of(error, is_sqlite=self.is_sqlite), DatabaseBusy)

    async def workspace_ids(self, *meeting: ColumnElement[bool], also_removed: bool = False) -> list[str]:
        """Every workspace there is, or in which some row meets one of the conditions, each on one table's columns.

        Those from which Steward was removed only on request. For the clock's work; the one question that belongs to no
        workspace.
        """
        of = tables.table_of(tables.Workspace)
        query = select(of.c.id)
        if not also_removed:
            query = query.where(of.c.removed_at.is_(None))
        if meeting:
            query = query.where(or_(*(_is_met_in(of, condition) for condition in meeting)))
        with self._refused():
            async with self.engine.connect() as connection:
                return list(await connection.scalars(query))

    @asynccontextmanager
    async def outside(self, *, writes: bool, purges: bool = False) -> AsyncIterator[AsyncConnection]:
        """A plain connection in one transaction, for what is about no workspace or whole ones; in `models/` alone.

        With `purges`, SQLite overwrites what is deleted, and does not look whether anything still refers to it.
        Raises as `unit` does.
        """
        bind = self._writer if writes else self.engine
        with self._refused():
            async with self._turn() if writes else nullcontext(), bind.connect() as connection:
                is_spent = purges and self.is_sqlite
                try:
                    if is_spent:
                        await sqlite.set_to_purge(connection)
                    async with connection.begin():
                        yield connection
                finally:
                    if is_spent:
                        await connection.invalidate()

    async def beat(self, name: str, at: datetime) -> None:
        """Note that the part of that name lives at the instant `at` (wall clock)."""
        statement = insert_into(tables.Heartbeat, self.engine.dialect.name).values(name=name, at=at)
        async with self.outside(writes=True) as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": at}))

    async def is_full(self, at: datetime) -> bool:
        """Whether its disk had no room for what this process stored, and has none for a little now, at the instant."""
        if self._is_full:
            with suppress(DatabaseFull):
                await self.beat("room", at)
                self._is_full = False
        return self._is_full

    async def last_beat(self, name: str) -> datetime | None:
        """The instant of the part's last sign of life, or None."""
        with self._refused():
            async with AsyncSession(self.engine) as session:
                beat = await session.get(tables.Heartbeat, name)
                return beat.at if beat else None

    async def note_restored(self, at: datetime) -> None:
        """Note in every workspace that this database came from a backup at the instant `at`, see `mark_restored`.

        The signs of life that came with it are no longer true.
        """
        async with self.outside(writes=True) as connection:
            await connection.execute(delete(tables.table_of(tables.Heartbeat)))
            await mark_restored(connection, at)

    async def scrub(self) -> bool:
        """Leave nothing of what was deleted in SQLite's file; whether that went to its end.

        PostgreSQL's own VACUUM, which it runs by itself, does so there.
        """
        if not self.is_sqlite:
            return True
        async with self._turn():
            return await sqlite.scrub(self.engine)

    def connections_in_use(self) -> tuple[int, int]:
        """How many connections are taken just now, and how many there may be."""
        pool: Any = self.engine.pool
        return pool.checkedout(), pool.size() + pool._max_overflow

    def cut(self) -> None:
        """For good: break every connection to PostgreSQL, so that whoever waits for an answer is told there is none."""
        self._connections.cut()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.dispose()

    async def dispose(self) -> None:
        """Close every connection, and break what does not close. aiosqlite's threads keep a process alive otherwise."""
        breaking = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.cut)
        if self._line is not None:
            with suppress(TimeoutError):  # a unit that is still at work has till then
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._line.close()
        await self.engine.dispose()
        breaking.cancel()


async def mark_restored(connection: AsyncConnection, at: datetime, workspace_id: str | None = None) -> None:
    """Note in a workspace, or in every one, that its rows were stored here at the instant `at` as they once were.

    What was being sent when they were read has an outcome that nobody knows.
    """
    workspaces, deliveries = tables.table_of(tables.Workspace), tables.table_of(tables.Delivery)
    of_workspace = deliveries.c.workspace_id == workspace_id if workspace_id else true()
    restored = update(workspaces).where(workspaces.c.id == workspace_id if workspace_id else true())
    unknown = update(deliveries).where(deliveries.c.state == tables.DeliveryState.SENDING, of_workspace)
    await connection.execute(restored.values(restored_at=at))
    await connection.execute(unknown.values(state=tables.DeliveryState.UNCONFIRMED))


def sqlite_path(url: str) -> Path | None:
    """The database file, or None for a database that is no file."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _is_met_in(workspace: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    [table] = {column.table for column in iterate(condition) if isinstance(column, Column)}
    return exists().where(table.c.workspace_id == workspace.c.id, condition)


_OF_WORKSPACE = "of_workspace"


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
        self.where_criteria: Any = bindparam(_OF_WORKSPACE, workspace_id, String)
        self._limited: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def on(self, statement: Any) -> Any:
        """The statement with the limit, the same one each time for one that is kept: so its compiled form is found."""
        if statement not in self._limited:
            self._limited[statement] = statement.options(self)
        return self._limited[statement]

    def _all_mappers(self) -> Iterator[Mapper[Any]]:
        return iter(SQLModel._sa_registry.mappers)

    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        entity = ext_info.entity
        if ext_info.mapper.class_ in tables.OF_NO_WORKSPACE:
            raise WrongWorkspace(f"a unit has nothing to do with {ext_info.mapper.class_.__name__}")
        condition: ColumnElement[bool] = getattr(entity, _scope(ext_info.mapper.class_)) == self.where_criteria
        return condition


_limit_to = cache(_OneWorkspace)


def _scope(model: type[Any] | None) -> str:
    """The field that says whose a row of a unit is."""
    return "id" if model is tables.Workspace else "workspace_id"


async def rows(
    session: AsyncSession, question: Select[*tuple[Any, ...]], values: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """What a question that is kept gives for these values of its parameters, in the unit's workspace: plain rows.

    Without what the ORM does for each statement and each row, which takes longer than a question of a moment. Its
    columns are of text and whole numbers.
    """

    def ask(sync: OrmSession) -> Sequence[Row[Any]]:
        connection = sync.connection()
        ready, known = _ready(question, connection.dialect)
        given = {**known, **values, _OF_WORKSPACE: sync.info["workspace_id"]}
        return connection.exec_driver_sql(ready.sql, ready.of(given)).all()

    return await session.run_sync(ask)


@lru_cache(maxsize=300)
def _ready(question: Select[*tuple[Any, ...]], dialect: Dialect) -> tuple[Prepared, Mapping[str, Any]]:
    """The question limited to a workspace, which is a parameter of it, and the values that it has in it."""
    limited: Any = question.options(_limit_to("")).compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    _refuse_bare(limited)
    return prepared(limited, dialect), limited.params


class _FilteredSession(Session):
    """Filters every statement and refuses foreign rows, see below."""

    def _past_the_filter(self, *_: Any, **__: Any) -> Any:
        raise WrongWorkspace("neither the workspace filter nor the guard of rows sees what goes in this way")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _past_the_filter

    def _is_one_transaction(self, *_: Any, **__: Any) -> Any:
        raise InvalidRequestError("a unit is one transaction, which its end commits")

    begin_nested = rollback = _is_one_transaction

    # What goes these ways finds what was added before; for statements `_limit_to_workspace` sees to that.

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        store_kept(self)
        return super().connection(*arguments, **options)

    def flush(self, objects: Any = None) -> None:
        # No event tells of a flush of nothing.
        store_kept(self)
        super().flush(objects)

    def commit(self) -> None:
        store_kept(self)
        super().commit()


class _UnitSession(AsyncSession):
    sync_session_class = _FilteredSession


@event.listens_for(_FilteredSession, "do_orm_execute")
def _limit_to_workspace(state: ORMExecuteState) -> None:
    if not state.is_orm_statement or state.is_insert or _is_by_key(state):
        raise WrongWorkspace(f"the workspace filter cannot reach this statement: {state.statement}")
    if not (state.is_select or state.session.info["writes"]):
        raise ReadsOnly(f"a unit that reads has a statement that writes: {state.statement}")
    if state.is_update:
        _refuse_to_move(state)
    store_kept(state.session)
    if not state.is_column_load and not state.is_relationship_load:
        state.statement = state.session.info["limit"].on(state.statement)


def _is_by_key(state: ORMExecuteState) -> bool:
    """Whether rows are changed by keys beside the statement, which becomes another one for each of them."""
    return not state.is_select and isinstance(state.parameters, list)


def _refuse_to_move(state: ORMExecuteState) -> None:
    """Raise WrongWorkspace for a change of what says whose the rows are."""
    statement: Any = state.statement
    scope = _scope(state.bind_mapper.class_ if state.bind_mapper else None)
    if scope in (getattr(each, "key", each) for each in (*(statement._values or ()), *(state.parameters or ()))):
        raise WrongWorkspace(f"rows of {statement.table} would go to another workspace")


# What was compiled of statements that hold nothing beside what the filter reaches: looked at once, like the compiling.
_REACHED: WeakSet[Any] = WeakSet()
# Text that is a name or a number, or nothing but a mark in quotes: no condition, and no question of its own.
_HARMLESS = re.compile(r"\w+|\*|'\W?'")


def _refuse_unreachable(*told: Any) -> None:
    """Raise WrongWorkspace for a unit's statement with a part that the filter does not reach: text, or a bare table."""
    compiled = told[4].compiled
    if compiled is None or compiled in _REACHED:
        return
    if compiled.statement is not None and compiled.statement._propagate_attrs.get("compile_state_plugin") == "orm":
        _refuse_bare(compiled)
    _REACHED.add(compiled)


def _refuse_bare(compiled: Any) -> None:
    for part in _parts(compiled.statement):
        if _is_bare(part):
            raise WrongWorkspace(f"the workspace filter cannot reach {part} in a statement of a unit")


def _parts(statement: Any) -> Iterator[Any]:
    """What the statement is made of, down to what the ORM knows: its tables, and the keys by which it gets a row."""
    # By identity, and held on to: an expression's == is another expression.
    seen = {id(clause): clause for mapper in SQLModel._sa_registry.mappers for clause in mapper._get_clause[:1]}
    waiting = [statement]
    while waiting:
        part = _beyond_the_orm(waiting.pop())
        if part is not None and id(part) not in seen:
            seen[id(part)] = part  # a recursive question has itself among its parts
            yield part
            # As it was written: a select's own children are the tables of its columns too.
            waiting += HasTraverseInternals.get_children(part)


def _beyond_the_orm(part: Any) -> Any:
    """The part, or the question of whose rows it makes entities; None where it is a table that the ORM knows."""
    entity = part._annotations.get("parententity")
    if entity is None:
        return part
    asked = entity.selectable
    return asked if entity.is_aliased_class and asked.element is not entity.mapper.local_table else None


def _is_bare(part: Any) -> bool:
    if isinstance(part, TextClause):
        return _HARMLESS.fullmatch(part.text) is None
    if getattr(part, "is_literal", False):
        return _HARMLESS.fullmatch(part.name) is None
    table = part.table if isinstance(part, Column) else part
    return isinstance(table, TableClause) and table.name in SQLModel.metadata.tables


@event.listens_for(_FilteredSession, "before_attach")
def _refuse_to_take_in(session: Session, row: SQLModel) -> None:
    workspace_id = inspect(row).dict.get(_scope(type(row)))
    if workspace_id not in (None, session.info["workspace_id"]):
        raise WrongWorkspace(f"a {type(row).__name__} of another workspace")


@event.listens_for(_FilteredSession, "before_flush")
def _refuse_other_workspaces(session: Session, *_: object) -> None:
    workspace_id = session.info["workspace_id"]
    for row in [*session.new, *session.dirty, *session.deleted]:
        if not session.info["writes"] and (row not in session.dirty or session.is_modified(row)):
            raise ReadsOnly(f"a unit that reads has a {type(row).__name__} to store")
        column = _scope(type(row))
        if getattr(row, column) is None and row in session.new:
            setattr(row, column, workspace_id)
        if getattr(row, column) != workspace_id:
            raise WrongWorkspace(f"a {inspect(row).mapper.class_.__name__} of another workspace")
