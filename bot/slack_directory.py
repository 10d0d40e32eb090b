"""Keeps our tables of people and channels in step with Slack: warmed at start, fed by events, asked when unknown."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.slack_port import PAGE, SlackError, SlackPort, SlackRefused, pages
from models import directory, erased, leaving, projects, standups
from models.clock import Clock
from models.database import Database
from models.database_errors import DatabaseBusy
from models.permissions import Actor, Standing
from models.tables import Channel, Person, Workspace

log = logging.getLogger(__name__)

# How long a person's request waits for Slack to say who or what it is about, in seconds; it has three in all.
PATIENCE_SECONDS = 1.0
MEMBERS_PAGE = 1_000

# What a decision hangs on was read from Slack at most so long ago, whatever events were missed.
FRESH = timedelta(seconds=60)
# In the background it is read twice as often, so that people seldom wait for it: so many channels each time.
REFRESH_SECONDS = 15
REFRESH_AGE = timedelta(seconds=30)
REFRESH_AT_ONCE = 10
REREAD_SECONDS = 3_600
# A channel that Slack did not tell about is not asked for again at once.
PAUSE_SECONDS = 5.0


class SlackDirectory:
    """What we know of one workspace's people and channels, and how we learn more."""

    def __init__(self, database: Database, port: SlackPort, clock: Clock, workspace: Workspace) -> None:
        self._database = database
        self._port = port
        self._clock = clock
        self._workspace = workspace
        self.is_warm = asyncio.Event()
        # The token of a whole organisation does not say of which workspace Slack is to list people and channels.
        self._of_workspace: dict[str, Any] = {"team_id": workspace.id} if workspace.organisation_wide else {}
        self._asked: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def warm(self) -> None:
        """Read everybody and every channel once. Slack's refusals are logged and leave what was known."""
        listed: set[str] = set()
        try:
            await self._read_people()
            async for found in pages(
                self._port,
                "conversations.list",
                "channels",
                types="public_channel,private_channel",
                exclude_archived=False,
                **self._of_workspace,
            ):
                await self._save_channel(found, await self._members(found) if found.get("is_member") else None)
                listed.add(str(found["id"]))
            await self._forget_left(listed)
        except SlackError as error:
            log.warning("could not read the whole workspace from Slack: %s", error.code)

    async def _read_people(self) -> None:
        """Everybody whom Slack lists; of those it no longer lists each is asked about."""
        listed: set[str] = set()
        async for member in pages(self._port, "users.list", "members", include_locale=True, **self._of_workspace):
            await self.save_person(member)
            listed.add(str(member["id"]))
        async with self._database.unit(self._workspace.id, writes=False) as session:
            missing = await directory.unlisted(session, listed)
        for person in missing[:PAGE]:
            try:
                described = await self._person(person.id)
            except SlackRefused as error:
                if error.code == "user_not_found":
                    await self._save_person(Person(**{**person.model_dump(), "is_active": False}))
            else:
                await self.save_person(described)

    async def _person(self, person_id: str) -> Mapping[str, Any]:
        return await self._described("users.info", "user", user=person_id, include_locale=True)

    async def _described(self, method: str, key: str, **arguments: Any) -> Mapping[str, Any]:
        """What Slack says of a person or channel. Raises SlackError, also where that is nothing: rights hang on it."""
        described = (await self._port.call(method, **arguments)).get(key)
        if not isinstance(described, Mapping) or not described.get("id"):
            raise SlackRefused(f"no_{key}")
        return described

    async def _forget_left(self, listed: set[str]) -> None:
        """Channels that Slack no longer lists: Steward was removed from them while nobody was here to be told."""
        async with self._database.unit(self._workspace.id) as session:
            for channel in await directory.channels_with_bot(session):
                if channel.id not in listed:
                    await directory.bot_left(session, channel)

    async def keep_fresh(self) -> None:
        """Read everything now and once an hour, and who is in the channels of projects all the time, until cancelled.

        `is_warm` is set when everything was read once.
        """
        reread_at = _now()
        while True:
            try:
                if _now() >= reread_at:
                    reread_at = _now() + REREAD_SECONDS
                    await self.warm()
                await self.refresh()
            except Exception:
                log.exception("people and channels could not be read again")
            self.is_warm.set()
            await asyncio.sleep(REFRESH_SECONDS)

    async def settle(self) -> None:
        """Let what is being read come to its end."""
        if self._asking:
            await asyncio.wait(set(self._asking.values()))

    async def refresh(self) -> None:
        """Ask Slack about some channels of projects: private ones and those asked longest ago first.

        This is how a channel that was made private, renamed or archived is found where no event tells of it.
        """
        async with self._database.unit(self._workspace.id, writes=False) as session:
            channels = await directory.channels_of_projects(session)
        now = self._clock.now()
        ages = {each.id: now - (each.members_known_at or datetime.min.replace(tzinfo=UTC)) for each in channels}
        due = [each for each in channels if ages[each.id] > REFRESH_AGE]
        due.sort(key=lambda each: ages[each.id] * (2 if each.is_private else 1), reverse=True)
        await self.reread(each.id for each in due[:REFRESH_AT_ONCE])

    async def freshen(self, person_id: str, channel_id: str = "") -> None:
        """Ask Slack again where this person is, as far as what they may see hangs on that and it was read too long ago.

        Where Slack does not answer in time, what it last said holds.
        """
        async with self._database.unit(self._workspace.id, writes=False) as session:
            stale = await directory.stale_channels(session, person_id, channel_id, asked_before=self.fresh_since())
        await self.reread(stale[:REFRESH_AT_ONCE])

    def fresh_since(self) -> datetime:
        """What was read before this instant is to be read again before a decision hangs on it."""
        return self._clock.now() - FRESH

    async def reread(self, channel_ids: Iterable[str]) -> None:
        """Read these channels anew, each only once at a time and not again right after a failure."""
        wanted = set()
        for channel_id in channel_ids:
            task = self._asking.get(channel_id)
            if task is None and _now() - self._asked.get(channel_id, -PAUSE_SECONDS) >= PAUSE_SECONDS:
                task = asyncio.ensure_future(self._reread(channel_id))
                self._asking[channel_id] = task
                task.add_done_callback(lambda _, channel_id=channel_id: self._asking.pop(channel_id))  # type: ignore[misc]
            if task is not None:
                wanted.add(task)
        if wanted:
            await asyncio.wait(wanted)

    async def _reread(self, channel_id: str) -> None:
        """Store what Slack says of a known channel. What was known stays where it says nothing or is not kept."""
        members = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await self._described("conversations.info", "channel", channel=channel_id)
                members = await self._members(found)
            await self._save_channel(found, members)
        except (SlackError, TimeoutError, DatabaseBusy) as error:
            code = getattr(error, "code", "too slow")
            log.warning("channel %s could not be read again: %s", channel_id, code)
            self._asked[channel_id] = _now()
            if code == "channel_not_found":
                async with self._database.unit(self._workspace.id) as session:
                    await directory.closed(session, channel_id)
            return
        if members is None:
            self._asked[channel_id] = _now()

    async def save_person(self, described: Mapping[str, Any]) -> None:
        """Store a person as Slack describes them. When somebody left, those are told who can hand on their work."""
        await self._save_person(person_from(described, self._workspace.id))

    async def _save_person(self, found: Person, *, acts: bool = False) -> None:
        person_id = found.id
        async with self._database.unit(self._workspace.id) as session:
            if acts:
                await erased.meet_again(session, person_id)
            turn = await directory.save_person(session, found)
            if turn.has_left:
                await leaving.note(session, person_id, self._clock.now())
            if turn.has_moved:
                await standups.bring_forward(session, found, self._clock.now())

    async def learn_person(self, person_id: str) -> None:
        """Ask Slack who acts there, and store it. Does nothing when Slack does not answer in time.

        Somebody who was erased is met like anybody new.
        """
        await self._learn_person(person_id, acts=True)

    async def learn_named(self, person_id: str) -> None:
        """The same of somebody who is only spoken of: who was erased stays so."""
        await self._learn_person(person_id, acts=False)

    async def _learn_person(self, person_id: str, *, acts: bool) -> None:
        try:
            described = await asyncio.wait_for(self._person(person_id), PATIENCE_SECONDS)
        except (SlackError, TimeoutError) as error:
            log.warning("could not read a person from Slack: %s", error)
            return
        await self._save_person(person_from(described, self._workspace.id), acts=acts)

    async def learn_channel(self, channel_id: str, name: str = "") -> None:
        """Ask Slack what channel that is and who is in it, and store it.

        Where Slack does not say, the channel counts as private and unreadable: its records stay with whoever logs them.
        """
        found: Mapping[str, Any] = {"id": channel_id, "name": name or "private channel", "is_private": True}
        members = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await self._described("conversations.info", "channel", channel=channel_id)
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
        """Who is in the channel, or None when Slack will not tell."""
        try:
            return [
                str(member)
                async for member in pages(
                    self._port, "conversations.members", "members", limit=MEMBERS_PAGE, channel=found["id"]
                )
            ]
        except SlackError as error:
            log.info("members of %s cannot be read: %s", found.get("id"), error.code)
            return None

    async def _save_channel(self, described: Mapping[str, Any], members: list[str] | None) -> None:
        found, now = channel_from(described), self._clock.now()
        channel_id, name = found.id, found.name
        async with self._database.unit(self._workspace.id) as session:
            before = await directory.save_channel(session, found, members, now)
            if before is not None and described.get("name"):
                itself = Actor(self._workspace.bot_user_id, Standing.MEMBER)
                await projects.follow_name(session, channel_id, before=before, name=name, actor=itself, now=now)


def _now() -> float:
    return asyncio.get_running_loop().time()


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
