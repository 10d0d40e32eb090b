"""Several records of a list at once: picked, confirmed once, told once, taken back by one undo."""

from typing import Any

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import Json, answer, answered, card, is_card_of, offered

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def typed(house: House, person: Driver, line: str, channel: str = "#network") -> str:
    command, _, words = line.partition(" ")
    assert (await person.command(channel, command, words)).ok
    await house.settled()
    return answered(person, channel)


async def press(house: House, person: Driver, message: Json, action_id: str) -> str:
    assert (await person.click(message, action_id)).ok
    await house.settled()
    return shown(again(person, message))


def again(person: Driver, message: Json) -> Json:
    return next(each for each in person.ephemerals("#network") if each["id"] == message["id"])


async def select(house: House, person: Driver, deed: str, *references: str, line: str = "/steward list") -> Json:
    """Pick the records of a list, and what to do; the list they stand in."""
    await typed(house, person, line)
    listed = answer(person)
    assert (await person.click(listed, "select")).ok
    groups = [block for block in (person.modal or {})["blocks"] if block.get("block_id", "").startswith("pick.")]
    chosen: dict[str, Any] = {
        block["block_id"]: [each["value"] for each in block["element"]["options"] if each["value"] in references]
        for block in groups
    }
    await person.submit(chosen | {"deed": deed} | ({"all": ["all"]} if not references else {}))
    return listed


async def test_several_are_closed_with_one_confirmation_and_one_undo(house: House) -> None:
    """Each by the main step of its kind; what a step asks for is asked once; the list is drawn anew."""
    ana = house.sandbox.person("ana")
    for line in ("/action Order cables", "/action Book room", "/risk Late switch", "/issue Cable cut", "/action Stays"):
        await typed(house, ana, line)
    before = len(ana.ephemerals("#network"))

    listed = await select(house, ana, "close", "A1", "A2", "R1", "I1")
    asked = shown(ana.modal or {})
    refused = await ana.submit()
    await ana.submit({"answer.risk": "mitigated", "remark": "All settled on Monday"})
    await house.settled()

    assert "Order cables" in asked
    assert "A3" not in asked
    assert list(refused.errors) == ["answer.risk"]
    assert len(ana.ephemerals("#network")) == before + 2
    assert "Closed 4 records" in answered(ana)
    statuses = [(await house.record(each))["status"] for each in ("A1", "A2", "R1", "I1", "A3")]
    assert statuses == ["done", "done", "closed", "resolved", "open"]
    risk = await house.record("R1")
    assert (risk["closed_as"], risk["remark"]) == ("mitigated", "All settled on Monday")
    assert "1 of 1 open" in shown(again(ana, listed))
    assert "step:reopen" in offered(card(ana, "A1"))

    confirmation = answer(ana)
    assert "Undone: 4 records" in await press(house, ana, confirmation, "undo_batch")
    assert {(await house.record(each))["is_open"] for each in ("A1", "A2", "R1", "I1", "A3")} == {True}
    assert "Redone: 4 records" in await press(house, ana, confirmation, "undo_batch:redo")
    assert (await house.record("R1"))["closed_as"] == "mitigated"
    assert "of several records" in await typed(house, ana, "/steward undo")
    await press(house, ana, answer(ana), "undo_batch")
    assert (await house.record("A2"))["is_open"]


async def test_the_new_owner_of_several_gets_one_message_whose_buttons_work(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    for title in ("Order cables by tomorrow", "Book room", "Write minutes"):
        await typed(house, ana, f"/action {title}")

    await select(house, ana, "reassign")
    await ana.submit({"owner_id": ben.id})
    await house.settled()

    assert "Ben Fischer owns 3 records now" in answered(ana)
    [word] = ben.app_messages()
    assert "You own 3 more, from Ana Torres." in shown(word)
    assert "due Tue 25 Nov 2031" in shown(word)  # where he reads it, that may be today
    assert (await ben.click(word, "step:done", "A2")).ok
    await house.settled()
    [word] = ben.app_messages()
    assert "2 of these still open" in shown(word)
    assert (await house.record("A2"))["status"] == "done"

    told = await press(house, ana, answer(ana), "undo_batch")

    assert "Undone: 2 records" in told
    assert "A2 stays as it is. Ben Fischer changed A2 since (status, just now)." in told
    assert [(await house.record(each)).get("owner") for each in ("A1", "A2", "A3")] == [None, ben.id, None]


async def test_due_dates_move_together_in_words_with_the_reason(house: House) -> None:
    ana = house.sandbox.person("ana")
    for title in ("Order cables by 2031-12-01", "Book room by 2031-12-02", "Write minutes"):
        await typed(house, ana, f"/action {title}")

    await select(house, ana, "move")
    nothing = await ana.submit()
    past = await ana.submit({"due_words": "yesterday"})
    await ana.submit({"due_words": "friday next week", "why_moved": "The vendor is late"})
    await house.settled()

    assert nothing.errors == {"due_date": "Choose a day, or write one below."}
    assert list(past.errors) == ["due_words"]
    assert "3 records due Fri 5 Dec 2031 now" in answered(ana)
    records = [await house.record(each) for each in ("A1", "A2", "A3")]
    assert {each["due_date"] for each in records} == {"2031-12-05"}
    assert [(each["first_due_date"], each["due_moves"]) for each in records] == [
        ("2031-12-01", 1),
        ("2031-12-02", 1),
        ("2031-12-05", 0),
    ]
    assert "The vendor is late" in await typed(house, ana, "/steward A1 history")


async def test_what_cannot_be_changed_is_named_before_and_what_changed_meanwhile_stays(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    for line in ("/action Order cables", "/decision Use fibre", "/action Book room"):
        await typed(house, ana, line)
    await typed(house, ana, "/steward A2 done")

    await select(house, ben, "close", line="/steward list all")
    asked = shown(ben.modal or {})
    await typed(house, ana, "/steward A1 start")
    await ben.submit({})
    await house.settled()

    assert "D1: Only the coordinator of network can decide this." in asked
    assert "A2: It is done already." in asked
    assert "Nothing was changed" in answered(ben)
    assert "A1: Ana Torres changed it meanwhile." in answered(ben)
    assert (await house.record("A1"))["status"] == "in_progress"
    assert (await house.record("D1"))["status"] == "proposed"


async def test_an_owner_who_may_not_see_a_record_is_refused_beside_the_field_and_nothing_is_stored(
    house: House,
) -> None:
    ana = house.sandbox.person("ana")
    await ana.invite("#steering", "steward")
    await house.settled()
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/action Confidential", "#steering")

    await select(house, ana, "reassign", line="/steward list everywhere")
    refused = await ana.submit({"owner_id": house.sandbox.person("kavya").id})

    assert refused.errors["owner_id"].startswith("A2: ")
    assert "cannot see" in refused.errors["owner_id"]
    assert not any(each.get("owner") for each in (await house.export()).records)


async def test_priority_and_tags_are_set_together(house: House) -> None:
    ana = house.sandbox.person("ana")
    for title in ("Order cables #lan", "Book room"):
        await typed(house, ana, f"/action {title}")

    await select(house, ana, "rank")
    await ana.submit({"priority": "critical"})
    await house.settled()
    first = answered(ana)
    await select(house, ana, "tag")
    await ana.submit({"tags": "#Pilot, wan"})
    await house.settled()

    assert "Critical priority for 2 records" in first
    assert [(await house.record(each))["tags"] for each in ("A1", "A2")] == [["lan", "pilot", "wan"], ["pilot", "wan"]]
    assert {(await house.record(each))["priority"] for each in ("A1", "A2")} == {"critical"}


async def test_a_long_list_offers_fifty_and_nothing_picked_is_asked_about(house: House) -> None:
    ana = house.sandbox.person("ana")
    for number in range(53):
        assert (await ana.command("#network", "/action", f"Number {number}")).ok
    await house.settled()

    await typed(house, ana, "/steward list")
    await ana.click(answer(ana), "select")
    form = ana.modal or {}
    nothing = await ana.submit({"deed": "close"})
    await ana.submit({"all": ["all"], "deed": "close"})
    await ana.submit({})
    await house.settled()

    assert "50 of the 53 in the list" in shown(form)
    assert nothing.errors == {"all": "Choose at least one record."}
    assert "Closed 50 records" in answered(ana)
    assert sum(each["is_open"] for each in (await house.export()).records) == 3
    assert len([each for each in ana.messages("#network") if is_card_of(each, "A1")]) == 1
