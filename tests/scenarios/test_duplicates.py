"""What is likely to be in the log already is pointed out, and never in the way."""

import pytest

from tests.scenarios.house import House, shown
from tests.scenarios.looking import answer, answered, buttons, held

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def test_a_form_points_out_a_likely_duplicate_and_saves_the_second_time(house: House) -> None:
    """With everything typed in it, and the other record to be looked at above it."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order cables @ben")
    await ana.command("#network", "/action", "")

    await ana.submit({"title": "Order the cables", "details": "All 12 of them"})
    asked = ana.modal
    await house.settled()

    assert asked is not None
    assert "Looks like A1 “Order cables” (open, Ben Fischer). Nothing is saved yet" in shown(asked)
    assert asked["submit"]["text"] == "Log it anyway"
    assert len((await house.export()).records) == 1

    await ana.click_view("look:A1")
    await house.settled()
    assert len(ana.modals) == 2
    assert "Order cables" in shown(ana.modals[-1])
    await ana.close()
    assert held(ana.modal)["title"] == "Order the cables"

    await ana.submit({})
    await house.settled()

    stored = await house.record("A2")
    assert (stored["title"], stored["details"]) == ("Order the cables", "All 12 of them")


async def test_in_a_direct_message_the_chosen_project_is_looked_through(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/risk", "Core switch is late")
    await ana.command("@Steward", "/risk", "")
    [project] = await ana.options("project")

    await ana.submit({"title": "The core switch will be late", "project": project})
    assert "Looks like R1" in shown(ana.modal or {})
    await ana.submit({})
    await house.settled()

    assert (await house.record("R2"))["project"] == "network"


async def test_a_command_saves_and_points_at_what_looks_like_it(house: House) -> None:
    """It can be opened, linked to, or the new one taken back."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order cables @ben")
    await ana.command("#network", "/action", "Order the cables")
    await house.settled()
    told = answer(ana)

    assert "Looks like A1 “Order cables” (open, Ben Fischer)." in answered(ana)
    assert buttons(told) == [("undo", "A2:1"), ("edit", "A2"), ("show", "A1"), ("duplicate", "A2 A1")]

    await ana.click(told, "duplicate")
    await house.settled()
    assert "Linked: A2 duplicates A1" in answered(ana)
    assert (await house.export()).links == [{"from": "A2", "type": "duplicates", "to": "A1"}]

    await ana.command("#network", "/action", "Order racks")
    await ana.command("#network", "/issue", "Order cables")
    await house.settled()
    assert "Looks like" not in answered(ana)
    assert "Looks like" not in shown(ana.ephemerals("#network")[-2])


async def test_the_preview_of_a_list_points_out_what_is_in_the_log_and_logs_it_all_the_same(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order cables @ben")
    await ana.command("#network", "/steward", "paste")

    await ana.submit({"lines": "Order the cables\nOrder racks\nissue: Order cables"})
    seen = shown(ana.modal or {})
    await ana.submit()
    await house.settled()

    assert "1 line may be in the log already, and would be logged all the same." in seen
    assert seen.count("👀 Looks like A1 “Order cables” (open, Ben Fischer).") == 1
    assert len((await house.export()).records) == 4


async def test_the_preview_of_a_table_names_the_lines_that_may_be_in_the_log(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order cables @ben")
    await ana.command("#network", "/steward", "import")

    await ana.submit({"lines": "Title,Owner\nOrder racks,ben\nOrder the cables,ana"})
    seen = shown(ana.modal or {})

    assert "1 line may be in the log already, and would be imported all the same:" in seen
    assert "👀 Line 3: Looks like A1 “Order cables” (open, Ben Fischer)." in seen
