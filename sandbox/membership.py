"""Who is in which conversation, and what happens when that changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sandbox.core import Core
from sandbox.errors import SandboxError
from sandbox.events import channel_event, left_event, member_event, sharing_event
from sandbox.workspace import Channel, Kind, User, Workspace, new_id


def direct_channel(core: Core, *members: str) -> Channel:
    """The direct conversation of these members, made when there is none yet."""
    found = core.workspace.direct(*members)
    if found is not None:
        return found
    unique = list(dict.fromkeys(members))
    kind: Kind = "im" if len(unique) <= 2 else "mpim"
    channel = Channel(new_id("D" if kind == "im" else "C"), kind, members=unique, created=core.epoch())
    core.workspace.channels[channel.id] = channel
    core.live.everyone("boot")
    return channel


def app_channel(core: Core, user: str) -> Channel:
    """The direct conversation of a person and the app. Raises SandboxError where the app never was."""
    if core.app.bot_user_id not in core.workspace.users:
        core.require_app()
    return direct_channel(core, user, core.app.bot_user_id)


def join(core: Core, channel: Channel, user: str, inviter: str | None = None) -> None:
    """Make somebody a member. The app hears of it when it is a member too, also of its own joining."""
    channel.members.append(user)
    channel.last_read[user] = max(channel.messages, default="0")
    member_event(core, "member_joined_channel", channel, user, inviter)
    core.live.everyone("boot")
    core.live.conversation(channel)


def leave(core: Core, channel: Channel, user: str, actor: str) -> None:
    """End a membership."""
    member_event(core, "member_left_channel", channel, user)
    channel.members.remove(user)
    channel.last_read.pop(user, None)
    if user == core.app.bot_user_id:
        left_event(core, channel, actor)
    core.live.everyone("boot")
    core.live.conversation(channel)


def create(core: Core, name: str, creator: str, private: bool) -> Channel:
    """A new channel with its creator as the only member."""
    kind: Kind = "private" if private else "public"
    channel = Channel(new_id("C"), kind, name, [creator], creator, core.epoch())
    core.workspace.channels[channel.id] = channel
    channel_event(core, "created", channel, creator)
    core.live.everyone("boot")
    return channel


def share(core: Core, channel: Channel, people: Workspace, names: Iterable[str]) -> None:
    """Share a channel with another workspace (Slack Connect), some of whose people come into it."""
    for name in names:
        there = people.find_user(name)
        if there is None or there.is_bot or there.deleted:
            raise SandboxError(f"There is nobody called {name} in {people.name}.")
        core.workspace.users.setdefault(there.id, replace(there, home=people.id, is_admin=False, is_owner=False))
        channel.shared_with = list(dict.fromkeys([*channel.shared_with, people.id]))
        join(core, channel, there.id)
    sharing_event(core, "channel_shared", channel, people.id)


def unshare(core: Core, channel: Channel, people: Workspace) -> None:
    """Share a channel with the other workspace no longer: its people are out of it."""
    for user in [each for each in channel.members if core.workspace.users[each].home == people.id]:
        leave(core, channel, user, user)
    channel.shared_with.remove(people.id)
    sharing_event(core, "channel_unshared", channel, people.id)


def rename(core: Core, channel: Channel, name: str, by: str) -> None:
    channel.previous_names.insert(0, channel.name)
    channel.name = name
    channel_event(core, "rename", channel, by)
    core.live.everyone("boot")


def archive(core: Core, channel: Channel, by: str) -> None:
    channel.is_archived = True
    channel_event(core, "archive", channel, by)
    core.live.everyone("boot")


def unarchive(core: Core, channel: Channel, by: str) -> None:
    channel.is_archived = False
    channel_event(core, "unarchive", channel, by)
    core.live.everyone("boot")


def may_see(channel: Channel, user: User) -> bool:
    """Members see a conversation; full members also see public channels they have not joined."""
    return user.id in channel.members or (channel.kind == "public" and not user.is_restricted and not user.home)
