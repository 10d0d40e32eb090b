"""The one direct message by which an owner learns of all the records that a batch made theirs."""

from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.items import with_own_rows
from models.permissions import actor_of, visible_records
from models.tables import Act, Delivery, History, Project, Record
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import reader_of
from views import cards
from views.values import name_of


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What of the batch the person owns by now, is open and may be seen by them."""
    owner = await reader_of(session, delivery)
    if owner is None:
        return None
    theirs = select(History.record_id).where(
        col(History.batch) == delivery.payload["batch"],
        or_(col(History.act) == Act.CREATED, col(History.field).in_(("owner_id", "is_archived"))),
    )
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Record.id).in_(theirs),
            col(Record.owner_id) == owner.id,
            col(Record.is_open),
            col(Record.is_archived).is_(False),
            visible_records(actor_of(owner)),
        )
        .order_by(col(Record.id))
    )
    items = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    if not items:
        return None
    by = name_of(await directory.people(session, [delivery.payload["by"]]), delivery.payload["by"])
    return Draft("post", owner.id, cards.assigned_batch(items, actor_of(owner), now=now, by=by))


ASSIGNED_BATCH = DeliveryKind(key="assigned_batch", draw=draw, late_limit=timedelta(hours=24))
