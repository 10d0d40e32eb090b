"""Which statements a piece of work sends to the database, and whether any of them reads a whole table.

The statements are captured as they go, with their arguments, so that nobody has to keep a list of them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from models.database import Database

_PLAIN = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
# A condition that holds for every row of an installation with one workspace.
_WORKSPACE = re.compile(r"\(?\(?workspace_id\)?(::text)? = '\w+'::\w+\)?")
_SQLITE_LINE = re.compile(r"(SCAN|SEARCH) (\S+)(.*)")


@dataclass(frozen=True)
class Sent:
    """A statement as it was sent, and what was going on."""

    during: str
    statement: str
    arguments: Any = field(compare=False)


@dataclass(frozen=True)
class Scan:
    """A statement that reads all of a large table or index, with the words of its plan."""

    sent: Sent
    what: str
    plan: str

    def __str__(self) -> str:
        return f"{self.sent.during} reads all of {self.what}:\n{self.sent.statement}\nPlan:\n{self.plan}"


class Watch:
    """Notes every statement of a database, each once for each thing that is going `on`."""

    def __init__(self) -> None:
        self.sent: dict[Sent, None] = {}
        self._during = ""

    @contextmanager
    def on(self, database: Database, during: str) -> Iterator[None]:
        """While the block runs, note what is sent as sent during that."""
        self._during = during
        event.listen(database.engine.sync_engine, "before_cursor_execute", self._note)
        try:
            yield
        finally:
            event.remove(database.engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _u: Any, statement: str, arguments: Any, _x: Any, executemany: bool) -> None:
        if _PLAIN.match(statement):
            self.sent.setdefault(Sent(self._during, statement, arguments[0] if executemany else arguments))


async def scans(database: Database, sent: Sequence[Sent], *, rows: int) -> list[Scan]:
    """The statements that read the whole of a table, or of an index, with more than so many rows."""
    found = []
    explain, read_whole, drawn = (
        ("EXPLAIN QUERY PLAN", _read_whole_sqlite, "\n".join)
        if database.is_sqlite
        else ("EXPLAIN (FORMAT JSON)", _read_whole_postgresql, _drawn)
    )
    async with database.engine.connect() as connection:
        large = await _large(connection, rows)
        for each in sent:
            explained = await connection.exec_driver_sql(f"{explain} {each.statement}", each.arguments)
            plan: Any = list(explained.scalars(3)) if database.is_sqlite else explained.scalar_one()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            found += [Scan(each, what, drawn(plan)) for what in sorted(read_whole(plan, each.statement) & large)]
        await connection.rollback()
    return found


async def _large(connection: AsyncConnection, rows: int) -> set[str]:
    """The tables and indexes with more than so many rows."""
    found = set()
    for table in SQLModel.metadata.tables.values():
        if await _has_more(connection, table.name, "true", rows):
            found.add(table.name)
            for index in table.indexes:
                is_partial = index.dialect_options[connection.dialect.name]["where"]
                if is_partial is None or await _has_more(connection, table.name, str(is_partial), rows):
                    found.add(str(index.name))
            # What SQLite and PostgreSQL made for keys.
            found |= {f"sqlite_autoindex_{table.name}_{number}" for number in (1, 2, 3)} | {f"{table.name}_pkey"}
    return found


async def _has_more(connection: AsyncConnection, table: str, condition: str, rows: int) -> bool:
    query = text(f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1 OFFSET {rows}")
    return (await connection.execute(query)).first() is not None


def _read_whole_sqlite(lines: Sequence[str], statement: str) -> set[str]:
    """By the words of SQLite: a scan, or a search by nothing but the workspace."""
    found = set()
    for line in lines:
        if (match := _SQLITE_LINE.match(line)) is None:
            continue
        way, name, how = match.groups()
        if way == "SCAN" or "(workspace_id=?)" in how:
            index = re.search(r"INDEX (\w+)", how)
            found.add(index[1] if index else _table_of(name, statement))
    return found


def _table_of(name: str, statement: str) -> str:
    """The table that the statement calls by that name."""
    found = re.search(rf"(\w+)\W+AS\W+{re.escape(name)}\b", statement, re.IGNORECASE)
    return found[1] if found else name


def _read_whole_postgresql(plan: Any, _statement: str) -> set[str]:
    """By the nodes of PostgreSQL's plan: a sequential scan, or an index asked for nothing but the workspace."""
    found = set()
    for node, is_limited in _nodes(plan[0]["Plan"]):
        if node["Node Type"] == "Seq Scan":
            found.add(node["Relation Name"])
        # An index read in its order ends with the limit.
        elif (
            "Index Name" in node and not is_limited and not _WORKSPACE.sub("", node.get("Index Cond", "")).strip("() ")
        ):
            found.add(node["Index Name"])
    return found


def _nodes(node: dict[str, Any], is_limited: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """The node and all below it, and whether a limit ends each as soon as it has enough."""
    yield node, is_limited
    is_limited = node["Node Type"] == "Limit" or (is_limited and node["Node Type"] in ("LockRows", "Result"))
    for child in node.get("Plans", ()):
        yield from _nodes(child, is_limited)


def _drawn(plan: Any) -> str:
    words = ("Node Type", "Relation Name", "Index Name", "Index Cond", "Filter")
    return "\n".join(" ".join(str(node[word]) for word in words if word in node) for node, _ in _nodes(plan[0]["Plan"]))
