"""What an undo takes back: the latest change in effect, of a record, a person or a batch, unless it was overwritten."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import batches, directory, links, operations, undoing
from models.database import Database
from models.kinds import Item, Kind
from models.kinds.action import ACTION
from models.kinds.decision import DECISION
from models.labels import LinkType
from models.permissions import actor_of
from models.tables import Delivery, Link, Person, Project, Record
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record

LATER = NOW + timedelta(hours=1)


@dataclass
class Team:
    """Ana coordinates, Ben works; each act is a unit of its own, as an interaction is."""

    database: Database
    ana: Person
    ben: Person
    project: Project

    async def log(self, *titles: str, by: Person | None = None, kind: Kind = ACTION, **values: Any) -> list[Item]:
        """The records, in one batch where they are several."""
        async with self.database.unit(WORKSPACE) as session:
            if len(titles) > 1:
                batches.begin(session)
            return [
                await make_record(session, kind, project=self.project, by=by or self.ben, title=title, **values)
                for title in titles
            ]

    async def change(self, *items: Item, by: Person | None = None, **values: Any) -> None:
        async with self.database.unit(WORKSPACE) as session:
            if len(items) > 1:
                batches.begin(session)
            actor = actor_of(by or self.ben)
            for each in items:
                item, project = await operations.find(session, actor, each.kind, each.record.number)
                version = item.record.version
                await operations.change(session, actor, item, project, values, version=version, now=LATER, via="form")

    async def step(self, item: Item, word: str, *, by: Person | None = None) -> None:
        async with self.database.unit(WORKSPACE) as session:
            actor = actor_of(by or self.ben)
            found, project = await operations.find(session, actor, item.kind, item.record.number)
            step = item.kind.step_named(word)
            assert step is not None
            await operations.take_step(session, actor, found, project, step, now=LATER, via="button")

    async def undo_last(self, by: Person | None = None) -> list[str]:
        """`/steward undo`: the references taken back; a reference with a ! where it stayed."""
        async with self.database.unit(WORKSPACE) as session:
            actor = actor_of(by or self.ben)
            change = await undoing.last_of(session, actor)
            if change is None:
                return []
            if len(change.parts) > 1:
                batches.begin(session)
            outcome = await undoing.take_back(session, actor, change, now=LATER, via="undo")
            kept = [f"{each.part.item.reference}!" for each in outcome.kept]
            return [*(part.item.reference for part in outcome.done), *kept]

    async def redo(self, item: Item) -> list[str]:
        """Undo whatever made the record's present version."""
        async with self.database.unit(WORKSPACE) as session:
            actor = actor_of(self.ben)
            found, project = await operations.find(session, actor, item.kind, item.record.number, with_archived=True)
            change = await undoing.of_version(session, found, project, found.record.version)
            assert change is not None
            if change.batch:
                change = await undoing.of_batch(session, actor, change.batch) or change
                batches.begin(session)
            outcome = await undoing.take_back(session, actor, change, now=LATER, via="undo")
            return [part.item.reference for part in outcome.done]

    async def states(self) -> dict[str, tuple[str, str]]:
        """Title and status of every record that is not removed."""
        async with self.database.unit(WORKSPACE, writes=False) as session:
            rows = await session.exec(select(Record).where(col(Record.is_archived).is_(False)).order_by(col(Record.id)))
            letters = {"action": "A", "decision": "D"}
            return {f"{letters[row.kind]}{row.number}": (row.title, row.status) for row in rows}


@pytest.fixture
async def team(database: Database) -> Team:
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session, "ana"), await make_person(session, "ben")
        channel = await make_channel(session, members=[ana, ben])
        project = await make_project(session, by=ana, channel=channel)
    return Team(database, ana, ben, project)


async def test_each_undo_goes_one_change_further_back(team: Team) -> None:
    [first, second] = [(await team.log(title))[0] for title in ("Order racks", "Book room")]
    await team.change(first, title="Order two racks")
    await team.step(second, "done")
    await team.change(first, title="Order three racks")

    taken = [await team.undo_last() for _ in range(6)]

    assert taken == [["A1"], ["A2"], ["A1"], ["A2"], ["A1"], []]
    assert await team.states() == {}


async def test_what_was_undone_and_redone_is_the_last_change_again(team: Team) -> None:
    [item] = await team.log("Order racks")
    await team.change(item, title="Order two racks")
    for _ in range(2):
        assert await team.undo_last() == ["A1"]
        assert await team.redo(item) == ["A1"]
    assert await team.states() == {"A1": ("Order two racks", "open")}

    assert await team.undo_last() == ["A1"]

    assert await team.states() == {"A1": ("Order racks", "open")}


async def test_somebody_elses_change_since_stands_in_the_way_and_is_named(team: Team) -> None:
    [item] = await team.log("Order racks")
    await team.change(item, by=team.ana, title="Hers")

    assert await team.undo_last() == ["A1!"]

    async with team.database.unit(WORKSPACE, writes=False) as session:
        change = await undoing.last_of(session, actor_of(team.ben))
        assert change is not None
        [row] = change.parts[0].since
        assert (row.actor_id, row.field, row.after) == ("UANA", "title", "Hers")
    await team.undo_last(by=team.ana)
    assert await team.undo_last() == ["A1"]


async def test_a_batch_is_taken_back_and_brought_back_whole(team: Team) -> None:
    items = await team.log("One", "Two", "Three")
    await team.change(*items, owner_id="UANA")

    assert await team.undo_last() == ["A1", "A2", "A3"]
    assert await team.redo(items[0]) == ["A1", "A2", "A3"]
    assert await team.undo_last() == ["A1", "A2", "A3"]
    assert await team.undo_last() == ["A1", "A2", "A3"]

    assert await team.states() == {}


async def test_of_a_batch_only_what_was_changed_since_stays(team: Team) -> None:
    items = await team.log("One", "Two", "Three")
    await team.change(*items, title="Same")
    await team.change(items[1], by=team.ana, title="Hers")

    assert await team.undo_last() == ["A1", "A3", "A2!"]

    assert [title for title, _ in (await team.states()).values()] == ["One", "Hers", "Three"]


async def test_an_owner_gets_one_word_for_a_whole_batch(team: Team) -> None:
    items = await team.log("One", "Two", "Three", owner_id="UANA")
    await team.change(*items, owner_id="UBEN")
    await team.undo_last()

    async with team.database.unit(WORKSPACE, writes=False) as session:
        rows = (await session.exec(select(Delivery).order_by(col(Delivery.id)))).all()
    assert [(row.kind, row.target) for row in rows if row.kind != "card"] == [("assigned_batch", "UANA")] * 2


async def test_what_one_may_no_longer_see_is_left_out(team: Team) -> None:
    await team.log("Order racks")
    async with team.database.unit(WORKSPACE) as session:
        channel = await make_channel(session, members=[team.ana], is_private=True)
        await directory.left(session, channel.id, team.ben.id)

    assert await team.undo_last() == []


async def test_a_right_that_is_gone_is_asked_for_now(team: Team) -> None:
    [item] = await team.log("Rent a cage", kind=DECISION)
    await team.step(item, "approve", by=team.ana)
    async with team.database.unit(WORKSPACE) as session:
        project = await session.get(Project, team.project.id)
        assert project is not None
        project.coordinator_id = "UBEN"

    assert await team.undo_last(by=team.ana) == ["D1!"]

    assert await team.states() == {"D1": ("Rent a cage", "approved")}


async def linked(session: AsyncSession) -> list[tuple[int, str, int]]:
    rows = await session.exec(select(Link).order_by(col(Link.from_id)))
    return [(row.from_id, row.type.value, row.to_id) for row in rows]


async def test_a_link_is_taken_back_and_brought_back(team: Team) -> None:
    items = [(await team.log(title))[0] for title in ("Racks", "Room")]
    async with team.database.unit(WORKSPACE) as session:
        actor = actor_of(team.ben)
        ends = [await operations.find(session, actor, ACTION, number) for number in (1, 2)]
        await links.make(session, actor, ends[0], LinkType.BLOCKS, ends[1], now=LATER, via="command")

    assert await team.undo_last() == ["A1", "A2"]
    async with team.database.unit(WORKSPACE, writes=False) as session:
        assert await linked(session) == []
    assert await team.redo(items[0]) == ["A1", "A2"]
    async with team.database.unit(WORKSPACE, writes=False) as session:
        assert len(await linked(session)) == 1


async def test_an_approval_taken_back_brings_the_replaced_decision_back_and_so_does_each_undo_before(
    team: Team,
) -> None:
    [old] = await team.log("Rent", kind=DECISION, by=team.ana)
    await team.step(old, "approve", by=team.ana)
    [new] = await team.log("Buy", kind=DECISION, by=team.ana)
    async with team.database.unit(WORKSPACE) as session:
        actor = actor_of(team.ana)
        ends = [await operations.find(session, actor, DECISION, number) for number in (2, 1)]
        await links.make(session, actor, ends[0], LinkType.SUPERSEDES, ends[1], now=LATER, via="command")
    await team.step(new, "approve", by=team.ana)
    assert {status for _, status in (await team.states()).values()} == {"superseded", "approved"}

    assert await team.undo_last(by=team.ana) == ["D2"]
    assert await team.states() == {"D1": ("Rent", "approved"), "D2": ("Buy", "proposed")}
    assert [await team.undo_last(by=team.ana) for _ in range(4)] == [["D1", "D2"], ["D2"], ["D1"], ["D1"]]

    assert await team.states() == {}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_last_change_of_a_person_is_found_by_an_index(team: Team) -> None:
    async with team.database.engine.connect() as connection:
        plan = await connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT id FROM history WHERE workspace_id = 'T' AND actor_id = 'U' "
                "AND undone_by IS NULL ORDER BY id DESC LIMIT 1"
            )
        )
        steps = " ".join(str(row) for row in plan)

    assert "ix_history_actor" in steps
    assert "TEMP B-TREE" not in steps
