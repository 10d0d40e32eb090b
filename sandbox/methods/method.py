"""What the workspace knows of one Web API method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sandbox.arguments import Args
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.events import READ_SCOPES
from sandbox.workspace import Channel, Json, Kind, User

Run: TypeAlias = Callable[[Core, Args], Json]


@dataclass(frozen=True)
class Method:
    """`scopes`: any one lets the call through (finer rules by kind of conversation stand in the handler).
    `tier`: None is Slack's "special". `json_body`: may the arguments be JSON? `app_token`: takes xapp-, not xoxb-.
    `needs_team`: with an organisation's token it has to be told of which workspace."""

    run: Run
    tier: int | None = None
    scopes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    json_body: bool = False
    app_token: bool = False
    needs_team: bool = False


def missing_scope(core: Core, *needed: str) -> Refused:
    return Refused("missing_scope", needed=",".join(needed), provided=",".join(core.app.scopes))


def seen_channel(core: Core, args: Args, scopes: dict[Kind, str] = READ_SCOPES, name: str = "channel") -> Channel:
    """The conversation an argument names, if the app may read it. Raises Refused: channel_not_found, missing_scope."""
    channel = core.workspace.channels.get(args.text(name))
    if channel is None or (channel.kind != "public" and not core.app_is_in(channel)):
        raise Refused("channel_not_found")
    if scopes[channel.kind] not in core.app.scopes:
        raise missing_scope(core, scopes[channel.kind])
    return channel


def known_user(core: Core, user_id: str) -> User:
    """Raises Refused: user_not_found."""
    user = core.workspace.users.get(user_id)
    if user is None:
        raise Refused("user_not_found")
    return user
