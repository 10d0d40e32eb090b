"""One workspace, as a program uses it: its people, its conversations, and the app in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox import installing, membership
from sandbox.core import Core
from sandbox.driver import Driver
from sandbox.errors import SandboxError
from sandbox.events import user_event
from sandbox.manifest import App
from sandbox.workspace import Channel, User, Workspace, new_id


class Team:
    """A workspace of the sandbox. Everything done here is told to the app only if it is installed here."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._drivers: dict[str, Driver] = {}

    @property
    def team_id(self) -> str:
        return self._core.workspace.id

    @property
    def workspace(self) -> Workspace:
        """The state itself, for a closer look."""
        return self._core.workspace

    # ---- the app --------------------------------------------------------------------------------------------------

    @property
    def app(self) -> App:
        """The app as its manifest describes it, with the scopes it was granted here."""
        return self._core.app

    @property
    def is_installed(self) -> bool:
        return self._core.installed

    @property
    def bot_token(self) -> str:
        """The app's newest token here; empty where it was never installed."""
        return self._core.installation.token

    @property
    def bot_user_id(self) -> str:
        return self._core.app.bot_user_id

    def install(self, scopes: Iterable[str] | None = None) -> str:
        """Install the app without asking anybody; its new token. With all it asks for, unless scopes are named."""
        granted = self._core.app.scopes_asked if scopes is None else scopes
        owner = next(user for user in self.workspace.users.values() if user.is_owner)
        return installing.install(self._core, granted, owner.id).secret

    async def uninstall(self, *, uninstalled_first: bool = False, told: bool = True) -> None:
        """Remove the app from the workspace: it is told, and its tokens are no longer good.

        Slack tells of the tokens and of the end in any order, and not `told`, when the app was away for longer than
        Slack resends. What an organisation installed stays.
        """
        installing.uninstall(self._core.own, [self._core], uninstalled_first=uninstalled_first, told=told)
        await self._core.courier.idle()

    # ---- people ---------------------------------------------------------------------------------------------------

    def person(self, who: str) -> Driver:
        """A person of the workspace by name or id, to be driven by a program."""
        user = self.workspace.find_user(who)
        if user is None:
            raise SandboxError(f"There is nobody called {who} in {self.workspace.name}.")
        if user.id not in self._drivers:
            self._drivers[user.id] = Driver(self._core, user)
        return self._drivers[user.id]

    def add_person(self, name: str, real_name: str, tz: str = "Europe/London") -> Driver:
        """A new full member, who is in #general; the app hears of them."""
        if self.workspace.find_user(name):
            raise SandboxError(f"There is already somebody called {name}.")
        user = User(new_id("U"), name, real_name, tz, "2b6836", f"{name}@{self.workspace.domain}.example")
        user.updated = self._core.epoch()
        self.workspace.users[user.id] = user
        user_event(self._core, user, "team_join")
        general = next(channel for channel in self.workspace.channels.values() if channel.is_general)
        membership.join(self._core, general, user.id)
        return self.person(user.id)

    def share(self, channel: str, other: Team, *people: str) -> None:
        """Share a channel with another workspace (Slack Connect); these people of it come in. The app hears of it.

        Here `person` gives them as they are in this channel; at home they go on being who they are there.
        """
        membership.share(self._core, self._channel(channel), other.workspace, people)

    def unshare(self, channel: str, other: Team) -> None:
        """Share the channel with the other workspace no longer."""
        membership.unshare(self._core, self._channel(channel), other.workspace)

    def _channel(self, which: str) -> Channel:
        channel = self.workspace.find_channel(which)
        if channel is None:
            raise SandboxError(f"There is no channel {which} in {self.workspace.name}.")
        return channel

    def change_person(self, who: str, **changes: Any) -> None:
        """Change fields of a person (`tz`, `real_name`, `deleted`, `is_restricted` ...); the app hears of it."""
        user = self.person(who).user
        for name, value in changes.items():
            if not hasattr(user, name) or name == "id":
                raise SandboxError(f"A person has no {name} to change.")
            setattr(user, name, value)
        user.updated = self._core.epoch()
        user_event(self._core, user)
        self._core.live.everyone("boot")
