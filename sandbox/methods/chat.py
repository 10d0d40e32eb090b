"""chat.*: messages of the app."""

from __future__ import annotations

from typing import Any

from sandbox import messages
from sandbox.arguments import Args
from sandbox.block_kit import message_refusal
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.membership import app_channel
from sandbox.message_limits import kept_text, message_limits, message_warnings
from sandbox.methods.method import Method, missing_scope
from sandbox.objects import message_object
from sandbox.text import normalise
from sandbox.views import refused
from sandbox.workspace import Channel, Json

PLAIN = ("channel", "text", "markdown_text", "thread_ts", "username", "icon_emoji", "icon_url", "ts")
DECODED = ("blocks", "attachments", "metadata")
FLAGS = ("reply_broadcast",)


def message_args(args: Args) -> dict[str, Any]:
    """The arguments that make a message, decoded. Those not given are left out."""
    found: dict[str, Any] = {name: args.text(name) for name in PLAIN if args.given.get(name) is not None}
    found |= {name: args.decoded(name) for name in DECODED if args.given.get(name) not in (None, "")}
    found |= {name: args.flag(name) for name in FLAGS if name in args.given}
    return found


def check_message(given: dict[str, Any]) -> None:
    """Raises Refused where Slack refuses a message for its blocks, length, attachments or metadata."""
    refusal = message_refusal({key: given[key] for key in ("blocks", "attachments") if key in given})
    refusal = refusal or message_limits(given)
    if refusal is not None:
        raise refused(refusal)


def post_message(core: Core, args: Args) -> Json:
    given = message_args(args)
    channel = _writable(core, args)
    check_message(given)
    _check_customising(core, given)
    wait = core.rate_limits.wait_for_channel(channel.id)
    if wait is not None:
        raise Refused("ratelimited", retry_after=wait)
    draft = messages.draft_of(given)
    draft.text = kept_text(draft.text)
    message = messages.post_as_app(core, channel, draft)
    answer = message_object(channel, message, with_metadata=True)
    return {"channel": channel.id, "ts": message["ts"], "message": answer, **message_warnings(given)}


def update(core: Core, args: Args) -> Json:
    given = message_args(args)
    channel = _known(core, args)
    message = _own(core, channel, args.text("ts"), "cant_update_message")
    check_message(given)
    draft = messages.draft_of(given)
    new = messages.drafted(core, draft, message["ts"])
    changed: Json = {key: new.get(key) for key in ("text", "blocks", "attachments")}
    changed["edited"] = {"user": core.app.bot_user_id, "ts": f"{core.epoch()}.000000"}
    if "metadata" in given:
        changed["metadata"] = given["metadata"] or None
    messages.change(core, channel, message, changed)
    answer = message_object(channel, message, with_metadata=True)
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": answer}


def delete(core: Core, args: Args) -> Json:
    channel = _known(core, args)
    message = _own(core, channel, args.text("ts"), "cant_delete_message")
    messages.delete(core, channel, message)
    return {"channel": channel.id, "ts": message["ts"]}


def post_ephemeral(core: Core, args: Args) -> Json:
    given = message_args(args)
    channel = _writable(core, args)
    user = core.workspace.users.get(args.text("user"))
    if user is None or user.id not in channel.members:
        raise Refused("user_not_in_channel")
    check_message(given)
    shown = messages.whisper(core, channel, user.id, messages.draft_of(given))
    return {"message_ts": shown.message["ts"]}


def get_permalink(core: Core, args: Args) -> Json:
    channel = _known(core, args)
    message = channel.messages.get(args.text("message_ts"))
    if message is None:
        raise Refused("message_not_found")
    return {"channel": channel.id, "permalink": core.permalink(channel, message)}


def _known(core: Core, args: Args) -> Channel:
    """A conversation the app can reach; private ones only as a member."""
    channel = core.workspace.channels.get(args.text("channel"))
    if channel is None or (channel.kind != "public" and not core.app_is_in(channel)):
        raise Refused("channel_not_found")
    return channel


def _writable(core: Core, args: Args) -> Channel:
    """Where a message of the app may go: a channel by id or #name, or a person's direct messages by their id."""
    named = args.text("channel")
    workspace = core.workspace
    if named in workspace.users:
        channel = _messages_of(core, named)
    else:
        found = workspace.find_channel(named)
        if found is None or (found.kind != "public" and not core.app_is_in(found)):
            raise Refused("channel_not_found")
        channel = found
    if channel.is_archived:
        raise Refused("is_archived")
    if not core.app_is_in(channel) and "chat:write.public" not in core.app.scopes:
        raise Refused("not_in_channel")
    if channel.kind == "im" and not core.app.messages_enabled:
        raise Refused("messages_tab_disabled")
    return channel


def _messages_of(core: Core, user: str) -> Channel:
    person = core.workspace.users[user]
    if person.is_bot or person.deleted:
        raise Refused("channel_not_found")
    return app_channel(core, user)


def _own(core: Core, channel: Channel, ts: str, error: str) -> Json:
    message = channel.messages.get(ts)
    if message is None:
        raise Refused("message_not_found")
    if message.get("bot_id") != core.app.bot_id:
        raise Refused(error)
    return message


def _check_customising(core: Core, given: dict[str, Any]) -> None:
    if any(given.get(key) for key in ("username", "icon_emoji", "icon_url")):
        if "chat:write.customize" not in core.app.scopes:
            raise missing_scope(core, "chat:write.customize")
        given["username"] = given.get("username") and normalise(given["username"])


WRITE = ("chat:write",)

METHODS = {
    "chat.postMessage": Method(post_message, None, WRITE, ("channel",), json_body=True),
    "chat.update": Method(update, 3, WRITE, ("channel", "ts"), json_body=True),
    "chat.delete": Method(delete, 3, WRITE, ("channel", "ts"), json_body=True),
    "chat.postEphemeral": Method(post_ephemeral, 4, WRITE, ("channel", "user"), json_body=True),
    "chat.getPermalink": Method(get_permalink, None, (), ("channel", "message_ts")),
}
