"""What stands where a record's card was, once the record moved to another project: that it did, and nothing else."""

from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import Card, Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import item_of
from views.cards import moved_away


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The old card as one line; nothing where there was no card, or the record is back."""
    found = await item_of(session, delivery)
    card = (await session.exec(select(Card).where(col(Card.record_id) == delivery.record_id))).first()
    if found is None or card is None or card.channel_id == found[0].record.channel_id:
        return None
    return Draft("update", card.channel_id, moved_away(found[0]), ts=card.ts)


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """The line is no card: the next one is posted where the record is now."""
    await failed(session, delivery, now)


async def failed(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """A card that Slack will not let us change is left behind as it is."""
    await session.exec(delete(Card).where(col(Card.record_id) == delivery.record_id))


async def always(session: AsyncSession, delivery: Delivery) -> bool:
    """An update may be repeated freely."""
    return True


CARD_LEFT = DeliveryKind(key="card_left", draw=draw, late_limit=None, may_repeat=always, sent=sent, failed=failed)
