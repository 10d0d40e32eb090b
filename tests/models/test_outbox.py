"""What is owed is written once, with everything the sender needs."""

from datetime import timedelta
from typing import Any

from sqlalchemy import event
from sqlmodel import col, select

from models import outbox
from models.database import Database
from models.tables import Delivery, DeliveryState
from tests.support import NOW, WORKSPACE


async def test_a_delivery_is_owed_once_however_often_it_is_put(database: Database) -> None:
    for payload in ({"first": 1}, {"second": 2}):
        async with database.unit(WORKSPACE) as session:
            for _ in range(2):
                await outbox.put(
                    session, "morning", key="morning:UANA:2026-03-02", target="UANA", due_at=NOW, payload=payload
                )

    async with database.unit(WORKSPACE, writes=False) as session:
        (row,) = (await session.exec(select(Delivery))).all()
    assert row.payload == {"first": 1}


async def test_a_key_that_was_ever_used_is_not_owed_again_even_after_it_was_sent(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await outbox.put(session, "hello", key="hello:C1", target="C1", due_at=NOW)
        (await session.exec(select(Delivery))).one().state = DeliveryState.SENT
    async with database.unit(WORKSPACE) as session:
        await outbox.put(session, "hello", key="hello:C1", target="C1", due_at=NOW)

    async with database.unit(WORKSPACE, writes=False) as session:
        assert [row.state for row in await session.exec(select(Delivery))] == [DeliveryState.SENT]


async def test_a_delivery_holds_what_it_was_given_and_waits_to_be_sent(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await outbox.put(
            session,
            "trouble",
            key="k",
            lane="card:7",
            target="UANA",
            due_at=NOW,
            expires_at=NOW + timedelta(minutes=30),
            payload={"sentence": "Invite Steward to #move", "names": ["Élodie"]},
        )

    async with database.unit(WORKSPACE, writes=False) as session:
        row = (await session.exec(select(Delivery))).one()
    assert (row.workspace_id, row.kind, row.lane, row.target) == (WORKSPACE, "trouble", "card:7", "UANA")
    assert (row.due_at, row.expires_at) == (NOW, NOW + timedelta(minutes=30))
    assert row.payload == {"sentence": "Invite Steward to #move", "names": ["Élodie"]}
    assert (row.state, row.attempt, row.lease_until, row.slack_ts) == (DeliveryState.DUE, 0, None, None)


async def test_a_delivery_without_a_lane_waits_for_no_other(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        for key in ("a", "b"):
            await outbox.put(session, "hello", key=key, target="C1", due_at=NOW)

    async with database.unit(WORKSPACE, writes=False) as session:
        assert list(await session.exec(select(Delivery.lane).order_by(col(Delivery.id)))) == ["a", "b"]


async def test_workspaces_use_the_same_key_without_meeting(database: Database) -> None:
    for workspace_id in ("T1", "T2"):
        async with database.unit(workspace_id) as session:
            await outbox.put(session, "hello", key="hello:C1", target=workspace_id, due_at=NOW)

    for workspace_id in ("T1", "T2"):
        async with database.unit(workspace_id, writes=False) as session:
            assert [row.target for row in await session.exec(select(Delivery))] == [workspace_id]


async def test_what_a_failing_unit_owed_is_not_owed(database: Database) -> None:
    try:
        async with database.unit(WORKSPACE) as session:
            await outbox.put(session, "hello", key="hello:C1", target="C1", due_at=NOW)
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass

    async with database.unit(WORKSPACE, writes=False) as session:
        assert (await session.exec(select(Delivery))).all() == []


async def test_thousands_are_owed_in_pieces_that_no_statement_is_made_for(database: Database) -> None:
    """One that held the values of many rows would be put together anew each time, and nobody gets a turn in that."""
    owed = [outbox.owed("morning", key=f"{n}", target="UANA", due_at=NOW) for n in range(1_200)]
    made: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, sql: str, _values: object, _context: Any, is_many: bool) -> None:
        if sql.startswith("INSERT INTO delivery"):
            assert is_many
            made.append(sql)

    async with database.unit(WORKSPACE) as session:
        await outbox.put_all(session, owed[:2])
        await outbox.put_all(session, owed)

    assert len(made) == 4
    assert len(set(made)) == 1
    async with database.unit(WORKSPACE, writes=False) as session:
        assert len((await session.exec(select(Delivery.id))).all()) == len(owed)
