"""Fields that mean more than their words, from the form to the card and back."""

import pytest

from tests.scenarios.house import House, shown
from tests.scenarios.looking import answered, card, held

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def test_an_amount_is_asked_about_until_it_is_clear_and_gives_the_exposure(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/risk", "Late core switch p4 i3")
    await house.settled()
    await ana.command("#network", "/steward", "R1 edit")
    await ana.click_view("more_fields")
    await house.settled()

    await ana.submit({"cost": "1.200", "contingency_budget": "900"})
    assert "In which currency?" in ana.form_errors["cost"]
    assert held(ana.modal)["cost"] == "1.200"
    await ana.submit({"cost": "1.200 EUR", "contingency_budget": "EUR 900"})
    assert list(ana.form_errors) == ["cost"]
    assert "may mean 1200 or 1.2" in ana.form_errors["cost"]
    assert (await ana.submit({"cost": "1.200,50 EUR"})).ok
    await house.settled()

    drawn = shown(card(ana, "R1"))
    assert "*Cost if it happens*\nEUR 1,200.50" in drawn
    assert "*Exposure*\nEUR 840.35" in drawn
    assert (await house.record("R1"))["cost"] == "1200.50 EUR"
    await ana.command("#network", "/steward", "R1 undo")
    await house.settled()
    assert "Exposure" not in shown(card(ana, "R1"))
    await ana.command("#network", "/steward", "R1 history")
    assert "cost if it happens: empty → EUR 1,200.50" in answered(ana)


async def test_the_project_says_which_currency_is_meant(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order racks")
    await ana.command("#network", "/steward", "settings")
    await ana.click_view("more_settings")
    await house.settled()
    await ana.submit({"currency": "euros"})
    assert "Type the code of a currency" in ana.form_errors["currency"]
    assert (await ana.submit({"currency": "sek"})).ok
    await house.settled()

    await ana.command("#network", "/steward", "import")
    await ana.submit({"lines": "Kind,Title,Extra cost,Days lost\nIssue,Rack broke,1.200,-2\nIssue,Rack lost,1200,x"})
    await house.settled()
    preview = shown(ana.modal or {})
    assert "Extra cost: “1.200” may mean 1200 or 1.2" in preview
    assert "Days lost: “x” is no whole number" in preview


async def test_a_repeating_action_is_logged_again_when_it_is_done_and_undo_takes_both_back(house: House) -> None:
    """The owner, who pressed the button, hears of the next one where they pressed it and nowhere else."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Look at the backups @ana by 2031-11-28")
    await house.settled()
    await ana.command("#network", "/steward", "A1 edit")
    await ana.click_view("more_fields")
    await house.settled()
    await ana.submit({"repeats": "every second friday"})
    assert "Type “every 2 weeks on friday”" in ana.form_errors["repeats"]
    await ana.submit({"repeats": "every 2 weeks on friday"})
    await house.settled()
    assert "*Repeats*\nevery 2 weeks on Friday" in shown(card(ana, "A1"))

    await ana.click(card(ana, "A1"), "step:done")
    await house.settled()
    assert "It repeats: A2 is due Fri 12 Dec 2031." in answered(ana)
    assert "Followed by: \nA2" in shown(card(ana, "A1"))
    assert "Follows: \nA1" in shown(card(ana, "A2"))
    assert ana.app_messages() == []

    await ana.click(ana.ephemerals("#network")[-1], "undo")
    await house.settled()
    assert (await house.record("A1"))["status"] == "open"
    assert (await house.record("A2"))["is_archived"]
    assert "was removed" in shown(next(each for each in ana.messages("#network") if "A2" in each["text"]))


async def test_a_part_stands_on_both_cards(house: House) -> None:
    ana = house.sandbox.person("ana")
    for title in ("Move the rack", "Order a van"):
        await ana.command("#network", "/action", title)

    await ana.command("#network", "/steward", "A2 part of A1")
    await house.settled()

    assert "Has part: \nA2" in shown(card(ana, "A1"))
    assert "Part of: \nA1" in shown(card(ana, "A2"))
    await ana.command("#network", "/steward", "A1 part of A2")
    assert "A2 belongs to A1 already" in answered(ana)


async def test_a_projects_own_fields_stand_in_its_forms_and_on_its_cards(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order racks")
    await ana.command("#general", "/action", "Call everybody")
    await ana.command("#network", "/steward", "settings")
    await ana.click_view("more_settings")
    await house.settled()
    await ana.submit({"own_fields": "Vendor\nSite: Paris"})
    assert "at least two words to choose from" in ana.form_errors["own_fields"]
    assert (await ana.submit({"own_fields": "Vendor\nSite: Paris | Rome"})).ok
    await house.settled()

    await ana.command("#network", "/risk", "")
    await ana.submit({"title": "Late switch", "own:Vendor": "Axolotl Ltd", "own:Site": "Rome"})
    await house.settled()
    drawn = shown(card(ana, "R1"))
    assert "Vendor: \nAxolotl Ltd" in drawn
    assert "*Site*\nRome" in drawn
    await ana.command("#network", "/steward", "find axol")
    assert "Late switch" in answered(ana)

    await ana.command("#network", "/steward", "R1 move #general")
    await house.settled()
    assert "Vendor and Site: no field of general." in answered(ana)
    assert "Site: \nRome" in shown(card(ana, "R1", "#general"))
    await ana.command("#general", "/steward", "R1 edit")
    assert "own:Vendor" not in held(ana.modal)
