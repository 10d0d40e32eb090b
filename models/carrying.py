"""The rows of one workspace as plain values, to be stored in another database, where their keys may be taken.

All of it is read off the tables themselves, so what a later table or column holds is carried without a word here, but
for what stands below: what stays behind, and the keys of rows that stand inside texts and JSON.

A key is an integer column called `id` or `…_id`. Where keys have to be others, all of them, of all tables, go up by the
same number: so nothing has to be looked up, rows keep their order, and a button of an old message names no other row.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from enum import Enum
from typing import Any, Final

from sqlalchemy import Column, Integer, Table, TypeDecorator, func, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from models.database import Database
from models.money import Money
from models.tables import Workspace, scope_of, table_of

Row = dict[str, Any]

# What stays behind, a table or a column of one, and why.
LEFT_BEHIND: Final[Mapping[str, str]] = {
    "heartbeat": "Tells that a process of that installation lives.",
    "installation": "Holds tokens, which are given to one installation of Steward and never leave it.",
    "install_state": "Is an installation that somebody has begun in that place.",
    "workspace.installation_id": "Names an installation, which stays behind.",
    "workspace.removed_at": "Whoever imports a workspace wants it to go on.",
    "workspace.refused_since": "Is about an installation, which stays behind.",
    "workspace.refused_at": "Is about an installation, which stays behind.",
}

# So many rows are read, and stored, at once.
PAGE: Final = 500
# Between the keys that are there and those of a workspace that comes: for what others store meanwhile.
GAP: Final = 1_000
# PostgreSQL's advisory lock, by a number of its own.
LOCK_KEY: Final = 5_837_420_119
# The greatest key that PostgreSQL's integer holds.
KEY_MAX: Final = 2**31 - 1

# In the payload of a delivery: what is a key, or a list of keys.
_IN_PAYLOADS: Final = ("absence", "of", "project", "records", "round", "standup", "steps", "vacated")
# In the history of a link.
_IN_LINKS: Final = ("from", "to")
# In the key and the lane of a delivery, whose parts stand between colons. The key of what it is about comes second; the
# others are there where one thing is owed because of another.
_IN_DELIVERY_KEYS: Final = tuple(
    map(
        re.compile,
        (
            r"^\w+:(\d{1,10})(?=:|$)",
            r"^card:\d+:\d+:(\d+):\d+(?=:|$)",
            r"^card:\d+:\d+:comment:(\d+)(?=:|$)",
            r"^channel_reminder:\d+:[\d-]+:(\d+):\d+$",
            r"^trouble:\w+:(\d+):",
            r"^summary:\d+:again (\d+)(?=:|$)",
            r"^summary_trouble:\d+:(\d+):",
        ),
    )
)


class NoRoom(Exception):
    """There are no keys left for rows that come."""


class Misfit(Exception):
    """A row is not what an export of that workspace holds."""


def tables() -> Sequence[Table]:
    """The tables that are carried; those that others point at come first."""
    return [table for table in SQLModel.metadata.sorted_tables if table.name not in LEFT_BEHIND]


def columns(table: Table) -> Sequence["Column[Any]"]:
    """The columns of the table that are carried."""
    return [column for column in table.columns if f"{table.name}.{column.name}" not in LEFT_BEHIND]


def keys(table: Table) -> Sequence["Column[Any]"]:
    """The columns of the table that hold the key of a row, its own or another's."""
    return [
        column
        for column in table.columns
        if isinstance(column.type, Integer) and (column.name == "id" or column.name.endswith("_id"))
    ]


def python_type(column: "Column[Any]") -> type:
    """What the column's values are, before Steward's own types make more of them."""
    plain = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return plain.python_type


@asynccontextmanager
async def read_at_once(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection that sees everything as of one moment, while others write."""
    async with database.outside(writes=False) as connection:
        if not database.is_sqlite:  # whose transactions are so by themselves
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        yield connection


@asynccontextmanager
async def stored_at_once(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection in one transaction, of which there is one at a time."""
    async with database.outside(writes=True) as connection:
        if not database.is_sqlite:
            await connection.execute(select(func.pg_advisory_xact_lock(LOCK_KEY)))
        yield connection


async def name_of(connection: AsyncConnection, workspace_id: str) -> str | None:
    """The name of the workspace; None where it is not there."""
    workspaces = table_of(Workspace)
    found: str | None = await connection.scalar(select(workspaces.c.name).where(workspaces.c.id == workspace_id))
    return found


async def key_range(connection: AsyncConnection, workspace_id: str) -> tuple[int, int] | None:
    """The least and the greatest key of the workspace's rows; None where it has none."""
    ends = [
        (await connection.execute(select(func.min(key), func.max(key)).where(_scope(key.table) == workspace_id))).one()
        for key in _own_keys()
    ]
    found = [(least, greatest) for least, greatest in ends if least is not None]
    return (min(least for least, _ in found), max(greatest for _, greatest in found)) if found else None


async def pages(connection: AsyncConnection, table: Table, workspace_id: str) -> AsyncIterator[list[list[Any]]]:
    """The workspace's rows of the table in the order of their keys, as plain values that JSON can hold."""
    primary = list(table.primary_key.columns)
    query = select(*columns(table)).where(_scope(table) == workspace_id).order_by(*primary).limit(PAGE)
    page = (await connection.execute(query)).all()
    while page:
        yield [[plain(value) for value in row] for row in page]
        last = [literal(page[-1]._mapping[column], column.type) for column in primary]
        further = query.where(tuple_(*primary) > tuple_(*last))
        page = (await connection.execute(further)).all() if len(page) == PAGE else []


async def store(
    connection: AsyncConnection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    workspace_id: str,
    own_keys: range,
    shift: int,
) -> None:
    """Store rows as `pages` gave them, under the names of their columns and with their keys moved.

    Raises Misfit for a row of another workspace's, or one that points at a row whose key is not among the workspace's
    own: what such a file would change or claim is somebody else's.
    """
    read = [_READERS.get(python_type(table.columns[name]), _as_it_is) for name in names]
    pointing = [key.name for key in keys(table) if key.primary_key or key.foreign_keys]
    stored = []
    for values in rows:
        row = {name: None if value is None else to(value) for name, to, value in zip(names, read, values, strict=True)}
        if row.get(_scope(table).name) != workspace_id:
            raise Misfit
        if any(row.get(name) is not None and not _is_among(own_keys, row[name]) for name in pointing):
            raise Misfit
        move_keys(table, row, shift)
        stored.append(row)
    await connection.execute(table.insert(), stored)


async def shift_for(connection: AsyncConnection, least: int, greatest: int) -> int:
    """By how much keys from `least` to `greatest` have to go up to be free here, and keeps them so. Raises NoRoom.

    Where no key is in the way they stay as they are.
    """
    sequences = await _sequences(connection)
    used = [(await connection.execute(select(func.max(key)))).scalar_one() or 0 for key in _own_keys()]
    given_out = max(*used, *sequences.values())
    shift = 0 if given_out < least else max(given_out, greatest) + GAP - least
    if greatest + shift > KEY_MAX:
        raise NoRoom
    for sequence, last in sequences.items():
        await connection.execute(text(f"SELECT setval('{sequence}', {max(last, greatest + shift)})"))
    return shift


def move_keys(table: Table, row: Row, by: int) -> None:
    """Change every key of a row that the row holds, wherever it stands in it."""
    for key in keys(table):
        if row.get(key.name) is not None:
            row[key.name] += by
    if elsewhere := _ELSEWHERE.get(table.name):
        elsewhere(row, by)


def _move_in_history(row: Row, by: int) -> None:
    is_key = str(row["field"]).endswith("_id")
    for side in ("before", "after"):
        if is_key and isinstance(row[side], int):
            row[side] += by
        if isinstance(row[side], list):
            row[side] = [_moved_in(link, _IN_LINKS, by) if isinstance(link, dict) else link for link in row[side]]


def _move_in_delivery(row: Row, by: int) -> None:
    for name in ("dedupe_key", "lane"):
        row[name] = moved_in_delivery_key(row[name], by)
    row["payload"] = _moved_in(row["payload"], _IN_PAYLOADS, by)


_ELSEWHERE: Final[Mapping[str, Callable[[Row, int], None]]] = {
    "history": _move_in_history,
    "delivery": _move_in_delivery,
}


def moved_in_delivery_key(key: str, by: int) -> str:
    """The key or lane of a delivery with the keys of rows in it moved."""
    found = {match.span(1) for pattern in _IN_DELIVERY_KEYS if (match := pattern.search(key))}
    for begin, end in sorted(found, reverse=True):
        key = f"{key[:begin]}{int(key[begin:end]) + by}{key[end:]}"
    return key


def _moved_in(told: Mapping[str, Any], names: Sequence[str], by: int) -> dict[str, Any]:
    return {name: _moved(value, by) if name in names else value for name, value in told.items()}


def _moved(value: Any, by: int) -> Any:
    if isinstance(value, list):
        return [_moved(each, by) for each in value]
    return value + by if isinstance(value, int) else value


def plain(value: Any) -> Any:
    """The value as JSON can hold it: instants and dates in ISO 8601, amounts and choices as they are stored."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Money):
        return str(value)
    return value.value if isinstance(value, Enum) else value


def _as_it_is(value: Any) -> Any:
    return value


def _is_among(own_keys: range, key: Any) -> bool:
    return type(key) is int and key in own_keys


def _text(value: str) -> str:
    """Without the one character that SQLite keeps in a text and PostgreSQL does not."""
    return value.replace("\0", "")


def _number(value: Any) -> int:
    """SQLite would keep anything else in a column of numbers, and nobody could read the row."""
    if type(value) is not int:
        raise TypeError
    return value


_READERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    int: _number,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    str: _text,
}


def _scope(table: Table) -> "Column[str]":
    """The column that says whose a row of the table is; every table that is carried has one."""
    scope = scope_of(table)
    assert scope is not None
    return scope


def _own_keys() -> Sequence["Column[Any]"]:
    """The columns whose values the database gives out."""
    return [key for table in tables() for key in keys(table) if key.name == "id"]


async def _sequences(connection: AsyncConnection) -> dict[str, int]:
    """What PostgreSQL gives keys out from, with the last one given out; SQLite looks at the rows themselves."""
    found: dict[str, int] = {}
    for key in _own_keys() if connection.dialect.name == "postgresql" else ():
        name = (await connection.execute(select(func.pg_get_serial_sequence(key.table.name, key.name)))).scalar_one()
        last, is_called = (await connection.execute(text(f"SELECT last_value, is_called FROM {name}"))).one()
        found[name] = last if is_called else 0
    return found
