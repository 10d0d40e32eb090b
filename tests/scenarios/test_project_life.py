"""Projects over time: made from a form and a template, listed, archived and brought back, switched to."""

from datetime import timedelta

import pytest

from tests.scenarios.house import House, shown
from tests.scenarios.looking import buttons, held, offered
from tests.scenarios.steps import all_said, everything_shown_to, owed, said

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def make(house: House, name: str, by: str = "ana", channel: str = "#general", **values: object) -> None:
    """A new project, made in a channel without one."""
    person = house.sandbox.person(by)
    await person.command(channel, "/steward", f"project new {name}")
    await person.submit(values)
    await house.settled()


async def projects(house: House) -> dict[str, dict[str, object]]:
    """Every project as exported, by name."""
    return {str(each["name"]): each for each in (await house.export()).projects}


async def test_a_template_is_shown_before_and_logged_at_once_with_one_message(house: House) -> None:
    """Due dates count the project's working days; Thursday is a holiday. The start is Monday 24 Nov 2031."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")

    await ana.command("#network", "/steward", "project new Office network")
    filled = held(ana.modal)
    await ana.options("holiday_country", "US")
    await ana.click_view("holiday_country", "US")
    await house.settled()
    await ana.click_view("template", "network")
    await house.settled()
    preview = shown(ana.modal or {})
    await ana.submit({"sponsor_id": ben.id})
    await house.settled()

    assert filled["name"] == "Office network"
    assert (filled["coordinator_id"], filled["timezone"]) == (ana.id, "America/New_York")
    assert [day["value"] for day in filled["working_days"]] == ["mon", "tue", "wed", "thu", "fri"]
    assert "It begins with 10 records" in preview
    assert "Survey every site: racks, power, cable runs · due Tue 9 Dec 2031" in preview
    made = (await projects(house))["Office network"]
    assert (made["coordinator"], made["sponsor"], made["holiday_country"]) == (ana.id, ben.id, "US")
    records = (await house.export()).records
    assert len(records) == 10
    assert {record["project"] for record in records} == {"Office network"}
    assert (await house.record("A1"))["due_date"] == "2031-12-09"
    posted = [message for message in ana.messages("#network") if "bot_id" in message]
    assert len(posted) == 1
    assert "Ana Torres began the project Office network with 10 records" in shown(posted[0])
    assert "Hardware arrives late" in shown(posted[0])
    assert "Made the project *Office network* in #network" in said(ana, "#network")
    made_it = ana.ephemerals("#network")[-1]
    await ben.command("#network", "/steward", "A1 done")
    await house.settled()
    assert len([message for message in ana.messages("#network") if "bot_id" in message]) == 2  # now A1 has its card
    await ana.click(made_it, "undo_batch")
    await house.settled()
    assert "Undone: 9 records" in said(ana, "#network")
    assert [each["reference"] for each in (await house.export()).records if not each["is_archived"]] == ["A1"]


@sqlite_only
async def test_a_channel_that_has_a_project_lets_another_be_chosen(house: House) -> None:
    """Only channels that the person is in and that have none are offered; faults stand beside their fields."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks")

    await ana.command("#network", "/steward", "project new Party")
    menu = await ana.options("channel", "")
    await ana.submit({})
    missing = dict(ana.form_errors)
    await ben.command("#general", "/action", "Book the room")
    await ana.submit({"channel": menu[0]["value"]})
    taken = dict(ana.form_errors)

    assert [option["text"]["text"] for option in menu] == ["#general"]
    assert list(missing) == ["channel"]
    assert "#general has a project by now" in taken["channel"]
    assert set(await projects(house)) == {"network", "general"}


@sqlite_only
async def test_guests_make_no_projects(house: House) -> None:
    """The refusal says who can."""
    mia = house.sandbox.person("mia")

    await mia.command("#network", "/steward", "project new Mine")

    assert "Only full members of this workspace can begin a project" in said(mia, "#network")
    assert mia.modal is None


async def test_the_list_of_projects_counts_what_is_open_and_overdue(house: House) -> None:
    """With their channels, and buttons that open them; settings only for those who may change them."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await make(house, "Summer party", by="kavya")
    await kavya.command("#general", "/action", "Book the room by tomorrow")
    await kavya.command("#general", "/action", "Find a band")
    await ana.command("#network", "/action", "Order two racks")
    await house.sandbox.next_monday("ana")
    await house.settled()

    await kavya.command("@Steward", "/steward", "projects")
    told = said(kavya, "@Steward")
    message = kavya.ephemerals("@Steward")[-1]
    party = str((await projects(house))["Summer party"]["id"])
    assert next(each["text"]["text"] for row in message["blocks"] for each in row.get("elements", ())) == "Show"
    await kavya.click(message, "open_project", party)
    await house.settled()

    assert "Summer party\n2 open · :red_circle: 1 overdue · #general" in told
    assert "network\n1 open · #network" in told
    assert [value for action, value in buttons(message) if action == "settings"] == [party]
    assert "Find a band" in said(kavya, "@Steward")


async def test_an_archived_project_is_closed_and_comes_back_as_it_was(house: House) -> None:
    """Asked first; out of lists, pickers, Home and mornings; every change is refused with the way back; undoable."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks @ben by tomorrow")
    await ana.command("#general", "/action", "Book the room")
    await ben.open_home()
    await house.settled()

    await ana.command("#network", "/steward", "project archive")
    question = ana.ephemerals("#network")[-1]
    before = (await projects(house))["network"]["archived_at"]
    await ana.click(question, "archive_project")
    await house.settled()

    assert "One record in it is open" in shown(question)
    assert before is None
    assert "Order two racks" not in shown(ben.home or {})
    await ben.command("#network", "/action", "Order four racks")
    assert "network is archived, so nothing in it changes" in said(ben, "#network")
    assert "/action Order four racks" in said(ben, "#network")
    for text in ("A1 done", "A1 edit", "A1 remove"):
        await ben.command("#network", "/steward", text)
        assert "network is archived" in said(ben, "#network"), text
    await ben.command("#network", "/steward", "A1")
    assert "Order two racks" in said(ben, "#network")
    for text in ("my", "list", "projects"):
        await ben.command("@Steward", "/steward", text)
        assert "Order two racks" not in said(ben, "@Steward")
        assert "network" not in said(ben, "@Steward").replace("#general", "")
    await ben.command("@Steward", "/action", "")
    assert [option["text"]["text"] for option in await ben.options("project", "")] == ["general"]
    await ben.close()
    await house.sandbox.next_morning("ben")
    await house.sandbox.next_morning("ben")
    await house.settled()
    assert await owed(house, "morning") == []
    await ben.command("@Steward", "/steward", "projects archived")
    assert "network\n1 open" in said(ben, "@Steward")

    await ana.click(ana.ephemerals("#network")[-1], "restore_project")
    await house.settled()

    assert (await projects(house))["network"]["archived_at"] is None
    assert "Order two racks" in shown(ben.home or {})
    await ben.command("#network", "/steward", "A1 done")
    assert (await house.record("A1"))["status"] == "done"


@sqlite_only
async def test_archiving_and_bringing_back_are_for_those_who_may_change_the_settings(house: House) -> None:
    """By name from anywhere; an unclear name is answered with what it may mean."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await make(house, "Move north")
    await make(house, "Move south", channel="#network")

    await kavya.command("#general", "/steward", "project archive")
    await kavya.command("#general", "/steward", "project archive move")
    await kavya.command("#general", "/steward", "project archive elsewhere")
    await ana.command("@Steward", "/steward", "project archive move SOUTH")
    await ana.click(ana.ephemerals("@Steward")[-1], "archive_project")
    await house.settled()
    await kavya.command("@Steward", "/steward", "project restore move south")
    refused = said(kavya, "@Steward")
    await ana.command("@Steward", "/steward", "project restore south")

    told = all_said(kavya, "#general")
    assert "Only the coordinator of Move north can change a project's settings" in told
    assert "Several projects may be meant: “Move north”, “Move south”" in told
    assert "no project called “elsewhere”" in told
    assert "Only the coordinator of Move south" in refused
    assert "Brought back *Move south*" in said(ana, "@Steward")


async def test_in_a_direct_message_words_go_to_the_current_project(house: House) -> None:
    """No form asks for it, the confirmation says it, and forms come filled with it; `none` ends it."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks")
    await make(house, "Summer party")

    await ben.command("@Steward", "/steward", "switch party")
    switched = said(ben, "@Steward")
    await ben.command("@Steward", "/action", "Find a band by friday")
    await house.settled()
    logged = said(ben, "@Steward")
    await ben.command("@Steward", "/risk", "")
    filled = held(ben.modal)
    await ben.close()
    await ben.command("@Steward", "/steward", "switch none")
    await ben.command("@Steward", "/action", "Find a cook")

    assert "Your current project is *Summer party*" in switched
    record = await house.record("A2")
    assert (record["project"], record["channel"]) == (
        "Summer party",
        house.sandbox.workspace.find_channel("general").id,
    )
    assert "In your current project *Summer party*" in logged
    assert filled["project"] == str((await projects(house))["Summer party"]["id"])
    assert held(ben.modal)["title"] == "Find a cook"
    assert held(ben.modal)["project"] is None


@sqlite_only
async def test_a_current_project_that_is_no_longer_seen_is_none(house: House) -> None:
    """Kavya was let in, chose it, and left: her words go nowhere she cannot see, and nothing is told of it."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.invite("#steering", "steward")
    await ana.invite("#steering", "kavya")
    await make(house, "Takeover", channel="#steering")
    await kavya.command("@Steward", "/steward", "switch takeover")
    await kavya.leave("#steering")
    await house.settled()
    before = len(everything_shown_to(kavya))

    await kavya.command("@Steward", "/action", "Ask about it")
    await kavya.command("@Steward", "/steward", "projects")
    await kavya.command("@Steward", "/steward", "switch takeover")

    assert (await house.export()).records == []
    assert "Takeover" not in everything_shown_to(kavya)[before:].replace("called “takeover”", "")


@sqlite_only
async def test_the_greeting_offers_to_set_up_the_project(house: House) -> None:
    """The form of a new project; its settings once there is one."""
    ana = house.sandbox.person("ana")
    await ana.invite("#random", "steward")
    await house.settled()
    greeting = ana.messages("#random")[-1]

    await ana.click(greeting, "set_up")
    first = ana.modal
    await ana.submit({})
    await house.settled()
    await ana.click(greeting, "set_up")

    assert "set_up" in offered(greeting)
    assert first is not None
    assert (first["callback_id"], held(first)["name"]) == ("new_project", "random")
    assert ana.modal is not None
    assert ana.modal["callback_id"] == "settings"


@sqlite_only
async def test_home_leads_to_the_projects_and_to_a_new_one(house: House) -> None:
    """All of it in windows, since Home has no conversation to answer in."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.open_home()
    await house.settled()

    await ana.click_home("projects")
    await house.settled()
    listed = shown(ana.modal or {})
    await ana.click_view("new_project")
    await ana.options("channel", "gen")
    await ana.submit({"name": "Summer party", "channel": house.sandbox.workspace.find_channel("general").id})
    await house.settled()

    assert "network\n1 open · #network" in listed
    assert "Summer party" in await projects(house)


@sqlite_only
async def test_the_stand_ups_of_an_archived_project_rest(house: House) -> None:
    """Nobody is asked while it is closed; once it is back the next round is held."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#network", "/standup", "new")
    await ana.submit({"participants": [ana.id]})
    await ana.command("#network", "/steward", "project archive")
    await ana.click(ana.ephemerals("#network")[-1], "archive_project")
    await house.settled()

    for _ in range(2):
        await house.sandbox.next_morning("ana")
        await house.sandbox.advance(timedelta(hours=2))
    await house.settled()
    while_archived = [row for row in await owed(house) if row.kind.startswith("standup")]
    await ana.command("#network", "/steward", "project restore")
    await house.sandbox.next_morning("ana")
    await house.sandbox.advance(timedelta(hours=2))
    await house.settled()

    assert while_archived == []
    assert [row for row in await owed(house) if row.kind.startswith("standup") and row.target == ana.id]


@sqlite_only
async def test_many_records_from_before_steward_came_are_listed_in_one_message(house: House) -> None:
    """Their cards come when they change; a few cards would be posted at once."""
    ana = house.sandbox.person("ana")
    await ana.command("#steering", "/action", "Settle point 0")
    await ana.submit({"project_name": "steering"})
    for number in range(1, 5):
        await ana.command("#steering", "/action", f"Settle point {number}")
    await house.settled()

    await ana.invite("#steering", "steward")
    await house.settled()
    at_first = [shown(message) for message in ana.messages("#steering") if "bot_id" in message]
    await ana.command("#steering", "/steward", "A2 start")
    await house.settled()

    (listed,) = [text for text in at_first if "Settle point" in text]
    assert "5 records are open here in steering; their cards come when they change." in listed
    assert "A1  Settle point 0" in listed
    assert [text for message in ana.messages("#steering") if "In progress" in (text := shown(message))]


@sqlite_only
async def test_the_last_changes_of_a_project_are_told_to_those_who_may_make_them(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ben.command("#network", "/action", "Order cables")
    await ben.command("#network", "/steward", "settings")
    await ben.click_view("more_settings")
    await house.settled()
    await ben.submit(
        {"name": "Office network", "sponsor_id": ana.id, "working_days": ["mon"], "who_may_edit": "owners"}
    )
    await ben.command("#general", "/steward", "bind Office network")
    await house.settled()

    await ben.command("#network", "/steward", "project history")
    told = said(ben, "#network")
    await house.sandbox.person("tane").command("#network", "/steward", "project history")
    refused = said(house.sandbox.person("tane"), "#network")

    assert "The last changes of Office network" in told
    assert "Ben Fischer  began it" in told
    assert "name: network → Office network" in told
    assert "sponsor: nobody → Ana Torres" in told
    assert "who may edit records: Every member → Only those it belongs to" in told
    assert "bound <#C00000000GE>" in told
    assert "can change a project's settings" in refused
