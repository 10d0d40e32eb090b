"""The answer to somebody who writes to Steward in its own conversation."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft, once
from scheduler.reading import reader_of
from views.help import how_to


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Always the same words, to the person who wrote."""
    if await reader_of(session, delivery) is None:
        return None
    return Draft("post", delivery.target, how_to())


HOW_TO = DeliveryKind(key="how_to", draw=draw, late_limit=timedelta(minutes=30), may_repeat=once)
