"""Two people, two processes, one row: nothing is lost, nothing is given out twice."""

import asyncio
from datetime import date

import pytest

from models import directory, operations, outbox, projects
from models.database import Database
from models.errors import Conflict
from models.kinds import KINDS, Kind
from models.kinds.action import ACTION
from models.permissions import Actor, Standing, actor_of
from models.tables import Channel, Record
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record

ANA = Actor(id="UANA", standing=Standing.MEMBER)
only_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@pytest.fixture
async def logged(database: Database) -> Database:
    """A1, unchanged: every test here begins with both sides having seen version 1."""
    async with database.unit(WORKSPACE) as session:
        await make_record(session, ACTION, title="Order racks")
    return database


async def retitle(database: Database, title: str, both_have_looked: asyncio.Barrier | None = None) -> None:
    async with database.unit(WORKSPACE) as session:
        item, project = await operations.find(session, ANA, ACTION, 1)
        if both_have_looked:
            await both_have_looked.wait()
        await operations.change(session, ANA, item, project, {"title": title}, version=1, now=NOW, via="form")


async def read(database: Database) -> Record:
    async with database.unit(WORKSPACE, writes=False) as session:
        return (await operations.find(session, ANA, ACTION, 1))[0].record


async def test_of_two_changes_to_one_version_one_is_stored_and_one_refused(logged: Database) -> None:
    results = await asyncio.gather(retitle(logged, "One"), retitle(logged, "Two"), return_exceptions=True)

    refusals = [result for result in results if result is not None]
    record = await read(logged)
    assert [isinstance(refusal, Conflict) for refusal in refusals] == [True]
    assert record.version == 2
    assert record.title == ("One" if results[0] is None else "Two")


@only_postgresql
async def test_a_change_underneath_a_unit_that_has_already_looked_is_refused(logged: Database) -> None:
    both_have_looked = asyncio.Barrier(2)
    results = await asyncio.gather(
        retitle(logged, "One", both_have_looked), retitle(logged, "Two", both_have_looked), return_exceptions=True
    )

    (refusal,) = [result for result in results if result is not None]
    assert isinstance(refusal, Conflict)
    assert "please try again" in str(refusal)
    assert (await read(logged)).version == 2


@only_postgresql
async def test_a_change_of_only_the_kinds_own_row_is_guarded_too(logged: Database) -> None:
    both_have_looked = asyncio.Barrier(2)

    async def define(words: str) -> None:
        async with logged.unit(WORKSPACE) as session:
            item, project = await operations.find(session, ANA, ACTION, 1)
            await both_have_looked.wait()
            await operations.change(session, ANA, item, project, {"done_when": words}, version=1, now=NOW, via="form")

    results = await asyncio.gather(define("signed"), define("paid"), return_exceptions=True)

    assert [isinstance(result, Conflict) for result in results if result is not None] == [True]


async def test_a_later_form_is_refused_with_who_changed_what(logged: Database) -> None:
    async with logged.unit(WORKSPACE) as session:
        await make_person(session, "ben", real_name="Ben Ode")
        ben = Actor(id="UBEN", standing=Standing.MEMBER)
        item, project = await operations.find(session, ben, ACTION, 1)
        await operations.change(
            session, ben, item, project, {"due_date": date(2026, 3, 6)}, version=1, now=NOW, via="form"
        )

    with pytest.raises(Conflict, match=r"Ben Ode changed A1 meanwhile \(due date\), and nothing was overwritten"):
        await retitle(logged, "Mine")
    assert (await read(logged)).title == "Order racks"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_numbers_are_given_out_once_however_many_log_at_once(database: Database, kind: Kind) -> None:
    async with database.unit(WORKSPACE) as session:
        project = await make_project(session)

    async def log(number: int) -> int:
        async with database.unit(WORKSPACE) as session:
            here = await projects.find(session, ANA, project.id or 0)
            ana = await directory.person(session, "UANA")
            return (await make_record(session, kind, project=here, by=ana)).record.number

    numbers = await asyncio.gather(*(log(number) for number in range(10)))

    assert sorted(numbers) == list(range(1, 11))


async def test_a_number_of_a_unit_that_failed_is_free_again_but_none_repeats(logged: Database) -> None:
    async def log_and_fail() -> None:
        async with logged.unit(WORKSPACE) as session:
            await make_record(session, ACTION)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await log_and_fail()
    async with logged.unit(WORKSPACE) as session:
        item = await make_record(session, ACTION)

    assert item.reference == "A2"


async def test_kinds_and_workspaces_count_for_themselves(logged: Database) -> None:
    references = []
    async with logged.unit(WORKSPACE) as session:
        references += [(await make_record(session, kind)).reference for kind in KINDS]
    async with logged.unit("T0002") as session:
        references += [(await make_record(session, kind)).reference for kind in KINDS]

    assert references == ["A2", "R1", "I1", "D1", "AS1", "DP1", "A1", "R1", "I1", "D1", "AS1", "DP1"]


async def test_one_channel_gets_one_project_when_two_log_its_first_record_at_once(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        await make_channel(session, members=[ana])
    both_have_looked = asyncio.Barrier(2)

    async def begin() -> None:
        async with database.unit(WORKSPACE) as session:
            if not database.is_sqlite:  # there the second unit cannot even look before the first has finished
                await session.get(Channel, (WORKSPACE, "CMOVE"))
                await both_have_looked.wait()
            channel = await session.get(Channel, (WORKSPACE, "CMOVE"))
            assert channel is not None
            if channel.project_id is None:
                await projects.begin(session, actor_of(ana), channel, name="Move", timezone="UTC", now=NOW)

    results = await asyncio.gather(begin(), begin(), return_exceptions=True)

    refused = [isinstance(result, Conflict) for result in results if result is not None]
    assert refused == ([] if database.is_sqlite else [True])
    async with database.unit(WORKSPACE, writes=False) as session:
        (project,) = await projects.seen_by(session, ANA)
        assert (await session.get(Channel, (WORKSPACE, "CMOVE"))).project_id == project.id  # type: ignore[union-attr]


async def test_one_person_met_by_two_units_at_once_is_stored_once(database: Database) -> None:
    async def meet() -> None:
        async with database.unit(WORKSPACE) as session:
            await make_person(session, "ana")

    await asyncio.gather(*(meet() for _ in range(6)))

    async with database.unit(WORKSPACE, writes=False) as session:
        assert [person.id for person in await directory.people_named(session, "ana")] == ["UANA"]


async def test_one_membership_noted_by_two_units_at_once_is_stored_once(database: Database) -> None:
    async def join() -> None:
        async with database.unit(WORKSPACE) as session:
            await directory.joined(session, "CMOVE", "UANA")

    await asyncio.gather(*(join() for _ in range(6)))

    async with database.unit(WORKSPACE, writes=False) as session:
        assert await directory.is_member(session, "CMOVE", "UANA")


async def test_one_delivery_owed_by_many_units_at_once_is_owed_once(database: Database) -> None:
    async def owe() -> None:
        async with database.unit(WORKSPACE) as session:
            await outbox.put(session, "morning", key="morning:UANA:2026-03-02", target="UANA", due_at=NOW)

    await asyncio.gather(*(owe() for _ in range(6)))

    async with database.engine.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM delivery")).scalar() == 1
