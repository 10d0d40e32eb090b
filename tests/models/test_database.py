"""Units of work and what the columns keep, on both engines."""

import asyncio
import sqlite3
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiosqlite
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import String, bindparam, event, make_url, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import requests, search, sqlite
from models.database import PERSON_WAIT_MS, Database, async_url, sqlite_path
from models.database_errors import DatabaseBusy
from models.errors import Overtaken, ReadsOnly
from models.kinds.action import ACTION
from models.kinds.issue import ISSUE, Severity
from models.kinds.risk import RISK, ResponseStrategy
from models.labels import Priority
from models.shielding import shielded
from models.tables import Act, Delivery, DeliveryState, History, Person, Record, SeenRequest
from tests.support import NOW, WORKSPACE, make_person, make_record, make_workspace, remember, remembered
from tests.waiting import until

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("sqlite:///steward.db", "sqlite+aiosqlite:///steward.db"),
        ("sqlite:////var/lib/steward.db", "sqlite+aiosqlite:////var/lib/steward.db"),
        ("sqlite+aiosqlite:///steward.db", "sqlite+aiosqlite:///steward.db"),
        ("postgres://ana:secret@db/steward", "postgresql+asyncpg://ana:secret@db/steward"),
        ("postgresql://ana@db:5433/steward", "postgresql+asyncpg://ana@db:5433/steward"),
        ("postgresql+psycopg2://db/steward", "postgresql+asyncpg://db/steward"),
        ("postgres://db/steward?sslmode=require", "postgresql+asyncpg://db/steward?ssl=require"),
    ],
)
def test_an_address_as_deployment_tools_write_it_gets_the_async_driver(given: str, expected: str) -> None:
    assert async_url(given).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize("url", ["mysql://db/steward", "oracle://db/steward"])
def test_another_kind_of_database_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not supported: use sqlite"):
        async_url(url)


def test_the_file_of_a_database_is_known_where_there_is_one() -> None:
    assert str(sqlite_path("sqlite:////var/lib/steward.db")) == "/var/lib/steward.db"
    assert sqlite_path("postgresql://db/steward") is None


async def test_a_unit_that_ends_well_is_stored_and_one_that_fails_is_not(database: Database) -> None:
    async def fail_half_way() -> None:
        async with database.unit(WORKSPACE) as session:
            session.add(SeenRequest(key="bad", at=NOW))
            await session.flush()
            raise ZeroDivisionError

    await remember(database, "good")
    with pytest.raises(ZeroDivisionError):
        await fail_half_way()

    assert await remembered(database) == {"good"}


async def test_a_unit_that_reads_stores_nothing(database: Database) -> None:
    """Over PostgreSQL each of its statements would be stored by itself, whatever became of the unit."""
    async with database.unit(WORKSPACE) as session:
        await make_person(session)

    async def add(session: AsyncSession) -> None:
        session.add(SeenRequest(key="by the way", at=NOW))

    async def change(session: AsyncSession) -> None:
        (await session.exec(select(Person))).one().name = "Anna"

    async def change_by_statement(session: AsyncSession) -> None:
        await session.exec(update(Person).values(name="Anna"))

    for write in (add, change, change_by_statement):
        with pytest.raises(ReadsOnly):
            async with database.unit(WORKSPACE, writes=False) as session:
                await write(session)
    async with database.unit(WORKSPACE, writes=False) as session:
        person = (await session.exec(select(Person))).one()
        person.name = str(person.name)

    assert (await remembered(database), person.name) == (set(), "ana")


async def test_what_a_unit_loaded_can_be_read_after_it_closed(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        item = await make_record(session, ACTION, title="Order racks")

    assert (item.record.title, item.own.record_id, item.record.version) == ("Order racks", item.record.id, 1)


async def test_a_cancelled_unit_leaves_nothing_and_frees_its_connection(database: Database) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with database.unit(WORKSPACE) as session:
            session.add(SeenRequest(key="cancelled", at=NOW))
            await session.flush()
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await remember(database, "next")  # on SQLite this would wait for ever for the writer's lock
    assert await remembered(database) == {"next"}


async def test_an_error_of_the_database_does_not_hold_what_was_written(database: Database) -> None:
    """It ends in a log, which is no place for what people write."""
    with pytest.raises(IntegrityError) as error:
        async with database.unit(WORKSPACE) as session:
            session.add(SeenRequest(key="What somebody wrote", at=None))

    assert "What somebody wrote" not in str(error.value)


async def test_a_shielded_unit_is_finished_although_its_caller_is_cancelled(database: Database) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with database.unit(WORKSPACE) as session:
            session.add(SeenRequest(key="kept", at=NOW))
            inside.set()
            await go_on.wait()

    caller = asyncio.create_task(shielded(work()))
    await inside.wait()
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done(), "the caller waits for the unit's end"
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await remembered(database) == {"kept"}


async def test_shielded_work_hands_back_its_result_and_its_error() -> None:
    async def answer(number: int) -> float:
        return 1 / number

    assert await shielded(answer(2)) == 0.5
    with pytest.raises(ZeroDivisionError):
        await shielded(answer(0))


@only_sqlite
async def test_a_writer_that_waits_too_long_is_told_that_nothing_was_saved(database_url: str) -> None:
    patient, hurried = Database(database_url), Database(database_url, wait_ms=50)
    async with patient.unit(WORKSPACE) as session:
        session.add(SeenRequest(key="first", at=NOW))
        await session.flush()

        with pytest.raises(DatabaseBusy, match="Nothing was saved; please try again"):
            await remember(hurried, "second")
        assert await remembered(hurried) == set(), "readers are not kept waiting, and see what was committed"

    await remember(hurried, "third")
    assert await remembered(patient) == {"first", "third"}
    await patient.dispose()
    await hurried.dispose()


@only_sqlite
async def test_writers_queue_instead_of_failing(database: Database) -> None:
    await asyncio.gather(*(remember(database, f"key {number}") for number in range(12)))

    assert len(await remembered(database)) == 12


@only_sqlite
@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 2000)],
)
async def test_sqlite_is_durable_and_strict(database: Database, pragma: str, value: Any) -> None:
    async with database.engine.connect() as connection:
        assert await connection.scalar(text(f"PRAGMA {pragma}")) == value


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is asked of SQLite's thread, from now on."""
    found: list[Any] = []
    go = aiosqlite.Connection._execute

    def counted(connection: aiosqlite.Connection, work: Any, *arguments: Any, **named: Any) -> Any:
        found.append(work)
        return go(connection, work, *arguments, **named)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return found


async def opened(database: Database) -> None:
    """See that the database has a connection to be used again."""
    await database.workspace_ids()


LONG_QUESTION = """\
SELECT count(*) FROM (
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500000) SELECT n FROM numbers
)
"""


@only_sqlite
async def test_a_question_of_a_moment_takes_no_trip_to_the_thread(database: Database, trips: list[Any]) -> None:
    """Each costs more than what SQLite has to do: four for a statement was most of what a request took."""
    await opened(database)
    trips.clear()

    async with database.unit(WORKSPACE, writes=False) as session:
        for _ in range(3):
            assert (await session.exec(select(Person))).all() == []

    assert trips == []


@only_sqlite
async def test_a_question_that_takes_longer_is_answered_in_the_thread(database: Database, trips: list[Any]) -> None:
    """Meanwhile others are answered here, and what the unit has written stays."""
    await opened(database)
    trips.clear()

    async with database.unit(WORKSPACE) as session:
        await requests.claim(session, "before", reference=None, now=NOW)
        connection = await session.connection()
        assert (await connection.exec_driver_sql(LONG_QUESTION)).scalar_one() == 500_000
        assert len(trips) == len(["SELECT"])
        await requests.claim(session, "after", reference=None, now=NOW)

    assert len(trips) == len(["SELECT", "COMMIT"])
    assert await remembered(database) == {"before", "after"}


@only_sqlite
@pytest.mark.parametrize(("question", "needed"), [('"racks"', 0), ('"rac"*', 1)], ids=["a word", "a beginning"])
async def test_the_beginning_of_a_word_is_looked_up_in_the_thread(
    database: Database, trips: list[Any], question: str, needed: int
) -> None:
    """Nothing breaks off the one step in which the index gathers all that have such a word: 0.2 s of many records."""
    async with database.unit(WORKSPACE) as session:
        item = await make_record(session, ACTION, title="Order racks")
    await opened(database)
    trips.clear()

    async with database.unit(WORKSPACE, writes=False) as session:
        has = search.answering("sqlite", bindparam("question", type_=String))
        found = (await session.exec(select(Record.id).where(has), params={"question": question})).all()

    assert found == [item.record.id]
    assert len(trips) == needed


@only_sqlite
async def test_what_takes_the_writer_and_its_rows_take_a_trip_for_the_commit(
    database: Database, trips: list[Any]
) -> None:
    """Who holds the writer keeps all others from it, so they go to the thread only where they may have to wait."""
    await opened(database)
    trips.clear()

    async with database.unit(WORKSPACE) as session:
        assert (await session.exec(select(Person))).all() == []
        assert [await requests.claim(session, key, reference=None, now=NOW) for key in "abcd"] == [None] * 4

    assert len(trips) == len(["COMMIT"])
    assert len(await remembered(database)) == 4


@only_sqlite
async def test_a_writer_that_another_process_holds_is_waited_for_in_the_thread(
    database: Database, trips: list[Any]
) -> None:
    await opened(database)
    other = sqlite3.connect(str(database.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    trips.clear()

    async def write() -> None:
        async with database.unit(WORKSPACE) as session:
            await session.exec(select(Person))
            await requests.claim(session, "waited", reference=None, now=NOW)

    writing = asyncio.create_task(write())
    await until(lambda: trips)
    other.execute("COMMIT")
    await writing

    assert len(trips) == len(["BEGIN and SELECT", "COMMIT"])
    assert await remembered(database) == {"waited"}
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("PRAGMA busy_timeout")) == PERSON_WAIT_MS
    other.close()


class _Recovering(sqlite3.Connection):
    """As while another process takes up what a crash has left in the log of writes."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql != "BEGIN IMMEDIATE":
            return super().execute(sql, *parameters)
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
        raise error


async def test_a_writer_is_waited_for_in_whichever_way_another_is_in_its_way(tmp_path: Path) -> None:
    file = str(tmp_path / "recovering.db")
    connection: Any = sqlite._Connection(
        partial(sqlite3.connect, file, factory=_Recovering, check_same_thread=False), 1
    )
    async with connection:
        connection.begin(writes=True)

        assert not connection.begins_here()


@only_sqlite
async def test_a_unit_that_asks_nothing_leaves_the_database_alone(database: Database, trips: list[Any]) -> None:
    await opened(database)
    trips.clear()

    async with database.unit(WORKSPACE):
        pass

    assert trips == []


@only_sqlite
async def test_a_refused_statement_leaves_no_transaction_behind(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.unit(WORKSPACE) as session:
            await (await session.connection()).exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    async with database.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        assert not driver.in_transaction
        assert (await connection.exec_driver_sql("SELECT count(*) FROM person")).scalar_one() == 0


async def test_a_heartbeat_is_the_latest_sign_of_life(database: Database) -> None:
    assert await database.last_beat("ticker") is None

    await database.beat("ticker", NOW)
    await database.beat("ticker", NOW + timedelta(seconds=5))

    assert await database.last_beat("ticker") == NOW + timedelta(seconds=5)
    assert await database.last_beat("sender") is None


async def test_first_heartbeats_at_the_same_moment_do_not_fail(database: Database) -> None:
    await asyncio.gather(*(database.beat("ticker", NOW) for _ in range(8)))

    assert await database.last_beat("ticker") == NOW


async def test_the_workspaces_are_listed_for_the_clock(database: Database) -> None:
    for workspace_id in ("T1", "T2"):
        async with database.unit(workspace_id) as session:
            await make_workspace(session)

    assert sorted(await database.workspace_ids()) == ["T1", "T2"]


async def raw(database: Database, column: str, table: str) -> Any:
    """The column's one value as any database tool would show it."""
    async with database.engine.connect() as connection:
        return await connection.scalar(text(f"SELECT {column} FROM {table}"))


async def test_enumerations_are_stored_by_value_and_come_back_as_members(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        risk = await make_record(session, RISK, response=ResponseStrategy.AVOID, priority=Priority.HIGH)

    assert await raw(database, "response", "risk") == "avoid"
    assert await raw(database, "priority", "record") == "high"
    assert await raw(database, "min(act)", "history") == "created"
    assert await raw(database, "state", "delivery") == "due"
    async with database.unit(WORKSPACE, writes=False) as session:
        assert (await session.get(type(risk.own), risk.record.id)).response is ResponseStrategy.AVOID  # type: ignore
        assert (await session.exec(select(Record))).one().priority is Priority.HIGH
        assert {row.act for row in await session.exec(select(History))} == {Act.CREATED}
        assert (await session.exec(select(Delivery))).one().state is DeliveryState.DUE


async def test_a_severity_is_stored_as_its_digit(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await make_record(session, ISSUE, severity=Severity.MAJOR)

    assert await raw(database, "severity", "issue") == "2"


INSTANTS = [
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=ZoneInfo("Pacific/Auckland")),
    datetime(2024, 2, 29, 23, 59, tzinfo=ZoneInfo("America/New_York")),
]


@pytest.mark.parametrize("instant", INSTANTS, ids=str)
async def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database, instant: datetime) -> None:
    async with database.unit(WORKSPACE) as session:
        session.add(SeenRequest(key="k", at=instant))

    async with database.unit(WORKSPACE, writes=False) as session:
        found = (await session.exec(select(SeenRequest))).one().at

    assert found.timestamp() == instant.timestamp()
    assert found.utcoffset() == timedelta(0)


async def test_an_instant_without_a_zone_is_refused_and_nothing_is_stored(database: Database) -> None:
    async def store() -> None:
        async with database.unit(WORKSPACE) as session:
            session.add(SeenRequest(key="k", at=datetime(2026, 3, 2, 9, 0)))  # noqa: DTZ001 - what is refused

    with pytest.raises(StatementError, match="timezone"):
        await store()

    assert await remembered(database) == set()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=st.dates(date(2026, 3, 3), date(9999, 12, 31)), hour=st.none() | st.times())
async def test_a_due_date_and_its_time_never_move(database: Database, day: date, hour: time | None) -> None:
    async with database.unit(WORKSPACE) as session:
        item = await make_record(session, ACTION, due_date=day, due_time=hour)

    async with database.unit(WORKSPACE, writes=False) as session:
        found = await session.get(Record, item.record.id)

    assert found is not None
    assert (found.due_date, found.due_time) == (day, hour)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_of_two_units_that_wait_for_each_other_one_is_overtaken_and_the_other_goes_on(database: Database) -> None:
    """PostgreSQL ends one of them; SQLite never lets two write at once."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        for name in ("ana", "ben"):
            await make_person(session, name)
    both_hold_one = asyncio.Barrier(2)

    async def rename(first: str, second: str) -> None:
        async with database.unit(WORKSPACE) as session:
            await session.exec(update(Person).where(col(Person.id) == first).values(real_name=second))
            await both_hold_one.wait()
            await session.exec(update(Person).where(col(Person.id) == second).values(real_name=first))

    came_of_it = await asyncio.gather(rename("UANA", "UBEN"), rename("UBEN", "UANA"), return_exceptions=True)

    assert [type(each) for each in came_of_it if each is not None] == [Overtaken]
    assert None in came_of_it


async def test_a_question_that_meets_a_lock_waits_for_it_in_the_thread(tmp_path: Path) -> None:
    """Tried without a write-ahead log, where whoever writes locks all others out."""
    url = make_url(f"sqlite+aiosqlite:///{tmp_path}/plain.db")
    other = sqlite3.connect(str(url.database), isolation_level=None, check_same_thread=False)
    other.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1); BEGIN EXCLUSIVE")
    engine = create_async_engine(url, creator=sqlite.creator(url))
    event.listen(engine.sync_engine, "connect", lambda opened, _: setattr(opened.driver_connection, "wait_ms", 60_000))
    async with engine.connect() as connection:
        asking = asyncio.ensure_future(connection.scalar(text("SELECT a FROM t")))
        # Done by the event loop, which therefore goes on meanwhile.
        asyncio.get_running_loop().call_later(0.1, other.execute, "COMMIT")
        assert await asking == 1
    await engine.dispose()
    other.close()


async def test_a_transaction_that_could_not_begin_begins_with_the_next_statement(tmp_path: Path) -> None:
    """And not with none, in which each statement would be stored by itself."""
    url = make_url(f"sqlite+aiosqlite:///{tmp_path}/plain.db")
    other = sqlite3.connect(str(url.database), isolation_level=None)
    other.execute("CREATE TABLE t (a)")
    engine = create_async_engine(url, creator=sqlite.creator(url), execution_options={"steward_writes": True})
    sqlite.prepare(engine, wait_ms=0)
    async with engine.connect() as connection:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DBAPIError):
            await connection.execute(text("INSERT INTO t VALUES (1)"))
        other.execute("COMMIT")
        await connection.execute(text("INSERT INTO t VALUES (1)"))
        await connection.rollback()

    assert other.execute("SELECT a FROM t").fetchall() == []
    await engine.dispose()
    other.close()
