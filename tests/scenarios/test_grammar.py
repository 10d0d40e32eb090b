"""The one-line grammar beyond one channel: a channel picks the project, an owner need not be in Slack."""

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answered, card, held
from views.help import GRAMMAR, GRAMMAR_EXAMPLES

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

NOT_THERE = "There is no project in that channel that you can log in, so nothing was saved."


async def typed(house: House, person: Driver, line: str, channel: str = "#network") -> str:
    command, _, words = line.partition(" ")
    assert (await person.command(channel, command, words)).ok
    await house.settled()
    return answered(person, channel)


async def test_a_channel_in_the_line_picks_the_project_from_a_direct_message(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action The first one")

    told = await typed(house, ana, "/action Order cables #network @ben by 2032-03-05", "@Steward")

    assert ana.modal is None
    record = await house.record("A2")
    assert (record["title"], record["project"], record["owner"]) == ("Order cables", "network", "U00000000BE")
    assert card(ana, "A2", "#network")
    assert "Logged A2" in told
    assert f"It belongs to *network*; its card goes to <#{record['channel']}>." in told


async def test_from_another_channel_too_and_a_channel_in_the_sentence_stays_in_it(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action The first one")
    await typed(house, ana, "/action Another project", "#general")

    await typed(house, ana, "/risk #network Switch may fail p4 i3", "#general")
    await typed(house, ana, "/action Announce it in #network", "#general")

    risk, action = await house.record("R1"), await house.record("A3")
    assert (risk["title"], risk["project"], risk["probability"]) == ("Switch may fail", "network", 4)
    assert (action["title"], action["project"]) == ("Announce it in #network", "general")
    assert "It belongs to" not in answered(ana, "#general")


async def test_without_a_title_the_form_opens_with_that_project(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action The first one")

    await ana.command("@Steward", "/action", "#network !high")

    record = await house.record("A1")
    assert held(ana.modal)["project"] == str(record["project_id"])
    assert held(ana.modal)["priority"] == "high"


async def test_a_channel_that_is_not_theirs_looks_like_one_without_a_project(house: House) -> None:
    """#steering is private, with Ana in it and not Kavya; #random has no project."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.invite("#steering", "steward")
    await house.settled()
    await typed(house, ana, "/action The secret one", "#steering")

    hidden = await typed(house, kavya, "/action Order cables <#C00000000ST>", "@Steward")
    absent = await typed(house, kavya, "/action Order cables #random", "@Steward")

    assert NOT_THERE in hidden
    assert hidden.replace("C00000000ST", "") == absent.replace("random", "")
    assert "/action Order cables #" in hidden
    assert [record["title"] for record in (await house.export()).records] == ["The secret one"]


async def test_an_owner_outside_slack_stands_in_the_details_and_the_confirmation_says_so(house: House) -> None:
    ana = house.sandbox.person("ana")

    told = await typed(house, ana, '/action Order cables @"Acme Support" by 2032-03-05\nTwenty of them')

    record = await house.record("A1")
    assert (record["title"], record["owner"]) == ("Order cables", None)
    assert record["details"] == "Owner outside Slack: Acme Support\nTwenty of them"
    assert "Nobody here is called @Acme Support, so the details name them as an owner outside Slack" in told
    assert "Owner outside Slack: Acme Support" in shown(card(ana, "A1"))


async def test_help_grammar_shows_every_part_and_every_part_works(house: House) -> None:
    """Each row, typed after a title, is read and leaves the title; the last example holds them all."""
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action The first one")

    told = await typed(house, ana, "/steward help grammar")

    for part, means in GRAMMAR:
        assert f"`{part}`  {means}" in told
        await typed(house, ana, f"/risk Switch may fail {part}", "#general" if part == "#network" else "#network")
    risks = [record for record in (await house.export()).records if record["kind"] == "risk"]
    assert {record["title"] for record in risks} == {"Switch may fail"}
    assert len(risks) == len(GRAMMAR)
    for line in GRAMMAR_EXAMPLES:
        assert f"`{line}`" in told
        await typed(house, ana, line, "@Steward" if "#network" in line else "#network")
    last = (await house.export()).records[-1]
    assert (last["title"], last["owner"], last["priority"]) == ("Core switch may arrive late", "U00000000KA", "high")
    assert (last["probability"], last["impact"], last["tags"]) == (4, 3, ["pilot"])
    assert last["due_date"] is not None
    assert last["project"] == "network"


async def test_a_quoted_name_of_somebody_here_is_that_person(house: House) -> None:
    ana = house.sandbox.person("ana")

    await typed(house, ana, "/action Order cables @“Ben Fischer”")

    assert (await house.record("A1"))["owner"] == "U00000000BE"
