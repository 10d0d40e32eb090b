"""Links between records: on both cards, in both histories, and only where everybody may see them."""

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answer, answered, card, held, offered

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def typed(house: House, person: Driver, line: str, channel: str = "#network") -> str:
    """Type the whole line; what the person is told."""
    command, _, words = line.partition(" ")
    assert (await person.command(channel, command, words)).ok
    await house.settled()
    return answered(person, channel)


async def status(house: House, reference: str) -> str:
    return str((await house.record(reference))["status"])


async def test_a_link_stands_on_both_cards_and_in_both_histories_until_it_is_taken_away(house: House) -> None:
    ana = house.sandbox.person("ana")
    for line in ("/action Order *cables*", "/action Lay cables"):
        await typed(house, ana, line)

    told = await typed(house, ana, "/steward A1 blocks A2")

    assert "Linked: A1 blocks A2." in told
    assert "Blocks: \nA2  \nLay cables" in shown(card(ana, "A1"))
    assert "Blocked by: \nA1  \nOrder *cables*" in shown(card(ana, "A2"))
    assert "blocked by A1" in await typed(house, ana, "/steward A2 history")
    assert "Blocked by: \nA1" in await typed(house, ana, "/steward A2")
    again = await typed(house, ana, "/steward A1 Blocks a-2")
    assert "A1 blocks A2 already." in again

    told = await typed(house, ana, "/steward A2 unlink A1")

    assert "A2 and A1 are no longer linked." in told
    assert "Blocks" not in shown(card(ana, "A1"))
    assert "Blocked by" not in shown(card(ana, "A2"))
    assert "are not linked" in await typed(house, ana, "/steward A2 unlink A1")


@sqlite_only
async def test_every_sort_of_link_can_be_typed(house: House) -> None:
    ana = house.sandbox.person("ana")
    for line in ("/action Order cables", "/risk Late switch"):
        await typed(house, ana, line)

    for words, inverse in (
        ("blocks", "Blocked by"),
        ("mitigates", "Mitigated by"),
        ("causes", "Caused by"),
        ("results in", "Results from"),
        ("supersedes", "Superseded by"),
        ("duplicates", "Duplicated by"),
    ):
        assert f"Linked: A1 {words} R1." in await typed(house, ana, f"/steward A1 {words} R1")
        assert f"{inverse}: \nA1" in shown(card(ana, "R1"))

    assert "cannot be linked with itself" in await typed(house, ana, "/steward A1 blocks A1")
    assert "There is no A9 here" in await typed(house, ana, "/steward A1 blocks A9")
    assert "I do not know “blocks the way”" in await typed(house, ana, "/steward A1 blocks the way")


@sqlite_only
async def test_a_title_that_speaks_of_a_link_is_a_title(house: House) -> None:
    ana = house.sandbox.person("ana")

    await typed(house, ana, "/action A1 blocks A2")

    assert (await house.record("A1"))["title"] == "A1 blocks A2"


@sqlite_only
async def test_a_record_of_a_private_project_is_named_on_no_card_outside_it(house: House) -> None:
    """The private project's own card shows the link; the open one's neither shows nor names the private record."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.invite("#steering", "steward")
    await house.settled()
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/risk The takeover may fail", "#steering")

    await typed(house, ana, "/steward A1 mitigates R1", "#steering")

    assert "Mitigated by: \nA1  \nOrder cables" in shown(card(ana, "R1", "#steering"))
    for text in (
        shown(card(ana, "A1")),
        await typed(house, ana, "/steward A1"),
        await typed(house, kavya, "/steward A1 history"),
    ):
        assert "R1" not in text
        assert "takeover" not in text
    assert "mitigates a record of a private project" in answered(kavya)
    assert "There is no R1 here" in await typed(house, kavya, "/steward A1 blocks R1")
    assert (await house.export()).links == [{"from": "A1", "type": "mitigates", "to": "R1"}]


@sqlite_only
async def test_the_other_end_of_a_link_is_struck_out_once_it_is_settled(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/action Lay cables")
    await typed(house, ana, "/steward A1 blocks A2")
    await typed(house, ana, "/steward A2 cancel Wireless instead")

    await typed(house, ana, "/steward A1")

    for message in (answer(ana), card(ana, "A1")):
        [row] = [block for block in message["blocks"] if "Lay cables" in shown({"blocks": [block]})]
        assert row["elements"][0]["elements"][-1] == {"type": "text", "text": "Lay cables", "style": {"strike": True}}


@sqlite_only
async def test_a_record_that_was_removed_is_no_link_any_more(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/risk Late switch")
    await ana.command("#network", "/steward", "R1 happened")
    await ana.submit()
    await house.settled()
    logged = answer(ana)
    assert "Results in: \nI1" in shown(card(ana, "R1"))

    await ana.click(logged, "undo")
    await house.settled()

    assert "I1  " not in await typed(house, ana, "/steward R1")
    assert "I1  " not in shown(card(ana, "R1"))


@sqlite_only
async def test_a_risk_that_happened_results_in_an_issue(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/risk Core switch arrives late @ben by 2032-03-05 !high\nSupplier says so")

    await ana.click(card(ana, "R1"), "more", "follow:happened R1")
    await house.settled()
    form = held(ana.modal)
    assert (form["title"], form["details"], form["priority"]) == (
        "Core switch arrives late",
        "Supplier says so",
        "high",
    )
    await ana.click_view("more_fields")
    await house.settled()
    assert ana.modal is not None
    assert ana.modal["title"]["text"] == "It happened: R1"
    await ana.submit({"severity": "2", "title": "Core switch is late"})
    await house.settled()

    told = answered(ana)
    assert "Logged I1" in told
    assert "R1 has happened. The two are linked." in told
    assert await status(house, "R1") == "occurred"
    assert "Results in: \nI1  \nCore switch is late" in shown(card(ana, "R1"))
    assert "Occurred: \nsee I1" in shown(card(ana, "R1"))
    assert "Results from: \nR1" in shown(card(ana, "I1"))
    assert "R1 is occurred already." in await typed(house, ana, "/steward R1 happened")


@sqlite_only
async def test_a_risk_closed_while_the_form_of_its_issue_was_open_makes_none(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/risk Late switch")
    await ana.command("#network", "/steward", "R1 happened")
    await typed(house, ana, "/steward R1 close expired")

    await ana.submit({"title": "Switch is late"})
    await house.settled()

    assert "R1 is closed" in next(iter(ana.form_errors.values()))
    assert [record["reference"] for record in (await house.export()).records] == ["R1"]


async def test_an_approved_decision_is_superseded_when_the_next_one_is_approved(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/decision Use fibre")
    await typed(house, ana, "/steward D1 edit")
    await ana.submit({"rationale": "It is quicker", "deciders": [ana.id]})
    await house.settled()
    await typed(house, ana, "/steward D1 approve")

    await ben.command("#network", "/steward", "D1 supersede")
    form = held(ben.modal)
    assert (form["title"], form["rationale"], form["deciders"]) == ("Use fibre", "It is quicker", [ana.id])
    await ben.submit({"title": "Use copper"})
    await house.settled()

    assert "D1 holds until this one is approved." in answered(ben)
    assert (await status(house, "D1"), await status(house, "D2")) == ("approved", "proposed")
    assert "Would be superseded by: \nD2  \nUse copper" in shown(card(ana, "D1"))
    await typed(house, ana, "/steward D2 approve")
    confirmation = answer(ana)
    assert await status(house, "D1") == "superseded"
    assert "Superseded by: \nD2  \nUse copper" in shown(card(ana, "D1"))
    assert "Supersedes: \nD1  \nUse fibre" in shown(card(ana, "D2"))
    assert offered(card(ana, "D1")) == ["comment", "history", "move"]
    assert "this link stays" in await typed(house, ana, "/steward D2 unlink D1")
    await ana.click(confirmation, "undo")
    await house.settled()
    assert (await status(house, "D1"), await status(house, "D2")) == ("approved", "proposed")


@sqlite_only
async def test_what_is_only_proposed_in_place_of_a_decision_does_not_read_as_done(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/decision Use fibre")
    await typed(house, ana, "/steward D1 approve")
    refused = await typed(house, ana, "/steward D1 edit")
    await ana.command("#network", "/steward", "D1 supersede")
    await ana.submit({"title": "Use copper"})
    await house.settled()
    await typed(house, ana, "/decision Use radio")

    told = await typed(house, ana, "/steward D3 supersedes D1")
    history = await typed(house, ana, "/steward D1 history")
    proposed = [shown(card(ana, reference)) for reference in ("D2", "D3")]
    await typed(house, ana, "/steward D2 approve")
    late = shown(card(ana, "D3"))

    assert "`/steward D1 supersede` begins a new decision in its place." in refused
    assert "Linked: D3 would supersede D1." in told
    assert "would be superseded by D2" in history
    assert "would be superseded by D3" in history
    assert ["Would supersede: \nD1" in drawn for drawn in proposed] == [True, True]
    assert "Superseded by: \nD2" in shown(card(ana, "D1"))
    assert "Proposed in its place: \nD3" in shown(card(ana, "D1"))
    assert "Supersedes: \nD1" in shown(card(ana, "D2"))
    assert "Proposed in place of: \nD1" in late


@sqlite_only
async def test_superseding_a_superseding_decision_leaves_the_first_superseded(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/decision First")
    await typed(house, ana, "/steward D1 approve")
    for number in (1, 2):
        await ana.command("#network", "/steward", f"D{number} supersede")
        await ana.submit()
        await house.settled()
        await typed(house, ana, f"/steward D{number + 1} approve")

    assert [await status(house, f"D{number}") for number in (1, 2, 3)] == ["superseded", "superseded", "approved"]


@sqlite_only
async def test_only_the_coordinator_lets_an_approved_decision_supersede_another(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    for number in (1, 2):
        await typed(house, ana, f"/decision Number {number}")
        await typed(house, ana, f"/steward D{number} approve")

    assert "Only the coordinator of network" in await typed(house, ben, "/steward D2 supersedes D1")
    assert await status(house, "D1") == "approved"
    await typed(house, ana, "/steward D2 supersedes D1")
    assert await status(house, "D1") == "superseded"
