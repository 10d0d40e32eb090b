"""Nobody says a word about something that matters: who is asked, when, once, and what ends it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from bot.assemble import Slack, Steward
from models import projects
from models.database import Database
from models.permissions import Actor, Standing
from models.tables import Project
from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answered, buttons, card
from tests.scenarios.steps import owed, said

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

# The sandbox begins on Monday 24 November 2031. Kavya coordinates #network, from Kolkata; Ben sits in Berlin.
TUESDAY, THURSDAY = date(2031, 11, 25), date(2031, 11, 27)
MONDAY, WEDNESDAY, FRIDAY = date(2031, 12, 1), date(2031, 12, 3), date(2031, 12, 5)


async def log(house: House, words: str, *, kind: str = "action", by: str = "kavya") -> None:
    await house.sandbox.person(by).command("#network", f"/{kind}", words)
    await house.settled()


async def clock_at(house: House, person: Driver, day: date, hour: int, minute: int = 0) -> None:
    """Move the clock to that wall time of the person, and see everything out."""
    local = datetime.combine(day, time(hour, minute), ZoneInfo(person.user.tz))
    await house.sandbox.advance_to(local.astimezone(UTC))
    await house.settled()


async def set_project(house: House, **values: Any) -> None:
    """Change settings of the one project, as its coordinator does."""
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        project = (await session.exec(select(Project))).one()
        admin = Actor(house.sandbox.person("kavya").id, Standing.MEMBER, is_admin=True)
        now = house.sandbox.clock.now()
        await projects.change_settings(session, admin, project, values, version=project.version, now=now)


def asks(person: Driver) -> list[str]:
    """The messages by which this person was asked, oldest first."""
    return [text for message in person.app_messages() if "Could you have a look at" in (text := shown(message))]


def asking(person: Driver) -> dict[str, Any]:
    """The latest of them."""
    return next(each for each in reversed(person.app_messages()) if "Could you have a look at" in shown(each))


async def history(house: House, reference: str) -> list[str]:
    return [
        row["note"] for row in (await house.export()).history if row.get("reference") == reference and row.get("note")
    ]


def people(house: House) -> Sequence[Driver]:
    return [house.sandbox.person(name) for name in ("ben", "kavya", "ana")]


async def test_it_climbs_from_the_owner_to_the_coordinator_and_the_sponsor_and_stops(house: House) -> None:
    """Two working days each, at nine in their own morning, over a weekend; each step stands in the history."""
    ben, kavya, ana = people(house)
    await log(house, "Order two racks @ben by 2031-11-25")
    await set_project(house, sponsor_id=ana.id)

    await clock_at(house, ben, THURSDAY, 8, 59)
    before = asks(ben)
    await clock_at(house, ben, THURSDAY, 9)
    (to_owner,) = asks(ben)
    await clock_at(house, kavya, MONDAY, 8, 59)
    too_early = asks(kavya)
    await clock_at(house, kavya, MONDAY, 9)
    (to_coordinator,) = asks(kavya)
    on_card = shown(card(kavya, "A1"))
    await clock_at(house, ana, WEDNESDAY, 9)
    (to_sponsor,) = asks(ana)
    await clock_at(house, ana, FRIDAY, 9)

    assert before == too_early == []
    assert "A1 “Order two racks” was due Tue 25 Nov 2031, and there has been no word since." in to_owner
    assert "Its owner Ben Fischer was asked on Thu 27 Nov 2031." in to_coordinator
    assert "Escalated to the coordinator on Mon 1 Dec 2031." in on_card
    assert "was asked on Mon 1 Dec 2031. Could you see to it?" in to_sponsor
    assert [len(asks(person)) for person in (ben, kavya, ana)] == [1, 1, 1]
    told = await history(house, "A1")
    assert [line.split(":")[0] for line in told] == [
        "asked Ben Fischer (owner)",
        "asked Kavya Rao (coordinator)",
        "asked Ana Torres (sponsor)",
        "Nobody is left to ask. It waits for an answer, or for somebody who can be asked.",
    ]
    await kavya.command("#network", "/steward", "A1 history")
    assert "asked Ben Fischer (owner): A1 “Order two racks” was due Tue 25 Nov 2031" in answered(kavya)


async def test_any_answer_ends_it_and_only_what_has_none_is_brought_to_the_next_one(house: House) -> None:
    """A comment, a date, another owner, a reason to wait, a button, done: by whoever; one record is left alone."""
    ben, kavya, ana = people(house)
    lines = "\n".join(f"Order rack {n} @ben by 2031-11-25" for n in range(1, 8))
    await kavya.command("#network", "/steward", f"actions:\n{lines}")
    await house.settled()
    await clock_at(house, ben, THURSDAY, 9)

    await ana.command("#network", "/steward", "A1 comment The supplier is on it")
    await ben.click(asking(ben), "set:due_date", "A2")
    await ben.submit({"due_date": "2032-03-01", "why_moved": "The supplier is late"})
    await ben.click(asking(ben), "set:owner_id", "A3")
    await ben.submit({"owner_id": ana.id})
    await ben.click(asking(ben), "step:wait", "A4")
    await ben.submit({"remark": "for the quote"})
    await ben.click(asking(ben), "still", "A5")
    await ben.click(asking(ben), "step:done", "A6")
    await house.settled()
    redrawn = asking(ben)
    await clock_at(house, kavya, MONDAY, 11)

    (to_coordinator,) = asks(kavya)
    assert "Could you have a look at this?" in to_coordinator
    assert "A7 “Order rack 7”" in to_coordinator
    assert {value for action, value in buttons(redrawn) if action == "still"} == {"A7"}
    assert "A6  Order rack 6: done. Thank you, this is answered." in shown(redrawn)
    assert (await house.record("A2"))["due_date"] == "2032-03-01"
    assert (await house.record("A3"))["owner"] == ana.id
    assert (await history(house, "A5"))[-1] == "is still working on it"


async def test_the_message_says_who_answered_meanwhile_and_has_no_buttons_for_it(house: House) -> None:
    """By a comment, another owner, a step; a button that Slack would not let go says that the record is closed."""
    ben, kavya, ana = people(house)
    await kavya.command(
        "#network", "/steward", "actions:\n" + "\n".join(f"Order rack {n} @ben by 2031-11-25" for n in range(1, 5))
    )
    await house.settled()
    await clock_at(house, ben, THURSDAY, 9)
    house.sandbox.fail("chat.update", error="cant_update_message", times=1, channel=asking(ben)["channel"])

    await ana.command("#network", "/steward", "A3 done")
    await house.settled()
    await ben.click(asking(ben), "still", "A3")
    await house.settled()
    refused = shown(ben.ephemerals(asking(ben)["channel"])[-1])
    await ana.command("#network", "/steward", "A1 comment The supplier is on it")
    await ana.command("#network", "/steward", "A2 owner @tane")
    await house.settled()
    partly, offered = shown(asking(ben)), buttons(asking(ben))
    await kavya.command("#network", "/steward", "A4 remove")
    await house.settled()

    assert "A1  Order rack 1: open. Ana Torres has answered." in partly
    assert "A2  Order rack 2: open, owner Tane Walker. Ana Torres has answered." in partly
    assert "A3  Order rack 3: done. Ana Torres has answered." in partly
    assert {reference for _, reference in offered} == {"A4"}
    assert "A3 is done already, so nobody is asked about it." in refused
    assert buttons(asking(ben)) == []
    assert "rack 4" not in shown(asking(ben))
    assert len(asks(ben)) == 1


async def test_an_archived_project_asks_nobody_any_more(house: House) -> None:
    """Nor does it list what was on its way."""
    ben, kavya, _ = people(house)
    await log(house, "Order two racks @ben by 2031-11-25")
    await clock_at(house, ben, THURSDAY, 9)

    await kavya.command("#network", "/steward", "project archive")
    await kavya.click(kavya.ephemerals("#network")[-1], "archive_project")
    await clock_at(house, kavya, MONDAY, 11)
    await kavya.command("#network", "/steward", "escalations")

    assert asks(kavya) == []
    assert "Nothing in this project waits for an answer." in said(kavya, "#network")


async def test_the_coordinator_asks_the_owner_in_words_of_their_own(house: House) -> None:
    """Drafted, changed, sent in their name; the owner's buttons work, and the history has it."""
    ben, kavya, _ = people(house)
    await log(house, "Order two racks @ben by 2031-11-25")
    await clock_at(house, kavya, MONDAY, 9)

    await kavya.click(asking(kavya), "ask_owner")
    assert kavya.modal is not None
    drafted = next(b for b in kavya.modal["blocks"] if b.get("block_id") == "words")["element"]["initial_value"]
    await kavya.submit({"words": "Ben, what is missing? <!here>"})
    await house.settled()
    message = ben.app_messages()[-1]
    await ben.click(message, "still")
    await house.settled()

    assert "A1 “Order two racks” was due Tue 25 Nov 2031" in drafted
    assert "Kavya Rao asks about A1, Order two racks:" in shown(message)
    assert "Ben, what is missing? <!here>" in shown(message)
    told = await history(house, "A1")
    assert told[-2:] == ["asked Ben Fischer: Ben, what is missing? <!here>", "is still working on it"]


async def test_a_high_risk_without_a_response_climbs_and_an_expired_one_is_asked_about(house: House) -> None:
    """Each with the button that would settle it."""
    ben = house.sandbox.person("ben")
    await log(house, "Switch arrives late @ben p4 i3", kind="risk")
    await log(house, "Room floods @ben p2 i2", kind="risk")
    await ben.command("#network", "/steward", "R2 edit")
    await ben.click_view("more_fields")
    await house.settled()
    await ben.submit({"trigger_date": "2031-11-24"})

    await clock_at(house, ben, date(2031, 11, 26), 9)
    (text,) = asks(ben)
    offered = buttons(asking(ben))
    on_card = shown(card(ben, "R1"))
    await ben.click(asking(ben), "set:response")
    await ben.submit({"response": "mitigate"})
    await house.settled()
    await ben.click(asking(ben), "step:close", "R2")
    await ben.submit({"closed_as": "expired"})
    await house.settled()
    await clock_at(house, ben, MONDAY, 9)

    assert "R1 “Switch arrives late” scores 12 or more and has no response yet. Could you choose one" in text
    assert "R2 “Room floods” could happen until Mon 24 Nov 2031, which has passed" in text
    assert offered[0] == ("set:response", "R1"), "first what would answer the question"
    assert "Escalat" not in on_card, "that its owner was asked is nobody else's business"
    assert ("set:trigger_date", "R2") in offered
    assert len(asks(ben)) == 1
    assert asks(house.sandbox.person("kavya")) == []


async def test_somebody_who_takes_no_messages_is_passed_over_and_that_is_said(house: House) -> None:
    """The next one is asked at their next nine o'clock, without waiting any longer."""
    ben, kavya, _ = people(house)
    await log(house, "Order two racks @ben by 2031-11-25")
    await clock_at(house, ben, THURSDAY, 8)
    house.sandbox.fail("chat.postMessage", error="cannot_dm_bot", times=10, channel=ben.id)

    await clock_at(house, ben, THURSDAY, 9)
    await clock_at(house, kavya, date(2031, 11, 28), 9)
    (text,) = asks(kavya)

    assert asks(ben) == []
    assert "I could not write to Ben Fischer in Slack." in text
    assert "could not write to Ben Fischer in Slack, so the next one is asked" in await history(house, "A1")


async def test_after_downtime_what_was_missed_waits_for_the_next_morning(house: House) -> None:
    """More than four hours late is too late; nothing is asked twice, and the restart says nothing of the past."""
    ben = house.sandbox.person("ben")
    await log(house, "Order two racks @ben by 2031-11-25")
    await clock_at(house, ben, THURSDAY, 8)
    if clockwork := house.steward.runner._scheduler:
        clockwork.pause()  # or it looks by itself, on a machine so slow that five seconds pass
    tick, house.steward.runner.tick = house.steward.runner.tick, _nothing  # type: ignore[method-assign]
    await clock_at(house, ben, THURSDAY, 14, 30)
    house.steward.runner.tick = tick  # type: ignore[method-assign]

    await tick()
    await house.settled()
    same_day = asks(ben)
    await clock_at(house, ben, date(2031, 11, 28), 9)

    assert same_day == []
    assert len(asks(ben)) == 1


async def _nothing() -> None:
    return None


async def test_two_workers_ask_once_and_who_moved_is_asked_at_their_new_hour(house: House, database_url: str) -> None:
    """Ben moved to Auckland the evening before: what was planned for nine in Berlin would come at night."""
    ben = house.sandbox.person("ben")
    await log(house, "Order two racks @ben by 2031-11-25")
    await clock_at(house, ben, date(2031, 11, 26), 21)
    house.sandbox.change_person("ben", tz="Pacific/Auckland")
    await house.settled()
    slack = Slack(house.sandbox.bot_token, house.sandbox.api_url)
    other = Steward(Database(database_url, wait_ms=20_000), slack, clock=house.sandbox.clock, pace_seconds=0)

    try:
        await clock_at(house, house.sandbox.person("tane"), date(2031, 11, 28), 9)
        await other.runner.tick()
        await other.sender.drain()
        await house.settled()
    finally:
        await other.stop()

    assert len(asks(ben)) == 1
    (delivery,) = await owed(house, "escalation")
    assert delivery.dedupe_key.endswith(":2031-11-28")


async def test_the_list_says_who_was_asked_and_when_the_next_one_is(house: House) -> None:
    """In the channel's project and over all; of nothing it says so."""
    ben, _, ana = people(house)
    await log(house, "Order two racks @ben by 2031-11-25")
    await ana.command("#network", "/steward", "escalations")
    before = said(ana, "#network")
    await clock_at(house, ben, THURSDAY, 9)

    await ana.command("#network", "/steward", "escalations")

    assert "Nothing in this project waits for an answer." in before
    text = said(ana, "#network")
    assert "asked Ben Fischer (owner) on Thu 27 Nov 2031" in text
    assert "next step on Mon 1 Dec 2031" in text
