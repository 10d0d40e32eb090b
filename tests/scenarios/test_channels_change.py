"""Channels that are renamed, archived, deleted, shared, made private or given another id: the project follows."""

from datetime import timedelta
from typing import Any

import pytest

from sandbox.events import _wrap
from tests.scenarios.house import House, shown
from tests.scenarios.looking import card
from tests.scenarios.steps import said

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

SECRET = "Sell the old warehouse"


async def told(house: House, event: dict[str, Any]) -> None:
    """An event that nobody in the sandbox can cause by acting."""
    core = house.sandbox._core
    core.courier.event(_wrap(core, {"event_ts": core.new_ts(), **event}))
    await house.settled()


async def log(house: House, name: str, channel: str, words: str) -> None:
    await house.sandbox.person(name).command(channel, "/action", words)
    await house.settled()


async def projects_of(house: House) -> dict[str, bool]:
    """Name -> whether it is private."""
    return {project["name"]: project["is_private"] for project in (await house.export()).projects}


async def test_a_project_that_bears_its_channels_name_takes_the_new_one(house: House) -> None:
    """With an entry in its history."""
    await log(house, "kavya", "#network", "Order two racks")

    await house.sandbox.person("kavya").rename_channel("#network", "office-network")
    await house.settled()

    assert list(await projects_of(house)) == ["office-network"]
    changed = [row for row in (await house.export()).history if row["field"] == "name"]
    assert [(row["before"], row["after"], row["via"]) for row in changed] == [("network", "office-network", "channel")]


async def test_a_project_with_a_name_of_its_own_keeps_it(house: House) -> None:
    """Somebody chose it."""
    kavya = house.sandbox.person("kavya")
    await log(house, "kavya", "#network", "Order two racks")
    await kavya.command("#network", "/steward", "settings")
    await kavya.submit({"name": "Office move"})

    await kavya.rename_channel("#network", "office-network")
    await house.settled()

    assert list(await projects_of(house)) == ["Office move"]


async def test_a_rename_that_was_not_heard_of_is_found_by_the_next_look(house: House) -> None:
    """No event, no restart."""
    await log(house, "kavya", "#network", "Order two racks")

    house.sandbox.workspace.find_channel("network").name = "office-network"
    await house.sandbox.advance(timedelta(seconds=31))
    await house.here.directory.refresh()

    assert list(await projects_of(house)) == ["office-network"]


async def test_a_channel_made_private_closes_its_project_with_the_next_look_and_opens_it_again(house: House) -> None:
    """Slack tells apps of neither."""
    tane = house.sandbox.person("tane")
    await log(house, "kavya", "#network", SECRET)
    channel = house.sandbox.workspace.find_channel("network")
    channel.members.remove(tane.id)
    seen = []

    for kind in ("private", "public"):
        channel.kind = kind
        await house.sandbox.advance(timedelta(seconds=31))
        await house.here.directory.refresh()
        await tane.command("@Steward", "/steward", "A1")
        seen.append((await projects_of(house), SECRET in said(tane, "@Steward")))

    assert seen == [({"network": True}, False), ({"network": False}, True)]


async def test_a_channel_without_steward_that_is_made_private_closes_its_project(house: House) -> None:
    """Slack shows Steward nothing of it any more, so nobody but its beginner is known to be in it."""
    kavya, tane = house.sandbox.person("kavya"), house.sandbox.person("tane")
    await log(house, "kavya", "#random", SECRET)

    house.sandbox.workspace.find_channel("random").kind = "private"
    await house.sandbox.advance(timedelta(seconds=31))
    await house.here.directory.refresh()
    for person in (kavya, tane):
        await person.command("@Steward", "/steward", "A1")

    assert await projects_of(house) == {"random": True}
    assert SECRET in said(kavya, "@Steward")
    assert "There is no A1 here that you can see" in said(tane, "@Steward")


async def test_an_archived_channel_keeps_its_project_and_its_people(house: House) -> None:
    """And is as it was once it is open again."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.invite("#steering", "steward")
    await house.settled()
    await log(house, "ana", "#steering", SECRET)

    await ana.archive_channel("#steering")
    await house.settled()
    await house.sandbox.advance(timedelta(seconds=61))
    await ben.command("@Steward", "/steward", "A1")
    archived = said(ben, "@Steward")
    await ana.unarchive_channel("#steering")
    await house.settled()
    await ben.command("#steering", "/steward", "A1 done")
    await house.settled()

    assert SECRET in archived
    assert "Closed" in shown(card(ana, "A1", "#steering")) or "Done" in shown(card(ana, "A1", "#steering"))


@pytest.mark.parametrize("event", ["channel_deleted", "group_deleted"])
async def test_a_deleted_channel_leaves_its_records_to_those_who_saw_them(house: House, event: str) -> None:
    """What was logged outlives the channel it was logged in."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await ana.invite("#steering", "steward")
    await house.settled()
    await log(house, "ana", "#steering", SECRET)
    channel = house.sandbox.workspace.find_channel("steering")

    house.sandbox.workspace.channels.pop(channel.id)
    await told(house, {"type": event, "channel": channel.id})
    await house.sandbox.advance(timedelta(seconds=61))
    await house.here.directory.refresh()
    for person in (ben, kavya):
        await person.command("@Steward", "/steward", "A1")

    assert SECRET in said(ben, "@Steward")
    assert "There is no A1 here that you can see" in said(kavya, "@Steward")


async def test_a_channel_with_another_id_keeps_its_project_records_and_cards(house: House) -> None:
    """The card is changed where it stands, and the next record needs no new project."""
    kavya = house.sandbox.person("kavya")
    await log(house, "kavya", "#network", "Order two racks")
    workspace = house.sandbox.workspace
    channel = workspace.find_channel("network")
    old = channel.id

    workspace.channels.pop(old)
    channel.id = "C00000000XX"
    workspace.channels[channel.id] = channel
    await told(house, {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": channel.id})
    await kavya.command("#network", "/steward", "A1 start")
    await log(house, "kavya", "#network", "Order four racks")

    everything = await house.export()
    assert [project["channel"] for project in everything.projects] == [channel.id]
    assert {record["channel"] for record in everything.records} == {channel.id}
    assert "In progress" in shown(card(kavya, "A1"))
    assert "Order four racks" in shown(card(kavya, "A2"))


async def test_a_channel_that_is_shared_with_another_company_is_read_anew_at_once(house: House) -> None:
    """Whoever came with it is known from then on."""
    await log(house, "kavya", "#network", "Order two racks")
    zoe = house.sandbox.add_person("zoe", "Zoe of another company")
    await house.settled()
    house.sandbox.workspace.find_channel("network").members.append(zoe.id)
    await house.here.directory.save_person({"id": zoe.id, "name": "zoe", "is_stranger": True})
    await zoe.command("@Steward", "/steward", "A1")
    before = said(zoe, "@Steward")

    channel_id = house.sandbox.workspace.find_channel("network").id
    await told(house, {"type": "channel_shared", "connected_team_id": "T0OTHER", "channel": channel_id})
    await zoe.command("@Steward", "/steward", "A1")

    assert "There is no A1 here that you can see" in before
    assert "Order two racks" in said(zoe, "@Steward")
