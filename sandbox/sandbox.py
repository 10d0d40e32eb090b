"""Slack workspaces on one's own machine, from start to end."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from sandbox.calls import Call, Delivery
from sandbox.clock import Clock, OnAdvance, next_monday, next_morning, wall_time
from sandbox.core import Core
from sandbox.delivery import Courier, Transport
from sandbox.enterprise import Enterprise
from sandbox.errors import SandboxError
from sandbox.faults import Drop, Fault
from sandbox.installation import Installation, without_scopes
from sandbox.keep import Keeper, Kept
from sandbox.live import Live
from sandbox.manifest import App, Credentials, read_app
from sandbox.organisation import Organisation
from sandbox.rate_limits import RateLimits
from sandbox.request_url import RequestUrl
from sandbox.security import is_loopback
from sandbox.seed import bot_of, bot_of_all, fresh_workspace, further_workspace, seat
from sandbox.server import Listening
from sandbox.socket_mode import SocketMode
from sandbox.team import Team
from sandbox.tickets import Tickets
from sandbox.timing import Timing
from sandbox.workspace import Workspace
from sandbox.workspaces import Workspaces

log = logging.getLogger(__name__)

CLOCK_NEWS_SECONDS = 0.25


class Sandbox(Team):
    """A stand-in workspace with one app installed. Use it with `async with`.

    Over Socket Mode, or over signed HTTP when `request_url` (or the manifest) names where to post. With `keep` the
    workspace is saved in that directory and found again there. Without `optional_scopes` whoever installed the app left
    out what it asks for as optional; with `installed` off nobody has installed it yet. There may be further workspaces,
    by name; the app is installed in them by its OAuth flow. All of them belong to an `organisation` when one is named.
    Raises SandboxError when it cannot start.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        request_url: str | None = None,
        keep: Path | None = None,
        rate_limits: bool = True,
        timing: Timing | None = None,
        optional_scopes: bool = True,
        installed: bool = True,
        workspaces: Iterable[str] = (),
        organisation: str | None = None,
    ) -> None:
        timing = timing or Timing()
        self._registered = read_app(manifest, request_url, optional_scopes=optional_scopes)
        self._keeper = Keeper(keep) if keep is not None else None
        kept = (self._keeper.load(self._registered) if self._keeper else None) or _fresh(self._registered, installed)
        self.clock = Clock(kept.offset)
        transport = _transport(self._registered, kept.credentials, timing)
        courier = Courier(transport, timing, self.clock.now, lambda: None)
        self._teams: list[Team] = [self]
        (workspace, installation), *further = kept.places
        super().__init__(
            Core(
                workspace,
                installation,
                kept.credentials,
                self.clock,
                timing,
                courier,
                Tickets(timing),
                RateLimits(rate_limits),
                be_unreachable=self.unreachable,
            )
        )
        self._workspaces = Workspaces([self._core])
        for workspace, installation in further:
            self._add(workspace, installation)
        for above in kept.organisations:
            self._rule(above)
        for core in self._workspaces:
            if core.installed:
                seat(core.workspace, core.app)
        courier.on_delivery = lambda: self._workspaces.tell("call")
        if isinstance(transport, SocketMode):
            transport.on_change = lambda: self._workspaces.tell("boot")
        self._clock_told_at = 0.0
        self._address = (host, port)
        self._server: Listening | None = None
        self._saving: asyncio.TimerHandle | None = None
        for name in workspaces:
            if self._workspaces.named(name) is None:
                self.add_workspace(name)
        if organisation is not None and not self._workspaces.organisations:
            self.organise(organisation)

    # ---- life -----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Sandbox:
        host, port = self._address
        if not is_loopback(host):
            log.warning(
                "The sandbox listens on %s, not only on this machine. It has no log-in: everyone who reaches it can "
                "act as anybody in it.",
                host,
            )
        self._server = Listening(self._workspaces, host, port)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host
        for core in self._workspaces:
            core.base_url = f"http://{shown}:{self._server.port}"
            if self._keeper is not None:
                core.live.on_change = self._save_soon
        self.clock.on_step = self._clock_moved
        self.clock.on_arrival = lambda: self._workspaces.tell("clock")
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for core in self._workspaces:
            core.live.close()
        await self._core.courier.close()
        if self._server is not None:
            await self._server.stop()
        if self._keeper is not None:
            if self._saving is not None:
                self._saving.cancel()
            self._save()

    def _save_soon(self) -> None:
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(self._core.timing.save, self._save)

    def _save(self) -> None:
        self._saving = None
        if self._keeper is not None:
            self._keeper.save(self._workspaces)

    # ---- where it is ----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The page."""
        return self._core.base_url

    @property
    def api_url(self) -> str:
        """What an app's client takes for Slack's Web API."""
        return f"{self._core.base_url}/api/"

    @property
    def authorize_url(self) -> str:
        """Where an app sends whoever is to install it: Slack's authorisation page."""
        return f"{self._core.base_url}/oauth/v2/authorize"

    @property
    def app_token(self) -> str:
        return self._core.credentials.app_token

    @property
    def signing_secret(self) -> str:
        return self._core.credentials.signing_secret

    @property
    def client_id(self) -> str:
        return self._core.credentials.client_id

    @property
    def client_secret(self) -> str:
        return self._core.credentials.client_secret

    # ---- workspaces -----------------------------------------------------------------------------------------------

    @property
    def workspaces(self) -> list[Team]:
        """All there are; the first is the sandbox itself."""
        return list(self._teams)

    def workspace_named(self, which: str) -> Team:
        """A workspace by name or id. Raises SandboxError."""
        core = self._workspaces.named(which)
        if core is None:
            raise SandboxError(f"There is no workspace called {which}.")
        return next(team for team in self._teams if team.team_id == core.workspace.id)

    def add_workspace(self, name: str) -> Team:
        """Another workspace, with people of its own and without the app. Raises SandboxError when the name is taken."""
        if not re.search(r"[a-z0-9]", name.lower()):
            raise SandboxError("A workspace needs a name with letters or digits.")
        number = len(self._teams) + 1
        workspace = further_workspace(name, number, self.clock.now())
        if self._workspaces.named(name) or self._workspaces.named(workspace.domain):
            raise SandboxError(f"There is already a workspace called {name}.")
        team = self._add(workspace, Installation(without_scopes(bot_of(self._registered, number))))
        self._workspaces.tell("boot")
        return team

    def organise(self, name: str, *members: str) -> Enterprise:
        """Put workspaces under one roof; all there are, unless some are named. Raises SandboxError."""
        teams = [self.workspace_named(which).team_id for which in members] or [team.team_id for team in self._teams]
        if taken := [
            core.workspace.name for core in self._workspaces if core.organisation and core.workspace.id in teams
        ]:
            raise SandboxError(f"{', '.join(taken)} already belongs to an organisation.")
        number = len(self._workspaces.organisations) + 1
        installation = Installation(without_scopes(bot_of_all(self._registered, number)))
        return self._rule(Organisation(f"E{number:08d}OR", name, installation, teams))

    def _rule(self, above: Organisation) -> Enterprise:
        for core in self._workspaces:
            if core.workspace.id in above.teams:
                core.organisation = above
        self._workspaces.tell("boot")
        return Enterprise(above, self._workspaces)

    @property
    def organisations(self) -> list[Enterprise]:
        return [Enterprise(above, self._workspaces) for above in self._workspaces.organisations]

    def _add(self, workspace: Workspace, installation: Installation) -> Team:
        core = replace(
            self._core,
            workspace=workspace,
            own=installation,
            organisation=None,
            tickets=Tickets(self._core.timing),
            rate_limits=RateLimits(self.rate_limits),
            live=Live(self._core.live.on_change),
        )
        self._workspaces.cores.append(core)
        self._teams.append(Team(core))
        return self._teams[-1]

    # ---- time -----------------------------------------------------------------------------------------------------

    def on_advance(self, callback: OnAdvance) -> None:
        """Await `callback(now)` at each step of a clock move; see Clock.on_advance."""
        self.clock.on_advance(callback)

    async def advance(self, by: timedelta) -> None:
        """Move the clock forward. Raises ValueError (a SandboxError) when that is backwards."""
        await self.clock.advance(by)

    async def advance_to(self, instant: datetime) -> None:
        await self.clock.advance_to(instant)

    async def next_morning(self, who: str) -> None:
        """Move to the next 09:00 of a person, strictly later than now."""
        await self.clock.advance_to(next_morning(self.clock.now(), self.person(who).user.tz))

    async def next_monday(self, who: str) -> None:
        """Move to the next Monday 09:00 of a person."""
        await self.clock.advance_to(next_monday(self.clock.now(), self.person(who).user.tz))

    def _clock_moved(self) -> None:
        """Let pages follow a long move, but not redraw at every quarter of an hour of a month."""
        if time.monotonic() - self._clock_told_at > CLOCK_NEWS_SECONDS:
            self._clock_told_at = time.monotonic()
            self._workspaces.tell("clock")

    # ---- the app's side -------------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[Call]:
        """Web API calls of the app, oldest first."""
        return self._core.calls.entries

    @property
    def deliveries(self) -> list[Delivery]:
        """What was sent to the app, oldest first."""
        return self._core.courier.log.entries

    @property
    def connections(self) -> int:
        """Socket Mode connections of the app that take envelopes: neither silent nor asked to come back as another."""
        transport = self._core.courier.transport
        open_ones = transport.connections if isinstance(transport, SocketMode) else ()
        return sum(not (connection.retiring or connection.silent) for connection in open_ones)

    @property
    def rate_limits(self) -> bool:
        """Are calls refused when they come too fast? May be set."""
        return self._core.rate_limits.on

    @rate_limits.setter
    def rate_limits(self, on: bool) -> None:
        for core in self._workspaces:
            core.rate_limits.on = on

    def fail(
        self,
        method: str,
        *,
        error: str | None = None,
        status: int | None = None,
        drop: Drop | None = None,
        hang: float | None = None,
        retry_after: int | None = None,
        times: int = 1,
        channel: str | None = None,
    ) -> None:
        """Let the next `times` calls of a method go wrong: an error code, an HTTP status, a connection cut before or
        after the work is done, an answer that takes `hang` seconds, or a rate limit."""
        found = self.workspace.find_channel(channel) if channel else None
        place = found.id if found else channel
        self._core.faults.ordered.append(Fault(method, error, status, drop, hang, retry_after, times, place))

    @asynccontextmanager
    async def out_of_reach(self) -> AsyncIterator[None]:
        """Meanwhile every connection is refused, as of a network that is down; those that are open are cut."""
        assert self._server is not None
        port = self._server.port
        await self._server.stop()
        try:
            yield
        finally:
            self._server = Listening(self._workspaces, self._address[0], port)
            await self._server.start()

    async def unreachable(self, seconds: float) -> None:
        """Be out of reach for a while."""
        async with self.out_of_reach():
            await asyncio.sleep(seconds)

    async def idle(self) -> None:
        """Return when nothing is on its way to the app (retries that wait for their minute are not)."""
        await self._core.courier.idle()

    async def redeliver(self, delivery: Delivery) -> str:
        """Send one of `deliveries` to the app again, as can happen with Slack; how it was received."""
        ack = await self._core.courier.again(delivery)
        return ack.error or str(ack.status)

    async def refresh_connections(self) -> None:
        """Ask the app to come back with new Socket Mode connections, as Slack does every few hours."""
        transport = self._core.courier.transport
        if isinstance(transport, SocketMode):
            await transport.refresh()

    def silence_connections(self) -> None:
        """Let every Socket Mode connection of the app go silent without being closed, as of a network that is gone."""
        transport = self._core.courier.transport
        if isinstance(transport, SocketMode):
            for connection in transport.connections:
                connection.fall_silent()

    async def verify_request_url(self) -> bool:
        """Does the app's request URL answer Slack's challenge?"""
        transport = self._core.courier.transport
        if not isinstance(transport, RequestUrl):
            raise SandboxError("The app uses Socket Mode; it has no request URL.")
        token = self._core.credentials.verification_token
        challenge = {"token": token, "challenge": secrets.token_urlsafe(24), "type": "url_verification"}
        return await transport.verify(challenge, self._core.timing.acknowledge)


def _fresh(app: App, installed: bool) -> Kept:
    """The workspace everyone starts in, and new secrets."""
    installation = Installation(without_scopes(app))
    if installed:
        installation.grant(app.scopes, "", 0)
    workspace = fresh_workspace(app, wall_time(), with_app=installed)
    return Kept([(workspace, installation)], [], Credentials.fresh(), timedelta(0))


def _transport(app: App, credentials: Credentials, timing: Timing) -> Transport:
    urls = app.urls
    by_http = urls.events or urls.interactivity or urls.commands or any(command.url for command in app.commands)
    return RequestUrl(app, credentials) if by_http else SocketMode(app.id, timing)
