"""A record moves to another project: with all that belongs to it, and without a word to those who may not know."""

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import Json, answer, answered, card, is_card_of
from tests.scenarios.steps import everything_shown_to
from tests.scenarios.test_buttons import again
from tests.scenarios.test_commands import typed
from tests.scenarios.test_private_channels import SECRET, invite, log_in_steering

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def cards(person: Driver, reference: str, channel: str) -> list[Json]:
    return [message for message in person.messages(channel) if is_card_of(message, reference)]


async def with_two_projects(house: House, *, title: str = "Order cables @ben by 2031-12-05 3pm") -> Driver:
    """A1 of #network, and a project of #general to which it may move."""
    ana = house.sandbox.person("ana")
    await typed(house, ana, f"/action {title}")
    await typed(house, ana, "/risk Something of the other project", "#general")
    return ana


@sqlite_only
async def test_a_card_moves_to_a_public_channel_that_steward_is_not_in(house: House) -> None:
    ana = await with_two_projects(house)
    await typed(house, ana, "/action Mend the coffee machine", "#random")

    told = await typed(house, ana, "/steward A1 move #random")

    assert "Moved A1" in told
    assert "I am not in" not in told
    assert "Order cables" in shown(card(ana, "A1", "#random"))


async def test_a_record_moves_with_history_links_and_comments_and_back(house: House) -> None:
    """Its old card becomes a line, a new one stands in the new channel; Undo brings it back there."""
    ana = await with_two_projects(house)
    await typed(house, ana, "/steward A1 start")
    await typed(house, ana, "/steward A1 blocks R1")
    await typed(house, ana, "/steward A1 comment Ben has the quote")

    told = await typed(house, ana, "/steward A1 move #general")
    confirmation = answer(ana)
    moved = await house.record("A1")
    history = await typed(house, ana, "/steward A1 history")

    assert "Moved A1" in told
    assert "Project: network → general" in told
    assert (moved["project"], moved["channel"]) == ("general", house.sandbox.workspace.find_channel("general").id)
    assert (moved["due_date"], moved["status"], moved["due_moves"]) == ("2031-12-05", "in_progress", 0)
    assert cards(ana, "A1", "#network") == []
    assert "A1 was moved to another project." in "\n".join(map(shown, ana.messages("#network")))
    assert "Order cables" not in "\n".join(shown(each) for each in ana.messages("#network"))
    new = shown(card(ana, "A1", "#general"))
    assert "Blocks: " in new
    assert "Ben has the quote" in new
    assert "status: Open → In progress" in history
    assert "project: network → general" in history

    await ana.click(confirmation, "undo")
    await house.settled()
    assert "Project: general → network" in shown(again(ana, confirmation))
    assert (await house.record("A1"))["project"] == "network"
    assert cards(ana, "A1", "#general") == []
    assert "Ben has the quote" in shown(card(ana, "A1"))


@sqlite_only
async def test_the_card_stays_in_step_at_its_new_place_and_tells_its_owner_nothing_twice(house: House) -> None:
    ana, ben = await with_two_projects(house), house.sandbox.person("ben")
    await typed(house, ana, "/steward A1 move general")

    await typed(house, ana, "/steward A1 done")

    assert "*Status*\nDone" in shown(card(ana, "A1", "#general"))
    posts = [call for call in house.sandbox.calls if call.method == "chat.postMessage" and call.answer.get("ok")]
    assert sum(f"<@{ben.id}>" in str(call.args) for call in posts) == 1
    assert ben.app_messages() == []


@sqlite_only
async def test_the_menu_of_the_card_asks_which_project(house: House) -> None:
    ana = await with_two_projects(house)
    await typed(house, ana, "/steward A1 done")

    await ana.click(card(ana, "A1"), "more", "move A1")
    options = await ana.options("project", "gen")
    await ana.submit({"project": options[0]["value"]})
    await house.settled()

    assert [option["text"]["text"] for option in options] == ["general"]
    assert (await house.record("A1"))["project"] == "general"


@sqlite_only
async def test_out_of_a_private_project_it_is_asked_first_who_will_see_it(house: House) -> None:
    """And nothing of it is anywhere before the answer; its comments and history come along after."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await typed(house, ana, "/action So that network is a project")
    await ana.command("#steering", "/action", SECRET)
    await ana.submit({"project_name": "Steering"})
    await invite(house)
    await typed(house, ana, "/steward A2 comment Ask the bank", "#steering")

    await typed(house, ana, "/steward A2 move #network", "#steering")
    asked = shown(ana.modal or {})
    before = (await house.record("A2"))["project"]
    await ana.submit()
    await house.settled()

    assert "A2 is in the private project Steering" in asked
    assert "In network everybody in this workspace can read all of it" in asked
    assert before == "Steering"
    assert SECRET in shown(card(kavya, "A2"))
    assert "Ask the bank" in shown(card(kavya, "A2"))
    told = await typed(house, kavya, "/steward A2 history")
    assert "project: a project you do not see → network" in told
    assert "Steering" not in everything_shown_to(kavya, ("#network", "#general"))
    assert "Steering" in await typed(house, ana, "/steward A2 history")


@sqlite_only
async def test_into_a_private_project_it_disappears_for_everybody_else(house: House) -> None:
    """Undo would show it to others again, so it names the command that asks first."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await log_in_steering(house)
    await invite(house)
    await typed(house, ana, "/action Call the second bank")

    await typed(house, ana, "/steward A2 move #steering")
    await ana.click(answer(ana), "undo")
    await house.settled()

    assert "undoing this would show it to others. `/steward A2 move` moves it back, and asks first." in answered(ana)
    assert "There is no A2 here that you can see" in await typed(house, kavya, "/steward A2")
    seen = everything_shown_to(kavya, ("#network", "#general"))
    assert "A2 was moved to another project." in seen
    assert "Steering" not in seen
    assert "second bank" not in seen
    assert "Call the second bank" in shown(card(ana, "A2", "#steering"))


@sqlite_only
async def test_a_move_that_is_not_possible_says_what_to_do(house: House) -> None:
    """Into what one does not see, where the owner would lose it, where it is already, or without the right."""
    ana, kavya, mia = (house.sandbox.person(name) for name in ("ana", "kavya", "mia"))
    await with_two_projects(house, title="Order cables @kavya")
    await log_in_steering(house)
    await invite(house)

    steering = f"<#{house.sandbox.workspace.find_channel('steering').id}>"
    hidden = await typed(house, kavya, f"/steward A1 move {steering}")
    absent = await typed(house, kavya, "/steward A1 move #random")
    blind = await typed(house, ana, "/steward A1 move #steering")
    already = await typed(house, ana, "/steward A1 move #network")
    unknown = await typed(house, ana, "/steward A1 move somewhere")
    await typed(house, mia, "/steward A1 move")

    assert "There is no project in that channel that you can see" in hidden
    assert "There is no project in that channel that you can see" in absent
    assert "Kavya Rao, who owns A1, cannot see Steering. Invite them to its channel first" in blind
    assert "A1 is in network already" in already
    assert "There is no one project called “somewhere” that you can see" in unknown
    assert "Guests can change only what they own or raised, or help with" in answered(mia)
    assert (await house.record("A1"))["version"] == 1


@sqlite_only
async def test_an_approved_decision_moves_only_with_the_word_of_the_other_coordinator(house: House) -> None:
    ana, ben, tane = (house.sandbox.person(name) for name in ("ana", "ben", "tane"))
    await typed(house, ben, "/decision Use fibre")
    await typed(house, ben, "/steward D1 approve")
    await typed(house, tane, "/action Another project", "#general")

    refused = await typed(house, ben, "/steward D1 move #general")
    await typed(house, ana, "/steward D1 move #general")

    assert "Only the coordinator of general can decide this" in refused
    assert (await house.record("D1"))["project"] == "general"


@sqlite_only
async def test_a_due_time_stays_the_instant_it_was(house: House) -> None:
    """Ben's project is in Berlin, Ana's in New York: 3 pm there is 9 pm here."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables by 2031-12-05 3pm")
    await typed(house, ben, "/action Another project", "#general")

    await typed(house, ana, "/steward A1 move #general")

    record = await house.record("A1")
    assert (record["due_date"], record["due_time"], record["due_moves"]) == ("2031-12-05", "21:00:00", 0)


# Direct messages that keep up ---------------------------------------------------------------------------------------


@sqlite_only
async def test_the_message_about_a_record_follows_it_from_hand_to_hand(house: House) -> None:
    """It shows how the record stands, and once it is somebody else's whose it is."""
    ana, ben, tane, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "tane", "kavya"))
    await typed(house, ana, "/action Order cables @ben")
    await typed(house, ben, "/steward A1 @tane")
    given = shown(tane.app_messages()[-1])
    await typed(house, tane, "/steward A1 start")
    started = shown(tane.app_messages()[-1])
    await typed(house, ana, "/steward A1 @kavya")
    await typed(house, kavya, "/steward A1 done")

    assert "You own A1 in network, raised by Ana Torres. Ben Fischer gave it to you." in given
    assert "*Status*\nIn progress" in started
    assert [shown(message) for message in tane.app_messages()] == ["Kavya Rao owns A1 now: Order cables\nShow"]
    (theirs,) = kavya.app_messages()
    assert "*Status*\nDone" in shown(theirs)


@sqlite_only
async def test_a_helper_is_told_once_and_the_message_ends_with_the_help(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables @ana")

    await typed(house, ana, "/steward A1 helper @ben")
    told = [shown(message) for message in ben.app_messages()]
    await typed(house, ana, "/steward A1 helper -@ben")

    assert len(told) == 1
    assert "You help with A1 in network, which Ana Torres owns." in told[0]
    assert [shown(message) for message in ben.app_messages()] == ["Ana Torres owns A1 now: Order cables\nShow"]


@sqlite_only
async def test_a_message_about_what_one_may_no_longer_see_forgets_it(house: House) -> None:
    """Kavya owned it, gave it to Ben, and it went into a private project."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await log_in_steering(house)
    await invite(house)
    await typed(house, ana, "/action Call the second bank")
    await typed(house, ana, "/steward A2 @kavya")
    assert "second bank" in shown(kavya.app_messages()[-1])

    await typed(house, ana, "/steward A2 @ben")
    await typed(house, ana, "/steward A2 move #steering")
    await typed(house, ana, "/steward A2 @ana", "#steering")

    assert "second bank" not in everything_shown_to(kavya)
    assert "no longer yours to see" in shown(kavya.app_messages()[-1])
