"""To the coordinator: somebody says that a record is not theirs, and named nobody else."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import seen_item
from views import digest as views


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Drawn only while the record is open, nobody's, and theirs to see."""
    found = await seen_item(session, delivery)
    if found is None or not found[0].record.is_open or found[0].record.is_archived or found[0].record.owner_id:
        return None
    people = await directory.people(session, {delivery.payload["by"]})
    return Draft(
        "post", delivery.target, views.nobodys(*found, people, delivery.payload["by"], delivery.payload["why"])
    )


NOBODYS = DeliveryKind(key="nobodys", draw=draw, late_limit=timedelta(hours=24))
"""One word for the coordinator; the record itself shows that nobody owns it."""
