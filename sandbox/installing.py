"""What happens in a workspace when the app is installed there, and when it goes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sandbox.core import Core
from sandbox.errors import SandboxError
from sandbox.events import emit, emit_to_organisation
from sandbox.installation import Installation, Token
from sandbox.organisation import Organisation
from sandbox.seed import seat
from sandbox.workspace import Json


def install(core: Core, scopes: Iterable[str], by: str) -> Token:
    """Install the app in one workspace, or install it again; its new token."""
    token = core.own.grant(scopes, by, core.epoch())
    seat(core.workspace, core.app)
    core.live.everyone("boot")
    return token


def install_everywhere(core: Core, scopes: Iterable[str], by: str) -> Token:
    """Install the app in the organisation of this workspace, or install it again. Where it is used is granted apart."""
    organisation = organisation_of(core)
    if not organisation.installation.active:
        organisation.granted.clear()
    token = organisation.installation.grant(scopes, by, core.epoch())
    core.live.everyone("boot")
    return token


def user_token() -> str:
    """A token to act as a person. The sandbox gives it as Slack does, and refuses every call with it."""
    return f"xoxp-{secrets.token_hex(24)}"


def revoke(installation: Installation, token: Token, cores: list[Core]) -> None:
    """Take one token back. With the last good one the app is uninstalled, as in Slack."""
    now = cores[0].epoch()
    if any(not other.fault(now) for other in installation.tokens if other is not token):
        _tell(installation, cores[0], _revoked(installation))
        token.over = "token_revoked"
    else:
        uninstall(installation, cores)


def uninstall(
    installation: Installation, cores: list[Core], *, uninstalled_first: bool = False, told: bool = True
) -> None:
    """End an installation in all its workspaces: the app is told, its tokens end, its bot user leaves.

    Not `told` is as when the app was away for longer than Slack resends. Raises SandboxError when there is none.
    """
    if not installation.active:
        raise SandboxError(f"There is no installation of {installation.app.name} to end.")
    news = [_revoked(installation), {"type": "app_uninstalled"}]
    for event in (reversed(news) if uninstalled_first else news) if told else ():
        _tell(installation, cores[0], event)
    used = [core for core in cores if core.installation is installation]
    installation.end()
    for core in used:
        _leave(core, installation.app.bot_user_id)


def grant_access(organisation: Organisation, cores: list[Core], *, told: bool = True) -> None:
    """Let the organisation's installation be used in these workspaces. Raises SandboxError when that cannot be.

    Not `told` is as in `uninstall`.
    """
    app = organisation.installation.app
    if not organisation.installation.active:
        raise SandboxError(f"{app.name} is not installed in {organisation.name}.")
    if known := [core.workspace.name for core in cores if organisation.reaches(core.workspace.id)]:
        raise SandboxError(f"{app.name} may already be used in {', '.join(known)}.")
    for core in cores:
        organisation.granted.append(core.workspace.id)
        seat(core.workspace, app)
        core.live.everyone("boot")
    if told:
        _tell_access(organisation, cores, "team_access_granted")


def withdraw_access(organisation: Organisation, cores: list[Core], *, told: bool = True) -> None:
    """Let the organisation's installation not be used in these workspaces any more; as above."""
    app = organisation.installation.app
    if unknown := [core.workspace.name for core in cores if not organisation.reaches(core.workspace.id)]:
        raise SandboxError(f"What {organisation.name} installed is not used in {', '.join(unknown)}.")
    for core in cores:
        organisation.granted.remove(core.workspace.id)
        _leave(core, app.bot_user_id)
    if told:
        _tell_access(organisation, cores, "team_access_revoked")


def organisation_of(core: Core) -> Organisation:
    """Raises SandboxError where the workspace is in none."""
    if core.organisation is None:
        raise SandboxError(f"{core.workspace.name} belongs to no organisation.")
    return core.organisation


def _leave(core: Core, bot: str) -> None:
    """The bot user goes, with all it showed; what it said stays."""
    workspace = core.workspace
    workspace.users[bot].deleted = True
    for channel in workspace.channels_of(bot):
        if not channel.is_direct:
            channel.members.remove(bot)
    workspace.homes.clear()
    workspace.modals.clear()
    core.live.everyone("boot")


def _revoked(installation: Installation) -> Json:
    return {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [installation.app.bot_user_id]}}


def _tell(installation: Installation, core: Core, event: Json) -> None:
    """Tell the app of one of its installations."""
    if installation is core.own:
        emit(core, event)
    else:
        emit_to_organisation(core, event)


def _tell_access(organisation: Organisation, cores: list[Core], kind: str) -> None:
    _tell(organisation.installation, cores[0], {"type": kind, "team_ids": [core.workspace.id for core in cores]})
