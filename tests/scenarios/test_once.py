"""Each request takes effect once, whole, and is answered, whatever Slack, the database or the clock do meanwhile."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot import incoming
from sandbox.delivery import Shipment
from sandbox.timing import Timing
from tests.scenarios.house import PATIENT_SLACK, House, house_over_socket_mode, shown
from tests.scenarios.looking import held
from tests.scenarios.steps import again, all_said, delivered, owed, said, writer_held
from tests.waiting import until

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
async def impatient_house(database_url: str) -> AsyncIterator[House]:
    """A house that waits a second for the database, well within its patience."""
    async with house_over_socket_mode(database_url, wait_ms=1_000) as open_house:
        yield open_house


@asynccontextmanager
async def writer_held_long(house: House, database_url: str) -> AsyncIterator[None]:
    """The database is held for longer than Steward waits before it says "Still working"."""
    edge = house.here.edge
    patient, edge._patience_seconds = edge._patience_seconds, 0.2
    try:
        async with writer_held(database_url):
            yield
    finally:
        edge._patience_seconds = patient


@asynccontextmanager
async def held_up(house: House) -> AsyncIterator[None]:
    """What people ask for meanwhile is done at the end of it, long after Steward says "Still working"."""
    edge, goes_on = house.here.edge, asyncio.Event()
    patient, unit = edge._patience_seconds, edge._unit

    async def late(*args: Any, **options: Any) -> Any:
        await goes_on.wait()
        return await unit(*args, **options)

    edge._patience_seconds, edge._unit = 0.05, late  # type: ignore[method-assign]
    try:
        yield
    finally:
        goes_on.set()
        await house.steward.background.settle()
        edge._patience_seconds, edge._unit = patient, unit  # type: ignore[method-assign]


async def cards(house: House, reference: str) -> list[str]:
    """The cards of a record in #network."""
    messages = [shown(m) for m in house.sandbox.person("ana").messages("#network") if "bot_id" in m]
    return [message for message in messages if reference in message]


# ---- delivered more than once ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 20])
async def test_a_command_delivered_again_logs_one_record_and_is_answered_with_it(house: House, times: int) -> None:
    """The answer is the record as it stands now."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#network", "/steward", "A1 start")
    command = delivered(house, "/action")

    acks = await again(house, command, times=times)
    await house.settled()

    assert [record["reference"] for record in (await house.export()).records] == ["A1"]
    assert len(await cards(house, "A1")) == 1
    for ack in acks:
        assert ack.ok
        assert "In progress" in shown(ack.body)


async def test_a_command_delivered_twenty_times_at_once_logs_one_record(house: House) -> None:
    """Before any of them was done."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/steward", "help")
    command = delivered(house, "/steward")
    command.payload |= {"command": "/action", "text": "Order two racks", "trigger_id": "7.7.same"}
    command.kind = "/action"

    acks = await again(house, command, times=20)
    await house.settled()

    assert [record["reference"] for record in (await house.export()).records] == ["A1"]
    assert len([row for row in (await house.export()).history if row["reference"] == "A1"]) == 1
    assert len(await cards(house, "A1")) == 1
    assert sum("Logged A1" in shown(ack.body) for ack in acks) == 1
    assert all(ack.ok and "Order two racks" in shown(ack.body) for ack in acks)


async def test_a_button_delivered_twenty_times_at_once_moves_the_record_once(house: House) -> None:
    """One change in the history."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await house.settled()
    await ana.click(ana.messages("#network")[-1], "edit")
    await ana.close()
    press = delivered(house, "block_actions")
    press.payload["actions"][0] |= {"action_id": "step:start"}
    press.payload["trigger_id"] = "8.8.same"

    acks = await again(house, press, times=20)
    await house.settled()

    assert all(ack.ok for ack in acks)
    record = await house.record("A1")
    assert (record["status"], record["version"]) == ("in_progress", 2)


async def test_a_form_delivered_twenty_times_at_once_stores_one_record(house: House) -> None:
    """And closes for each of them."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/risk", "")
    await ana.submit({"title": "  "})
    form = delivered(house, "view_submission")
    form.payload["view"]["state"]["values"]["title"]["title"]["value"] = "The racks may be late"

    acks = await again(house, form, times=20)
    await house.settled()

    assert all(ack.ok and ack.body is None for ack in acks)
    assert [record["reference"] for record in (await house.export()).records] == ["R1"]
    assert len(await cards(house, "R1")) == 1


async def test_undo_delivered_twice_is_done_once(house: House) -> None:
    """The second finds the record back and says so."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#network", "/steward", "A1 done")
    await ana.click(ana.ephemerals("#network")[-1], "undo")
    await house.settled()

    (ack,) = await again(house, delivered(house, "block_actions"))
    await house.settled()

    assert ack.ok
    record = await house.record("A1")
    assert (record["status"], record["version"]) == ("open", 3)


@on_sqlite
async def test_a_repeat_of_what_was_undone_meanwhile_says_that_it_is_gone(house: House) -> None:
    """No second record, no fault."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.click(ana.ephemerals("#network")[-1], "undo")
    await house.settled()

    (ack,) = await again(house, delivered(house, "/action"))

    assert ack.ok
    assert "There is no A1 here" in shown(ack.body)
    assert (await house.record("A1"))["is_archived"] is True


@on_sqlite
async def test_a_form_that_a_repeated_command_asks_for_opens_once_and_nobody_is_told_of_trouble(house: House) -> None:
    """Slack lets a form be opened once for each command."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "")

    (ack,) = await again(house, delivered(house, "/action"))
    await house.settled()

    assert ack.ok
    assert ack.body is None
    assert len(ana.modals) == 1
    assert ana.ephemerals("#network") == []


@on_sqlite
async def test_a_button_on_home_delivered_twice_closes_once_and_opens_no_window(house: House) -> None:
    """Home shows the latest state."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks @ana")
    await ana.open_home()
    await house.settled()
    await ana.click_home("step:done")
    await house.settled()

    (ack,) = await again(house, delivered(house, "block_actions"))
    await house.settled()

    assert ack.ok
    assert (await house.record("A1"))["version"] == 2
    assert ana.modal is None
    assert "Nothing open is yours" in shown(ana.home or {})


@on_sqlite
async def test_a_refused_request_may_be_sent_again(house: House) -> None:
    """Its key is kept only with an effect."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/steward", "A1 done")
    assert "There is no A1" in said(ana, "#network")
    await ana.command("#network", "/action", "Order two racks")

    (ack,) = await again(house, delivered(house, "/steward"))

    assert "Closed A1" in shown(ack.body)


async def test_an_event_that_failed_is_taken_when_slack_sends_it_again(house: House) -> None:
    """Slack retries at once, then later; a 200 follows the commit."""
    courier = house.sandbox._core.courier
    courier.timing = Timing(acknowledge=0.5)
    async with house.steward.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE channel_member RENAME TO away"))
    ben = house.sandbox.person("ben")

    await ben.invite("#random", "steward")
    await house.sandbox.idle()
    failed = delivered(house, "member_joined_channel")
    async with house.steward.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO channel_member"))
    courier.timing = PATIENT_SLACK
    (ack,) = await again(house, failed)
    await house.settled()

    assert failed.outcome != "200"
    assert ack.ok
    assert len([m for m in ben.messages("#random") if "bot_id" in m]) == 1


# ---- two people at once ---------------------------------------------------------------------------------------------


async def test_two_who_edit_at_once_lose_nothing(house: House) -> None:
    """The later form comes back with both people's changes, and a second save keeps them."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks")
    for person in (ana, ben):
        await person.command("#network", "/steward", "A1 edit")

    await ana.submit({"title": "Order four racks"})
    await ben.submit({"details": "From the usual supplier", "priority": "high"})
    between = await house.record("A1")
    form = ben.modal
    await ben.submit()
    await house.settled()

    assert (between["title"], between["details"]) == ("Order four racks", "")
    assert form is not None
    assert "Ana Torres changed A1 meanwhile: title is now “Order four racks”" in shown(form)
    record = await house.record("A1")
    kept = record["title"], record["details"], record["priority"]
    assert kept == ("Order four racks", "From the usual supplier", "high")


async def test_two_forms_saved_at_the_same_moment_store_one_and_give_the_other_back(house: House) -> None:
    """Whichever was second is told; neither text is lost."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks")
    for person in (ana, ben):
        await person.command("#network", "/steward", "A1 edit")

    await asyncio.gather(ana.submit({"title": "Title of Ana"}), ben.submit({"title": "Title of Ben"}))
    await house.settled()

    record = await house.record("A1")
    assert record["version"] == 2
    second, lost = (ben, "Title of Ben") if record["title"] == "Title of Ana" else (ana, "Title of Ana")
    assert second.modal is not None
    assert held(second.modal)["title"] == lost
    await second.submit()
    assert (await house.record("A1"))["title"] == lost


async def test_many_records_logged_at_once_have_numbers_without_gaps_or_repeats(house: House) -> None:
    """In one project, begun once, though each of them was the first for a moment."""
    people = [house.sandbox.person(name) for name in ("ana", "ben", "kavya", "tane")]

    await asyncio.gather(*(people[n % 4].command("#network", "/action", f"Order rack {n}") for n in range(12)))
    await house.settled()

    everything = await house.export()
    told = "\n".join(all_said(person, "#network") for person in people)
    assert len(everything.projects) == 1
    assert sorted(int(record["reference"][1:]) for record in everything.records) == list(range(1, 13))
    assert told.count("Logged A") == 12
    assert told.count("began the project") == 1


# ---- busy, slow, broken ---------------------------------------------------------------------------------------------


@on_sqlite
async def test_a_busy_database_says_that_nothing_was_saved_and_gives_the_words_back(
    impatient_house: House, database_url: str
) -> None:
    """Ready to be copied."""
    house = impatient_house
    ana = house.sandbox.person("ana")

    async with writer_held(database_url):
        await ana.command("#network", "/action", "Order two racks @ben by friday")
    await house.settled()

    answer = said(ana, "#network")
    assert "database was busy. Nothing was saved; please try again" in answer
    assert "/action Order two racks @ben by friday" in answer
    assert (await house.export()).records == []


@on_sqlite
async def test_a_form_that_meets_a_busy_database_stays_open_with_what_was_typed(
    impatient_house: House, database_url: str
) -> None:
    """And is saved by the same button a moment later."""
    house = impatient_house
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/risk", "")

    async with writer_held(database_url):
        await ana.submit({"title": "The racks may be late", "details": "Two suppliers are behind"})
    refused = dict(ana.form_errors)
    await ana.submit()
    await house.settled()

    assert "Nothing was saved; please try again" in " ".join(refused.values())
    record = await house.record("R1")
    assert (record["title"], record["details"]) == ("The racks may be late", "Two suppliers are behind")


@on_sqlite
async def test_a_slow_command_says_still_working_and_then_its_result(house: House, database_url: str) -> None:
    """The first answer promises nothing."""
    ana = house.sandbox.person("ana")

    async with writer_held_long(house, database_url):
        outcome = await ana.command("#network", "/action", "Order two racks")
    await house.settled()

    assert "Still working" in shown(outcome.body)
    assert "Logged A1" in said(ana, "#network")
    assert [record["reference"] for record in (await house.export()).records] == ["A1"]


@on_sqlite
async def test_a_slow_command_that_fails_gives_the_words_back_all_the_same(
    impatient_house: House, database_url: str
) -> None:
    """After "Still working"."""
    house = impatient_house
    ana = house.sandbox.person("ana")

    async with writer_held_long(house, database_url):
        await ana.command("#network", "/action", "Order two racks")
        await house.steward.background.settle()
    await house.settled()

    assert "Nothing was saved; please try again" in said(ana, "#network")
    assert "/action Order two racks" in said(ana, "#network")


@on_sqlite
async def test_a_slow_button_is_answered_too(house: House, database_url: str) -> None:
    """Its acknowledgement can say nothing."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await house.settled()

    async with writer_held_long(house, database_url):
        outcome = await ana.click(ana.messages("#network")[-1], "step:done")
    await house.settled()

    assert outcome.ok
    told = all_said(ana, "#network")
    assert "Closed A1" in told.partition("Still working")[2]


@on_sqlite
async def test_a_slow_button_on_home_says_so_on_top_of_it(house: House, database_url: str) -> None:
    """Until the result takes the place of the word."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks @ana")
    await ana.open_home()
    await house.settled()

    async with writer_held_long(house, database_url):
        await ana.click_home("step:done", "A1")
        await until(lambda: "Still working" in shown(ana.home or {}))
    await house.settled()

    assert "Still working" not in shown(ana.home or {})
    assert "Closed A1" in shown(ana.home or {})


@on_sqlite
async def test_a_slow_button_in_a_form_says_so_in_it_and_keeps_what_was_typed(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.shortcut("log_anything")
    await house.settled()
    ana.fill({"title": "The racks may be late"})

    async with held_up(house):
        await ana.click_view("kind", "risk")
        await until(lambda: "Still working" in shown(ana.modal or {}))
        meanwhile = held(ana.modal)["title"]
    await house.settled()

    assert meanwhile == held(ana.modal)["title"] == "The racks may be late"
    assert "Still working" not in shown(ana.modal or {})
    assert "probability" in held(ana.modal)


@on_sqlite
async def test_a_form_stays_below_what_its_slow_button_opens(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order cables")
    await ana.command("#network", "/action", "")
    await ana.submit({"title": "Order the cables"})

    async with held_up(house):
        await ana.click_view("look:A1")
        await until(lambda: "Still working" in shown(ana.modal or {}))
    await house.settled()

    assert "A1  Order cables" in shown(ana.modals[-1]).replace("\n", "")
    assert "Still working" not in shown(ana.modals[0])
    assert held(ana.modals[0])["title"] == "Order the cables"


@on_sqlite
@pytest.mark.parametrize("which", ["log_anything", "log_message"])
async def test_a_slow_shortcut_opens_a_window_that_says_so_and_then_is_the_form(house: House, which: str) -> None:
    """Slack's permission to open one is long gone by then."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    message = await ana.say("#network", "We run out of sockets")
    await house.settled()

    async with held_up(house):
        if which == "log_message":
            await ana.message_shortcut("#network", message["ts"], which)
        else:
            await ana.shortcut(which)
        await until(lambda: ana.modal)
        meanwhile = shown(ana.modal or {})
        house.sandbox._core.tickets.triggers.clear()
    await house.settled()

    assert "Still working" in meanwhile
    assert len(ana.modals) == 1
    assert held(ana.modal)["title"] == ("We run out of sockets" if which == "log_message" else None)


async def test_twenty_who_log_at_once_are_all_served(house: House) -> None:
    """SQLite has one writer; nobody who came first is overtaken until their patience ends."""
    names = ("ana", "ben", "kavya", "tane")

    outcomes = await asyncio.gather(
        *(house.sandbox.person(names[n % 4]).command("#network", "/risk", f"Risk {n}") for n in range(20))
    )
    await house.settled()

    assert [outcome.ok for outcome in outcomes] == [True] * 20
    assert len((await house.export()).records) == 20
    assert not any("busy" in all_said(house.sandbox.person(name), "#network") for name in names)


@on_sqlite
async def test_a_form_left_open_for_a_day_is_saved_and_its_person_told(house: House) -> None:
    """Slack takes answers to where a form was opened for half an hour; after that a direct message carries them."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/risk", "")

    await house.sandbox.advance(timedelta(days=1))
    house.sandbox._core.tickets.urls.clear()
    await ana.submit({"title": "The racks may be late", "due_date": "2031-11-24"})
    refused = dict(ana.form_errors)
    kept = held(ana.modal)["title"]
    await ana.submit({"due_date": "2031-12-01"})
    await house.settled()

    assert "is past" in refused["due_date"]
    assert kept == "The racks may be late"
    assert (await house.record("R1"))["due_date"] == "2031-12-01"
    assert [said for m in ana.app_messages() if "Logged R1" in (said := shown(m))]


@on_sqlite
async def test_a_slow_form_shows_its_result_in_the_same_window(house: House, database_url: str) -> None:
    """The confirmation with its buttons, which work there."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/risk", "")

    async with writer_held_long(house, database_url):
        await ana.submit({"title": "The racks may be late"})
        waiting = shown(ana.modal or {})
    await house.settled()
    result = shown(ana.modal or {})
    await ana.click_view("undo")
    await house.settled()

    assert "Still working" in waiting
    assert "Logged R1" in result
    assert (await house.record("R1"))["is_archived"] is True
    assert "Undid the logging of R1" in shown(ana.modal or {})


@on_sqlite
async def test_a_slow_form_that_is_refused_comes_back_with_everything_typed(
    impatient_house: House, database_url: str
) -> None:
    """Text, person, date, time and menus; saving again stores them."""
    house = impatient_house
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/risk", "")
    typed = {
        "title": "The racks may be late",
        "details": "Two suppliers are behind",
        "owner_id": ben.id,
        "due_date": "2099-03-05",
        "due_time": "15:00",
        "probability": "4",
        "priority": "high",
    }

    async with writer_held_long(house, database_url):
        await ana.submit(typed)
        await house.steward.background.settle()
    await house.settled()
    form = shown(ana.modal or {})
    await ana.submit()
    await house.settled()

    assert "Nothing was saved; please try again" in form
    record = await house.record("R1")
    stored = {
        "title": record["title"],
        "details": record["details"],
        "owner_id": record["owner"],
        "due_date": record["due_date"],
        "due_time": record["due_time"][:5],
        "probability": str(record["probability"]),
        "priority": record["priority"],
    }
    assert stored == typed


@on_sqlite
async def test_a_slow_form_of_somebody_who_was_slower_comes_back_with_both_changes(
    house: House, database_url: str
) -> None:
    """Late and in conflict at once."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks")
    for person in (ana, ben):
        await person.command("#network", "/steward", "A1 edit")
    await ana.submit({"title": "Order four racks"})
    await house.settled()

    async with writer_held_long(house, database_url):
        await ben.submit({"details": "From the usual supplier"})
    await house.settled()
    form = shown(ben.modal or {})
    await ben.submit()
    await house.settled()

    assert "Ana Torres changed A1 meanwhile" in form
    record = await house.record("A1")
    assert (record["title"], record["details"]) == ("Order four racks", "From the usual supplier")


@on_sqlite
async def test_a_slow_form_that_was_closed_meanwhile_gives_the_words_back_where_it_was_opened(
    impatient_house: House, database_url: str
) -> None:
    """A closed window shows nothing."""
    house = impatient_house
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/risk", "")

    async with writer_held_long(house, database_url):
        await ana.submit({"title": "The racks may be late", "details": "Two suppliers are behind"})
        await ana.close()
        await house.steward.background.settle()
    await house.settled()

    answer = said(ana, "#network")
    assert "Nothing was saved; please try again" in answer
    assert "Title: The racks may be late" in answer
    assert "Details: Two suppliers are behind" in answer


@on_sqlite
async def test_a_fault_shows_a_reference_that_is_in_the_log_and_stores_nothing(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """The words come back, the reason stays in the log."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await house.settled()
    async with house.steward.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE risk RENAME TO away"))

    with caplog.at_level(logging.ERROR):
        await ana.command("#network", "/risk", "The racks may be late")
        await ana.command("#network", "/risk", "")
        await ana.submit({"title": "The racks may be late"})
    async with house.steward.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO risk"))

    answer, beside_field = said(ana, "#network"), " ".join(ana.form_errors.values())
    assert "/risk The racks may be late" in answer
    for told in (answer, beside_field):
        assert "nothing was saved" in told
        (reference,) = re.findall(r"reference: ([0-9a-f]{8})", told)
        assert reference in caplog.text
        assert "no such table" not in told
    assert ana.modal is not None
    everything = await house.export()
    assert [record["reference"] for record in everything.records] == ["A1"]
    assert len(everything.history) == 2  # the project's beginning and A1
    assert [row.kind for row in await owed(house)] == ["card"]


@on_sqlite
async def test_a_request_whose_caller_goes_away_is_stored_whole_and_once(house: House, database_url: str) -> None:
    """Slack's connection was cut while the database was waited for."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/steward", "help")
    command = delivered(house, "/steward").payload | {"command": "/action", "text": "Order two racks"}
    command["trigger_id"] = "6.6.gone"
    shipment = Shipment("slash_commands", "/action", command, wants_answer=True)

    async with writer_held(database_url):
        waiting = asyncio.ensure_future(house.here.edge.answer(incoming.command(command)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await house.settled()
    ack = await house.sandbox._core.courier.ask(shipment)
    await house.settled()

    assert [record["reference"] for record in (await house.export()).records] == ["A1"]
    assert "Order two racks" in shown(ack.body)
    assert len(await cards(house, "A1")) == 1


@on_sqlite
async def test_slack_that_opens_no_form_in_time_is_told_with_the_words_typed(house: House) -> None:
    """A form may be opened for three seconds only."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    house.sandbox.fail("views.open", error="expired_trigger_id")

    await ana.command("#network", "/steward", "A1 edit")
    await house.settled()

    assert "did not let me open the form in time" in said(ana, "#network")
    assert "/steward A1 edit" in all_said(ana, "#network")
