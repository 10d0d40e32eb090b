"""A unit of one workspace neither sees nor changes another's rows, whatever is asked of whichever table."""

from typing import Any

import pytest
from sqlalchemy import delete, exists, func, select, true, update
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, erased, kinds, standups
from models.database import Database, rows
from models.errors import WrongWorkspace
from models.labels import LinkType
from models.permissions import actor_of
from models.tables import (
    OF_NO_WORKSPACE,
    Capture,
    Card,
    Channel,
    Comment,
    Escalation,
    Link,
    Mute,
    Person,
    Record,
    Rung,
    SeenRequest,
    Watcher,
    WeeklySummary,
    Workspace,
    table_of,
)
from tests.support import NOW, a_plan, make_person, make_record, make_workspace

OURS, THEIRS = "T0001", "T0002"

# Every mapped table but those that belong to no workspace; those that point at others come first.
TABLES: list[type[SQLModel]] = sorted(
    (mapper.class_ for mapper in SQLModel._sa_registry.mappers if mapper.class_ not in OF_NO_WORKSPACE),
    key=lambda table: list(SQLModel.metadata.sorted_tables).index(table_of(table)),
    reverse=True,
)


def scope_column(table: type[SQLModel]) -> str:
    return "id" if table is Workspace else "workspace_id"


def a_step(record_id: int) -> Escalation:
    return Escalation(
        record_id=record_id, concern="overdue", rung=Rung.OWNER, person_id="UANA", heard_on=NOW.date(), planned_at=NOW
    )


async def fill(session: AsyncSession) -> None:
    """A row in every table."""
    await make_workspace(session)
    ana = await make_person(session)
    for kind in kinds.KINDS:
        item = await make_record(session, kind, by=ana, tags="pilot", helpers=[ana.id])
        session.add(Link(from_id=item.record.id, type=LinkType.BLOCKS, to_id=item.record.id, at=NOW, made_by=ana.id))
        session.add(Card(record_id=item.record.id, channel_id="CMOVE", ts="1.0"))
        session.add(Watcher(record_id=item.record.id, person_id=ana.id, at=NOW))
        session.add(Comment(record_id=item.record.id, author_id=ana.id, at=NOW, text="Seen"))
        session.add(a_step(item.record.id or 0))
        session.add(Mute(person_id=ana.id, record_id=item.record.id, at=NOW))
    session.add(SeenRequest(key="trigger", at=NOW))
    await erased.remember(session, "UGONE")
    session.add(Capture(channel_id="CMOVE", ts="1.0", kind="risk", at=NOW, by=ana.id))
    await absences.add(session, ana.id, NOW.date(), NOW.date(), deputy_id=None, today=NOW.date(), now=NOW)
    standup = await standups.create(session, actor_of(ana), a_plan(), today=NOW.date(), now=NOW)
    await standups.open_round(session, standup, NOW.date(), now=NOW)
    session.add(WeeklySummary(project_id=item.record.project_id, day=NOW.date()))
    await session.flush()


async def stored(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, whoever's it is."""
    async with database.engine.connect() as connection:
        return {
            table.__name__: sorted(map(tuple, await connection.execute(select(table_of(table)))), key=str)
            for table in TABLES
        }


def of_workspace(rows: dict[str, list[tuple[Any, ...]]], workspace_id: str) -> dict[str, list[tuple[Any, ...]]]:
    place = {table.__name__: list(table_of(table).columns.keys()).index(scope_column(table)) for table in TABLES}
    return {name: [row for row in found if row[place[name]] == workspace_id] for name, found in rows.items()}


@pytest.fixture
async def two_workspaces(database: Database) -> Database:
    for workspace_id in (OURS, THEIRS):
        async with database.unit(workspace_id) as session:
            await fill(session)
    both = await stored(database)
    for workspace_id in (OURS, THEIRS):
        empty = [name for name, rows in of_workspace(both, workspace_id).items() if not rows]
        assert empty == [], "every table needs a row for these tests to mean anything"
    return database


async def test_a_row_of_another_workspace_is_not_found_by_its_key(two_workspaces: Database) -> None:
    async with two_workspaces.unit(THEIRS, writes=False) as session:
        their_record = (await session.exec(select(Record))).first()[0]  # type: ignore[call-overload]

    async with two_workspaces.unit(OURS, writes=False) as session:
        assert await session.get(Record, their_record.id) is None
        assert await session.get(Channel, (THEIRS, "CMOVE")) is None
        assert await session.get(Channel, (OURS, "CMOVE")) is not None


async def test_one_question_asked_in_two_workspaces_has_two_answers(two_workspaces: Database) -> None:
    answers = []
    for workspace_id in (OURS, THEIRS, OURS):
        async with two_workspaces.unit(workspace_id, writes=False) as session:
            answers.append((await session.exec(select(Person))).one()[0].workspace_id)  # type: ignore[call-overload]

    assert answers == [OURS, THEIRS, OURS]


async def test_a_question_that_is_kept_answers_each_workspace_of_its_own(two_workspaces: Database) -> None:
    """What is kept of a statement, its compiled form above all, must not keep the first workspace with it.

    Whether it is asked as any other or for plain rows.
    """
    other = aliased(Record)
    is_raised = exists().where(col(Record.raised_by) == col(Person.id))
    questions: list[Any] = [
        select(Person.workspace_id, other.workspace_id).join(other, other.raised_by == Person.id),
        select(Person.workspace_id).where(is_raised),
        select(func.min(Record.workspace_id), func.max(Record.workspace_id)),
    ]

    for workspace_id in (OURS, THEIRS, OURS):
        async with two_workspaces.unit(workspace_id, writes=False) as session:
            for question in questions:
                for found in ((await session.exec(question)).all(), await rows(session, question, {})):
                    assert {value for row in found for value in row} == {workspace_id}, question


async def test_a_change_of_many_reaches_those_that_the_unit_has_loaded(two_workspaces: Database) -> None:
    for workspace_id in (OURS, THEIRS):
        async with two_workspaces.unit(workspace_id) as session:
            ana = (await session.exec(select(Person))).one()[0]  # type: ignore[call-overload]
            await session.exec(update(Person).where(col(Person.id) == ana.id).values(name="anna"))

            assert ana.name == "anna"


@pytest.mark.parametrize("act", ["add", "move", "remove"])
async def test_a_row_of_another_workspace_is_never_flushed(two_workspaces: Database, act: str) -> None:
    before = await stored(two_workspaces)
    for table in TABLES:
        async with two_workspaces.unit(OURS if act == "move" else THEIRS, writes=False) as session:
            row = (await session.exec(select(table))).first()[0]  # type: ignore[call-overload]
            session.expunge(row)

        with pytest.raises(WrongWorkspace, match=table.__name__):
            await flush_foreign(two_workspaces, row, act)

    assert await stored(two_workspaces) == before


async def flush_foreign(database: Database, row: SQLModel, act: str) -> None:
    async with database.unit(OURS) as session:
        if act == "add":
            session.add(type(row)(**row.model_dump()))
        elif act == "move":
            session.add(row)
            setattr(row, scope_column(type(row)), THEIRS)
        else:
            await session.delete(row)


async def test_a_new_row_belongs_to_the_workspace_of_its_unit(database: Database) -> None:
    async with database.unit(OURS) as session:
        session.add(SeenRequest(key="trigger", at=NOW))

    async with database.unit(OURS, writes=False) as session:
        assert await session.get(SeenRequest, (OURS, "trigger")) is not None


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", OF_NO_WORKSPACE, ids=lambda table: table.__name__)
async def test_a_unit_reaches_no_table_that_belongs_to_no_workspace(database: Database, table: type[SQLModel]) -> None:
    """Neither directly nor from within another question."""
    async with database.unit(OURS) as session:
        for question in (
            select(table),
            select(func.count()).select_from(select(table).subquery()),
            select(Person).join(aliased(table), true()),
            select(Person).where(select(table).exists()),
            update(table).values({table_of(table).columns[0].name: "x"}),
            delete(table),
        ):
            with pytest.raises(WrongWorkspace):
                await session.exec(question)  # type: ignore[call-overload]
