"""Every table is asked and changed in every way that there is: one workspace's unit never reaches another's rows.

The ways are listed below, and each is tried on each table: either it is about the unit's own rows, or it is refused.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    MetaData,
    Table,
    delete,
    exists,
    func,
    insert,
    lambda_stmt,
    literal_column,
    select,
    text,
    true,
    union,
    union_all,
    update,
)
from sqlalchemy import column as named_column
from sqlalchemy import table as named_table
from sqlalchemy.orm import aliased
from sqlmodel import AutoString, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models import inserting
from models.database import Database
from models.errors import WrongWorkspace
from models.tables import Counter, SeenRequest, Workspace, table_of
from tests.models.test_scope import (
    OURS,
    TABLES,
    THEIRS,
    of_workspace,
    scope_column,
    stored,
    two_workspaces,
)
from tests.support import NOW

__all__ = ["two_workspaces"]

# Rows of two tables are put beside each other here without a condition, to see whose they are.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.* statement has a cartesian product"),
    pytest.mark.filterwarnings("ignore:Column .* is marked as a member of the primary key"),
]

Model = type[SQLModel]
Way = Callable[[Model], Any]


def whose(table: Any, model: Model | None = None) -> Any:
    """The column that says whose the row is, of a table or of an alias of it."""
    return getattr(table, scope_column(model or table))


def bare(table: Model) -> Any:
    """The same column of the table that the ORM knows nothing of."""
    return table_of(table).c[scope_column(table)]


def other(table: Model) -> Any:
    return whose(aliased(table), table)


def recursive(table: Model) -> Any:
    begun = select(whose(table)).cte("begun", recursive=True)
    return select(begun.union(select(whose(table)).where(whose(table) == begun.c[0])).c[0])


# Each gives, in every column, whose the rows are that it found.
READS: Mapping[str, Way] = {
    "column": lambda table: select(whose(table)),
    "smallest and largest": lambda table: select(func.min(whose(table)), func.max(whose(table))),
    "distinct": lambda table: select(whose(table)).distinct(),
    "grouped": lambda table: select(whose(table)).group_by(whose(table)).having(func.count() > 0),
    "window": lambda table: select(whose(table), func.max(whose(table)).over()),
    "alias": lambda table: select(other(table)),
    "any condition": lambda table: select(whose(table)).where(true() | (whose(table) == THEIRS)),
    "join": lambda table: select(Workspace.id, whose(twin := aliased(table), table)).join(twin, true()),
    "outer join": lambda table: select(Workspace.id, whose(twin := aliased(table), table)).outerjoin(twin, true()),
    "join of itself": lambda table: select(whose(table), whose(twin := aliased(table), table)).join(twin, true()),
    "subquery": lambda table: select(select(whose(table)).subquery().c[0]),
    "entity of a subquery": lambda table: select(whose(aliased(table, select(table).subquery()), table)),
    "value of a subquery": lambda table: select(
        Workspace.id, select(func.max(other(table))).correlate(None).scalar_subquery()
    ),
    "in a subquery": lambda table: select(whose(table)).where(whose(table).in_(select(other(table)))),
    "exists": lambda table: select(Workspace.id).where(exists().where(other(table) == THEIRS) | true()),
    "common table": lambda table: select(select(whose(table)).cte().c[0]),
    "recursive": recursive,
    "union": lambda table: union(select(whose(table)), select(other(table))),
    "union within": lambda table: select(union_all(select(whose(table)), select(other(table))).subquery().c[0]),
    "lambda": lambda table: lambda_stmt(lambda: select(whose(table))),
    "locking": lambda table: select(whose(table)).with_for_update(),
    "ordered by a subquery": lambda table: select(whose(table)).order_by(
        select(func.count(other(table))).correlate(None).scalar_subquery()
    ),
}

# Each finds something only where the other workspace's rows are reached.
SPIES: Mapping[str, Way] = {
    "exists": lambda table: select(Workspace.id).where(exists().where(whose(table) == THEIRS)),
    "condition": lambda table: select(whose(table)).where(whose(table) == THEIRS),
    "join": lambda table: select(Workspace.id).join(twin := aliased(table), whose(twin, table) == THEIRS),
    "in a subquery": lambda table: select(Workspace.id).where(
        select(func.count()).select_from(table).where(whose(table) == THEIRS).scalar_subquery() > 0
    ),
}

# What the filter cannot reach.
REFUSED: Mapping[str, Way] = {
    "bare table": lambda table: select(table_of(table)),
    "bare column": lambda table: select(bare(table)),
    "bare column beside": lambda table: select(Workspace.name, bare(table)),
    "bare column of a subquery": lambda table: select(Workspace.name, select(bare(table)).subquery().c[0]),
    "bare value": lambda table: select(Workspace.name, select(func.max(bare(table))).scalar_subquery()),
    "bare exists": lambda table: select(Workspace.name).where(exists().where(bare(table) == THEIRS)),
    "bare join": lambda table: select(Workspace.name).join(table_of(table), true()),
    "bare from": lambda table: select(func.count(Workspace.name)).select_from(Workspace, table_of(table)),
    "bare alias": lambda table: select(Workspace.name, table_of(table).alias().c[0]),
    "bare common table": lambda table: select(Workspace.name, select(bare(table)).cte().c[0]),
    "bare union": lambda table: union_all(select(whose(table)), select(bare(table))),
    "bare column of a united subquery": lambda table: select(
        union_all(select(whose(table)), select(bare(table))).subquery().alias().c[0]
    ),
    "entity of a bare subquery": lambda table: select(aliased(table, select(table_of(table)).subquery())),
    "entity of a bare union": lambda table: select(
        aliased(table, union_all(select(table), select(table_of(table))).subquery())
    ),
    "by name": lambda table: select(
        Workspace.name, named_table(table_of(table).name, named_column(scope_column(table))).c[0]
    ),
    "by name in other metadata": lambda table: select(
        Workspace.name, Table(table_of(table).name, MetaData(), Column(scope_column(table))).c[0]
    ),
    "entities of a bare statement": lambda table: select(table).from_statement(select(table_of(table))),
    "text": lambda table: text(f"SELECT * FROM {table_of(table).name}"),
    "entities of a text": lambda table: select(table).from_statement(text(f"SELECT * FROM {table_of(table).name}")),
    "text as a condition": lambda table: select(table).where(text("1 = 1 OR 1 = 1")),
    "literal as a condition": lambda table: select(table).where(literal_column("1 = 1 OR 1 = 1")),
    "insert": lambda table: insert(table).values({scope_column(table): THEIRS}),
    "bare insert": lambda table: insert(table_of(table)).values({scope_column(table): THEIRS}),
    "insert from a question": lambda table: insert(table).from_select([scope_column(table)], select(whose(table))),
    "bare update": lambda table: update(table_of(table)).values({scope_column(table): OURS}),
    "bare delete": lambda table: delete(table_of(table)),
    "update that moves": lambda table: update(table).values({scope_column(table): THEIRS}),
    "update that moves by a column": lambda table: update(table).values({whose(table): THEIRS}),
    "update by a bare value": lambda table: update(Workspace).values(name=select(bare(table)).scalar_subquery()),
    "update where a bare table has it": lambda table: update(Workspace).where(bare(table) == THEIRS).values(name="x"),
    "delete where a bare table has it": lambda table: delete(table).where(exists().where(bare(table) == THEIRS)),
}

# Each changes every row that it reaches.
CHANGES: Mapping[str, Way] = {
    "delete where": lambda table: delete(table).where(true()),
    "delete in": lambda table: delete(table).where(whose(table).in_(select(other(table)))),
    "delete that exists": lambda table: delete(table).where(exists().where(Workspace.name != "")),
}


async def test_whatever_is_asked_of_any_table_is_answered_from_the_units_own_rows(two_workspaces: Database) -> None:
    async with two_workspaces.unit(OURS) as session:
        for table in TABLES:
            for way, ask in READS.items():
                rows = (await session.exec(ask(table))).all()
                assert {value for row in rows for value in row} == {OURS}, (table, way)
            for way, ask in SPIES.items():
                assert (await session.exec(ask(table))).all() == [], (table, way)


async def test_entities_are_the_units_own_by_whichever_way_they_are_loaded(two_workspaces: Database) -> None:
    for table in TABLES:
        async with two_workspaces.unit(THEIRS, writes=False) as session:
            (theirs,) = (await session.exec(select(table))).first()  # type: ignore[call-overload]
            key = tuple(getattr(theirs, column.name) for column in table_of(table).primary_key)
        async with two_workspaces.unit(OURS, writes=False) as session:
            rows = (await session.exec(select(table))).all()  # type: ignore[call-overload]
            counted = (await session.exec(select(func.count()).select_from(table))).scalar_one()  # type: ignore[call-overload]
            assert {whose(row, table) for (row,) in rows} == {OURS}, table
            assert counted == len(rows), table
            assert await session.get(table, key) is None, table
            assert await session.get(table, key, populate_existing=True) is None, table
            (ours,) = rows[0]
            session.expire(ours)
            await session.refresh(ours)
            assert whose(ours, table) == OURS, table
            with pytest.raises(WrongWorkspace):
                session.add(theirs)


async def is_refused(going: Awaitable[Any]) -> bool:
    try:
        await going
    except WrongWorkspace:
        return True
    return False


async def test_what_the_filter_cannot_reach_is_refused(two_workspaces: Database) -> None:
    before = await stored(two_workspaces)
    async with two_workspaces.unit(OURS) as session:
        for table in TABLES:
            for way, ask in REFUSED.items():
                assert await is_refused(session.exec(ask(table))), (table, way)
            by_keys = [{scope_column(table): THEIRS}]
            assert await is_refused(session.exec(update(table), params=by_keys)), table  # type: ignore[call-overload]

    assert await stored(two_workspaces) == before


@pytest.mark.parametrize("way", [*CHANGES, "update"])
async def test_a_change_of_everything_leaves_the_other_workspace_as_it_was(two_workspaces: Database, way: str) -> None:
    before = await stored(two_workspaces)

    async with two_workspaces.unit(OURS) as session:
        for table in TABLES:
            statements = update_of_everything(table) if way == "update" else [CHANGES[way](table)]
            for statement in statements:
                await session.exec(statement)

    after = await stored(two_workspaces)
    assert of_workspace(after, THEIRS) == of_workspace(before, THEIRS)
    assert of_workspace(after, OURS) != of_workspace(before, OURS)


def update_of_everything(table: Model) -> list[Any]:
    """An update for each column of text that is no key: by itself, with a join, with a value of a subquery."""
    found: list[Any] = []
    for column in table_of(table).c:
        if isinstance(column.type, AutoString) and not column.primary_key and column.name != "workspace_id":
            own = getattr(table, column.name)
            longest = func.coalesce(select(func.max(getattr(aliased(table), column.name))).scalar_subquery(), "?")
            found.append(update(table).values({column.name: own + "!"}))
            found.append(update(table).where(whose(table) == Workspace.id).values({column.name: own + longest}))
    return found


async def gone_in(database: Database, go: Callable[[AsyncSession], Awaitable[Any]]) -> None:
    async with database.unit(OURS) as session:
        await go(session)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_no_row_of_another_workspace_goes_in(two_workspaces: Database) -> None:
    """By none of the ways past a statement."""
    row = {"workspace_id": THEIRS, "key": "theirs", "at": NOW}
    ways: dict[str, Callable[[Any], Any]] = {
        "add": lambda session: session.run_sync(lambda sync: sync.add(SeenRequest(**row))),
        "merge": lambda session: session.merge(SeenRequest(**row)),
        "save many": lambda session: session.run_sync(lambda sync: sync.bulk_save_objects([SeenRequest(**row)])),
        "insert many": lambda session: session.run_sync(lambda sync: sync.bulk_insert_mappings(SeenRequest, [row])),
        "update many": lambda session: session.run_sync(lambda sync: sync.bulk_update_mappings(SeenRequest, [row])),
        "insert": lambda session: inserting.add(session, SeenRequest(**row)),
        "insert rows": lambda session: inserting.add_rows(session, [SeenRequest(**row)]),
        "insert missing": lambda session: inserting.add_missing(session, SeenRequest, [row]),
        "count": lambda session: inserting.count_up(session, Counter, {"workspace_id": THEIRS, "kind": "x"}, "last"),
    }
    before = await stored(two_workspaces)
    for way, go in ways.items():
        assert await is_refused(gone_in(two_workspaces, go)), way

    assert await stored(two_workspaces) == before


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_no_row_refers_to_one_of_another_workspace(two_workspaces: Database) -> None:
    """By no foreign key of any table."""
    references = [(table, key) for table in map(table_of, TABLES) for key in table.foreign_keys]
    found = 0
    async with two_workspaces.outside(writes=False) as connection:
        for table, key in references:
            to = key.column.table
            joined = select(func.count()).select_from(table.join(to, key.parent == key.column))
            strays = joined.where(table.c.workspace_id != to.c.workspace_id)
            found += (await connection.execute(joined)).scalar_one()
            assert (await connection.execute(strays)).scalar_one() == 0, key

    assert found > len(references)
