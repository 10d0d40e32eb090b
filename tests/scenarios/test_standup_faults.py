"""A stand-up when something else happens during its round: one sensible outcome, told once, and no round is stuck."""

from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.tables import EntryState, Person, StandupEntry, StandupRound
from tests.scenarios.house import House, shown
from tests.scenarios.steps import owed
from tests.scenarios.test_standups import TEAM, TUESDAY, clock_at, digests, prompts, reply, rows, set_up, told

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def pressed_in_list(house: House, action: str, value: Any = None) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/standup", "list")
    await ana.click(ana.ephemerals("#network")[-1], action, value)
    await house.settled()


async def round_is_closed(house: House) -> bool:
    [round_] = await rows(house, StandupRound)
    return not round_.is_open


async def test_a_stand_up_removed_during_its_round_asks_nobody_more_and_loses_no_answer(house: House) -> None:
    """Ben has the form open when Ana removes the stand-up: New York is not asked, what he sends is kept."""
    ben = house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    await ben.click(prompts(ben)[-1], "standup:answer")
    await pressed_in_list(house, "more", "standup:remove 1")

    outcome = await ben.submit({"answer:0": "Racks are in"})
    await clock_at(house, house.sandbox.person("ana"), TUESDAY, 13)

    assert outcome.ok, ben.form_errors
    assert prompts(house.sandbox.person("ana")) == []
    assert digests(house) == [], "a stand-up that is gone posts nothing"
    assert [e.answers[0] for e in await rows(house, StandupEntry) if e.person_id == ben.id] == ["Racks are in"]
    assert await round_is_closed(house)


async def test_a_stand_up_changed_during_its_round_finishes_it_as_it_began(house: House) -> None:
    """Other questions and another hour count from the next round on; the day has no second round."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    await pressed_in_list(house, "standup:edit")
    await ana.submit({"questions": "How is it going?", "at": "11:00"})
    await house.settled()

    await reply(house, ben, "Racks are in", "Cable them", "none")
    await clock_at(house, ana, TUESDAY, 13)
    asked_on_tuesday = [len(prompts(house.sandbox.person(name))) for name in TEAM]
    await clock_at(house, ben, TUESDAY + timedelta(days=1), 11)

    assert asked_on_tuesday == [1, 1, 1, 1]
    assert "What did you get done since last time?" in digests(house)[0]
    assert len(prompts(ben)) == 2
    assert "How is it going?" in shown(prompts(ben)[-1])


async def test_a_channel_archived_during_the_round_is_told_once_and_closes_it(house: House) -> None:
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    await ana.archive_channel("#network")
    await house.settled()

    await reply(house, ben, "Racks are in", "", "")
    await reply(house, kavya, "Moved the backup server", "", "")
    await clock_at(house, ana, TUESDAY, 13)

    troubles = [shown(message) for message in told(house, "ana") if "could not post" in shown(message)]
    assert len(troubles) == 1
    assert "archived" in troubles[0]
    assert {e.person_id: e.state for e in await rows(house, StandupEntry)}[ben.id] is EntryState.ANSWERED
    assert await round_is_closed(house)


async def test_an_archived_project_holds_no_rounds_until_it_is_restored(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Begin")
    await set_up(house)
    await ana.command("#network", "/steward", "project archive network")
    await ana.click(ana.ephemerals("#network")[-1], "archive_project")
    await house.settled()
    await clock_at(house, ben, TUESDAY, 12)
    while_archived = len(prompts(ben))
    await ana.command("#network", "/steward", "project restore network")
    await house.settled()

    await clock_at(house, ben, TUESDAY + timedelta(days=1), 9, 30)

    assert while_archived == 0
    assert len(prompts(ben)) == 1


async def test_with_nobody_to_ask_whoever_set_it_up_hears_of_it_once(house: House) -> None:
    """The only person asked leaves the company: Ana hears of it once, and not each day."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await set_up(house, participants=[kavya.id])
    house.sandbox.change_person("kavya", deleted=True)
    await house.settled()

    for days in range(3):
        await clock_at(house, ana, TUESDAY + timedelta(days=days), 20)

    told_so = [shown(message) for message in ana.app_messages() if "nobody" in shown(message).lower()]
    assert len(told_so) == 1
    assert await rows(house, StandupRound) == []


async def test_who_takes_no_direct_messages_is_told_of_to_the_organiser_and_can_answer_all_the_same(
    house: House,
) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await set_up(house, participants=[ben.id])
    house.sandbox.fail("chat.postMessage", error="messages_tab_disabled", channel=ben.id, times=9)

    await clock_at(house, ben, TUESDAY, 9, 30)
    await clock_at(house, ben, TUESDAY, 12, 5)
    await ben.command("#network", "/standup", "answer")
    outcome = await ben.submit({"answer:0": "Here all the same"})
    await house.settled()

    troubles = [shown(message) for message in ana.app_messages() if "could not write" in shown(message)]
    assert len(troubles) == 1
    assert "/standup answer" in troubles[0]
    assert outcome.ok
    assert "Here all the same" in digests(house)[0]


async def test_somebody_whose_zone_nobody_knows_is_asked_by_universal_time_and_the_others_at_their_own(
    house: House,
) -> None:
    """What Slack says of a person is not ours to refuse; one odd profile must not hold up the round."""
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await set_up(house)
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        await session.exec(update(Person).where(col(Person.id) == kavya.id).values(timezone="Mars/Olympus"))

    await clock_at(house, ben, TUESDAY, 9, 30)
    before = len(prompts(kavya))
    await clock_at(house, ben, TUESDAY, 10, 30)

    assert len(prompts(ben)) == 1
    assert (before, len(prompts(kavya))) == (0, 1)


async def test_in_quiet_hours_nobody_is_asked_and_the_window_begins_with_their_end(house: House) -> None:
    """Half past nine in New York is half past three at Tane's; who takes no nags gets no second message."""
    ana, tane = house.sandbox.person("ana"), house.sandbox.person("tane")
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        quiet = {"quiet_from": time(22), "quiet_until": time(7), "nags_a_day": 0}
        await session.exec(update(Person).where(col(Person.id) == tane.id).values(**quiet))
    await set_up(house, whose="team")
    wednesday = TUESDAY + timedelta(days=1)

    counts = []
    for person, day, hour, minute in ((ana, TUESDAY, 9, 30), (tane, wednesday, 6, 59), (tane, wednesday, 7, 0)):
        await clock_at(house, person, day, hour, minute)
        counts.append(len(prompts(tane)))
    await clock_at(house, tane, wednesday, 9, 59)
    all_told = told(house, "tane")
    await reply(house, tane, "Here", "", "")

    assert counts == [1, 1, 2], "Monday's round asked him on Tuesday morning"
    assert all_told == prompts(tane)
    assert {e.person_id: e.state for e in await rows(house, StandupEntry)}[tane.id] is EntryState.ANSWERED


async def test_once_its_organiser_has_left_whoever_answers_for_the_project_hears_what_goes_wrong(house: House) -> None:
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await kavya.command("#network", "/action", "Begin")
    await set_up(house, participants=[ben.id])
    house.sandbox.change_person("ana", deleted=True)
    house.sandbox.fail("chat.postMessage", error="messages_tab_disabled", channel=ben.id, times=9)
    await house.settled()

    await clock_at(house, ben, TUESDAY, 12)

    assert [each.target for each in await owed(house, "standup_trouble")] == [kavya.id]
    assert [text for m in kavya.app_messages() if "could not write to Ben" in (text := shown(m))]
    assert not [m for m in ana.app_messages() if "could not write" in shown(m)]
