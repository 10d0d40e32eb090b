"""The word to somebody who watches a record: its status or due date has changed."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, manners, watching
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import seen_item
from views import cards


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What others changed in the meantime, for somebody who still watches the record and may see it."""
    found = await seen_item(session, delivery)
    if found is None or found[0].record.is_archived:
        return None
    item, project = found
    assert item.record.id is not None
    if not await watching.is_watching(session, delivery.target, item.record.id):
        return None
    if await manners.is_muted(session, delivery.target, item.record.id):
        return None
    rows = await watching.news(session, item.record.id, delivery.target, delivery.payload["since"])
    people = await directory.people(session, {*cards.people_of(item), *(row.actor_id for row in rows)})
    message = cards.watched(item, project, people, rows)
    return Draft("post", delivery.target, message) if message else None


WATCHED = DeliveryKind(key=watching.NOTICE, draw=draw, late_limit=timedelta(hours=24), waits_for_day=True)
