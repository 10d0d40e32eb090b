"""Which project a channel belongs to, and who sees what by it: each transition asked first, and probed afterwards."""

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import card, offered
from tests.scenarios.steps import said

SECRET = "Sell the old warehouse"
sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def probe(house: House, person: Driver, reference: str = "A1", channel: str = "@Steward") -> bool:
    """Whether the person can see the record, looked for in every way there is; all of them must agree."""
    found = []
    for text in (reference, f"{reference} history", "list everywhere", "projects", 'list everywhere all "warehouse"'):
        await person.command(channel, "/steward", text)
        found.append(SECRET in said(person, channel) or (text == "projects" and "Sale" in said(person, channel)))
    for text in (f"{reference} edit", f"{reference} start"):
        await person.command(channel, "/steward", text)
        found.append(person.modal is not None or "There is no " not in said(person, channel))
        await person.close(clear=True)
    await person.command(channel, "/action", "")
    if person.modal is not None:
        found.append(any(option["text"]["text"] == "Sale" for option in await person.options("project", "sal")))
        await person.close(clear=True)
    await person.open_home()
    await house.settled()
    assert len(set(found)) == 1, f"{person.user.real_name} sees some of it: {found}"
    return found[0]


async def the_sale(house: House, channel: str) -> Driver:
    """Ana's project Sale with A1 in it, in a channel that Steward is in."""
    ana = house.sandbox.person("ana")
    if channel == "#steering":
        await ana.invite("#steering", "steward")
    await ana.command(channel, "/steward", "project new Sale")
    await ana.submit({})
    await ana.command(channel, "/action", SECRET)
    await house.settled()
    return ana


async def project(house: House, name: str = "Sale") -> dict[str, object]:
    return next(each for each in (await house.export()).projects if each["name"] == name)


async def test_binding_an_open_channel_to_an_open_project_needs_no_question(house: House) -> None:
    """What is logged there belongs to the project from then on; unbinding leaves records and cards where they are."""
    ana = await the_sale(house, "#network")
    ben = house.sandbox.person("ben")

    await ana.command("#general", "/steward", "bind sale")
    bound = said(ana, "#general")
    await ben.command("#general", "/action", "Paint the doors")
    await house.settled()
    await ana.command("#general", "/steward", "unbind")
    unbound = said(ana, "#general")
    await ben.command("#general", "/steward", "A2 done")
    await house.settled()

    assert "#general belongs to *Sale* now" in bound
    assert "`/steward unbind` takes it back" in bound
    record = await house.record("A2")
    assert (record["project"], record["status"]) == ("Sale", "done")
    assert "stays with *Sale*, and the cards stay where they are" in unbound
    assert "Done" in shown(card(ben, "A2", "#general"))
    rows = [row for row in (await house.export()).history if row["field"] == "channel"]
    general = house.sandbox.workspace.find_channel("general").id
    assert [(row["before"], row["after"], row["actor"]) for row in rows] == [
        (None, general, ana.id),
        (general, None, ana.id),
    ]


async def test_binding_a_private_channel_asks_who_will_no_longer_see_the_project(house: House) -> None:
    """Before the answer everybody sees it; afterwards only members of its channels do, wherever they look."""
    ana = await the_sale(house, "#network")
    tane, lena = house.sandbox.person("tane"), house.sandbox.add_person("lena", "Lena Novak")
    await house.settled()
    await ana.invite("#steering", "steward")
    await house.settled()

    await ana.command("#steering", "/steward", "bind sale")
    question = ana.ephemerals("#steering")[-1]
    seen_before = await probe(house, lena)
    private_before = (await project(house))["is_private"]
    await ana.click(question, "bind")
    await house.settled()

    asked = shown(question)
    assert "Sale* becomes private: only the members of its channels will see it and its records (4 people)" in asked
    assert "Lena Novak will no longer see *Sale*" in asked
    assert "Nothing has changed yet" in asked
    assert (seen_before, private_before) == (True, False)
    assert (await project(house))["is_private"] is True
    assert not await probe(house, lena)
    assert await probe(house, tane)  # he is in #network, which stays one of its channels
    assert "#steering belongs to *Sale* now" in said(ana, "#steering")


async def test_unbinding_the_last_private_channel_asks_who_will_see_the_project(house: House) -> None:
    """And a project stays private until somebody says so."""
    ana = await the_sale(house, "#steering")
    kavya = house.sandbox.person("kavya")
    await ana.command("#network", "/steward", "bind sale")
    gains = ana.ephemerals("#network")[-1]
    before = await probe(house, kavya)
    await ana.click(gains, "bind")
    await house.settled()
    as_member = await probe(house, kavya)
    lena = house.sandbox.add_person("lena", "Lena Novak")
    await house.settled()
    outside = await probe(house, lena)

    await ana.command("#steering", "/steward", "unbind")
    question = ana.ephemerals("#steering")[-1]
    still_outside = await probe(house, lena)
    await ana.click(question, "unbind")
    await house.settled()

    assert "Kavya Rao and Tane Walker will newly see *Sale* and all its records" in shown(gains)
    assert "no longer private: every full member of the workspace will see it" in shown(question)
    assert "Lena Novak will newly see" in shown(question)
    assert (before, as_member, outside, still_outside) == (False, True, False, False)
    assert await probe(house, lena)
    assert (await project(house))["channel"] == house.sandbox.workspace.find_channel("network").id


@sqlite_only
async def test_a_question_that_means_something_else_by_now_is_asked_again(house: House) -> None:
    """Whoever confirms has read what happens: somebody more who loses sight is named first."""
    ana = await the_sale(house, "#network")
    await ana.invite("#steering", "steward")
    await house.settled()
    await ana.command("#steering", "/steward", "bind sale")
    house.sandbox.add_person("lena", "Lena Novak")
    await house.sandbox.person("lena").open_home()
    await house.settled()

    await ana.click(ana.ephemerals("#steering")[-1], "bind")
    await house.settled()
    again = ana.ephemerals("#steering")[-1]
    before = (await project(house))["is_private"]
    await ana.click(again, "bind")
    await house.settled()

    assert "Lena Novak will no longer see" in shown(again)
    assert before is False
    assert (await project(house))["is_private"] is True


async def test_what_stands_in_a_channel_that_left_a_private_project_tells_nothing_new(house: House) -> None:
    """The card stays as it was; its buttons are refused to those who no longer see the project; guests see nothing."""
    ana = await the_sale(house, "#steering")
    tane, mia = house.sandbox.person("tane"), house.sandbox.person("mia")
    await ana.command("#network", "/steward", "bind sale")
    await ana.click(ana.ephemerals("#network")[-1], "bind")
    await mia.command("#network", "/action", "Measure the warehouse")
    await house.settled()
    seen_by_mia = [await probe_record(mia, "A2")]

    await ana.command("#network", "/steward", "unbind")
    question = ana.ephemerals("#network")[-1]
    await ana.click(question, "unbind")
    await ana.command("#steering", "/steward", "A2 edit")
    await ana.submit({"title": "Measure it for the buyer"})
    await house.settled()
    seen_by_mia.append(await probe_record(mia, "A2"))
    await tane.click(card(tane, "A2"), "step:done", "A2")
    await house.settled()

    assert "will no longer see *Sale*" in shown(question)
    assert seen_by_mia == [True, False]
    assert "Measure the warehouse" in shown(card(tane, "A2"))
    assert "There is no A2 here" in said(tane, "#network")
    assert (await house.record("A2"))["status"] == "open"
    await ana.command("#steering", "/action", "Call the buyer")
    await house.settled()
    assert "Call the buyer" in shown(card(ana, "A3", "#steering"))


async def probe_record(person: Driver, reference: str) -> bool:
    await person.command("#network", "/steward", reference)
    return "There is no" not in said(person, "#network")


async def test_switching_moves_the_channel_and_leaves_its_records(house: House) -> None:
    """Asked first; the old project keeps its other channel. Only bind into a taken channel is refused, with the way."""
    ana = await the_sale(house, "#network")
    await ana.command("#general", "/steward", "project new Summer party")
    await ana.submit({})
    await ana.command("#random", "/steward", "bind sale")

    await ana.command("#network", "/steward", "bind summer party")
    refused = said(ana, "#network")
    await ana.command("#network", "/steward", "switch summer party")
    question = ana.ephemerals("#network")[-1]
    await ana.click(question, "bind")
    await ana.command("#network", "/action", "Find a band")
    await house.settled()

    assert "`/steward switch Summer party` makes it belong to another project" in refused
    assert "It belongs to *Sale* now. Its records and their cards stay with that project" in shown(question)
    assert [(await house.record(each))["project"] for each in ("A1", "A2")] == ["Sale", "Summer party"]
    assert (await project(house))["channel"] == house.sandbox.workspace.find_channel("random").id


@sqlite_only
async def test_the_last_channel_of_a_project_with_records_stays(house: House) -> None:
    """Unbind and switch say what to do instead; an empty project gives its channel up and is archived."""
    ana = await the_sale(house, "#network")
    await ana.command("#general", "/steward", "project new Mistake")
    await ana.submit({})

    for text in ("unbind", "switch mistake"):
        await ana.command("#network", "/steward", text)
        assert "This is the last channel of Sale" in said(ana, "#network"), text
        assert "`/steward project archive`" in said(ana, "#network")
    await ana.command("#general", "/steward", "bind sale")
    await house.settled()

    assert "The empty project *Mistake* is archived" in said(ana, "#general")
    assert (await project(house, "Mistake"))["archived_at"] is not None


@sqlite_only
async def test_binding_is_for_members_who_may_change_the_projects_settings(house: House) -> None:
    """Neither guests nor other members; a project one cannot see looks as if it were not there."""
    ana = await the_sale(house, "#steering")
    ben, mia, kavya = (house.sandbox.person(name) for name in ("ben", "mia", "kavya"))
    await ana.command("#general", "/action", "Book the room")

    await mia.command("#network", "/steward", "bind general")
    guest = said(mia, "#network")
    await ben.command("#network", "/steward", "bind general")
    member = said(ben, "#network")
    await kavya.command("#network", "/steward", "bind sale")
    hidden = said(kavya, "#network")
    await kavya.command("#network", "/steward", "bind nothing")
    absent = said(kavya, "#network")
    await kavya.command("#network", "/steward", "bind")
    choices = await kavya.options("project", "")
    await kavya.close()
    await ana.command("@Steward", "/steward", "bind general")

    assert "Only full members of this workspace can say which project a channel belongs to" in guest
    assert "Only the coordinator of general" in member
    assert hidden.replace("sale", "nothing") == absent
    assert [option["text"]["text"] for option in choices] == ["general"]
    assert "type it in the channel itself" in said(ana, "@Steward")
    assert house.sandbox.workspace.find_channel("network").id not in str((await house.export()).projects)


@sqlite_only
async def test_without_a_name_a_form_asks_which_project(house: House) -> None:
    """In a channel for bind, in a direct message for switch; the answer comes where it was typed."""
    ana = await the_sale(house, "#network")

    await ana.command("#general", "/steward", "bind")
    option = (await ana.options("project", "sal"))[0]
    await ana.submit({"project": option["value"]})
    await house.settled()
    bound = said(ana, "#general")
    await ana.command("@Steward", "/steward", "switch")
    await ana.options("project", "sal")
    await ana.submit({"project": option["value"]})
    await house.settled()

    assert "#general belongs to *Sale* now" in bound
    assert "Your current project is *Sale*" in said(ana, "@Steward")


@sqlite_only
async def test_a_private_channel_steward_cannot_read_is_not_bound(house: House) -> None:
    """It would hide the project from everybody; the answer says how to go on."""
    ana = await the_sale(house, "#network")

    await ana.command("#steering", "/steward", "bind sale")

    assert "Type `/invite @Steward` here, then try again" in said(ana, "#steering")
    assert "bind" not in offered(ana.ephemerals("#steering")[-1])
    assert (await project(house))["is_private"] is False
