"""Inserts that two units may attempt at the same moment: one adds the row, the other meets it.

The one place that knows how the two databases say so. They go through the session's connection, since the workspace
filter of ORM statements has no place in an insert; the workspace is filled in here instead.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import CursorResult, Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, class_mapper, make_transient_to_detached
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models.errors import WrongWorkspace
from models.tables import table_of

Row = Mapping[str, Any]

T = TypeVar("T", bound=SQLModel)

# So many are made ready before others get their turn, a few milliseconds' work.
ROWS_AT_ONCE = 500


@cache
def insert_into(table: type[SQLModel], dialect: str) -> postgresql.Insert:
    """The database's own INSERT, which has ON CONFLICT; both databases' share the words used here.

    The same one each time, as the three below are, since what it is compiled to is found by a key that takes long to
    make.
    """
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: postgresql.Insert = insert(table_of(table))
    return statement


@cache
def _insert_if_missing(table: type[SQLModel], dialect: str) -> postgresql.Insert:
    return insert_into(table, dialect).on_conflict_do_nothing()


@cache
def _insert_for_id(table: type[SQLModel], dialect: str) -> ReturningInsert[Any]:
    given_out: Any = table_of(table).autoincrement_column
    return insert_into(table, dialect).returning(given_out)


@cache
def _count_up(table: type[SQLModel], dialect: str, key: tuple[str, ...], column: str) -> ReturningInsert[Any]:
    statement, counted = insert_into(table, dialect), getattr(table, column)
    more = {column: counted + statement.excluded[column]}
    return statement.on_conflict_do_update(index_elements=key, set_=more).returning(counted)


async def add_if_missing(session: AsyncSession, table: type[SQLModel], row: Row) -> bool:
    """Insert the row unless its key is there already; whether it was not."""
    statement = _insert_if_missing(table, session.get_bind().dialect.name)
    return (await _execute(session, statement, _of(session, row))).rowcount == 1


async def add_missing(session: AsyncSession, table: type[SQLModel], rows: Sequence[Row]) -> None:
    """Insert the rows whose key is not there yet. One statement unless they are many hundreds."""
    statement = _insert_if_missing(table, session.get_bind().dialect.name)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        values = [_of(session, row) for row in rows[start : start + ROWS_AT_ONCE]]
        await _execute(session, statement, values[0] if len(values) == 1 else values)


def new(table: type[T], **values: Any) -> T:
    """A row that is not stored yet: what `table(**values)` gives, which takes longer than storing it does."""
    row: T = class_mapper(table).class_manager.new_instance()
    # Each row gets lists of its own.
    row.__dict__.update({key: copy(default) for key, default in _defaults(table).items()} | values)
    return row


@cache
def _defaults(table: type[SQLModel]) -> Row:
    """Column -> its default, of those that have one."""
    fields = table.model_fields.items()
    return {key: each.get_default(call_default_factory=True) for key, each in fields if not each.is_required()}


async def add(session: AsyncSession, row: SQLModel) -> None:
    """Insert a new row, with the id that the database gives it; from then on it is like one that the session loaded.

    What the session's own flush does, without its looking for what else may have changed.
    """
    given_out, table, dialect = _given_out(type(row)), type(row), session.get_bind().dialect.name
    statement = insert_into(table, dialect) if given_out is None else _insert_for_id(table, dialect)
    inserted = await _execute(session, statement, _values(session, row))
    if given_out is not None:
        row.__dict__[given_out] = inserted.scalar_one()
    adopt(session, row)


def adopt(session: AsyncSession, row: SQLModel) -> None:
    """From now on the row, which was inserted, is like one that the session loaded."""
    setattr(row, "workspace_id", workspace_of(session))  # noqa: B010 - every table has it, SQLModel has not
    make_transient_to_detached(row)
    session.add(row)


async def add_rows(session: AsyncSession, rows: Sequence[SQLModel]) -> None:
    """Insert new rows of any tables, in their order; one statement a table. They become no part of the session.

    For many rows at once: the session's own way takes a statement each where it has to learn a row's id on SQLite.
    """
    tables: dict[type[SQLModel], list[Row]] = {}
    for row in rows:
        tables.setdefault(type(row), []).append(_values(session, row))
    dialect = session.get_bind().dialect.name

    def insert(sync: Session) -> None:
        connection = sync.connection()
        for table, values in tables.items():
            connection.execute(insert_into(table, dialect), values[0] if len(values) == 1 else values)

    await session.run_sync(insert)


def _values(session: AsyncSession, row: SQLModel) -> dict[str, Any]:
    """What is to be stored of a row: all but the id that the database gives out."""
    known, given_out = row.__dict__, _given_out(type(row))
    values = {key: known[key] for key in type(row).model_fields if key != given_out}
    return _of(session, values)


def _of(session: AsyncSession, row: Row) -> dict[str, Any]:
    """The row with its workspace. Raises WrongWorkspace for one of another."""
    workspace_id = workspace_of(session)
    if row.get("workspace_id") not in (None, workspace_id):
        raise WrongWorkspace("a row of another workspace")
    return {**row, "workspace_id": workspace_id}


@cache
def _given_out(table: type[SQLModel]) -> str | None:
    """The column whose value the database gives out."""
    column = table_of(table).autoincrement_column
    return None if column is None else str(column.key)


async def count_up(session: AsyncSession, table: type[SQLModel], key: Row, column: str, *, by: int = 1) -> int:
    """Add to the column, or begin it there; the new value. The row stays locked until the transaction ends."""
    key = _of(session, key)
    statement = _count_up(table, session.get_bind().dialect.name, tuple(key), column)
    return int((await _execute(session, statement, {**key, column: by})).scalar_one())


async def _execute(session: AsyncSession, statement: Insert, *values: Any) -> CursorResult[Any]:
    return await session.run_sync(lambda sync: sync.connection().execute(statement, *values))


def workspace_of(session: AsyncSession) -> str:
    """The workspace that the session was opened for."""
    return str(session.sync_session.info["workspace_id"])
