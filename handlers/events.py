"""What Slack tells of itself: joined channels, changed people, renamed channels, a message to Steward."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from handlers.replies import Nothing, Reply
from handlers.request import Deps, Request
from models import capturing, directory, operations, outbox
from models.labels import SourceChange


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
        await directory.left(deps.session, request.channel.id, request.person.id)
        if request.person.id == request.bot_user_id:
            await directory.bot_left(deps.session, request.channel)
    return Nothing()


async def bot_left(request: Request, deps: Deps) -> Reply:
    """Steward was removed from a channel."""
    if request.channel is not None:
        await directory.bot_left(deps.session, request.channel)
    return Nothing()


async def channel_changed(request: Request, deps: Deps) -> Reply:
    """A channel was renamed, archived or opened again."""
    channel = request.channel
    if channel is None:
        return Nothing()
    described = request.payload.get("channel")
    if isinstance(described, dict) and described.get("name"):
        channel.name = str(described["name"])
    if request.name.endswith("_archive"):
        channel.is_archived = True
    if request.name.endswith("_unarchive"):
        channel.is_archived = False
    deps.session.add(channel)
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
