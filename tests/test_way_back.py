"""Every step up and back again on a database in which every table and column is used."""

import asyncio
from collections.abc import Collection
from itertools import pairwise
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel, col, select

from bot import migrate
from models import directory
from models.database import Database
from models.kinds.action import ACTION
from models.tables import Project
from reports.export import export
from tests.support import WORKSPACE, make_record
from tests.test_migrations import ask, by_hand, indexes, is_described

STEPS = sorted(migrate._known())

# Table -> column names, and rows by their key.
Held = dict[str, tuple[list[str], dict[tuple[Any, ...], dict[str, Any]]]]

# What a step changes of what is there, by the step: what the release before was sending, nobody knows of; and what
# records are found by is noted anew after the last step.
CHANGES = {"0017": {"state", "lease_until", "last_error"}, "0026": {"words"}}
# The kinds that a step brought: a release before it cannot show their records.
KINDS_SINCE = {"0003": ("assumption", "dependency")}


def held(connection: Connection) -> Held:
    inspector = inspect(connection)
    found: Held = {}
    for table in sorted(set(inspector.get_table_names()) & set(SQLModel.metadata.tables)):
        columns = [column["name"] for column in inspector.get_columns(table)]
        key = inspector.get_pk_constraint(table)["constrained_columns"]
        quoted = ", ".join(f'"{column}"' for column in columns)
        rows = connection.execute(text(f'SELECT {quoted} FROM "{table}"')).mappings()
        found[table] = columns, {tuple(row[name] for name in key): dict(row) for row in rows}
    return found


def lost(before: Held, after: Held, changed: Collection[str] = ()) -> list[str]:
    """What both can hold, and only one does."""
    found = []
    for table in before.keys() & after.keys():
        columns = (set(before[table][0]) & set(after[table][0])) - {*changed}
        one, other = before[table][1], after[table][1]
        found += [f"{table} {key} is there only once" for key in one.keys() ^ other.keys()]
        found += [
            f"{table} {key}: {column} was {one[key][column]!r} and is {other[key][column]!r}"
            for key in one.keys() & other.keys()
            for column in columns
            if one[key][column] != other[key][column]
        ]
    return found


def without(kinds: tuple[str, ...], rows: Held) -> Held:
    """The same without the records of these kinds and what belongs to them."""
    gone = {key[0] for key, row in rows["record"][1].items() if row["kind"] in kinds}
    return {
        table: (columns, {key: row for key, row in there.items() if not gone & {row.get("record_id"), _id(table, key)}})
        for table, (columns, there) in rows.items()
    }


def _id(table: str, key: tuple[Any, ...]) -> Any:
    return key[0] if table == "record" else None


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_every_step_back_and_up_again_keeps_what_both_schemas_can_hold(filled_url: str) -> None:
    def look() -> Held:
        return asyncio.run(ask(filled_url, held))

    for older, newer in reversed(list(pairwise(STEPS))):
        before = without(KINDS_SINCE.get(newer, ()), look())
        migrate.downgrade(filled_url, older)
        back = look()
        assert lost(before, back) == [], f"{newer} back to {older}"

        migrate.upgrade(filled_url, newer)
        assert lost(back, look(), CHANGES.get(newer, ())) == [], f"{older} up to {newer}"
        migrate.downgrade(filled_url, older)


def test_what_went_all_the_way_back_and_up_is_like_a_new_database_and_goes_on(
    filled_url: str, database_url: str
) -> None:
    migrate.downgrade(filled_url, STEPS[0])
    first = asyncio.run(ask(filled_url, held))
    migrate.upgrade(filled_url)

    assert len(first["record"][1]) > 5
    assert lost(first, asyncio.run(ask(filled_url, held)), CHANGES["0017"]) == []
    assert asyncio.run(ask(filled_url, differences)) == []
    assert asyncio.run(ask(filled_url, indexes)) == asyncio.run(ask(database_url, indexes))
    assert asyncio.run(ask(filled_url, by_hand)) == asyncio.run(ask(database_url, by_hand))
    assert asyncio.run(log_one_more(filled_url)) > 1


def differences(connection: Connection) -> list[Any]:
    """Where the tables are others than the models say."""
    context = MigrationContext.configure(connection, opts={"include_name": is_described})
    return list(compare_metadata(context, SQLModel.metadata))


async def log_one_more(url: str) -> int:
    """The number of a record that is logged now; all that are there are read and exported."""
    async with Database(url) as database, database.unit(WORKSPACE) as session:
        await export(session)
        ana = await directory.person(session, "UANA")
        assert ana is not None
        project = (await session.exec(select(Project).where(col(Project.home_channel_id) == "CMOVE"))).one()
        return (await make_record(session, ACTION, project=project, by=ana)).record.number
