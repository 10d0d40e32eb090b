"""At 09:00 of the owner's morning: the job's keys and instants, and the message drawn from them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from models import operations
from models.database import Database
from models.kinds.action import ACTION
from models.kinds.risk import RISK
from models.permissions import actor_of
from models.tables import Delivery
from scheduler.jobs.morning import latest_morning, morning_of, run
from tests.support import (
    WORKSPACE,
    FixedClock,
    make_channel,
    make_person,
    make_project,
    make_record,
    make_workspace,
)
from tests.support_slack import RecordingSlack, make_sender, states, stored

SUNDAY = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MONDAY = date(2026, 3, 2)
NINE_IN_BERLIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


async def people(database: Database, **zones: str) -> None:
    """A workspace where these people, by default Ana in Berlin, share #move and its project in Berlin."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        made = [
            await make_person(session, name, timezone=zone) for name, zone in ({"ana": "Europe/Berlin"} | zones).items()
        ]
        channel = await make_channel(session, members=made)
        await make_project(session, by=made[0], channel=channel)


async def log(database: Database, *, at: datetime = SUNDAY, kind: Any = ACTION, **values: Any) -> int:
    async with database.unit(WORKSPACE) as session:
        fields = {"owner_id": "UANA", "due_date": MONDAY} | values
        item = await make_record(session, kind, now=at, **fields)
        return item.record.number


async def change(database: Database, number: int, *, at: datetime, **values: Any) -> None:
    async with database.unit(WORKSPACE) as session:
        actor = actor_of(await make_person(session))
        item, project = await operations.find(session, actor, ACTION, number)
        version = item.record.version
        await operations.change(session, actor, item, project, values, version=version, now=at, via="test")


async def close(database: Database, number: int) -> None:
    async with database.unit(WORKSPACE) as session:
        actor = actor_of(await make_person(session))
        item, project = await operations.find(session, actor, ACTION, number)
        done = ACTION.step_named("done")
        assert done is not None
        await operations.take_step(session, actor, item, project, done, now=SUNDAY, via="test")


async def tick(database: Database, now: datetime) -> list[Delivery]:
    """What the job owes after looking at `now`."""
    async with database.unit(WORKSPACE) as session:
        await run(session, now)
    return [row for row in await stored(database) if row.kind == "morning"]


async def test_nobody_is_reminded_of_a_draft(database: Database) -> None:
    """Whatever it holds."""
    await people(database)
    await log(database)
    async with database.unit(WORKSPACE) as session:
        item, _ = await operations.find(session, actor_of(await make_person(session)), ACTION, 1)
        item.record.is_draft = True
        session.add(item.record)

    assert await tick(database, NINE_IN_BERLIN) == []


async def test_before_nine_nothing_is_owed_at_nine_one_message_and_a_day_later_none(database: Database) -> None:
    await people(database)
    await log(database)

    assert await tick(database, NINE_IN_BERLIN - SECOND) == []
    assert await tick(database, NINE_IN_BERLIN + DAY) == []
    [row] = await tick(database, NINE_IN_BERLIN)

    assert (row.dedupe_key, row.target) == ("morning:UANA:2026-03-02", "UANA")
    assert (row.due_at, row.expires_at) == (NINE_IN_BERLIN, NINE_IN_BERLIN + DAY)


async def test_late_within_the_day_is_better_than_never(database: Database) -> None:
    await people(database)
    await log(database)

    [row] = await tick(database, NINE_IN_BERLIN + DAY - SECOND)

    assert row.due_at == NINE_IN_BERLIN


async def test_however_often_the_job_runs_there_is_one_message_a_day(database: Database) -> None:
    await people(database)
    await log(database)
    await log(database, title="Another")

    for minutes in range(0, 600, 60):
        rows = await tick(database, NINE_IN_BERLIN + timedelta(minutes=minutes))

    assert len(rows) == 1


async def test_each_owner_is_reminded_at_nine_in_their_own_zone_on_the_calendar_date(database: Database) -> None:
    await people(database, tane="Pacific/Auckland", kavya="Asia/Kolkata", nia="America/New_York")
    for owner in ("UTANE", "UKAVYA", "UANA", "UNIA"):
        await log(database, owner_id=owner, at=SUNDAY - DAY)

    due: dict[str, datetime] = {}
    for hours in range(72):
        for row in await tick(database, datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours, minutes=30)):
            due.setdefault(row.target, row.due_at)

    assert due == {
        "UTANE": datetime(2026, 3, 1, 20, 0, tzinfo=UTC),
        "UKAVYA": datetime(2026, 3, 2, 3, 30, tzinfo=UTC),
        "UANA": datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
        "UNIA": datetime(2026, 3, 2, 14, 0, tzinfo=UTC),
    }


async def test_after_days_of_downtime_only_the_newest_morning_is_told(database: Database) -> None:
    await people(database)
    for days in range(4):
        await log(database, due_date=MONDAY + timedelta(days=days))

    rows = await tick(database, NINE_IN_BERLIN + 3 * DAY + timedelta(hours=2))

    assert [row.dedupe_key for row in rows] == ["morning:UANA:2026-03-05"]


@pytest.mark.parametrize(
    ("logged_at", "count"),
    [(NINE_IN_BERLIN - SECOND, 1), (NINE_IN_BERLIN, 0), (NINE_IN_BERLIN + timedelta(hours=2), 0)],
)
async def test_what_is_logged_from_nine_on_brings_no_message_that_day(
    database: Database, logged_at: datetime, count: int
) -> None:
    await people(database)
    await log(database, at=logged_at)

    assert len(await tick(database, NINE_IN_BERLIN + timedelta(hours=3))) == count


@pytest.mark.parametrize("values", [{"due_date": MONDAY}, {"owner_id": "UANA"}])
async def test_what_becomes_theirs_or_due_that_day_after_nine_brings_no_message(
    database: Database, values: dict[str, Any]
) -> None:
    await people(database, ben="Europe/Berlin")
    number = await log(database, **({"owner_id": "UBEN"} if "owner_id" in values else {"due_date": MONDAY + DAY}))
    await change(database, number, at=NINE_IN_BERLIN + timedelta(hours=1), **values)

    rows = await tick(database, NINE_IN_BERLIN + timedelta(hours=2))

    assert [row.target for row in rows if row.target == "UANA"] == []


async def test_another_change_after_nine_does_not_lose_a_late_message(database: Database) -> None:
    await people(database)
    number = await log(database)
    await change(database, number, at=NINE_IN_BERLIN + timedelta(hours=1), title="Reworded")

    assert len(await tick(database, NINE_IN_BERLIN + timedelta(hours=2))) == 1


@pytest.mark.parametrize("values", [{"owner_id": None}, {"due_date": None}, {"due_date": MONDAY + DAY}])
async def test_without_an_owner_or_a_due_date_of_that_day_nothing_is_owed(
    database: Database, values: dict[str, Any]
) -> None:
    await people(database)
    await log(database, **values)

    assert await tick(database, NINE_IN_BERLIN) == []


async def test_overdue_records_alone_bring_no_message(database: Database) -> None:
    await people(database)
    await log(database, due_date=MONDAY - DAY)

    assert await tick(database, NINE_IN_BERLIN) == []


async def test_closed_records_and_deactivated_owners_bring_no_message(database: Database) -> None:
    await people(database, ben="Europe/Berlin")
    await close(database, await log(database))
    await log(database, owner_id="UBEN")
    async with database.unit(WORKSPACE) as session:
        await make_person(session, "ben", is_active=False)

    assert await tick(database, NINE_IN_BERLIN) == []


async def test_the_message_lists_what_is_due_and_what_is_overdue(database: Database, clock: FixedClock) -> None:
    await people(database)
    await log(database, title="Due one")
    await log(database, title="Due two", kind=RISK)
    await log(database, title="Late one", due_date=date(2026, 3, 1))
    await log(database, title="Later", due_date=MONDAY + DAY)
    slack = await _send(database, clock, NINE_IN_BERLIN)

    [call] = slack.to("UANA")
    blocks = str(call.arguments["blocks"])
    assert call.text.startswith("2 due today, 1 overdue")
    assert [title in blocks for title in ("Due one", "Due two", "Late one", "Later")] == [True, True, True, False]


async def test_the_message_is_drawn_from_the_latest_state(database: Database, clock: FixedClock) -> None:
    await people(database)
    first, second = await log(database, title="First"), await log(database, title="Second")
    await tick(database, NINE_IN_BERLIN)
    await close(database, first)
    await change(database, second, at=NINE_IN_BERLIN, title="Second, reworded")
    slack = await _send(database, clock, NINE_IN_BERLIN + timedelta(hours=1))

    [call] = slack.to("UANA")
    assert call.text.startswith("1 due today")
    assert "Second, reworded" in call.text


async def test_with_nothing_left_to_say_nothing_is_sent(database: Database, clock: FixedClock) -> None:
    await people(database)
    number = await log(database)
    await log(database, due_date=date(2026, 3, 1))
    await tick(database, NINE_IN_BERLIN)
    await close(database, number)
    slack = await _send(database, clock, NINE_IN_BERLIN)

    assert slack.to("UANA") == []
    assert "morning cancelled" in await states(database)


async def test_the_message_names_only_what_its_owner_may_still_see(database: Database, clock: FixedClock) -> None:
    await people(database, ben="Europe/Berlin")
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session), await make_person(session, "ben")
        secret = await make_channel(session, "secret", members=[ana, ben])
        project = await make_project(session, by=ana, channel=secret, name="Secret")
        await make_record(
            session, ACTION, project=project, by=ana, now=SUNDAY, title="Hush", owner_id="UBEN", due_date=MONDAY
        )
    await log(database, owner_id="UBEN", title="Open")
    async with database.unit(WORKSPACE) as session:
        await make_channel(session, "secret", members=["UANA"], is_private=True)
    slack = await _send(database, clock, NINE_IN_BERLIN)

    [call] = slack.to("UBEN")
    assert "Open" in str(call.arguments)
    assert "Hush" not in str(call.arguments)


async def test_an_owner_deactivated_in_the_night_is_sent_nothing(database: Database, clock: FixedClock) -> None:
    await people(database)
    await log(database)
    await tick(database, NINE_IN_BERLIN)
    async with database.unit(WORKSPACE) as session:
        await make_person(session, is_active=False)
    slack = await _send(database, clock, NINE_IN_BERLIN)

    assert slack.to("UANA") == []


async def test_a_message_a_day_late_is_not_sent_beside_the_new_one(database: Database, clock: FixedClock) -> None:
    await people(database)
    await log(database)
    await log(database, due_date=MONDAY + DAY, title="Of Tuesday")
    await tick(database, NINE_IN_BERLIN)
    await tick(database, NINE_IN_BERLIN + DAY)
    slack = await _send(database, clock, NINE_IN_BERLIN + DAY)

    assert ["Of Tuesday" in call.text for call in slack.to("UANA")] == [True]


async def test_one_statement_looks_and_says_nothing_twice_once_all_is_owed(database: Database) -> None:
    await people(database)
    for number in range(5):
        await log(database, title=f"Number {number}")
    await tick(database, NINE_IN_BERLIN)

    async with database.unit(WORKSPACE) as session:
        statements: list[str] = []
        bind: Any = session.get_bind()
        event.listen(bind, "before_cursor_execute", lambda *args: statements.append(args[2]))
        await run(session, NINE_IN_BERLIN + timedelta(seconds=5))

    assert [statement.split()[0] for statement in statements if not statement.startswith("BEGIN")] == ["SELECT"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_look_goes_by_the_index_of_due_dates(database: Database) -> None:
    await people(database)
    async with database.unit(WORKSPACE) as session:
        seen: list[tuple[str, Any]] = []
        bind: Any = session.get_bind()
        event.listen(bind, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
        await run(session, NINE_IN_BERLIN)
        connection = await session.connection()
        [(statement, parameters)] = [found for found in seen if found[0].startswith("SELECT")]
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = " / ".join(row[3] for row in plan)

    assert "SEARCH record USING INDEX ix_record_due" in steps
    assert "SCAN record" not in steps
    assert "SCAN delivery" not in steps


@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-29T07:00Z"),  # the morning after the clocks went forward
        (date(2026, 10, 25), "Europe/Berlin", "2026-10-25T08:00Z"),  # and back
        (date(2024, 2, 29), "Europe/Berlin", "2024-02-29T08:00Z"),
        (date(2026, 3, 8), "America/New_York", "2026-03-08T13:00Z"),
        (date(2026, 4, 5), "Pacific/Auckland", "2026-04-04T21:00Z"),
        (date(2026, 7, 1), "Asia/Kolkata", "2026-07-01T03:30Z"),
        (date(2026, 7, 1), "Pacific/Kiritimati", "2026-06-30T19:00Z"),
        (date(2026, 7, 1), "Not/AZone", "2026-07-01T09:00Z"),
    ],
)
def test_nine_in_the_morning_is_wall_time(day: date, zone: str, instant: str) -> None:
    assert morning_of(day, zone) == datetime.fromisoformat(instant)


@given(
    now=st.integers(1_704_067_200, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"]
    ),
)
def test_the_latest_morning_is_past_and_the_next_one_is_not(now: datetime, zone: str) -> None:
    day, due_at = latest_morning(zone, now)

    assert due_at <= now < morning_of(day + DAY, zone)
    assert due_at.astimezone(ZoneInfo(zone)).hour == 9


async def _send(database: Database, clock: FixedClock, now: datetime) -> RecordingSlack:
    """Tick and send at that instant; only what goes to people is of interest here."""
    await tick(database, now)
    clock.move(to=now)
    slack = RecordingSlack()
    await make_sender(database, slack, clock).drain()
    return slack
