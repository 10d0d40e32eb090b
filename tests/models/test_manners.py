"""What a person wants of the clock: quiet hours in their zone, so many nags a day, and silence about some records."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import col, select

from models import manners
from models.clock import zone_or_utc
from models.database import Database
from models.kinds.action import ACTION
from models.tables import Delivery, DeliveryState, Mute, Person, Record
from tests.support import NOW, WORKSPACE, make_person, make_record, make_workspace

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata"]
INSTANTS = st.integers(1_704_067_200, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
TIMES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
MINUTE = timedelta(minutes=1)


def a_person(zone: str = "Europe/Berlin", quiet: tuple[time, time] | None = None, **fields: Any) -> Person:
    quiet_from, quiet_until = quiet or (None, None)
    return Person(
        id="UANA",
        name="ana",
        real_name="Ana",
        timezone=zone,
        quiet_from=quiet_from,
        quiet_until=quiet_until,
        **fields,
    )


@given(at=INSTANTS, zone=st.sampled_from(ZONES), quiet=st.tuples(TIMES, TIMES))
def test_what_is_put_off_is_put_off_to_the_end_of_the_quiet_hours_and_no_further(
    at: datetime, zone: str, quiet: tuple[time, time]
) -> None:
    person = a_person(zone, quiet)

    found = manners.not_before(person, at)

    assert at <= found <= at + timedelta(hours=25)
    if found != at:
        assert manners.is_quiet(person, found - MINUTE)
        # A wall time that the clock change skips is moved forward by the gap, which is an hour at most.
        ends = datetime.combine(found.astimezone(zone_or_utc(zone)).date(), quiet[1], zone_or_utc(zone))
        assert timedelta() <= found - ends.astimezone(UTC) <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-02T20:59Z", "2026-03-02T20:59Z"),  # 21:59 in Berlin
        ("2026-03-02T21:00Z", "2026-03-03T06:00Z"),
        ("2026-03-02T23:30Z", "2026-03-03T06:00Z"),  # beyond midnight
        ("2026-03-03T06:00Z", "2026-03-03T06:00Z"),
        ("2026-03-28T23:00Z", "2026-03-29T05:00Z"),  # the night in which the clocks go forward
        ("2026-10-24T22:00Z", "2026-10-25T06:00Z"),  # and back
    ],
)
def test_quiet_hours_are_wall_time_and_may_lie_beyond_midnight(at: str, expected: str) -> None:
    person = a_person(quiet=(time(22), time(7)))

    assert manners.not_before(person, datetime.fromisoformat(at)) == datetime.fromisoformat(expected)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    lunch = a_person(quiet=(time(12), time(13, 30)))
    noon = datetime(2026, 3, 2, 11, tzinfo=UTC)

    assert manners.not_before(lunch, noon) == noon + timedelta(minutes=90)
    assert manners.not_before(a_person(), noon) == noon


async def nag(database: Database, number: int, at: datetime, **fields: Any) -> None:
    """A nag to Ana as the sender leaves it."""
    values: dict[str, Any] = {"state": DeliveryState.SENT, "is_nag": True, "target": "UANA"} | fields
    async with database.unit(WORKSPACE) as session:
        session.add(Delivery(kind="nag", dedupe_key=str(number), lane=str(number), due_at=at, **values))


async def test_so_many_nags_a_day_of_the_persons_own(database: Database) -> None:
    """Midnight is theirs; what is no nag, waits, or is somebody else's does not count."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session, timezone="Europe/Berlin", nags_a_day=2)
    midnight = datetime(2026, 3, 1, 23, tzinfo=UTC)
    await nag(database, 1, midnight - MINUTE)
    await nag(database, 2, midnight)
    await nag(database, 3, midnight, is_nag=False)
    await nag(database, 4, midnight, state=DeliveryState.DUE)
    await nag(database, 5, midnight, target="UBEN")
    async with database.unit(WORKSPACE) as session:
        first = await manners.may_nag(session, ana, midnight)
    await nag(database, 6, midnight + MINUTE, state=DeliveryState.SENDING)
    async with database.unit(WORKSPACE) as session:
        sending = (await session.exec(select(Delivery.id).where(col(Delivery.dedupe_key) == "6"))).one()
        assert first
        assert not await manners.may_nag(session, ana, midnight + timedelta(hours=23, minutes=59))
        assert await manners.may_nag(session, ana, midnight, asking=sending)
        assert not await manners.may_nag(session, ana, midnight, asking=(sending or 0) + 1)
        assert await manners.may_nag(session, ana, midnight + timedelta(days=1))


async def test_no_nag_in_quiet_hours(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        quiet = a_person("UTC", (time(8), time(10)))
        assert not await manners.may_nag(session, quiet, NOW)
        assert await manners.may_nag(session, quiet, NOW + timedelta(hours=1))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_nags_are_counted_by_their_index(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        seen: list[tuple[str, Any]] = []
        bind: Any = session.get_bind()
        event.listen(bind, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
        await manners.may_nag(session, a_person(), NOW)
        connection = await session.connection()
        statement, parameters = seen[-1]
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)

        assert "USING INDEX ix_delivery_nag" in " ".join(row[3] for row in plan)


async def test_a_muted_record_is_muted_for_one_person(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        loud, quiet = [await make_record(session, ACTION) for _ in range(2)]
        session.add(Mute(person_id="UANA", record_id=quiet.record.id, at=NOW))
        await session.flush()
        found = await session.exec(select(Record.id).where(manners.muted_by("UANA")))

        assert list(found) == [quiet.record.id]
        assert await manners.is_muted(session, "UANA", quiet.record.id or 0)
        assert not await manners.is_muted(session, "UANA", loud.record.id or 0)
        assert not await manners.is_muted(session, "UBEN", quiet.record.id or 0)
