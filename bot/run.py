"""The ways of running: everything in one process, HTTP, the clock's work, or the sandbox alone."""

import asyncio
import hashlib
import logging
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from filelock import FileLock, Timeout
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot import migrate, web
from bot.assemble import Slack, Steward
from bot.edge import PATIENCE_SECONDS
from bot.manifest import manifest
from bot.sender import PACE_SECONDS
from bot.settings import Settings
from models.clock import Clock
from models.database import WORKER_WAIT_MS, Database
from sandbox import Sandbox

log = logging.getLogger(__name__)

Say = Callable[[str], None]


class CannotStart(Exception):
    """Why the program does not start, in a sentence that says what to do."""


async def with_slack(settings: Settings, say: Say) -> None:
    """`run` with tokens: Socket Mode, the ticker and the sender in this process, until it is told to stop."""
    with only_one(_secret(settings.slack_app_token)):
        await asyncio.to_thread(migrate.upgrade, settings.database_url)
        slack = Slack(bot_token=_secret(settings.slack_bot_token), api_url=settings.slack_api_url)
        async with socket_mode(Database(settings.database_url), slack, _secret(settings.slack_app_token)) as steward:
            say(f"Steward is running in {steward.name}. Data: {settings.database_url.split('@')[-1]}. Ctrl+C stops it.")
            await stop_signal()
            say("Stopping …")


async def with_sandbox(settings: Settings, keep: Path | None, say: Say) -> None:
    """`run` without tokens: a Slack workspace in the browser and Steward in it, in this process."""
    with _data_folder(keep) as folder:
        url = f"sqlite:///{folder / 'steward.db'}"
        await asyncio.to_thread(migrate.upgrade, url)
        try:
            async with Sandbox(manifest(), host=settings.host, port=settings.port, keep=keep) as sandbox:
                slack = Slack(bot_token=sandbox.bot_token, api_url=sandbox.api_url)
                async with socket_mode(Database(url), slack, sandbox.app_token, clock=sandbox.clock) as steward:
                    sandbox.on_advance(steward.advanced)
                    for line in _welcome(sandbox.url, keep):
                        say(line)
                    await stop_signal()
                    say("Stopping …")
        except OSError as error:
            raise CannotStart(
                f"Port {settings.port} on {settings.host} cannot be used ({error.strerror or error}). "
                f"Choose another: PORT={settings.port + 1} make run"
            ) from None


async def sandbox_alone(
    settings: Settings, described: dict[str, Any], keep: Path | None, request_url: str | None, say: Say
) -> None:
    """The stand-in workspace for any Slack app."""
    host, port = settings.host, settings.port
    async with Sandbox(described, host=host, port=port, keep=keep, request_url=request_url) as sandbox:
        say(f"A Slack workspace on this machine: {sandbox.url}")
        say(f"  SLACK_API_URL={sandbox.api_url}")
        say(f"  SLACK_BOT_TOKEN={sandbox.bot_token}")
        say(f"  SLACK_APP_TOKEN={sandbox.app_token}")
        say(f"  SLACK_SIGNING_SECRET={sandbox.signing_secret}")
        say("Start your app with these. Ctrl+C stops the workspace.")
        await stop_signal()


async def web_process(settings: Settings, say: Say) -> None:
    """`web`: Slack's requests over HTTP; sends what it committed."""
    steward = await _prepared(settings)
    secret = _secret(settings.slack_signing_secret)
    sends: set[asyncio.Task[None]] = set()

    def send_committed() -> None:
        task = asyncio.ensure_future(steward.sender.deliver())
        sends.add(task)
        task.add_done_callback(sends.discard)

    workspace = await steward.meet(committed=send_committed)
    server = uvicorn.Server(
        uvicorn.Config(
            web.application(steward.bolt, steward.database, secret),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=8,
        )
    )
    steward.keep("warming", steward.directory.warm)
    say(f"Steward answers {workspace.name} at http://{settings.host}:{settings.port}/slack/events")
    try:
        await server.serve()
    finally:
        await steward.stop()


async def worker_process(settings: Settings, say: Say) -> None:
    """`worker`: the ticker and the sender."""
    steward = await _prepared(settings, wait_ms=WORKER_WAIT_MS)
    workspace = await steward.meet()
    steward.runner.start()
    steward.keep("sender", steward.sender.run)
    say(f"Steward's worker reminds {workspace.name}.")
    try:
        await stop_signal()
    finally:
        await steward.stop()


class Running:
    """A Steward with everything going, over Socket Mode."""

    def __init__(self, steward: Steward, name: str) -> None:
        self.steward = steward
        self.name = name

    async def advanced(self, now: datetime) -> None:
        """Do what became due at a step of a clock that is moved by hand, and see it out."""
        await self.steward.runner.tick()
        await self.steward.sender.drain()
        await self.steward.homes.settle()


@asynccontextmanager
async def socket_mode(
    database: Database,
    slack: Slack,
    app_token: str,
    *,
    clock: Clock | None = None,
    pace_seconds: float = PACE_SECONDS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> AsyncIterator[Running]:
    steward = Steward(database, slack, clock=clock, pace_seconds=pace_seconds, patience_seconds=patience_seconds)
    doors: AsyncSocketModeHandler | None = None
    try:
        workspace = await steward.meet()
        await steward.directory.warm()
        doors = await _open_socket(steward, slack, app_token)
        steward.runner.start()
        steward.keep("sender", steward.sender.run)
        yield Running(steward, workspace.name)
    finally:
        if doors is not None:
            await doors.close_async()  # type: ignore[no-untyped-call]
        await steward.stop()


async def _open_socket(steward: Steward, slack: Slack, app_token: str) -> AsyncSocketModeHandler:
    quiet = logging.getLogger("steward.socket_mode")
    client = AsyncWebClient(base_url=slack.api_url, logger=quiet)
    handler = AsyncSocketModeHandler(steward.bolt, app_token, logger=quiet, web_client=client)
    handler.client.message_listeners.append(_warn_of_others)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    return handler


async def _warn_of_others(client: Any, message: dict[str, Any], raw: str | None) -> None:
    """Slack shares requests out among all connections; a second process with its own file would lose some of them."""
    if message.get("type") == "hello" and message.get("num_connections", 1) > 1:
        log.warning(
            "Another process is connected with the same app token (%s connections). With separate SQLite files each "
            "would see only part of the log: stop the other one, or give both the same PostgreSQL in DATABASE_URL.",
            message["num_connections"],
        )


async def _prepared(settings: Settings, wait_ms: int | None = None) -> Steward:
    database = Database(settings.database_url, wait_ms=wait_ms) if wait_ms else Database(settings.database_url)
    if not await migrate.is_current(database):
        await database.dispose()
        raise CannotStart("The database has another schema than this release. Run `steward migrate` first.")
    signing = settings.slack_signing_secret
    slack = Slack(
        bot_token=_secret(settings.slack_bot_token),
        api_url=settings.slack_api_url,
        signing_secret=_secret(signing) if signing else None,
    )
    return Steward(database, slack)


async def stop_signal() -> None:
    """Wait until the process is asked to stop (SIGTERM or Ctrl+C)."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, asked.set)
    await asked.wait()


@contextmanager
def only_one(app_token: str) -> Iterator[None]:
    """Hold the machine's lock for this Slack app. Raises CannotStart when another process here has it."""
    digest = hashlib.sha256(app_token.encode()).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"steward-{os.getuid()}-{digest}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CannotStart(
            "Another Steward on this machine is connected to the same Slack app. Stop it first; for several processes "
            "use `steward web` and `steward worker` over PostgreSQL."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _data_folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="steward-") as folder:
        yield Path(folder)


def _welcome(url: str, keep: Path | None) -> list[str]:
    kept = f"kept in {keep}" if keep else "forgotten when you stop it (keep it: make run ARGS='--keep data')"
    return [
        "",
        "Steward is running in a Slack workspace on this machine. Open it in your browser:",
        "",
        f"    {url}",
        "",
        "  Try     /action Send the firewall diagram @ben by friday 3pm !high",
        f"  Data    {kept}",
        "  Real    put SLACK_BOT_TOKEN and SLACK_APP_TOKEN into .env and run this again; README.md shows how",
        "  Stop    Ctrl+C",
        "",
    ]


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
