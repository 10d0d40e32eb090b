"""`/steward undo` and `A12 undo`: the last change of whoever asks, at once, after days, step by step further back."""

from datetime import timedelta

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import Json, answer, answered, buttons, offered

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def typed(house: House, person: Driver, line: str, channel: str = "#network") -> str:
    command, _, words = line.partition(" ")
    assert (await person.command(channel, command, words)).ok
    await house.settled()
    return answered(person, channel)


async def press(house: House, person: Driver, action_id: str, value: str | None = None) -> str:
    """Press a button of the latest private answer; that answer as it reads then."""
    pressed = answer(person)
    assert (await person.click(pressed, action_id, value)).ok
    await house.settled()
    return shown(again(person, pressed))


def again(person: Driver, message: Json) -> Json:
    return next(each for each in person.ephemerals("#network") if each["id"] == message["id"])


async def test_undo_takes_back_the_last_change_and_typed_again_the_one_before(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/action Book room")
    await typed(house, ana, "/steward A1 done")

    first = await typed(house, ana, "/steward undo")
    second = await typed(house, ana, "/steward undo")

    assert "Undone: A1" in first
    assert (await house.record("A1"))["status"] == "open"
    assert "Undid the logging of A2" in second
    assert (await house.record("A2"))["is_archived"]
    assert "Brought back A2" in await press(house, ana, "undo:redo")
    assert "Undid the logging of A2" in await typed(house, ana, "/steward undo")
    assert "Undid the logging of A1" in await typed(house, ana, "/steward undo")
    assert "There is nothing of yours to undo." in await typed(house, ana, "/steward undo")


async def test_what_is_days_old_is_shown_before_it_is_taken_back(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/steward A1 done")
    await house.sandbox.advance(timedelta(days=3))

    told = await typed(house, ana, "/steward undo")
    status = (await house.record("A1"))["status"]
    done = await press(house, ana, "undo")

    assert "Your last change, 3 days ago:" in told
    assert "Order cables · status: Open → Done" in told
    assert status == "done"
    assert "Undone: A1" in done
    assert (await house.record("A1"))["status"] == "open"


async def test_what_somebody_changed_since_stays_and_the_change_before_it_is_offered(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Book room")
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/steward A2 start")
    await typed(house, ben, "/steward A2 done")
    await house.sandbox.advance(timedelta(hours=2))

    told = await typed(house, ana, "/steward undo")

    assert "A2 stays as it is. Ben Fischer changed A2 since (status, 2 hours ago)." in told
    assert offered(answer(ana)) == ["undo_before"]
    assert "A2 stays as it is." in await press(house, ana, "undo_before")
    before = await press(house, ana, "undo_before")
    assert "Book room · you logged it" in before
    assert "Undid the logging of A1" in await press(house, ana, "undo")
    assert (await house.record("A2"))["status"] == "done"


async def test_the_last_change_of_a_record_is_undone_only_by_whoever_made_it(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables")
    await typed(house, ben, "/steward A1 start")

    refused = await typed(house, ana, "/steward A1 undo")
    undone = await typed(house, ben, "/action A1 undo")

    assert "Ben Fischer changed A1 last (status, just now)." in refused
    assert "Undone: A1" in undone
    assert "Undid the logging of A1" in await typed(house, ana, "/steward A1 undo")


async def test_undo_reaches_every_project_and_nothing_one_may_no_longer_see(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Plan the offsite", "#general")
    await ana.invite("#steering", "steward")
    await house.settled()
    await typed(house, ben, "/action Something confidential", "#steering")
    await typed(house, ben, "/steward A1 start")
    await ben.leave("#steering")
    await house.settled()

    told = [await typed(house, ben, "/steward undo") for _ in range(2)]

    assert "Undone: A1" in told[0]
    assert "There is nothing of yours to undo." in told[1]
    assert "confidential" not in "".join(told)


async def test_a_link_that_is_taken_back_is_told_in_the_words_in_which_it_was_made(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/risk Late switch")
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/steward A1 mitigates R1")
    await typed(house, ana, "/steward A1 undo")

    undone = await press(house, ana, "undo:only")
    redone = await press(house, ana, "undo:redo")
    history = await typed(house, ana, "/steward A1 history")

    assert "Undone: A1 \nOrder cables\nMitigates R1" in undone
    assert "Redone: A1 \nOrder cables\nMitigates R1" in redone
    told = [line for line in history.splitlines() if "mitigates" in line]
    assert told == ["mitigates R1", "undid: mitigates R1", "mitigates R1"]


async def test_a_link_and_what_follows_from_a_risk_are_taken_back_as_one(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/risk Late switch")
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/steward A1 mitigates R1")

    told = await typed(house, ana, "/steward undo")
    assert "of several records" in told
    undone = await press(house, ana, "undo_batch")

    assert "Undone: 2 records" in undone
    assert "Order cables · mitigates R1" in undone
    assert (await house.export()).links == []
    assert "Redone: 2 records" in await press(house, ana, "undo_batch:redo")
    assert len((await house.export()).links) == 1
    await ana.command("#network", "/steward", "R1 happened")
    await ana.submit({})
    await house.settled()
    assert ("undo", "I1:1") in buttons(answer(ana))
    assert "Undone: 2 records" in await press(house, ana, "undo")
    assert (await house.record("R1"))["status"] == "open"
    assert (await house.record("I1"))["is_archived"]


async def test_one_record_of_a_batch_can_be_taken_back_by_itself(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/risk Late switch")
    await ana.command("#network", "/steward", "R1 happened")
    await ana.submit({})
    await house.settled()

    told = await typed(house, ana, "/steward I1 undo")
    await press(house, ana, "undo:only")

    assert "The last change of I1, just now, was one of several records" in told
    assert (await house.record("I1"))["is_archived"]
    assert (await house.record("R1"))["status"] == "occurred"
