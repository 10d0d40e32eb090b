"""Recurrences against the calendar, and against an oracle that walks through time instead of computing it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from operator import itemgetter
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recurrences import BadRule, Occurrence, Recurrence, Rule, exists, instant_of

MONDAY = date(2031, 11, 24)
HALF_HOURS = tuple(time(minute // 60, minute % 60) for minute in range(0, 24 * 60, 30))
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)  # every zone changes its clock at a quarter of an hour, by quarters of an hour


def days(rule: Rule, count: int, since: date = MONDAY) -> list[str]:
    found = rule.dates(since)
    return [next(found).isoformat() for _ in range(count)]


def test_daily_is_every_day() -> None:
    assert days(Rule.daily(MONDAY), 3) == ["2031-11-24", "2031-11-25", "2031-11-26"]


def test_chosen_weekdays_come_in_their_order_whatever_the_order_of_choosing() -> None:
    assert days(Rule.weekly([4, 0, 4], MONDAY), 4) == ["2031-11-24", "2031-11-28", "2031-12-01", "2031-12-05"]


def test_every_second_week_counts_from_the_week_of_the_start() -> None:
    wednesday = MONDAY + timedelta(days=2)
    rule = Rule.weekly([0, 4], wednesday, every=2)

    assert days(rule, 4) == ["2031-11-28", "2031-12-08", "2031-12-12", "2031-12-22"]
    assert days(rule, 2, since=date(2032, 3, 1)) == ["2032-03-01", "2032-03-05"]


def test_the_thirty_first_is_the_last_day_of_shorter_months() -> None:
    rule = Rule.monthly_on_day(31, date(2031, 12, 1))

    assert days(rule, 5) == ["2031-12-31", "2032-01-31", "2032-02-29", "2032-03-31", "2032-04-30"]
    assert days(Rule.monthly_on_day(29, date(2033, 1, 1)), 3, date(2033, 1, 30)) == [
        "2033-02-28",
        "2033-03-29",
        "2033-04-29",
    ]


def test_a_weekday_of_the_month_is_counted_from_its_beginning_or_its_end() -> None:
    assert days(Rule.monthly_on_weekday(1, 0, MONDAY), 2) == ["2031-12-01", "2032-01-05"]
    assert days(Rule.monthly_on_weekday(-1, 4, MONDAY), 2) == ["2031-11-28", "2031-12-26"]


@given(
    day=st.integers(1, 31),
    start=st.dates(date(2024, 1, 1), date(2034, 12, 31)),
)
def test_a_day_of_the_month_comes_once_in_each_month(day: int, start: date) -> None:
    found = Rule.monthly_on_day(day, start).dates(start.replace(day=1))

    months = [(each.year, each.month) for each, _ in zip(found, range(30), strict=False)]

    assert len(set(months)) == len(months)
    first, last = months[0], months[-1]
    assert (last[0] - first[0]) * 12 + last[1] - first[1] == len(months) - 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: Rule.weekly([], MONDAY),
        lambda: Rule.weekly([0], MONDAY, every=0),
        lambda: Rule.monthly_on_day(32, MONDAY),
        lambda: Rule.monthly_on_weekday(5, 0, MONDAY),
        lambda: next(Rule("FREQ=SOMETIMES", MONDAY).dates(MONDAY)),
    ],
)
def test_a_rule_that_means_nothing_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(BadRule):
        make()


def test_skipped_dates_are_left_out_and_the_rule_goes_on() -> None:
    holiday = date(2031, 11, 27)
    weekdays = Recurrence(Rule.weekly(range(5), MONDAY), time(9), "America/New_York", lambda day: day == holiday)
    wednesday = weekdays.on(date(2031, 11, 26))

    following = weekdays.after(wednesday.at)

    assert following == Occurrence(date(2031, 11, 28), datetime(2031, 11, 28, 14, tzinfo=UTC))
    assert weekdays.latest(following.at - timedelta(seconds=1)) == wednesday
    assert weekdays.between(wednesday.at, following.at) == [following]


def test_a_rule_of_which_every_date_is_skipped_ends() -> None:
    never = Recurrence(Rule.daily(MONDAY), time(9), "Europe/Berlin", lambda day: True)

    assert never.after(BEGIN) is None
    assert never.latest(BEGIN) is None


def test_a_date_that_a_zone_left_out_has_no_occurrence() -> None:
    """Samoa had no 30 December 2011."""
    at_nine = Recurrence(Rule.daily(date(2011, 12, 1)), time(9), "Pacific/Apia")
    begin = datetime(2011, 12, 29, 0, tzinfo=UTC)

    assert not exists(date(2011, 12, 30), "Pacific/Apia")
    assert [each.day.day for each in at_nine.following(begin, 3)] == [29, 31, 1]


def walked(zone: str, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """(instant, local wall time) at every quarter of an hour of the span and a bit around it."""
    there, instant = ZoneInfo(zone), begin - timedelta(days=3)
    while instant < end + timedelta(days=3):
        yield instant, instant.astimezone(there).replace(tzinfo=None)
        instant += STEP


@cache
def changing_zones() -> dict[str, list[datetime]]:
    """One of each set of zones whose clocks show the same around every change of these years -> when they do change."""
    alike: dict[tuple[object, ...], str] = {}
    for zone in sorted(available_timezones()):
        shown = tuple(offsets(zone))
        if len(shown) > 1:
            alike.setdefault(shown, zone)
    return {zone: [instant for instant, _ in shown[1:]] for shown, zone in sorted(alike.items(), key=itemgetter(1))}


def offsets(zone: str) -> Iterator[tuple[datetime, object]]:
    """(instant, offset from then on) to the quarter of a day; no zone changes twice within a week."""
    there, shown, instant = ZoneInfo(zone), None, BEGIN
    while instant < END:
        week_later = instant + timedelta(days=7)
        if shown != week_later.astimezone(there).utcoffset():
            for quarter in range(0, 7 * 24, 6):
                look = instant + timedelta(hours=quarter)
                if shown != (offset := look.astimezone(there).utcoffset()):
                    shown = offset
                    yield look, offset
        instant = week_later


def oracle(zone: str, begin: datetime, end: datetime) -> dict[tuple[date, time], datetime]:
    """(local date, wall time) -> when the wall first showed it; where it never did, what the gap moves it to."""
    shown: dict[datetime, datetime] = {}
    jumps: list[tuple[datetime, datetime]] = []
    before = None
    for instant, wall in walked(zone, begin, end):
        shown.setdefault(wall, instant)
        if before is not None and wall - before > STEP:
            jumps.append((before + STEP, wall))
        before = wall
    found = {}
    for wall, instant in shown.items():
        found[wall.date(), wall.time()] = instant
    for gone, back in jumps:
        skipped = gone
        while skipped < back:
            found[skipped.date(), skipped.time()] = shown[skipped + (back - gone)]
            skipped += STEP
    return found


def test_many_ways_of_changing_the_clock_are_under_test() -> None:
    assert len(changing_zones()) > 20


def test_every_half_hour_of_every_day_comes_exactly_once_around_every_change_of_a_clock() -> None:
    """Five days before and after, each half hour of the day, in every zone that changes its clock."""
    for zone, changes in changing_zones().items():
        for change in changes:
            comes_exactly_once(zone, change - timedelta(days=5), change + timedelta(days=5), HALF_HOURS)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
def test_every_hour_and_a_half_of_every_day_comes_exactly_once_in_two_years(zone: str) -> None:
    comes_exactly_once(zone, BEGIN, END, HALF_HOURS[::3])


def comes_exactly_once(zone: str, begin: datetime, end: datetime, walls: Sequence[time]) -> None:
    """One occurrence per local date, at the instant that walking finds."""
    expected = oracle(zone, begin, end)
    for at in walls:
        found = Recurrence(Rule.daily(begin.date() - timedelta(days=5)), at, zone).between(begin, end)
        times_a_day: dict[date, int] = defaultdict(int)
        for occurrence in found:
            times_a_day[occurrence.day] += 1
            assert occurrence.at == expected[occurrence.day, at], (zone, at)
        assert set(times_a_day.values()) == {1}, (zone, at)
        # Every local date between the first and the last of them.
        assert len(found) == (found[-1].day - found[0].day).days + 1, (zone, at)
        assert len(found) >= (end - begin).days - 1


@given(
    zone=st.sampled_from(list(changing_zones())),
    instant=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    at=st.times().map(lambda at: at.replace(tzinfo=None)),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
)
def test_the_next_one_is_later_the_latest_is_not_and_nothing_lies_between(
    zone: str, instant: datetime, at: time, weekdays: set[int]
) -> None:
    weekly = Recurrence(Rule.weekly(weekdays, date(2025, 1, 1)), at, zone)

    before, after = weekly.latest(instant), weekly.after(instant)

    assert before is not None
    assert after is not None
    assert before.at <= instant < after.at
    assert weekly.between(before.at, after.at) == [after]
    assert instant_of(after.day, at, zone) == after.at
