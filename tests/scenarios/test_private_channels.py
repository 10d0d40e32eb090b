"""Private channels: what is logged in one stays with its members, wherever anybody looks."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE

import pytest

from sandbox.delivery import Shipment
from tests.scenarios.house import House, shown
from tests.scenarios.steps import delivered, everything_shown_to, owed, said

SECRET = "Sell the old warehouse"


async def log_in_steering(house: House, *, owner: str = "") -> None:
    """Ana logs A1 in the private channel that Steward is not in: the form asks the project's name."""
    ana = house.sandbox.person("ana")
    await ana.command("#steering", "/action", f"{SECRET} {owner}".strip())
    await ana.submit({"project_name": "Steering"})
    await house.settled()


async def invite(house: House) -> None:
    """Ana invites Steward to the private channel."""
    await house.sandbox.person("ana").invite("#steering", "steward")
    await house.settled()


async def test_in_a_private_channel_steward_cannot_read_the_form_asks_the_projects_name(house: House) -> None:
    """The words typed are in the form, and it says who will see the project."""
    ana = house.sandbox.person("ana")

    await ana.command("#steering", "/action", SECRET)
    form = ana.modal
    await ana.submit({"project_name": ""})
    without_name = dict(ana.form_errors)
    await ana.submit({"project_name": "Steering"})
    await house.settled()

    assert form is not None
    assert "Until I am invited, only you can see what you log here" in json.dumps(form)
    assert SECRET in json.dumps(form)
    assert list(without_name) == ["project_name"]
    (begun,) = (await house.export()).projects
    assert (begun["name"], begun["is_private"], begun["coordinator"]) == ("Steering", True, ana.id)
    assert (await house.record("A1"))["channel"] == house.sandbox.workspace.find_channel("steering").id
    assert "/invite @Steward" in said(ana, "#steering")


async def test_before_membership_can_be_read_only_the_creator_sees_the_project(house: House) -> None:
    """Not even somebody of the same channel does; hidden and absent look the same."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log_in_steering(house)

    for text in ("A1", "A99"):
        await ben.command("#steering", "/steward", text)
    hidden, absent = (shown(message) for message in ben.ephemerals("#steering")[-2:])
    await ben.command("#steering", "/action", "Find a buyer")
    refused = said(ben, "#steering")
    await ana.command("#steering", "/steward", "A1")

    assert hidden.replace("A1", "A99") == absent
    assert "/invite @Steward" in refused
    assert "Find a buyer" in refused
    assert SECRET in said(ana, "#steering")
    assert [record["reference"] for record in (await house.export()).records] == ["A1"]


async def test_once_invited_the_members_are_read_and_all_of_them_see_the_project(house: House) -> None:
    """Ben is in the channel, Kavya is not."""
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await log_in_steering(house)

    await invite(house)
    await ben.command("#steering", "/steward", "A1")
    await ben.command("#steering", "/risk", "No buyer may be found")
    await kavya.command("#network", "/steward", "A1")
    await house.settled()

    assert SECRET in shown(ben.ephemerals("#steering")[0])
    assert (await house.record("R1"))["project"] == "Steering"
    assert "There is no A1 here that you can see" in said(kavya, "#network")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_membership_that_could_not_be_read_at_the_invitation_is_read_at_the_next_need(house: House) -> None:
    """Slack was too busy to tell when Steward came in."""
    ben = house.sandbox.person("ben")
    await log_in_steering(house)
    house.sandbox.fail("conversations.members", retry_after=1, times=2)

    await invite(house)
    await ben.command("#steering", "/steward", "A1")

    assert SECRET in said(ben, "#steering")


async def test_an_outsider_meets_nothing_of_a_private_project_anywhere(house: House) -> None:
    """References, lists, steps, edits, history, settings, Home and the picker of projects."""
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await log_in_steering(house)
    await invite(house)
    await kavya.command("#network", "/action", "Order two racks")

    for text in ("A1", "A1 done", "A1 edit", "A1 history", "list", "list actions", "settings"):
        await kavya.command("@Steward", "/steward", text)
    offered = await kavya.options("project", "")
    await kavya.open_home()
    await house.settled()

    assert SECRET not in everything_shown_to(kavya, ("#network",))
    assert "Steering" not in everything_shown_to(kavya, ("#network",))
    assert [option["text"]["text"] for option in offered] == ["network"]
    assert (await house.record("A1"))["status"] == "open"
    await ben.command("@Steward", "/steward", "list")
    assert SECRET in said(ben, "@Steward")


@pytest.mark.parametrize("button", ["step:done", "edit", "history"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_whoever_left_the_channel_can_no_longer_use_a_button_they_still_see(house: House, button: str) -> None:
    """Rights are asked when somebody acts, not when the button was drawn."""
    ben = house.sandbox.person("ben")
    await log_in_steering(house)
    await invite(house)
    await ben.command("#steering", "/steward", "A1")
    await ben.click(ben.ephemerals("#steering")[-1], "edit")
    await house.settled()
    await ben.close()
    seen_before = len(ben.ephemerals("#steering"))
    pressed = delivered(house, "block_actions").payload
    house.sandbox.workspace.find_channel("steering").members.remove(ben.id)
    await house.here.directory.learn_channel(pressed["channel"]["id"])

    await _press(house, pressed, button)
    await house.settled()

    assert (await house.record("A1"))["status"] == "open"
    told = [each.message for each in house.sandbox.workspace.ephemerals if each.user == ben.id][seen_before:]
    assert "There is no A1 here that you can see" in shown(told[-1])
    assert SECRET not in "".join(map(shown, told))
    assert ben.modal is None


async def _press(house: House, payload: dict, button: str) -> None:
    """The press of a button as Slack delivers it, with a trigger of its own."""
    action = {**payload["actions"][0], "action_id": button, "value": "A1"}
    fresh = {**payload, "actions": [action], "trigger_id": f"{payload['trigger_id']}x"}
    await house.sandbox._core.courier.ask(Shipment("interactive", "block_actions", fresh))


async def test_leaving_the_channel_closes_its_project(house: House) -> None:
    """Ben left: what he owned there is gone from his Home, too."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log_in_steering(house)
    await invite(house)
    await ana.command("#steering", "/action", "Call the bank @ben")
    await ben.open_home()
    await house.settled()
    home_before = shown(ben.home or {})

    await ben.leave("#steering")
    await house.settled()
    await ben.open_home()
    await ben.command("@Steward", "/steward", "A2")
    await house.settled()

    assert "Call the bank" in home_before
    assert "Call the bank" not in shown(ben.home or {})
    assert "There is no A2 here that you can see" in said(ben, "@Steward")


async def test_when_steward_is_removed_only_the_creator_sees_the_project_until_it_is_back(house: House) -> None:
    """What cannot be kept true is not believed."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log_in_steering(house)
    await invite(house)

    await ana.remove("#steering", "steward")
    await house.settled()
    await ben.command("@Steward", "/steward", "A1")
    await ana.command("@Steward", "/steward", "A1")
    removed = said(ben, "@Steward"), said(ana, "@Steward")
    await invite(house)
    await ben.command("@Steward", "/steward", "A1")

    assert "There is no A1 here that you can see" in removed[0]
    assert SECRET in removed[1]
    assert SECRET in said(ben, "@Steward")


async def test_an_owner_who_cannot_see_the_project_is_refused(house: House) -> None:
    """The record is saved without an owner, and the sentence says what to do."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await log_in_steering(house)
    await invite(house)

    await ana.command("#steering", "/action", "Call the bank @kavya")
    await house.settled()
    confirmation = said(ana, "#steering")
    await ana.command("#steering", "/steward", "A2 edit")
    await ana.submit({"owner_id": kavya.id})

    assert (await house.record("A2"))["owner"] is None
    assert "Kavya Rao cannot see Steering. Invite them to its channel first" in confirmation
    assert "Kavya Rao cannot see Steering" in ana.form_errors["owner_id"]
    assert await owed(house, "assigned") == []
    assert "Call the bank" not in everything_shown_to(kavya)


async def test_undo_is_asked_for_the_same_right_as_seeing(house: House) -> None:
    """A confirmation that Ben still has on his screen does nothing after he left."""
    ben = house.sandbox.person("ben")
    await log_in_steering(house)
    await invite(house)
    await ben.command("#steering", "/steward", "A1 done")
    await ben.click(ben.ephemerals("#steering")[-1], "undo")
    await ben.command("#steering", "/steward", "A1 done")
    await ben.click(ben.ephemerals("#steering")[-1], "edit")
    await ben.close()
    pressed = delivered(house, "block_actions").payload
    version = (await house.record("A1"))["version"]

    await ben.leave("#steering")
    await house.settled()
    action = {**pressed["actions"][0], "action_id": "undo", "value": f"A1:{version}"}
    await _press(house, pressed | {"actions": [action]}, "undo")

    record = await house.record("A1")
    assert (record["status"], record["version"]) == ("done", version)


async def test_the_card_stands_in_the_private_channel_and_nowhere_else(house: House) -> None:
    """Once Steward is in the channel the card comes there, and follows the next change."""
    ana = house.sandbox.person("ana")
    await log_in_steering(house)
    await invite(house)

    await ana.command("#steering", "/steward", "A1 start")
    await house.settled()

    cards = [message for message in ana.messages("#steering") if SECRET in shown(message)]
    assert len(cards) == 1
    assert "In progress" in shown(cards[0])
    for channel in ("#general", "#network", "#random"):
        assert SECRET not in "".join(shown(message) for message in ana.messages(channel))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_export_as_a_person_holds_what_that_person_may_export(house: House, database_url: str) -> None:
    """A coordinator's own projects, for an admin those they see; Ben sees both and leads none."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await log_in_steering(house)
    await invite(house)
    await kavya.command("#network", "/action", "Order two racks")

    everything, as_ana, as_ben, as_kavya = await asyncio.gather(
        exported(database_url), *(exported(database_url, "--as", person.id) for person in (ana, ben, kavya))
    )

    assert [record["title"] for record in everything["records"]] == [SECRET, "Order two racks"]
    assert as_ana == everything
    assert (as_ben["projects"], as_ben["records"], as_ben["history"]) == ([], [], [])
    assert [record["title"] for record in as_kavya["records"]] == ["Order two racks"]
    assert SECRET not in json.dumps(as_kavya)
    assert "Steering" not in json.dumps(as_kavya)


async def exported(database_url: str, *arguments: str) -> dict[str, list[dict[str, str]]]:
    """What `steward export` prints, in a process of its own."""
    program = [sys.executable, "-c", "from bot.command_line import main; main()", "export", *arguments]
    process = await asyncio.create_subprocess_exec(
        *program, stdout=PIPE, env={**os.environ, "DATABASE_URL": database_url}
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(printed)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_owner_who_left_the_private_channel_is_not_reminded(house: House) -> None:
    """Rights are asked again when the morning message is sent."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log_in_steering(house)
    await invite(house)
    await ana.command("#steering", "/action", "Call the bank @ben by tomorrow")
    await ana.command("#network", "/action", "Order two racks @ben by tomorrow")
    await house.settled()

    await ben.leave("#steering")
    await house.settled()
    for _ in range(2):
        await house.sandbox.next_morning("ben")
    await house.settled()

    mornings = [shown(m) for m in ben.app_messages() if "Good morning" in shown(m)]
    assert mornings
    assert "Order two racks" in mornings[-1]
    assert "Call the bank" not in "".join(mornings)
