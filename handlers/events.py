"""What Slack tells of itself: joined channels, changed people, renamed channels, a message to Steward."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from handlers.replies import Nothing, Reply
from handlers.request import Deps, Request
from models import capturing, directory, operations, outbox, projects
from models.labels import SourceChange
from models.permissions import Actor, Standing


async def somebody_joined(request: Request, deps: Deps) -> Reply:
    """Keep the membership true; greet once when it is Steward itself that joined."""
    channel = request.channel
    if channel is None:
        return Nothing()
    if request.person.id != request.bot_user_id:
        await directory.joined(deps.session, channel.id, request.person.id)
        return Nothing()
    channel.has_bot = True
    deps.session.add(channel)
    if channel.greeted_at is None:
        lane = f"hello:{channel.id}"
        key = f"{lane}:{request.payload.get('event_ts')}"
        await outbox.put(deps.session, "hello", key=key, lane=lane, target=channel.id, due_at=deps.now)
    await operations.owe_missing_cards(deps.session, channel.id, now=deps.now)
    return Nothing()


async def somebody_left(request: Request, deps: Deps) -> Reply:
    """Forget the membership, so that a private project closes for whoever left."""
    if request.channel is not None:
        if request.person.id == request.bot_user_id:
            return await bot_left(request, deps)
        await directory.left(deps.session, request.channel.id, request.person.id)
    return Nothing()


async def bot_left(request: Request, deps: Deps) -> Reply:
    """Steward was removed from a channel."""
    if request.channel is not None:
        await directory.bot_left(deps.session, request.channel)
    return Nothing()


async def channel_renamed(request: Request, deps: Deps) -> Reply:
    """A channel has another name; its project too, if it bears the channel's."""
    described = request.payload.get("channel")
    name = described.get("name") if isinstance(described, dict) else None
    if request.channel is not None and name:
        before, request.channel.name = request.channel.name, str(name)
        deps.session.add(request.channel)
        itself = Actor(request.bot_user_id, Standing.MEMBER)
        await projects.follow_name(
            deps.session, request.channel.id, before=before, name=str(name), actor=itself, now=deps.now
        )
    return Nothing()


async def channel_archived(request: Request, deps: Deps) -> Reply:
    """A channel was archived, opened again or deleted. Who was in it still sees its project."""
    if request.channel is not None:
        request.channel.is_archived = not request.name.endswith("_unarchive")
        if request.name.endswith("_deleted"):
            request.channel.has_bot = False
        deps.session.add(request.channel)
    return Nothing()


async def channel_moved(request: Request, deps: Deps) -> Reply:
    """A private channel has another id, as when it is shared with another company."""
    old_id, new_id = (str(request.payload.get(f"{which}_channel_id") or "") for which in ("old", "new"))
    if old_id and new_id:
        await directory.move_channel(deps.session, old_id, new_id)
    return Nothing()


async def noted(request: Request, deps: Deps) -> Reply:
    """What Slack says of the channel was read anew before this."""
    return Nothing()


async def is_source(session: AsyncSession, payload: Mapping[str, Any]) -> bool:
    """Whether a record was made from the message that the event is about."""
    return await capturing.is_source(session, str(payload.get("channel")), _changed_ts(payload))


async def source_edited(request: Request, deps: Deps) -> Reply:
    """Note it on the records made from the message."""
    await _note_source(request, deps, SourceChange.EDITED)
    return Nothing()


async def source_deleted(request: Request, deps: Deps) -> Reply:
    """The same for one that is gone."""
    await _note_source(request, deps, SourceChange.DELETED)
    return Nothing()


async def _note_source(request: Request, deps: Deps, change: SourceChange) -> None:
    """Slack does not say who did it, an admin may have; so Steward is who noticed."""
    await operations.source_changed(
        deps.session,
        str(request.payload.get("channel")),
        _changed_ts(request.payload),
        change,
        by=request.bot_user_id,
        now=deps.now,
    )


def _changed_ts(payload: Mapping[str, Any]) -> str:
    """The `ts` of the message that was edited or deleted; the event has another."""
    before = payload.get("previous_message") or {}
    return str(payload.get("deleted_ts") or before.get("ts") or "")


async def written_to(request: Request, deps: Deps) -> Reply:
    """A message in Steward's own conversation: say what it understands instead, never silence."""
    if request.payload.get("subtype") or request.payload.get("bot_id"):
        return Nothing()
    key = f"answer:{request.payload.get('channel')}:{request.payload.get('ts')}"
    await outbox.put(deps.session, "how_to", key=key, target=request.person.id, due_at=deps.now)
    return Nothing()
