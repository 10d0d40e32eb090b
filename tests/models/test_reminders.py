"""When the clock speaks up about due dates, as pure rules of a project's calendar."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import reminders
from models.tables import ChannelReminder, Project, Record
from models.working_days import is_working_day

NOW = datetime(2031, 11, 24, 14, tzinfo=UTC)  # a Monday


def project(**fields: Any) -> Project:
    defaults = {"name": "Move", "timezone": "Europe/Berlin", "created_by": "U1", "home_channel_id": "C1"}
    return Project(**(defaults | {"created_at": NOW} | fields))


def record(due_date: date | None, due_time: time | None, **fields: Any) -> Record:
    made = {"kind": "action", "number": 1, "title": "Order", "status": "open", "channel_id": "C1", "project_id": 1}
    made |= {"raised_by": "U1", "created_at": NOW, "updated_at": NOW}
    return Record(**(made | {"due_date": due_date, "due_time": due_time} | fields))


@pytest.mark.parametrize(
    ("zone", "day", "due", "reminded"),
    [
        ("Europe/Berlin", date(2031, 11, 28), time(15), "2031-11-28T13:00+00:00"),
        # 02:30 does not exist on the night of the change and is 03:30; an hour before that is an hour on the clock.
        ("Europe/Berlin", date(2032, 3, 28), time(2, 30), "2032-03-28T00:30+00:00"),
        # 02:30 comes twice: the first pass counts.
        ("Europe/Berlin", date(2032, 10, 31), time(2, 30), "2032-10-30T23:30+00:00"),
        ("Pacific/Auckland", date(2031, 11, 28), time(0, 15), "2031-11-27T10:15+00:00"),
    ],
)
def test_the_reminder_comes_an_hour_before_the_projects_wall_time(
    zone: str, day: date, due: time, reminded: str
) -> None:
    assert reminders.remind_at(record(day, due), project(timezone=zone)) == datetime.fromisoformat(reminded)


def test_nobody_is_reminded_without_a_time_of_a_closed_record_or_where_the_project_does_not_want_it() -> None:
    friday = date(2031, 11, 28)

    assert reminders.remind_at(record(friday, None), project()) is None
    assert reminders.remind_at(record(friday, time(15), is_open=False), project()) is None
    assert reminders.remind_at(record(friday, time(15)), project(remind_before_minutes=0)) is None


def test_what_becomes_due_within_the_hour_was_only_just_said() -> None:
    soon, later = record(NOW.date(), time(15, 30)), record(NOW.date(), time(16, 30))

    for each in (soon, later):
        reminders.plan(each, project(), NOW)

    assert soon.remind_at is None
    assert later.remind_at == datetime(2031, 11, 24, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"channel_reminder": ChannelReminder.DUE_DAY}, ["11-25", "11-26", "11-27", "11-28", "12-01"]),
        ({"channel_reminder": ChannelReminder.MONDAY}, ["12-01", "12-08"]),
        # Thanksgiving, the 27th, is free: what comes on Thursdays comes on Friday that week.
        ({"channel_reminder": ChannelReminder.THURSDAY, "holiday_country": "US"}, ["11-28", "12-04"]),
        ({"channel_reminder": ChannelReminder.DUE_DAY, "working_days": "sun mon tue wed thu"}, ["11-25", "11-26"]),
        ({"channel_reminder": ChannelReminder.FRIDAY, "days_off": "2031-11-28 2031-12-01"}, ["12-02", "12-05"]),
    ],
)
def test_the_channel_is_reminded_on_working_days(fields: dict[str, Any], days: list[str]) -> None:
    at, found = NOW, []
    for _ in days:
        following = reminders.next_in_channel(project(**fields), at)
        assert following is not None
        at = following
        found.append(f"{at.astimezone(ZoneInfo('Europe/Berlin')):%m-%d %H:%M}")

    assert found == [f"{day} 09:00" for day in days]


def test_the_channel_is_not_reminded_where_it_is_off_or_the_project_closed_or_never_at_work() -> None:
    daily = {"channel_reminder": ChannelReminder.DUE_DAY}

    assert reminders.next_in_channel(project(), NOW) is None
    assert reminders.next_in_channel(project(**daily, archived_at=NOW), NOW) is None
    assert reminders.next_in_channel(project(**daily, working_days=""), NOW) is None


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    wants=st.sampled_from(list(ChannelReminder)[1:]),
    minutes=st.integers(0, 2 * 366 * 24 * 60),
)
def test_every_reminder_in_a_channel_is_at_nine_on_a_working_day_and_none_comes_twice(
    zone: str, wants: ChannelReminder, minutes: int
) -> None:
    """Over both clock changes, from whatever moment one looks; a weekly one comes once in each seven days."""
    plan = project(timezone=zone, channel_reminder=wants, holiday_country="DE")
    first = reminders.next_in_channel(plan, NOW + timedelta(minutes=minutes))
    assert first is not None
    second = reminders.next_in_channel(plan, first)
    assert second is not None

    local, after = (at.astimezone(ZoneInfo(zone)) for at in (first, second))
    assert (local.hour, local.minute) == (9, 0)
    assert is_working_day(plan, local.date())
    assert reminders.todays_in_channel(plan, first) == first
    assert local.date() < after.date()
    if wants.weekday is not None:
        assert (after.date() - local.date()).days >= 2
