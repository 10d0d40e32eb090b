"""The direct message by which somebody learns that a record is theirs, or that they help with it."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.permissions import actor_of
from models.tables import Delivery
from reports.around import around
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import seen_item
from views import cards
from views.blocks import Message


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Drawn only while the open record is theirs and they may see it."""
    found = await seen_item(session, delivery)
    if found is None or found[0].record.is_archived or not found[0].record.is_open:
        return None
    if not cards.is_in_hands_of(found[0], delivery.target):
        return None
    message = await word_for(session, delivery, now)
    return Draft("post", delivery.target, message) if message else None


async def word_for(session: AsyncSession, delivery: Delivery, now: datetime) -> Message | None:
    """What the person is to read of the record by now; None when they may no longer see it."""
    found = await seen_item(session, delivery)
    if found is None:
        return None
    item, project = found
    by = delivery.payload.get("by")
    people = await directory.people(session, {*cards.people_of(item), delivery.target, by})
    if not cards.is_in_hands_of(item, delivery.target):
        return cards.taken_over(item, people)
    reader = actor_of(people[delivery.target])
    return cards.assigned(
        item,
        project,
        people,
        now=now,
        around=await around(session, item, seen_by=reader),
        reader=reader,
        by=by,
    )


ASSIGNED = DeliveryKind(key="assigned", draw=draw, late_limit=timedelta(hours=24))
