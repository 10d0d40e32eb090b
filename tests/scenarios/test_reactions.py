"""A reaction on a message saves it as a draft, once, and asks in private for what is missing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, house_over_socket_mode, shown
from tests.scenarios.looking import answer, answered, buttons, card, held
from tests.scenarios.steps import again, all_said, delivered, everything_shown_to, owed
from tests.scenarios.test_guests import as_of_another_company

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

Json = dict[str, Any]


@pytest.fixture
async def reading_house(database_url: str) -> AsyncIterator[House]:
    """Steward with the optional scopes: it may read the messages of channels where it is."""
    async with house_over_socket_mode(database_url, optional_scopes=True) as house:
        yield house


async def said_by(name: str, house: House, text: str, channel: str = "#network") -> Json:
    return await house.sandbox.person(name).say(channel, text)


async def react(house: House, person: Driver, message: Json, emoji: str = "warning") -> None:
    await person.react(message["channel"], message["ts"], emoji)
    await house.settled()


async def titles(house: House) -> dict[str, str]:
    return {record["reference"]: record["title"] for record in (await house.export()).records}


@pytest.mark.parametrize(("emoji", "reference"), [("pushpin", "D1"), ("warning", "R1"), ("white_check_mark", "A1")])
@sqlite_only
async def test_each_emoji_saves_its_kind_as_a_draft_and_asks_for_the_title(
    house: House, emoji: str, reference: str
) -> None:
    """Without the optional scopes Steward may read no messages; the card stands in the message's thread."""
    ana = house.sandbox.person("ana")
    message = await said_by("ben", house, "We run out of sockets")

    await react(house, ana, message, emoji)

    record = await house.record(reference)
    assert record["title"].endswith(" from a message of Ben Fischer's")
    assert (record["is_draft"], record["details"], record["raised_by"]) == (True, "", ana.id)
    assert f"/p{message['ts'].replace('.', '')}" in record["source_link"]
    assert "Draft" in shown(card(ana, reference))
    assert card(ana, reference)["thread_ts"] == message["ts"]
    assert "It needs a title" in answered(ana)
    assert [value for _, value in buttons(answer(ana))] == [reference] * 3
    await ana.click(answer(ana), "edit")
    assert held(ana.modal)["title"] is None
    await ana.submit({"title": "Sockets in rack 3"})
    await house.settled()
    assert (await house.record(reference))["is_draft"] is False
    assert "Draft" not in shown(card(ana, reference))
    assert "Sockets in rack 3" in shown(card(ana, reference))


async def test_with_the_optional_scopes_the_message_is_title_and_details(reading_house: House) -> None:
    """A reply in a thread, by its first line; then its card and the question are in that thread."""
    house = reading_house
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    root = await ben.say("#network", "Rack 3")
    text = "No free sockets & <none> in rack 4\nAsk @kavya"
    message = await ben.say("#network", text, root["ts"])

    await react(house, ana, message, "warning::skin-tone-3")

    record = await house.record("R1")
    assert record["title"] == "No free sockets & <none> in rack 4"
    assert record["details"] == "No free sockets & <none> in rack 4\nAsk @Kavya Rao"
    assert card(ana, "R1")["thread_ts"] == answer(ana)["thread_ts"] == root["ts"]
    assert "Is it complete?" in answered(ana)


async def test_a_message_becomes_one_record_of_a_kind_whoever_reacts_however_often(house: House) -> None:
    """Two at the same moment, one person twice, the event again, after a removal. Another kind is another."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    message = await said_by("kavya", house, "We run out of sockets")

    await asyncio.gather(*(person.react("#network", message["ts"], "warning") for person in (ana, ben)))
    await house.settled()
    await again(house, delivered(house, "reaction_added"), times=5)
    await react(house, ana, message)
    await react(house, ana, message)
    await react(house, ana, message, "white_check_mark")

    assert sorted(await titles(house)) == ["A1", "R1"]
    assert len(await owed(house, "draft")) == 2
    asked = [person for person in (ana, ben) if "Saved R1" in all_said(person, "#network")]
    assert len(asked) == 1

    await ana.command("#network", "/steward", "R1 remove")
    await react(house, house.sandbox.person("tane"), message)
    assert sorted(await titles(house)) == ["A1", "R1"]


@sqlite_only
async def test_it_is_kept_as_it_is_or_taken_back_and_that_is_undone(house: House) -> None:
    ana = house.sandbox.person("ana")
    first, second = await said_by("ben", house, "One"), await said_by("ben", house, "Two")
    await react(house, ana, first)
    await react(house, ana, second)
    one, two = ana.ephemerals("#network")

    await ana.click(one, "keep")
    await ana.click(two, "discard")
    await house.settled()
    kept, taken_back = ana.ephemerals("#network")

    assert ((await house.record("R1"))["is_draft"], (await house.record("R2"))["is_archived"]) == (False, True)
    assert "Kept R1" in shown(kept)
    assert "Removed R2" in shown(taken_back)
    await ana.click(taken_back, "undo")
    await house.settled()
    record = await house.record("R2")
    assert (record["is_archived"], record["is_draft"]) == (False, True)


@sqlite_only
async def test_a_step_ends_a_draft_and_undoing_it_brings_the_draft_back(house: House) -> None:
    """In the list it says Draft; nobody is told of it on a morning."""
    ana = house.sandbox.person("ana")
    await react(house, ana, await said_by("ben", house, "One"), "white_check_mark")

    await ana.command("#network", "/steward", "list")
    listed = answered(ana)
    await ana.command("#network", "/steward", "A1 start")
    began = await house.record("A1")
    await ana.click(answer(ana), "undo")
    await house.settled()

    assert "Draft" in listed
    assert (began["status"], began["is_draft"]) == ("in_progress", False)
    record = await house.record("A1")
    assert (record["status"], record["is_draft"]) == ("open", True)


@sqlite_only
async def test_nothing_happens_for_strangers_other_emoji_and_stewards_own_messages(house: House) -> None:
    """Not a word either; a guest may log in their channel, so theirs counts."""
    ana, mia = house.sandbox.person("ana"), house.sandbox.person("mia")
    message = await said_by("ben", house, "We run out of sockets")
    tane = await as_of_another_company(house, "tane")
    await ana.command("#network", "/action", "Order racks")
    await house.settled()

    await react(house, tane, message)
    await react(house, ana, message, "tada")
    await react(house, ana, card(ana, "A1"))
    assert list(await titles(house)) == ["A1"]
    assert tane.ephemerals("#network") == []

    await react(house, mia, message)
    assert sorted(await titles(house)) == ["A1", "R1"]
    assert "Saved R1" in all_said(mia, "#network")


@sqlite_only
async def test_in_a_private_channel_the_draft_stays_there(reading_house: House) -> None:
    """The first record there begins its project; nobody else learns of it."""
    house = reading_house
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.invite("#steering", "steward")
    await house.settled()

    await react(house, ana, await said_by("ben", house, "The budget is cut", "#steering"))
    await kavya.command("#network", "/steward", "R1")
    await kavya.command("#network", "/steward", "list everywhere")

    assert (await house.record("R1"))["project"] == "steering"
    assert "began the project steering" in all_said(ana, "#steering")
    assert "budget" not in everything_shown_to(kavya, ("#network",))


@sqlite_only
async def test_an_admin_chooses_the_emoji_and_everybody_sees_them(house: House) -> None:
    """One may be switched off; the choice outlives a restart, and applies at once."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/steward", "reactions")
    assert held(ana.modal)["risk"] == ":warning:"
    twice = await ana.submit({"risk": ":fire:", "issue": ":fire:"})
    await ana.submit({"risk": ":fire:", "issue": "thumbsup", "action": ""})
    await ben.command("#network", "/steward", "reactions")
    await house.settled()

    assert list(twice.errors) == ["issue"]
    assert ben.modal is None
    assert ":fire:" in answered(ben)
    assert "Workspace admins choose" in answered(ben)
    message = await said_by("kavya", house, "We run out of sockets")
    for emoji in ("warning", "white_check_mark", "fire", "+1", "pushpin"):
        await react(house, ben, message, emoji)
    assert sorted(await titles(house)) == ["D1", "I1", "R1"]

    await house.steward.open()
    await react(house, ben, await said_by("kavya", house, "And of racks"), "fire")
    assert "R2" in await titles(house)


@sqlite_only
async def test_only_an_admin_may_hand_the_form_in(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/steward", "reactions")
    house.sandbox.change_person("ana", is_admin=False, is_owner=False)
    await house.settled()

    refused = await ana.submit({"risk": ":fire:"})

    assert "Only a workspace admin can change what reactions do." in " ".join(refused.errors.values())


# The message a record came from ------------------------------------------------------------------------------------


async def test_a_record_shows_that_its_message_was_edited_and_then_deleted(reading_house: House) -> None:
    """Made by a reaction, a shortcut and a mention; its text stays, and an undo still works."""
    house = reading_house
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    message = await said_by("ben", house, "We run out of sockets")
    await react(house, ana, message)
    await ana.message_shortcut("#network", message["ts"], "log_message")
    await ana.submit()
    mention = await ana.say("#network", "@Steward issue No sockets")
    await house.settled()

    await ben.edit("#network", message["ts"], "We run out of racks")
    await ana.delete("#network", mention["ts"])
    await house.settled()

    for reference, change in (("R1", "edited"), ("A1", "edited"), ("I1", "deleted")):
        assert f"The message it came from was {change}." in shown(card(ana, reference))
        assert (await house.record(reference))["source_change"] == change
    assert (await house.record("R1"))["title"] == "We run out of sockets"
    await ana.command("#network", "/steward", "A1 history")
    assert "the message it came from was edited" in answered(ana)

    await ben.delete("#network", message["ts"])
    await house.settled()
    assert "The message it came from was deleted." in shown(card(ana, "R1"))
    assert (await house.record("R1"))["version"] == 1


@sqlite_only
async def test_other_changes_of_messages_cost_nothing_and_say_nothing(reading_house: House) -> None:
    """Cards are redrawn, other messages edited, reactions put: no request is stored, no card owed."""
    house = reading_house
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    message = await said_by("ben", house, "We run out of sockets")
    await react(house, ana, message)
    before = len(await owed(house)), await _requests(house)

    other = await said_by("ben", house, "Lunch?")
    await ben.edit("#network", other["ts"], "Lunch!")
    await ben.delete("#network", other["ts"])
    await react(house, ana, message, "tada")
    await house.settled()

    assert (len(await owed(house)), await _requests(house)) == before


@sqlite_only
async def test_without_the_optional_scopes_an_edit_is_not_heard_of(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    message = await said_by("ben", house, "We run out of sockets")
    await react(house, ana, message)

    await ben.edit("#network", message["ts"], "We run out of racks")
    await house.settled()

    assert (await house.record("R1"))["source_change"] is None


async def _requests(house: House) -> int:
    from sqlmodel import func, select

    from models.tables import SeenRequest

    async with house.steward.database.unit(house.sandbox.team_id, writes=False) as session:
        return (await session.exec(select(func.count()).select_from(SeenRequest))).one()
