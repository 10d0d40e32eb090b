"""What Slack tells of itself: joined channels, changed people, renamed channels, a message to Steward."""

from handlers.replies import Nothing, Reply
from handlers.request import Deps, Request
from models import directory, operations, outbox, projects
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
        await directory.left(deps.session, request.channel.id, request.person.id)
        if request.person.id == request.bot_user_id:
            await directory.bot_left(deps.session, request.channel)
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
    """A channel has another id, as when it is shared or made private."""
    old_id, new_id = (str(request.payload.get(f"{which}_channel_id") or "") for which in ("old", "new"))
    if old_id and new_id:
        await directory.move_channel(deps.session, old_id, new_id)
    return Nothing()


async def noted(request: Request, deps: Deps) -> Reply:
    """What Slack says of the channel was read anew before this."""
    return Nothing()


async def written_to(request: Request, deps: Deps) -> Reply:
    """A message in Steward's own conversation: say what it understands instead, never silence."""
    if request.payload.get("subtype") or request.payload.get("bot_id"):
        return Nothing()
    key = f"answer:{request.payload.get('channel')}:{request.payload.get('ts')}"
    await outbox.put(deps.session, "how_to", key=key, target=request.person.id, due_at=deps.now)
    return Nothing()
