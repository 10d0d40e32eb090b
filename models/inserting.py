"""Inserts that two units may attempt at the same moment: one adds the row, the other meets it.

The one place that knows how the two databases say so. They go through the session's connection, since the workspace
filter of ORM statements has no place in an insert; the workspace is filled in here instead.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models.errors import WrongWorkspace

Row = Mapping[str, Any]

# What one statement may hold: SQLite takes 32,766 arguments, PostgreSQL's protocol 32,767.
ARGUMENTS_MAX = 30_000


@cache
def insert_into(table: type[SQLModel], dialect: str) -> postgresql.Insert:
    """The database's own INSERT, which has ON CONFLICT; both databases' share the words used here.

    The same one each time, as the three below are, since what it is compiled to is found by a key that takes long to
    make.
    """
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: postgresql.Insert = insert(table.__table__)  # type: ignore[attr-defined]
    return statement


@cache
def _insert_if_missing(table: type[SQLModel], dialect: str) -> postgresql.Insert:
    return insert_into(table, dialect).on_conflict_do_nothing()


@cache
def _insert_for_id(table: type[SQLModel], dialect: str) -> ReturningInsert[Any]:
    return insert_into(table, dialect).returning(table.__table__.autoincrement_column)  # type: ignore[attr-defined]


@cache
def _count_up(table: type[SQLModel], dialect: str, key: tuple[str, ...], column: str) -> ReturningInsert[Any]:
    statement, counted = insert_into(table, dialect), getattr(table, column)
    more = {column: counted + statement.excluded[column]}
    return statement.on_conflict_do_update(index_elements=key, set_=more).returning(counted)


async def add_missing(session: AsyncSession, table: type[SQLModel], rows: Sequence[Row]) -> int:
    """Insert the rows whose key is not there yet; how many that were. One statement unless they are thousands."""
    if not rows:
        return 0
    statement = _insert_if_missing(table, session.get_bind().dialect.name)
    at_once, workspace_id = ARGUMENTS_MAX // (len(rows[0]) + 1), workspace_of(session)
    added = 0
    for start in range(0, len(rows), at_once):
        values = [_of(workspace_id, row) for row in rows[start : start + at_once]]
        # What holds the values of several rows is compiled anew each time; a single row's go beside it.
        told = (statement, values[0]) if len(values) == 1 else (statement.values(values),)
        added += (await _execute(session, *told)).rowcount
    return added


async def add(session: AsyncSession, row: SQLModel) -> None:
    """Insert a new row, with the id that the database gives it; from then on it is like one that the session loaded.

    What the session's own flush does, without its looking for what else may have changed.
    """
    values = _of(workspace_of(session), dict(row))
    setattr(row, "workspace_id", values["workspace_id"])  # noqa: B010 - every table has it, SQLModel has not
    given_out = row.__table__.autoincrement_column  # type: ignore[attr-defined]
    dialect = session.get_bind().dialect.name
    if given_out is None:
        await _execute(session, insert_into(type(row), dialect), values)
    else:
        del values[given_out.key]
        setattr(row, given_out.key, (await _execute(session, _insert_for_id(type(row), dialect), values)).scalar_one())
    make_transient_to_detached(row)
    session.add(row)


async def add_rows(session: AsyncSession, rows: Sequence[SQLModel]) -> None:
    """Insert new rows of any tables, in their order; one statement a table. They become no part of the session.

    For many rows at once: the session's own way takes a statement each where it has to learn a row's id on SQLite.
    """
    tables: dict[type[SQLModel], list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(type(row), []).append(dict(row))
    for table, values in tables.items():
        given_out = table.__table__.autoincrement_column  # type: ignore[attr-defined]
        left_out = {given_out.key} if given_out is not None else set()
        of_us = [_of(workspace_of(session), row) for row in values]
        whole = [{key: value for key, value in row.items() if key not in left_out} for row in of_us]
        await _execute(session, insert_into(table, session.get_bind().dialect.name), whole)


async def count_up(session: AsyncSession, table: type[SQLModel], key: Row, column: str, *, by: int = 1) -> int:
    """Add to the column, or begin it there; the new value. The row stays locked until the transaction ends."""
    key = _of(workspace_of(session), key)
    statement = _count_up(table, session.get_bind().dialect.name, tuple(key), column)
    return int((await _execute(session, statement, {**key, column: by})).scalar_one())


def _of(workspace_id: str, row: Row) -> dict[str, Any]:
    """The row with its workspace. Raises WrongWorkspace for one of another."""
    if row.get("workspace_id") not in (None, workspace_id):
        raise WrongWorkspace("a row of another workspace")
    return {**row, "workspace_id": workspace_id}


async def _execute(session: AsyncSession, statement: Insert, *values: Any) -> CursorResult[Any]:
    return await session.run_sync(lambda sync: sync.connection().execute(statement, *values))


def workspace_of(session: AsyncSession) -> str:
    """The workspace that the session was opened for."""
    return str(session.sync_session.info["workspace_id"])
