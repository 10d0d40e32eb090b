"""Several companies install Steward through Slack's own page, use it side by side, remove it and come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot import run, web
from bot.assemble import Slack, Steward
from bot.installed import InstalledWorkspaces, slack_as_app
from bot.manifest import SCOPES, manifest
from bot.oauth import INSTALL, Installing
from bot.sealing import Seal, new_key
from models import installations
from models.database import Database
from reports.export import export
from sandbox import Sandbox
from sandbox.driver import Driver
from sandbox.team import Team
from tests.scenarios.house import PATIENT_SECONDS, PATIENT_SLACK, PATIENT_WAIT_MS, START, begin_at, settle


class Street:
    """A Steward for whoever installs it, and the companies of a sandbox; so far none has."""

    def __init__(self, sandbox: Sandbox, steward: Steward, installed: InstalledWorkspaces, url: str) -> None:
        self.sandbox, self.steward, self.installed, self._url = sandbox, steward, installed, url

    async def install(
        self, person: Driver, *, without: tuple[str, ...] = (), everywhere: bool = False
    ) -> tuple[int, str]:
        """Go the whole way in a browser of the person's own; the status and the page at its end."""
        # Cookies of an address without a name are kept only on request.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.post(f"{self._url}{INSTALL}", allow_redirects=False) as sent:
                back = await person.install(sent.headers["Location"], without=list(without), everywhere=everywhere)
            async with browser.get(back) as page:
                return page.status, await page.text()

    async def settled(self) -> None:
        await settle(self.sandbox, self.steward)

    async def exchanged(self) -> None:
        """Wait for the tokens that are being exchanged."""
        while under_way := set(self.installed._exchanging.values()):
            await asyncio.wait(under_way)

    async def titles(self, team: Team) -> list[str]:
        """What is logged in the company's workspace."""
        async with self.steward.database.unit(team.team_id, writes=False) as session:
            return [each["title"] for each in (await export(session)).records]


@pytest.fixture
def rotates() -> bool:
    """Whether Slack's tokens end after twelve hours."""
    return False


@pytest.fixture
async def street(database_url: str, rotates: bool) -> AsyncIterator[Street]:
    with run.listener("127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        request_url = f"{url}/slack/events"
        options: dict[str, Any] = {"rate_limits": False, "timing": PATIENT_SLACK, "installed": False}
        described = manifest(request_url=request_url, redirect_url=f"{url}/slack/oauth_redirect")
        described["settings"]["token_rotation_enabled"] = rotates
        async with Sandbox(described, request_url=request_url, workspaces=["Acme"], **options) as sandbox:
            await begin_at(sandbox, START)
            database = Database(database_url, wait_ms=PATIENT_WAIT_MS)
            as_app = slack_as_app(sandbox.client_id, sandbox.client_secret, sandbox.api_url)
            installed = InstalledWorkspaces(database, Seal([new_key()]), as_app, clock=sandbox.clock)
            steward = Steward(
                database,
                Slack("", sandbox.api_url, sandbox.signing_secret),
                access=installed,
                clock=sandbox.clock,
                pace_seconds=0,
                patience_seconds=PATIENT_SECONDS,
                settle=timedelta(0),
            )
            pages = Installing(
                database,
                installed,
                client_id=sandbox.client_id,
                public_url=url,
                authorize_url=sandbox.authorize_url,
                clock=sandbox.clock,
            )
            await steward.open()
            application = web.application(steward.bolt, database, sandbox.signing_secret, pages=pages.routes())
            serving = asyncio.create_task(web.serve(application, listening))
            steward.keep("sender", steward.sender.run)
            try:
                yield Street(sandbox, steward, installed, url)
            finally:
                serving.cancel()
                with suppress(asyncio.CancelledError):
                    await serving
                await steward.stop()


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


async def test_whoever_removes_it_and_installs_it_again_finds_the_log_as_it_was(street: Street) -> None:
    northwind, acme = street.sandbox, street.sandbox.workspace_named("Acme")
    ana, zoe = northwind.person("ana"), acme.person("zoe")
    for each in (ana, zoe):
        await street.install(each)
        await each.command("#network", "/action", f"Of {each.user.name}")
    await street.settled()

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


async def test_a_scope_that_is_left_out_is_known_from_the_installation(street: Street) -> None:
    acme = street.sandbox.workspace_named("Acme")

    await street.install(acme.person("zoe"), without=("files:read",))

    assert street.steward.access.scopes(acme.team_id) == set(SCOPES) - {"files:read"}


async def test_whoever_may_not_or_will_not_install_it_leaves_nothing_behind(street: Street) -> None:
    zoe = street.sandbox.workspace_named("Acme").person("zoe")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.post(f"{street._url}{INSTALL}", allow_redirects=False) as sent:
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
    await street.sandbox.advance(timedelta(minutes=1))
    await group.uninstall()
    assert await served() == set()
    [installation] = await installations.everywhere(street.steward.database)
    assert installation.sealed_tokens is None
