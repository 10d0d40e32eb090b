"""Days away as people type them: read in their own calendar, and asked about where they could mean anything else."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.dates import MONTH_NAMES, DateOrder
from models.errors import DateProblem
from models.spans import HALF_A_YEAR, Span, read_span

BERLIN = ZoneInfo("Europe/Berlin")
THURSDAY = datetime(2031, 11, 27, 12, tzinfo=BERLIN)

zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "Pacific/Kiritimati"])
moments = st.integers(0, 16 * 365 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def read(typed: str, now: datetime = THURSDAY, zone: ZoneInfo = BERLIN) -> Span:
    return read_span(typed, now=now, zone=zone, order=DateOrder.DMY, locale="en-GB")


def days(first: str, last: str) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("today", days("2031-11-27", "2031-11-27")),
        ("friday", days("2031-11-28", "2031-11-28")),
        ("until friday", days("2031-11-27", "2031-11-28")),
        ("1 dec - 5 dec", days("2031-12-01", "2031-12-05")),
        ("from 1 dec to 5 dec", days("2031-12-01", "2031-12-05")),
        ("1-5 dec", days("2031-12-01", "2031-12-05")),
        ("dec 1-5", days("2031-12-01", "2031-12-05")),
        ("1.12.-5.12.", days("2031-12-01", "2031-12-05")),
        ("2031-12-01 - 2031-12-05", days("2031-12-01", "2031-12-05")),
        ("30 dec - 3 jan", days("2031-12-30", "2032-01-03")),
        ("monday - friday", days("2031-12-01", "2031-12-05")),
        ("mon-fri", days("2031-12-01", "2031-12-05")),
        ("tomorrow for 3 days", days("2031-11-28", "2031-11-30")),
        ("for a week", days("2031-11-27", "2031-12-03")),
        ("3 days", days("2031-11-27", "2031-11-29")),
        ("the next 2 weeks", days("2031-11-27", "2031-12-10")),
        ("in 3 days", days("2031-11-30", "2031-11-30")),
        ("nxt week", days("2031-12-01", "2031-12-07")),
        ("this week", days("2031-11-27", "2031-11-30")),
        ("next week", days("2031-12-01", "2031-12-07")),
    ],
)
def test_days_are_read_as_people_type_them(typed: str, meant: Span) -> None:
    assert read(typed) == meant


@pytest.mark.parametrize("typed", ["24 nov - 28 nov", "24-28 nov", "2031-11-24 to 2031-11-28"])
def test_whoever_is_away_already_is_away_from_today_on(typed: str) -> None:
    """The 24th is past, and the one to come is next year's, which nobody means."""
    assert read(typed) == days("2031-11-27", "2031-11-28")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "the beach",
        "from 1 dec",
        "friday 3pm",
        "5 dec - 1 dec",
        "2031-12-05 - 2031-12-01",
        "1 dec - 5 dec - 9 dec",
        "31 feb",
        "until",
        "for 500 days",
        "2031-11-01",
    ],
)
def test_what_may_mean_anything_else_is_asked_about(typed: str) -> None:
    """The sentence says what to type instead."""
    with pytest.raises(DateProblem, match="Try “"):
        read(typed)


@given(now=moments, zone=zones, ahead=st.integers(0, 400), length=st.integers(0, 364))
def test_days_in_full_are_read_as_they_stand(now: datetime, zone: str, ahead: int, length: int) -> None:
    first = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=ahead)
    last = first + timedelta(days=length)

    assert read(f"{first} - {last}", now, ZoneInfo(zone)) == Span(first, last)


@given(now=moments, zone=zones, ahead=st.integers(0, 150), length=st.integers(0, 120))
def test_days_without_a_year_are_the_next_ones(now: datetime, zone: str, ahead: int, length: int) -> None:
    """Whatever year they lie in, and whichever of the zone's days it is."""
    first = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=ahead)
    last = first + timedelta(days=length)
    typed = f"{first.day} {MONTH_NAMES[first.month - 1]} - {last.day} {MONTH_NAMES[last.month - 1]}"

    assert read(typed, now, ZoneInfo(zone)) == Span(first, last)


DAYS = st.sampled_from(
    ["today", "tomorrow", "monday", "friday", "24 nov", "the 3rd", "end of month", "in 2 weeks", "blue"]
)


@given(now=moments, first=DAYS, between=st.sampled_from([" - ", " to ", "-", " until ", " for 3 days"]), last=DAYS)
def test_no_words_give_days_that_are_past_or_backwards(now: datetime, first: str, between: str, last: str) -> None:
    """They are refused, or they are days to come in their order."""
    today = now.astimezone(BERLIN).date()
    try:
        span = read(first + between + ("" if "for" in between else last), now)
    except DateProblem:
        return

    assert today <= span.first <= span.last <= span.first + HALF_A_YEAR
