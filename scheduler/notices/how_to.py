"""The answer to a message somebody wrote to Steward: what it understands instead."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft, once
from scheduler.reading import reader_of
from views import help as help_views


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    if await reader_of(session, delivery) is None:
        return None
    return Draft("post", delivery.target, help_views.how_to())


HOW_TO = DeliveryKind(key="how_to", draw=draw, late_limit=timedelta(minutes=30), may_repeat=once)
