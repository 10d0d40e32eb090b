"""The daily digest: at each person's own hour, once a working day, with buttons that work in place."""

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
from tests.scenarios.looking import Json, buttons, in_menu
from tests.scenarios.steps import owed, said

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
    """The digests this person got, oldest first, as they came."""
    return [text for message in person.app_messages() if "Good morning" in (text := shown(message))]


def latest(person: Driver) -> Json:
    """The digest that came last, as it is now."""
    return [each for each in person.app_messages() if "Digest settings" in shown(each)][-1]


async def press(house: House, person: Driver, word: str, reference: str, rest: str = "") -> str:
    """Press a button of a line in the latest digest, or choose it in the line's menu; what the digest says then."""
    message = latest(person)
    entry = f"digest:{word} {reference} {rest}"
    menu = next((value for value in in_menu(message) if value.startswith(entry)), None)
    if menu:
        await person.click(message, "more", menu)
    else:
        value = next(v for action, v in buttons(message) if f"{action} {v}".startswith(entry))
        await person.click(message, f"digest:{word}", value)
    await house.settled()
    return shown(latest(person))


async def log(house: House, title: str, owner: Driver, due: date) -> None:
    await house.sandbox.person("ana").command("#network", "/action", f"{title} @{owner.user.name} by {due.isoformat()}")
    await house.settled()


async def test_at_nine_of_their_own_morning_everybody_gets_one_digest(house: House) -> None:
    """Auckland, Kolkata, Berlin, New York: not a minute earlier, and nothing more that day."""
    everybody = [house.sandbox.person(name) for name in ("tane", "kavya", "ben", "ana")]
    first = today(house, everybody[0]) + timedelta(days=2)
    kavya = house.sandbox.person("kavya")
    for person in everybody:
        await log(house, f"Order racks for {person.user.name}", person, first)
    await kavya.command("#network", "/action", f"Call the carrier @ana by {first + timedelta(days=30)}")

    for person in everybody:
        await clock_at(house, person, first, 8, 59)
        before = mornings(person)[:]
        await clock_at(house, person, first, 9, 0)
        assert [each for each in before if "due today" in each] == []
        assert "1 due today" in mornings(person)[-1]
    counts = [len(mornings(person)) for person in everybody]
    await clock_at(house, everybody[-1], first, 14)

    assert [len(mornings(person)) for person in everybody[1:]] == counts[1:]
    for person in everybody:
        assert f"Order racks for {person.user.name}" in mornings(person)[-1]
        assert "Call the carrier" not in mornings(person)[-1]


async def in_a_digest(house: House, *titles: str) -> tuple[Driver, date]:
    """Ben at nine, with these due that day."""
    ben = house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    for title in titles:
        await log(house, title, ben, day)
    await clock_at(house, ben, day, 9)
    return ben, day


async def test_a_button_changes_the_line_in_place_and_undo_takes_it_back(house: House) -> None:
    """The message stays one; the channel's card follows; on a second device it is so already."""
    ben, day = await in_a_digest(house, "Order two racks", "Call the carrier", "Book the lift")
    count = len(ben.app_messages())

    # On two devices at the same moment.
    twice = [ben.click(latest(ben), "digest:tomorrow", f"A2 {day} due_date") for _ in range(2)]
    twice += [ben.click(latest(ben), "digest:step:done", f"A1 {day}") for _ in range(2)]
    await asyncio.gather(*twice)
    await house.settled()
    both = shown(latest(ben))
    polite = {shown(each.message) for each in ben.core.workspace.ephemerals if each.user == ben.id}
    week = await press(house, ben, "week", "A3")
    dates = [(await house.record(each))["due_date"] for each in ("A2", "A3")]
    undone = await press(house, ben, "undo", "A1")
    await ben.click(latest(ben), "show", "A3")
    await house.settled()
    details = shown(ben.core.workspace.ephemerals[-1].message)

    assert "1 of these still to do" in both
    assert "Order two racks\n✓ Done\nUndo" in both
    assert "Call the carrier\n✓ due date: Tue 25 Nov 2031 → Wed 26 Nov 2031\nUndo" in both
    assert "All of these are dealt with" in week
    assert dates == ["2031-11-26", "2031-12-01"]
    assert len(polite) == 2
    assert any("A1 is done already." in each for each in polite)
    assert "The due date of A2 is Wed 26 Nov 2031 already." in polite
    assert (await house.record("A1"))["status"] == "open"
    assert "Order two racks\nnetwork · Open · due today, Tue 25 Nov 2031" in undone
    assert "Book the lift" in details
    assert len(ben.app_messages()) == count
    assert any("Wed 26 Nov 2031" in shown(card) for card in house.sandbox.person("ana").messages("#network"))


@on_sqlite
async def test_another_date_not_me_and_never_again(house: House) -> None:
    """The forms say what is wrong beside the field; the reason goes to the history."""
    ben, day = await in_a_digest(house, "Order two racks", "Call the carrier", "Book the lift", "Paint the door")
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")

    await press(house, ben, "date", "A1")
    await ben.submit({"due_date": str(day - timedelta(days=1))})
    past = ben.form_errors
    await ben.submit({"due_date": str(day + timedelta(days=9)), "why_moved": "The vendor is late"})
    await house.settled()
    await press(house, ben, "pass", "A2")
    await ben.submit({"owner_id": kavya.id, "why": "Kavya knows them"})
    await house.settled()
    await press(house, ben, "pass", "A3")
    await ben.submit({"why": "I left that team"})
    await house.settled()
    told = [shown(each) for each in ana.app_messages() if "A3" in shown(each)]
    muted = await press(house, ben, "mute", "A4")
    await clock_at(house, ben, day + timedelta(days=1), 12)
    next_day = mornings(ben)[1:]
    await ben.command("#network", "/steward", "A2 history")

    assert past == {"due_date": "Mon 24 Nov 2031 is past. Choose today or a later day."}
    assert (await house.record("A1"))["due_date"] == "2031-12-04"
    assert [(await house.record(each))["owner"] for each in ("A2", "A3")] == [kavya.id, None]
    assert "Kavya knows them" in said(ben, "#network")
    assert "Ben Fischer says that A3 in network is not theirs. Nobody owns it now." in told[-1]
    assert "“I left that team”" in told[-1]
    assert "Paint the door\n:no_bell: You are not reminded of it any more\nRemind me again" in muted
    assert next_day == []


@on_sqlite
async def test_a_step_that_asks_for_something_opens_its_form_and_a_decision_its_own_answers(house: House) -> None:
    """A risk is closed for a reason; who decides may approve; what is looked at again holds for four weeks more."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    day = today(house, ana) + timedelta(days=1)
    await ana.command("#network", "/risk", f"The switch comes late @ana by {day}")
    await ben.command("#network", "/decision", "Use the second data centre")
    await ana.command("#network", "/risk", "")
    await ana.submit({"title": "Power may fail", "owner_id": ana.id})
    await ana.command("#network", "/steward", "R2 edit")
    await ana.click_view("more_fields")
    await house.settled()
    await ana.submit({"next_review": str(day)})
    await clock_at(house, ana, day, 9)

    came = mornings(ana)[-1]
    await press(house, ana, "step:close", "R1")
    await ana.submit({"closed_as": "mitigated"})
    await house.settled()
    still = await press(house, ana, "still", "R2")
    approved = await press(house, ana, "step:approve", "D1")

    assert "1 due today, 1 to review, 1 waiting for your decision" in came
    assert (await house.record("R1"))["status"] == "closed"
    assert "review date: Tue 25 Nov 2031 → Tue 23 Dec 2031" in still
    assert "All of these are dealt with" in approved
    assert "✓ Approved" in approved


@on_sqlite
async def test_a_person_sets_their_own_hour_quiet_hours_and_nags_and_sees_what_comes(house: House) -> None:
    """Faults stand beside their fields; what was muted is listed with the way back; the preview tells."""
    ben = house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    await log(house, "Order two racks", ben, day)
    await ben.command("#network", "/steward", "A1 mute")
    await ben.command("#network", "/steward", "digest")
    empty = said(ben, "#network")
    await ben.command("#network", "/steward", "me")
    listed = shown(ben.modal or {})
    await ben.click_view("unmute", "A1")
    await house.settled()
    left = shown(ben.modal or {})
    faults = []
    for typed in (
        {"digest_at": "23:00", "quiet_from": "22:00", "quiet_until": "07:00"},
        {"digest_at": "08:30", "quiet_from": "22:00", "quiet_until": None},
    ):
        await ben.submit(typed)
        faults.append(ben.form_errors)
    await ben.submit({"quiet_until": "07:00", "nags_a_day": "1"})
    await house.settled()
    saved = said(ben, "#network")
    await ben.command("#network", "/steward", "digest")
    full = said(ben, "#network")
    await clock_at(house, ben, day, 8, 29)
    before = [shown(each) for each in ben.app_messages() if "Good" in shown(each)]
    await clock_at(house, ben, day, 8, 30)
    came = [shown(each) for each in ben.app_messages() if "Good" in shown(each)]

    assert "Digest of Tue 25 Nov 2031: Nothing to do, so no message." in empty
    assert "A1  Order two racks" in listed
    assert "Order two racks" not in left
    assert faults == [
        {"digest_at": "Your digest would come in your quiet hours, 22:00 to 07:00. Choose a time outside them."},
        {"quiet_until": "Choose when your quiet hours end, or clear their beginning."},
    ]
    assert "Your next digest: Tue 25 Nov 2031, 08:30 Berlin time, if there is something to say." in saved
    assert "Digest of Tue 25 Nov 2031: 1 due today." in full
    assert before == []
    assert ["Good morning. 1 due today." in each for each in came] == [True]


@on_sqlite
async def test_whose_slack_profile_moves_gets_it_at_nine_of_the_new_zone(house: House) -> None:
    ben = house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    await log(house, "Order two racks", ben, day)
    await clock_at(house, ben, day, 8, 50)
    house.sandbox.change_person("ben", tz="America/New_York")
    await house.settled()

    await clock_at(house, ben, day, 8, 59)
    before = mornings(ben)
    await clock_at(house, ben, day, 9)

    assert before == []
    assert len(mornings(ben)) == 1


def next_change(zone: str, after: datetime) -> date:
    """The next day on which clocks change in the zone."""
    day = after.astimezone(ZoneInfo(zone)).date() + timedelta(days=3)
    while _offset(zone, day) == _offset(zone, day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


def _offset(zone: str, day: date) -> timedelta | None:
    return datetime.combine(day, time(0), ZoneInfo(zone)).utcoffset()


@on_sqlite
@pytest.mark.parametrize(("name", "zone"), [("ana", "America/New_York"), ("tane", "Pacific/Auckland")])
async def test_on_the_day_the_clocks_change_it_is_still_nine_and_once(database_url: str, name: str, zone: str) -> None:
    """In New York they go forward next, in Auckland back; both are Sundays, and their project works every day."""
    change = next_change(zone, START)
    starts = datetime.combine(change - timedelta(days=2), time(12), UTC)

    async with house_over_socket_mode(database_url, starts=starts) as house:
        owner = house.sandbox.person(name)
        await log(house, "Order two racks", owner, change)
        ana = house.sandbox.person("ana")
        await ana.command("#network", "/steward", "settings")
        await ana.click_view("more_settings")
        await house.settled()
        await ana.submit({"working_days": ["fri", "sat", "sun", "mon"]})
        await log(house, "Call the carrier", owner, change + timedelta(days=1))
        await clock_at(house, owner, change, 8, 59)
        before = len(mornings(owner))
        await clock_at(house, owner, change, 9)
        on_the_day = mornings(owner)[before:]
        await clock_at(house, owner, change + timedelta(days=1), 8, 59)
        during_the_day = mornings(owner)[before:]
        await clock_at(house, owner, change + timedelta(days=1), 9)

        assert ["due today" in each for each in on_the_day] == [True]
        assert during_the_day == on_the_day
        assert len(mornings(owner)) == before + 2


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
        assert "2 overdue, 1 due today" in message


async def test_two_workers_over_the_same_morning_send_one_message(house: House, database_url: str) -> None:
    """Neither knows of the other; the database does."""
    ben = house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    await log(house, "Order two racks", ben, day)
    slack = Slack(house.sandbox.bot_token, house.sandbox.api_url)
    other = Steward(Database(database_url, wait_ms=20_000), slack, clock=house.sandbox.clock, pace_seconds=0)
    await other.open()
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


@on_sqlite
async def test_who_takes_no_direct_messages_reads_so_in_their_home_until_one_arrives(house: House) -> None:
    """There is no other road to them, and it is nobody else's business."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    day = today(house, ben) + timedelta(days=1)
    await ana.command("#network", "/action", f"Order racks @ben by {day}")
    await house.settled()
    before = len(ana.app_messages())
    house.sandbox.fail("chat.postMessage", error="cannot_dm_bot", channel=ben.id)

    await clock_at(house, ben, day, 9)
    await ben.open_home()
    await house.settled()
    told = shown(ben.home)
    await clock_at(house, ben, day + timedelta(days=1), 9)
    await ben.open_home()
    await house.settled()

    assert "Slack has taken no direct message to you from me" in told
    assert len(ana.app_messages()) == before
    assert len(mornings(ben)) == 1
    assert "no direct message" not in shown(ben.home)
