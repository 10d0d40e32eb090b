"""What happens in a workspace when the app is installed there, and when it goes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sandbox.core import Core
from sandbox.events import emit
from sandbox.installation import Token
from sandbox.seed import seat


def install(core: Core, scopes: Iterable[str], by: str) -> Token:
    """Install the app, or install it again; its new token."""
    token = core.installation.grant(scopes, by, core.epoch())
    seat(core.workspace, core.app)
    core.live.everyone("boot")
    return token


def user_token() -> str:
    """A token to act as a person. The sandbox gives it as Slack does, and refuses every call with it."""
    return f"xoxp-{secrets.token_hex(24)}"


def revoke(core: Core, token: Token) -> None:
    """Take one token back. With the last good one the app is uninstalled, as in Slack."""
    if any(not other.fault(core.epoch()) for other in core.installation.tokens if other is not token):
        _tell_revoked(core)
        token.over = "token_revoked"
    else:
        uninstall(core)


def uninstall(core: Core, *, uninstalled_first: bool = False) -> None:
    """Remove the app: it is told, its tokens end, and its bot user leaves with all it showed."""
    tell = [_tell_revoked, _tell_uninstalled]
    for each in reversed(tell) if uninstalled_first else tell:
        each(core)
    workspace, bot = core.workspace, core.app.bot_user_id
    core.installation.end()
    workspace.users[bot].deleted = True
    for channel in workspace.channels_of(bot):
        if not channel.is_direct:
            channel.members.remove(bot)
    workspace.homes.clear()
    workspace.modals.clear()
    core.live.everyone("boot")


def _tell_revoked(core: Core) -> None:
    emit(core, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [core.app.bot_user_id]}})


def _tell_uninstalled(core: Core) -> None:
    emit(core, {"type": "app_uninstalled"})
