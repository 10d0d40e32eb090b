"""The one message that tells a channel of its new project and of the records it begins with."""

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.items import with_own_rows
from models.kinds import Item
from models.permissions import is_for_everybody
from models.tables import Delivery, Project, Record
from scheduler.deliveries import DeliveryKind, Draft
from views import projects as project_views


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The records that are still there; nothing once they were taken back or the project is archived."""
    items = await still_there(session, delivery)
    if not items:
        return None
    people = await directory.people(session, {delivery.payload["by"], items[0][1].coordinator_id})
    return Draft("post", delivery.target, project_views.begun_here(items, people, delivery.payload["by"]))


async def still_there(session: AsyncSession, delivery: Delivery) -> list[tuple[Item, Project]]:
    """The records that the delivery names, as far as they are there and their project is in use."""
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Record.id).in_(delivery.payload["records"]),
            col(Record.is_archived).is_(False),
            is_for_everybody(),
            col(Project.archived_at).is_(None),
        )
        .order_by(col(Record.id))
    )
    return await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])


BEGUN = DeliveryKind(key="begun", draw=draw, late_limit=timedelta(hours=24))
