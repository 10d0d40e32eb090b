"""The direct message by which an owner learns that a record is theirs."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, links
from models.permissions import actor_of
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import seen_item
from views import cards


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Drawn only while the person owns the open record and may see it."""
    found = await seen_item(session, delivery)
    if found is None:
        return None
    item, project = found
    if item.record.is_archived or not item.record.is_open or item.record.owner_id != delivery.target:
        return None
    people = await directory.people(session, cards.people_of(item))
    owner = await directory.person(session, delivery.target)
    shown = await links.links_of(session, item, seen_by=actor_of(owner) if owner else None)
    return Draft("post", delivery.target, cards.assigned(item, project, people, now=now, links=shown))


ASSIGNED = DeliveryKind(key="assigned", draw=draw, late_limit=timedelta(hours=24))
