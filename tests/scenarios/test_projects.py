"""Projects: begun by the first record of a channel, tuned in a form, chosen in a direct message."""

import pytest

from tests.scenarios.house import House, shown
from tests.scenarios.looking import held
from tests.scenarios.steps import said


async def project(house: House) -> dict[str, object]:
    """The one project there is, as exported."""
    (found,) = (await house.export()).projects
    return found


async def test_the_first_record_begins_the_project_with_the_person_as_coordinator_in_their_zone(house: House) -> None:
    """Nobody sets anything up."""
    kavya = house.sandbox.person("kavya")

    await kavya.command("#network", "/action", "Order two racks")
    await house.settled()

    begun = await project(house)
    assert (begun["name"], begun["coordinator"], begun["timezone"]) == ("network", kavya.id, "Asia/Kolkata")
    assert begun["is_private"] is False
    confirmation = said(kavya, "#network")
    assert "began the project *network*, with you as coordinator" in confirmation
    assert "on Kolkata time" in confirmation


async def test_the_second_record_joins_the_project_and_says_nothing_of_it(house: House) -> None:
    """Later confirmations are short."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks")

    await ben.command("#network", "/risk", "The racks may not fit")
    await house.settled()

    assert (await project(house))["coordinator"] == ana.id
    assert "began" not in said(ben, "#network")
    assert "Project settings" not in said(ben, "#network")


async def test_the_confirmation_of_the_first_record_offers_the_settings(house: House) -> None:
    """Every field can be changed, the history keeps who did."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks")

    await ana.click(ana.ephemerals("#network")[-1], "settings")
    offered = await ana.options("timezone", "berl")
    outcome = await ana.submit({"name": "Office network", "coordinator_id": ben.id, "timezone": "Europe/Berlin"})
    await house.settled()

    assert outcome.ok
    assert [option["value"] for option in offered] == ["Europe/Berlin"]
    changed = await project(house)
    assert (changed["name"], changed["coordinator"], changed["timezone"]) == ("Office network", ben.id, "Europe/Berlin")
    assert "Saved: *Office network*, coordinator Ben Fischer, time zone Europe/Berlin" in said(ana, "#network")
    rows = [row for row in (await house.export()).history if row["via"] == "settings"]
    assert {row["field"]: row["actor"] for row in rows} == dict.fromkeys(("name", "coordinator_id", "timezone"), ana.id)


async def test_the_settings_open_filled_from_a_command_too(house: House) -> None:
    """The form shows what is stored."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")

    await ana.command("#network", "/steward", "settings")

    assert ana.modal is not None
    values = {block["block_id"]: block["element"] for block in ana.modal["blocks"] if block["type"] == "input"}
    assert values["name"]["initial_value"] == "network"
    assert values["coordinator_id"]["initial_user"] == ana.id
    assert values["timezone"]["initial_option"]["value"] == "America/New_York"


@pytest.mark.parametrize(
    ("name", "field", "sentence"),
    [
        ("mia", "coordinator_id", "must be an active full member"),
        ("omar", "coordinator_id", "must be an active full member"),
        ("   ", "name", "needs a name"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_settings_that_cannot_be_are_refused_beside_their_field(
    house: House, name: str, field: str, sentence: str
) -> None:
    """Nothing is stored, and the form stays with what was typed."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#network", "/steward", "settings")
    before = await project(house)

    value = name if field == "name" else house.sandbox.person(name).id
    await ana.submit({field: value})

    assert sentence in ana.form_errors[field]
    assert await project(house) == before
    assert ana.modal is not None


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_only_the_coordinator_and_admins_open_the_settings(house: House) -> None:
    """The refusal names whom to ask; no form opens that could not be saved."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await kavya.command("#network", "/action", "Order two racks")

    await ben.command("#network", "/steward", "settings")
    refusal = said(ben, "#network")
    await ana.command("#network", "/steward", "settings")

    assert "Only the coordinator of network can change" in refusal
    assert ben.modal is None
    assert ana.modal is not None  # Ana is an admin of the workspace


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_two_who_change_the_settings_at_once_do_not_overwrite_each_other(house: House) -> None:
    """The later one is told, and what they typed stays in the form."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await kavya.command("#network", "/action", "Order two racks")
    for person in (ana, kavya):
        await person.command("#network", "/steward", "settings")

    await ana.submit({"name": "Network A"})
    await kavya.submit({"name": "Network K"})

    assert (await project(house))["name"] == "Network A"
    assert "changed the settings of Network A meanwhile" in " ".join(kavya.form_errors.values())
    assert kavya.modal is not None
    assert kavya.modal["state"]["values"]["name"]["name"]["value"] == "Network K"


async def test_a_project_begun_by_a_guest_has_no_coordinator_until_a_member_takes_it(house: House) -> None:
    """Only full members become coordinator."""
    mia, ben = house.sandbox.person("mia"), house.sandbox.person("ben")

    await mia.command("#network", "/action", "Sign the diagram")
    await house.settled()
    begun = await project(house)
    confirmation = said(mia, "#network")
    await ben.command("#network", "/steward", "settings")
    await ben.submit({"coordinator_id": ben.id})
    await house.settled()

    assert begun["coordinator"] is None
    assert "without a coordinator" in confirmation
    assert "Project settings" not in confirmation
    assert (await project(house))["coordinator"] == ben.id


async def test_in_a_direct_message_the_project_is_picked_and_none_is_made(house: House) -> None:
    """The card goes to the project's channel, the words typed are in the form."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")

    await ana.command("@Steward", "/risk", "The racks may be late @ben")
    filled = ana.modal
    offered = await ana.options("project", "net")
    await ana.submit({"project": offered[0]["value"]})
    await house.settled()

    assert filled is not None
    assert [option["text"]["text"] for option in offered] == ["network"]
    values = {block["block_id"]: block["element"] for block in filled["blocks"] if block["type"] == "input"}
    assert values["title"]["initial_value"] == "The racks may be late"
    assert values["owner_id"]["initial_user"] == house.sandbox.person("ben").id
    record = await house.record("R1")
    assert (record["project"], record["channel"]) == ("network", house.sandbox.workspace.find_channel("network").id)
    assert "The racks may be late" in shown(ana.messages("#network")[-1])
    assert len((await house.export()).projects) == 1
    assert "Logged R1" in said(ana, "@Steward")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_in_a_direct_message_a_record_without_a_project_is_refused_beside_the_field(house: House) -> None:
    """A project has to be chosen."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("@Steward", "/action", "")

    await ana.submit({"title": "Order four racks"})

    assert list(ana.form_errors) == ["project"]
    assert [record["reference"] for record in (await house.export()).records] == ["A1"]


@pytest.mark.parametrize("text", ["", "Order two racks"])
@pytest.mark.parametrize("where", ["@Steward", "@ben"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_in_a_direct_message_before_there_is_any_project_nothing_typed_is_lost(
    house: House, where: str, text: str
) -> None:
    """The answer says how a project begins."""
    ana = house.sandbox.person("ana")

    await ana.command(where, "/action", text)
    await house.settled()

    answer = said(ana, where)
    assert "no project yet that you can see" in answer
    assert text in answer
    assert ana.modal is None
    assert (await house.export()).projects == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_settings_asked_for_in_a_direct_message_ask_which_project(house: House) -> None:
    """The chosen project's settings open in the same window."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#general", "/action", "Book the room")

    await ana.command("@Steward", "/steward", "settings")
    asked = ana.modal
    offered = await ana.options("project", "gen")
    await ana.submit({"project": offered[0]["value"]})
    chosen = ana.modal
    await ana.submit({"name": "Everyone"})
    await house.settled()

    assert asked is not None
    assert "card" not in asked["blocks"][0]["hint"]["text"], "nothing is logged"
    assert chosen is not None
    assert chosen["callback_id"] == "settings"
    assert sorted(str(found["name"]) for found in (await house.export()).projects) == ["Everyone", "network"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_settings_of_a_channel_without_a_project_say_how_to_begin_one(house: House) -> None:
    """There is nothing to set yet."""
    ana = house.sandbox.person("ana")

    await ana.command("#general", "/steward", "settings")

    assert "no project yet" in said(ana, "#general")
    assert ana.modal is None


async def choose_country(house: House, code: str) -> None:
    """Choose a country in Ana's open form, found by its code."""
    ana = house.sandbox.person("ana")
    await ana.options("holiday_country", code)
    await ana.click_view("holiday_country", code)
    await house.settled()


async def settings(house: House, **values: object) -> None:
    """Ana's project in #network, with these settings."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#network", "/steward", "settings")
    await ana.click_view("more_settings")
    await house.settled()
    if country := values.pop("holiday_country", None):
        await choose_country(house, str(country))
    if "holiday_subdivision" in values:
        await ana.options(f"holiday_subdivision:{country}", str(values["holiday_subdivision"]))
    await ana.submit(values)
    await house.settled()


async def test_the_settings_show_few_fields_and_the_rest_on_demand(house: House) -> None:
    """Countries by their English names, regions that follow the country, and a word of everything that is saved."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order two racks")

    await ana.command("#network", "/steward", "settings")
    few = list(held(ana.modal))
    ana.fill({"name": "Office network"})
    await ana.click_view("more_settings")
    await house.settled()
    all_of_them = held(ana.modal)
    found = await ana.options("holiday_country", "germ")
    await ana.click_view("holiday_country", "DE")
    await house.settled()
    regions = await ana.options("holiday_subdivision:DE", "bay")
    await ana.submit(
        {
            "sponsor_id": ben.id,
            "working_days": ["mon", "tue", "wed", "thu"],
            "holiday_subdivision": "BY",
            "days_off": "24 Dec 2031, 29 Dec 2031 to 31 Dec 2031",
            "who_may_edit": "owners",
            "may_others_log": ["yes"],
        }
    )
    await house.settled()

    assert few == ["name", "coordinator_id", "sponsor_id", "timezone"]
    assert all_of_them["name"] == "Office network"
    assert [each["text"]["text"] for each in found] == ["No public holidays", "Germany"]
    assert [each["text"]["text"] for each in regions] == ["The whole country", "Bayern"]
    stored = await project(house)
    assert (stored["name"], stored["sponsor"], stored["holiday_country"], stored["holiday_subdivision"]) == (
        "Office network",
        ben.id,
        "DE",
        "BY",
    )
    assert stored["working_days"] == ["mon", "tue", "wed", "thu"]
    assert stored["days_off"] == ["2031-12-24", "2031-12-29", "2031-12-30", "2031-12-31"]
    assert (stored["who_may_edit"], stored["may_others_log"]) == ("owners", True)
    confirmation = said(ana, "#network")
    assert "sponsor Ben Fischer" in confirmation
    assert "Works Monday to Thursday, without the public holidays of Germany (Bayern) and 4 days off" in confirmation
    await ana.command("#network", "/steward", "settings")
    assert held(ana.modal)["days_off"] == "2031-12-24, 2031-12-29 to 2031-12-31"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_another_country_takes_the_region_away(house: House) -> None:
    """Without regions there is nothing to choose; without a country there are no public holidays."""
    await settings(house, holiday_country="DE", holiday_subdivision="BY")
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/steward", "settings")

    await choose_country(house, "IS")
    without_regions = held(ana.modal)
    await ana.submit({})
    await ana.command("#network", "/steward", "settings")
    await choose_country(house, "-")
    await ana.submit({})
    await house.settled()

    assert "holiday_subdivision" not in without_regions
    rows = [row for row in (await house.export()).history if str(row["field"]).startswith("holiday")]
    assert [(row["field"], row["before"], row["after"]) for row in rows] == [
        ("holiday_country", None, "DE"),
        ("holiday_subdivision", None, "BY"),
        ("holiday_country", "DE", "IS"),
        ("holiday_subdivision", "BY", None),
        ("holiday_country", "IS", None),
    ]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_faults_of_a_calendar_stand_beside_their_fields(house: House) -> None:
    """What cannot be a day off, and a week without a working day; all that was typed stays."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#network", "/steward", "settings")
    await ana.click_view("more_settings")
    await house.settled()

    await ana.submit({"days_off": "24 Dec 2031, sometime"})
    unreadable = ana.form_errors
    await ana.submit({"days_off": "24 Dec 2031", "working_days": [], "sponsor_id": house.sandbox.person("mia").id})

    assert "sometime" in unreadable["days_off"]
    assert set(ana.form_errors) == {"working_days", "sponsor_id"}
    assert held(ana.modal)["days_off"] == "24 Dec 2031"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_dates_follow_the_projects_calendar_and_a_holiday_is_pointed_out(house: House) -> None:
    """Typed business days skip it; a day that was chosen is kept, with a friendly word. Today is Monday 24 Nov 2031."""
    await settings(house, holiday_country="US", days_off="2031-11-28")
    ana = house.sandbox.person("ana")

    await ana.command("#network", "/action", "Count the cables in 4 business days")
    counted = await house.record("A2")
    await ana.command("#network", "/action", "Eat turkey by thursday")
    pointed_out = said(ana, "#network")
    await ana.command("#network", "/steward", "A2 edit")
    await ana.submit({"due_date": "2031-11-28", "title": "Count all cables"})
    await house.settled()
    edited = said(ana, "#network")
    third = await house.record("A3")
    await ana.command("@Steward", "/action", "Count the racks in 4 business days")
    without_project = held(ana.modal)["due_date"]
    await ana.close(clear=True)
    await ana.command("#network", "/steward", "list")
    await ana.click(ana.ephemerals("#network")[-1], "select")
    await ana.submit({"all": ["all"], "deed": "move"})
    await ana.submit({"due_words": "in 4 business days", "why_moved": "Holidays"})
    await house.settled()

    assert {record["due_date"] for record in (await house.export()).records} == {"2031-12-02"}
    assert counted["due_date"] == "2031-12-02"
    assert third["due_date"] == "2031-11-27"
    assert "Thu 27 Nov 2031 is Thanksgiving Day in the project's calendar." in pointed_out
    assert "Fri 28 Nov 2031 is a day off in the project's calendar." in edited
    assert without_project == "2031-11-28"  # no project is chosen yet


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_in_an_owners_only_project_members_change_only_what_is_theirs(house: House) -> None:
    """The refusal names whom to ask; the sponsor approves and edits as the coordinator does."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await settings(house, sponsor_id=ben.id, who_may_edit="owners")
    await ana.command("#network", "/decision", "Two racks are enough")

    await kavya.command("#network", "/steward", "A1 done")
    refused = said(kavya, "#network")
    await kavya.command("#network", "/action", "Sweep the room")
    await kavya.command("#network", "/steward", "A2 done")
    await ben.command("@Steward", "/steward", "waiting")
    waiting = said(ben, "@Steward")
    await ben.command("#network", "/steward", "D1 approve")
    await ben.command("#network", "/steward", "A1 done")

    assert "In network a record is changed by its owner and helpers, by whoever raised it" in refused
    assert (await house.record("A2"))["status"] == "done"
    assert "D1" in waiting
    assert (await house.record("D1"))["status"] == "approved"
    assert (await house.record("A1"))["status"] == "done"
