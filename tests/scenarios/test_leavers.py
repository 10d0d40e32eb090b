"""Somebody leaves the workspace: what they owned and coordinated is offered to whoever answers for it, once."""

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import buttons, card
from tests.scenarios.steps import owed

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def log(house: House, name: str, channel: str, *lines: str) -> None:
    for words in lines:
        await house.sandbox.person(name).command(channel, "/action", words)
    await house.settled()


async def leaves(house: House, name: str) -> None:
    house.sandbox.change_person(name, deleted=True)
    await house.settled()


def words_of_leaving(person: Driver) -> list[str]:
    return [shown(message) for message in person.app_messages() if "has left the workspace" in shown(message)]


async def test_the_coordinator_is_offered_what_a_leaver_owned_and_hands_it_on_in_one_go(house: House) -> None:
    """One message with the count; the button opens the form for several records at once."""
    kavya, tane = house.sandbox.person("kavya"), house.sandbox.person("tane")
    await log(house, "kavya", "#network", "Order two racks @ben", "Order four racks @ben", "Ask the supplier @tane")
    await house.sandbox.person("kavya").command("#network", "/steward", "A3 done")

    await leaves(house, "ben")
    (said,) = words_of_leaving(kavya)
    message = kavya.app_messages()[-1]
    await kavya.click(message, "select")
    await kavya.submit({"all": ["all"], "deed": "reassign"})
    await kavya.submit({"owner_id": tane.id})
    await house.settled()

    assert "Ben Fischer has left the workspace. They still own 2 open records: 2 in network." in said
    assert [(await house.record(reference))["owner"] for reference in ("A1", "A2")] == [tane.id, tane.id]
    assert not words_of_leaving(house.sandbox.person("ana"))


async def test_nobody_is_told_twice_and_nobody_reminds_a_leaver(house: House) -> None:
    """Slack repeats itself; and at 09:00 there is nobody to write to."""
    kavya, ben = house.sandbox.person("kavya"), house.sandbox.person("ben")
    await log(house, "kavya", "#network", "Order two racks @ben by tomorrow")
    before = len(ben.app_messages())

    await leaves(house, "ben")
    house.sandbox.change_person("ben", deleted=True, title="Gone")
    await house.settled()
    await house.here.directory.warm()
    for _ in range(2):
        await house.sandbox.next_morning("ben")
    await house.settled()

    assert len(words_of_leaving(kavya)) == 1
    assert len(ben.app_messages()) == before
    assert await owed(house, "morning") == []


async def test_a_leavers_cards_say_so(house: House) -> None:
    """Redrawn at once, and in a list too."""
    kavya = house.sandbox.person("kavya")
    await log(house, "kavya", "#network", "Order two racks @ben")

    await leaves(house, "ben")
    await kavya.command("#network", "/steward", "list")

    assert "Ben Fischer (left)" in shown(card(kavya, "A1"))
    assert "Ben Fischer (left)" in shown(kavya.ephemerals("#network")[-1])


async def test_without_a_coordinator_who_is_there_the_sponsor_is_asked_else_the_admins(house: House) -> None:
    """Each may choose another coordinator from the same message."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await log(house, "kavya", "#network", "Order two racks @ben")
    await log(house, "tane", "#general", "Announce the move @ben")
    await kavya.command("#network", "/steward", "settings")
    await kavya.submit({"sponsor_id": "U00000000BE"})

    await leaves(house, "kavya")
    ben_told = words_of_leaving(house.sandbox.person("ben"))
    await leaves(house, "ben")
    await leaves(house, "tane")

    assert ["network needs another coordinator: Kavya Rao was it." in said for said in ben_told] == [True]
    ana_told = words_of_leaving(ana)
    assert [said.partition(" has left")[0] for said in ana_told] == ["Ben Fischer", "Tane Walker"]
    assert "They still own 1 open record: 1 in network." in ana_told[0]
    assert "general needs another coordinator: Tane Walker was it." in ana_told[1]
    offered = [each for message in ana.app_messages() for each in buttons(message)]
    assert ("settings", "2") in offered
    await ana.click(ana.app_messages()[-1], "settings")
    await ana.submit({"coordinator_id": ana.id})
    await house.settled()
    assert [p["coordinator"] for p in (await house.export()).projects if p["name"] == "general"] == [ana.id]


async def test_nobody_outside_a_private_project_is_asked_about_it(house: House) -> None:
    """Not even an admin."""
    house.sandbox.change_person("kavya", is_admin=True)
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.invite("#steering", "steward")
    await house.settled()
    await log(house, "ben", "#steering", "Sell the old warehouse @ben")

    await leaves(house, "ben")

    assert "1 in steering" in words_of_leaving(ana)[0]
    assert words_of_leaving(kavya) == []


async def test_a_private_project_that_nobody_leads_is_offered_to_whoever_raised_most_in_it(house: House) -> None:
    """So that its records are not lost with its coordinator; they may name themselves."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    house.sandbox.change_person("ana", is_admin=False)
    await ana.invite("#steering", "steward")
    await house.settled()
    await log(house, "ana", "#steering", "Sell the old warehouse", "Find a buyer", "Tell the press")
    await log(house, "ben", "#steering", "Count what is in it")

    await leaves(house, "ana")
    (said,) = words_of_leaving(ben)
    await ben.click(ben.app_messages()[-1], "settings")
    await ben.submit({"coordinator_id": ben.id})
    await house.settled()

    assert "steering needs another coordinator: Ana Torres was it." in said
    assert words_of_leaving(house.sandbox.person("kavya")) == []
    assert [each["coordinator"] for each in (await house.export()).projects] == [ben.id]


async def test_somebody_whom_slack_no_longer_lists_has_left(house: House) -> None:
    """The event of it was lost, and the workspace forgot them."""
    kavya = house.sandbox.person("kavya")
    await log(house, "kavya", "#network", "Order two racks @ben")

    house.sandbox.workspace.users.pop("U00000000BE")
    await house.here.directory.warm()
    await house.settled()

    assert len(words_of_leaving(kavya)) == 1
    assert "Ben Fischer (left)" in shown(card(kavya, "A1"))
