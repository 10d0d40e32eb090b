"""When a weekly summary is due and what it speaks of: weekday and hour, holidays, clock changes, changed settings."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from models import projects, summaries
from models.database import Database
from models.permissions import actor_of
from models.recurrences import Occurrence
from models.tables import Delivery, Project
from tests.support import NOW, WORKSPACE, make_person, make_project, make_workspace

NEW_YEAR = datetime(2031, 1, 1, tzinfo=UTC)


def a_project(**fields: Any) -> Project:
    known = {"name": "move", "timezone": "Europe/Berlin", "coordinator_id": "UANA", "created_by": "UANA"}
    return Project(**(known | fields), home_channel_id="CMOVE", created_at=NEW_YEAR)


def a_year(project: Project) -> list[Occurrence]:
    """The summaries of the year, each found from the one before, as the clock finds them."""
    found, now = [], NEW_YEAR
    while (slot := summaries.coming(project, now)) and slot.day.year == 2031:
        found.append(slot)
        now = slot.at
    return found


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe"])
def test_it_is_the_same_weekday_and_hour_all_year_whatever_the_clocks_do(zone: str) -> None:
    slots = a_year(a_project(timezone=zone))

    assert len(slots) == 52
    assert {(slot.day.weekday(), slot.at.astimezone(ZoneInfo(zone)).time()) for slot in slots} == {(4, time(15))}


@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [
        ("Europe/Berlin", date(2031, 3, 30), "03:30 +0200"),
        ("Europe/Berlin", date(2031, 10, 26), "02:30 +0200"),
        ("America/New_York", date(2031, 3, 9), "03:30 -0400"),
        ("Pacific/Auckland", date(2031, 4, 6), "02:30 +1300"),
    ],
)
def test_an_hour_that_is_left_out_moves_forward_and_one_that_comes_twice_counts_once(
    zone: str, day: date, hour: str
) -> None:
    project = a_project(timezone=zone, summary_day="sun", summary_at=time(2, 30))

    slots = [slot for slot in a_year(project) if slot.day == day]

    assert [f"{slot.at.astimezone(ZoneInfo(zone)):%H:%M %z}" for slot in slots] == [hour]


def test_a_holiday_moves_it_to_the_working_day_before_and_so_its_preview() -> None:
    """Good Friday 2031 is 11 April; the Friday before Christmas is ordinary, the one after a holiday."""
    project = a_project(holiday_country="DE", days_off="2031-04-10")

    slots = {slot.day for slot in a_year(project)}
    before_easter = next(slot for slot in a_year(project) if slot.day == date(2031, 4, 9))

    assert date(2031, 4, 11) not in slots
    assert summaries.previewed_at(project, before_easter) == datetime(2031, 4, 8, 13, tzinfo=UTC)
    assert {date(2031, 12, 19), date(2031, 12, 24)} <= slots
    assert not {date(2031, 12, 25), date(2031, 12, 26)} & slots


def test_nothing_falls_between_two_summaries_and_nothing_into_both() -> None:
    """Not by a holiday that moves one, not by a week off that leaves one out, not by the clock change."""
    week_off = " ".join(str(date(2031, 8, 1) + timedelta(days=n)) for n in range(11))
    project = a_project(holiday_country="DE", holiday_subdivision="BY", days_off=week_off)
    slots = a_year(project)

    periods = [summaries.period_of(project, slot) for slot in slots]

    assert all(one.end == two.begin for one, two in pairwise(periods))
    assert [period.end for period in periods] == [slot.at for slot in slots]
    assert len(slots) == 51


def test_a_project_without_a_working_day_or_a_coordinator_has_none() -> None:
    every_day = " ".join(str(NEW_YEAR.date() + timedelta(days=n)) for n in range(200))

    assert summaries.next_at(a_project(days_off=every_day), NEW_YEAR) is None
    assert summaries.next_at(a_project(coordinator_id=None), NEW_YEAR) is None
    assert summaries.next_at(a_project(has_summary=False), NEW_YEAR) is None
    assert summaries.next_at(a_project(archived_at=NEW_YEAR), NEW_YEAR) is None


def test_the_clock_looks_at_a_project_for_the_preview_and_then_for_the_summary() -> None:
    project, now, looks = a_project(), NEW_YEAR, []
    for _ in range(4):
        now = summaries.next_at(project, now) or NEW_YEAR
        looks.append(now)

    assert [f"{at:%a %d %H}" for at in looks] == ["Thu 02 14", "Fri 03 14", "Thu 09 14", "Fri 10 14"]


def test_a_new_project_posts_nothing_that_its_coordinator_could_not_see_before() -> None:
    on_friday_noon = datetime(2031, 11, 28, 11, tzinfo=UTC)

    first = summaries.first_at(a_project(), on_friday_noon)

    assert first == datetime(2031, 12, 4, 14, tzinfo=UTC)


def test_a_week_is_seven_days_of_the_projects_own_clock() -> None:
    """Across the clock change, seven days are not 168 hours."""
    project, end = a_project(), datetime(2031, 4, 2, 13, tzinfo=UTC)

    period = summaries.week_until(project, end)

    assert end - period.begin == timedelta(hours=167)
    assert [slot.day for slot in islice(summaries.slots(project, end), 2)] == [date(2031, 4, 4), date(2031, 4, 11)]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_headline_goes_with_a_summary_that_the_settings_move_and_that_is_owed_once(database: Database) -> None:
    """From Friday 6 March to Thursday 5 March 2026; looked at a day too late, it is noted as missed."""
    friday, thursday = date(2026, 3, 6), date(2026, 3, 5)
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session)
        actor, project = actor_of(ana), await make_project(session, by=ana)
        await summaries.write_headline(session, actor, project, friday, "All waits for the switch", now=NOW)
        values = {"summary_day": "thu"}
        await projects.change_settings(session, actor, project, values, version=project.version, now=NOW)
        for now in (datetime(2026, 3, 5, 14, tzinfo=UTC), datetime(2026, 3, 5, 15, tzinfo=UTC)):
            await summaries.advance(session, project, now=now)
        await session.refresh(project)

        frame = await summaries.frame_of(session, project, thursday)
        kinds = [(owed.kind, owed.payload["day"]) for owed in await session.exec(select(Delivery))]
        await summaries.advance(session, project, now=datetime(2026, 3, 13, 20, tzinfo=UTC))
        after = await summaries.frame_of(session, project, date(2026, 3, 19))

    assert (frame.headline, frame.by) == ("All waits for the switch", ana.id)
    assert kinds == [("summary", str(thursday))]
    assert after.missed == [date(2026, 3, 12)]
