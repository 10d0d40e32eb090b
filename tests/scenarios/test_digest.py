"""At 09:00 of the owner's own morning, on the day something is due: one message, and no second one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.assemble import Slack, Steward
from models.database import Database
from sandbox.driver import Driver
from tests.scenarios.house import START, House, house_over_socket_mode, shown
from tests.scenarios.looking import buttons
from tests.scenarios.steps import owed

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def today(house: House, person: Driver) -> date:
    """The calendar day it is for this person."""
    return house.sandbox.clock.now().astimezone(ZoneInfo(person.user.tz)).date()


def instant(person: Driver, day: date, hour: int, minute: int = 0) -> datetime:
    """That wall time in the person's zone."""
    return datetime.combine(day, time(hour, minute), ZoneInfo(person.user.tz)).astimezone(UTC)


async def clock_at(house: House, person: Driver, day: date, hour: int, minute: int = 0) -> None:
    """Move the clock to that wall time of the person, and see everything out."""
    await house.sandbox.advance_to(instant(person, day, hour, minute))
    await house.settled()


def mornings(person: Driver) -> list[str]:
    """The morning messages this person got, oldest first."""
    return [text for message in person.app_messages() if "Good morning" in (text := shown(message))]


async def log(house: House, title: str, owner: Driver, due: date) -> None:
    await house.sandbox.person("ana").command("#network", "/action", f"{title} @{owner.user.name} by {due.isoformat()}")
    await house.settled()


@pytest.mark.parametrize("name", ["ana", "ben", "kavya", "tane"])
async def test_at_nine_of_their_own_morning_the_owner_gets_one_message_with_due_and_overdue(
    house: House, name: str
) -> None:
    """New York, Berlin, Kolkata, Auckland: not a minute earlier, and nothing more that day."""
    owner = house.sandbox.person(name)
    first = today(house, owner) + timedelta(days=3)
    await log(house, "Order two racks", owner, first)
    await log(house, "Call the carrier", owner, first + timedelta(days=1))

    await clock_at(house, owner, first, 8, 59)
    before = mornings(owner)
    await clock_at(house, owner, first, 9, 0)
    on_the_day = mornings(owner)
    await clock_at(house, owner, first + timedelta(days=1), 8, 59)
    during_the_day = mornings(owner)
    await clock_at(house, owner, first + timedelta(days=1), 9, 0)
    next_day = mornings(owner)
    await clock_at(house, owner, first + timedelta(days=4), 12)

    assert before == []
    assert len(on_the_day) == len(during_the_day) == 1
    assert "Order two racks" in on_the_day[0]
    assert "Call the carrier" not in on_the_day[0]
    assert len(next_day) == 2
    assert "1 due today, 1 overdue" in next_day[1]
    assert next_day[1].index("Call the carrier") < next_day[1].index("Order two racks")
    assert mornings(owner) == next_day


async def test_the_buttons_of_the_message_work_and_it_is_drawn_anew(house: House) -> None:
    """What is done stays to be seen, without its button; the channel's card follows."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=2)
    await log(house, "Order two racks", ben, day)
    await log(house, "Call the carrier", ben, day)
    await clock_at(house, ben, day, 9)
    message = ben.app_messages()[-1]

    await ben.click(message, "step:done", "A1")
    await house.settled()
    (after,) = mornings(ben)
    await ben.click(ben.app_messages()[-1], "edit", "A2")
    await ben.submit({"title": "Call both carriers"})
    await house.settled()

    assert (await house.record("A1"))["status"] == "done"
    assert (await house.record("A2"))["title"] == "Call both carriers"
    assert "Order two racks\nnetwork · Done" in after
    assert "Call the carrier\nnetwork · Open" in after
    assert [value for action, value in buttons(ben.app_messages()[-1]) if action == "step:done"] == ["A2"]
    assert any("Done" in shown(card) and "Order two racks" in shown(card) for card in ana.messages("#network"))


def next_change(zone: str, after: datetime) -> date:
    """The next day on which clocks change in the zone."""
    day = after.astimezone(ZoneInfo(zone)).date() + timedelta(days=3)
    while _offset(zone, day) == _offset(zone, day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


def _offset(zone: str, day: date) -> timedelta | None:
    return datetime.combine(day, time(0), ZoneInfo(zone)).utcoffset()


@on_sqlite
@pytest.mark.parametrize(
    ("name", "zone"), [("ana", "America/New_York"), ("ben", "Europe/Berlin"), ("tane", "Pacific/Auckland")]
)
async def test_on_the_day_the_clocks_change_it_is_still_nine_and_once(database_url: str, name: str, zone: str) -> None:
    """The next such day of the zone, in whichever direction."""
    change = next_change(zone, START)
    starts = datetime.combine(change - timedelta(days=2), time(12), UTC)

    async with house_over_socket_mode(database_url, starts=starts) as house:
        owner = house.sandbox.person(name)
        await log(house, "Order two racks", owner, change)
        await log(house, "Call the carrier", owner, change + timedelta(days=1))
        await clock_at(house, owner, change, 8, 59)
        before = mornings(owner)
        await clock_at(house, owner, change, 9)
        on_the_day = mornings(owner)
        await clock_at(house, owner, change + timedelta(days=1), 9)

        assert before == []
        assert len(on_the_day) == 1
        assert len(mornings(owner)) == 2


async def test_what_was_logged_after_nine_is_not_reminded_of_that_day(house: House) -> None:
    """Its owner heard of it a moment ago."""
    ben = house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    await clock_at(house, ben, day, 9, 30)

    await log(house, "Order two racks", ben, day)
    await clock_at(house, ben, day + timedelta(days=1), 12)

    assert mornings(ben) == []


async def test_what_was_closed_or_removed_before_nine_is_not_reminded_of(house: House) -> None:
    """Nor what has another owner by then."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    day = today(house, ben) + timedelta(days=2)
    for title in ("Order two racks", "Call the carrier", "Book the lift"):
        await log(house, title, ben, day)

    await ana.click(ana.ephemerals("#network")[1], "undo")
    await ana.command("#network", "/steward", "A1 done")
    await ana.command("#network", "/steward", "A3 edit")
    await ana.submit({"owner_id": kavya.id})
    await clock_at(house, ben, day, 20)

    assert mornings(ben) == []
    assert len(mornings(kavya)) == 1


async def test_overdue_alone_is_no_reason_for_a_message(house: House) -> None:
    """Nothing due, nothing sent; and nothing without an owner."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    await log(house, "Order two racks", ben, day)
    await ana.command("#network", "/action", f"Call the carrier by {day + timedelta(days=2)}")
    await clock_at(house, ben, day, 9)

    await clock_at(house, ben, day + timedelta(days=4), 12)

    assert len(mornings(ben)) == 1
    assert mornings(ana) == []


@on_sqlite
async def test_what_is_closed_while_slack_is_busy_is_not_reminded_of_any_more(house: House) -> None:
    """The message is drawn when it is sent."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    await log(house, "Order two racks", ben, day)
    house.sandbox.fail("chat.postMessage", retry_after=1, channel=ben.id)
    await clock_at(house, ben, day, 9)

    await ana.command("#network", "/steward", "A1 done")
    await clock_at(house, ben, day, 12)

    assert mornings(ben) == []
    assert [row.state for row in await owed(house, "morning")] == ["cancelled"]


@asynccontextmanager
async def reopened(database_url: str, keep: Path) -> AsyncIterator[House]:
    """The same workspace and database as before, in a Steward that starts now."""
    async with house_over_socket_mode(database_url, keep=keep) as house:
        yield house


async def test_a_restart_around_nine_sends_the_message_once(database_url: str, tmp_path: Path) -> None:
    """Stopped before nine, started after it; stopped and started again."""
    keep = tmp_path / "kept"
    async with reopened(database_url, keep) as house:
        ben = house.sandbox.person("ben")
        day = today(house, ben) + timedelta(days=1)
        await log(house, "Order two racks", ben, day)
        await clock_at(house, ben, day, 8, 50)

    async with reopened(database_url, keep) as house:
        ben = house.sandbox.person("ben")
        before = mornings(ben)
        await clock_at(house, ben, day, 14)
        after = mornings(ben)

    async with reopened(database_url, keep) as house:
        ben = house.sandbox.person("ben")
        await clock_at(house, ben, day, 15)
        await house.steward.runner.tick()
        await house.settled()

        assert before == []
        assert len(after) == 1
        assert mornings(ben) == after


@on_sqlite
async def test_after_days_of_downtime_only_the_newest_morning_is_told(database_url: str, tmp_path: Path) -> None:
    """Late is better than never, a burst is not; what was missed is listed as overdue."""
    keep = tmp_path / "kept"
    async with reopened(database_url, keep) as house:
        ben = house.sandbox.person("ben")
        day = today(house, ben) + timedelta(days=1)
        for number, title in enumerate(("Order two racks", "Call the carrier", "Book the lift")):
            await log(house, title, ben, day + timedelta(days=number))
        house.sandbox.clock._callbacks.clear()
        await house.sandbox.advance_to(instant(ben, day, 8))
        # From here on nobody is there.
        await house.steward.stop()
        await house.sandbox.advance_to(instant(ben, day + timedelta(days=2), 15))

    async with reopened(database_url, keep) as house:
        ben = house.sandbox.person("ben")
        await house.steward.runner.tick()
        await house.settled()

        (message,) = mornings(ben)
        assert "1 due today, 2 overdue" in message


async def test_two_workers_over_the_same_morning_send_one_message(house: House, database_url: str) -> None:
    """Neither knows of the other; the database does."""
    ben = house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    await log(house, "Order two racks", ben, day)
    slack = Slack(house.sandbox.bot_token, house.sandbox.api_url)
    other = Steward(Database(database_url, wait_ms=20_000), slack, clock=house.sandbox.clock, pace_seconds=0)
    await other.meet()
    both = (house.steward, other)

    async def together(_now: datetime) -> datetime | None:
        for _ in range(2):
            await asyncio.gather(*(each.runner.tick() for each in both))
            await asyncio.gather(*(each.sender.drain() for each in both))
        return await house.steward.runner.next_due()

    house.sandbox.clock._callbacks.clear()
    house.sandbox.on_advance(together)
    await clock_at(house, ben, day, 9, 30)
    await other.stop()

    assert len(mornings(ben)) == 1
    assert len(await owed(house, "morning")) == 1
