"""Steward at home in a sandbox, for whole flows: people act, the real protocol carries it, people look."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn

from bot import web
from bot.assemble import Slack, Steward
from bot.manifest import manifest
from bot.run import Running, socket_mode
from bot.served import Served
from models.database import Database
from reports.export import Export, export
from sandbox import Sandbox
from sandbox.timing import Timing

# However busy the machine is that runs the tests, nobody in them is told "Still working" who should not be.
PATIENT_SECONDS = 20.0
PATIENT_WAIT_MS = 20_000
PATIENT_SLACK = Timing(acknowledge=30.0, trigger=30.0)


# A Monday, 09:00 in New York. The sandbox's clock never goes back, so scenarios happen in years to come and read the
# same on whatever day and at whatever hour they are run.
START = datetime(2031, 11, 24, 14, tzinfo=UTC)


async def settle(sandbox: Sandbox, steward: Steward) -> None:
    """Wait until nothing is on its way to anybody."""
    for _ in range(2):
        await sandbox.idle()
        await steward.background.settle()
        await steward.sender.drain()
        await steward.settle_homes()


class House:
    """A sandbox with Steward in it, and `here` Steward's parts for that workspace.

    `settled` waits until nothing is on its way to anybody.
    """

    def __init__(self, sandbox: Sandbox, steward: Steward, here: Served) -> None:
        self.sandbox = sandbox
        self.steward = steward
        self.here = here

    async def settled(self) -> None:
        await settle(self.sandbox, self.steward)

    async def export(self) -> Export:
        """Everything stored, as `steward export` gives it."""
        async with self.steward.database.unit(self.sandbox.team_id, writes=False) as session:
            return await export(session)

    async def record(self, reference: str) -> dict[str, Any]:
        """One stored record as exported."""
        found = [each for each in (await self.export()).records if each["reference"] == reference]
        assert len(found) == 1, f"{reference}: {len(found)} records"
        return found[0]

    async def stored(self) -> str:
        """All of it as text, to look for what must not be there."""
        return json.dumps(asdict(await self.export()), ensure_ascii=False)


@asynccontextmanager
async def house_over_socket_mode(
    database_url: str,
    *,
    starts: datetime = START,
    wait_ms: int = PATIENT_WAIT_MS,
    patience_seconds: float = PATIENT_SECONDS,
    prefix: str = "",
    timing: Timing = PATIENT_SLACK,
    optional_scopes: bool = False,
    **options: Any,
) -> AsyncIterator[House]:
    """Steward connected by Socket Mode, its clock moved to `starts` before anybody is there to notice.

    Without the optional scopes it is told of no messages, as in most installations.
    """
    async with Sandbox(
        manifest(prefix), rate_limits=False, timing=timing, optional_scopes=optional_scopes, **options
    ) as sandbox:
        await begin_at(sandbox, starts)
        async with at_home(sandbox, database_url, wait_ms=wait_ms, patience_seconds=patience_seconds) as house:
            yield house


@asynccontextmanager
async def at_home(
    sandbox: Sandbox,
    database_url: str,
    *,
    wait_ms: int = PATIENT_WAIT_MS,
    patience_seconds: float = PATIENT_SECONDS,
) -> AsyncIterator[House]:
    """A Steward that starts now in that sandbox, connected by Socket Mode and following its clock, until it leaves."""
    async with socket_mode(
        Database(database_url, wait_ms=wait_ms),
        Slack(sandbox.bot_token, sandbox.api_url),
        sandbox.app_token,
        clock=sandbox.clock,
        pace_seconds=0,
        patience_seconds=patience_seconds,
        settle=timedelta(0),
    ) as running:
        sandbox.on_advance(running.advanced)
        # The start waits for this too, but not for long.
        await running.steward.warmed()
        try:
            yield House(sandbox, running.steward, await running.steward.served(sandbox.team_id))
        finally:
            sandbox.clock._callbacks.clear()


@asynccontextmanager
async def house_over_http(database_url: str) -> AsyncIterator[House]:
    """Steward behind signed HTTP, as `web` and `worker` together would be."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    request_url = f"http://127.0.0.1:{port}/slack/events"
    async with Sandbox(
        manifest(request_url=request_url),
        request_url=request_url,
        rate_limits=False,
        timing=PATIENT_SLACK,
        optional_scopes=False,
    ) as sandbox:
        await begin_at(sandbox, START)
        slack = Slack(sandbox.bot_token, sandbox.api_url, sandbox.signing_secret)
        database = Database(database_url, wait_ms=PATIENT_WAIT_MS)
        steward = Steward(
            database, slack, clock=sandbox.clock, pace_seconds=0, patience_seconds=PATIENT_SECONDS, settle=timedelta(0)
        )
        await steward.open()
        here = await steward.served(sandbox.team_id)
        await here.directory.warm()
        application = web.application(steward.bolt, steward.database, sandbox.signing_secret)
        server = uvicorn.Server(
            uvicorn.Config(application, port=port, log_config=None, lifespan="off", ws="none", access_log=False)
        )
        serving = asyncio.create_task(server._serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        steward.runner.start()
        steward.keep("sender", steward.sender.run)
        sandbox.on_advance(Running(steward, "").advanced)
        try:
            yield House(sandbox, steward, here)
        finally:
            server.should_exit = True
            await serving
            await steward.stop()


async def begin_at(sandbox: Sandbox, instant: datetime) -> None:
    """Move the clock in one step: there is nobody yet to whom the time between could matter.

    A workspace that was kept is past its beginning and stays where it is.
    """

    async def skip(now: datetime) -> datetime:
        return instant if now < instant else datetime.max.replace(tzinfo=UTC)

    sandbox.on_advance(skip)
    if sandbox.clock.now() < instant:
        await sandbox.advance_to(instant)


def shown(message: dict[str, Any]) -> str:
    """Every text in a message or view, one a line: what a person can read."""
    found: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("text"), str) and part.get("type") in ("plain_text", "mrkdwn", "text"):
                found.append(part["text"])
            for key, value in part.items():
                if key != "text" or not isinstance(value, str):
                    walk(value)
        elif isinstance(part, list):
            for each in part:
                walk(each)

    walk({key: message.get(key) for key in ("title", "blocks")})
    return "\n".join(found)
