"""A sentence to one person who acted where Slack offers no other way to answer."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft, once
from views.cards import trouble


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The stored sentence, to somebody who is still here."""
    person = await directory.person(session, delivery.target)
    if person is None or not person.is_active:
        return None
    return Draft("post", delivery.target, trouble(delivery.payload["sentence"]))


WORD = DeliveryKind(key="word", draw=draw, late_limit=timedelta(minutes=30), may_repeat=once)
