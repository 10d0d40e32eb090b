"""What a delivery speaks of, read again at the moment of sending, with the rights of whoever gets it."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.items import with_own_rows
from models.kinds import Item
from models.permissions import Actor, actor_of, visible_records
from models.tables import Delivery, DeliveryState, Person, Project, Record


async def item_of(
    session: AsyncSession, delivery: Delivery, *, seen_by: Actor | None = None
) -> tuple[Item, Project] | None:
    """The delivery's record with its project; None when it is gone or, given `seen_by`, hidden from that person."""
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Record.id) == delivery.record_id)
    )
    if seen_by is not None:
        query = query.where(visible_records(seen_by))
    found = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    return found[0] if found else None


async def reader_of(session: AsyncSession, delivery: Delivery) -> Person | None:
    """The person a direct message is for; None when they are unknown, deactivated or an app."""
    person = await directory.person(session, delivery.target)
    return person if person is not None and person.is_active and not person.is_bot else None


async def seen_item(session: AsyncSession, delivery: Delivery) -> tuple[Item, Project] | None:
    """The record of a direct message, if the person it is for may still see it."""
    reader = await reader_of(session, delivery)
    if reader is None:
        return None
    return await item_of(session, delivery, seen_by=actor_of(reader))


async def told_by(session: AsyncSession, delivery: Delivery) -> Delivery | None:
    """The message that the delivery draws anew (`of`), if it stands in Slack."""
    told = (await session.exec(select(Delivery).where(col(Delivery.id) == delivery.payload["of"]))).first()
    is_there = told is not None and told.state is DeliveryState.SENT and told.slack_channel and told.slack_ts
    return told if is_there else None


async def standing(session: AsyncSession, delivery: Delivery, kind: str) -> Delivery | None:
    """The message of that kind that was sent in the delivery's lane and that stands in Slack."""
    query = select(Delivery).where(
        col(Delivery.lane) == delivery.lane,
        col(Delivery.state) == DeliveryState.SENT,
        col(Delivery.kind) == kind,
        col(Delivery.slack_ts).is_not(None),
    )
    return (await session.exec(query.order_by(col(Delivery.id).desc()).limit(1))).first()
