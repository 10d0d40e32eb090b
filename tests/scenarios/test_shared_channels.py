"""A channel shared with another company (Slack Connect): what its people may do here, and what they see of it."""

from collections.abc import AsyncIterator

import pytest

from tests.scenarios.house import House, house_over_socket_mode, shown
from tests.scenarios.looking import card
from tests.scenarios.steps import everything_shown_to, said


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """Zoe of Acme comes into Northwind's #network, where an action was logged, as another was in #general."""
    async with house_over_socket_mode(database_url, workspaces=["Acme"]) as house:
        ana = house.sandbox.person("ana")
        await ana.command("#network", "/action", "Order two racks")
        await ana.command("#general", "/action", "Announce the new offices")
        house.sandbox.share("#network", house.sandbox.workspace_named("Acme"), "zoe")
        await house.settled()
        yield house


async def test_what_somebody_of_another_company_wrote_is_logged_by_whoever_is_here(house: House) -> None:
    """From its menu; who wrote it may not log by themselves, and gets their words back."""
    ana, zoe = house.sandbox.person("ana"), house.sandbox.person("zoe")
    wrote = await zoe.say("#network", "The racks do not fit")
    await ana.message_shortcut("#network", wrote["ts"], "log_message")
    await ana.submit({})
    await zoe.say("#network", "@Steward issue The racks do not fit either")
    await house.settled()

    records = {record["reference"]: record for record in (await house.export()).records}
    assert list(records) == ["A1", "A2", "A3"]
    assert (records["A3"]["raised_by"], records["A3"]["title"]) == (ana.id, "The racks do not fit")
    assert f"/p{wrote['ts'].replace('.', '')}" in records["A3"]["source_link"]
    assert "People of other companies cannot log here." in said(zoe, "#network")
    assert "@Steward issue The racks do not fit either" in said(zoe, "#network")


async def test_where_the_project_allows_it_they_log_and_change_their_own(house: House) -> None:
    """With what Slack tells of them, which is neither a time zone nor a language."""
    ana, zoe = house.sandbox.person("ana"), house.sandbox.person("zoe")
    await ana.command("#network", "/steward", "settings")
    await ana.click_view("more_settings")
    await house.settled()
    await ana.submit({"may_others_log": ["yes"]})

    await zoe.say("#network", "@Steward action Send the plans by friday")
    await house.settled()
    await zoe.click(card(zoe, "A1"), "step:done", "A1")
    await house.settled()
    refused = said(zoe, "#network")
    await zoe.click(card(zoe, "A3"), "step:done", "A3")
    await house.settled()

    assert (await house.record("A3"))["raised_by"] == zoe.id
    assert (await house.record("A3"))["status"] == "done"
    assert "only what they own or raised" in refused
    assert (await house.record("A1"))["status"] == "open"


async def test_whom_slack_does_not_describe_in_time_may_be_of_the_other_company(house: House) -> None:
    """Elsewhere they count as a guest, who may log."""
    acme = house.sandbox.workspace_named("Acme")
    house.sandbox.fail("users.info", error="fatal_error", times=9)
    house.sandbox.share("#network", acme, acme.person("kavya").id)
    kavya = house.sandbox.person(acme.person("kavya").id)

    await kavya.say("#network", "@Steward issue The racks do not fit")
    await house.settled()

    assert "People of other companies cannot log here." in said(kavya, "#network")
    assert [record["reference"] for record in (await house.export()).records] == ["A1", "A2"]


async def test_they_see_what_was_logged_in_the_channel_and_nothing_else(house: House) -> None:
    ana, zoe = house.sandbox.person("ana"), house.sandbox.person("zoe")
    for words in ("A1", "A2", "A99", "list", "find offices"):
        await zoe.say("#network", f"@Steward {words}")
        await house.settled()
    told = [shown(message) for message in zoe.ephemerals("#network")]
    await ana.command("#network", "/steward", "A1 owner @zoe")
    await house.settled()

    assert "Order two racks" in told[0]
    assert told[1].replace("A2", "A99") == told[2]
    assert "Order two racks" in told[3]
    assert "A1" in "".join(map(shown, zoe.app_messages()))
    assert "Announce the new offices" not in everything_shown_to(zoe, ("#network",))


async def test_when_the_channel_is_shared_no_longer_they_see_nothing_of_it(house: House) -> None:
    zoe = house.sandbox.person("zoe")
    await zoe.say("@Steward", "@Steward A1")
    await house.settled()
    before = everything_shown_to(zoe)

    house.sandbox.unshare("#network", house.sandbox.workspace_named("Acme"))
    await house.settled()
    await zoe.say("@Steward", "@Steward A1")
    await house.settled()

    assert "Order two racks" in before
    assert "There is no A1 here that you can see" in everything_shown_to(zoe).removeprefix(before)
