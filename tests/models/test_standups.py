"""The first round of a stand-up at everybody's own hour: no day is skipped on which nobody would be asked late."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, standups
from models.database import Database
from models.permissions import actor_of
from models.tables import Delivery, Person, Standup, StandupEntry, StandupReport, StandupRound
from tests.support import WORKSPACE, make_channel, make_person, make_project, make_workspace

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

NEW_YORK, LOS_ANGELES, AUCKLAND = "America/New_York", "America/Los_Angeles", "Pacific/Auckland"
LONDON = "Europe/London"
SUNDAY, MONDAY, TUESDAY = (date(2026, 3, day) for day in (15, 16, 17))
PLAN = standups.Plan(
    channel_id="CMOVE",
    name="Daily",
    questions=standups.CLASSIC,
    asks_mood=False,
    weekdays=range(5),
    every_weeks=1,
    at=time(9, 30),
    zone=None,
    window_minutes=180,
    nudge_minutes=0,
    participants=(),
    report=StandupReport.DIGEST,
    missing_to=None,
    makes_issues=False,
)


def clock(day: date, hour: int, minute: int = 0, zone: str = NEW_YORK) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(zone)).astimezone(UTC)


async def team(session: AsyncSession, zones: Sequence[str]) -> list[Person]:
    """People in these zones, all in the channel of the stand-up."""
    await make_workspace(session)
    people = [await make_person(session, f"p{number}", timezone=zone) for number, zone in enumerate(zones)]
    await make_channel(session, members=people)
    return people


async def set_up(session: AsyncSession, by: Person, now: datetime, plan: standups.Plan = PLAN) -> Standup:
    return await standups.create(session, actor_of(by), plan, today=SUNDAY, now=now)


async def rounds(session: AsyncSession) -> list[tuple[date, datetime]]:
    return [(each.day, each.opens_at) for each in await session.exec(select(StandupRound).order_by("id"))]


@pytest.mark.parametrize(
    ("zones", "now", "first"),
    [
        ([NEW_YORK, LOS_ANGELES], clock(SUNDAY, 19), MONDAY),
        ([NEW_YORK, LOS_ANGELES], clock(MONDAY, 9, 29), MONDAY),
        ([LOS_ANGELES, NEW_YORK], clock(MONDAY, 9, 30), TUESDAY),
        ([NEW_YORK, AUCKLAND], clock(SUNDAY, 19), TUESDAY),
        ([NEW_YORK, AUCKLAND], clock(SUNDAY, 16), MONDAY),
    ],
)
async def test_the_first_round_is_the_next_day_whose_hour_is_to_come_for_all_who_take_part(
    database: Database, zones: Sequence[str], now: datetime, first: date
) -> None:
    async with database.unit(WORKSPACE) as session:
        people = await team(session, zones)

        standup = await set_up(session, people[0], now)

    assert standup.next_day == first


async def test_whoever_is_not_chosen_holds_no_round_up(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana, _ = await team(session, [NEW_YORK, AUCKLAND])

        standup = await set_up(session, ana, clock(SUNDAY, 19), replace(PLAN, participants=[ana.id]))

    assert standup.next_day == MONDAY


@pytest.mark.parametrize(("has_project", "first"), [(True, MONDAY), (False, TUESDAY)])
async def test_where_nobody_is_known_the_projects_zone_decides(
    database: Database, has_project: bool, first: date
) -> None:
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session, timezone=NEW_YORK)
        channel = await make_channel(session, members=None)
        if has_project:
            await make_project(session, by=ana, channel=channel, timezone=NEW_YORK)

        standup = await set_up(session, ana, clock(SUNDAY, 19))

    assert standup.next_day == first


@pytest.mark.parametrize("zone", [NEW_YORK, "Pacific/Pago_Pago"])
async def test_that_round_waits_for_the_first_who_is_asked_and_no_day_after_it_is_lost(
    database: Database, zone: str
) -> None:
    """In Pago Pago half past nine of Monday comes after that of Tuesday on Kiritimati."""
    async with database.unit(WORKSPACE) as session:
        [ana] = await team(session, [zone])
        standup = await set_up(session, ana, clock(SUNDAY, 19, zone=zone))

        for minutes in (-1, 0, 24 * 60):
            await standups.advance(session, standup, now=clock(MONDAY, 9, 30, zone) + timedelta(minutes=minutes))
            if minutes == -1:
                assert await rounds(session) == [], "whoever changes it until then changes this round"
        held = await rounds(session)

    assert held[:2] == [(day, clock(day, 9, 30, zone)) for day in (MONDAY, TUESDAY)]


@pytest.mark.parametrize(
    ("zone", "asked"),
    [
        (LONDON, clock(MONDAY, 9, 30, LONDON)),
        (AUCKLAND, clock(SUNDAY, 21)),  # where that hour was on Sunday at 16:30 in New York
    ],
)
async def test_who_moves_before_the_first_round_is_asked_once_at_the_new_hour_or_at_once_where_it_has_passed(
    database: Database, zone: str, asked: datetime
) -> None:
    async with database.unit(WORKSPACE) as session:
        [ana] = await team(session, [NEW_YORK])
        standup = await set_up(session, ana, clock(SUNDAY, 19))
        ana.timezone = zone
        await session.flush()

        await standups.bring_forward(session, ana, clock(SUNDAY, 21))
        planned = standup.next_at
        for now in (asked, asked + timedelta(minutes=1), clock(MONDAY, 9, 30)):
            await standups.advance(session, standup, now=now)
        held = await rounds(session)

    assert planned == asked
    assert [each for each in held if each[0] == MONDAY] == [(MONDAY, asked)]


@pytest.mark.parametrize("zones", [["America/Toronto"], [LOS_ANGELES, NEW_YORK]], ids=["same hour", "there and back"])
async def test_who_moves_during_a_round_and_has_the_same_hour_is_asked_and_reminded_once(
    database: Database, zones: Sequence[str]
) -> None:
    async with database.unit(WORKSPACE) as session:
        [ana] = await team(session, [NEW_YORK])
        await set_up(session, ana, clock(SUNDAY, 19), replace(PLAN, at=time(9, 30), nudge_minutes=30))
        standup = (await session.exec(select(Standup))).one()
        await standups.open_round(session, standup, MONDAY, now=clock(MONDAY, 1))

        for zone in zones:
            ana.timezone = zone
            await session.flush()
            await standups.follow_moves(session, clock(MONDAY, 2))
        entry = (await session.exec(select(StandupEntry))).one()
        planned = [each for each in await session.exec(select(Delivery)) if each.kind.startswith("standup_")]

    asked = [each.kind for each in planned if each.payload["opens_at"] == entry.opens_at.isoformat()]
    assert sorted(asked) == ["standup_nudge", "standup_prompt"]
    assert entry.zone == ana.timezone


async def test_who_joins_where_the_hour_has_passed_is_asked_with_the_others(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        [ana] = await team(session, [NEW_YORK])
        standup = await set_up(session, ana, clock(SUNDAY, 19))
        tane = await make_person(session, "tane", timezone=AUCKLAND)
        await directory.joined(session, PLAN.channel_id, tane.id)

        await standups.advance(session, standup, now=clock(MONDAY, 9, 30))
        opened = list(await session.exec(select(StandupEntry.opens_at).order_by("person_id")))

    assert opened == [clock(MONDAY, 9, 30)] * 2


async def test_a_form_that_is_open_while_a_round_begins_can_be_saved(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        [ana] = await team(session, [NEW_YORK])
        standup = await set_up(session, ana, clock(SUNDAY, 19))
        version, now = standup.version, clock(MONDAY, 9, 31)
        await standups.advance(session, standup, now=now)

    async with database.unit(WORKSPACE) as session:
        standup, *_ = await standups.find(session, actor_of(ana), standup.id or 0)
        await standups.change(session, standup, replace(PLAN, name="Morning"), version=version, now=now)

    assert standup.next_day == TUESDAY


async def test_a_day_that_was_asked_about_already_is_not_the_next_one(database: Database) -> None:
    """Changed before its hour it is; run at once, and then paused and resumed, the day has had its round."""
    async with database.unit(WORKSPACE) as session:
        [ana] = await team(session, [NEW_YORK])
        standup = await set_up(session, ana, clock(SUNDAY, 19))
        now, version = clock(MONDAY, 8), standup.version
        await standups.change(session, standup, replace(PLAN, name="Morning"), version=version, now=now)
        changed, versions = standup.next_day, standup.version - version

        assert await standups.run_now(session, standup, today=MONDAY, now=now)
        await standups.pause(session, standup, now=now)
        await standups.pause(session, standup, now=now)

    assert (changed, versions) == (MONDAY, 1)
    assert standup.next_day == TUESDAY
