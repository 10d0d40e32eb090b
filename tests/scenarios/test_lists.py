"""Lists with filters in words: what they hold, what their buttons do, and what is said to a word that is no filter."""

from datetime import UTC, datetime

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import Json, answer, answered, buttons, card, held

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def typed(house: House, person: Driver, line: str, channel: str = "#network") -> str:
    """Type the whole line; what the person is told."""
    command, _, words = line.partition(" ")
    outcome = await person.command(channel, command, words)
    assert outcome.ok, outcome.notice
    await house.settled()
    return answered(person, channel)


def again(person: Driver, message: Json) -> Json:
    """The private message as it stands now."""
    return next(each for each in person.ephemerals("#network") if each["id"] == message["id"])


def listed(told: str) -> list[str]:
    """The references in a list, in order."""
    heads = [line.split("  ")[0].split() for line in told.splitlines() if "  " in line]
    return [words[-1] for words in heads]


async def test_a_list_is_limited_in_words_and_says_how(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/risk Core switch is late @ben by 2032-03-05 !high")
    await typed(house, ana, "/risk Nobody looks after it")
    await typed(house, ben, "/action Order cables @ana")

    assert listed(await typed(house, ana, "/steward list risks @ben high")) == ["R1"]
    assert "owned by Ben Fischer" in answered(ana)
    assert listed(await typed(house, ana, "/steward risks nobody")) == ["R2"]
    assert listed(await typed(house, ana, '/steward list "SWITCH"')) == ["R1"]
    assert listed(await typed(house, ana, "/steward list @me")) == ["A1"]
    assert listed(await typed(house, ana, "/steward list @Ben")) == ["R1"]
    assert listed(await typed(house, ana, "/steward list #network no date", "@Steward")) == ["R2", "A1"]
    assert "*Open records of network*" in answered(ana, "@Steward")
    empty = await typed(house, ana, "/steward list overdue")
    assert "None of the records are like that. `/steward list` shows everything that is open here." in empty
    assert "*Open records of network*" in empty
    empty = await typed(house, ana, "/steward list everywhere overdue")
    assert "`/steward list everywhere` shows everything open that you can see." in empty
    assert "Fewer filters find more." in await typed(house, ana, "/steward list #network overdue", "@Steward")
    assert "Nobody here is called @zoe" in await typed(house, ana, "/steward list @zoe")


async def test_the_named_lists_take_filters_too(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables @ben by 2031-11-26")
    await typed(house, ben, "/decision Use fibre", "#network")
    await typed(house, ben, "/action Write minutes @ben !high", "#general")

    assert listed(await typed(house, ben, "/steward my")) == ["A1", "A2"]
    assert listed(await typed(house, ben, "/steward my high")) == ["A2"]
    assert listed(await typed(house, ben, "/steward my #general")) == ["A2"]
    assert listed(await typed(house, ana, "/steward waiting")) == ["D1"]
    assert listed(await typed(house, ben, "/steward waiting")) == []
    assert "None of the actions are like that." in await typed(house, ana, "/steward overdue actions")
    await house.sandbox.advance_to(datetime(2031, 11, 27, 15, tzinfo=UTC))
    await house.settled()
    assert listed(await typed(house, ana, "/steward overdue actions")) == ["A1"]
    assert listed(await typed(house, ben, "/steward waiting")) == ["A1"]


async def test_the_main_step_of_a_line_is_done_and_the_list_drawn_anew_in_place(house: House) -> None:
    ana = house.sandbox.person("ana")
    for title in ("Order cables", "Send diagram", "Book room"):
        await typed(house, ana, f"/action {title} !high")
    await typed(house, ana, '/steward list actions high "o"')
    standing = answer(ana)

    await ana.click(standing, "line:done", 'A1 0 actions !high "o"')
    await house.settled()

    redrawn = again(ana, standing)
    assert listed(shown(redrawn)) == ["A3"]
    assert "1 of 1 open" in shown(redrawn)
    assert "“o” in the title" in shown(redrawn)
    assert "Closed A1" in answered(ana)
    assert ("undo", "A1:2") in buttons(answer(ana))
    assert (await house.record("A1"))["status"] == "done"


async def test_show_closed_and_back_keep_the_filters(house: House) -> None:
    ana = house.sandbox.person("ana")
    for title in ("Order cables", "Send diagram"):
        await typed(house, ana, f"/action {title} !high")
    await typed(house, ana, "/steward A1 done")
    await typed(house, ana, "/steward list high")
    standing = answer(ana)

    seen = []
    for _ in range(2):
        now = again(ana, standing)
        await ana.click(now, "list:other")
        await house.settled()
        seen.append(shown(again(ana, standing)))

    assert [listed(each) for each in seen] == [["A1"], ["A2"]]
    assert "*Closed records of network*" in seen[0]
    assert "1 of 1 closed" in seen[0]
    assert "high priority" in seen[0]


async def test_a_step_that_only_the_coordinator_may_take_is_offered_to_nobody_else(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/decision Use fibre")

    await typed(house, ana, "/steward list decisions")
    await typed(house, ben, "/steward list decisions")

    assert [action for action, _ in buttons(answer(ana))] == ["line:approve", "show", "list:other"]
    assert [action for action, _ in buttons(answer(ben))] == ["list:other", "show"]


async def test_help_list_explains_every_filter(house: House) -> None:
    ana = house.sandbox.person("ana")

    told = await typed(house, ana, "/steward help list")

    assert "`&gt;=12, &lt;6`  the score of risks" in told
    assert told == await typed(house, ana, "/steward help my")


async def test_quotes_and_marks_in_a_filter_are_shown_as_text_and_come_back_from_the_button(house: House) -> None:
    ana = house.sandbox.person("ana")
    for number in range(12):
        await typed(house, ana, f"/action 5 < 6 & 7 > <!channel> *{number}*")

    await typed(house, ana, '/steward list "5 < 6 & 7 > <!channel>"')
    standing = answer(ana)
    await ana.click(standing, "list:next")
    await house.settled()

    redrawn = shown(again(ana, standing))
    assert "11 to 12 of 12 open" in redrawn


async def test_tags_are_logged_shown_edited_listed_exported_and_kept_in_history(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/risk Core switch is late p4 i3 #WAN #pilot")
    await typed(house, ana, "/action Order cables p4 #pilot")

    record = await house.record("R1")
    assert (record["title"], record["tags"]) == ("Core switch is late", ["wan", "pilot"])
    assert (record["probability"], record["impact"]) == (4, 3)
    assert (await house.record("A1"))["title"] == "Order cables p4"
    assert "#wan #pilot" in shown(card(ana, "R1"))
    assert listed(await typed(house, ana, "/steward list #pilot")) == ["R1", "A1"]
    assert "#pilot" in answered(ana)

    await ana.command("#network", "/steward", "R1 edit")
    assert held(ana.modal)["tags"] == "wan, pilot"
    await ana.submit({"tags": "#WAN, Core-Room  wan"})
    await house.settled()

    assert (await house.record("R1"))["tags"] == ["wan", "core-room"]
    assert "#wan #core-room" in shown(card(ana, "R1"))
    assert listed(await typed(house, ana, "/steward list #pilot")) == ["A1"]
    assert listed(await typed(house, ana, "/steward list risks #core-room #wan")) == ["R1"]
    assert "tags: #wan #pilot → #wan #core-room" in await typed(house, ana, "/steward R1 history")

    await ana.command("#network", "/steward", "R1 edit")
    outcome = await ana.submit({"tags": "12, fine"})
    assert outcome.errors == {
        "tags": "“12” cannot be a tag: a letter first, no marks but - and _, 40 characters at most."
    }


async def test_undo_gives_the_tags_back_to_the_lists(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables #pilot")
    await ana.command("#network", "/steward", "A1 edit")
    await ana.submit({"tags": ""})
    await house.settled()
    assert listed(await typed(house, ana, "/steward list #pilot")) == []

    changed = next(each for each in reversed(ana.ephemerals("#network")) if "Changed A1" in shown(each))
    await ana.click(changed, "undo")
    await house.settled()

    assert listed(await typed(house, ana, "/steward list #pilot")) == ["A1"]


async def test_a_channel_that_is_named_is_no_tag(house: House) -> None:
    ana = house.sandbox.person("ana")

    await typed(house, ana, "/action Tell #general #news")

    record = await house.record("A1")
    assert (record["title"], record["tags"]) == ("Tell #general", ["news"])


async def test_what_is_not_counted_to_its_end_is_said_to_be_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a list, which goes on to its last page, in a search, which shows the best of the newest, and in a question."""
    for module in ("reports.work", "reports.finding"):
        monkeypatch.setattr(f"{module}.MOST_COUNTED", 10)
    ana = house.sandbox.person("ana")
    for number in range(12):
        await typed(house, ana, f"/action Order {number} cables")

    assert "1 to 10 of more than 10 open" in await typed(house, ana, "/steward list")
    standing = answer(ana)
    await ana.click(standing, "list:next")
    await house.settled()
    assert "11 to 12 of 12 open" in shown(again(ana, standing))
    assert "list:next" not in [action for action, _ in buttons(again(ana, standing))]

    told = await typed(house, ana, "/steward find cables")
    assert "More than 10 found for cables" in told
    assert "1 to 10 of more than 10" in told
    assert "These are the best of the newest 10. One more word, or a filter as `open` or `risks`, leaves" in told
    hint = next(each for each in answer(ana)["blocks"] if "These are the best" in str(each))
    assert [each["type"] for each in hint["elements"]] == ["mrkdwn"], "only there ` is no character"
    assert listed(told) == [f"A{number}" for number in range(12, 2, -1)]
    assert {action for action, _ in buttons(answer(ana))} == {"show"}
    assert "or a filter as `risks` or `@me`, leaves" in await typed(house, ana, "/steward find cables open")
    assert "One more word leaves" in await typed(house, ana, "/steward find cables open actions @nobody")

    assert "More than 10 records in it are open." in await typed(house, ana, "/steward project archive")
