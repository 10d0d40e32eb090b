"""The owner's one message on a morning: what is due that day and what is overdue."""

from datetime import date, datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.items import with_own_rows
from models.permissions import actor_of, visible_records
from models.projects import in_use
from models.tables import Delivery, Project, Record
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import reader_of
from views import cards


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What the owner may see of their open records; nothing when none is due that day any more."""
    owner = await reader_of(session, delivery)
    if owner is None:
        return None
    today = date.fromisoformat(delivery.payload["date"])
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Record.is_open),
            col(Record.is_archived).is_(False),
            col(Record.is_draft).is_(False),
            col(Record.owner_id) == owner.id,
            col(Record.due_date) <= today,
            in_use(),
            visible_records(actor_of(owner)),
        )
        .order_by(col(Record.due_date), col(Record.due_time), col(Record.id))
    )
    items = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    due_today = [(item, project) for item, project in items if item.record.due_date == today]
    overdue = [(item, project) for item, project in items if item.record.due_date != today]
    if not due_today:
        return None
    return Draft("post", owner.id, cards.morning(due_today, overdue, today=today))


MORNING = DeliveryKind(key="morning", draw=draw, late_limit=timedelta(hours=24), latest_only=True)
