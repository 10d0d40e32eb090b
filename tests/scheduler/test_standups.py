"""What a stand-up costs the clock: its statements do not grow with the people in it."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import col, func, select

from models import standups
from models.database import Database
from models.permissions import actor_of
from models.tables import Absence, EntryState, StandupEntry, StandupReport
from scheduler.jobs.standups import STANDUPS_JOB
from tests.support import NOW, WORKSPACE, FixedClock, make_channel, make_person, make_workspace
from tests.support_slack import RecordingSlack, make_sender

TODAY = date(2026, 3, 2)  # of NOW, a Monday, 10:00 in Berlin


async def set_up(database: Database, people: int) -> None:
    """A stand-up at noon in Berlin, of so many people, with a reminder and a note of who is missing."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        members = [await make_person(session, f"p{number}") for number in range(people)]
        channel = await make_channel(session, members=members)
        plan = standups.Plan(
            channel_id=channel.id,
            name="Daily",
            questions=standups.CLASSIC,
            asks_mood=False,
            weekdays=range(5),
            every_weeks=1,
            at=time(12),
            zone="Europe/Berlin",
            window_minutes=60,
            nudge_minutes=15,
            participants=[],
            report=StandupReport.DIGEST,
            missing_to=members[0].id,
            makes_issues=False,
        )
        await standups.create(session, actor_of(members[0]), plan, today=TODAY, now=NOW)


async def statements_at(database: Database, hours: int) -> int:
    """How many statements the job executes so many hours after NOW."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    async with database.unit(WORKSPACE) as session:
        await STANDUPS_JOB.run(session, NOW + timedelta(hours=hours))
    event.remove(engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("people", [2, 40])
async def test_a_round_is_opened_and_closed_in_a_few_statements_however_many_take_part(
    database: Database, people: int
) -> None:
    await set_up(database, people)

    opened, closed = await statements_at(database, 2), await statements_at(database, 3)

    async with database.unit(WORKSPACE, writes=False) as session:
        missed = select(func.count()).where(col(StandupEntry.state) == EntryState.MISSED)
        assert (await session.exec(missed)).one() == people
    assert opened <= 15
    assert closed <= 12


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_away", [False, True])
async def test_who_is_missing_is_told_to_nobody_on_leave(database: Database, is_away: bool) -> None:
    await set_up(database, 2)
    if is_away:
        async with database.unit(WORKSPACE) as session:
            session.add(Absence(person_id="UP0", first_day=TODAY, last_day=TODAY, created_at=NOW))
    for hours in (2, 3):
        await statements_at(database, hours)
    slack = RecordingSlack()

    await make_sender(database, slack, FixedClock(NOW + timedelta(hours=3))).drain()

    assert [call.channel for call in slack.calls if "did not answer" in call.text] == ([] if is_away else ["UP0"])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_after_a_downtime_the_reminder_comes_instead_of_the_questions_and_not_beside_them(
    database: Database,
) -> None:
    await set_up(database, 2)
    late = NOW + timedelta(hours=2, minutes=50)
    async with database.unit(WORKSPACE) as session:
        await STANDUPS_JOB.run(session, late)
    slack = RecordingSlack()

    await make_sender(database, slack, FixedClock(late)).drain()

    assert sorted(call.channel for call in slack.calls) == ["UP0", "UP1"]
    assert all("Still open" in call.text for call in slack.calls)
