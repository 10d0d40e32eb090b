"""What every part of a running workspace shares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sandbox.calls import Call, Log
from sandbox.clock import Clock
from sandbox.delivery import Courier
from sandbox.errors import SandboxError
from sandbox.faults import Faults
from sandbox.installation import Installation
from sandbox.live import Live
from sandbox.manifest import App, Credentials
from sandbox.organisation import Organisation
from sandbox.rate_limits import RateLimits
from sandbox.tickets import Tickets
from sandbox.timing import Timing
from sandbox.workspace import Channel, Json, User, Workspace

# Codes of installations under way, each good once.
Codes: TypeAlias = dict[str, "Code"]


@dataclass(frozen=True)
class Code:
    """Somebody allowed the app; whoever holds the code and the app's secret gets its token. `ends` is Unix seconds."""

    core: Core
    user: str
    scopes: tuple[str, ...]
    user_scopes: tuple[str, ...]
    redirect_uri: str
    ends: int
    everywhere: bool


@dataclass
class Core:
    """One workspace with one app: the state, the clock, and the ways in and out.

    What belongs to the app and to the computer is the same object in every workspace of a sandbox.
    """

    workspace: Workspace
    own: Installation
    credentials: Credentials
    clock: Clock
    timing: Timing
    courier: Courier
    tickets: Tickets
    rate_limits: RateLimits
    live: Live = field(default_factory=Live)
    faults: Faults = field(default_factory=Faults)
    calls: Log[Call] = field(default_factory=Log)
    codes: Codes = field(default_factory=dict)
    be_unreachable: Callable[[float], Coroutine[Any, Any, None]] | None = None
    outage: asyncio.Task[None] | None = None
    base_url: str = ""
    organisation: Organisation | None = None

    @property
    def installation(self) -> Installation:
        """The one in effect here: the workspace's own, or else that of its organisation where it may be used."""
        above = self.organisation
        if not self.own.active and above is not None and above.reaches(self.workspace.id):
            return above.installation
        return self.own

    @property
    def is_from_above(self) -> bool:
        """Is the app here by the installation of the organisation?"""
        return self.installation is not self.own

    @property
    def app(self) -> App:
        """The app as it is installed here."""
        return self.installation.app

    @property
    def installed(self) -> bool:
        return self.installation.active

    @property
    def bot(self) -> User:
        return self.workspace.users[self.app.bot_user_id]

    def require_app(self) -> None:
        """Raises SandboxError where the app is not installed."""
        if not self.installed:
            raise SandboxError(f"{self.app.name} is not installed in {self.workspace.name}.")

    def new_ts(self) -> str:
        return self.workspace.new_ts(self.clock.now())

    def epoch(self) -> int:
        """The workspace's time in whole seconds."""
        return int(self.clock.now().timestamp())

    def app_is_in(self, channel: Channel) -> bool:
        return self.app.bot_user_id in channel.members

    def team(self) -> Json:
        above = self.organisation
        more = {"enterprise_id": above.id, "enterprise_name": above.name} if above else {}
        return {"id": self.workspace.id, "domain": self.workspace.domain, **more}

    def knows(self, name: str) -> bool:
        """Is this the id of a person, conversation, file, view or trigger here?"""
        state = self.workspace
        found = (name in ids for ids in (state.users, state.channels, state.files, self.tickets.triggers))
        return any(found) or any(name in (view.id, view.body["external_id"]) for view in state.views())

    def permalink(self, channel: Channel, message: Json) -> str:
        """An address that opens the message in the sandbox's page."""
        link = f"{self.base_url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
        thread_ts = message.get("thread_ts")
        if thread_ts and thread_ts != message["ts"]:
            link += f"?thread_ts={thread_ts}&cid={channel.id}"
        return link
