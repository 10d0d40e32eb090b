"""The Home tab: what one owns by urgency, buttons that work, and kept up to date by what others do."""

from datetime import timedelta

import pytest

from models.kinds import KINDS
from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import buttons, card, held, offered

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def log(house: House, person: Driver, line: str) -> None:
    command, _, words = line.partition(" ")
    assert (await person.command("#network", command, words)).ok
    await house.settled()


async def open_home(house: House, person: Driver) -> None:
    await person.open_home()
    await house.settled()


async def press(house: House, person: Driver, action_id: str, value: str | None = None) -> str:
    """Press a button of Home; the whole tab as it reads afterwards."""
    assert (await person.click_home(action_id, value)).ok
    await house.settled()
    return home(person)


def home(person: Driver) -> str:
    assert person.home is not None
    return shown(person.home)


def listed(person: Driver) -> list[str]:
    """The references on Home, in order."""
    assert person.home is not None
    return [value for action, value in buttons(person.home) if action == "show"]


@sqlite_only
async def test_an_empty_home_says_how_to_begin_and_offers_every_kind(house: House) -> None:
    ben = house.sandbox.person("ben")

    await open_home(house, ben)

    assert "Nothing open is yours." in home(ben)
    assert "You take part in no project yet." in home(ben)
    assert "Your digest comes at 09:00 your time (Berlin time)" in home(ben)
    assert ben.home is not None
    rest = ["paste", "import", "projects", "switch", "settings", "me", "preview_digest", "away", "help"]
    assert offered(ben.home) == [*(f"log:{kind.key}" for kind in KINDS), *rest]
    assert all(len(block["elements"]) <= 5 for block in ben.home["blocks"] if block["type"] == "actions")


@sqlite_only
async def test_what_is_given_to_somebody_offers_them_only_what_they_may_do(house: House) -> None:
    """Ben owns a decision that Ana, who coordinates, is to approve."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/steward", "paste")
    await ana.submit({"lines": "decision: Rent a crane @ben\nOrder cables @ben"})
    await ana.submit()
    await house.settled()

    await open_home(house, ben)
    await open_home(house, ana)

    [word] = ben.app_messages()
    for seen in (word, ben.home or {}):
        assert [step for step in offered(seen) if step.startswith("step:")] == ["step:done"]
    assert "step:approve" in offered(ana.home or {})


async def test_home_shows_what_one_owns_by_urgency_the_most_urgent_first(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    for line in (
        "/action No hurry @ben",
        "/risk Next year @ben by 2032-06-01",
        "/issue This week @ben by friday",
        "/issue Soon @ben by wednesday",
        "/action Today @ben today",
        "/action Was due @ben today",
        "/action Somebody else's @kavya today",
        "/decision Nobody's today",
    ):
        await log(house, ana, line)
    await ana.command("#network", "/steward", "A2 edit")
    await ana.submit({"due_date": (house.sandbox.clock.now() + timedelta(days=1)).date().isoformat()})
    await house.settled()
    await house.sandbox.advance(timedelta(days=1))

    await open_home(house, ben)

    assert listed(ben) == ["A3", "A2", "I2", "I1", "R1", "A1"]
    text = home(ben)
    assert ":red_circle: 1 overdue · :large_orange_circle: 1 due today" in text
    headings = ["*Overdue*", "*Due today*", "*Due tomorrow*", "*Next 7 days*", "*Later*", "*No due date*"]
    assert [text.index(heading) for heading in headings] == sorted(text.index(heading) for heading in headings)
    assert "network · Open · due yesterday, Mon" in text


@sqlite_only
async def test_settled_and_removed_records_leave_home(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await open_home(house, ben)
    for line in ("/action Done soon @ben", "/action Removed soon @ben", "/action Passed on @ben", "/action Stays @ben"):
        await log(house, ana, line)
    assert listed(ben) == ["A1", "A2", "A3", "A4"]

    await log(house, ana, "/steward A1 done")
    [created] = [each for each in ana.ephemerals("#network") if "Logged A2" in shown(each)]
    await ana.click(created, "undo")
    await ana.command("#network", "/steward", "A3 edit")
    await ana.submit({"owner_id": ana.id})
    await house.settled()

    assert listed(ben) == ["A4"]


async def test_home_is_kept_up_to_date_by_what_others_do(house: House) -> None:
    """Only for people who have opened it; nobody else gets a Home tab published."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await open_home(house, ben)

    await log(house, ana, "/action Order cables @ben")
    after_logging = home(ben)
    await log(house, ana, "/steward A1 start")
    after_step = home(ben)
    await ana.command("#network", "/steward", "A1 edit")
    await ana.submit({"title": "Order fibre", "owner_id": kavya.id})
    await house.settled()

    assert "Order cables" in after_logging
    assert "network · In progress" in after_step
    assert "Nothing open is yours." in home(ben)
    assert kavya.home is None
    await open_home(house, kavya)
    assert "Order fibre" in home(kavya)


async def test_a_step_on_home_is_told_on_top_with_its_undo(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables @ben")
    await open_home(house, ben)

    done = await press(house, ben, "step:done", "A1")
    after_done = listed(ben)
    undone = await press(house, ben, "undo", "A1:2")

    assert done.index("Closed A1") < done.index("What you own")
    assert after_done == []
    assert "step:reopen" not in offered(card(ana, "A1"))
    assert undone.index("Undone: A1") < undone.index("What you own")
    assert listed(ben) == ["A1"]
    redone = await press(house, ben, "undo:redo")
    assert "Redone: A1" in redone
    assert (await house.record("A1"))["status"] == "done"


@sqlite_only
async def test_the_kinds_that_find_no_room_are_logged_from_the_menu(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action Order cables")
    await open_home(house, ana)

    await press(house, ana, "more", "log:dependency dependency")

    assert ana.modal is not None
    assert ana.modal["title"]["text"] == "Log a dependency"


@sqlite_only
async def test_a_notice_goes_when_home_is_opened_again(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables @ben")
    await open_home(house, ben)
    await press(house, ben, "step:done", "A1")

    await open_home(house, ben)

    assert "Closed A1" not in home(ben)


@sqlite_only
async def test_a_refusal_on_home_is_told_on_top_and_the_tab_is_drawn_anew(house: House) -> None:
    """Somebody else coordinates it since the moment between looking and pressing."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ben, "/decision Use fibre @ben")
    await open_home(house, ben)
    await ana.command("#network", "/steward", "settings")
    await ana.submit({"coordinator_id": ana.id})
    await house.settled()

    told = await press(house, ben, "step:approve", "D1")

    assert told.index("Only the coordinator of network can decide this.") < told.index("What you own")
    assert listed(ben) == ["D1"]


@sqlite_only
async def test_home_is_paged_over_twelve_records(house: House) -> None:
    ben = house.sandbox.person("ben")
    for number in range(1, 33):
        assert (await ben.command("#network", "/action", f"Number {number} @ben")).ok
    await house.settled()
    await open_home(house, ben)
    pages = [(listed(ben), [each for each in offered(ben.home or {}) if each.startswith("home:")])]

    for turn in ("home:next", "home:next", "home:previous"):
        await press(house, ben, turn)
        pages.append((listed(ben), [each for each in offered(ben.home or {}) if each.startswith("home:")]))

    assert pages[0] == ([f"A{n}" for n in range(1, 13)], ["home:next"])
    assert pages[1] == pages[3] == ([f"A{n}" for n in range(13, 25)], ["home:previous", "home:next"])
    assert pages[2] == ([f"A{n}" for n in range(25, 33)], ["home:previous"])
    assert "13 to 24 of 32" in home(ben)


@sqlite_only
async def test_the_edit_button_opens_the_form_and_the_tab_shows_the_change(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables @ben")
    await open_home(house, ben)

    await press(house, ben, "edit", "A1")
    await ben.submit({"title": "Order fibre", "due_date": "2032-06-01"})
    await house.settled()

    assert "Changed A1" in shown(ben.modal or {})
    assert "Order fibre" in home(ben)
    assert "due Tue 1 Jun 2032" in home(ben)


@sqlite_only
async def test_the_quick_buttons_log_into_a_project_one_picks(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action The first of #network")
    await open_home(house, ben)

    await press(house, ben, "log:risk")
    offered_projects = [option["text"]["text"] for option in await ben.options("project", "net")]
    without_project = await ben.submit({"title": "Late switch", "owner_id": ben.id})
    await ben.submit({"project": (await ben.options("project"))[0]["value"]})
    await house.settled()

    assert offered_projects == ["network"]
    assert list(without_project.errors) == ["project"]
    record = await house.record("R1")
    assert (record["title"], record["project"], record["channel"]) == ("Late switch", "network", "C00000000NE")
    assert "Logged R1" in shown(ben.modal or {})
    assert listed(ben) == ["R1"]
    assert "Late switch" in shown(card(ben, "R1"))


@sqlite_only
async def test_a_quick_button_without_any_project_says_how_one_begins(house: House) -> None:
    ben = house.sandbox.person("ben")
    await open_home(house, ben)

    told = await press(house, ben, "log:action")

    assert ben.modal is None
    assert told.index("There is no project yet that you can see.") < told.index("What you own")


@sqlite_only
async def test_settings_are_reached_from_home_and_stored(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action The first of #network")
    await open_home(house, ana)

    await press(house, ana, "settings")
    await ana.submit({"project": (await ana.options("project"))[0]["value"]})
    form = held(ana.modal)
    await ana.options("timezone", "berl")
    await ana.submit({"name": "Office network", "timezone": "Europe/Berlin", "coordinator_id": "U00000000BE"})
    await house.settled()

    assert form == {
        "name": "network",
        "coordinator_id": ana.id,
        "sponsor_id": None,
        "timezone": "America/New_York",
    }
    [project] = (await house.export()).projects
    assert (project["name"], project["timezone"]) == ("Office network", "Europe/Berlin")
    assert project["coordinator"] == "U00000000BE"
    assert "Saved: *Office network*, coordinator Ben Fischer, time zone Europe/Berlin." in shown(ana.modal or {})


@sqlite_only
async def test_help_opens_in_a_window(house: House) -> None:
    ben = house.sandbox.person("ben")
    await open_home(house, ben)

    await press(house, ben, "help")

    assert "*How to type it*" in shown(ben.modal or {})


async def test_what_waits_for_ones_decision_stands_on_home_as_soon_as_it_does(house: House) -> None:
    """Nobody else has it there, and what is decided leaves it at once, whoever decides."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action So that the project is Ana's")
    await open_home(house, ana)
    await open_home(house, ben)

    await log(house, ben, "/decision Use fibre by 2031-12-01")
    waiting = home(ana)
    await log(house, ben, "/steward D1 need")
    needed = home(ana)
    await log(house, ben, "/steward D1 propose")
    told = await press(house, ana, "step:approve", "D1")

    assert waiting.index("Waiting for your decision") < waiting.index("Use fibre") < waiting.index("What you own")
    assert "1 waiting for your decision" in waiting
    assert "Waiting for your decision" not in needed
    assert "Waiting for your decision" not in home(ben)
    assert "Approved D1" in told
    assert "Waiting for your decision" not in home(ana)
    assert (await house.record("D1"))["status"] == "approved"


@sqlite_only
async def test_more_than_five_decisions_wait_in_a_list_of_their_own(house: House) -> None:
    ana = house.sandbox.person("ana")
    for number in range(1, 8):
        assert (await ana.command("#network", "/decision", f"Choice {number}")).ok
    await open_home(house, ana)
    assert home(ana).count("Proposed") == 5

    await press(house, ana, "list:open")

    assert "1 to 7 of 7 open" in shown(ana.modal or {})
    await ana.click_view("select")
    await ana.submit({"all": ["all"], "deed": "close"})
    await ana.submit({})
    await house.settled()
    assert "Closed 7 records" in shown(ana.modal or {})
    assert {each["status"] for each in (await house.export()).records} == {"approved"}
    assert "Waiting for your decision" not in home(ana)


async def test_ones_projects_stand_on_home_with_what_is_open_and_overdue_in_each(house: House) -> None:
    ana, ben, mia = (house.sandbox.person(name) for name in ("ana", "ben", "mia"))
    for line in ("/action Order cables today", "/action Book room", "/risk Late switch", "/decision Settled already"):
        await log(house, ana, line)
    await log(house, ana, "/steward D1 approve")
    await ana.command("#general", "/issue", "Nobody takes minutes today")
    await house.sandbox.advance(timedelta(days=1))

    for person in (ana, ben, mia):
        await open_home(house, person)

    assert "network\n:red_circle: 1 overdue · 3 open: 2 actions, 1 risk" in home(ana)
    assert "general\n:red_circle: 1 overdue · 1 open: 1 issue" in home(ben)
    assert "general" not in home(mia)
    assert "network" in home(mia)
    await press(house, ben, "open_project")
    assert "*Open records of " in shown(ben.modal or {})


@sqlite_only
async def test_a_typed_line_is_logged_in_the_only_project_and_the_input_is_empty_again(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action The first of #network")
    await open_home(house, ben)
    [before] = inputs(ben)

    told = await press(house, ben, before, "risk Late switch @ben by 2031-12-01 p4 i3 #lan")

    record = await house.record("R1")
    assert (record["title"], record["project"], record["due_date"]) == ("Late switch", "network", "2031-12-01")
    assert (record["probability"], record["impact"], record["tags"]) == (4, 3, ["lan"])
    assert told.index("Logged R1") < told.index("What you own")
    assert inputs(ben) != [before]
    assert listed(ben) == ["R1"]


@sqlite_only
async def test_a_typed_line_opens_the_form_with_all_of_it_where_there_are_several_projects(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action The first of #network")
    await ana.command("#general", "/action", "The first of #general")
    await open_home(house, ben)

    await press(house, ben, *inputs(ben), "Book a room @ben by 2031-12-01")
    form = held(ben.modal)
    await ben.submit({"project": (await ben.options("project", "net"))[0]["value"]})
    await house.settled()

    assert (form["title"], form["owner_id"], form["due_date"]) == ("Book a room", ben.id, "2031-12-01")
    assert (await house.record("A3"))["project"] == "network"
    assert listed(ben) == ["A3"]


def inputs(person: Driver) -> list[str]:
    """The action ids of what can be typed into on Home."""
    return [block["element"]["action_id"] for block in (person.home or {})["blocks"] if block["type"] == "input"]


@sqlite_only
async def test_several_of_ones_own_are_changed_from_home(house: House) -> None:
    ben = house.sandbox.person("ben")
    for title in ("Order cables", "Book room", "Stays"):
        await log(house, ben, f"/action {title} @ben")
    await open_home(house, ben)

    await press(house, ben, "select")
    await ben.submit({"pick.0": ["A1", "A2"], "deed": "close"})
    await ben.submit({})
    await house.settled()

    assert "Closed 2 records" in shown(ben.modal or {})
    assert listed(ben) == ["A3"]
    await ben.click_view("undo_batch")
    await house.settled()
    assert listed(ben) == ["A1", "A2", "A3"]


@sqlite_only
async def test_only_an_admin_is_offered_the_help_for_admins(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await open_home(house, ana)
    await open_home(house, ben)

    await press(house, ana, "help:admin")

    assert "What you can do as an admin of this workspace" in shown(ana.modal or {})
    assert "help:admin" not in offered(ben.home or {})


@sqlite_only
async def test_the_fullest_home_stays_within_what_slack_allows(house: House) -> None:
    """Every group and section at once, with a notice on top. The checker of all that was sent looks at it too."""
    ana = house.sandbox.person("ana")
    zone = "2031-11-"
    dues = ("24", "25", "26", "27", "30")
    for number in range(14):
        when = f"by {zone}{dues[number % 5]}" if number % 7 else ""
        assert (await ana.command("#network", "/action", f"Number {number} @ana {when}")).ok
    for number in range(6):
        assert (await ana.command("#general", "/decision", f"Choice {number} @ana by 2032-03-05")).ok
    await house.sandbox.advance(timedelta(days=1))
    await ana.command("#network", "/steward", "away until 28 nov")
    await open_home(house, ana)
    await press(house, ana, "select")
    await ana.submit({"all": ["all"], "deed": "rank"})
    await ana.submit({"priority": "high"})
    await press(house, ana, "step:done")

    assert ana.home is not None
    assert "You are away until Fri 28 Nov 2031" in shown(ana.home)
    assert 70 < len(ana.home["blocks"]) <= 100, len(ana.home["blocks"])


@sqlite_only
async def test_home_shows_what_one_helps_with_the_most_urgent_first(house: House) -> None:
    """Five of them, each in a line; it follows when somebody helps no longer."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    for number in range(1, 7):
        await ana.command("#network", "/action", f"Check rack {number} by 2032-03-0{number}")
        await ana.command("#network", "/steward", f"A{number} helper @ben")
    await ana.command("#network", "/action", "Order cables @ben")
    await ben.open_home()
    await house.settled()

    seen = home(ben)
    await ana.command("#network", "/steward", "A1 helper -@ben")
    await house.settled()

    mine, _, helped = seen.partition("What you help with")
    assert "Order cables" in mine
    assert "Check rack" not in mine
    assert "A1  Check rack 1\nnetwork · Open · due Mon 1 Mar 2032" in helped
    assert "A5  Check rack 5" in helped
    assert "A6" not in helped
    assert "Show all" in helped
    assert "Check rack 1" not in home(ben)
    assert "A6  Check rack 6" in home(ben)
