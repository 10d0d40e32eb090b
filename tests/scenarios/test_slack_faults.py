"""Slack is busy, broken, silent or slow: nothing owed is lost, nothing is posted twice, and people are told."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sandbox.driver import Driver
from sandbox.faults import Fault
from tests.scenarios.house import House, shown
from tests.scenarios.looking import card, is_card_of
from tests.scenarios.steps import all_said, owed, until

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

# Surely nothing happened: the call may be repeated, and is.
NOT_SENT: dict[str, dict[str, Any]] = {"busy": {"retry_after": 1}, "busy twice": {"retry_after": 1, "times": 2}}
# Nobody knows whether it happened. In the first two it did not, in the last it did.
UNKNOWN: dict[str, dict[str, Any]] = {
    "broken": {"status": 500},
    "cut off before": {"drop": "before"},
    "cut off after": {"drop": "after"},
    "half done": {"error": "internal_error"},
}


def cards(person: Driver, reference: str = "A1") -> list[str]:
    return [shown(message) for message in person.messages("#network") if is_card_of(message, reference)]


def troubles(person: Driver) -> list[str]:
    """The direct messages that something could not be shown."""
    return [text for message in person.app_messages() if "is saved, but" in (text := shown(message))]


@pytest.mark.parametrize("fault", NOT_SENT.values(), ids=NOT_SENT)
async def test_a_card_that_slack_was_too_busy_for_is_posted_later_and_once(house: House, fault: dict[str, Any]) -> None:
    """After as long as Slack asked for; nobody is bothered with it."""
    ana = house.sandbox.person("ana")
    house.sandbox.fail("chat.postMessage", **fault)

    await ana.command("#network", "/action", "Order two racks")
    await house.settled()
    at_first = cards(ana)
    await until(house, lambda: cards(ana))
    await house.settled()

    assert at_first == []
    assert len(cards(ana)) == 1
    assert troubles(ana) == []


@pytest.mark.parametrize("name", UNKNOWN)
async def test_a_card_of_which_nobody_knows_is_not_repeated_and_its_author_is_told_once(
    house: House, name: str
) -> None:
    """The next change posts it."""
    ana = house.sandbox.person("ana")
    house.sandbox.fail("chat.postMessage", channel="#network", **UNKNOWN[name])

    await ana.command("#network", "/action", "Order two racks")
    await house.settled()
    await house.sandbox.advance(timedelta(minutes=1))
    await house.settled()
    posted = len(cards(ana))
    await ana.command("#network", "/steward", "A1 start")
    await house.settled()

    assert posted == (1 if name == "cut off after" else 0)
    assert len(troubles(ana)) == 1
    assert "Slack did not say whether its card was posted" in troubles(ana)[0]
    assert [row.state for row in await owed(house, "card")] == ["unconfirmed", "sent"]
    assert "In progress" in cards(ana)[-1]


@pytest.mark.parametrize("fault", [*NOT_SENT.values(), *UNKNOWN.values()], ids=[*NOT_SENT, *UNKNOWN])
async def test_an_update_of_a_card_is_repeated_until_it_stands(house: House, fault: dict[str, Any]) -> None:
    """Updating twice is the same as updating once."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await house.settled()
    house.sandbox.fail("chat.update", **fault)

    await ana.command("#network", "/steward", "A1 start")
    await house.settled()
    await house.sandbox.next_morning("ana")
    await until(house, lambda: "In progress" in shown(card(ana, "A1")))

    assert len(cards(ana)) == 1
    assert {row.state for row in await owed(house, "card")} <= {"sent", "due"}


async def test_a_card_that_somebody_deleted_is_posted_anew_at_the_next_change(house: House) -> None:
    """Without naming the owner again."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks @ben")
    await house.settled()
    del house.sandbox.workspace.find_channel("network").messages[card(ana, "A1")["ts"]]

    await ana.command("#network", "/steward", "A1 start")
    await house.settled()

    assert "In progress" in shown(card(ana, "A1"))
    assert "<@" not in shown(card(ana, "A1"))


@pytest.mark.parametrize(
    ("code", "what_to_do"),
    [
        ("is_archived", "once it is open again"),
        ("restricted_action", "ask a workspace admin to let me"),
        ("not_in_channel", "invite me there"),
        ("msg_too_long", "shorten the texts"),
        ("invalid_auth", "install me again"),
        ("some_new_reason", "Slack gave this reason: `some_new_reason`"),
    ],
)
async def test_the_actor_is_told_once_why_a_card_cannot_be_posted_and_what_to_do(
    house: House, code: str, what_to_do: str
) -> None:
    """The record is saved all the same."""
    ana = house.sandbox.person("ana")
    house.sandbox.fail("chat.postMessage", error=code, channel="#network", times=9)

    await ana.command("#network", "/action", "Order two racks")
    await house.settled()
    for _ in range(4):  # what may pass is tried five times
        await house.sandbox.next_morning("ana")
    await ana.command("#network", "/steward", "A1 start")
    await house.settled()
    await house.sandbox.next_morning("ana")
    await house.settled()

    assert len(troubles(ana)) == 1
    assert what_to_do in troubles(ana)[0]
    assert (await house.record("A1"))["status"] == "in_progress"


@pytest.mark.parametrize("name", ["busy", *UNKNOWN])
async def test_a_morning_message_comes_once_whatever_goes_wrong(house: House, name: str) -> None:
    """Steward may read its own direct messages, and looks there before it says anything again."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks @ben by tomorrow")
    await house.settled()
    house.sandbox.fail("chat.postMessage", channel=ben.id, **(NOT_SENT | UNKNOWN)[name])

    def got() -> int:
        return sum("Good morning" in shown(message) for message in ben.app_messages())

    await house.sandbox.next_morning("ben")
    await until(house, got)
    await house.sandbox.advance(timedelta(hours=6))
    await house.settled()

    assert got() == 1
    assert [row.state for row in await owed(house, "morning")] == ["sent"]


@pytest.mark.parametrize("fault", [*NOT_SENT.values(), *UNKNOWN.values()], ids=[*NOT_SENT, *UNKNOWN])
async def test_a_home_tab_that_slack_did_not_take_is_drawn_again(house: House, fault: dict[str, Any]) -> None:
    """With the latest state."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks @ana")
    await ana.open_home()
    await house.settled()
    house.sandbox.fail("views.publish", **fault)

    await ana.command("#network", "/steward", "A1 edit")
    await ana.submit({"title": "Order four racks"})
    await until(house, lambda: "Order four racks" in shown(ana.home or {}))

    assert "Order two racks" not in shown(ana.home or {})


@pytest.mark.parametrize("name", ["busy", "broken", "cut off before"])
async def test_an_answer_that_slack_did_not_take_is_given_once_more(house: House, name: str) -> None:
    """The answer of a button travels to an address of its own."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await house.settled()
    house.sandbox.fail("response_url", **(NOT_SENT | UNKNOWN)[name])

    await ana.click(ana.messages("#network")[-1], "step:done")
    await until(house, lambda: "Closed A1" in all_said(ana, "#network"))

    assert all_said(ana, "#network").count("Closed A1") == 1
    assert (await house.record("A1"))["version"] == 2


async def test_a_slack_that_hangs_delays_only_what_it_hangs_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another channel's card is out meanwhile; the slow one is posted once."""
    ana = house.sandbox.person("ana")
    other_is_out = asyncio.Event()

    async def hang(_fault: Fault) -> None:
        await other_is_out.wait()

    monkeypatch.setattr("sandbox.web_api.faulty", hang)
    house.sandbox.fail("chat.postMessage", hang=1, channel="#network")

    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#general", "/action", "Announce the new offices")
    async with asyncio.timeout(30):
        while not [m for m in ana.messages("#general") if is_card_of(m, "A2")]:  # noqa: ASYNC110 - Slack sends no signal
            await asyncio.sleep(0.02)
    other_is_out.set()
    await until(house, lambda: cards(ana))
    await house.settled()

    posts = [call.args["channel"] for call in house.sandbox.calls if call.method == "chat.postMessage"]
    network, general = (house.sandbox.workspace.find_channel(name).id for name in ("network", "general"))
    assert posts == [general, network]


async def test_people_are_answered_while_slack_takes_no_call_at_all(house: House) -> None:
    """What they log is safe, and comes out when Slack is back."""
    ana = house.sandbox.person("ana")
    for method in ("chat.postMessage", "chat.update", "views.publish"):
        house.sandbox.fail(method, retry_after=1, times=2)

    outcome = await ana.command("#network", "/action", "Order two racks")
    done = await ana.command("#network", "/steward", "A1 done")
    await until(house, lambda: cards(ana))

    assert "Logged A1" in shown(outcome.body)
    assert "Closed A1" in shown(done.body)
    assert len(cards(ana)) == 1
    assert "Done" in cards(ana)[0]
