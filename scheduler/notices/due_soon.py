"""The word before a due time, to the owner or whoever stands in for them."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory, manners, reminders
from models.permissions import is_closed
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.notices import reach
from scheduler.reading import reader_of, seen_item
from views import reminders as views


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The record with what can be done to it, while it is due then, theirs to hear of and wanted by them."""
    reader, found = await reader_of(session, delivery), await seen_item(session, delivery)
    if reader is None or found is None:
        return None
    item, project = found
    record = item.record
    is_gone = record.is_archived or record.is_draft or not record.is_open or is_closed(project)
    due = reminders.due_at(record, project)
    if is_gone or due is None or due <= now or delivery.payload.get("value") != reminders.value_of(record):
        return None
    owner = await directory.person(session, record.owner_id) if record.owner_id else None
    # Whoever it was given to meanwhile has read in that message when it is due.
    if owner is None or owner.id != delivery.payload.get("owner"):
        return None
    told = (await absences.reached(session, [owner], now)).get(owner.id)
    if told is None or told.id != reader.id or await manners.is_muted(session, reader.id, record.id or 0):
        return None
    return Draft("post", reader.id, views.due_soon(item, project, owner, reader, now=now, at=due))


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Whoever reads it can be reached."""
    await reach.found(session, delivery)


# It expires with the due time, which its row holds.
DUE_SOON = DeliveryKind(key="due_soon", draw=draw, late_limit=None, is_nag=True, sent=sent, failed=reach.lost)
