"""The question to somebody whose reaction saved a draft: what is missing, and whether it was meant."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import Delivery
from scheduler.deliveries import DeliveryKind
from scheduler.deliveries import Draft as Drawn
from scheduler.notices.private import owe_directly, privately
from scheduler.reading import seen_item
from views import cards


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Drawn | None:
    """Asked only while it is a draft that the person may see."""
    found = await seen_item(session, delivery)
    if found is None:
        return None
    item, project = found
    if item.record.is_archived or not item.record.is_draft:
        return None
    return privately(delivery, cards.draft_saved(item, project, began=bool(delivery.payload.get("began"))))


DRAFT = DeliveryKind(key="draft", draw=draw, late_limit=timedelta(hours=4), failed=owe_directly)
