"""The one message that tells a channel, once Steward is in it, what was logged there before."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.notices.begun import still_there
from views.projects import logged_so_far


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What of it is still open and still belongs to the channel."""
    items = [
        (item, project)
        for item, project in await still_there(session, delivery)
        if item.record.is_open and item.record.channel_id == delivery.target
    ]
    return Draft("post", delivery.target, logged_so_far(items)) if items else None


SO_FAR = DeliveryKind(key="so_far", draw=draw, late_limit=timedelta(hours=24))
