"""Small changes by words after a reference, and confirmations that say what changed from what to what."""

import pytest

from tests.scenarios.house import House, shown
from tests.scenarios.looking import answer, answered, buttons, card, offered
from tests.scenarios.test_commands import typed

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def test_owner_date_priority_tags_and_scales_change_in_any_order(house: House) -> None:
    """The confirmation says what changed from what to what, and Undo takes all of it back."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/risk Late switch @ana by 2031-12-05 #old p2 i2")

    told = await typed(house, ana, "/steward R1 p4 !high -#old #pilot @ben due by 2031-12-01 3pm i3")
    changed = await house.record("R1")
    await ana.click(answer(ana), "undo")
    await house.settled()
    undone = answered(ana)

    assert (changed["owner"], changed["priority"], changed["tags"]) == (ben.id, "high", ["pilot"])
    assert (changed["due_date"], changed["due_time"]) == ("2031-12-01", "15:00:00")
    assert (changed["probability"], changed["impact"]) == (4, 3)
    assert "Changed R1" in told
    for line in (
        "Owner: Ana Torres → Ben Fischer",
        "Due date: Fri 5 Dec 2031 → Mon 1 Dec 2031",
        "Priority: Normal → High",
        "Tags: #old → #pilot",
        "Probability: 2 → 4",
    ):
        assert line in told
    assert "Owner: Ben Fischer → Ana Torres" in undone
    record = await house.record("R1")
    assert (record["owner"], record["due_date"], record["tags"]) == (ana.id, "2031-12-05", ["old"])


@sqlite_only
async def test_a_later_date_asks_why_and_takes_the_reason_after_because(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables @ana by 2031-12-01")

    asked = await typed(house, ana, "/steward A1 by 2031-12-03")
    reasoned = await typed(house, ana, "/steward A1 2031-12-05 because the vendor is late")
    sooner = await typed(house, ana, "/steward A1 by 2031-12-04")

    assert "Why is it later? `/steward A1 comment …` keeps the reason" in asked
    assert "Due date: Wed 3 Dec 2031 → Fri 5 Dec 2031 (the vendor is late)" in reasoned
    assert "Why is it later?" not in reasoned + sooner
    record = await house.record("A1")
    assert (record["first_due_date"], record["due_moves"]) == ("2031-12-01", 3)
    assert "(the vendor is late)" in await typed(house, ana, "/steward A1 history")


@sqlite_only
async def test_date_and_owner_can_be_taken_away(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables @ana by 2031-12-01 3pm")

    told = await typed(house, ana, "/steward A1 no date, nobody")

    record = await house.record("A1")
    assert (record["due_date"], record["due_time"], record["owner"]) == (None, None, None)
    assert "Due date: Mon 1 Dec 2031 → empty" in told


@sqlite_only
async def test_helpers_are_named_and_released_by_words(house: House) -> None:
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await typed(house, ana, "/action Order cables @ana")

    told = await typed(house, ana, "/steward A1 helper @ben and @kavya by 2031-12-01")
    both = (await house.record("A1"))["helpers"]
    await typed(house, ana, "/steward A1 helper -@kavya")
    one = (await house.record("A1"))["helpers"]
    await typed(house, ben, "/steward A1 unhelp")

    assert "Helpers: empty → Ben Fischer, Kavya Rao" in told
    assert both == [ben.id, kavya.id]
    assert one == [ben.id]
    assert (await house.record("A1"))["helpers"] == []
    assert "Helpers: Ben Fischer → empty" in answered(ben)


@sqlite_only
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("@ben foo", "I do not know “foo” here, so nothing was changed"),
        ("@ben @kavya", "I do not know “@Kavya Rao” here, so nothing was changed"),
        ("@ben by fridday", "I can't read “fridday” as a date"),
        ("@ben by yesterday", "which has passed"),
        ("@nobodyknows", "Nobody here is called @nobodyknows, so nothing was changed"),
        ("because it is", "A reason needs a change before it"),
        ("reoppen", "Did you mean `/steward A1 reopen`?"),
        ("helper @steward", "cannot help with a record"),
    ],
)
async def test_what_cannot_be_read_changes_nothing(house: House, words: str, expected: str) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")

    assert expected in await typed(house, ana, f"/steward A1 {words}")
    assert (await house.record("A1"))["version"] == 1


@sqlite_only
async def test_a_guest_changes_what_they_help_with_and_nothing_else(house: House) -> None:
    """A helper's rights are the owner's."""
    ana, mia = house.sandbox.person("ana"), house.sandbox.person("mia")
    await typed(house, ana, "/action Order cables")

    refused = await typed(house, mia, "/steward A1 by 2031-12-05"), await typed(house, mia, "/steward A1 comment Hm")
    await typed(house, ana, "/steward A1 helper @mia")
    await typed(house, mia, "/steward A1 by 2031-12-05")
    await typed(house, mia, "/steward A1 comment I will")

    assert "Guests can change only what they own or raised, or help with" in refused[0]
    assert "Guests can comment on only what they own or raised, or help with" in refused[1]
    assert (await house.record("A1"))["due_date"] == "2031-12-05"
    assert [each["text"] for each in (await house.export()).comments] == ["I will"]


@sqlite_only
async def test_an_edit_form_and_the_history_say_what_changed_and_what_was_first(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables @ben by 2031-12-01 !high")

    await typed(house, ana, "/steward A1 edit")
    await ana.submit({"title": "Order fibre cables", "priority": "low"})
    await house.settled()
    told = answered(ana)
    await typed(house, ana, "/steward A1 edit")
    await ana.submit({})
    await house.settled()

    assert "Title: Order cables → Order fibre cables" in told
    assert "Priority: High → Low" in told
    assert "Nothing changed in A1" in answered(ana)
    assert [each for each, _ in buttons(answer(ana))] == ["edit"], "an undo would take back what was changed before"
    history = await typed(house, ana, "/steward A1 history")
    assert (
        "logged it from /action: “Order cables”, owner Ben Fischer, due date Mon 1 Dec 2031, priority High" in history
    )


@sqlite_only
async def test_after_a_kinds_command_the_words_stay_a_title_and_the_other_way_is_named(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")

    told = await typed(house, ana, "/action A1 @ben")

    assert "If you meant A1 itself, type `/steward A1` and the same words. What you typed became a title." in told
    assert (await house.record("A1"))["owner"] is None
    assert "undo" in offered(answer(ana))
    assert "nobody yet" in shown(card(ana, "A1"))
