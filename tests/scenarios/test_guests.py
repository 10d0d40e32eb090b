"""Guests, people of other companies, the deactivated and apps: who sees what, and who may do what."""

import json
from typing import Any

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answer, buttons
from tests.scenarios.steps import again, delivered, everything_shown_to, owed, said

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def as_of_another_company(house: House, name: str) -> Driver:
    """The person as Slack describes somebody who came through a shared channel."""
    person = house.sandbox.person(name)
    described = {"id": person.id, "name": name, "real_name": person.user.real_name, "tz": person.user.tz}
    await house.here.directory.save_person({**described, "is_stranger": True})
    return person


async def command_from(house: House, person_id: str, command: str, text: str) -> Any:
    """A command in #network as Slack would deliver it from somebody whom the sandbox lets type nothing."""
    await house.sandbox.person("ana").command("#network", "/steward", "help")
    template = delivered(house, "/steward")
    template.payload |= {
        "user_id": person_id,
        "user_name": "x",
        "command": command,
        "text": text,
        "trigger_id": "9.9.x",
    }
    template.kind = command
    (ack,) = await again(house, template)
    return ack


async def test_a_guest_sees_what_was_logged_in_a_channel_they_are_in_and_nothing_else(house: House) -> None:
    """Mia is in #network and not in #general."""
    ana, mia = house.sandbox.person("ana"), house.sandbox.person("mia")
    await ana.command("#network", "/action", "Order two racks @mia")
    await ana.command("#general", "/action", "Announce the new offices")
    await house.settled()

    for text in ("A1", "A2", "A99", "list", "A2 history", "A2 edit", "A2 done"):
        await mia.command("@Steward", "/steward", text)
    await mia.open_home()
    await house.settled()

    told = [shown(message) for message in mia.ephemerals("@Steward")]
    assert "Order two racks" in told[0]
    assert told[1].replace("A2", "A99") == told[2]
    assert "Order two racks" in told[3]
    assert "Announce the new offices" not in everything_shown_to(mia)
    assert "Order two racks" in shown(mia.home or {})
    assert (await house.record("A2"))["status"] == "open"


async def test_a_guest_logs_in_their_channel_and_changes_their_own(house: House) -> None:
    """What a guest raised or owns is theirs to change."""
    ana, mia = house.sandbox.person("ana"), house.sandbox.person("mia")
    await ana.command("#network", "/action", "Order two racks @mia")
    await mia.command("#network", "/issue", "The diagram is not signed")

    await mia.command("#network", "/steward", "A1 done")
    await mia.command("#network", "/steward", "I1 edit")
    await mia.submit({"title": "The architect has not signed the diagram"})
    await house.settled()

    assert (await house.record("A1"))["status"] == "done"
    assert (await house.record("I1"))["title"] == "The architect has not signed the diagram"


async def test_a_guest_is_offered_no_undo_of_what_they_log(house: House) -> None:
    """Guests remove nothing, neither one record nor several."""
    mia = house.sandbox.person("mia")
    await mia.command("#network", "/action", "Order two racks")
    await mia.command("#network", "/action", "A1 done they came")
    await mia.command("#network", "/steward", "action Call Ben\nrisk The racks are late")
    await mia.command("#network", "/steward", "paste")
    await mia.submit({"lines": "One\nTwo"})
    await mia.submit()
    await house.settled()

    told = mia.ephemerals("#network")

    assert [shown(each).partition("\n")[0] for each in told] == [
        "Logged A1 ",
        "Logged A2 ",
        "Logged 2: A3, R1",
        "*Logged 2 records in network: A4 to A5.*",
    ]
    assert "If you meant A1 itself, type `/steward A1 done`" in shown(told[1])
    assert not any("undo" in json.dumps(each).lower() for each in told)


@pytest.mark.parametrize("text", ["A1 done", "A1 edit", "A1 cancel"])
async def test_a_guest_does_not_change_what_is_others(house: House, text: str) -> None:
    """They see it, so the refusal says whom to ask."""
    ana, mia = house.sandbox.person("ana"), house.sandbox.person("mia")
    await ana.command("#network", "/action", "Order two racks @ben")

    await mia.command("#network", "/steward", text)
    await house.settled()

    assert "Guests can change only what they own or raised" in said(mia, "#network")
    assert mia.modal is None
    assert (await house.record("A1"))["version"] == 1


async def test_a_guest_does_not_approve_a_decision_even_their_own(house: House) -> None:
    """Nor does a member; the coordinator does."""
    kavya, mia, ben = (house.sandbox.person(name) for name in ("kavya", "mia", "ben"))
    await kavya.command("#network", "/action", "Order two racks")
    await mia.command("#network", "/decision", "Use the second data centre")

    await mia.command("#network", "/steward", "D1 approve")
    await ben.command("#network", "/steward", "D1 approve")
    still = (await house.record("D1"))["status"]
    await kavya.command("#network", "/steward", "D1 approve")

    assert still == "proposed"
    assert "Only the coordinator of network can decide this. Ask Kavya Rao" in said(ben, "#network")
    assert (await house.record("D1"))["status"] == "approved"


async def test_a_guest_who_leaves_the_channel_sees_nothing_of_it_any_more(house: House) -> None:
    """Membership is asked each time."""
    mia = house.sandbox.person("mia")
    await mia.command("#network", "/issue", "The diagram is not signed")

    await mia.leave("#network")
    await house.settled()
    await mia.command("@Steward", "/steward", "I1")

    assert "There is no I1 here that you can see" in said(mia, "@Steward")


async def test_a_guest_who_becomes_a_full_member_sees_the_open_projects(house: House) -> None:
    """Slack tells of the change, nobody restarts anything."""
    ana, mia = house.sandbox.person("ana"), house.sandbox.person("mia")
    await ana.command("#general", "/action", "Announce the new offices")
    await mia.command("@Steward", "/steward", "A1")
    before = said(mia, "@Steward")

    house.sandbox.change_person("mia", is_restricted=False, is_ultra_restricted=False)
    await house.settled()
    await mia.command("@Steward", "/steward", "A1")

    assert "There is no A1 here that you can see" in before
    assert "Announce the new offices" in said(mia, "@Steward")


async def test_a_guest_in_a_public_channel_without_steward_finds_again_what_they_logged(house: House) -> None:
    """Typing a command in a channel proves that one is in it."""
    ana, mia = house.sandbox.person("ana"), house.sandbox.person("mia")
    await ana.invite("#random", "mia")

    await mia.command("#random", "/issue", "The coffee machine is broken")
    await mia.command("#random", "/steward", "I1")

    assert "The coffee machine is broken" in said(mia, "#random")


async def test_somebody_of_another_company_sees_but_does_not_log(house: House) -> None:
    """What they typed is given back."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    kavya = await as_of_another_company(house, "kavya")

    await kavya.command("#network", "/risk", "The racks may not fit")
    refusal = said(kavya, "#network")
    await kavya.command("#network", "/steward", "A1")
    await kavya.command("#network", "/steward", "A1 done")
    await house.settled()

    assert "The racks may not fit" in refusal
    assert "The project's coordinator can allow it in its settings" in refusal
    assert "Order two racks" in shown(kavya.ephemerals("#network")[-2])
    assert [record["reference"] for record in (await house.export()).records] == ["A1"]
    assert (await house.record("A1"))["status"] == "open"


async def test_somebody_of_another_company_closes_what_they_own(house: House) -> None:
    """An owner answers for it."""
    ana = house.sandbox.person("ana")
    kavya = await as_of_another_company(house, "kavya")
    await ana.command("#network", "/action", "Order two racks @kavya")

    await kavya.command("#network", "/steward", "A1 done")

    assert (await house.record("A1"))["status"] == "done"


async def test_somebody_of_another_company_who_is_first_begins_no_project(house: House) -> None:
    """Nothing is stored."""
    kavya = await as_of_another_company(house, "kavya")

    await kavya.command("#network", "/action", "Order two racks")
    await house.settled()

    assert "Order two racks" in said(kavya, "#network")
    everything = await house.export()
    assert (everything.projects, everything.records) == ([], [])


async def test_the_deactivated_and_apps_do_nothing(house: House) -> None:
    """A request of theirs that still arrives is refused, whatever it asks."""
    await house.sandbox.person("ana").command("#network", "/action", "Order two racks")

    for person_id in (house.sandbox.person("omar").id, house.sandbox.bot_user_id):
        logged = await command_from(house, person_id, "/action", "Order four racks")
        looked = await command_from(house, person_id, "/steward", "A1")
        assert logged.ok
        assert looked.ok
        assert "Order two racks" not in shown(looked.body)
    await house.settled()

    assert [record["reference"] for record in (await house.export()).records] == ["A1"]


@pytest.mark.parametrize(("name", "reason"), [("omar", "account is deactivated"), ("steward", "is an app")])
async def test_the_deactivated_and_apps_own_nothing(house: House, name: str, reason: str) -> None:
    """The rest is saved, and the sentence says why the owner is not."""
    ana = house.sandbox.person("ana")

    await ana.command("#network", "/action", f"Order two racks @{name}")
    await house.settled()

    assert (await house.record("A1"))["owner"] is None
    assert reason in said(ana, "#network")


async def test_whoever_is_deactivated_later_is_not_reminded(house: House) -> None:
    """Slack refuses messages to them anyway; nobody is told of a fault."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks @ben by tomorrow")
    await house.settled()

    house.sandbox.change_person("ben", deleted=True)
    await house.settled()
    await house.sandbox.next_morning("kavya")
    await house.sandbox.next_morning("ben")
    await house.sandbox.next_morning("ben")
    await house.settled()

    assert await owed(house, "morning") == []


async def test_people_of_another_company_log_where_the_project_allows_it(house: House) -> None:
    """In the channel they share, and nowhere else; what they raised is theirs to change."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#general", "/action", "Book the room")
    await ana.command("#network", "/steward", "settings")
    await ana.click_view("more_settings")
    await house.settled()
    await ana.submit({"may_others_log": ["yes"]})
    tane = await as_of_another_company(house, "tane")

    await tane.command("#network", "/action", "Send the firewall rules")
    await tane.command("#network", "/steward", "A3 done")
    await tane.command("#network", "/steward", "A1 done")
    refused = said(tane, "#network")
    await tane.command("#general", "/action", "Bring a cake")
    await house.settled()

    assert (await house.record("A3"))["status"] == "done"
    assert "There is no" in refused or "only what they own or raised" in refused
    assert "People of other companies cannot log here" in said(tane, "#general")
    assert len((await house.export()).records) == 3


async def test_a_guest_is_offered_no_project_to_begin(house: House) -> None:
    ana, mia = house.sandbox.person("ana"), house.sandbox.person("mia")
    await ana.command("#network", "/action", "Order two racks")

    for person in (ana, mia):
        await person.command("#network", "/steward", "projects")
    await house.settled()

    offers = [[action_id for action_id, _ in buttons(answer(person))] for person in (ana, mia)]
    assert offers == [["open_project", "settings", "new_project"], ["open_project"]]
