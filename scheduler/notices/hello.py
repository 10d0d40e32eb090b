"""The one greeting when Steward joins a channel."""

from datetime import datetime, timedelta

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.tables import Channel, Delivery, Workspace
from scheduler.deliveries import DeliveryKind, Draft
from views import cards


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Nothing for a channel that was archived or that Steward has left meanwhile."""
    channel = await _channel(session, delivery)
    if channel is None or channel.is_archived or not channel.has_bot:
        return None
    bot_user_id = (await session.exec(select(Workspace.bot_user_id))).one()
    return Draft("post", channel.id, cards.hello(channel, bot_user_id))


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Note when the channel was greeted."""
    channel = await _channel(session, delivery)
    if channel is not None:
        channel.greeted_at = now
        session.add(channel)


async def _channel(session: AsyncSession, delivery: Delivery) -> Channel | None:
    found = await directory.channel(session, delivery.target)
    return found[0] if found else None


HELLO = DeliveryKind(key="hello", draw=draw, late_limit=timedelta(hours=24), sent=sent)
