"""The direct message that told somebody of a record, kept up with it: it moved on, or is no longer theirs."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.notices.assigned import word_for
from scheduler.notices.card_left import always
from scheduler.reading import reader_of, told_by
from views import cards


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The message as it should read now; nothing where it was never sent."""
    told = await told_by(session, delivery)
    if told is None or told.slack_channel is None or await reader_of(session, delivery) is None:
        return None
    message = await word_for(session, told, now) or cards.not_yours_any_more()
    return Draft("update", told.slack_channel, message, ts=told.slack_ts)


ASSIGNED_AGAIN = DeliveryKind(key="assigned_again", draw=draw, late_limit=None, may_repeat=always, latest_only=True)
