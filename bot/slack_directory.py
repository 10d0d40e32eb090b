"""Keeps our tables of people and channels in step with Slack: warmed at start, fed by events, asked when unknown."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.slack_port import SlackError, SlackPort
from models import directory
from models.clock import Clock
from models.database import Database
from models.tables import Channel, Person, Workspace

log = logging.getLogger(__name__)

# How long a person's request waits for Slack to say who or what it is about, in seconds; it has three in all.
PATIENCE_SECONDS = 1.0
PAGE = 200


class SlackDirectory:
    """What we know of one workspace's people and channels, and how we learn more."""

    def __init__(self, database: Database, port: SlackPort, clock: Clock, workspace: Workspace) -> None:
        self._database = database
        self._port = port
        self._clock = clock
        self._workspace = workspace

    async def warm(self) -> None:
        """Read everybody and every channel once. Slack's refusals are logged and leave what was known."""
        listed: set[str] = set()
        try:
            async for member in self._pages("users.list", "members", include_locale=True):
                await self.save_person(member)
            async for found in self._pages(
                "conversations.list", "channels", types="public_channel,private_channel", exclude_archived=False
            ):
                await self._save_channel(found, await self._members(found) if found.get("is_member") else None)
                listed.add(str(found["id"]))
            await self._forget_left(listed)
        except SlackError as error:
            log.warning("could not read the whole workspace from Slack: %s", error.code)

    async def _forget_left(self, listed: set[str]) -> None:
        """Channels that Slack no longer lists: Steward was removed from them while nobody was here to be told."""
        async with self._database.unit(self._workspace.id) as session:
            for channel in await directory.channels_with_bot(session):
                if channel.id not in listed:
                    await directory.bot_left(session, channel)

    async def save_person(self, described: Mapping[str, Any]) -> None:
        """Store a person as Slack describes them."""
        async with self._database.unit(self._workspace.id) as session:
            await directory.save_person(session, person_from(described, self._workspace.id))

    async def learn_person(self, person_id: str) -> None:
        """Ask Slack who that is, and store it. Does nothing when Slack does not answer in time."""
        try:
            call = self._port.call("users.info", user=person_id, include_locale=True)
            answer = await asyncio.wait_for(call, PATIENCE_SECONDS)
        except (SlackError, TimeoutError) as error:
            log.warning("could not read a person from Slack: %s", error)
            return
        await self.save_person(answer.get("user") or {"id": person_id})

    async def learn_channel(self, channel_id: str, name: str = "") -> None:
        """Ask Slack what channel that is and who is in it, and store it.

        Where Slack does not say, the channel counts as private and unreadable: its records stay with whoever logs them.
        """
        found: dict[str, Any] = {"id": channel_id, "name": name or "private channel", "is_private": True}
        members = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = (await self._port.call("conversations.info", channel=channel_id)).get("channel") or found
                members = await self._members(found)
        except (SlackError, TimeoutError) as error:
            log.info("channel %s cannot be read: %s", channel_id, getattr(error, "code", "too slow"))
        if not (found.get("is_im") or found.get("is_mpim")):
            await self._save_channel(found, members)

    async def permalink(self, channel_id: str, ts: str) -> str:
        """The message's address, or nothing when Slack does not answer in time."""
        try:
            call = self._port.call("chat.getPermalink", channel=channel_id, message_ts=ts)
            return str((await asyncio.wait_for(call, PATIENCE_SECONDS)).get("permalink", ""))
        except (SlackError, TimeoutError):
            return ""

    async def text_of(self, channel_id: str, ts: str, thread_ts: str) -> str:
        """The words of a message; nothing where Slack does not answer in time, or lets us read no messages there."""
        try:
            # One call for both: where the message is no reply, it is the first of its own thread.
            call = self._port.call(
                "conversations.replies",
                channel=channel_id,
                ts=thread_ts or ts,
                oldest=ts,
                latest=ts,
                inclusive=True,
                limit=2,
            )
            found = (await asyncio.wait_for(call, PATIENCE_SECONDS)).get("messages") or ()
        except (SlackError, TimeoutError) as error:
            log.info("a message in %s cannot be read: %s", channel_id, getattr(error, "code", "too slow"))
            return ""
        return next((str(message.get("text") or "") for message in found if message.get("ts") == ts), "")

    async def _members(self, found: Mapping[str, Any]) -> list[str] | None:
        """Who is in the channel, or None when Slack will not tell; strangers among them are learned in passing."""
        try:
            return [
                str(member) async for member in self._pages("conversations.members", "members", channel=found["id"])
            ]
        except SlackError as error:
            log.info("members of %s cannot be read: %s", found.get("id"), error.code)
            return None

    async def _save_channel(self, described: Mapping[str, Any], members: list[str] | None) -> None:
        async with self._database.unit(self._workspace.id) as session:
            await directory.save_channel(session, channel_from(described), members, self._clock.now())

    async def _pages(self, method: str, key: str, **arguments: Any) -> AsyncIterator[Any]:
        cursor = ""
        while True:
            answer = await self._port.call(method, limit=PAGE, cursor=cursor or None, **arguments)
            for each in answer.get(key) or ():
                yield each
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return


def person_from(described: Mapping[str, Any], workspace_id: str) -> Person:
    """A person from Slack's user object; what Slack leaves out, leaves null or leaves empty counts as not given."""
    profile = described.get("profile") or {}
    name = str(described.get("name") or described.get("id"))
    return Person(
        workspace_id=workspace_id,
        id=str(described["id"]),
        name=name,
        real_name=str(profile.get("real_name") or described.get("real_name") or profile.get("display_name") or name),
        timezone=str(described.get("tz") or "UTC"),
        locale=described.get("locale") or None,
        is_admin=bool(described.get("is_admin") or described.get("is_owner")),
        is_guest=bool(described.get("is_restricted") or described.get("is_ultra_restricted")),
        is_external=bool(described.get("is_stranger")) or _is_elsewhere(described, workspace_id),
        # Slackbot says that it is no bot.
        is_bot=bool(described.get("is_bot")) or described.get("id") == "USLACKBOT",
        is_active=not described.get("deleted"),
    )


def channel_from(described: Mapping[str, Any]) -> Channel:
    """A channel from Slack's conversation object; private unless Slack says otherwise."""
    is_public = described.get("is_channel") is True and described.get("is_private") is False
    return Channel(
        id=str(described["id"]),
        name=str(described.get("name") or "channel"),
        is_private=not is_public,
        is_archived=bool(described.get("is_archived")),
        is_shared=bool(described.get("is_ext_shared") or described.get("is_shared")),
        has_bot=bool(described.get("is_member")),
    )


def _is_elsewhere(described: Mapping[str, Any], workspace_id: str) -> bool:
    """Whether the person belongs to another workspace and to no organisation that ours is part of."""
    team_id = described.get("team_id")
    return bool(team_id) and team_id != workspace_id and not described.get("enterprise_user")
