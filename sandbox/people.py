"""What one person can do in the workspace. The page and the driver of tests both act through this."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox import authorisation, installing, interactions, membership, messages
from sandbox.core import Core
from sandbox.errors import Refused, SandboxError
from sandbox.events import home_event, user_event
from sandbox.interactions import Outcome, Place
from sandbox.methods.files import new_file
from sandbox.objects import person_message
from sandbox.text import typed_message
from sandbox.workspace import Channel, Ephemeral, File, Json, User, View

STATUS_MAX = 100


class Person:
    """One person at their screen. Raises SandboxError with a plain sentence where Slack would not let them."""

    def __init__(self, core: Core, user: User) -> None:
        if user.is_bot:
            raise SandboxError(f"{user.real_name} is an app, not a person.")
        self.core = core
        self.user = user

    @property
    def id(self) -> str:
        return self.user.id

    # ---- finding things -------------------------------------------------------------------------------------------

    def channel(self, which: str) -> Channel:
        """A conversation this person sees, by id, #name, or @name for direct messages."""
        channel = self._direct(which) or self.core.workspace.find_channel(which)
        if channel is None or not membership.may_see(channel, self.user):
            raise SandboxError(f"{self.user.real_name} sees no conversation {which}.")
        return channel

    def _direct(self, which: str) -> Channel | None:
        other = self.core.workspace.find_user(which[1:]) if which.startswith("@") else None
        return membership.direct_channel(self.core, self.id, other.id) if other else None

    def message(self, channel: Channel, ts: str) -> Json:
        message = channel.messages.get(ts)
        if message is None:
            raise SandboxError("That message is no longer there.")
        return message

    def ephemeral(self, ephemeral_id: str) -> Ephemeral:
        for each in self.core.workspace.ephemerals:
            if (each.id, each.user) == (ephemeral_id, self.id):
                return each
        raise SandboxError("That message is no longer there.")

    def view(self, view_id: str) -> View:
        view = self.core.workspace.view(view_id)
        if view is None or view.user != self.id:
            raise SandboxError("That view is no longer open.")
        return view

    def place(self, where: Json) -> Place:
        """What `{channel, ts}`, `{channel, ephemeral_id}` or `{view_id}` names."""
        if where.get("view_id"):
            return Place(view=self.view(str(where["view_id"])))
        channel = self._mine(str(where.get("channel", "")))
        if where.get("ephemeral_id"):
            shown = self.ephemeral(str(where["ephemeral_id"]))
            return Place(channel, shown.message, shown)
        return Place(channel, self.message(channel, str(where.get("ts", ""))))

    def _mine(self, which: str) -> Channel:
        channel = self.channel(which)
        if self.id not in channel.members:
            raise SandboxError(f"{self.user.real_name} is not in #{channel.name}. Join the channel first.")
        return channel

    def _active(self) -> None:
        if self.user.deleted:
            raise SandboxError(f"{self.user.real_name}'s account is deactivated.")

    def _open_to_writing(self, which: str) -> Channel:
        self._active()
        channel = self._mine(which)
        if channel.is_archived:
            raise SandboxError(f"#{channel.name} is archived.")
        app = self.core.app
        if channel.kind == "im" and app.bot_user_id in channel.members:
            if not app.messages_enabled:
                raise SandboxError(f"{app.name} takes no messages.")
            if app.messages_read_only:
                raise SandboxError(f"Sending messages to {app.name} has been turned off.")
        return channel

    # ---- messages -------------------------------------------------------------------------------------------------

    async def say(self, channel: str, text: str, thread_ts: str | None = None, files: list[File] | None = None) -> Json:
        """Write into a conversation or a thread. Text with names after @ and # as typed."""
        room = self._open_to_writing(channel)
        if not text.strip() and not files:
            raise SandboxError("There is nothing to send.")
        if thread_ts is not None:
            parent = self.message(room, thread_ts)
            thread_ts = parent.get("thread_ts", parent["ts"])
        wire = typed_message(self.core.workspace, text)
        return messages.post_as_person(self.core, room, self.id, wire, thread_ts, files)

    async def edit(self, channel: str, ts: str, text: str) -> None:
        room, message = self._own_message(channel, ts)
        wire = typed_message(self.core.workspace, text)
        fresh = person_message(self.core.workspace, self.id, wire, ts)
        edited = {"user": self.id, "ts": f"{self.core.epoch()}.000000"}
        messages.change(self.core, room, message, {"text": wire, "blocks": fresh["blocks"] or None, "edited": edited})

    async def delete(self, channel: str, ts: str) -> None:
        room, message = self._own_message(channel, ts)
        messages.delete(self.core, room, message)

    def _own_message(self, channel: str, ts: str) -> tuple[Channel, Json]:
        self._active()
        room = self._mine(channel)
        message = self.message(room, ts)
        if message["user"] != self.id:
            raise SandboxError("Only one's own messages can be changed.")
        return room, message

    async def react(self, channel: str, ts: str, name: str) -> None:
        """Put an emoji under a message, or take it away again."""
        self._active()
        room = self._mine(channel)
        message = self.message(room, ts)
        name = name.strip(":")
        if not re.fullmatch(r"[a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?", name):
            raise SandboxError(f'"{name}" is no name of an emoji.')
        there = any(self.id in each["users"] for each in message.get("reactions", ()) if each["name"] == name)
        change = messages.remove_reaction if there else messages.add_reaction
        try:
            change(self.core, room, message, self.id, name)
        except Refused as refused:
            raise SandboxError(f"Slack refuses the reaction: {refused.error}.") from refused

    def dismiss(self, ephemeral_id: str) -> None:
        """Hide a message only this person sees."""
        shown = self.ephemeral(ephemeral_id)
        self.core.workspace.ephemerals.remove(shown)
        self.core.live.conversation(self.core.workspace.channels[shown.channel], only=self.id)

    def mark_read(self, channel: str) -> None:
        room = self.channel(channel)
        if self.id in room.members:
            room.last_read[self.id] = max(room.messages, default="0")
            self.core.live.conversation(room, only=self.id)

    def upload(self, name: str, content: bytes) -> str:
        """Choose a file on one's machine; its id, to share with a message or put into a form."""
        self._active()
        file = new_file(self.core, name, len(content), self.id)
        file.content = content
        file.uploaded = True
        return file.id

    async def set_status(self, emoji: str, text: str = "", until: float = 0) -> None:
        """Show an emoji (`:palm_tree:`) and words beside one's name until an instant, 0 for good; no emoji clears it.

        The app hears of it.
        """
        self._active()
        name = emoji.strip(":")
        if name and not re.fullmatch(r"[a-z0-9_+'-]{1,100}", name):
            raise SandboxError(f'"{name}" is no name of an emoji.')
        if len(text) > STATUS_MAX:
            raise SandboxError(f"A status has at most {STATUS_MAX} characters.")
        if until and until <= self.core.clock.now().timestamp():
            raise SandboxError("That is past.")
        user = self.user
        user.status_emoji, user.status_text = (f":{name}:", text) if name else ("", "")
        user.status_expiration = int(until) if name else 0
        user.updated = self.core.epoch()
        user_event(self.core, user)
        self.core.live.everyone("boot")

    # ---- membership -----------------------------------------------------------------------------------------------

    async def join(self, channel: str) -> None:
        self._active()
        room = self.channel(channel)
        if room.kind != "public":
            raise SandboxError("One is invited to a private conversation.")
        if self.id not in room.members:
            membership.join(self.core, room, self.id)

    async def leave(self, channel: str) -> None:
        self._active()
        room = self._mine(channel)
        if room.is_general or room.is_direct:
            raise SandboxError("This conversation cannot be left.")
        membership.leave(self.core, room, self.id, self.id)

    async def invite(self, channel: str, who: str) -> None:
        """Add a person or the app, by name or id, to a channel one is in."""
        self._active()
        room = self._mine(channel)
        invited = self.core.workspace.find_user(who)
        if invited is None or invited.deleted:
            raise SandboxError(f"There is nobody called {who} to invite.")
        if room.is_direct:
            raise SandboxError("Nobody can be added to a direct message.")
        if invited.id in room.members:
            raise SandboxError(f"{invited.real_name} is already in #{room.name}.")
        membership.join(self.core, room, invited.id, self.id)

    async def remove(self, channel: str, who: str) -> None:
        """Take a person or the app out of a channel one is in."""
        self._active()
        room = self._mine(channel)
        gone = self.core.workspace.find_user(who)
        if gone is None or gone.id not in room.members:
            raise SandboxError(f"{who} is not in #{room.name}.")
        membership.leave(self.core, room, gone.id, self.id)

    async def create_channel(self, name: str, private: bool = False) -> str:
        """A new channel with this person in it; its id."""
        self._active()
        if not re.fullmatch(r"[a-z0-9_-]{1,80}", name):
            raise SandboxError("Channel names are lower case, without spaces, at most 80 letters.")
        if self.core.workspace.find_channel(name):
            raise SandboxError(f"There is already a channel #{name}.")
        return membership.create(self.core, name, self.id, private).id

    async def rename_channel(self, channel: str, name: str) -> None:
        self._active()
        membership.rename(self.core, self._mine(channel), name, self.id)

    async def archive_channel(self, channel: str) -> None:
        self._active()
        membership.archive(self.core, self._mine(channel), self.id)

    async def unarchive_channel(self, channel: str) -> None:
        self._active()
        membership.unarchive(self.core, self._mine(channel), self.id)

    # ---- the app --------------------------------------------------------------------------------------------------

    async def command(self, channel: str, command: str, text: str = "") -> Outcome:
        """Type a slash command in a conversation: the app's, or `/invite @name`, which is the workspace's own."""
        self._active()
        if command == "/invite":
            await self.invite(channel, text.strip())
            return Outcome(True)
        return await interactions.send_command(self.core, self.user, self._mine(channel), command, text)

    async def shortcut(self, callback_id: str) -> Outcome:
        self._active()
        return await interactions.send_shortcut(self.core, self.user, callback_id)

    async def message_shortcut(self, channel: str, ts: str, callback_id: str) -> Outcome:
        self._active()
        room = self._mine(channel)
        message = self.message(room, ts)
        return await interactions.send_message_shortcut(self.core, self.user, room, message, callback_id)

    async def act(self, place: Place, block_id: str, action_id: str, value: Any, state: Json) -> Outcome:
        """Use an element; value and state in Slack's own shapes."""
        self._active()
        return await interactions.send_action(self.core, self.user, place, block_id, action_id, value, state)

    async def ask_options(self, place: Place, block_id: str, action_id: str, typed: str) -> Outcome:
        self._active()
        return await interactions.ask_options(self.core, self.user, place, block_id, action_id, typed)

    async def submit_view(self, view: View, state: Json) -> Outcome:
        """Press submit in a modal; state in Slack's own shape."""
        self._active()
        return await interactions.submit_view(self.core, self.user, view, state)

    async def close(self, clear: bool = False) -> Outcome:
        """Close the top modal, or with `clear` all of them."""
        return await interactions.close_view(self.core, self.user, everything=clear)

    async def install(self, address: str, *, without: Iterable[str] = (), everywhere: bool = False) -> str:
        """Allow on the authorisation page at `address` what the app asks for, in this workspace or everywhere in its
        organisation; where the browser goes then."""
        self._active()
        return authorisation.allow(self.core, self.user, self._asked(address), without, everywhere=everywhere)

    async def refuse_to_install(self, address: str) -> str:
        """Cancel on the authorisation page at `address`; where the browser goes then."""
        return authorisation.cancel(self._asked(address))

    def _asked(self, address: str) -> authorisation.Asked:
        return authorisation.read_asked(self.core, dict(parse_qsl(urlsplit(address).query, keep_blank_values=True)))

    async def let_in(self, on: bool = True) -> None:
        """As an admin say whether the organisation's installation of the app may be used in this workspace."""
        self._active()
        if not self.user.is_admin:
            raise SandboxError(f"{self.user.real_name} is no admin of {self.core.workspace.name}.")
        change = installing.grant_access if on else installing.withdraw_access
        change(installing.organisation_of(self.core), [self.core])

    async def open_home(self) -> None:
        """Open the app's Home tab; returns when the app has taken the event, or failed to at first."""
        self._active()
        await self._open_app("home")

    async def open_app_messages(self) -> None:
        self._active()
        await self._open_app("messages")

    async def _open_app(self, tab: str) -> None:
        self.core.require_app()
        channel = membership.app_channel(self.core, self.id)
        first_attempt = home_event(self.core, self.id, channel, tab)
        if first_attempt is not None:
            await asyncio.shield(first_attempt)
