"""How units share SQLite's one writer, and that nobody is told of what is not on disk."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import select

from models import sqlite
from models.database import CLOSE_SECONDS, Database
from models.database_errors import AWAY, FULL, PERHAPS, DatabaseAway
from models.errors import NotFound
from models.shielding import shielded
from models.tables import SeenRequest
from models.writer import MOST_TOGETHER, Writer
from tests.support import NOW, WORKSPACE
from tests.waiting import until

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """How often something was put on disk, from now on."""
    found: list[Any] = []
    store = sqlite._Connection.store

    async def counted(connection: sqlite._Connection) -> None:
        found.append(connection)
        await store(connection)

    monkeypatch.setattr(sqlite._Connection, "store", counted)
    return found


@pytest.fixture
async def other(database: Database) -> AsyncIterator[Database]:
    """The same database as another process sees it."""
    async with Database(str(database.url)) as found:
        yield found


async def note(database: Database, key: str, *, is_brief: bool = True, fails: bool = False) -> None:
    async with database.unit(WORKSPACE, is_brief=is_brief) as session:
        session.add(SeenRequest(key=key, at=NOW))
        await session.flush()
        await asyncio.sleep(0)
        if fails:
            raise NotFound(key)


async def noted(database: Database) -> set[str]:
    async with database.unit(WORKSPACE, writes=False) as session:
        return set((await session.exec(select(SeenRequest.key))).all())


async def test_what_brief_units_do_that_wait_for_each_other_goes_to_disk_together(
    database: Database, other: Database, stores: list[Any]
) -> None:
    keys = [f"key {n}" for n in range(2 * MOST_TOGETHER)]

    await asyncio.gather(*(note(database, key) for key in keys))

    assert await noted(other) == set(keys)
    assert len(stores) == 2


async def test_others_are_stored_by_themselves(database: Database, stores: list[Any]) -> None:
    await asyncio.gather(*(note(database, f"key {n}", is_brief=n != 1) for n in range(3)))

    assert len(await noted(database)) == 3
    assert len(stores) == 3


async def test_a_unit_that_fails_takes_nobody_with_it(database: Database) -> None:
    units = (note(database, key, fails=key in "ace") for key in "abcde")

    told = await asyncio.gather(*units, return_exceptions=True)

    assert [isinstance(each, NotFound) for each in told] == [True, False, True, False, True]
    assert await noted(database) == {"b", "d"}


async def test_who_is_refused_hears_it_when_what_they_saw_is_on_disk(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeat is told what the first did, and would find nothing of it otherwise."""
    store = sqlite._Connection.store

    async def slowly(connection: sqlite._Connection) -> None:
        await asyncio.sleep(0.1)
        await store(connection)

    monkeypatch.setattr(sqlite._Connection, "store", slowly)

    async def look() -> None:
        async with database.unit(WORKSPACE, is_brief=True) as session:
            raise NotFound(" ".join((await session.exec(select(SeenRequest.key))).all()))

    async def refused() -> tuple[str, set[str]]:
        with pytest.raises(NotFound) as refusal:
            await look()
        return str(refusal.value), await noted(other)

    _, told = await asyncio.gather(note(database, "first"), refused())

    assert told == ("first", {"first"})


@pytest.mark.parametrize(
    ("reason", "sentence"), [("disk I/O error", PERHAPS), ("database or disk is full", FULL)], ids=["broken", "full"]
)
async def test_where_the_disk_fails_all_are_told_and_nothing_is_stored(
    database: Database, monkeypatch: pytest.MonkeyPatch, reason: str, sentence: str
) -> None:
    """Of a full one it is certain that it was not."""

    def fail(connection: sqlite._Connection) -> None:
        connection._conn.rollback()
        raise sqlite3.OperationalError(reason)

    with monkeypatch.context() as broken:
        broken.setattr(sqlite._Connection, "_store", fail)
        told = await asyncio.gather(*(note(database, key) for key in "abc"), return_exceptions=True)
    await note(database, "next")

    assert [str(each) for each in told] == [sentence] * 3
    assert await noted(database) == {"next"}


async def lose(database: Database, *, fails: bool) -> None:
    """As SQLite rolls the whole transaction back where a disk is full, for one."""
    async with database.unit(WORKSPACE, is_brief=True) as session:
        await (await session.connection()).exec_driver_sql("ROLLBACK")
        if fails:
            raise NotFound("lost")


@pytest.mark.parametrize("fails", [True, False], ids=["by a unit that fails", "by one that goes on"])
async def test_what_sqlite_gives_up_in_the_middle_is_told_to_whom_it_was_of(database: Database, fails: bool) -> None:
    told = await asyncio.gather(
        note(database, "first"), lose(database, fails=fails), note(database, "then"), return_exceptions=True
    )

    assert isinstance(told[0], DatabaseAway)
    assert isinstance(told[1], Exception)
    assert told[2] is None
    assert await noted(database) == {"then"}


async def test_what_is_lost_unseen_is_not_told_as_stored(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = sqlite._Connection._store

    def lose(connection: sqlite._Connection) -> None:
        connection._conn.rollback()
        store(connection)

    monkeypatch.setattr(sqlite._Connection, "_store", lose)

    with pytest.raises(DatabaseAway):
        await note(database, "lost")


async def test_the_end_waits_a_moment_for_a_unit_at_work_and_no_longer(database: Database) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with database.unit(WORKSPACE):
            inside.set()
            await go_on.wait()

    working = asyncio.create_task(work())
    await inside.wait()

    try:
        async with asyncio.timeout(10 * CLOSE_SECONDS):
            await database.dispose()
        assert not working.done()
    finally:
        go_on.set()
        await asyncio.gather(working, return_exceptions=True)


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_stored_is_what_was_told(database: Database, other: Database, seed: int) -> None:
    """Whatever units come in which order, fail or are called off."""
    chance = random.Random(seed)
    units = {
        str(n): asyncio.ensure_future(
            note(database, str(n), is_brief=chance.random() < 0.8, fails=chance.random() < 0.2)
        )
        for n in range(40)
    }

    async def call_off() -> None:
        for unit in chance.sample(list(units.values()), 5):
            await asyncio.sleep(chance.random() / 100)
            unit.cancel()

    await asyncio.gather(call_off(), *units.values(), return_exceptions=True)

    told = {key for key, unit in units.items() if not unit.cancelled() and unit.exception() is None}
    known = {key for key, unit in units.items() if not unit.cancelled()}
    assert (await noted(other)) & known == told
    await note(database, "next")
    assert "next" in await noted(other)


WORK = "UPDATE counter SET last = 1"


async def call_off_at_work(database: Database) -> None:
    """A unit that is called off while SQLite is at work for it; its connection is of no use after that."""

    async def work() -> None:
        async with database.unit(WORKSPACE, is_brief=True) as session:
            await (await session.connection()).exec_driver_sql(WORK)

    working = asyncio.create_task(work())
    with pytest.raises(asyncio.CancelledError):
        await working


@pytest.fixture
def called_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does that work is called off in the middle of it."""
    run = sqlite._Connection.run

    async def call_off(connection: sqlite._Connection, *asked: Any) -> None:
        if WORK in asked:
            working: Any = asyncio.current_task()
            asyncio.get_running_loop().call_soon(working.cancel)
        await run(connection, *asked)

    monkeypatch.setattr(sqlite._Connection, "run", call_off)


async def test_what_is_lost_with_who_is_called_off_is_told_to_whom_it_was_of(
    database: Database, called_off: None
) -> None:
    told = await asyncio.gather(note(database, "first"), call_off_at_work(database), return_exceptions=True)

    assert [type(each) for each in told] == [DatabaseAway, type(None)]
    assert await noted(database) == set()


async def test_a_writer_that_cannot_be_opened_is_opened_later(
    database: Database, called_off: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call_off_at_work(database)
    with monkeypatch.context() as broken:
        broken.setattr(AsyncEngine, "connect", no_connection)
        with pytest.raises(DatabaseAway):
            await note(database, "lost")

    await note(database, "next")

    assert await noted(database) == {"next"}


def no_connection(_: AsyncEngine) -> Any:
    raise OperationalError("connect", None, sqlite3.OperationalError("unable to open database file"))


async def test_whom_the_disk_has_no_room_for_hears_that(database: Database) -> None:
    """Beside others, whose work SQLite gives up with it."""

    async def fill() -> None:
        async with database.unit(WORKSPACE, is_brief=True) as session:
            await (await session.connection()).exec_driver_sql("PRAGMA max_page_count=1")  # raised to its size
            session.add(SeenRequest(key="x" * 10_000_000, at=NOW))

    told = await asyncio.gather(note(database, "first"), fill(), return_exceptions=True)

    assert [str(each) for each in told] == [AWAY, FULL]


async def test_a_unit_that_goes_on_after_its_work_was_given_up_is_told(database: Database) -> None:
    with pytest.raises(DatabaseAway):
        await lose(database, fails=False)


async def test_an_end_that_the_disk_keeps_waiting_leaves_nobody_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def never(_: sqlite._Connection) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(sqlite._Connection, "store", never)
    monkeypatch.setattr(Writer, "_end", lambda *_: asyncio.sleep(0))
    noting = asyncio.create_task(note(database, "late"))
    await until(lambda: database._line is not None and database._line._together is not None)

    await database.dispose()

    with pytest.raises(DatabaseAway, match="may or may not have been saved"):
        await asyncio.wait_for(noting, 10 * CLOSE_SECONDS)
    assert begun.is_set()


async def test_when_all_are_called_off_who_tidies_up_is_not_left_waiting(database: Database) -> None:
    """As at the end of an event loop; what a unit notes then is stored."""
    inside = asyncio.Event()

    async def work() -> None:
        try:
            async with database.unit(WORKSPACE, is_brief=True):
                inside.set()
                await asyncio.Event().wait()
        finally:
            await shielded(note(database, "tidied up"))

    tasks = {asyncio.create_task(note(database, "before")), asyncio.create_task(work())}
    await inside.wait()
    for each in asyncio.all_tasks() - {asyncio.current_task()}:
        each.cancel()
    await asyncio.wait(tasks, timeout=10 * CLOSE_SECONDS)

    assert await noted(database) >= {"tidied up"}
