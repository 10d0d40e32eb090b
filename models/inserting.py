"""New rows: how a unit stores them, also those that two units may add at the same moment.

The one place that knows how the two databases say so. They go through the session's connection, since the workspace
filter of ORM statements has no place in an insert; the workspace is filled in here instead.

Rows from which nothing is to be learned are kept until the unit says something else to the database, or ends. Over
PostgreSQL they are stored in one statement then, since the way there and back takes longer than the storing.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cache, lru_cache
from itertools import count
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, CursorResult, Insert, bindparam, func, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session, class_mapper, make_transient_to_detached
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models.errors import ReadsOnly, WrongWorkspace
from models.prepared import Prepared, prepared
from models.tables import table_of

Row = Mapping[str, Any]

T = TypeVar("T", bound=SQLModel)

# So many are made ready before others get their turn, a few milliseconds' work.
ROWS_AT_ONCE = 500
# So many rows of several tables fit one statement; each mix of tables is a statement of its own.
ROWS_TOGETHER = 8


class _Kept(NamedTuple):
    """Rows to be inserted, all with the same columns; `once` leaves out those whose key is there already."""

    table: type[SQLModel]
    once: bool
    rows: Sequence[Row]


# A table, whether rows are left out whose key is there already, and the columns of each row.
_Shape = tuple[type[SQLModel], bool, tuple[tuple[str, ...], ...]]


@cache
def insert_into(table: type[SQLModel], dialect: str) -> postgresql.Insert:
    """The database's own INSERT, which has ON CONFLICT; both databases' share the words used here.

    The same one each time, as those below are, since what it is to the driver is kept by it.
    """
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: postgresql.Insert = insert(table_of(table))
    return statement


@cache
def _insert(table: type[SQLModel], dialect: str, *, once: bool) -> postgresql.Insert:
    statement = insert_into(table, dialect)
    return statement.on_conflict_do_nothing() if once else statement


@cache
def _insert_for_id(table: type[SQLModel], dialect: str) -> ReturningInsert[Any]:
    given_out: Any = table_of(table).autoincrement_column
    return insert_into(table, dialect).returning(given_out)


@cache
def _count_up(
    table: type[SQLModel], dialect: str, key: tuple[str, ...], column: str, row: type[SQLModel] | None
) -> ReturningInsert[Any]:
    statement, counted = insert_into(table, dialect), getattr(table, column)
    more = {column: counted + statement.excluded[column]}
    told = [counted, _next_id(row)] if row is not None and dialect == "postgresql" else [counted]
    return statement.on_conflict_do_update(index_elements=key, set_=more).returning(*told)


def _next_id(table: type[SQLModel]) -> ColumnElement[int]:
    sequence: ColumnElement[str] = literal_column(
        f"pg_get_serial_sequence('{table_of(table).name}', '{_given_out(table)}')"
    )
    return func.nextval(sequence)


async def add_if_missing(session: AsyncSession, table: type[SQLModel], row: Row) -> bool:
    """Insert the row unless its key is there already; whether it was not."""
    if any(kept.table is table for kept in session.sync_session.info.get("kept", ())):
        await session.run_sync(store_kept)  # so that what is counted below is this row alone
    _keep(session, _Kept(table, True, [row]))
    return await session.run_sync(store_kept) == 1


async def add_missing(session: AsyncSession, table: type[SQLModel], rows: Sequence[Row]) -> None:
    """Insert the rows whose key is not there yet, with what the unit stores next."""
    _keep(session, _Kept(table, True, rows))


async def add_rows(session: AsyncSession, rows: Sequence[SQLModel]) -> None:
    """Insert new rows of any tables, in their order, with what the unit stores next.

    They become no part of the session.
    """
    of_tables: dict[type[SQLModel], list[Row]] = {}
    for row in rows:
        of_tables.setdefault(type(row), []).append(_values(row))
    for table, values in of_tables.items():
        _keep(session, _Kept(table, False, values))


def _keep(session: AsyncSession, rows: _Kept) -> None:
    if rows.rows:
        session.sync_session.info.setdefault("kept", []).append(rows)


def store_kept(session: Session) -> int:
    """Store the rows that the unit keeps, if any; how many that was of the last ones. Raises ReadsOnly."""
    kept: list[_Kept] = session.info.pop("kept", [])
    if not kept:
        return 0
    _require_to_write(session, kept[0].table.__name__)
    connection, workspace_id = session.connection(), session.info["workspace_id"]
    dialect = connection.dialect.name
    if dialect == "postgresql" and len(kept) > 1 and sum(len(each.rows) for each in kept) <= ROWS_TOGETHER:
        return _store_together(connection, kept, workspace_id)
    stored = 0
    for table, once, rows in kept:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            values = [_whole(table, row, workspace_id) for row in rows[start : start + ROWS_AT_ONCE]]
            statement = _insert(table, dialect, once=once)
            stored = _run(connection, statement, values).rowcount
    return stored


def _require_to_write(session: Session, what: str) -> None:
    if not session.info["writes"]:
        raise ReadsOnly(f"a unit that reads has a {what} to store")


def _store_together(connection: Connection, kept: Sequence[_Kept], workspace_id: str) -> int:
    """Store rows of several tables in one statement of PostgreSQL's; how many that was of the last table."""
    of_tables: dict[tuple[type[SQLModel], bool], list[dict[str, Any]]] = {}
    for table, once, rows in kept:
        of_tables.setdefault((table, once), []).extend(_whole(table, row, workspace_id) for row in rows)
    shapes = tuple((table, once, tuple(map(tuple, rows))) for (table, once), rows in of_tables.items())
    in_order = (row for rows in of_tables.values() for row in rows)
    values = {f"{n}_{key}": value for n, row in enumerate(in_order) for key, value in row.items()}
    return _run(connection, _insert_together(shapes), [values]).rowcount


@lru_cache(maxsize=100)
def _insert_together(shapes: Sequence[_Shape]) -> postgresql.Insert:
    """PostgreSQL's statement for rows of these shapes; the values it takes are called `ROW_COLUMN`, rows from 0.

    They may refer to each other: that is looked at when all are stored. Which table comes first PostgreSQL leaves open,
    so the rows of one stand together: there they get their ids in their order.
    """
    numbers = count()
    *others, last = (
        _insert(table, "postgresql", once=once).values(
            [
                {key: bindparam(f"{n}_{key}", type_=table_of(table).c[key].type) for key in keys}
                for keys, n in zip(rows, numbers, strict=False)
            ]
        )
        for table, once, rows in shapes
    )
    return last.add_cte(*(each.cte(f"rows_{n}") for n, each in enumerate(others)))


def _whole(table: type[SQLModel], row: Row, workspace_id: str) -> dict[str, Any]:
    """The row with what is never empty in it, and its workspace. Raises WrongWorkspace for one of another."""
    return _of(workspace_id, {**_filled(table), **row})


def new(table: type[T], **values: Any) -> T:
    """A row that is not stored yet: what `table(**values)` gives, which takes longer than storing it does."""
    row: T = class_mapper(table).class_manager.new_instance()
    # Each row gets lists of its own.
    row.__dict__.update({key: copy(default) for key, default in _defaults(table).items()} | values)
    return row


@cache
def _filled(table: type[SQLModel]) -> Row:
    """Column -> its default, of those that a row never leaves empty."""
    return {key: default for key, default in _defaults(table).items() if default is not None}


@cache
def _defaults(table: type[SQLModel]) -> Row:
    """Column -> its default, of those that have one."""
    fields = table.model_fields.items()
    return {key: each.get_default(call_default_factory=True) for key, each in fields if not each.is_required()}


async def add(session: AsyncSession, row: SQLModel) -> None:
    """Insert a new row, with the id that it has or that the database gives it; then it is like one that was loaded.

    What the session's own flush does, without its looking for what else may have changed.
    """
    table, given_out = type(row), _given_out(type(row))
    if given_out is None or row.__dict__.get(given_out) is not None:
        await add_rows(session, [row])
    else:
        statement = _insert_for_id(table, session.get_bind().dialect.name)
        inserted = await _execute(session, statement, _of(workspace_of(session), _values(row)))
        row.__dict__[given_out] = inserted.scalar_one()
    adopt(session, row)


def adopt(session: AsyncSession, row: SQLModel) -> None:
    """From now on the row, which was inserted, is like one that the session loaded."""
    setattr(row, "workspace_id", workspace_of(session))  # noqa: B010 - every table has it, SQLModel has not
    make_transient_to_detached(row)
    session.add(row)


def _values(row: SQLModel) -> Row:
    """What is to be stored of a row: all but an id that the database is to give out."""
    known, given_out = row.__dict__, _given_out(type(row))
    return {key: known[key] for key in type(row).model_fields if key != given_out or known.get(key) is not None}


def _of(workspace_id: str, row: Row) -> dict[str, Any]:
    """The row with its workspace. Raises WrongWorkspace for one of another."""
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
    [counted] = await _counted(session, table, key, column, by, None)
    return int(counted)


async def count_up_for(
    session: AsyncSession, row: type[SQLModel], table: type[SQLModel], key: Row, column: str
) -> tuple[int, int | None]:
    """Add one for a new row of that kind; the new value, and the row's id where that is known before it is stored."""
    counted, *ids = await _counted(session, table, key, column, 1, row)
    return int(counted), ids[0] if ids else None


async def _counted(
    session: AsyncSession, table: type[SQLModel], key: Row, column: str, by: int, row: type[SQLModel] | None
) -> Any:
    key = _of(workspace_of(session), key)
    statement = _count_up(table, session.get_bind().dialect.name, tuple(key), column, row)
    return (await _execute(session, statement, {**key, column: by})).one()


async def _execute(session: AsyncSession, statement: Insert, values: Row) -> CursorResult[Any]:
    _require_to_write(session.sync_session, statement.table.name)
    return await session.run_sync(lambda sync: _run(sync.connection(), statement, [values]))


def _run(connection: Connection, statement: Insert, rows: Sequence[Row]) -> CursorResult[Any]:
    """The outcome of the statement for rows that have the same columns."""
    ready = _prepared(statement, tuple(rows[0]), connection.dialect)
    values = [ready.of(row) for row in rows]
    return connection.exec_driver_sql(ready.sql, values[0] if len(values) == 1 else values)


@lru_cache(maxsize=300)
def _prepared(statement: Insert, columns: tuple[str, ...], dialect: Dialect) -> Prepared:
    made: Any = statement.compile(dialect=dialect, column_keys=columns)
    return prepared(made, dialect)


def workspace_of(session: AsyncSession) -> str:
    """The workspace that the session was opened for."""
    return str(session.sync_session.info["workspace_id"])
