"""A database that is down, cut off, hangs or is full: a refusal that says so, soon, and afterwards it goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from models import database as module
from models.database import Database
from models.database_errors import DatabaseAway, DatabaseBusy
from models.tables import SeenRequest
from tests.support import NOW, WORKSPACE, remember, remembered
from tests.wire import Wire, wire_to

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)

T = TypeVar("T")

SOON_SECONDS = 0.5
PATIENCE_SECONDS = 60.0


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    async with wire_to(database_url) as made:
        yield made


async def insisting(work: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Do it, however often the machine is too slow for the short times of these tests."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(DatabaseAway):
                return await work(*arguments)


@only_postgresql
async def test_without_its_database_a_unit_says_so_and_the_next_one_finds_it_again(wire: Wire) -> None:
    """Also what belongs to no workspace; and a connection that was cut while nobody used it costs nobody anything."""
    async with Database(wire.through) as database:
        await remember(database, "before")
        await wire.go_down()

        for ask in (remember(database, "meanwhile"), database.workspace_ids(), database.last_beat("ticker")):
            with pytest.raises(DatabaseAway, match=r"cannot reach its database .* Nothing was saved") as refusal:
                await ask
            assert not refusal.value.perhaps
        assert await database.is_away()
        await wire.mend()
        wire.cut()
        await remember(database, "after")

        assert await remembered(database) == {"before", "after"}
        assert not await database.is_away()


@only_postgresql
async def test_a_database_that_hangs_is_given_up_after_the_time_a_statement_has(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With connections that are open, and where a new one is needed; it is found again by itself."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", SOON_SECONDS)
    async with Database(wire.through, statement_seconds=SOON_SECONDS) as database:
        await insisting(remember, database, "before")
        wire.go_dead()

        for _ in range(2):
            with pytest.raises(DatabaseAway):
                await remember(database, "meanwhile")
        await wire.mend()

        assert await insisting(remembered, database) == {"before"}


@only_postgresql
async def test_what_waits_for_a_database_that_hangs_can_be_cut_off(wire: Wire) -> None:
    """So that a process that stops need not wait for it."""
    async with Database(wire.through) as database:
        await remember(database, "before")
        wire.go_dead()
        waiting = asyncio.create_task(remember(database, "meanwhile"))
        await asyncio.sleep(SOON_SECONDS)
        assert not waiting.done()

        database.cut()

        with pytest.raises(DatabaseAway):
            await waiting


@only_postgresql
@pytest.mark.parametrize("carrying_it", [True, False], ids=["after the commit", "before the commit"])
async def test_a_connection_lost_at_the_commit_leaves_open_whether_it_was_stored(wire: Wire, carrying_it: bool) -> None:
    async with Database(wire.through) as database:
        wire.break_at_the_commit_of("meanwhile", carrying_it=carrying_it)

        with pytest.raises(DatabaseAway, match="may or may not have been saved") as refusal:
            await remember(database, "meanwhile")

        assert refusal.value.perhaps
        assert await remembered(database) == ({"meanwhile"} if carrying_it else set())


@only_postgresql
async def test_a_process_opens_no_more_connections_than_it_may(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits too long for one is told that the database is busy."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", SOON_SECONDS)
    async with Database(database_url, connections=2) as database:
        async with database.unit(WORKSPACE) as first, database.unit(WORKSPACE) as second:
            await first.exec(select(SeenRequest))
            await second.exec(select(SeenRequest))
            with pytest.raises(DatabaseBusy, match="was busy"):
                await remember(database, "third")

        await remember(database, "third")


@only_postgresql
async def test_a_mistake_of_ours_is_no_database_that_is_away(database: Database) -> None:
    with pytest.raises(Exception, match="no_such_table") as error:
        async with database.unit(WORKSPACE) as session:
            await (await session.connection()).execute(text("SELECT 1 FROM no_such_table"))

    assert not isinstance(error.value, DatabaseBusy)


@only_sqlite
async def test_a_full_disk_is_told_and_nothing_is_half_stored(database_url: str) -> None:
    """SQLite is told that its file may not grow; what was deleted makes room again."""
    async with Database(database_url) as database:

        @event.listens_for(database.engine.sync_engine, "connect")
        def _limit(connection: Any, _: object) -> None:
            connection.cursor().execute("PRAGMA max_page_count=1")  # raised to its size

        with pytest.raises(DatabaseAway, match=r"no room left .* tell whoever runs Steward") as refusal:
            async with database.unit(WORKSPACE) as session:
                session.add_all(SeenRequest(key=f"{number} {'x' * 2000}", at=NOW) for number in range(100))

        assert not refusal.value.perhaps
        assert await remembered(database) == set()
        await remember(database, "small")
