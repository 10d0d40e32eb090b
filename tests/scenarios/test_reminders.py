"""The clock speaks up before a due time, and in a project's channel: once, to whom it concerns, while it is true."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import Json, offered
from tests.scenarios.steps import owed

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

NEW_YORK = "America/New_York"


async def at(house: House, day: int, hour: int, minute: int = 0, zone: str = NEW_YORK) -> None:
    """Move the clock to that wall time of November 2031."""
    await house.sandbox.advance_to(datetime(2031, 11, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC))
    await house.settled()


async def log(person: Driver, house: House, *lines: str) -> None:
    for line in lines:
        await person.command("#network", "/action", line)
    await house.settled()


async def steward(person: Driver, house: House, words: str) -> None:
    await person.command("#network", "/steward", words)
    await house.settled()


async def settings(person: Driver, house: House, **fields: object) -> None:
    """Save the project's settings, those behind *More fields* too."""
    await person.command("#network", "/steward", "settings")
    await person.click_view("more_settings")
    await house.settled()
    if "holiday_country" in fields:
        await person.options("holiday_country", "united states")
    outcome = await person.submit(fields)
    assert outcome.ok, person.form_errors
    await house.settled()


def soon(person: Driver) -> list[Json]:
    """The reminders before a due time that this person got."""
    return [message for message in person.app_messages() if " is due at " in message["text"]]


def in_channel(house: House) -> list[str]:
    """The reminders that stand in the channel."""
    messages = house.sandbox.person("ana").messages("#network")
    return [shown(message) for message in messages if "bot_id" in message and "due or overdue" in message["text"]]


async def test_the_owner_is_reminded_once_an_hour_before_with_what_can_be_done(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(ana, house, "Call the supplier @ben by 2031-11-25 15:00")

    await at(house, 25, 13, 59)
    early = soon(ben)
    for minute in (0, 20, 59):
        await at(house, 25, 14, minute)
    [reminder] = soon(ben)
    await ben.click(reminder, "later:hour")
    await house.settled()
    moved = await house.record("A1")
    await at(house, 25, 15)

    assert early == []
    assert "A1 is due at 15:00 New York time, in 1 hour." in shown(reminder)
    assert offered(reminder) == ["step:done", "later:hour", "later:day", "show"]
    assert (moved["due_date"], moved["due_time"]) == ("2031-11-25", "16:00:00")
    assert len([row for row in await owed(house, "due_soon") if row.slack_ts]) == 2, "the new time is a new reminder"
    assert soon(ana) == []


async def test_an_old_reminder_is_not_sent_and_its_button_moves_nothing_twice(house: House) -> None:
    """Moved, closed or taken away before its moment, it stays silent; a stale button says how it is by now."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(
        ana,
        house,
        "Move me @ben by 2031-11-25 15:00",
        "Close me @ben by 2031-11-25 15:00",
        "Keep me @ben by 2031-11-25 15:30",
    )
    await steward(ana, house, "A1 by 2031-11-26 15:00")
    await steward(ana, house, "A2 done")

    await at(house, 25, 14, 45)
    [reminder] = soon(ben)
    await steward(ana, house, "A3 by 2031-11-28 10:00")
    await ben.click(reminder, "later:day")
    await house.settled()

    assert "A3" in reminder["text"]
    assert "is due Fri 28 Nov 2031, 10:00 New York time by now, so nothing was changed" in shown(
        ben.ephemerals("@Steward")[-1]
    )
    assert (await house.record("A3"))["due_date"] == "2031-11-28"
    await at(house, 26, 14)
    assert ["A1" in message["text"] for message in soon(ben)] == [False, True]


async def test_the_deputy_is_reminded_while_the_owner_is_away_and_never_of_what_they_may_not_see(house: House) -> None:
    ana, ben, tane = (house.sandbox.person(name) for name in ("ana", "ben", "tane"))
    await ana.invite("#steering", "steward")
    await log(ana, house, "Open to all @ben by 2031-11-25 15:00")
    await ana.command("#steering", "/action", "Secret talks @ben by 2031-11-25 15:00")
    await ben.command("#network", "/steward", "away 25 nov @tane")
    await house.settled()

    await at(house, 25, 14, 1)

    assert soon(ben) == []
    assert [message["text"].split(" is due")[0] for message in soon(tane)] == ["A1"]
    assert "Ben Fischer owns it and is away, and you stand in." in shown(soon(tane)[0])


async def test_the_channel_reads_what_is_due_once_a_day_and_the_message_follows_the_log(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(
        ana,
        house,
        "Call the supplier @ben by 2031-11-25",
        "Order racks @ben by 2031-11-26",
        "Label the racks by 2031-11-25",
        "Much later by 2031-12-20",
    )
    await settings(ana, house, channel_reminder="due_day")

    await at(house, 25, 8, 59)
    early = in_channel(house)
    await at(house, 25, 9)
    first = in_channel(house)
    await steward(ben, house, "A1 done")
    await log(ana, house, "Found this morning by 2031-11-25")
    second = in_channel(house)
    await at(house, 26, 9)
    await at(house, 27, 9)
    third = in_channel(house)

    assert early == []
    assert len(first) == len(second) == 1
    assert "network, Tue 25 Nov 2031: 2 due or overdue" in first[0]
    assert "Call the supplier" in first[0]
    assert "Order racks" not in first[0]
    assert "Ben Fischer" not in first[0], "nobody is named unless the project wants it"
    assert "Call the supplier" not in second[0]
    assert "Found this morning" in second[0]
    assert len(third) == 2, "on the 26th something was due, on the 27th nothing"
    assert "3 due or overdue" in third[1]
    assert "🔴 Overdue\nA3" in third[1].replace("  ", "\n").replace("\n\n", "\n")


async def test_a_weekly_reminder_skips_the_holiday_names_owners_if_wanted_and_pings_nobody(house: House) -> None:
    """Thursday the 27th is Thanksgiving: what comes on Thursdays comes on Friday."""
    ana = house.sandbox.person("ana")
    await log(ana, house, "Order racks @ben by 2031-12-02", "Ship racks by 2031-12-20")
    await settings(
        ana,
        house,
        channel_reminder="thursday",
        names_in_channel=["yes"],
        holiday_country="US",
    )

    await at(house, 27, 12)
    on_holiday = in_channel(house)
    await at(house, 28, 9)
    [weekly] = in_channel(house)
    await at(house, 29, 12)

    assert on_holiday == []
    assert "Order racks\n · due Tue 2 Dec 2031 · Ben Fischer" in weekly
    assert "Ship racks" not in weekly
    assert "<@" not in weekly
    assert in_channel(house) == [weekly]
