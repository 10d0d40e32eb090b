"""An organisation, as a program uses it: the app in all its workspaces."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox import installing
from sandbox.core import Core
from sandbox.errors import SandboxError
from sandbox.organisation import Organisation
from sandbox.workspaces import Workspaces


class Enterprise:
    """An organisation of the sandbox."""

    def __init__(self, organisation: Organisation, workspaces: Workspaces) -> None:
        self._organisation = organisation
        self._workspaces = workspaces

    @property
    def id(self) -> str:
        return self._organisation.id

    @property
    def is_installed(self) -> bool:
        return self._organisation.installation.active

    @property
    def bot_token(self) -> str:
        """The newest token of its installation; empty where there never was one."""
        return self._organisation.installation.token

    @property
    def granted(self) -> list[str]:
        """The ids of the workspaces in which its installation may be used."""
        return list(self._organisation.granted)

    def install(self, scopes: Iterable[str] | None = None) -> str:
        """Install the app for all workspaces without asking anybody; the token. It may be used in none of them yet."""
        core = self._core(self._organisation.teams[0])
        granted = core.app.scopes_asked if scopes is None else scopes
        owner = next(user for user in core.workspace.users.values() if user.is_owner)
        return installing.install_everywhere(core, granted, owner.id).secret

    async def grant(self, *workspaces: str, told: bool = True) -> None:
        """Let its installation be used in these workspaces; the app hears of it, unless not `told`.

        Raises SandboxError.
        """
        cores = [self._core(which) for which in workspaces]
        installing.grant_access(self._organisation, cores, told=told)
        await cores[0].courier.idle()

    async def withdraw(self, *workspaces: str, told: bool = True) -> None:
        """Let its installation not be used in these workspaces any more; as `grant`."""
        cores = [self._core(which) for which in workspaces]
        installing.withdraw_access(self._organisation, cores, told=told)
        await cores[0].courier.idle()

    async def uninstall(self, *, uninstalled_first: bool = False) -> None:
        """Remove its installation; workspaces that have one of their own keep that."""
        cores = [self._core(team) for team in self._organisation.teams]
        installing.uninstall(self._organisation.installation, cores, uninstalled_first=uninstalled_first)
        await cores[0].courier.idle()

    def _core(self, which: str) -> Core:
        core = self._workspaces.named(which)
        if core is None or core.organisation is not self._organisation:
            raise SandboxError(f"There is no workspace called {which} in {self._organisation.name}.")
        return core
