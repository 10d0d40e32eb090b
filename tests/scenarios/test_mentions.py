"""Talking to Steward in a message, above all in threads, where commands do not work: `@Steward risk …`."""

import asyncio
from typing import Any

import pytest

from handlers import records
from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import buttons, card, held, offered
from tests.scenarios.steps import again, all_said, delivered, everything_shown_to, said
from tests.scenarios.test_guests import as_of_another_company

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

Json = dict[str, Any]


async def say(house: House, person: Driver, text: str, channel: str = "#network", thread_ts: str | None = None) -> Json:
    message = await person.say(channel, text, thread_ts)
    await house.settled()
    return message


async def in_thread(house: House, person: Driver, text: str) -> Json:
    """A reply to Ben's message about the switches; the reply."""
    root = house.sandbox.person("ben").messages("#network")[0]
    return await say(house, person, text, thread_ts=root["ts"])


async def test_in_a_thread_a_risk_is_logged_with_its_source_and_its_card_there(any_house: House) -> None:
    """The confirmation is private, in the thread; the link leads to the reply."""
    house = any_house
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")

    reply = await in_thread(
        house, ana, "@Steward risk Late switch @ben by 2032-03-05 p4 i3 !high #pilot\nSupplier says so"
    )

    record = await house.record("R1")
    assert (record["title"], record["owner"], record["due_date"]) == ("Late switch", ben.id, "2032-03-05")
    assert (record["probability"], record["impact"], record["details"]) == (4, 3, "Supplier says so")
    assert f"/p{reply['ts'].replace('.', '')}" in record["source_link"]
    thread = ana.thread("#network", reply["thread_ts"])
    assert [message["ts"] for message in thread if message == card(ana, "R1")]
    assert "from this message" in shown(card(ana, "R1"))
    [told] = ana.ephemerals("#network")
    assert told["thread_ts"] == reply["thread_ts"]
    assert "Logged R1" in shown(told)
    assert ben.ephemerals("#network") == []


@sqlite_only
async def test_buttons_of_a_card_in_a_thread_answer_in_that_thread(house: House) -> None:
    ana = house.sandbox.person("ana")
    reply = await in_thread(house, ana, "@Steward action Order racks")

    await ana.click(card(ana, "A1"), "step:done", "A1")
    await house.settled()
    await ana.click(card(ana, "A1"), "edit", "A1")
    await ana.submit({"title": "Order two racks"})
    await house.settled()

    told = ana.ephemerals("#network")
    assert {message["thread_ts"] for message in told} == {reply["thread_ts"]}
    assert ["Status done" in shown(told[1]), "Changed A1" in shown(told[2])] == [True, True]


@sqlite_only
async def test_every_word_of_the_command_works_after_a_mention(house: House) -> None:
    """Beside the channel's main list, too; colons and commas behind the name do not matter."""
    ana = house.sandbox.person("ana")
    message = await say(house, ana, "Hello @Steward: action Order racks @ana")

    for words in ("list", "A1 done", "A1", "my", "help", "A1 history", "R1"):
        await say(house, ana, f"@Steward {words}")

    told = [shown(each) for each in ana.ephemerals("#network")]
    assert len(told) == 8
    for heard, expected in zip(
        told, ("Logged A1", "Order racks", "Status done", "Order racks", "", "How to type it"), strict=False
    ):
        assert expected in heard
    assert "logged it from a mention" in told[6]
    assert "There is no R1 here that you can see." in told[7]
    assert (await house.record("A1"))["status"] == "done"
    assert card(ana, "A1")["thread_ts"] == message["ts"]


@sqlite_only
async def test_a_refusal_gives_the_words_back_in_private_and_says_what_to_type_here(house: House) -> None:
    ana = house.sandbox.person("ana")

    await in_thread(house, ana, "@Steward rsik Late <switch> @ben")

    told = said(ana, "#network")
    assert "Did you mean `@Steward risk`?" in told
    assert "@Steward rsik Late <switch> @Ben Fischer" in told
    assert (await house.export()).records == []


@sqlite_only
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "@Steward risk Late switch by 2032-03-05\n- action Call the supplier @ben\n2. decision: Use fibre",
            {"R1": "Late switch", "A1": "Call the supplier", "D1": "Use fibre"},
        ),
        (
            "@Steward risks:\n• Late switch\n• Power cut\n\n• Flood",
            {"R1": "Late switch", "R2": "Power cut", "R3": "Flood"},
        ),
        ("@Steward risk:\nLate switch", {"R1": "Late switch"}),
        ("@Steward risk\nLate switch\nSays Kavya", {"R1": "Late switch"}),
        ("@Steward risk Late switch\naction needed soon, says Kavya\nand more", {"R1": "Late switch"}),
    ],
)
async def test_several_lines_are_several_records_by_one_rule(house: House, text: str, expected: dict[str, str]) -> None:
    """Each line begins with a kind's word, or the first is a heading; otherwise further lines are details."""
    ana = house.sandbox.person("ana")

    message = await say(house, ana, text)

    records = {record["reference"]: record for record in (await house.export()).records}
    assert {reference: record["title"] for reference, record in records.items()} == expected
    assert len(ana.ephemerals("#network")) == 1
    for reference in expected:
        assert reference in said(ana, "#network")
        assert card(ana, reference)["thread_ts"] == message["ts"]


@sqlite_only
async def test_each_of_several_is_taken_back_by_itself_and_a_line_without_a_title_saves_none(house: House) -> None:
    ana = house.sandbox.person("ana")

    await say(house, ana, "@Steward risks:\nLate switch\n@ben by 2032-03-05")
    refused = said(ana, "#network")
    nothing = (await house.export()).records
    await ana.command("#network", "/steward", "risk Late switch\naction Call @ben")
    await ana.click(ana.ephemerals("#network")[-1], "more", "undo R1:1:only")
    await house.settled()

    assert "Record 2 of 2 has no title, so nothing was saved." in refused
    assert "Late switch" in refused
    assert nothing == []
    assert [(await house.record(each))["is_archived"] for each in ("R1", "A1")] == [True, False]
    assert (await house.record("A1"))["owner"] == house.sandbox.person("ben").id


@sqlite_only
async def test_one_button_takes_several_back_and_another_brings_them_again(house: House) -> None:
    ana = house.sandbox.person("ana")
    await in_thread(house, ana, "@Steward risks:\nLate switch\nPower cut")

    await ana.click(ana.ephemerals("#network")[-1], "undo_batch")
    await house.settled()
    undone = [(await house.record(each))["is_archived"] for each in ("R1", "R2")]
    await ana.click(ana.ephemerals("#network")[-1], "undo_batch:redo")
    await house.settled()

    assert undone == [True, True]
    assert [(await house.record(each))["is_archived"] for each in ("R1", "R2")] == [False, False]


@sqlite_only
@pytest.mark.parametrize("words", ["risk @ben by 2032-03-05 !high", "A1 edit"])
async def test_what_takes_a_form_is_offered_as_a_button_that_opens_it(house: House, words: str) -> None:
    """An event lets no form be opened; what was typed is in it, and the record knows the message."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order racks")
    reply = await in_thread(house, ana, f"@Steward {words}")

    assert offered(ana.ephemerals("#network")[-1]) == ["typed"]
    await ana.click(ana.ephemerals("#network")[-1], "typed")
    form = held(ana.modal)
    await ana.submit({"title": "Late switch"})
    await house.settled()

    if words.startswith("risk"):
        assert (form["owner_id"], form["due_date"], form["priority"]) == (ben.id, "2032-03-05", "high")
        assert f"/p{reply['ts'].replace('.', '')}" in (await house.record("R1"))["source_link"]
        assert card(ana, "R1")["thread_ts"] == reply["thread_ts"]
        assert ana.ephemerals("#network")[-1]["thread_ts"] == reply["thread_ts"]
    else:
        assert (await house.record("A1"))["title"] == "Late switch"


async def test_the_same_event_again_and_an_edit_have_one_effect_and_one_answer(house: House) -> None:
    """Also twenty times at once; an edited message is told of as another event."""
    ana = house.sandbox.person("ana")
    await say(house, ana, "@Steward risk Late switch")
    event = delivered(house, "app_mention")

    await again(house, event, times=20)
    event.payload["event_id"] = "EvEDITED"
    event.payload["event"]["text"] = event.payload["event"]["text"].replace("Late", "Very late")
    event.payload["event"]["edited"] = {"user": ana.id, "ts": "1.0"}
    await again(house, event)
    await house.settled()

    assert [record["title"] for record in (await house.export()).records] == ["Late switch"]
    assert len(ana.ephemerals("#network")) == 1


async def test_twenty_mentions_at_once_are_twenty_records(house: House) -> None:
    ana = house.sandbox.person("ana")

    await asyncio.gather(*(ana.say("#network", f"@Steward action Job {n}") for n in range(20)))
    await house.settled()

    titles = {record["title"] for record in (await house.export()).records}
    assert titles == {f"Job {n}" for n in range(20)}


@sqlite_only
async def test_a_fault_of_stewards_is_told_with_the_words_and_a_reference(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = house.sandbox.person("ana")

    async def fail(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(records, "log_words", fail)
    await in_thread(house, ana, "@Steward action Order racks")

    assert "nothing was saved. Please try again" in said(ana, "#network")
    assert "@Steward action Order racks" in said(ana, "#network")


@sqlite_only
async def test_in_stewards_own_conversation_it_asks_for_the_project(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order racks")

    await say(house, ana, "@Steward list everywhere", "@Steward")
    await say(house, ana, "@Steward risk Late switch", "@Steward")
    listed, asked = ana.ephemerals("@Steward")
    await ana.click(asked, "typed")
    await ana.submit({"project": (await ana.options("project"))[0]["value"]})
    await house.settled()

    assert "Order racks" in shown(listed)
    assert (await house.record("R1"))["title"] == "Late switch"
    assert "thread_ts" not in card(ana, "R1")


@sqlite_only
async def test_who_left_the_channel_is_answered_by_direct_message(house: House) -> None:
    """Slack shows a private message only to members, and says so."""
    ana = house.sandbox.person("ana")
    house.sandbox.fail("chat.postEphemeral", error="user_not_in_channel")

    await in_thread(house, ana, "@Steward action Order racks")

    assert ana.ephemerals("#network") == []
    assert ["Logged A1" in shown(message) for message in ana.app_messages()] == [True]
    assert ("undo", "A1:1") in buttons(ana.app_messages()[0])


@sqlite_only
async def test_in_a_private_channel_it_works_as_elsewhere_and_stays_there(house: House) -> None:
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.invite("#steering", "steward")
    await house.settled()

    await say(house, ana, "@Steward risk The budget is cut", "#steering")

    assert (await house.record("R1"))["project"] == "steering"
    assert "so I began the project *steering*" in said(ana, "#steering")
    await say(house, kavya, "@Steward R1")
    assert "There is no R1 here that you can see." in said(kavya, "#network")
    assert "budget is cut" not in everything_shown_to(kavya, ("#network", "#general"))


@sqlite_only
async def test_a_guest_logs_and_a_stranger_is_refused_with_their_words(house: House) -> None:
    mia = house.sandbox.person("mia")
    await say(house, mia, "@Steward issue The diagram is not signed")
    assert (await house.record("I1"))["raised_by"] == mia.id

    tane = await as_of_another_company(house, "tane")
    await say(house, tane, "@Steward issue The supplier is late")

    assert len((await house.export()).records) == 1
    assert "People of other companies cannot log here." in said(tane, "#network")
    assert "@Steward issue The supplier is late" in said(tane, "#network")


@sqlite_only
async def test_mentions_by_apps_are_left_alone(house: House) -> None:
    ana = house.sandbox.person("ana")
    await say(house, ana, "@Steward help")
    event = delivered(house, "app_mention")
    event.payload["event_id"] = "EvAPP"
    event.payload["event"] |= {
        "bot_id": "B999",
        "ts": "9.9",
        "text": f"<@{house.sandbox.bot_user_id}> risk Made by an app",
    }

    await again(house, event)
    await house.settled()

    assert (await house.export()).records == []
    assert "Made by an app" not in all_said(ana, "#network")


@sqlite_only
async def test_where_slack_takes_no_reply_the_card_goes_to_the_channel(house: House) -> None:
    ana = house.sandbox.person("ana")
    house.sandbox.fail("chat.postMessage", error="cannot_reply_to_message")

    await in_thread(house, ana, "@Steward action Order racks")

    assert "thread_ts" not in card(ana, "A1")
