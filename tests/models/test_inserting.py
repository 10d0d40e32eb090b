"""Rows from which nothing is to be learned are stored with what the unit stores next, and nobody can tell."""

import pytest
from sqlmodel import col, select

from models import outbox
from models.database import Database
from models.errors import ReadsOnly
from models.inserting import ROWS_TOGETHER, add_if_missing, add_missing
from models.tables import Capture, Delivery, SeenRequest
from tests.support import NOW, WORKSPACE


def _seen(key: str) -> dict[str, object]:
    return {"key": key, "at": NOW, "reference": None}


def _capture(ts: str) -> dict[str, object]:
    return {"channel_id": "C1", "ts": ts, "kind": "risk", "at": NOW, "by": "UANA"}


@pytest.mark.parametrize("many", [2, ROWS_TOGETHER + 1])
async def test_rows_of_several_tables_are_stored_in_their_order(database: Database, many: int) -> None:
    keys = [f"key {n}" for n in range(many)]
    async with database.unit(WORKSPACE) as session:
        for key in keys:
            await outbox.put(session, "hello", key=key, target="C1", due_at=NOW)
            await add_missing(session, SeenRequest, [_seen(key)])

    async with database.unit(WORKSPACE, writes=False) as session:
        assert (await session.exec(select(Delivery.dedupe_key).order_by(col(Delivery.id)))).all() == keys
        assert set(await session.exec(select(SeenRequest.key))) == set(keys)


async def test_a_unit_finds_and_changes_what_it_added(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await add_missing(session, SeenRequest, [_seen("first")])
        assert (await session.exec(select(SeenRequest.key))).all() == ["first"]

        await add_missing(session, SeenRequest, [_seen("second")])
        (await session.exec(select(SeenRequest).where(col(SeenRequest.key) == "second"))).one().reference = "A1"

    async with database.unit(WORKSPACE, writes=False) as session:
        found = {row.key: row.reference for row in await session.exec(select(SeenRequest))}
    assert found == {"first": None, "second": "A1"}


async def test_whether_a_row_was_missing_says_nothing_of_the_rows_stored_with_it(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await add_missing(session, SeenRequest, [_seen("first")])
        assert await add_if_missing(session, Capture, _capture("1.0"))

        await add_missing(session, SeenRequest, [_seen("second")])
        assert not await add_if_missing(session, Capture, _capture("1.0"))

        await add_missing(session, Capture, [_capture("2.0")])
        assert not await add_if_missing(session, Capture, _capture("1.0"))
        await add_missing(session, Capture, [_capture("1.0")])
        assert await add_if_missing(session, Capture, _capture("3.0"))

    async with database.unit(WORKSPACE, writes=False) as session:
        assert sorted(await session.exec(select(Capture.ts))) == ["1.0", "2.0", "3.0"]
        assert sorted(await session.exec(select(SeenRequest.key))) == ["first", "second"]


async def test_what_a_refused_unit_added_is_not_stored(database: Database) -> None:
    async def refused() -> None:
        async with database.unit(WORKSPACE) as session:
            await add_missing(session, SeenRequest, [_seen("first")])
            raise LookupError

    with pytest.raises(LookupError):
        await refused()

    async with database.unit(WORKSPACE, writes=False) as session:
        assert (await session.exec(select(SeenRequest))).all() == []


async def test_a_unit_that_reads_adds_nothing(database: Database) -> None:
    async def add() -> None:
        async with database.unit(WORKSPACE, writes=False) as session:
            await add_missing(session, SeenRequest, [_seen("first")])

    with pytest.raises(ReadsOnly):
        await add()
