"""The clock of a workspace: wall time plus an offset that only grows."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox import SandboxError
from sandbox.clock import Clock, next_monday, next_morning

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def standing() -> Clock:
    """A clock over a wall that stands still."""
    return Clock(wall=lambda: START)


async def test_every_quarter_of_an_hour_is_told_and_the_end_too() -> None:
    clock, told = standing(), []

    async def note(now: datetime) -> None:
        told.append(now - START)

    clock.on_advance(note)
    await clock.advance(timedelta(minutes=40))

    assert told == [timedelta(minutes=minutes) for minutes in (15, 30, 40)]
    assert clock.now() == START + timedelta(minutes=40)


async def test_an_empty_span_is_skipped_when_everyone_says_when_they_are_due() -> None:
    clock, told = standing(), []
    due = START + timedelta(hours=5, minutes=7)

    async def note(now: datetime) -> datetime:
        told.append(now)
        return due if now < due else datetime.max.replace(tzinfo=UTC)

    clock.on_advance(note)
    await clock.advance(timedelta(days=10))

    assert told == [START + timedelta(minutes=15), due, START + timedelta(days=10)]


async def test_one_callback_without_a_hint_keeps_every_step() -> None:
    clock, told = standing(), []

    async def hints(now: datetime) -> datetime:
        return datetime.max.replace(tzinfo=UTC)

    async def silent(now: datetime) -> None:
        told.append(now)

    clock.on_advance(hints)
    clock.on_advance(silent)
    await clock.advance(timedelta(hours=2))

    assert len(told) == 8


async def test_the_clock_refuses_to_go_back_with_a_sentence() -> None:
    clock = standing()

    with pytest.raises(ValueError, match="only moves forward"):
        await clock.advance(timedelta(minutes=-1))
    with pytest.raises(SandboxError, match="its zone"):
        await clock.advance_to(datetime(2030, 1, 1))  # noqa: DTZ001 - a time without a zone is what is refused

    assert clock.now() == START


async def test_the_offset_stays_when_the_wall_clock_is_set_back() -> None:
    wall = [START]
    clock = Clock(wall=lambda: wall[0])
    await clock.advance(timedelta(hours=1))

    wall[0] = START - timedelta(minutes=10)
    await clock.advance(timedelta(minutes=5))

    assert clock.offset == timedelta(hours=1, minutes=5)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-03-02T08:00+00:00", "Europe/Berlin", "2026-03-03T08:00+00:00"),  # it is 09:00 there: strictly later
        ("2026-03-02T07:59+00:00", "Europe/Berlin", "2026-03-02T08:00+00:00"),
        ("2026-03-28T12:00+00:00", "Europe/Berlin", "2026-03-29T07:00+00:00"),  # the night clocks go forward
        ("2026-03-02T03:40+00:00", "Asia/Kolkata", "2026-03-03T03:30+00:00"),
        ("2026-03-02T19:00+00:00", "Pacific/Auckland", "2026-03-02T20:00+00:00"),
    ],
)
def test_morning_is_nine_in_the_persons_own_zone(now: str, zone: str, expected: str) -> None:
    assert next_morning(datetime.fromisoformat(now), zone) == datetime.fromisoformat(expected)


def test_next_monday_is_a_week_on_when_mondays_morning_has_begun() -> None:
    monday = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)

    assert next_monday(monday, "America/New_York") == datetime(2026, 3, 9, 13, 0, tzinfo=UTC)
