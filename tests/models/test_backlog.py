"""How the deliveries of an installation stand: counted over all its workspaces, by each one's index."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select

from models import outbox
from models.backlog import backlog
from models.database import Database
from models.tables import Delivery, DeliveryState
from tests.support import NOW, make_workspace

MINUTE = timedelta(minutes=1)


async def owe(database: Database, workspace_id: str, **states: int) -> None:
    """One delivery in each of the states, due so many minutes ago."""
    async with database.unit(workspace_id) as session:
        for name, minutes in states.items():
            await outbox.put(session, "word", key=name, target="U1", payload={}, due_at=NOW - minutes * MINUTE)
    async with database.unit(workspace_id) as session:
        for row in await session.exec(select(Delivery)):
            row.state = DeliveryState(row.dedupe_key.partition("_")[0])


@pytest.fixture
async def filled(database: Database) -> Database:
    """Three workspaces: one in use, one restored ten minutes ago, one from which Steward was removed."""
    for workspace_id in ("T1", "T2", "T3"):
        async with database.unit(workspace_id) as session:
            workspace = await make_workspace(session)
            workspace.restored_at = NOW - 10 * MINUTE if workspace_id == "T2" else None
            workspace.removed_at = NOW if workspace_id == "T3" else None
    await owe(database, "T1", due_a=20, due_b=1, due_c=-5, sending=1, sent=1, parked=3, parked_b=20_000, unconfirmed=2)
    await owe(database, "T2", due_a=90, due_b=4)
    await owe(database, "T3", due_a=500)
    return database


async def test_what_waits_is_counted_over_all_workspaces_that_are_served(filled: Database) -> None:
    """Not what a restored database leaves out, and nothing of a workspace from which Steward was removed."""
    found = await backlog(filled, now=NOW)

    assert found.by_state == {"due": 3, "late": 1, "planned": 1, "sending": 1, "parked": 1, "unconfirmed": 1}
    assert found.oldest_seconds == 20 * 60
    restored = await backlog(filled, now=NOW, workspace_id="T2")
    assert (restored.by_state["due"], restored.oldest_seconds) == (1, 4 * 60)


async def test_with_nothing_due_nothing_waits(database: Database) -> None:
    async with database.unit("T1") as session:
        await make_workspace(session)

    found = await backlog(database, now=NOW)

    assert set(found.by_state.values()) == {0}
    assert found.oldest_seconds == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_look_goes_by_an_index(filled: Database) -> None:
    seen: list[tuple[str, Any]] = []
    event.listen(filled.engine.sync_engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    await backlog(filled, now=NOW)
    ((statement, parameters),) = [each for each in seen if "delivery" in each[0]]
    async with filled.engine.connect() as connection:
        plan = [row[3] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]

    assert len([step for step in plan if "ix_delivery_due" in step]) == 7
    assert not [step for step in plan if "SCAN delivery" in step]
