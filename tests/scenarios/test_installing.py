"""Several companies install Steward through Slack's own page, use it side by side, remove it and come back."""

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from bot.manifest import SCOPES
from bot.oauth import INSTALL
from models import installations
from reports.export import export
from sandbox.driver import Driver
from tests.scenarios.street import Street, street_over_http


@pytest.fixture
def rotates() -> bool:
    """Whether Slack's tokens end after twelve hours."""
    return False


@pytest.fixture
async def street(database_url: str, rotates: bool) -> AsyncIterator[Street]:
    async with street_over_http(database_url, rotates=rotates) as opened:
        yield opened


async def test_two_companies_install_it_and_each_has_a_log_of_its_own(street: Street) -> None:
    northwind, acme = street.sandbox, street.sandbox.workspace_named("Acme")
    ana, zoe = northwind.person("ana"), acme.person("zoe")

    assert [(await street.install(each))[0] for each in (ana, zoe)] == [200, 200]
    assert (await ana.command("#network", "/action", "Check the fans @ana")).ok
    assert (await zoe.command("#network", "/action", "Buy cables @zoe")).ok
    await street.settled()

    assert await street.titles(northwind) == ["Check the fans"]
    assert await street.titles(acme) == ["Buy cables"]
    for person, ours, theirs in ((ana, "Check the fans", "Buy cables"), (zoe, "Buy cables", "Check the fans")):
        seen = str(person.messages("#network"))
        assert ours in seen
        assert theirs not in seen
    stored = await installations.everywhere(street.steward.database)
    assert all(each.sealed_tokens and "xoxb" not in each.sealed_tokens for each in stored)


async def test_whom_anybody_names_is_known_at_once(street: Street) -> None:
    """Nobody has read the workspace's people yet: Slack is asked, with the first command and with every later one."""
    acme = street.sandbox.workspace_named("Acme")
    zoe, ben = acme.person("zoe"), acme.person("ben")
    carl, dora, emil = (acme.add_person(name, f"{name.title()} Fox") for name in ("carl", "dora", "emil"))
    await street.install(zoe)
    await zoe.invite("#network", acme.bot_user_id)

    await zoe.command("#network", "/action", "Buy cables @ben")
    await zoe.command("#network", "/action", "Lay cables @carl")
    await zoe.command("#network", "/action", "")
    assert (await zoe.submit({"title": "Test cables", "owner_id": dora.id})).ok
    await zoe.say("#network", "@Steward action What does @emil say of the cables?")
    await street.settled()

    async with street.steward.database.unit(acme.team_id, writes=False) as session:
        owners = {each["title"]: each["owner"] for each in (await export(session)).records}
    assert owners == {
        "Buy cables": ben.id,
        "Lay cables": carl.id,
        "Test cables": dora.id,
        "What does @Emil Fox say of the cables?": emil.id,
    }


async def at_work(street: Street, *people: Driver) -> tuple[Driver, ...]:
    """The people, each of whom installed Steward in their workspace and logged an action there."""
    for each in people:
        await street.install(each)
        await each.command("#network", "/action", f"Of {each.user.name}")
    await street.settled()
    return people


async def test_whoever_removes_it_and_installs_it_again_finds_the_log_as_it_was(street: Street) -> None:
    northwind, acme = street.sandbox, street.sandbox.workspace_named("Acme")
    ana, zoe = await at_work(street, northwind.person("ana"), acme.person("zoe"))

    await acme.uninstall(uninstalled_first=True)
    await street.settled()
    gone = [each.id for each in await street.steward.access.workspaces()]
    assert (await ana.command("#network", "/risk", "The fans stop")).ok
    await street.sandbox.advance(timedelta(minutes=1))
    await street.install(zoe)
    await zoe.invite("#network", acme.bot_user_id)
    assert (await zoe.command("#network", "/action", "Again")).ok
    await street.settled()

    assert gone == [northwind.team_id]
    assert await street.titles(northwind) == ["Of ana", "The fans stop"]
    assert await street.titles(acme) == ["Of zoe", "Again"]
    assert "Again" in str(zoe.messages("#network"))


async def test_a_removal_that_nobody_heard_of_is_found_by_asking(street: Street) -> None:
    """And what was stored there goes in its time. One odd answer about another workspace does no harm meanwhile."""
    northwind, acme = street.sandbox, street.sandbox.workspace_named("Acme")
    ana, _ = await at_work(street, northwind.person("ana"), acme.person("zoe"))

    await acme.uninstall(told=False)
    street.sandbox.fail("auth.test", error="invalid_auth", times=2)
    await street.ask()
    refused = await street.steward.workspace_ids()
    assert (await ana.command("#network", "/risk", "The fans stop")).ok
    used = await street.steward.workspace_ids()
    for _ in range(15):
        await street.sandbox.advance(timedelta(hours=12))
        await street.ask()
    await street.sandbox.advance(timedelta(days=30, minutes=1))
    await street.steward.runner.purge()

    assert (refused, used) == ([], [northwind.team_id])
    assert await street.titles(northwind) == ["Of ana", "The fans stop"]
    assert await street.steward.database.workspace_ids(also_removed=True) == [northwind.team_id]
    assert [each.id for each in await installations.everywhere(street.steward.database)] == [northwind.team_id]


async def test_a_scope_that_is_left_out_is_known_from_the_installation(street: Street) -> None:
    acme = street.sandbox.workspace_named("Acme")

    await street.install(acme.person("zoe"), without=("files:read",))

    assert street.steward.access.scopes(acme.team_id) == set(SCOPES) - {"files:read"}


async def test_whoever_may_not_or_will_not_install_it_leaves_nothing_behind(street: Street) -> None:
    zoe = street.sandbox.workspace_named("Acme").person("zoe")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.post(f"{street.url}{INSTALL}", allow_redirects=False) as sent:
            back = await zoe.refuse_to_install(sent.headers["Location"])
        async with browser.get(back) as page:
            told = await page.text()

    assert "It was not allowed in Slack." in told
    assert await installations.everywhere(street.steward.database) == []


@pytest.mark.parametrize("rotates", [True])
async def test_tokens_that_end_are_exchanged_before_and_after_they_do(street: Street) -> None:
    """Slack refuses no call for a token that is over, however long nobody did anything."""
    zoe = street.sandbox.workspace_named("Acme").person("zoe")
    await street.install(zoe)

    for hours, title in ((1, "At once"), (10, "Shortly before the end"), (30, "Long after it")):
        await street.sandbox.advance(timedelta(hours=hours))
        assert (await zoe.command("#network", "/action", title)).ok
        await street.settled()
        await street.exchanged()

    seen = str(zoe.messages("#network"))
    assert all(title in seen for title in ("At once", "Shortly before the end", "Long after it"))
    answers = [call.answer for call in street.sandbox.calls]
    assert {answer["error"] for answer in answers if not answer["ok"]} <= {"not_in_channel"}
    exchanges = [call for call in street.sandbox.calls if call.method == "oauth.v2.access"]
    assert len(exchanges) == 3, "installed, before the end, after it"


async def test_an_organisation_installs_it_once_and_each_workspace_has_a_log_of_its_own(street: Street) -> None:
    """With one token for all: Slack is told each time which workspace is meant, and refuses nothing."""
    northwind, acme = street.sandbox, street.sandbox.workspace_named("Acme")
    group = northwind.organise("Northwind Group", "Northwind IT", "Acme")
    ana, zoe = northwind.person("ana"), acme.person("zoe")

    await street.install(ana, everywhere=True)
    await group.grant("Northwind IT", "Acme")
    for person, team in ((ana, northwind), (zoe, acme)):
        await (await street.steward.served(team.team_id)).directory.warm()
        assert (await person.command("#network", "/action", f"Of {person.user.name} @{person.user.name}")).ok
        assert (await person.command("#network", "/risk")).ok
        assert (await person.submit({"title": f"A form of {person.user.name}"})).ok
        await person.open_home()
    await street.settled()

    assert await street.titles(northwind) == ["Of ana", "A form of ana"]
    assert await street.titles(acme) == ["Of zoe", "A form of zoe"]
    assert "A form of zoe" in str(zoe.messages("#network"))
    assert "Of zoe" in str(zoe.home)
    assert "Of ana" not in str(zoe.messages("#network")) + str(zoe.home)
    assert [(call.method, call.answer) for call in street.sandbox.calls if not call.answer["ok"]] == []


async def test_an_organisation_takes_it_from_a_workspace_and_then_from_all(street: Street) -> None:
    northwind, acme = street.sandbox, street.sandbox.workspace_named("Acme")
    group = northwind.organise("Northwind Group", "Northwind IT", "Acme")
    await street.install(northwind.person("ana"), everywhere=True)
    await group.grant("Northwind IT", "Acme")

    async def served() -> set[str]:
        await street.settled()
        return {each.id for each in await street.steward.access.workspaces()}

    assert await served() == {northwind.team_id, acme.team_id}
    await group.withdraw("Acme")
    assert await served() == {northwind.team_id}
    await group.grant("Acme")
    assert await served() == {northwind.team_id, acme.team_id}
    await group.withdraw("Acme", told=False)
    await street.ask()
    assert await served() == {northwind.team_id}
    for _ in range(15):
        await street.sandbox.advance(timedelta(hours=12))
        await street.ask()
    soon = street.sandbox.clock.now() + timedelta(seconds=1)
    assert await installations.removed(street.steward.database, before=soon) == [acme.team_id]
    await group.grant("Acme", told=False)
    zoe = acme.person("zoe")
    before = await zoe.command("#network", "/action", "Too early")
    await street.ask()
    after = await zoe.command("#network", "/action", "Buy cables")
    assert ("Logged" in str(before.body), "Logged" in str(after.body)) == (False, True)
    assert await served() == {northwind.team_id, acme.team_id}
    await group.uninstall()
    assert await served() == set()
    [installation] = await installations.everywhere(street.steward.database)
    assert installation.sealed_tokens is None
