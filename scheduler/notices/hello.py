"""The one greeting when Steward joins a channel."""

from datetime import datetime, timedelta

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.tables import Delivery, Workspace
from scheduler.deliveries import DeliveryKind, Draft
from views import cards


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Nothing for a channel that was greeted before or archived, or that Steward has left meanwhile."""
    found = await directory.channel(session, delivery.target)
    if found is None or found[0].greeted_at or found[0].is_archived or not found[0].has_bot:
        return None
    bot_user_id = (await session.exec(select(Workspace.bot_user_id))).one()
    return Draft("post", delivery.target, cards.hello(found[0], bot_user_id))


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Remember it, so that a channel which invites Steward back is not greeted again."""
    found = await directory.channel(session, delivery.target)
    assert found is not None
    found[0].greeted_at = now
    session.add(found[0])


HELLO = DeliveryKind(key="hello", draw=draw, late_limit=timedelta(hours=24), latest_only=True, sent=sent)
