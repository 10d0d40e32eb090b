"""The owner of a new record learns of it once: by name in the card, else by direct message, never of their own act."""

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import card
from tests.scenarios.steps import owed


def told(person: Driver, reference: str) -> list[str]:
    """The direct messages in which this person was told that the record is theirs."""
    messages = [shown(message) for message in person.app_messages()]
    return [message for message in messages if f"You own {reference}" in message]


def pings(house: House, person: Driver) -> int:
    """How often a message that Steward posted anew named the person so that Slack notifies them."""
    posts = [call for call in house.sandbox.calls if call.method == "chat.postMessage" and call.answer.get("ok")]
    return sum(f"<@{person.id}>" in str(call.args) for call in posts)


async def test_an_owner_in_the_channel_is_named_in_the_card_and_gets_no_message(house: House) -> None:
    """Once is enough; later changes of the card name nobody."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")

    await ana.command("#network", "/action", "Order two racks @ben")
    await house.settled()
    posted = shown(card(ana, "A1"))
    await ana.command("#network", "/steward", "A1 start")
    await house.settled()

    assert f"<@{ben.id}>" in posted
    assert f"<@{ben.id}>" not in shown(card(ana, "A1"))
    assert "Ben Fischer" in shown(card(ana, "A1"))
    assert pings(house, ben) == 1
    assert told(ben, "A1") == []


async def test_an_owner_who_is_not_in_the_channel_gets_one_direct_message(house: House) -> None:
    """With the card's buttons, which work there."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ben.leave("#network")
    await house.settled()

    await ana.command("#network", "/action", "Order two racks @ben")
    await house.settled()
    await ana.command("#network", "/steward", "A1 start")
    await house.settled()
    await ben.click(ben.app_messages()[-1], "step:done")
    await house.settled()

    (message,) = told(ben, "A1")
    assert "Order two racks" in message
    assert f"<@{ben.id}>" not in shown(card(ana, "A1"))
    assert (await house.record("A1"))["status"] == "done"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("code", ["restricted_action", "is_archived", "msg_too_long"])
async def test_an_owner_whose_card_slack_refused_gets_the_message_instead(house: House, code: str) -> None:
    """And nothing more when the card comes after all."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    house.sandbox.fail("chat.postMessage", error=code, channel="#network")

    await ana.command("#network", "/action", "Order two racks @ben")
    await house.settled()
    first = len(told(ben, "A1"))
    await ana.command("#network", "/steward", "A1 start")
    await house.settled()

    assert first == 1
    assert "In progress" in shown(card(ana, "A1"))
    assert len(told(ben, "A1")) == 1
    assert pings(house, ben) == 0


@pytest.mark.parametrize("text", ["Order two racks @ana", "Order two racks"])
async def test_nobody_is_told_of_their_own_act(house: House, text: str) -> None:
    """Logging for oneself, and taking a record over, are known to whoever did it."""
    ana = house.sandbox.person("ana")

    await ana.command("#network", "/action", text)
    await ana.command("#network", "/steward", "A1 edit")
    await ana.submit({"owner_id": ana.id, "title": "Order four racks"})
    await house.settled()

    assert (await house.record("A1"))["owner"] == ana.id
    assert pings(house, ana) == 0
    assert told(ana, "A1") == []


async def test_a_reassigned_record_tells_the_new_owner_once(house: House) -> None:
    """Nobody else, and not again at the next change."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await ana.command("#network", "/action", "Order two racks @ben")
    await house.settled()

    await ana.command("#network", "/steward", "A1 edit")
    await ana.submit({"owner_id": kavya.id})
    await house.settled()
    await ana.command("#network", "/steward", "A1 start")
    await house.settled()

    assert len(told(kavya, "A1")) == 1
    assert told(ben, "A1") == []
    assert pings(house, ben) == 1


async def test_a_reassignment_taken_back_before_it_was_told_tells_nobody(house: House) -> None:
    """The message is drawn when it is sent."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.command("#network", "/action", "Order two racks")
    await house.settled()
    house.sandbox.fail("chat.postMessage", retry_after=1, channel=kavya.id)

    await ana.command("#network", "/steward", "A1 edit")
    await ana.submit({"owner_id": kavya.id})
    await house.settled()
    await ana.click(ana.ephemerals("#network")[-1], "undo")
    await house.sandbox.next_morning("ana")
    await house.settled()

    assert told(kavya, "A1") == []
    assert [row.state for row in await owed(house, "assigned")] == ["cancelled"]


async def test_undoing_a_reassignment_tells_the_one_who_gets_it_back_once(house: House) -> None:
    """Unless it is they who take it back."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    for title in ("Order two racks @ben", "Order four racks @ana"):
        await ana.command("#network", "/action", title)
        await house.settled()

    for reference in ("A1", "A2"):
        await ana.command("#network", "/steward", f"{reference} edit")
        await ana.submit({"owner_id": kavya.id})
        await house.settled()
        await ana.click(ana.ephemerals("#network")[-1], "undo")
        await house.settled()

    assert len(told(ben, "A1")) == 1
    assert told(ana, "A2") == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_record_removed_at_once_troubles_its_owner_no_further(house: House) -> None:
    """What was not sent yet is not sent."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ben.leave("#network")
    await house.settled()
    house.sandbox.fail("chat.postMessage", retry_after=1, channel="#network")

    await ana.command("#network", "/action", "Order two racks @ben")
    await ana.click(ana.ephemerals("#network")[-1], "undo")
    await house.sandbox.next_morning("ana")
    await house.settled()

    assert told(ben, "A1") == []
    assert [m for m in ana.messages("#network") if "Order two racks" in shown(m)] == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_record_handed_over_before_its_card_was_posted_tells_the_new_owner_once(house: House) -> None:
    """The card, posted late, does not name them a second time."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    house.sandbox.fail("chat.postMessage", retry_after=1, channel="#network")

    await ana.command("#network", "/action", "Order two racks @ben")
    await house.settled()
    await ana.command("#network", "/steward", "A1 edit")
    await ana.submit({"owner_id": kavya.id})
    await house.settled()
    await house.sandbox.next_morning("ana")
    await house.settled()

    assert "Order two racks" in shown(card(ana, "A1"))
    assert len(told(kavya, "A1")) + pings(house, kavya) == 1
    assert len(told(ben, "A1")) + pings(house, ben) == 0
