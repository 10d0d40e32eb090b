"""Reminders before a due time and in a project's channel: the jobs' keys and instants, and what is drawn from them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import event

from bot.slack_port import SlackPermanent
from models import absences, directory, moves, operations, projects
from models.database import Database
from models.kinds.action import ACTION
from models.permissions import actor_of
from models.tables import ChannelReminder, Mute
from scheduler.jobs import JOBS
from tests.support import (
    WORKSPACE,
    FixedClock,
    make_channel,
    make_person,
    make_project,
    make_record,
    make_workspace,
    undo,
)
from tests.support_slack import RecordingSlack, make_sender, stored

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)  # four weeks before Europe's clocks change
TUESDAY = date(2026, 3, 3)
DAY = timedelta(days=1)


async def house(database: Database, **settings: Any) -> None:
    """Ana, Ben and Tane in Berlin share #move and its project in Berlin, which Ana coordinates."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        people = [await make_person(session, name) for name in ("ana", "ben", "tane")]
        channel = await make_channel(session, members=people)
        project = await make_project(session, by=people[0], channel=channel)
        if settings:
            await projects.store(session, actor_of(people[0]), project, settings, via="test", now=MONDAY)


async def log(database: Database, *, at: datetime = MONDAY, **values: Any) -> None:
    async with database.unit(WORKSPACE) as session:
        await make_record(session, ACTION, now=at, **({"owner_id": "UBEN", "due_date": TUESDAY} | values))


async def settle(database: Database, *, at: datetime = MONDAY, **settings: Any) -> None:
    """Change the project's settings."""
    async with database.unit(WORKSPACE) as session:
        found = await directory.channel(session, "CMOVE")
        assert found is not None
        assert found[1] is not None
        ana = await make_person(session)
        await projects.change_settings(session, actor_of(ana), found[1], settings, version=found[1].version, now=at)


async def change(database: Database, number: int, *, at: datetime, **values: Any) -> None:
    async with database.unit(WORKSPACE) as session:
        actor = actor_of(await make_person(session))
        item, project = await operations.find(session, actor, ACTION, number)
        await operations.change(session, actor, item, project, values, version=item.record.version, now=at, via="test")


async def sent(database: Database, at: datetime, slack: RecordingSlack | None = None) -> list[str]:
    """What the clock's look at that instant sends: `whom: what`, cards and such left out."""
    slack, clock = slack or RecordingSlack(), FixedClock(at)
    before = len(slack.calls)
    async with database.unit(WORKSPACE) as session:
        for job in JOBS:
            if job.id in ("due_soon", "channel_reminder"):
                await job.run(session, at)
    await make_sender(database, slack, clock).drain()
    told = [
        call
        for call in slack.calls[before:]
        if "due at" in call.text or "overdue" in call.text or "settled" in call.text
    ]
    return [f"{call.method.partition('.')[2]} {call.channel}: {call.text}" for call in told]


def utc(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


async def test_quiet_hours_hold_it_back_until_it_would_be_too_late(database: Database) -> None:
    """Of what is due half an hour after them Ben hears at their end, of what is due before it not at all."""
    await house(database)
    async with database.unit(WORKSPACE) as session:
        ben = await directory.person(session, "UBEN")
        assert ben is not None
        ben.quiet_from, ben.quiet_until = time(22), time(8)
        session.add(ben)
    await log(database, due_time=time(7, 30))
    await log(database, due_time=time(8, 30))

    asleep = [await sent(database, utc(TUESDAY, hour, minute)) for hour, minute in ((5, 30), (6, 31), (6, 59))]
    awake = await sent(database, utc(TUESDAY, 7))

    assert asleep == [[], [], []]
    assert [line[:25] for line in awake] == ["postMessage UBEN: A2 is d"]
    assert "in 30 minutes" in awake[0]


async def test_so_many_a_day_as_the_owner_takes_and_none_with_only_the_digest(database: Database) -> None:
    await house(database)
    async with database.unit(WORKSPACE) as session:
        ben, tane = await make_person(session, "ben"), await make_person(session, "tane")
        ben.nags_a_day, tane.nags_a_day = 1, 0
    for at, owner in ((time(10), "UBEN"), (time(11), "UBEN"), (time(10), "UTANE")):
        await log(database, due_time=at, owner_id=owner)

    told = [await sent(database, utc(TUESDAY, hour)) for hour in (8, 9)]

    assert [[line[:25] for line in lines] for lines in told] == [["postMessage UBEN: A1 is d"], []]


async def test_what_is_muted_is_not_reminded_of(database: Database) -> None:
    await house(database)
    await log(database, due_time=time(15))
    async with database.unit(WORKSPACE) as session:
        session.add(Mute(person_id="UBEN", record_id=1, at=MONDAY))

    assert await sent(database, utc(TUESDAY, 13)) == []


async def test_another_zone_or_lead_of_the_project_moves_the_reminder_and_sends_none_twice(database: Database) -> None:
    await house(database)
    await log(database, due_time=time(15))
    await settle(database, timezone="America/New_York", remind_before_minutes=120)

    early = [await sent(database, utc(TUESDAY, hour, minute)) for hour, minute in ((13, 0), (14, 0), (17, 59))]
    in_time = await sent(database, utc(TUESDAY, 18))
    await settle(database, at=utc(TUESDAY, 18, 5), remind_before_minutes=60)
    again = await sent(database, utc(TUESDAY, 19))

    assert early == [[], [], []]
    assert [line[:17] for line in in_time] == ["postMessage UBEN:"]
    assert "15:00 New York time, in 2 hours" in in_time[0]
    assert again == []


async def test_downtime_over_the_due_time_leaves_the_reminder_unsaid(database: Database) -> None:
    await house(database)
    await log(database, due_time=time(15))

    assert await sent(database, utc(TUESDAY, 14)) == []  # 15:00 in Berlin
    assert [row for row in await stored(database) if row.kind == "due_soon"] == []


async def test_somebody_away_without_a_deputy_or_with_one_who_is_away_is_not_reminded(database: Database) -> None:
    await house(database)
    await log(database, due_time=time(15))
    async with database.unit(WORKSPACE) as session:
        span = {"today": TUESDAY, "now": MONDAY}
        await absences.add(session, "UBEN", TUESDAY, TUESDAY, deputy_id="UTANE", **span)
        await absences.add(session, "UTANE", TUESDAY, TUESDAY, deputy_id="UANA", **span)

    assert await sent(database, utc(TUESDAY, 13)) == []


async def test_the_channels_message_comes_once_a_day_and_follows_what_changes_that_day(database: Database) -> None:
    await house(database, channel_reminder=ChannelReminder.DUE_DAY)
    slack = RecordingSlack()
    await log(database, title="Order racks")
    await log(database, title="Ship racks", due_date=TUESDAY + DAY)

    early = await sent(database, utc(TUESDAY, 7, 59), slack)
    first = await sent(database, utc(TUESDAY, 8), slack)
    await change(database, 1, at=utc(TUESDAY, 10), due_date=TUESDAY + 5 * DAY)
    changed = await sent(database, utc(TUESDAY, 10), slack)
    again = await sent(database, utc(TUESDAY, 11), slack)
    await change(database, 1, at=utc(TUESDAY + DAY, 7), title="Ordered racks")
    day_after = await sent(database, utc(TUESDAY + DAY, 7, 30), slack)
    second = await sent(database, utc(TUESDAY + DAY, 8), slack)

    assert early == again == []
    assert first == ["postMessage CMOVE: Data centre move, Tue 3 Mar 2026: 1 due or overdue"]
    assert changed == ["update CMOVE: Data centre move: all that was due by Tue 3 Mar 2026 is settled."]
    assert day_after == [], "what stands there is of yesterday"
    assert second == ["postMessage CMOVE: Data centre move, Wed 4 Mar 2026: 1 due or overdue"]


async def test_nothing_due_no_message_and_after_downtime_only_todays(database: Database) -> None:
    """Monday's speaks of the weekend too; what was missed on days that have gone stays unsaid."""
    await house(database, channel_reminder=ChannelReminder.DUE_DAY)
    saturday = TUESDAY + 4 * DAY
    await log(database, title="Ship racks", due_date=saturday)

    nothing = await sent(database, utc(TUESDAY, 8))
    late = await sent(database, utc(saturday + 2 * DAY, 15, 59))
    tuesday = await sent(database, utc(saturday + 3 * DAY, 8))

    assert nothing == []
    assert late == ["postMessage CMOVE: Data centre move, Mon 9 Mar 2026: 1 due or overdue"]
    assert tuesday == [], "what is only overdue brings no message"


async def test_too_late_in_the_day_the_channel_is_left_in_peace(database: Database) -> None:
    await house(database, channel_reminder=ChannelReminder.DUE_DAY)
    await log(database)

    assert await sent(database, utc(TUESDAY, 16)) == []


async def test_what_slack_refuses_is_told_to_the_coordinator_once(database: Database) -> None:
    await house(database, channel_reminder=ChannelReminder.DUE_DAY)
    slack = RecordingSlack()
    await log(database)
    await sent(database, MONDAY, slack)
    slack.refuse(SlackPermanent("is_archived"), times=2, channel="CMOVE")

    await sent(database, utc(TUESDAY, 8), slack)
    await log(database, due_date=TUESDAY + DAY)
    await sent(database, utc(TUESDAY + DAY, 8), slack)

    told = [call.text for call in slack.to("UANA")]
    assert len(told) == 1
    assert "Data centre move" in told[0]
    assert "The channel is archived" in told[0]


async def test_while_nobody_coordinates_it_is_told_to_the_sponsor(database: Database) -> None:
    await house(database, channel_reminder=ChannelReminder.DUE_DAY, coordinator_id=None, sponsor_id="UBEN")
    await log(database)
    slack = RecordingSlack()
    slack.refuse(SlackPermanent("not_in_channel"), times=9, channel="CMOVE")

    await sent(database, utc(TUESDAY, 8), slack)

    assert [call.channel for call in slack.calls if "Invite me there" in call.text] == ["UBEN"]


async def test_a_channel_that_is_no_longer_the_projects_reads_nothing(database: Database) -> None:
    await house(database, channel_reminder=ChannelReminder.DUE_DAY)
    await log(database)
    async with database.unit(WORKSPACE) as session:
        found = await directory.channel(session, "CMOVE")
        assert found is not None
        found[0].project_id = None
        session.add(found[0])

    assert await sent(database, utc(TUESDAY, 8)) == []


async def test_a_look_at_the_clock_costs_what_is_due_and_not_what_is_stored(database: Database) -> None:
    await house(database, channel_reminder=ChannelReminder.DUE_DAY)
    for number in range(12):
        await log(database, due_time=time(15) if number % 2 else None, due_date=TUESDAY + (number // 4) * DAY)
    seen: list[str] = []
    engine = database.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    counts = []
    for at in (MONDAY, utc(TUESDAY, 13)):
        seen.clear()
        event.listen(engine, "before_cursor_execute", note)
        async with database.unit(WORKSPACE) as session:
            for job in JOBS:
                if job.id in ("due_soon", "channel_reminder"):
                    await job.run(session, at)
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len([each for each in seen if not each.startswith(("BEGIN", "PRAGMA"))]))

    assert counts[0] == 2, seen
    assert counts[1] <= 10, seen


async def test_what_moves_and_what_is_undone_is_planned_anew(database: Database) -> None:
    """A word before the due time of now: none of a record taken back, one of it brought back, by its new project."""
    await house(database)
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        other = await make_channel(session, "racks", members=["UANA", "UBEN"])
        away = await make_project(session, by=ana, channel=other)
        await projects.store(session, actor_of(ana), away, {"remind_before_minutes": 240}, via="test", now=MONDAY)
    await log(database, due_time=time(15))
    async with database.unit(WORKSPACE) as session:
        item, project = await operations.find(session, actor_of(await make_person(session)), ACTION, 1)
        before = item.record.remind_at
        to = await moves.to_channel(session, actor_of(ana), "CRACKS")
        await operations.move(session, actor_of(ana), item, project, to, now=MONDAY, via="test")
        moved = item.record.remind_at
        await undo(session, actor_of(ana), item, to.project, version=item.record.version, now=MONDAY)

    assert (before, moved) == (utc(TUESDAY, 13), utc(TUESDAY, 10))
    async with database.unit(WORKSPACE) as session:
        item, _ = await operations.find(session, actor_of(await make_person(session)), ACTION, 1)
        assert item.record.remind_at == before


async def test_an_archived_project_reminds_nobody(database: Database) -> None:
    await house(database, channel_reminder=ChannelReminder.DUE_DAY)
    await log(database, due_time=time(10))
    async with database.unit(WORKSPACE) as session:
        found = await directory.channel(session, "CMOVE")
        assert found is not None
        assert found[1] is not None
        await projects.archive(session, actor_of(await make_person(session)), found[1], now=MONDAY)

    assert await sent(database, utc(TUESDAY, 8)) == []
