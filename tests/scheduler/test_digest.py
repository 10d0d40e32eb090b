"""The daily digest: whose, when, once a local date, what it says and when it stays away."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from models import absences, digests, manners, operations
from models.database import Database
from models.kinds.action import ACTION
from models.kinds.decision import DECISION
from models.kinds.risk import RISK
from models.permissions import actor_of
from models.tables import Delivery, Person, Project
from reports.digest import LINES_MAX, Group, digest_of
from scheduler.jobs.digest import run
from tests.support import (
    WORKSPACE,
    FixedClock,
    make_channel,
    make_person,
    make_project,
    make_record,
    make_workspace,
)
from tests.support_slack import Call, RecordingSlack, make_sender, states, stored

SATURDAY = datetime(2026, 2, 28, 12, tzinfo=UTC)
MONDAY = date(2026, 3, 2)
NINE_IN_BERLIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# What the clock says does not depend on the engine; that the statements run on both is shown by some of these.
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def people(database: Database, at: datetime = SATURDAY, **zones: str) -> None:
    """A workspace where these people, by default Ana in Berlin, share #move and its project, as the clock knows."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        made = [
            await make_person(session, name, timezone=zone) for name, zone in ({"ana": "Europe/Berlin"} | zones).items()
        ]
        channel = await make_channel(session, members=made)
        await make_project(session, by=made[0], channel=channel)
    await tick(database, at)


async def log(database: Database, *, at: datetime = SATURDAY, kind: Any = ACTION, **values: Any) -> int:
    async with database.unit(WORKSPACE) as session:
        fields = {"owner_id": "UANA", "due_date": MONDAY} | values
        item = await make_record(session, kind, now=at, **fields)
        return item.record.number


async def close(database: Database, number: int) -> None:
    async with database.unit(WORKSPACE) as session:
        actor = actor_of(await make_person(session))
        item, project = await operations.find(session, actor, ACTION, number)
        done = ACTION.step_named("done")
        assert done is not None
        await operations.take_step(session, actor, item, project, done, now=SATURDAY, via="test")


async def change(database: Database, table: Any, **values: Any) -> None:
    """Set these columns of the one row of the table."""
    async with database.unit(WORKSPACE) as session:
        row = (await session.exec(select(table))).one()
        for key, value in values.items():
            setattr(row, key, value)
        session.add(row)


async def settings(database: Database, **values: Any) -> None:
    """Ana's own settings, as the form stores them."""
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        await manners.change(session, ana, {key: getattr(ana, key) for key in manners.SETTINGS} | values)


async def move(database: Database, zone: str) -> None:
    """Ana's profile says another zone."""
    async with database.unit(WORKSPACE) as session:
        await make_person(session, timezone=zone)


async def away(database: Database, person_id: str, first: date, last: date, deputy_id: str | None = None) -> None:
    async with database.unit(WORKSPACE) as session:
        await absences.add(session, person_id, first, last, deputy_id=deputy_id, today=first, now=SATURDAY)


async def tick(database: Database, now: datetime) -> list[Delivery]:
    """What the job owes after looking at `now`."""
    async with database.unit(WORKSPACE) as session:
        await run(session, now)
    return [row for row in await stored(database) if row.kind == "morning"]


async def sent(database: Database, clock: FixedClock, now: datetime, *, to: str = "UANA") -> list[Call]:
    """Tick and send at that instant: the digests that person gets."""
    await tick(database, now)
    clock.move(to=now)
    slack = RecordingSlack()
    await make_sender(database, slack, clock).drain()
    return [call for call in slack.to(to) if "Good " in str(call.arguments["blocks"][0])]


def words(call: Call) -> str:
    return str(call.arguments["blocks"])


async def test_before_their_hour_nothing_is_owed_at_it_one_message_and_none_the_day_after(database: Database) -> None:
    await people(database)
    await log(database)

    assert await tick(database, NINE_IN_BERLIN - SECOND) == []
    for minutes in (0, 1, 60, 600):
        [row] = await tick(database, NINE_IN_BERLIN + timedelta(minutes=minutes))

    # As older releases called it, so that on the day of the upgrade nobody gets two.
    assert (row.kind, row.dedupe_key, row.target) == ("morning", "morning:UANA:2026-03-02", "UANA")
    assert (row.due_at, row.expires_at) == (NINE_IN_BERLIN, datetime(2026, 3, 2, 23, tzinfo=UTC))


async def test_each_has_their_own_nine_o_clock_of_one_calendar_date(database: Database) -> None:
    await people(database, tane="Pacific/Auckland", kavya="Asia/Kolkata", nia="America/New_York")
    for owner in ("UTANE", "UKAVYA", "UANA", "UNIA"):
        await log(database, owner_id=owner)

    for hours in range(40, 64):
        rows = await tick(database, datetime(2026, 2, 28, 0, 30, tzinfo=UTC) + hours * HOUR)

    assert {row.target: row.due_at for row in rows if row.payload["date"] == "2026-03-02"} == {
        "UTANE": datetime(2026, 3, 1, 20, tzinfo=UTC),
        "UKAVYA": datetime(2026, 3, 2, 3, 30, tzinfo=UTC),
        "UANA": datetime(2026, 3, 2, 8, tzinfo=UTC),
        "UNIA": datetime(2026, 3, 2, 14, tzinfo=UTC),
    }


@on_sqlite
@pytest.mark.parametrize(
    ("around", "instant"),
    [
        (date(2026, 3, 29), "2026-03-29T01:30Z"),  # 02:30 is skipped, so it is 03:30
        (date(2026, 10, 25), "2026-10-25T00:30Z"),  # it comes twice, and the first one is meant
    ],
)
async def test_when_the_clocks_change_each_local_date_has_one(database: Database, around: date, instant: str) -> None:
    begins = datetime.combine(around, time(0), UTC) - 2 * DAY
    await people(database, at=begins)
    await settings(database, digest_at=time(2, 30))
    await log(database, at=begins, due_date=around + 2 * DAY)

    for hours in range(24 * 4):
        rows = await tick(database, begins + hours * HOUR)

    due = {row.payload["date"]: row.due_at for row in rows}
    assert len(due) == len(rows)
    assert list(due) == [(around + n * DAY).isoformat() for n in (-2, -1, 0, 1)]
    assert due[around.isoformat()] == datetime.fromisoformat(instant)


async def test_after_days_of_downtime_only_the_newest_one_is_told(database: Database) -> None:
    await people(database)
    await log(database)

    rows = await tick(database, NINE_IN_BERLIN + 2 * DAY + 6 * HOUR)

    assert [row.dedupe_key for row in rows] == ["morning:UANA:2026-03-04"]


@on_sqlite
async def test_whoever_moves_gets_one_for_each_local_date(database: Database, clock: FixedClock) -> None:
    """Eastwards past their hour at once, westwards not a second one, and not before their new hour."""
    await people(database)
    await log(database)

    await move(database, "Asia/Tokyo")
    eastwards = await sent(database, clock, NINE_IN_BERLIN - HOUR)
    await move(database, "America/New_York")
    westwards = await sent(database, clock, NINE_IN_BERLIN + 6 * HOUR)
    next_day = await sent(database, clock, NINE_IN_BERLIN + DAY + 6 * HOUR)

    assert [len(eastwards), len(westwards), len(next_day)] == [1, 0, 1]


@on_sqlite
async def test_who_moves_between_planning_and_sending_gets_it_at_their_new_hour(
    database: Database, clock: FixedClock
) -> None:
    await people(database)
    await log(database)
    await tick(database, NINE_IN_BERLIN)
    await move(database, "America/New_York")

    early = await sent(database, clock, NINE_IN_BERLIN)
    still_early = await sent(database, clock, NINE_IN_BERLIN + 6 * HOUR - SECOND)
    at_nine = await sent(database, clock, NINE_IN_BERLIN + 6 * HOUR)
    later = await sent(database, clock, NINE_IN_BERLIN + 7 * HOUR)

    assert [len(early), len(still_early), len(at_nine), len(later)] == [0, 0, 1, 0]


@on_sqlite
async def test_another_hour_counts_from_the_same_day_on(database: Database, clock: FixedClock) -> None:
    await people(database)
    await log(database)
    await settings(database, digest_at=time(16))

    morning = await sent(database, clock, NINE_IN_BERLIN)
    afternoon = await sent(database, clock, NINE_IN_BERLIN + 7 * HOUR)
    await settings(database, digest_at=time(18))
    evening = await sent(database, clock, NINE_IN_BERLIN + 9 * HOUR)

    assert [len(morning), len(afternoon), len(evening)] == [0, 1, 0]
    assert "Good afternoon. 1 due today." in words(afternoon[0])


@on_sqlite
async def test_a_weekend_and_a_public_holiday_are_left_out(database: Database, clock: FixedClock) -> None:
    """6 April 2026 is Easter Monday; what is due on such a day is told before it."""
    await people(database)
    await change(database, Project, holiday_country="DE", holiday_subdivision="BE", lead_days=0)
    thursday = datetime(2026, 4, 2, 7, tzinfo=UTC)
    await log(database, at=thursday - 3 * DAY, due_date=date(2026, 4, 5), title="Due on Easter Sunday")

    got = [len(await sent(database, clock, thursday + n * DAY)) for n in range(7)]

    assert got == [1, 0, 0, 0, 0, 1, 1]  # Good Friday to Easter Monday are free, then it is overdue


@on_sqlite
async def test_a_day_on_which_one_of_the_projects_works_is_no_free_day(database: Database, clock: FixedClock) -> None:
    await people(database)
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        gulf = await make_project(session, by=ana, channel=await make_channel(session, "gulf", members=[ana]))
        gulf.working_days = "sun mon tue wed thu"
        session.add(gulf)
        await make_record(session, ACTION, project=gulf, now=SATURDAY, owner_id="UANA", due_date=MONDAY - DAY)
    await log(database)

    assert len(await sent(database, clock, NINE_IN_BERLIN - DAY)) == 1


@on_sqlite
async def test_who_is_away_gets_none_their_deputy_sees_what_is_due_and_the_first_day_back_has_one(
    database: Database, clock: FixedClock
) -> None:
    await people(database, ben="Europe/Berlin")
    await away(database, "UBEN", MONDAY, MONDAY + DAY, deputy_id="UANA")
    await log(database, owner_id="UBEN", title="Order racks")

    deputys = [await sent(database, clock, NINE_IN_BERLIN + n * DAY) for n in range(2)]
    bens = await sent(database, clock, NINE_IN_BERLIN + DAY + HOUR, to="UBEN")
    back = await sent(database, clock, NINE_IN_BERLIN + 2 * DAY, to="UBEN")
    after = await sent(database, clock, NINE_IN_BERLIN + 2 * DAY + HOUR)

    assert [len(each) for each in (*deputys, bens, back, after)] == [1, 1, 0, 1, 0]
    assert "for Ben Example, away until Tue 3 Mar 2026" in words(deputys[0][0])
    assert "1 overdue" in back[0].text


@on_sqlite
async def test_nobody_else_costs_anything(database: Database) -> None:
    """Without open records, or far from any date, nothing is even looked at; who has left or wants none gets none."""
    await people(database, ben="Europe/Berlin", cleo="Europe/Berlin", dan="Europe/Berlin", eve="Europe/Berlin")
    await log(database, owner_id="UBEN", due_date=MONDAY + 60 * DAY)
    await log(database, owner_id="UDAN")
    await close(database, await log(database))
    async with database.unit(WORKSPACE) as session:
        await make_person(session, "dan", is_active=False)
    await log(database, owner_id="UEVE")
    async with database.unit(WORKSPACE) as session:
        eve = await make_person(session, "eve")
        eve.wants_digest = False

    assert await tick(database, NINE_IN_BERLIN) == []
    async with database.unit(WORKSPACE) as session:
        planned = set(await session.exec(select(Person.next_digest_at)))
    assert planned == {NINE_IN_BERLIN + DAY}


async def test_an_idle_tick_is_one_look_at_an_index(database: Database, engine: str) -> None:
    await people(database, ben="Europe/Berlin")
    await log(database)
    await tick(database, NINE_IN_BERLIN)

    async with database.unit(WORKSPACE) as session:
        seen: list[tuple[str, Any]] = []
        bind: Any = session.get_bind()
        event.listen(bind, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
        await run(session, NINE_IN_BERLIN + timedelta(seconds=5))
        connection = await session.connection()
        [(statement, parameters)] = [each for each in seen if not each[0].startswith("BEGIN")]
        if engine == "sqlite":
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            assert "ix_person_next_digest" in " ".join(row[3] for row in plan)


@on_sqlite
async def test_whom_it_may_concern_is_found_by_indexes(database: Database) -> None:
    await people(database)
    await log(database)
    async with database.unit(WORKSPACE) as session:
        seen: list[tuple[str, Any]] = []
        bind: Any = session.get_bind()
        event.listen(bind, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
        await run(session, NINE_IN_BERLIN)
        connection = await session.connection()
        [(statement, parameters)] = [each for each in seen if "absence" in each[0]]
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = " / ".join(row[3] for row in plan)

    assert "USING INDEX ix_record_owner" in steps
    assert "SCAN" not in steps


async def test_it_says_what_is_due_to_review_to_decide_and_what_one_helps_with(
    database: Database, clock: FixedClock
) -> None:
    await people(database, ben="Europe/Berlin")
    await log(database, title="Late", due_date=MONDAY - DAY, at=SATURDAY - 2 * DAY)
    await log(database, title="Now")
    await log(database, title="Soon", due_date=MONDAY + 2 * DAY)
    await log(database, title="Far", due_date=MONDAY + 3 * DAY)
    await log(database, title="Helped", owner_id="UBEN", helpers=["UANA"])
    await log(database, title="Of Ben", owner_id="UBEN")
    await log(database, title="Look again", kind=RISK, due_date=None, next_review=MONDAY)
    await log(database, title="Not yet", kind=RISK, due_date=None, next_review=MONDAY + DAY)
    await log(database, title="Asleep", kind=RISK, due_date=None, at=SATURDAY - 40 * DAY)
    await log(database, title="Undated", kind=RISK, due_date=None)
    await log(database, title="Approve me", kind=DECISION, owner_id="UBEN", due_date=None)

    [call] = await sent(database, clock, NINE_IN_BERLIN)

    said = words(call)
    assert call.text.startswith(
        "1 overdue, 2 due today, 1 due soon, 2 to review, 1 waiting for your decision, first A1: Late"
    )
    order = ["Late", "Now", "Helped", "Soon", "Look again", "Asleep", "Approve me"]
    assert sorted(order, key=said.index) == order
    assert [title for title in ("Far", "Of Ben", "Not yet", "Undated") if title in said] == []
    assert "Ben Example owns it, you help" in said
    assert "untouched since Mon 19 Jan 2026: is it still true?" in said


@on_sqlite
async def test_what_sleeps_is_asked_about_on_mondays_only(database: Database, clock: FixedClock) -> None:
    await people(database)
    await log(database, kind=RISK, due_date=None, at=SATURDAY - 40 * DAY)

    assert [len(await sent(database, clock, NINE_IN_BERLIN + n * DAY)) for n in range(8)] == [1, *[0] * 6, 1]


@on_sqlite
async def test_what_one_logged_oneself_that_day_is_no_news_but_stands_beside_what_is(
    database: Database, clock: FixedClock
) -> None:
    await people(database, ben="Europe/Berlin")
    await log(database, title="Just typed", at=NINE_IN_BERLIN - HOUR)
    alone = await sent(database, clock, NINE_IN_BERLIN)
    await log(database, title="Typed on Tuesday", due_date=MONDAY + DAY, at=NINE_IN_BERLIN + 23 * HOUR)
    [both] = await sent(database, clock, NINE_IN_BERLIN + DAY)

    assert alone == []
    assert "1 overdue, 1 due today" in both.text


@on_sqlite
async def test_it_is_drawn_from_the_latest_state_and_with_nothing_left_to_say_not_sent(
    database: Database, clock: FixedClock
) -> None:
    await people(database)
    first, second = await log(database, title="First"), await log(database, title="Second")
    await tick(database, NINE_IN_BERLIN)
    await close(database, first)
    [call] = await sent(database, clock, NINE_IN_BERLIN + HOUR)
    await tick(database, NINE_IN_BERLIN + DAY)
    await close(database, second)
    nothing = await sent(database, clock, NINE_IN_BERLIN + DAY)

    assert call.text == "1 due today, first A2: Second"
    assert nothing == []
    assert "morning cancelled" in await states(database)


@on_sqlite
async def test_it_names_only_what_one_may_see_and_has_not_muted(database: Database, clock: FixedClock) -> None:
    await people(database, ben="Europe/Berlin")
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session), await make_person(session, "ben")
        secret = await make_channel(session, "secret", members=[ana, ben])
        project = await make_project(session, by=ana, channel=secret, name="Secret")
        await make_record(
            session, ACTION, project=project, by=ana, now=SATURDAY, title="Hush", owner_id="UBEN", due_date=MONDAY
        )
        muted = await make_record(session, ACTION, now=SATURDAY, title="Muted", owner_id="UBEN", due_date=MONDAY)
        await manners.mute(session, "UBEN", muted.record.id or 0, now=SATURDAY)
    await log(database, owner_id="UBEN", title="Open")
    async with database.unit(WORKSPACE) as session:
        await make_channel(session, "secret", members=["UANA"], is_private=True)

    [call] = await sent(database, clock, NINE_IN_BERLIN, to="UBEN")

    assert [title in words(call) for title in ("Open", "Hush", "Muted")] == [True, False, False]


@on_sqlite
async def test_quiet_hours_are_obeyed_when_it_comes_late_and_the_day_ends_it(
    database: Database, clock: FixedClock
) -> None:
    await people(database)
    await log(database)
    await settings(database, quiet_from=time(22), quiet_until=time(7))

    in_the_night = await sent(database, clock, NINE_IN_BERLIN + 13 * HOUR + SECOND)
    next_morning = await sent(database, clock, NINE_IN_BERLIN + DAY)

    assert [len(in_the_night), len(next_morning)] == [0, 1]


@on_sqlite
async def test_many_lines_are_counted_and_every_part_keeps_some(database: Database) -> None:
    await people(database)
    for _ in range(LINES_MAX):
        await log(database, due_date=MONDAY - DAY, at=SATURDAY - 2 * DAY)
    for _ in range(3):
        await log(database, kind=DECISION, due_date=None)
    async with database.unit(WORKSPACE) as session:
        found = await digest_of(session, await make_person(session), MONDAY)

    assert len(found.lines) == LINES_MAX
    assert found.totals == {Group.OVERDUE: LINES_MAX, Group.DECIDE: 3}
    assert [line.group for line in found.lines].count(Group.DECIDE) == 2


@on_sqlite
async def test_soon_reaches_over_a_weekend_and_not_over_a_long_break(database: Database) -> None:
    await people(database)
    async with database.unit(WORKSPACE) as session:
        project = (await session.exec(select(Project))).one()
        assert digests.soon_until(project, date(2026, 3, 3)) == date(2026, 3, 5)
        assert digests.soon_until(project, date(2026, 3, 5)) == date(2026, 3, 9)  # Thursday: Friday and Monday
        assert digests.soon_until(project, date(2026, 3, 4)) == date(2026, 3, 8)  # Wednesday: and the weekend
        project.days_off = " ".join((MONDAY + n * DAY).isoformat() for n in range(1, 30))
        assert digests.soon_until(project, MONDAY) == MONDAY + digests.furthest(2)


@on_sqlite
async def test_a_new_person_waits_for_the_next_day(database: Database) -> None:
    """Whom the clock meets in the afternoon is not told in the evening of what they were just given."""
    await people(database)
    await tick(database, NINE_IN_BERLIN + HOUR)
    async with database.unit(WORKSPACE) as session:
        await make_person(session, "ben")
    await log(database, owner_id="UBEN")

    assert [row.target for row in await tick(database, NINE_IN_BERLIN + 2 * HOUR)] == []
    async with database.unit(WORKSPACE) as session:
        query = select(Person.next_digest_at).where(col(Person.id) == "UBEN")
        assert (await session.exec(query)).one() == NINE_IN_BERLIN + DAY
