"""The ways of running: everything in one process, HTTP, the clock's work, or the sandbox alone."""

import asyncio
import hashlib
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import SecretStr
from starlette.routing import Route

from bot import operation, web
from bot.access import Access, OneWorkspace
from bot.assemble import Slack, Steward
from bot.edge import PATIENCE_SECONDS
from bot.manifest import manifest
from bot.opening import (
    START_SECONDS,
    CannotStart,
    Say,
    address,
    bring_up_to_date,
    migrated_database,
    reached,
    serving,
)
from bot.pace import PACE_SECONDS
from bot.settings import Settings
from bot.slack_port import SlackWebApi
from bot.stopping import Deadline, end_soon
from models.clock import Clock
from models.database import (
    WORKER_WAIT_MS,
    Database,
)

if TYPE_CHECKING:
    from bot.socket_mode import SocketMode
    from sandbox import Sandbox

# How long the start waits to know everybody; in a large workspace the reading goes on in the background.
WARM_SECONDS = 2.0


async def with_slack(settings: Settings, say: Say) -> None:
    """`run` with tokens: Socket Mode, the ticker and the sender in this process, until it is told to stop."""
    app_token = _secret(settings.slack_app_token)
    database = Database(settings.database_url, **serving(settings))
    # Over PostgreSQL any number of processes may share the work; with SQLite each would have a log of its own.
    with telling_at(settings) as telling, only_one(app_token) if database.is_sqlite else nullcontext():
        await reached(settings.database_url, say)
        await bring_up_to_date(settings.database_url)
        slack = Slack(bot_token=_secret(settings.slack_bot_token), api_url=settings.slack_api_url)
        async with (
            socket_mode(database, slack, app_token, access=_access(settings, database)) as running,
            operated(telling, database, say, running.steward.deadline, running.problem),
        ):
            say(f"Steward is running in {running.name}. Data: {address(settings.database_url)}. Ctrl+C stops it.")
            await running.stopped(say)


async def with_sandbox(settings: Settings, keep: Path | None, say: Say, *, optional_scopes: bool = True) -> None:
    """`run` without tokens: a Slack workspace in the browser and Steward in it, in this process."""
    with telling_at(settings) as telling, _data_folder(keep) as folder:
        url = f"sqlite:///{folder / 'steward.db'}"
        async with _sandbox(settings, manifest(), keep, optional_scopes=optional_scopes) as sandbox:
            await bring_up_to_date(url)
            database, slack = Database(url), Slack(bot_token=sandbox.bot_token, api_url=sandbox.api_url)
            async with (
                socket_mode(database, slack, sandbox.app_token, clock=sandbox.clock) as running,
                operated(telling, database, say, running.steward.deadline, running.problem),
            ):
                sandbox.on_advance(running.advanced)
                for line in _welcome(sandbox.url, keep, ignores_database="database_url" in settings.model_fields_set):
                    say(line)
                await running.stopped(say)


async def sandbox_alone(
    settings: Settings,
    described: dict[str, Any],
    keep: Path | None,
    request_url: str | None,
    say: Say,
    **options: Any,
) -> None:
    """The stand-in workspace for any Slack app. `options` are those of a Sandbox."""
    async with _sandbox(settings, described, keep, request_url, **options) as sandbox:
        say(f"A Slack workspace on this machine: {sandbox.url}")
        say(f"  SLACK_API_URL={sandbox.api_url}")
        if sandbox.bot_token:
            say(f"  SLACK_BOT_TOKEN={sandbox.bot_token}")
        say(f"  SLACK_APP_TOKEN={sandbox.app_token}")
        say(f"  SLACK_SIGNING_SECRET={sandbox.signing_secret}")
        say("For an app that gets its tokens by OAuth, in place of a bot token:")
        say(f"  SLACK_CLIENT_ID={sandbox.client_id}")
        say(f"  SLACK_CLIENT_SECRET={sandbox.client_secret}")
        say("Start your app with these. Ctrl+C stops the workspace.")
        await _stopped(say)


async def web_process(settings: Settings, say: Say, *, start_seconds: float = START_SECONDS) -> None:
    """`web`: Slack's requests over HTTP; sends what it committed."""
    secret = _secret(settings.slack_signing_secret)
    slack = Slack(_secret(settings.slack_bot_token), settings.slack_api_url, secret)
    with listener(settings.host, settings.port) as listening, telling_at(settings) as telling:
        await reached(settings.database_url, say, start_seconds)
        async with migrated_database(settings.database_url, **serving(settings)) as database:
            access = _access(settings, database)
            steward = Steward(database, slack, access=access)
            # There is no sender here that looks by itself.
            steward.committed = steward.sender.begin
            try:
                await steward.open()
                address = f"http://{settings.host}:{listening.getsockname()[1]}"
                say(f"Steward answers {await _names(steward)} at {address}/slack/events")
                pages = _pages(settings, database, access, say)
                async with operated(telling, database, say, steward.deadline):
                    application = web.application(steward.bolt, database, secret, pages=pages)
                    await web.serve(application, listening, steward.deadline)
            finally:
                await steward.stop()


async def worker_process(settings: Settings, say: Say, *, start_seconds: float = START_SECONDS) -> None:
    """`worker`: the ticker and the sender."""
    slack = Slack(_secret(settings.slack_bot_token), settings.slack_api_url)
    with telling_at(settings) as telling:
        await reached(settings.database_url, say, start_seconds)
        async with migrated_database(settings.database_url, **serving(settings), wait_ms=WORKER_WAIT_MS) as database:
            steward = Steward(database, slack, access=_access(settings, database))
            try:
                await steward.open()
                steward.runner.start()
                steward.keep("sender", steward.sender.run)
                steward.keep("refreshing", steward.keep_fresh)
                steward.keep("watching", steward.access.watch)
                async with operated(telling, database, say, steward.deadline):
                    say(f"Steward's worker reminds {await _names(steward)}.")
                    await _stopped(say, steward.runner.stuck())
            finally:
                await steward.stop()


class Running:
    """A Steward with everything going, over Socket Mode."""

    def __init__(self, steward: Steward, name: str, door: "SocketMode | None" = None) -> None:
        self.steward = steward
        self.name = name
        self._door = door

    async def stopped(self, say: Say) -> None:
        """Wait for the cancellation that ends the program. Raises DoorStuck or ClockStuck when only a new one helps."""
        watches = (self.steward.runner.stuck(), *([self._door.stuck()] if self._door else ()))
        await _stopped(say, *watches)

    async def problem(self) -> str | None:
        """What keeps people from reaching us, or None."""
        return None if self._door is None or self._door.is_connected else "Slack is out of reach"

    async def advanced(self, now: datetime) -> datetime:
        """Do what became due at a step of a clock that is moved by hand, and see it out; when to come back."""
        await self.steward.runner.tick()
        await self.steward.sender.drain()
        await self.steward.settle_homes()
        return await self.steward.runner.next_due() or datetime.max.replace(tzinfo=UTC)


@asynccontextmanager
async def socket_mode(
    database: Database,
    slack: Slack,
    app_token: str,
    *,
    access: Access | None = None,
    clock: Clock | None = None,
    pace_seconds: float = PACE_SECONDS,
    patience_seconds: float = PATIENCE_SECONDS,
    settle: timedelta | None = None,
) -> AsyncIterator[Running]:
    """A Steward that is connected, ticks and sends. Raises SlackError when Slack refuses."""
    from bot.socket_mode import SocketMode  # needed nowhere else

    steward = Steward(
        database,
        slack,
        access=access,
        clock=clock,
        pace_seconds=pace_seconds,
        patience_seconds=patience_seconds,
        settle=settle,
    )
    async with AsyncExitStack() as leaving:
        leaving.push_async_callback(steward.stop)
        await steward.open()
        steward.keep("refreshing", steward.keep_fresh)
        steward.keep("watching", steward.access.watch)
        with suppress(TimeoutError):
            async with asyncio.timeout(WARM_SECONDS):
                await steward.warmed()
        door = SocketMode(steward.bolt, app_token=app_token, api_url=slack.api_url, warn_of_others=database.is_sqlite)
        leaving.push_async_callback(door.close, steward.deadline)
        await door.open()
        steward.runner.start()
        steward.keep("sender", steward.sender.run)
        yield Running(steward, await _names(steward), door)


@contextmanager
def telling_at(settings: Settings) -> Iterator[socket.socket | None]:
    """The socket to tell at how the process is, had before anything else begins; None where none is wished for.

    Raises CannotStart.
    """
    if settings.metrics_port is None:
        yield None
        return
    with listener(settings.metrics_host, settings.metrics_port, names="METRICS_HOST and METRICS_PORT") as telling:
        yield telling


@asynccontextmanager
async def operated(
    telling: socket.socket | None,
    database: Database,
    say: Say,
    deadline: Deadline,
    also: operation.Problem | None = None,
) -> AsyncIterator[None]:
    """Meanwhile tell there, if anywhere, how the process is; `also` must find nothing wrong."""
    if telling is None:
        yield
        return

    async def ready() -> str | None:
        return await operation.ready_problem(database) or (await also() if also else None)

    host, port = telling.getsockname()[:2]
    say(f"How it is: http://{host}:{port}/metrics, /healthz and /readyz")
    serving = web.serve(operation.application(database, ready), telling, deadline)
    answering = asyncio.create_task(serving, name="operation")
    try:
        yield
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


@contextmanager
def only_one(app_token: str) -> Iterator[None]:
    """Hold the machine's lock for this Slack app. Raises CannotStart when another process here has it."""
    refusal = (
        "Another Steward on this machine is connected to the same Slack app. Stop it first; for several processes "
        "use `steward web` and `steward worker` over PostgreSQL."
    )
    with _held(app_token, refusal):
        yield


@contextmanager
def _held(what: str, refusal: str) -> Iterator[None]:
    """Hold the machine's lock for that. Raises CannotStart with the refusal when another process of ours has it."""
    from filelock import FileLock, Timeout  # only `run` and the sandbox hold one

    digest = hashlib.sha256(what.encode()).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"steward-{os.getuid()}-{digest}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CannotStart(refusal) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def listener(host: str, port: int, *, names: str = "HOST and PORT") -> Iterator[socket.socket]:
    """A socket bound to the address, closed at the end. Raises CannotStart when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on, which holds each answer back for some 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
            bound.listen(128)
        except OSError as error:
            raise CannotStart(
                f"{host}:{port} cannot be used: {error.strerror}. Choose another address with {names}; "
                f"{names.split()[-1]}=0 takes any free port."
            ) from None
        yield bound


@asynccontextmanager
async def _sandbox(
    settings: Settings,
    described: dict[str, Any],
    keep: Path | None,
    request_url: str | None = None,
    **options: Any,
) -> AsyncIterator["Sandbox"]:
    """The stand-in at the settings' address; `options` are its own. Raises CannotStart when that cannot be."""
    from sandbox import Sandbox, SandboxError  # not needed beside real Slack

    with listener(settings.host, settings.port):
        pass  # asked first, for a sentence that names our settings
    async with AsyncExitStack() as leaving:
        try:
            sandbox = Sandbox(
                described,
                host=settings.host,
                port=settings.port,
                keep=keep,
                request_url=request_url,
                **options,
            )
            await leaving.enter_async_context(sandbox)
        except SandboxError as error:
            raise CannotStart(str(error)) from None
        yield sandbox


def _access(settings: Settings, database: Database) -> Access:
    """Whom the settings say to serve."""
    if not settings.serves_installed:
        return OneWorkspace(database, _secret(settings.slack_bot_token), settings.slack_api_url)
    from bot.granting import slack_as_app  # with these comes OpenSSL
    from bot.installed import InstalledWorkspaces
    from bot.sealing import Seal

    as_app = slack_as_app(settings.slack_client_id or "", _secret(settings.slack_client_secret), settings.slack_api_url)
    as_bot = partial(SlackWebApi, base_url=settings.slack_api_url)
    return InstalledWorkspaces(database, Seal(settings.encryption_keys), as_app, as_bot)


def _pages(settings: Settings, database: Database, access: Access, say: Say) -> Sequence[Route]:
    """The pages for installing, where the settings say that people install Steward."""
    if not settings.serves_installed:
        return ()
    from bot.installed import InstalledWorkspaces
    from bot.oauth import INSTALL, Installing

    assert isinstance(access, InstalledWorkspaces)
    say(f"People install it at {settings.public_url}{INSTALL}")
    return Installing(
        database,
        access,
        client_id=settings.slack_client_id or "",
        public_url=settings.public_url or "",
        authorize_url=settings.authorize_url,
    ).routes()


async def _names(steward: Steward) -> str:
    """Whom it serves, for whoever started it."""
    names = [workspace.name for workspace in await steward.access.workspaces()]
    return names[0] if len(names) == 1 else f"{len(names)} workspaces" if names else "no workspace yet"


async def _stopped(say: Say, *watches: Coroutine[Any, Any, NoReturn]) -> None:
    """Wait for the cancellation that ends the program. Raises what the first watch does: only a new process helps then.

    Meanwhile that is told, and this one ends within ten seconds.
    """
    watching: list[asyncio.Future[Any]] = [
        asyncio.ensure_future(watch) for watch in watches or (asyncio.Event().wait(),)
    ]
    try:
        done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
        end_soon()
        await done.pop()
    finally:
        say("Stopping …")
        for watch in watching:
            watch.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


@contextmanager
def _data_folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="steward-") as folder:
            yield Path(folder)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"{keep} cannot be used as a folder for the data: {error.strerror}.") from None
    with _held(
        str(keep.resolve()), f"Another Steward keeps its data in {keep}. Stop it first, or name another folder."
    ):
        yield keep


def _welcome(url: str, keep: Path | None, *, ignores_database: bool) -> list[str]:
    ignored = ["  Note    DATABASE_URL is for real Slack; the sandbox does not open it"] if ignores_database else []
    kept = f"kept in {keep}" if keep else "forgotten when you stop it (keep it: make run ARGS='--keep data')"
    return [
        "",
        "Steward is running in a Slack workspace on this machine. Open it in your browser:",
        "",
        f"    {url}",
        "",
        "  Try     /action Send the firewall diagram @ben by friday 3pm !high",
        f"  Data    {kept}",
        *ignored,
        "  Real    put SLACK_BOT_TOKEN and SLACK_APP_TOKEN into .env and run this again; README.md shows how",
        "  Stop    Ctrl+C",
        "",
    ]


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
