"""The ticker: every workspace, whatever fails in one; on both engines."""

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import installations, outbox
from models.database import Database
from models.kinds.action import ACTION
from models.tables import Record, SeenRequest
from scheduler import deliveries
from scheduler.jobs import JOBS, Job
from scheduler.notices import DELIVERY_KINDS
from scheduler.runner import HEARTBEAT, STUCK_SECONDS, ClockStuck, Runner
from tests.support import NOW, WORKSPACE, FixedClock, make_record, make_workspace
from tests.support_installations import an_installation
from tests.support_slack import RecordingSlack, make_sender, states, stored
from tests.waiting import until

KINDS = deliveries.by_key(DELIVERY_KINDS)


class Bell:
    """Counts how often the sender was woken, and tells whoever waits for it."""

    def __init__(self) -> None:
        self.rung = 0
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self.rung += 1
        self._event.set()

    async def heard(self) -> None:
        async with asyncio.timeout(30):
            await self._event.wait()


async def fail_for_one(session: AsyncSession, now: datetime) -> None:
    if session.sync_session.info["workspace_id"] == WORKSPACE:
        raise ValueError("out of order")
    await outbox.put(session, "hello", key="hello", target="CMOVE", due_at=now)


async def owe_hello(session: AsyncSession, now: datetime) -> None:
    await outbox.put(session, "hello", key="hello", target="CMOVE", due_at=now)


@pytest.fixture
async def house(database: Database) -> Database:
    """The database with two workspaces in it."""
    for workspace_id in (WORKSPACE, "T0002"):
        async with database.unit(workspace_id) as session:
            await make_workspace(session)
    return database


def make_runner(database: Database, clock: FixedClock, bell: Bell, *jobs: Job) -> Runner:
    return Runner(database, clock=clock, wall=clock, wake=bell, jobs=jobs or JOBS)


async def test_a_tick_runs_the_jobs_wakes_the_sender_and_shows_that_it_lives(
    house: Database, clock: FixedClock
) -> None:
    bell = Bell()
    await make_runner(house, clock, bell, Job("hello", owe_hello)).tick()

    assert [row.dedupe_key for row in await stored(house)] == ["hello"]
    assert [row.dedupe_key for row in await stored(house, "T0002")] == ["hello"]
    assert bell.rung == 1
    assert await house.last_beat(HEARTBEAT) == NOW


async def test_a_job_that_fails_in_one_workspace_stops_neither_other_jobs_nor_other_workspaces(
    house: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    bell = Bell()
    runner = make_runner(house, clock, bell, Job("faulty", fail_for_one), Job("hello", owe_hello))
    for _ in range(2):
        await runner.tick()

    assert [row.dedupe_key for row in await stored(house)] == ["hello"]
    assert [row.dedupe_key for row in await stored(house, "T0002")] == ["hello"]
    assert (runner.failures, bell.rung) == ({"faulty": 2}, 2)
    assert f"faulty failed in workspace {WORKSPACE}" in caplog.text
    assert await house.last_beat(HEARTBEAT) == NOW


async def test_a_tick_gives_up_what_is_too_late(house: Database, clock: FixedClock) -> None:
    runner = make_runner(house, clock, Bell(), Job("hello", owe_hello))
    await runner.tick()
    clock.move(hours=24)
    await runner.tick()

    assert [row.state.value for row in await stored(house)] == ["expired"]


async def test_cleaning_up_forgets_old_requests_in_every_workspace(house: Database, clock: FixedClock) -> None:
    for workspace_id in (WORKSPACE, "T0002"):
        async with house.unit(workspace_id) as session:
            session.add(SeenRequest(key="old", at=NOW - timedelta(days=8)))
    await make_runner(house, clock, Bell()).clean_up()

    for workspace_id in (WORKSPACE, "T0002"):
        async with house.unit(workspace_id) as session:
            assert await session.get(SeenRequest, (workspace_id, "old")) is None


async def test_a_job_whose_question_fails_stops_no_other(house: Database, clock: FixedClock) -> None:
    def broken(now: datetime) -> Any:
        raise ValueError("out of order")

    bell = Bell()
    runner = make_runner(house, clock, bell, Job("faulty", owe_hello, broken), Job("hello", owe_hello))

    await runner.tick()

    assert runner.failures == {"faulty": 1}
    assert [row.dedupe_key for row in await stored(house)] == ["hello"]
    assert bell.rung == 1


async def test_a_look_at_many_workspaces_costs_what_is_due_in_them(house: Database, clock: FixedClock) -> None:
    """As many statements as with two of them, until something is due in one."""

    async def statements() -> int:
        sent: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            sent.append(statement)

        engine = house.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        await runner.tick()
        event.remove(engine, "before_cursor_execute", note)
        return len(sent)

    runner = make_runner(house, clock, Bell())
    with_two = await statements()
    for number in range(20):
        async with house.unit(f"T1{number:03}") as session:
            await make_workspace(session)
    with_many = await statements()
    async with house.unit(WORKSPACE) as session:
        await outbox.put(session, "word", key="late", target="UANA", due_at=NOW, expires_at=NOW)

    assert with_many == with_two
    assert await statements() > with_two
    assert await states(house) == ["word expired"]


async def test_started_it_ticks_by_itself_and_stopped_it_is_still(house: Database, clock: FixedClock) -> None:
    bell = Bell()
    runner = make_runner(house, clock, bell)
    runner.start()
    await bell.heard()
    await runner.stop()

    assert bell.rung == 1
    assert await house.last_beat(HEARTBEAT) == NOW
    await runner.stop()


async def test_stopping_waits_for_the_tick_under_way(house: Database, clock: FixedClock) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(session: AsyncSession, now: datetime) -> None:
        begun.set()
        await go_on.wait()
        await owe_hello(session, now)

    runner = make_runner(house, clock, Bell(), Job("slow", slow))
    runner.start()
    await begun.wait()
    stopping = asyncio.create_task(runner.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    go_on.set()
    await stopping

    assert [row.dedupe_key for row in await stored(house)] == ["hello"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_clock_that_stands_still_says_so_and_is_stopped_all_the_same(
    house: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(session: AsyncSession, now: datetime) -> None:
        await owe_hello(session, now)
        await asyncio.Event().wait()

    monkeypatch.setattr("scheduler.runner.STUCK_SECONDS", 0.5)
    runner = make_runner(house, clock, Bell(), Job("hang", hang))
    runner.start()

    with pytest.raises(ClockStuck, match="Start Steward again"):
        await runner.stuck()
    await runner.stop(0.01)

    assert await stored(house) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_clock_that_fails_each_time_stands_still(
    house: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> list[str]:
        raise ValueError("out of order")

    monkeypatch.setattr("scheduler.runner.STUCK_SECONDS", 0.5)
    monkeypatch.setattr("scheduler.runner.TICK_SECONDS", 0.02)
    runner = Runner(house, clock=clock, wall=clock, wake=Bell(), workspaces=broken)
    runner.start()

    with pytest.raises(ClockStuck):
        await runner.stuck()
    await runner.stop()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_process_that_was_stopped_as_a_whole_does_not_stand_still(
    house: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that slept, or a container that was paused."""
    now, looks = 0.0, 0

    def monotonic() -> float:
        nonlocal looks
        looks += 1
        return now

    monkeypatch.setattr("scheduler.runner.monotonic", monotonic)
    monkeypatch.setattr("scheduler.runner.TICK_SECONDS", 0.01)
    watching = asyncio.create_task(make_runner(house, clock, Bell()).stuck())
    await asyncio.sleep(0)

    now = 10 * STUCK_SECONDS
    before = looks
    await until(lambda: watching.done() or looks > before + 5)

    assert not watching.done()
    watching.cancel()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_where_the_machines_clock_goes_back_the_ticks_go_on(
    house: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """APScheduler waits for the hour at which it wanted to tick."""
    bell = Bell()
    runner = make_runner(house, clock, bell)
    runner.start()
    await bell.heard()
    assert runner._scheduler is not None
    runner._scheduler.get_job("tick").modify(next_run_time=datetime.now(UTC) + timedelta(hours=1))
    rung = bell.rung
    monkeypatch.setattr("scheduler.runner.TICK_SECONDS", 0.02)
    watching = asyncio.create_task(runner.stuck())
    await asyncio.sleep(0)

    clock.move(hours=-1)
    await until(lambda: bell.rung > rung)

    watching.cancel()
    await runner.stop()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_clock_with_much_to_do_does_not_stand_still(
    house: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is each piece of work, not all of them."""
    passed, is_stuck = 0.0, []

    async def take_long(session: AsyncSession, now: datetime) -> None:
        nonlocal passed
        passed += 0.7 * STUCK_SECONDS
        watching = asyncio.create_task(runner.stuck())
        await asyncio.sleep(0)
        is_stuck.append(watching.done())
        watching.cancel()

    monkeypatch.setattr("scheduler.runner.monotonic", lambda: passed)
    runner = make_runner(house, clock, Bell(), Job("long", take_long))
    await runner.tick()

    assert is_stuck == [False, False]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_stop_right_after_the_start_is_no_fault(
    house: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick that was begun is seen out, and the purge cancelled without a word."""

    async def hang(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("scheduler.runner.CLEANING_WAITS", 0)
    monkeypatch.setattr(installations, "removed", hang)
    runner = make_runner(house, clock, Bell())
    runner.start()
    await asyncio.sleep(0)

    await runner.stop()
    under_way = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(under_way)

    assert under_way
    assert await house.last_beat(HEARTBEAT) == NOW
    assert caplog.text == ""
    assert runner.failures == {}


async def test_a_tick_that_fails_altogether_is_logged_and_the_next_one_comes(
    house: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.runner.TICK_SECONDS", 0.05)
    caplog.set_level(logging.ERROR)
    bell, faults = Bell(), [OSError("no database")]

    def faulty_now() -> datetime:
        if faults:
            raise faults.pop()
        return NOW

    monkeypatch.setattr(clock, "now", faulty_now)
    runner = make_runner(house, clock, bell)
    runner.start()
    await bell.heard()
    await runner.stop()

    assert "tick failed: OSError" in caplog.text
    assert runner.failures == {"tick": 1}


async def test_a_morning_from_the_clock_to_the_message(house: Database, clock: FixedClock) -> None:
    async with house.unit(WORKSPACE) as session:
        await make_record(session, ACTION, owner_id="UANA", due_date=date(2026, 3, 3), title="Send the diagram")
    slack = RecordingSlack()
    sender = make_sender(house, slack, clock)
    runner = Runner(house, clock=clock, wall=clock, wake=sender.wake)
    while clock.now().isoformat() < "2026-03-03T20":
        clock.move(hours=1)
        await runner.tick()
        await sender.drain()

    [message] = slack.to("UANA")
    [row] = [row for row in await stored(house) if row.kind == "morning"]
    assert row.due_at.isoformat() == "2026-03-03T08:00:00+00:00"
    assert "Send the diagram" in message.text


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_a_workspace_stored_is_deleted_thirty_days_after_it_removed_steward(
    database: Database, clock: FixedClock
) -> None:
    """Its installation too, and an organisation's; others stay, whoever came back among them."""
    removed_at = {"T0001": NOW - timedelta(days=30, seconds=1), "T0002": NOW - timedelta(days=30), "T0003": None}
    for workspace_id, instant in removed_at.items():
        async with database.unit(workspace_id) as session:
            (await make_workspace(session)).removed_at = instant
            await make_record(session, ACTION)
        await installations.save(database, an_installation(workspace_id, removed_at=instant))
    await installations.save(database, an_installation("E0001", removed_at=removed_at["T0001"]))
    runner = Runner(database, clock=clock, wall=clock, wake=Bell())

    await runner.purge()

    assert sorted(await database.workspace_ids(also_removed=True)) == ["T0002", "T0003"]
    kept = {}
    for workspace_id in removed_at:
        async with database.unit(workspace_id, writes=False) as session:
            kept[workspace_id] = len(list(await session.exec(select(Record.id))))
    assert kept == {"T0001": 0, "T0002": 1, "T0003": 1}
    assert [each.id for each in await installations.everywhere(database)] == ["T0002", "T0003"]


async def test_a_stop_ends_a_long_tick_after_the_piece_that_is_under_way(house: Database, clock: FixedClock) -> None:
    """What is left is due at the next start as well."""
    begun, done = asyncio.Event(), []

    async def take_long(session: AsyncSession, now: datetime) -> None:
        begun.set()
        await asyncio.sleep(0.1)
        done.append(session.sync_session.info["workspace_id"])

    runner = make_runner(house, clock, Bell(), Job("long", take_long), Job("next", take_long))
    ticking = asyncio.create_task(runner.tick())
    await begun.wait()

    await runner.stop()
    await ticking

    assert len(done) == 1
