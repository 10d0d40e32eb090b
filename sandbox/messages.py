"""What can happen to messages, whoever does it: posted, changed, deleted, reacted to. Events go out from here."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from sandbox.blocks import received
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.events import changed_event, deleted_event, mention_event, message_event, reaction_event
from sandbox.objects import bot_message, file_object, person_message
from sandbox.text import mentions, normalise
from sandbox.workspace import Channel, Ephemeral, File, Json, new_id

GRAVESTONE = "This message was deleted."
MOST_REACTIONS = 50
MOST_REACTIONS_OF_ONE = 23


@dataclass
class Draft:
    """What an app wants said. Limits are checked before; here it only takes Slack's form."""

    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    username: str | None = None
    icon: str | None = None
    files: list[File] = field(default_factory=list)


def post_as_app(core: Core, channel: Channel, draft: Draft) -> Json:
    """Put a message of the app into a conversation, and tell whoever listens."""
    message = drafted(core, draft, core.new_ts())
    _thread(channel, message, draft.thread_ts, draft.broadcast)
    return _place(core, channel, message)


def post_as_person(
    core: Core, channel: Channel, user: str, text: str, thread_ts: str | None = None, files: list[File] | None = None
) -> Json:
    """Put a person's message into a conversation; `text` is already in its form for the wire."""
    message = person_message(core.workspace, user, text, core.new_ts())
    _thread(channel, message, thread_ts, broadcast=False)
    if files:
        _attach(core, channel, message, files)
    channel.last_read[user] = message["ts"]
    return _place(core, channel, message)


def drafted(core: Core, draft: Draft, ts: str) -> Json:
    """A message of the app as it will be stored."""
    message = bot_message(core.workspace, core.app, normalise(draft.text), ts)
    if draft.username is not None:
        message |= {"subtype": "bot_message", "username": draft.username}
    if draft.icon is not None:
        message["icons"] = {"emoji": draft.icon} if draft.icon.startswith(":") else {"image_48": draft.icon}
    if draft.blocks:
        message["blocks"] = received(draft.blocks)
    if draft.attachments:
        message["attachments"] = [_attachment(number, each) for number, each in enumerate(draft.attachments, 1)]
    if draft.metadata is not None:
        message["metadata"] = draft.metadata
    return message


def _attachment(number: int, attachment: Json) -> Json:
    shape = {**attachment, "id": number}
    if "blocks" in shape:
        shape["blocks"] = received(shape["blocks"])
        shape.setdefault("fallback", "[no preview available]")
    else:
        shape.setdefault("fallback", shape.get("text", ""))
    return shape


def _thread(channel: Channel, message: Json, thread_ts: str | None, broadcast: bool) -> None:
    """Make `message` a reply. An unknown parent is taken as given, as far as is known of Slack."""
    if thread_ts is None:
        return
    parent = channel.messages.get(thread_ts)
    if parent is not None and parent.get("thread_ts", thread_ts) != thread_ts:
        raise Refused("cannot_reply_to_message")
    message["thread_ts"] = thread_ts
    if parent is not None:
        parent.setdefault("thread_ts", thread_ts)
        message["parent_user_id"] = parent["user"]
    if broadcast:
        message["subtype"] = "thread_broadcast"


def _attach(core: Core, channel: Channel, message: Json, files: list[File]) -> None:
    for file in files:
        file.shares.setdefault(channel.id, []).append(message["ts"])
    message["files"] = [file_object(core.workspace, file, core.base_url) for file in files]
    message |= {"subtype": "file_share", "upload": False, "display_as_bot": False}


def share_as_app(core: Core, channel: Channel, files: list[File], draft: Draft) -> Json:
    """Put files of the app into a conversation, with its words beside them."""
    message = drafted(core, draft, core.new_ts())
    _thread(channel, message, draft.thread_ts, broadcast=False)
    _attach(core, channel, message, files)
    return _place(core, channel, message)


def _place(core: Core, channel: Channel, message: Json) -> Json:
    channel.messages[message["ts"]] = message
    message_event(core, channel, message)
    by_others = message["user"] != core.app.bot_user_id
    if by_others and not channel.is_direct and core.app.bot_user_id in mentions(message["text"]):
        mention_event(core, channel, message)
    core.live.conversation(channel)
    return message


def change(core: Core, channel: Channel, message: Json, new: Json) -> Json:
    """Replace the words of a message: every key of `new`; a value of None takes the key away."""
    previous = deepcopy(message)
    for key, value in new.items():
        if value is None:
            message.pop(key, None)
        else:
            message[key] = value
    core.live.conversation(channel)
    changed_event(core, channel, message, previous)
    return message


def delete(core: Core, channel: Channel, message: Json) -> None:
    """Take a message away. One with replies leaves a gravestone, so that its thread stays."""
    if len(channel.thread(message["ts"])) > 1:
        gravestone = {"subtype": "tombstone", "text": GRAVESTONE, "user": "USLACKBOT", "hidden": True}
        gone = ("blocks", "attachments", "files", "metadata", "reactions", "edited", "client_msg_id", "bot_id")
        change(core, channel, message, {**gravestone, **dict.fromkeys(gone)})
        return
    del channel.messages[message["ts"]]
    core.live.conversation(channel)
    deleted_event(core, channel, message)


def whisper(core: Core, channel: Channel, user: str, draft: Draft) -> Ephemeral:
    """Show a message of the app to one person only. It is not stored in the conversation."""
    message = drafted(core, draft, core.new_ts())
    message.pop("metadata", None)
    message["is_ephemeral"] = True
    if draft.thread_ts is not None:
        message["thread_ts"] = draft.thread_ts
    ephemeral = Ephemeral(new_id("E"), user, channel.id, message)
    core.workspace.ephemerals.append(ephemeral)
    core.live.conversation(channel, only=user)
    return ephemeral


def add_reaction(core: Core, channel: Channel, message: Json, user: str, name: str) -> None:
    """Raises Refused as reactions.add does."""
    reactions: list[Json] = message.setdefault("reactions", [])
    entry = next((reaction for reaction in reactions if reaction["name"] == name), None)
    if entry is not None and user in entry["users"]:
        raise Refused("already_reacted")
    if entry is None:
        if len(reactions) >= MOST_REACTIONS:
            raise Refused("too_many_emoji")
        entry = {"name": name, "users": [], "count": 0}
        reactions.append(entry)
    if sum(user in reaction["users"] for reaction in reactions) >= MOST_REACTIONS_OF_ONE:
        raise Refused("too_many_reactions")
    entry["users"].append(user)
    entry["count"] += 1
    core.live.conversation(channel)
    reaction_event(core, "reaction_added", channel, message, user, name)


def remove_reaction(core: Core, channel: Channel, message: Json, user: str, name: str) -> None:
    """Raises Refused as reactions.remove does."""
    reactions: list[Json] = message.get("reactions", [])
    entry = next((reaction for reaction in reactions if reaction["name"] == name and user in reaction["users"]), None)
    if entry is None:
        raise Refused("no_reaction")
    entry["users"].remove(user)
    entry["count"] -= 1
    if not entry["users"]:
        reactions.remove(entry)
    if not reactions:
        del message["reactions"]
    core.live.conversation(channel)
    reaction_event(core, "reaction_removed", channel, message, user, name)


def draft_of(args: dict[str, Any]) -> Draft:
    """The draft in decoded arguments of chat.postMessage, of a response_url or of an answer to a command."""
    icon = args.get("icon_emoji") or args.get("icon_url")
    return Draft(
        text=args.get("text") or args.get("markdown_text") or "",
        blocks=args.get("blocks") or [],
        attachments=args.get("attachments") or [],
        metadata=args.get("metadata") or None,
        thread_ts=args.get("thread_ts") or None,
        broadcast=bool(args.get("reply_broadcast", False)),
        username=args.get("username") or None,
        icon=icon or None,
    )
