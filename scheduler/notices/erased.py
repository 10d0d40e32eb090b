"""What follows when somebody was erased: a word to whoever answers for what has no owner now, and their replies."""

from datetime import datetime, timedelta

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import leaving, letting_go
from models.leaving import LeftBehind
from models.tables import Delivery, Project, Record
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.notices.card_left import always
from scheduler.notices.left_behind import MOST_CHANNELS
from scheduler.reading import reader_of
from views.leaving import ownerless, taken_out


async def draw_ownerless(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What still has no owner or coordinator in the projects this person answers for; nothing once all have."""
    reader = await reader_of(session, delivery)
    if reader is None:
        return None
    found = [
        left
        for left in await _without_anybody(session, delivery)
        if reader.id in await leaving.heirs_of(session, left.project)
    ]
    if not found:
        return None
    channels = [f"<#{left.project.home_channel_id}>" for left in found if left.records][:MOST_CHANNELS]
    return Draft("post", reader.id, ownerless(found, " ".join(["0", *channels, "nobody"])))


async def _without_anybody(session: AsyncSession, delivery: Delivery) -> list[LeftBehind]:
    records = (
        select(Record.project_id, func.count())
        .where(
            col(Record.id).in_(delivery.payload["records"]),
            col(Record.owner_id).is_(None),
            col(Record.is_open),
            col(Record.is_archived).is_(False),
        )
        .group_by(col(Record.project_id))
    )
    counts = dict((await session.exec(records)).all())
    vacated = delivery.payload["vacated"]
    query = select(Project).where(col(Project.id).in_({*counts, *vacated}), col(Project.archived_at).is_(None))
    found = [
        LeftBehind(project, counts.get(project.id or 0, 0), project.id in vacated and project.coordinator_id is None)
        for project in await session.exec(query.order_by(col(Project.name)))
    ]
    return [left for left in found if left.records or left.coordinates]


async def draw_reply(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The reply in a stand-up's thread without what it said."""
    return Draft("update", delivery.target, taken_out(), ts=delivery.payload["ts"])


ERASED_KINDS = (
    DeliveryKind(key=letting_go.OWNERLESS, draw=draw_ownerless, late_limit=timedelta(days=7)),
    DeliveryKind(key=letting_go.REPLY, draw=draw_reply, late_limit=None, may_repeat=always),
)
