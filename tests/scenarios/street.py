"""The street that installing happens in: a Steward without a workspace, and the companies that may want it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp

from bot import run, web
from bot.assemble import Slack, Steward
from bot.granting import slack_as_app
from bot.installed import InstalledWorkspaces
from bot.manifest import manifest
from bot.oauth import INSTALL, Installing
from bot.sealing import Seal, new_key
from bot.slack_port import SlackWebApi
from models.database import Database
from reports.export import export
from sandbox import Sandbox
from sandbox.driver import Driver
from sandbox.team import Team
from tests.scenarios.house import PATIENT_SECONDS, PATIENT_SLACK, PATIENT_WAIT_MS, START, begin_at, settle


class Street:
    """A Steward for whoever installs it, and the companies of a sandbox; so far none has."""

    def __init__(self, sandbox: Sandbox, steward: Steward, installed: InstalledWorkspaces, url: str) -> None:
        self.sandbox, self.steward, self.installed, self.url = sandbox, steward, installed, url

    async def install(
        self, person: Driver, *, without: tuple[str, ...] = (), everywhere: bool = False
    ) -> tuple[int, str]:
        """Go the whole way in a browser of the person's own; the status and the page at its end."""
        # Cookies of an address without a name are kept only on request.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.post(f"{self.url}{INSTALL}", allow_redirects=False) as sent:
                back = await person.install(sent.headers["Location"], without=list(without), everywhere=everywhere)
            async with browser.get(back) as page:
                return page.status, await page.text()

    async def settled(self) -> None:
        await settle(self.sandbox, self.steward)

    async def exchanged(self) -> None:
        """Wait for the tokens that are being exchanged."""
        await self.installed.settle()

    async def ask(self) -> None:
        """Ask Slack of every installation whether it still takes the token."""
        await self.installed._unheard.look()

    async def titles(self, team: Team) -> list[str]:
        """What is logged in the company's workspace."""
        async with self.steward.database.unit(team.team_id, writes=False) as session:
            return [each["title"] for each in (await export(session)).records]


@asynccontextmanager
async def street_over_http(database_url: str, *, rotates: bool = False) -> AsyncIterator[Street]:
    """Steward as `steward web` and the sender serve it, over HTTP, for Northwind IT and Acme. Tokens may rotate."""
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
            as_bot = partial(SlackWebApi, base_url=sandbox.api_url)
            installed = InstalledWorkspaces(database, Seal([new_key()]), as_app, as_bot, clock=sandbox.clock)
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
