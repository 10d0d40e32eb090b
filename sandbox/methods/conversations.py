"""conversations.* and users.conversations: channels, their members and their history."""

from __future__ import annotations

import re

from sandbox import membership
from sandbox.arguments import Args, page
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.events import HISTORY_SCOPES, READ_SCOPES
from sandbox.methods.method import Method, known_user, missing_scope, seen_channel
from sandbox.objects import channel_object, message_object
from sandbox.workspace import Channel, Json, Kind

TYPES: dict[str, Kind] = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
MOST_IN_DIRECT = 8
TS = re.compile(r"\d+(?:\.\d+)?")


def list_all(core: Core, args: Args) -> Json:
    channels = [c for c in _of_types(core, args) if c.kind == "public" or core.app_is_in(c)]
    return _channel_page(core, args, channels, with_members=True)


def of_user(core: Core, args: Args) -> Json:
    user = known_user(core, args.text("user") or core.app.bot_user_id)
    shared = [c for c in _of_types(core, args) if c.kind == "public" or core.app_is_in(c)]
    return _channel_page(core, args, [c for c in shared if user.id in c.members], with_members=False)


def _channel_page(core: Core, args: Args, channels: list[Channel], *, with_members: bool) -> Json:
    shown, cursor = page(channels, args, default=100)
    shapes = [channel_object(core.workspace, c, core.app.bot_user_id, with_members=with_members) for c in shown]
    return {"channels": shapes, "response_metadata": {"next_cursor": cursor}}


def _of_types(core: Core, args: Args) -> list[Channel]:
    names = args.names("types") or ["public_channel"]
    if unknown := [name for name in names if name not in TYPES]:
        raise Refused("invalid_types", unknown=unknown)
    kinds = [TYPES[name] for name in names]
    lacking = [READ_SCOPES[kind] for kind in kinds if READ_SCOPES[kind] not in core.app.scopes]
    if lacking:
        raise missing_scope(core, *lacking)
    skip_archived = args.flag("exclude_archived")
    return [c for c in core.workspace.channels.values() if c.kind in kinds and not (skip_archived and c.is_archived)]


def info(core: Core, args: Args) -> Json:
    channel = seen_channel(core, args)
    with_members = args.flag("include_num_members")
    shape = channel_object(core.workspace, channel, core.app.bot_user_id, with_members=with_members)
    if args.flag("include_locale"):
        shape["locale"] = "en-US"
    return {"channel": shape}


def open_direct(core: Core, args: Args) -> Json:
    if args.text("channel"):
        channel = core.workspace.channels.get(args.text("channel"))
        if channel is None or not channel.is_direct or not core.app_is_in(channel):
            raise Refused("channel_not_found")
        existed = True
    else:
        users = _direct_users(core, args)
        existed = core.workspace.direct(core.app.bot_user_id, *users) is not None
        channel = membership.direct_channel(core, *users, core.app.bot_user_id)
    shape: Json = {"id": channel.id}
    if args.flag("return_im"):
        shape = channel_object(core.workspace, channel, core.app.bot_user_id)
    return {"channel": shape, **({"no_op": True, "already_open": True} if existed else {})}


def _direct_users(core: Core, args: Args) -> list[str]:
    names = list(dict.fromkeys(args.names("users")))
    if not names:
        raise Refused("users_list_not_supplied")
    if len(names) > MOST_IN_DIRECT:
        raise Refused("too_many_users")
    needed = "im:write" if len(names) == 1 else "mpim:write"
    if needed not in core.app.scopes:
        raise missing_scope(core, needed)
    for name in names:
        user = known_user(core, name)
        if user.deleted:
            raise Refused("user_disabled")
        if user.is_bot:
            raise Refused("cannot_dm_bot")
    return names


def members(core: Core, args: Args) -> Json:
    channel = seen_channel(core, args)
    shown, cursor = page(channel.members, args, default=100)
    return {"members": shown, "response_metadata": {"next_cursor": cursor}}


def join(core: Core, args: Args) -> Json:
    channel = core.workspace.channels.get(args.text("channel"))
    if channel is None or (channel.kind == "private" and not core.app_is_in(channel)):
        raise Refused("channel_not_found")
    if channel.kind != "public":
        raise Refused("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Refused("is_archived")
    extra: Json = {}
    if core.app_is_in(channel):
        extra = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    else:
        membership.join(core, channel, core.app.bot_user_id)
    return {"channel": channel_object(core.workspace, channel, core.app.bot_user_id), **extra}


def leave(core: Core, args: Args) -> Json:
    channel = core.workspace.channels.get(args.text("channel"))
    if channel is None or (channel.kind != "public" and not core.app_is_in(channel)):
        raise Refused("channel_not_found")
    if channel.is_general:
        raise Refused("cant_leave_general")
    if channel.is_direct:
        raise Refused("method_not_supported_for_channel_type")
    if not core.app_is_in(channel):
        return {"not_in_channel": True}
    membership.leave(core, channel, core.app.bot_user_id, core.app.bot_user_id)
    return {}


def invite(core: Core, args: Args) -> Json:
    channel = core.workspace.channels.get(args.text("channel"))
    if channel is None or (channel.kind != "public" and not core.app_is_in(channel)):
        raise Refused("channel_not_found")
    if channel.is_archived:
        raise Refused("is_archived")
    if not core.app_is_in(channel):
        raise Refused("not_in_channel")
    names = args.names("users")
    if not names:
        raise Refused("no_user")
    for name in names:
        if name == core.app.bot_user_id:
            raise Refused("cant_invite_self")
        if known_user(core, name).id in channel.members:
            raise Refused("already_in_channel")
    for name in names:
        membership.join(core, channel, name, core.app.bot_user_id)
    return {"channel": channel_object(core.workspace, channel, core.app.bot_user_id)}


def history(core: Core, args: Args) -> Json:
    channel = _readable(core, args)
    top = [m for m in channel.messages.values() if _in_main_list(m)]
    span = [m for m in reversed(top) if _within(args, m["ts"])]
    shown, cursor = page(span, args, default=100)
    answer = _messages(args, channel, shown, cursor)
    return {**answer, "pin_count": 0}


def replies(core: Core, args: Args) -> Json:
    channel = _readable(core, args)
    message = channel.messages.get(args.text("ts"))
    thread = channel.thread(str(message.get("thread_ts", message["ts"]))) if message else []
    if not thread:
        raise Refused("thread_not_found")
    span = [m for m in thread[1:] if _within(args, m["ts"])]
    shown, cursor = page([thread[0], *span], args, default=1000)
    answer = _messages(args, channel, shown, cursor)
    if shown[:1] == thread[:1] and any(m["user"] == core.app.bot_user_id for m in thread):
        answer["messages"][0] |= {"subscribed": True, "last_read": thread[-1]["ts"], "unread_count": 0}
    return answer


def _messages(args: Args, channel: Channel, shown: list[Json], cursor: str) -> Json:
    with_metadata = args.flag("include_all_metadata")
    shapes = [message_object(channel, message, with_metadata=with_metadata) for message in shown]
    return {"messages": shapes, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def _readable(core: Core, args: Args) -> Channel:
    channel = seen_channel(core, args, HISTORY_SCOPES)
    if not core.app_is_in(channel):
        raise Refused("not_in_channel")
    return channel


def _in_main_list(message: Json) -> bool:
    own_thread = message.get("thread_ts", message["ts"]) == message["ts"]
    return own_thread or message.get("subtype") == "thread_broadcast"


def _within(args: Args, ts: str) -> bool:
    oldest, latest = _bound(args, "oldest"), _bound(args, "latest")
    inclusive = args.flag("inclusive")
    at = float(ts)
    after = oldest is None or at > oldest or (inclusive and at == oldest)
    before = latest is None or at < latest or (inclusive and at == latest)
    return after and before


def _bound(args: Args, name: str) -> float | None:
    text = args.text(name)
    if not text or text == "now":
        return None
    if not TS.fullmatch(text):
        raise Refused(f"invalid_ts_{name}")
    return float(text)


def create(core: Core, args: Args) -> Json:
    name = args.text("name")
    private = args.flag("is_private")
    needed = "groups:write" if private else "channels:manage"
    if needed not in core.app.scopes:
        raise missing_scope(core, needed)
    if not re.fullmatch(r"[\w-]{1,80}", name) or name != name.lower():
        raise Refused("invalid_name_specials")
    if core.workspace.find_channel(name):
        raise Refused("name_taken")
    channel = membership.create(core, name, core.app.bot_user_id, private)
    return {"channel": channel_object(core.workspace, channel, core.app.bot_user_id)}


def archive(core: Core, args: Args) -> Json:
    channel = seen_channel(core, args)
    if channel.is_archived:
        raise Refused("already_archived")
    if channel.is_general:
        raise Refused("cant_archive_general")
    if not core.app_is_in(channel):
        raise Refused("not_in_channel")
    membership.archive(core, channel, core.app.bot_user_id)
    return {}


def set_topic(core: Core, args: Args) -> Json:
    channel = _mine(core, args)
    channel.topic = _short(args, "topic")
    core.live.everyone("boot")
    return {"channel": channel_object(core.workspace, channel, core.app.bot_user_id)}


def set_purpose(core: Core, args: Args) -> Json:
    channel = _mine(core, args)
    channel.purpose = _short(args, "purpose")
    return {"channel": channel_object(core.workspace, channel, core.app.bot_user_id)}


def _mine(core: Core, args: Args) -> Channel:
    channel = core.workspace.channels.get(args.text("channel"))
    if channel is None or (channel.kind != "public" and not core.app_is_in(channel)):
        raise Refused("channel_not_found")
    if not core.app_is_in(channel):
        raise Refused("not_in_channel")
    return channel


def _short(args: Args, name: str) -> str:
    text = args.text(name)
    if len(text) > 250:
        raise Refused("too_long")
    return text


READ = tuple(READ_SCOPES.values())
HISTORY = tuple(HISTORY_SCOPES.values())
MANAGE = ("channels:manage", "groups:write", "im:write", "mpim:write")
INVITE = ("channels:write.invites", "groups:write.invites", *MANAGE)
TOPIC = ("channels:write.topic", "groups:write.topic", "im:write.topic", "mpim:write.topic", *MANAGE)
WRITE = (*MANAGE, "channels:write")

METHODS = {
    "conversations.list": Method(list_all, 2, READ, needs_team=True),
    "users.conversations": Method(of_user, 3, READ, needs_team=True),
    "conversations.info": Method(info, 3, READ, ("channel",)),
    "conversations.open": Method(open_direct, 3, MANAGE, json_body=True),
    "conversations.members": Method(members, 4, READ, ("channel",)),
    "conversations.join": Method(join, 3, ("channels:join",), ("channel",), json_body=True),
    "conversations.leave": Method(leave, 3, WRITE, ("channel",), json_body=True),
    "conversations.invite": Method(invite, 3, INVITE, ("channel", "users"), json_body=True),
    "conversations.history": Method(history, 3, HISTORY, ("channel",), json_body=True),
    "conversations.replies": Method(replies, 3, HISTORY, ("channel", "ts")),
    "conversations.create": Method(create, 2, WRITE, ("name",), json_body=True),
    "conversations.archive": Method(archive, 2, WRITE, ("channel",), json_body=True),
    "conversations.setTopic": Method(set_topic, 2, TOPIC, ("channel", "topic"), json_body=True),
    "conversations.setPurpose": Method(set_purpose, 2, TOPIC, ("channel", "purpose"), json_body=True),
}
