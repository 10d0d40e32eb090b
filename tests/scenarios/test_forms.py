"""The forms: filled from what is known, faults beside their fields, and nothing typed is ever lost."""

from datetime import timedelta
from typing import Any

import pytest

from models.kinds import KINDS, Kind
from models.kinds.risk import RISK
from models.money import Money
from models.repeat_words import repeat_in_words
from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answered, card, held, hints, offered

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

TITLE_MISSING = "A title is needed: one line that says what it is."


async def log(house: House, person: Driver, command: str, words: str) -> None:
    """Log a record by words in #network and let everything arrive."""
    assert (await person.command("#network", command, words)).ok
    await house.settled()


async def open_edit(person: Driver, reference: str) -> None:
    assert (await person.command("#network", "/steward", f"{reference} edit")).ok


@sqlite_only
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_each_kinds_form_explains_every_field_and_requires_only_the_title(house: House, kind: Kind) -> None:
    ana = house.sandbox.person("ana")

    await ana.command("#network", f"/{kind.key}", "")

    form = ana.modal
    assert form is not None
    assert kind.help in shown(form)
    first = [field for field in kind.form_fields if not field.is_extra]
    assert hints(form) == {field.key: field.help for field in first}
    assert len(first) <= 9
    assert [block["block_id"] for block in form["blocks"] if block.get("optional") is False] == ["title"]
    outcome = await ana.submit({"title": f"The first {kind.singular}"})
    await house.settled()
    assert outcome.ok
    record = await house.record(f"{kind.letter}1")
    assert (record["title"], record["status"], record["priority"]) == (
        f"The first {kind.singular}",
        kind.first_status,
        "normal",
    )


FILLED = {
    "action": {
        "done_when": "Vendor confirmed in writing",
        "effort": "Two days",
        "repeats": "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=5;BYSETPOS=-1 from 2032-03-05",
        "result": "A contract",
    },
    "risk": {
        "probability": 4,
        "impact": 5,
        "impact_schedule": 5,
        "impact_cost": 3,
        "impact_scope": 1,
        "impact_quality": 2,
        "objective": "Open in May",
        "cost": "1200.50 EUR",
        "contingency_budget": "90000.00 USD",
        "escalation_level": "coordinator",
        "response": "mitigate",
        "cause": "One supplier",
        "effect": "The pilot slips",
        "nature": "threat",
        "category": "vendor",
        "proximity": "stage",
        "trigger_date": "2032-02-01",
        "trigger_sign": "No shipping notice",
        "contingency": "Rent one",
        "residual_probability": 2,
        "residual_impact": 3,
    },
    "issue": {
        "severity": "2",
        "workaround": "Use the old line",
        "issue_type": "defect",
        "effect": "Two days lost",
        "schedule_days": 2,
        "cost": "10.00 EUR",
        "scope_effect": "One line less",
        "quality_effect": "Slow at noon",
        "decide_by": "2032-02-03",
        "escalation_level": "sponsor",
        "root_cause": "A certificate",
        "decider_id": "U00000000BE",
        "escalated_to": "U00000000BE",
        "resolution": "Renewed",
        "ticket": "INC-1",
    },
    "decision": {
        "rationale": "It is nearer",
        "alternatives": "The first one",
        "deciders": ["U00000000BE", "U00000000AN"],
        "problem": "No room left",
        "drivers": "Cost",
        "consequences": "A longer cable",
        "effect": "Two days later",
        "reversibility": "costly",
        "confirmation": "The contract is signed",
        "consulted": ["U00000000BE"],
        "informed": ["U00000000AN"],
    },
    "assumption": {
        "basis": "Plans",
        "confidence": "high",
        "if_false": "Two rooms",
        "validator_id": "U00000000KA",
        "how_checked": "Ask",
    },
    "dependency": {
        "provider": "Security",
        "promised": "2032-03-01",
        "confirmation": "written",
        "light": "amber",
        "direction": "gets",
        "if_late": "No tests",
    },
}
COMMON = {
    "next_review": "2032-02-02",
    "confidentiality": "confidential",
    "title": "Everything filled in",
    "owner_id": "U00000000BE",
    "due_date": "2032-03-05",
    "due_time": "15:00",
    "priority": "high",
    "tags": "network, pilot",
    "helpers": ["U00000000KA"],
    "details": "First line\nsecond line",
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_every_field_of_a_kind_is_stored_and_stands_in_the_form_again(house: House, kind: Kind) -> None:
    ana = house.sandbox.person("ana")
    own = FILLED[kind.key]
    await ana.command("#network", f"/{kind.key}", "")

    await ana.click_view("more_fields")
    await house.settled()
    outcome = await ana.submit(COMMON | {key: as_chosen(value) for key, value in own.items()})
    await house.settled()

    assert outcome.ok
    record = await house.record(f"{kind.letter}1")
    assert {key: record[key] for key in own} == own
    assert (record["owner"], record["due_date"], record["due_time"]) == ("U00000000BE", "2032-03-05", "15:00:00")
    await open_edit(ana, f"{kind.letter}1")
    assert held(ana.modal) == COMMON | {key: as_chosen(value) for key, value in own.items()}
    assert "more_fields" not in offered(ana.modal or {})


def as_chosen(value: Any) -> Any:
    """A number as the menu of a form holds it, an amount and a rule as their inputs do."""
    if isinstance(value, str) and value.startswith("FREQ="):
        return repeat_in_words(value)
    if isinstance(value, str) and value.endswith((" EUR", " USD")):
        return Money.stored(value).shown
    return str(value) if isinstance(value, int) else value


@sqlite_only
async def test_more_fields_keeps_everything_typed_in_a_new_form_and_in_an_edited_one(house: House) -> None:
    ana = house.sandbox.person("ana")
    message = await ana.say("#network", "The core switch may arrive late")
    await ana.message_shortcut("#network", message["ts"], "log_message")
    await ana.click_view("kind", "risk")
    await house.settled()
    ana.fill({"title": "Core switch late", "probability": "4", "due_date": "2032-03-05"})

    await ana.click_view("more_fields")
    await house.settled()
    form = held(ana.modal)

    assert (form["kind"], form["title"], form["probability"], form["due_date"]) == (
        "risk",
        "Core switch late",
        "4",
        "2032-03-05",
    )
    assert set(form) == {"kind", *(field.key for field in RISK.form_fields)}
    await ana.submit({"cause": "One supplier"})
    await house.settled()
    await open_edit(ana, "R1")
    assert held(ana.modal)["cause"] == "One supplier"
    assert "effect" not in held(ana.modal)
    ana.fill({"title": "Core switch very late"})
    await ana.click_view("more_fields")
    await house.settled()
    assert held(ana.modal)["title"] == "Core switch very late"
    await ana.submit({"effect": "The pilot slips"})
    await house.settled()
    record = await house.record("R1")
    assert (record["title"], record["cause"], record["effect"]) == (
        "Core switch very late",
        "One supplier",
        "The pilot slips",
    )
    assert (record["probability"], record["due_date"], record["version"]) == (4, "2032-03-05", 2)


@sqlite_only
async def test_a_later_due_date_is_asked_about_and_the_first_promise_stays_on_the_card(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action", "Call the vendor by 2032-03-05")
    await open_edit(ana, "A1")
    assert "why_moved" not in held(ana.modal)
    ana.fill({"title": "Call both vendors"})

    await ana.click_view("due_date", "2032-03-01")
    await house.settled()
    assert "why_moved" not in held(ana.modal)
    await ana.click_view("due_date", "2032-03-12")
    await house.settled()
    form = held(ana.modal)
    assert (form["title"], form["due_date"], form["why_moved"]) == ("Call both vendors", "2032-03-12", None)
    await ana.submit({"why_moved": "They are on holiday"})
    await house.settled()

    record = await house.record("A1")
    assert (record["title"], record["due_date"], record["first_due_date"]) == (
        "Call both vendors",
        "2032-03-12",
        "2032-03-05",
    )
    assert "Fri 12 Mar 2032\nmoved once, first promised Fri 5 Mar 2032" in shown(card(ana, "A1"))
    await ana.command("#network", "/steward", "A1 history")
    moved = "due date: Fri 5 Mar 2032 → Fri 12 Mar 2032 (They are on holiday)"
    assert moved in answered(ana)
    assert "first due date" not in answered(ana)


@sqlite_only
async def test_the_reason_of_a_move_is_not_needed(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action", "Call the vendor by 2032-03-05")
    await open_edit(ana, "A1")
    await ana.click_view("due_date", "2032-03-12")
    await house.settled()

    assert (await ana.submit()).ok
    await house.settled()

    assert (await house.record("A1"))["due_moves"] == 1


@sqlite_only
async def test_a_date_chosen_after_somebody_approved_the_decision_loses_nothing_typed(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/decision", "Use fibre by 2032-03-05")
    await open_edit(ana, "D1")
    ana.fill({"rationale": "It is quicker"})
    await ana.command("#network", "/steward", "D1 approve")

    await ana.click_view("due_date", "2032-03-12")
    await house.settled()
    await ana.submit()

    assert held(ana.modal)["rationale"] == "It is quicker"
    assert "its text stands" in ana.form_errors["title"]


@sqlite_only
async def test_a_form_whose_record_was_changed_meanwhile_shows_more_fields_and_still_notices(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/risk", "Late switch")
    await open_edit(ana, "R1")
    ana.fill({"title": "Late core switch"})
    await open_edit(ben, "R1")
    await ben.click_view("more_fields")
    await house.settled()
    await ben.submit({"cause": "One supplier"})
    await house.settled()

    await ana.click_view("more_fields")
    await house.settled()
    await ana.submit({"effect": "The pilot slips"})
    warned = shown(ana.modal or {})
    await ana.submit()
    await house.settled()

    assert "Ben Fischer changed R1 meanwhile: cause is now “One supplier”" in warned
    record = await house.record("R1")
    assert (record["title"], record["cause"], record["effect"]) == (
        "Late core switch",
        "One supplier",
        "The pilot slips",
    )


@sqlite_only
async def test_a_button_whose_step_needs_a_reason_opens_a_small_form(house: House) -> None:
    """Saved without the reason it says so beside the question; what was chosen stays."""
    ana = house.sandbox.person("ana")
    await log(house, ana, "/risk", "Late switch")

    await ana.click(card(ana, "R1"), "step:close")
    await house.settled()
    assert "R1: Late switch" in shown(ana.modal or {})
    await ana.submit({"closed_as": "mitigated", "remark": "A second one is ordered"})
    await house.settled()

    assert "Closed R1" in answered(ana)
    assert "*Closing reason*\nMitigated" in shown(card(ana, "R1"))
    assert "Closed: \nA second one is ordered" in shown(card(ana, "R1"))
    await ana.click(card(ana, "R1"), "step:reopen")
    await house.settled()
    await ana.submit({"remark": "   "})
    assert list(ana.form_errors) == ["remark"]
    await ana.submit({"remark": "It was lost on the way"})
    await house.settled()
    record = await house.record("R1")
    assert (record["status"], record["closed_as"], record["remark"]) == ("open", None, "It was lost on the way")


@sqlite_only
async def test_a_step_form_left_open_until_somebody_else_took_the_step_says_so(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action", "Order cables")
    await ana.click(card(ana, "A1"), "more", "step:cancel A1")
    await house.settled()
    await log(house, ben, "/steward", "A1 done")

    await ana.submit({"remark": "Not needed"})

    assert "A1 is done, so “cancel” is not possible now." in next(iter(ana.form_errors.values()))


@sqlite_only
async def test_words_without_a_title_open_the_form_filled_with_what_was_understood(house: House) -> None:
    ana = house.sandbox.person("ana")

    await ana.command("#network", "/action", "@ben by 2032-03-05 3pm !high")

    assert held(ana.modal) == {
        "title": None,
        "done_when": None,
        "owner_id": house.sandbox.person("ben").id,
        "due_date": "2032-03-05",
        "due_time": "15:00",
        "priority": "high",
        "details": None,
    }


@sqlite_only
async def test_every_fault_stands_beside_its_field_and_what_was_typed_stays(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "")

    await ana.submit(
        {
            "title": "   ",
            "owner_id": "U00000000OM",
            "due_date": "2020-01-01",
            "details": "Kept",
            "done_when": "Kept too",
        }
    )

    assert ana.form_errors == {
        "title": TITLE_MISSING,
        "owner_id": "Omar Haddad's account is deactivated. Choose somebody else.",
        "due_date": "Wed 1 Jan 2020 is past. Choose today or a later day.",
    }
    assert (held(ana.modal)["details"], held(ana.modal)["done_when"]) == ("Kept", "Kept too")
    outcome = await ana.submit({"title": "Mended", "owner_id": "U00000000BE", "due_date": "2032-03-05"})
    await house.settled()
    assert outcome.ok
    assert (await house.record("A1"))["details"] == "Kept"


@sqlite_only
async def test_a_time_without_a_day_asks_for_the_day(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "")

    await ana.submit({"title": "Call the vendor", "due_time": "10:00"})

    assert ana.form_errors == {"due_time": "A time needs a day: choose a due date too, or clear the time."}


async def test_fields_can_be_cleared(house: House) -> None:
    """An emptied field is stored as empty, and a time goes with its day."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "")
    await ana.click_view("more_fields")
    await house.settled()
    await ana.submit(COMMON | {"done_when": "Signed"})
    await house.settled()
    await open_edit(ana, "A1")

    cleared = {
        "owner_id": None,
        "due_date": None,
        "due_time": None,
        "next_review": None,
        "confidentiality": "open",
        "priority": "normal",
        "details": "",
        "done_when": "",
    }
    outcome = await ana.submit(cleared)
    await house.settled()

    assert outcome.ok
    record = await house.record("A1")
    assert (record["owner"], record["due_date"], record["due_time"], record["next_review"]) == (None,) * 4
    assert (record["priority"], record["details"], record["done_when"]) == ("normal", "", "")
    assert "nobody yet" in shown(card(ana, "A1"))


@sqlite_only
async def test_clearing_only_the_day_asks_to_clear_the_time_too(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action", "Call the vendor by 2032-03-05 3pm")
    await open_edit(ana, "A1")

    await ana.submit({"due_date": None})

    assert list(ana.form_errors) == ["due_time"]


@sqlite_only
async def test_choices_and_scales_can_be_emptied_again(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/risk", "")
    await ana.submit({"title": "Late switch", "probability": "4", "impact": "5", "response": "avoid"})
    await house.settled()
    await open_edit(ana, "R1")

    await ana.submit({"probability": "-", "response": "-"})
    await house.settled()

    record = await house.record("R1")
    assert (record["probability"], record["impact"], record["response"]) == (None, 5, None)


@sqlite_only
async def test_saving_an_unchanged_form_changes_nothing(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action", "Call the vendor")
    await open_edit(ana, "A1")

    await ana.submit()
    await house.settled()

    assert "Nothing changed in A1" in answered(ana)
    assert (await house.record("A1"))["version"] == 1


@sqlite_only
async def test_an_old_past_due_date_does_not_stand_in_the_way_of_other_changes(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action", "Call the vendor by tomorrow")
    await house.sandbox.advance(timedelta(days=3))
    await open_edit(ana, "A1")

    outcome = await ana.submit({"details": "They are on holiday"})

    assert outcome.ok


async def test_details_over_3000_characters_are_edited_in_several_inputs(house: House) -> None:
    """One input of Slack's takes 3,000 characters; editing never cuts what is longer."""
    ana = house.sandbox.person("ana")
    details = "".join(f"Line {number} of a long report\n" for number in range(400))
    await log(house, ana, "/action", f"Read the report\n{details}")
    stored = (await house.record("A1"))["details"]

    await open_edit(ana, "A1")
    parts = [key for key in held(ana.modal) if key.startswith("details")]
    shown_details = "".join(held(ana.modal)[key] for key in parts)
    await ana.submit({"title": "Read the whole report", parts[-1]: f"{held(ana.modal)[parts[-1]]}The end."})
    await house.settled()

    assert stored == details.rstrip("\n") == shown_details.rstrip("\n")
    assert len(parts) == 4
    record = await house.record("A1")
    assert (record["title"], record["details"]) == ("Read the whole report", f"{shown_details}The end.")


async def test_two_who_edit_at_once_both_keep_their_changes(house: House) -> None:
    """The later form comes back, says who changed what, and holds both changes; saving it again stores both."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await log(house, ana, "/action", "Send the diagram @ben by 2032-03-05")
    await open_edit(ana, "A1")
    await open_edit(ben, "A1")
    await ben.submit({"title": "Send the signed diagram", "owner_id": kavya.id, "due_date": None})
    await house.settled()

    await ana.submit({"details": "Typed by Ana", "priority": "low"})

    assert ana.modal is not None
    warning = shown(ana.modal).splitlines()[1]
    assert warning.startswith("Ben Fischer changed A1 meanwhile: title is now “Send the signed diagram”, owner is now")
    assert "Not saved yet" in warning
    assert (await house.record("A1"))["details"] == ""
    form = held(ana.modal)
    assert (form["title"], form["owner_id"], form["due_date"]) == ("Send the signed diagram", kavya.id, None)
    assert (form["details"], form["priority"]) == ("Typed by Ana", "low")
    await ana.submit()
    await house.settled()
    record = await house.record("A1")
    assert (record["title"], record["owner"], record["due_date"]) == ("Send the signed diagram", kavya.id, None)
    assert (record["details"], record["priority"], record["version"]) == ("Typed by Ana", "low", 3)


@sqlite_only
async def test_where_both_changed_the_same_field_the_typed_words_stay_in_the_form(house: House) -> None:
    """The sentence above says what the field holds meanwhile; saving again keeps what was typed last."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action", "Send the diagram")
    await open_edit(ana, "A1")
    await open_edit(ben, "A1")
    await ben.submit({"title": "Ben's title"})

    await ana.submit({"title": "Ana's title"})

    assert ana.modal is not None
    assert "title is now “Ben's title”" in shown(ana.modal).replace("’", "'")
    assert held(ana.modal)["title"] == "Ana's title"
    await ana.submit()
    assert (await house.record("A1"))["title"] == "Ana's title"


@sqlite_only
async def test_a_second_conflict_on_the_same_form_loses_nothing_either(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action", "Send the diagram")
    await open_edit(ana, "A1")
    for change in ({"title": "First"}, {"done_when": "Signed"}):
        await open_edit(ben, "A1")
        await ben.submit(change)
        await ana.submit({"details": "Typed by Ana"})
        assert ana.modal is not None

    await ana.submit()

    record = await house.record("A1")
    assert (record["title"], record["done_when"], record["details"]) == ("First", "Signed", "Typed by Ana")


@sqlite_only
async def test_long_details_that_somebody_else_wrote_meanwhile_come_into_the_form_whole(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action", "Send the diagram\n" + "a" * 3_500)
    await open_edit(ana, "A1")
    await open_edit(ben, "A1")
    await ben.submit({"details": "b" * 3_000, "details.1": "c" * 3_000})

    await ana.submit({"title": "Another title"})
    await ana.submit()

    record = await house.record("A1")
    assert (record["title"], record["details"]) == ("Another title", "b" * 3_000 + "c" * 3_000)


@sqlite_only
async def test_a_decision_approved_while_its_form_was_open_keeps_its_text_and_the_form_says_so(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/decision", "Use the second data centre")
    await open_edit(ana, "D1")
    form_before = ana.modal
    await ana.command("#network", "/steward", "D1 approve")

    await ana.submit({"rationale": "It is nearer"})

    assert form_before is not None
    assert ana.form_errors == {
        "title": "D1 is approved, so its text stands. `/steward D1 supersede` begins a new decision in its place."
    }
    assert held(ana.modal)["rationale"] == "It is nearer"


@sqlite_only
async def test_changing_the_kind_keeps_what_was_typed_into_fields_both_have(house: House) -> None:
    ana = house.sandbox.person("ana")
    message = await ana.say("#network", "The core switch may arrive late")
    await ana.message_shortcut("#network", message["ts"], "log_message")
    ana.fill({"title": "Core switch late", "owner_id": "U00000000BE", "details": "Supplier says so"})

    for kind in ("risk", "issue", "decision", "action", "risk"):
        await ana.click_view("kind", kind)
        await house.settled()

    form = held(ana.modal)
    assert form["kind"] == "risk"
    assert (form["title"], form["owner_id"], form["details"]) == ("Core switch late", "U00000000BE", "Supplier says so")
    await ana.submit({"probability": "4", "impact": "2"})
    await house.settled()
    record = await house.record("R1")
    assert (record["title"], record["probability"], record["details"]) == ("Core switch late", 4, "Supplier says so")
    assert record["source_link"].endswith(f"/p{message['ts'].replace('.', '')}")


@sqlite_only
async def test_words_that_the_new_kind_has_no_field_for_go_to_the_details(house: House) -> None:
    """Nothing typed is lost by changing one's mind."""
    ana = house.sandbox.person("ana")
    message = await ana.say("#network", "The core switch may arrive late")
    await ana.message_shortcut("#network", message["ts"], "log_message")
    ana.fill({"done_when": "it stands in the rack", "details": "Supplier says so"})

    await ana.click_view("kind", "risk")
    await house.settled()
    in_the_form = held(ana.modal)["details"]
    await ana.submit()
    await house.settled()

    record = await house.record("R1")
    assert in_the_form == record["details"] == "Supplier says so\nDone when: it stands in the rack"


@sqlite_only
async def test_a_form_submitted_twice_is_stored_once(house: House) -> None:
    """Slack's window stays open when the first answer is lost; the person presses again."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "")
    [view] = house.sandbox.workspace.stack(ana.id)

    await ana.submit({"title": "Once"})
    house.sandbox.workspace.modals[ana.id] = [view]
    await ana.submit({"title": "Once"})
    await house.settled()

    assert [record["reference"] for record in (await house.export()).records] == ["A1"]
