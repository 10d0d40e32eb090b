"""The one greeting of a channel, and the answer to whoever writes to Steward."""

import pytest

from tests.scenarios.house import House, shown
from tests.scenarios.steps import again, delivered, owed, until


def greetings(house: House, channel: str) -> list[dict]:
    """Steward's greetings in the channel, as Ben sees it."""
    return [m for m in house.sandbox.person("ben").messages(channel) if "I keep this channel's log" in shown(m)]


async def test_steward_greets_a_channel_once_when_it_joins_and_its_buttons_work(any_house: House) -> None:
    """Short, and with a way to begin."""
    house = any_house
    ben = house.sandbox.person("ben")

    await ben.invite("#random", "steward")
    await house.settled()
    (hello,) = greetings(house, "#random")
    await ben.click(hello, "log")
    form = ben.modal
    await ben.submit({"title": "Repair the coffee machine"})
    await ben.click(hello, "help")
    await house.settled()

    assert form is not None
    assert (await house.record("A1"))["title"] == "Repair the coffee machine"
    assert "project" not in [block.get("block_id") for block in form["blocks"]]
    assert "/steward help" in "".join(shown(message) for message in ben.ephemerals("#random"))


async def test_the_same_event_many_times_at_once_greets_once(house: House) -> None:
    """Slack repeats events whose answer it did not see."""
    ben = house.sandbox.person("ben")
    await ben.invite("#random", "steward")
    await house.settled()

    acks = await again(house, delivered(house, "member_joined_channel"), times=20)
    await house.settled()

    assert all(ack.ok for ack in acks)
    assert len(greetings(house, "#random")) == 1
    assert len(await owed(house, "hello")) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_another_event_of_the_same_membership_greets_no_second_time(house: House) -> None:
    """Its id is new, the greeting is not."""
    ben = house.sandbox.person("ben")
    await ben.invite("#random", "steward")
    await house.settled()
    joined = delivered(house, "member_joined_channel")
    joined.payload["event_id"] = "Ev0000000001"

    await again(house, joined)
    await house.settled()

    assert len(greetings(house, "#random")) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_channel_that_invites_steward_back_is_not_greeted_again(house: House) -> None:
    """It knows Steward already, and its log is still there."""
    ben = house.sandbox.person("ben")
    await ben.invite("#random", "steward")
    await ben.command("#random", "/action", "Repair the coffee machine")
    await house.settled()

    await ben.remove("#random", "steward")
    await ben.invite("#random", "steward")
    await house.settled()

    assert len(greetings(house, "#random")) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_steward_that_is_removed_before_it_could_greet_greets_when_it_is_back(house: House) -> None:
    """Nothing was said the first time."""
    ben = house.sandbox.person("ben")
    house.sandbox.fail("chat.postMessage", retry_after=1)
    await ben.invite("#random", "steward")
    await house.settled()
    await ben.remove("#random", "steward")
    await house.settled()

    await ben.invite("#random", "steward")
    await until(house, lambda: greetings(house, "#random"))

    assert len(greetings(house, "#random")) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_nobody_else_who_joins_is_greeted(house: House) -> None:
    """People come and go."""
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await ben.invite("#random", "steward")
    await kavya.leave("#random")
    await kavya.join("#random")
    await house.settled()

    assert len(greetings(house, "#random")) == 1


async def test_a_message_to_steward_is_answered_once_with_what_it_understands(house: House) -> None:
    """Never silence; and its own answer is not answered."""
    ben = house.sandbox.person("ben")

    await ben.say("@Steward", "what is due this week?")
    await house.settled()
    await again(house, delivered(house, "message"), times=5)
    await house.settled()

    answers = [shown(m) for m in ben.app_messages() if "bot_id" in m]
    assert len(answers) == 1
    assert "/steward help" in answers[0]
