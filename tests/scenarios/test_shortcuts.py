"""The shortcuts: a message becomes a record in two clicks, and anything can be logged from anywhere."""

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answered, card, held

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def log(house: House, person: Driver, line: str, channel: str = "#network") -> None:
    command, _, words = line.partition(" ")
    assert (await person.command(channel, command, words)).ok
    await house.settled()


async def log_message(house: House, person: Driver, channel: str, ts: str) -> None:
    assert (await person.message_shortcut(channel, ts, "log_message")).ok
    await house.settled()


async def test_a_message_becomes_a_record_with_its_text_and_its_link(any_house: House) -> None:
    """Another person's message; its first line is offered as title, all of it as details."""
    house = any_house
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    message = await ben.say("#network", "Rack 3 has no free sockets & <none> in rack 4\nAsk @kavya about #general")

    await log_message(house, ana, "#network", message["ts"])
    form = held(ana.modal)
    await ana.click_view("kind", "issue")
    await house.settled()
    await ana.submit({"severity": "3"})
    await house.settled()

    title = "Rack 3 has no free sockets & <none> in rack 4"
    details = f"{title}\nAsk @Kavya Rao about #general"
    assert (form["kind"], form["title"], form["details"]) == ("action", title, details)
    record = await house.record("I1")
    assert (record["title"], record["details"], record["severity"]) == (title, details, "3")
    assert (record["raised_by"], record["channel"]) == (ana.id, "C00000000NE")
    assert record["source_link"].endswith(f"/archives/C00000000NE/p{message['ts'].replace('.', '')}")
    assert f"<{record['source_link']}|from this message>" in shown(card(ana, "I1"))
    assert "Logged I1" in answered(ana)


@sqlite_only
async def test_a_one_line_message_is_the_title_and_leaves_the_details_free(house: House) -> None:
    ana = house.sandbox.person("ana")
    message = await ana.say("#network", "The diagram is missing")

    await log_message(house, ana, "#network", message["ts"])

    assert (held(ana.modal)["title"], held(ana.modal)["details"]) == ("The diagram is missing", None)


@sqlite_only
async def test_a_long_message_is_kept_whole_in_the_details(house: House) -> None:
    ana = house.sandbox.person("ana")
    text = " ".join(f"word{number}" for number in range(900))
    message = await ana.say("#network", text)

    await log_message(house, ana, "#network", message["ts"])
    title = held(ana.modal)["title"]
    await ana.submit()
    await house.settled()

    assert len(title) <= 250
    assert title.endswith("…")
    assert (await house.record("A1"))["details"] == text


@sqlite_only
async def test_the_first_record_from_a_message_begins_the_channels_project(house: House) -> None:
    """Also in a public channel that Steward is not in."""
    ana = house.sandbox.person("ana")
    message = await ana.say("#random", "The coffee machine leaks")

    await log_message(house, ana, "#random", message["ts"])
    assert "project" not in held(ana.modal)
    await ana.submit()
    await house.settled()

    [project] = (await house.export()).projects
    assert (project["name"], project["coordinator"]) == ("random", ana.id)
    assert "so I began the project *random*, with you as coordinator" in answered(ana, "#random")
    assert "The coffee machine leaks" in shown(card(ana, "A1", "#random"))


@sqlite_only
async def test_a_message_in_a_direct_message_asks_which_project_and_none_is_made(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ben, "/action The first of #network")
    await log(house, ben, "/action The first of #general", "#general")
    message = await ana.say("@ben", "Please send me the diagram")

    await log_message(house, ana, "@ben", message["ts"])
    offered = [option["text"]["text"] for option in await ana.options("project")]
    unanswered = await ana.submit()
    await ana.submit({"project": (await ana.options("project", "net"))[0]["value"]})
    await house.settled()

    assert offered == ["general", "network"]
    assert list(unanswered.errors) == ["project"]
    record = await house.record("A3")
    assert (record["title"], record["project"], record["channel"]) == (
        "Please send me the diagram",
        "network",
        "C00000000NE",
    )
    assert len((await house.export()).projects) == 2
    assert "Logged A3" in answered(ana, "@ben")
    assert "Please send me the diagram" in shown(card(ana, "A3"))


@sqlite_only
async def test_in_a_direct_message_without_any_project_the_person_is_told_how_one_begins(house: House) -> None:
    ana = house.sandbox.person("ana")
    message = await ana.say("@ben", "Please send me the diagram")

    await log_message(house, ana, "@ben", message["ts"])

    assert ana.modal is None
    assert "There is no project yet that you can see. Log the first record in a channel" in answered(ana, "@ben")


@sqlite_only
async def test_a_command_in_a_direct_message_keeps_its_words_while_the_form_asks_for_the_project(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ben, "/action The first of #network")

    await log(house, ana, "/risk Late switch @ben by 2032-03-05 !high\nSupplier says so", "@ben")

    form = held(ana.modal)
    assert (form["title"], form["owner_id"], form["due_date"]) == ("Late switch", ben.id, "2032-03-05")
    assert (form["priority"], form["details"], form["project"]) == ("high", "Supplier says so", None)


async def test_the_global_shortcut_asks_kind_and_project(any_house: House) -> None:
    house = any_house
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ben, "/action The first of #network")

    assert (await ana.shortcut("log_anything")).ok
    await house.settled()
    first = held(ana.modal)
    project = (await ana.options("project"))[0]["value"]
    ana.fill({"title": "Use fibre", "project": project, "owner_id": ben.id})
    await ana.click_view("kind", "decision")
    await house.settled()
    second = held(ana.modal)
    await ana.submit({"rationale": "It is faster"})
    await house.settled()

    assert (first["kind"], first["project"]) == ("action", None)
    assert (second["kind"], second["project"], second["title"]) == ("decision", project, "Use fibre")
    record = await house.record("D1")
    assert (record["title"], record["rationale"], record["owner"]) == ("Use fibre", "It is faster", ben.id)
    assert (record["project"], record["source_link"]) == ("network", None)
    assert "Logged D1" in shown(ana.modal or {})
    assert "Use fibre" in shown(card(ana, "D1"))


@sqlite_only
async def test_the_global_shortcut_without_any_project_says_how_one_begins(house: House) -> None:
    ana = house.sandbox.person("ana")

    await ana.shortcut("log_anything")
    await house.settled()

    assert "There is no project yet that you can see." in shown(ana.modal or {})


@sqlite_only
async def test_a_project_that_is_not_ones_own_is_neither_offered_nor_taken(house: House) -> None:
    """Steering is private to Ana and Ben; Kavya's menu does not hold it, and its id by hand is not there for her."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.invite("#steering", "steward")
    await house.settled()
    await log(house, ana, "/action Secret budget", "#steering")
    await log(house, ana, "/action The first of #network")

    await kavya.shortcut("log_anything")
    offered = [option["text"]["text"] for option in await kavya.options("project")]
    smuggled = {"text": {"type": "plain_text", "text": "steering"}, "value": "1"}
    await kavya.submit({"title": "Mine", "project": smuggled})

    assert offered == ["network"]
    assert "There is no such project here." in " ".join(kavya.form_errors.values())
    assert len((await house.export()).records) == 2


@sqlite_only
async def test_a_global_shortcut_that_slack_opens_no_form_for_is_answered_by_a_direct_message(house: House) -> None:
    """Slack gives such a shortcut no address to answer to."""
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action Begin the project")
    house.sandbox.fail("views.open", error="expired_trigger_id", times=2)

    await ana.shortcut("log_anything")
    await house.settled()

    assert [message["text"] for message in ana.app_messages()] == [
        "Slack did not let me open the form in time. Please try once more."
    ]
