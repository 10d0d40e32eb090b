"""The question about a risk whose trigger date has passed: is it over, or is the day another one?"""

from datetime import date, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import manners
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import seen_item
from views import cards


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Asked only while the record is open with that last day, of whom it belongs to."""
    found = await seen_item(session, delivery)
    if found is None:
        return None
    item, project = found
    record = item.record
    day = date.fromisoformat(delivery.payload["day"])
    if record.is_archived or not record.is_open or not item.kind.expires or item.value(item.kind.expires) != day:
        return None
    assert record.id is not None
    is_asked = delivery.target == (record.owner_id or project.coordinator_id)
    if not is_asked or await manners.is_muted(session, delivery.target, record.id):
        return None
    return Draft("post", delivery.target, cards.expired(item, project, day))


EXPIRED = DeliveryKind(key="expired", draw=draw, late_limit=timedelta(hours=24))
