"""Events: which ones the app gets, and in what wrapper. An app gets an event it subscribed to, with a scope for it."""

from __future__ import annotations

import asyncio

from sandbox.core import Core
from sandbox.delivery import Ack
from sandbox.objects import user_object, view_object
from sandbox.workspace import Channel, Json, Kind, User, new_id

CHANNEL_TYPES: dict[Kind, str] = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}
CHANNEL_LETTERS: dict[Kind, str] = {"public": "C", "private": "G", "im": "D", "mpim": "G"}
MESSAGE_EVENTS: dict[Kind, str] = {
    "public": "message.channels",
    "private": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}
HISTORY_SCOPES: dict[Kind, str] = {
    "public": "channels:history",
    "private": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}
READ_SCOPES: dict[Kind, str] = {
    "public": "channels:read",
    "private": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}

# Scope each event needs. Those in a conversation need the one for its kind, given as a table.
SCOPES: dict[str, str | dict[Kind, str] | None] = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "app_uninstalled": None,
    "channel_archive": "channels:read",
    "channel_created": "channels:read",
    "channel_deleted": "channels:read",
    "channel_left": "channels:read",
    "channel_rename": "channels:read",
    "channel_shared": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_unshared": "channels:read",
    "file_created": "files:read",
    "file_shared": "files:read",
    "group_archive": "groups:read",
    "group_left": "groups:read",
    "group_rename": "groups:read",
    "group_unarchive": "groups:read",
    "member_joined_channel": READ_SCOPES,
    "member_left_channel": READ_SCOPES,
    "message": HISTORY_SCOPES,
    "message_metadata_posted": "metadata.message:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "team_access_granted": None,
    "team_access_revoked": None,
    "team_join": "users:read",
    "tokens_revoked": None,
    "user_change": "users:read",
}

# What an app is told of a message that names it.
OF_MENTION = (
    *("client_msg_id", "text", "user", "ts", "team", "user_team", "source_team"),
    *("blocks", "thread_ts", "files", "edited"),
)


def emit(core: Core, event: Json, channel: Channel | None = None, *, ts: str | None = None) -> asyncio.Task[Ack] | None:
    """Send an event if the app asked for it and may have it; the task ends with the first attempt's outcome."""
    if not wanted(core, str(event["type"]), channel):
        return None
    event.setdefault("event_ts", ts or core.new_ts())
    return core.courier.event(_wrap(core, event))


def emit_to_organisation(core: Core, event: Json) -> None:
    """Tell the app of its installation in the organisation of this workspace, if it asked for such events."""
    above = core.organisation
    assert above is not None
    if not above.installation.active or event["type"] not in above.installation.app.events:
        return
    event.setdefault("event_ts", core.new_ts())
    envelope = {
        "token": core.credentials.verification_token,
        "enterprise_id": above.id,
        "api_app_id": core.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(float(event["event_ts"])),
    }
    core.courier.event(envelope)


def wanted(core: Core, kind: str, channel: Channel | None) -> bool:
    """Is the app subscribed, and does it hold the scope? Where a conversation matters, is it a member?"""
    subscription = MESSAGE_EVENTS[channel.kind] if kind == "message" and channel else kind
    if subscription not in core.app.events:
        return False
    needed = SCOPES[kind]
    if isinstance(needed, dict):
        needed = needed[channel.kind] if channel else None
    if needed is not None and needed not in core.app.scopes:
        return False
    return channel is None or core.app_is_in(channel)


def _wrap(core: Core, event: Json) -> Json:
    channel = event.get("channel")
    place = f"-{channel}" if isinstance(channel, str) else ""
    room = core.workspace.channels.get(str(channel or event.get("item", {}).get("channel")))
    above = core.organisation.id if core.organisation else None
    return {
        "token": core.credentials.verification_token,
        "team_id": core.workspace.id,
        **({"enterprise_id": above} if above else {}),
        "context_team_id": core.workspace.id,
        "context_enterprise_id": above,
        "api_app_id": core.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(float(event["event_ts"])),
        "authed_users": [core.app.bot_user_id],
        "authed_teams": [core.workspace.id],
        "authorizations": [
            {
                "enterprise_id": above,
                "team_id": None if core.is_from_above else core.workspace.id,
                "user_id": core.app.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": core.is_from_above,
            }
        ],
        "is_ext_shared_channel": bool(room and room.shared_with),
        "event_context": f"1-{event['type']}-{core.workspace.id}{place}",
    }


def message_event(core: Core, channel: Channel, message: Json) -> None:
    """A new message, as an app in the conversation hears of it."""
    event = {**message, "channel": channel.id, "event_ts": message["ts"], "channel_type": CHANNEL_TYPES[channel.kind]}
    event.pop("metadata", None)
    emit(core, event, channel)
    if "metadata" in message:
        emit(core, _metadata_event(core, channel, message), channel)


def _metadata_event(core: Core, channel: Channel, message: Json) -> Json:
    return {
        "type": "message_metadata_posted",
        "app_id": core.app.id,
        "bot_id": core.app.bot_id,
        "user_id": message["user"],
        "team_id": core.workspace.id,
        "channel_id": channel.id,
        "metadata": message["metadata"],
        "message_ts": message["ts"],
    }


def mention_event(core: Core, channel: Channel, message: Json) -> None:
    """Somebody wrote the app's name. The subtype and the kind of channel are not part of it."""
    event = {"type": "app_mention", **{key: message[key] for key in OF_MENTION if key in message}}
    emit(core, {**event, "channel": channel.id, "event_ts": message["ts"]}, channel)


def changed_event(core: Core, channel: Channel, message: Json, previous: Json) -> None:
    ts = core.new_ts()
    emit(
        core,
        {
            "type": "message",
            "subtype": "message_changed",
            "message": message,
            "previous_message": previous,
            "channel": channel.id,
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
            "channel_type": CHANNEL_TYPES[channel.kind],
        },
        channel,
    )


def deleted_event(core: Core, channel: Channel, previous: Json) -> None:
    ts = core.new_ts()
    emit(
        core,
        {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": previous,
            "channel": channel.id,
            "hidden": True,
            "deleted_ts": previous["ts"],
            "event_ts": ts,
            "ts": ts,
            "channel_type": CHANNEL_TYPES[channel.kind],
        },
        channel,
    )


def reaction_event(core: Core, kind: str, channel: Channel, message: Json, user: str, name: str) -> None:
    emit(
        core,
        {
            "type": kind,
            "user": user,
            "item": {"type": "message", "channel": channel.id, "ts": message["ts"]},
            "reaction": name,
            "item_user": message["user"],
        },
        channel,
    )


def member_event(core: Core, kind: str, channel: Channel, user: str, inviter: str | None = None) -> None:
    event: Json = {
        "type": kind,
        "user": user,
        "channel": channel.id,
        "channel_type": CHANNEL_LETTERS[channel.kind],
        "team": core.workspace.team_of(user),
    }
    if inviter is not None:
        event["inviter"] = inviter
    emit(core, event, channel)


def left_event(core: Core, channel: Channel, actor: str) -> None:
    """The app itself was taken out: no longer a member, it still hears this."""
    kind = "channel_left" if channel.kind == "public" else "group_left"
    if wanted(core, kind, None):
        emit(core, {"type": kind, "channel": channel.id, "actor_id": actor})


def channel_event(core: Core, what: str, channel: Channel, user: str) -> None:
    """A conversation was created, renamed, archived, unarchived or deleted. Of private ones only members hear."""
    private = channel.kind == "private"
    kind = f"{'group' if private else 'channel'}_{what}"
    if kind not in SCOPES:
        return
    body: Json = {"channel": channel.id, "user": user}
    if what in ("created", "rename"):
        body = {
            "channel": {
                "id": channel.id,
                "is_channel": not private,
                "is_mpim": False,
                "name": channel.name,
                "name_normalized": channel.name,
                "created": channel.created,
                **({"creator": channel.creator} if what == "created" else {}),
            }
        }
    elif what in ("archive", "unarchive"):
        body["is_moved"] = 0
    emit(core, {"type": kind, **body}, channel if private else None)


def sharing_event(core: Core, kind: str, channel: Channel, team: str) -> None:
    """The channel is shared with another workspace from now on, or no longer."""
    whose = "connected_team_id" if kind == "channel_shared" else "previously_connected_team_id"
    more = {} if kind == "channel_shared" else {"is_ext_shared": bool(channel.shared_with)}
    emit(core, {"type": kind, "channel": channel.id, whose: team, **more}, channel)


def user_event(core: Core, user: User, kind: str = "user_change") -> None:
    """A person joined the workspace or changed; the whole person is told."""
    shape = user_object(core.workspace, user, core.app, core.clock.now(), with_email=may_read_email(core))
    emit(core, {"type": kind, "user": shape, "cache_ts": core.epoch()})


def may_read_email(core: Core) -> bool:
    return "users:read.email" in core.app.scopes


def home_event(core: Core, user: str, channel: Channel, tab: str) -> asyncio.Task[Ack] | None:
    """Somebody opened the app: its Home, or its messages."""
    event: Json = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": tab}
    home = core.workspace.homes.get(user)
    if tab == "home" and home is not None:
        event["view"] = view_object(home)
    return emit(core, event)
