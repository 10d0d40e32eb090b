"""A confidential record in Slack: nothing of it stands where others read."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answered, card, held
from tests.scenarios.steps import everything_shown_to

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def choose(house: House, person: Driver, reference: str, value: str) -> bool:
    """Choose in the record's form who sees it; whether that was saved."""
    await person.command("#network", "/steward", f"{reference} edit")
    await person.click_view("more_fields")
    await house.settled()
    outcome = await person.submit({"confidentiality": value})
    await house.settled()
    return outcome.ok and not person.form_errors


async def test_a_card_that_stands_is_reduced_to_its_reference_and_comes_back(house: House) -> None:
    ana, ben, tane = (house.sandbox.person(name) for name in ("ana", "ben", "tane"))
    await ana.command("#network", "/risk", "Tane may leave @ben p4 i5")
    await house.settled()

    assert await choose(house, ana, "R1", "confidential")
    reduced = next(each for each in ana.messages("#network") if "R1" in each["text"])
    assert (reduced["text"], "Tane may leave" in shown(reduced)) == ("R1 is confidential.", False)
    assert "Tane may leave" not in everything_shown_to(tane, ("#network",))
    for words in ("R1", "R1 history", "R1 done", "list all", "find leav", "risks"):
        await tane.command("#network", "/steward", words)
    await tane.open_home()
    await house.settled()
    assert "Tane may leave" not in everything_shown_to(tane, ("#network",))
    await tane.command("#network", "/risk", "Tane may leave")
    assert "Looks like" not in answered(tane)
    await ben.command("#network", "/steward", "R1")
    assert "Tane may leave" in answered(ben)

    assert await choose(house, ben, "R1", "open")
    assert "Tane may leave" in shown(card(ana, "R1"))


async def test_one_that_is_logged_so_has_no_card_and_its_owner_hears_of_it(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "")
    await ana.click_view("more_fields")
    await house.settled()
    await ana.submit({"title": "Talk about pay", "owner_id": ben.id, "confidentiality": "confidential"})
    await house.settled()

    assert "Owner Ben Fischer · confidential: no card, and only those involved see it" in answered(ana)
    assert not any("A1" in message["text"] for message in ana.messages("#network"))
    assert "Talk about pay" in shown(ben.app_messages()[-1])
    await ana.command("#network", "/steward", "A1")
    assert "Post its card" not in answered(ana)
    assert "*Confidentiality*\nConfidential" in answered(ana)
    await ana.command("#random", "/action", "Something else")
    await ana.command("#network", "/steward", "A1 move #random")
    assert "Moved A1" in answered(ana)
    assert "cannot post the card" not in answered(ana)


async def test_what_comes_by_the_clock_tells_the_channel_nothing_of_it(house: House) -> None:
    """The channel's reminder and the weekly summary; nor do they say that something is left out."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/risk", "Zanzibar @ben by 2031-11-25 p5 i5")
    await ana.command("#network", "/risk", "Late switch @ben by 2031-11-25 p4 i4")
    await house.settled()
    assert await choose(house, ana, "R1", "confidential")
    await ana.command("#network", "/steward", "settings")
    await ana.click_view("more_settings")
    await house.settled()
    await ana.submit({"channel_reminder": "due_day"})
    await house.settled()

    await house.sandbox.advance_to(datetime(2031, 12, 3, 22, tzinfo=UTC))
    await house.settled()

    read = everything_shown_to(house.sandbox.person("tane"), ("#network",))
    assert "Late switch" in read
    assert ", week to " in read
    assert "Zanzibar" not in read
    assert "Only what was logged" not in read
    assert "Zanzibar" in everything_shown_to(ben)
    assert (await house.record("R2"))["escalation_level"] == "coordinator"


async def test_what_follows_from_one_is_confidential_too(house: House) -> None:
    """The form copies the title, so nobody else may read it in the new card."""
    ana, tane = house.sandbox.person("ana"), house.sandbox.person("tane")
    await ana.command("#network", "/risk", "Tane may leave p4 i5")
    await house.settled()
    assert await choose(house, ana, "R1", "confidential")

    await ana.command("#network", "/steward", "R1 happened")
    await ana.submit()
    await house.settled()
    await tane.command("#network", "/steward", "I1")

    assert (await house.record("I1"))["confidentiality"] == "confidential"
    assert "Tane may leave" not in everything_shown_to(tane, ("#network",))


async def test_an_answer_to_a_stand_up_does_not_begin_with_one(house: House) -> None:
    """Others read the answers; whoever wants to tell of it there types it."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Talk about pay @ana by tomorrow")
    await ana.command("#network", "/action", "Order cables @ana by tomorrow")
    await house.settled()
    assert await choose(house, ana, "A1", "confidential")
    await ana.command("#network", "/standup", "new")
    assert (await ana.submit({"participants": [ana.id]})).ok
    await house.sandbox.next_morning("ana")
    await house.sandbox.advance(timedelta(minutes=45))
    await house.settled()

    await ana.command("#network", "/standup", "answer")

    assert held(ana.modal)["answer:1"] == "• A2 Order cables"
