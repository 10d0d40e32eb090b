"""The buttons: of every kind in every status, their way back, and what happens when they are pressed late or twice."""

import asyncio

import pytest

from models.kinds import KINDS, Kind
from models.kinds.action import ACTION
from models.kinds.base import Step
from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import Json, answer, answered, buttons, card, held, in_menu, offered

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def log(house: House, person: Driver, line: str) -> None:
    command, _, words = line.partition(" ")
    assert (await person.command("#network", command, words)).ok
    await house.settled()


async def press(house: House, person: Driver, message: Json, action_id: str, value: str | None = None) -> str:
    """Press a button of a message; what the person is told by it."""
    assert (await person.click(message, action_id, value)).ok
    await house.settled()
    return answered(person)


def again(person: Driver, message: Json) -> Json:
    """The private message as it stands now."""
    return next(each for each in person.ephemerals("#network") if each["id"] == message["id"])


@sqlite_only
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_a_cards_buttons_are_the_steps_of_its_status_and_each_moves_it_on(house: House, kind: Kind) -> None:
    """Every step of every status is pressed once, on a record of its own."""
    ana = house.sandbox.person("ana")
    pairs = [(status, step) for status in kind.statuses for step in kind.steps_from(status)]
    await log(house, ana, "/action So that the project is Ana's")

    for number, (status, step) in enumerate(pairs, start=2 if kind is ACTION else 1):
        reference = f"{kind.letter}{number}"
        await log(house, ana, f"/{kind.key} Something to settle")
        await _bring_to(house, ana, kind, reference, status)
        steps = [f"step:{each.key}" for each in kind.steps_from(status)]
        found = [each for each in offered(card(ana, reference)) if each.startswith("step:")]
        assert sorted(found) == sorted(steps)
        follow_ups = [f"follow:{each.key}" for each in kind.follow_ups_from(status)]
        assert [each for each in offered(card(ana, reference)) if each.startswith("follow:")] == follow_ups
        in_the_row = [each for each in found if f"{each} {reference}" not in in_menu(card(ana, reference))]
        assert in_the_row == steps[: len(in_the_row)]
        assert all(
            len(block["elements"]) <= 5 for block in card(ana, reference)["blocks"] if block["type"] == "actions"
        )

        told = await press_step(house, ana, card(ana, reference), step, reference)

        assert f"{step.past} {reference}" in told
        record = await house.record(reference)
        assert (record["status"], record["is_open"]) == (step.to, step.to not in kind.closed)
        assert f"*Status*\n{step.to.label}" in shown(card(ana, reference))


async def press_step(house: House, person: Driver, message: Json, step: Step, reference: str) -> str:
    """Press a step, wherever it stands, and fill in what it asks for; what the person is told."""
    entry = f"step:{step.key} {reference}"
    if entry in in_menu(message):
        assert (await person.click(message, "more", entry)).ok
    else:
        assert (await person.click(message, f"step:{step.key}")).ok
    await house.settled()
    if person.modal is not None:
        answers = dict.fromkeys(held(person.modal), "Because")
        if step.asks:
            answers[step.asks] = "expired"
        assert (await person.submit(answers)).ok
        await house.settled()
    return answered(person)


async def _bring_to(house: House, person: Driver, kind: Kind, reference: str, status: str) -> None:
    """Move the record from its first status by the fewest steps, where it is to be in another."""
    ways: list[tuple[str, tuple[Step, ...]]] = [(kind.first_status, ())]
    for follow_up in kind.follow_ups:
        if status == follow_up.to:
            await log(house, person, f"/steward {reference} {follow_up.key}")
            assert (await person.submit()).ok
            await house.settled()
            return
    for at, way in ways:
        ways += [(step.to, (*way, step)) for step in kind.steps_from(at) if len(way) < 3]
        if at == status:
            for step in way:
                await log(house, person, f"/steward {reference} {typed(kind, step)}")
            return


def typed(kind: Kind, step: Step) -> str:
    """The step with what it asks for, as words."""
    return kind.typed(step, "").strip().replace("…", "because")


@sqlite_only
async def test_edit_and_history_are_on_the_card_and_an_approved_decision_offers_no_edit(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/decision Use fibre")

    before = offered(card(ana, "D1"))
    await press(house, ana, card(ana, "D1"), "step:approve")
    told = await press(house, ana, card(ana, "D1"), "more", "history D1")

    assert before == ["step:approve", "step:reject", "step:defer", "edit", "step:need", "comment", "history", "move"]
    assert offered(card(ana, "D1")) == ["step:withdraw", "follow:supersede", "comment", "history", "move"]
    assert "status: Proposed → Approved" in told
    assert offered(ana.ephemerals("#network")[-2]) == ["undo"]


async def test_each_act_can_be_undone_and_redone(house: House) -> None:
    """The confirmation itself turns into the way back, and forth again."""
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action Order cables")
    await press(house, ana, card(ana, "A1"), "step:done")
    confirmation = answer(ana)

    await press(house, ana, confirmation, "undo")

    assert (await house.record("A1"))["status"] == "open"
    assert "Undone: A1" in shown(again(ana, confirmation))
    assert "step:done" in offered(card(ana, "A1"))
    await press(house, ana, again(ana, confirmation), "undo:redo")
    assert (await house.record("A1"))["status"] == "done"
    assert "Redone: A1" in shown(again(ana, confirmation))
    assert "step:reopen" in offered(card(ana, "A1"))
    await press(house, ana, again(ana, confirmation), "undo")
    assert (await house.record("A1"))["is_open"]


async def test_undoing_a_new_record_removes_it_and_redoing_brings_it_back(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action Order cables @ben")
    confirmation = answer(ana)

    await press(house, ana, confirmation, "undo")

    assert "Undid the logging of A1" in shown(again(ana, confirmation))
    [removed] = [message for message in ana.messages("#network") if "A1 was removed" in message["text"]]
    assert offered(removed) == []
    await log(house, ana, "/steward A1")
    assert "There is no A1 here" in answered(ana)
    await press(house, ana, again(ana, confirmation), "undo:redo")
    assert "Brought back A1" in shown(again(ana, confirmation))
    assert "step:done" in offered(card(ana, "A1"))
    await log(house, ana, "/steward A1")
    assert "Order cables" in answered(ana)


@sqlite_only
async def test_undoing_an_edit_restores_every_field_it_changed(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/risk Late switch @ben by 2032-03-05\nSupplier says so")
    before = await house.record("R1")
    await press(house, ana, card(ana, "R1"), "edit")
    changed = {
        "title": "Later",
        "owner_id": None,
        "due_date": None,
        "probability": "4",
        "details": "",
        "priority": "low",
    }
    await ana.submit(changed)
    await house.settled()

    await press(house, ana, answer(ana), "undo")

    moving = ("updated_at", "version")
    after = await house.record("R1")
    assert {key: after[key] for key in after if key not in moving} == {
        key: before[key] for key in before if key not in moving
    }


@sqlite_only
async def test_undo_is_refused_once_somebody_else_changed_the_record(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables")
    confirmation = answer(ana)
    await press(house, ben, card(ben, "A1"), "step:start")

    told = await press(house, ana, confirmation, "undo")

    assert "Ben Fischer changed A1 since (status, just now). So this can no longer be undone" in told
    assert (await house.record("A1"))["status"] == "in_progress"


@sqlite_only
async def test_undo_of_a_record_that_was_removed_since_names_the_removal_and_the_way_back(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action Order cables")
    confirmation = answer(ana)
    await ana.command("#network", "/steward", "A1 remove")
    await house.settled()

    told = await press(house, ana, confirmation, "undo")
    await ana.command("#network", "/steward", "A1 undo")
    await house.settled()

    assert "You changed A1 since (removal, just now). So this can no longer be undone." in told
    assert "`/steward A1 undo` takes back a last change of your own." in told
    assert (await house.record("A1"))["is_open"]


@sqlite_only
async def test_an_old_button_answers_politely_and_says_what_is_possible(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables")
    await log(house, ben, "/steward A1")
    old_card = answer(ben)
    await press(house, ana, card(ana, "A1"), "step:done")

    done_again = await press(house, ben, old_card, "step:done")
    cancelled = await press(house, ben, old_card, "more", "step:cancel A1")

    assert done_again == "A1 is done already. Possible: `/steward A1 verify`, `/steward A1 reopen`."
    assert (
        cancelled
        == "A1 is done, so “cancel” is not possible now. Possible: `/steward A1 verify`, `/steward A1 reopen`."
    )
    assert (await house.record("A1"))["version"] == 2


async def test_two_who_press_at_the_same_moment_move_it_once(house: House) -> None:
    """One is told that it is done, the other that it was already."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables")
    before = card(ana, "A1")

    outcomes = await asyncio.gather(ana.click(before, "step:done"), ben.click(before, "step:done"))
    await house.settled()

    assert all(outcome.ok for outcome in outcomes)
    told = sorted([answered(ana).splitlines()[0].strip(), answered(ben).splitlines()[0].strip()])
    assert told[1] == "Closed A1"
    assert told[0].startswith("A1 is done already.")
    steps = [row for row in (await house.export()).history if row["field"] == "status"]
    assert len(steps) == 1


@sqlite_only
async def test_a_private_card_is_drawn_anew_when_its_button_is_pressed(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/issue VPN drops")
    await log(house, ana, "/steward I1")
    private = answer(ana)

    told = await press(house, ana, private, "step:start")

    assert "Started I1" in told
    assert "*Status*\nIn progress" in shown(again(ana, private))
    assert "step:start" not in offered(again(ana, private))


@sqlite_only
async def test_the_direct_message_to_a_new_owner_has_buttons_that_work_and_is_drawn_anew(house: House) -> None:
    """An owner who is not in the channel learns of the record directly, and can settle it there."""
    ana = house.sandbox.person("ana")
    dora = house.sandbox.add_person("dora", "Dora Klein")
    await log(house, ana, "/action Order cables")
    await log(house, ana, "/steward A1 edit")
    await ana.submit({"owner_id": dora.id})
    await house.settled()
    [word] = dora.app_messages()
    assert "You own A1 in network, raised by Ana Torres." in shown(word)

    await dora.click(word, "step:done")
    await house.settled()

    assert (await house.record("A1"))["status"] == "done"
    [word] = [message for message in dora.app_messages() if "You own" in shown(message)]
    assert "step:done" not in offered(word)
    assert "step:reopen" in offered(word)
    assert "Closed A1" in shown(dora.ephemerals(word["channel"])[-1])


@sqlite_only
async def test_only_the_coordinator_decides_and_others_are_told_whom_to_ask(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/decision Use fibre")

    told = await press(house, ben, card(ben, "D1"), "step:approve")

    assert "Only the coordinator of network can decide this." in told
    assert (await house.record("D1"))["status"] == "proposed"


@sqlite_only
async def test_a_list_is_paged_in_place_and_its_records_open(house: House) -> None:
    ana = house.sandbox.person("ana")
    for number in range(1, 24):
        assert (await ana.command("#network", "/action", f"Number {number}")).ok
    await house.settled()
    await log(house, ana, "/action list")
    listed = answer(ana)
    seen = [[value for action, value in buttons(listed) if action == "show"]]

    for turn in ("list:next", "list:next", "list:previous"):
        await press(house, ana, again(ana, listed), turn)
        seen.append([value for action, value in buttons(again(ana, listed)) if action == "show"])

    assert seen[0] == [f"A{number}" for number in range(1, 11)]
    assert seen[1] == seen[3] == [f"A{number}" for number in range(11, 21)]
    assert seen[2] == ["A21", "A22", "A23"]
    assert "11 to 20 of 23 open" in shown(again(ana, listed))
    turns = [each for each in offered(again(ana, listed)) if each.startswith("list:")]
    assert turns == ["list:previous", "list:next", "list:other"]
    told = await press(house, ana, again(ana, listed), "show", "A12")
    assert "A12  \nNumber 12" in told


@sqlite_only
async def test_a_list_whose_last_page_emptied_meanwhile_shows_the_page_before(house: House) -> None:
    ana = house.sandbox.person("ana")
    for number in range(1, 12):
        assert (await ana.command("#network", "/action", f"Number {number}")).ok
    await house.settled()
    await log(house, ana, "/action list")
    listed = answer(ana)
    await log(house, ana, "/steward A11 done")

    await press(house, ana, listed, "list:next")

    assert "1 to 10 of 10 open" in shown(again(ana, listed))


@sqlite_only
async def test_the_buttons_of_the_details_window_work_there(house: House) -> None:
    """From Home the record opens in a window; a step, its undo, the history and the form answer in it."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables @ben")
    await ben.open_home()
    await ben.click_home("show", "A1")
    await house.settled()
    assert ben.modal is not None
    steps = ["step:done", "step:start", "step:wait", "edit", "step:block", "step:cancel", "comment", "history", "move"]
    assert offered(ben.modal) == [*steps, "watch"]

    await ben.click_view("step:done")
    await house.settled()
    closed = shown(ben.modal)
    await ben.click_view("undo")
    await house.settled()
    undone = shown(ben.modal)
    await ben.click_view("edit")
    await ben.submit({"title": "Order fibre"})
    await house.settled()

    assert "Closed A1" in closed
    assert "Undone: A1" in undone
    assert "Changed A1" in shown(ben.modal)
    record = await house.record("A1")
    assert (record["title"], record["status"]) == ("Order fibre", "open")
    await ben.close(clear=True)
    await ben.click_home("show", "A1")
    await house.settled()
    await ben.click_view("more", "history A1")
    await house.settled()
    assert "title: Order cables → Order fibre" in shown(ben.modal)


@sqlite_only
async def test_the_greetings_buttons_open_the_form_and_the_help(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.invite("#random", "steward")
    await house.settled()
    [hello] = [message for message in ana.messages("#random") if "bot_id" in message]

    await ana.click(hello, "help")
    await house.settled()
    helped = answered(ana, "#random")
    await ana.click(hello, "log")
    ana.fill({"title": "The first one"})
    await ana.click_view("kind", "issue")
    await house.settled()
    await ana.submit({"severity": "2"})
    await house.settled()

    assert "*How to type it*" in helped
    record = await house.record("I1")
    assert (record["title"], record["severity"], record["project"]) == ("The first one", "2", "random")
    assert "Logged I1" in answered(ana, "#random")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_finds_no_room_on_a_card_is_offered_behind_more(house: House) -> None:
    """Slack allows five entries in a menu, and an open risk has more to choose from."""
    ana = house.sandbox.person("ana")
    await log(house, ana, "/risk Core switch may arrive late")

    menu = in_menu(card(ana, "R1"))
    await ana.click(card(ana, "R1"), "more", "all R1")
    await house.settled()
    everything = offered(answer(ana))

    assert menu[-2:] == ["comment R1", "all R1"]
    assert len(menu) == 5
    assert {"history", "move", "comment", "edit", "follow:happened"} < set(everything)
    await ana.click(answer(ana), "move")
    assert ana.modal is not None
    assert "Core switch may arrive late" in shown(ana.modal)
