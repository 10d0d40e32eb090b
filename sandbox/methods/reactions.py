"""reactions.*: emoji of the app under messages."""

from __future__ import annotations

import re

from sandbox import messages
from sandbox.arguments import Args
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.methods.method import Method
from sandbox.objects import message_object
from sandbox.workspace import Channel, Json

NAME = re.compile(r"[a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?")


def add(core: Core, args: Args) -> Json:
    channel, message = _item(core, args)
    if channel.is_archived:
        raise Refused("is_archived")
    messages.add_reaction(core, channel, message, core.app.bot_user_id, _name(args))
    return {}


def remove(core: Core, args: Args) -> Json:
    channel, message = _item(core, args)
    messages.remove_reaction(core, channel, message, core.app.bot_user_id, _name(args))
    return {}


def get(core: Core, args: Args) -> Json:
    channel, message = _item(core, args)
    shape = message_object(channel, message)
    return {"type": "message", "channel": channel.id, "message": {"reactions": [], **shape}}


def _name(args: Args) -> str:
    name = args.text("name")
    if not NAME.fullmatch(name):
        raise Refused("invalid_name")
    return name


def _item(core: Core, args: Args) -> tuple[Channel, Json]:
    if not args.text("channel") or not args.text("timestamp"):
        raise Refused("no_item_specified")
    channel = core.workspace.channels.get(args.text("channel"))
    if channel is None or (channel.kind != "public" and not core.app_is_in(channel)):
        raise Refused("channel_not_found")
    if not re.fullmatch(r"\d+\.\d+", args.text("timestamp")):
        raise Refused("bad_timestamp")
    message = channel.messages.get(args.text("timestamp"))
    if message is None:
        raise Refused("message_not_found")
    return channel, message


METHODS = {
    "reactions.add": Method(add, 3, ("reactions:write",), ("name",), json_body=True),
    "reactions.remove": Method(remove, 2, ("reactions:write",), ("name",), json_body=True),
    "reactions.get": Method(get, 3, ("reactions:read",)),
}
