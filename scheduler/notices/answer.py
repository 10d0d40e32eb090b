"""The private answer to somebody who mentioned Steward: Slack gives such a message no address to answer to."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft, once
from scheduler.notices.private import owe_directly, privately
from views.blocks import Message


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The answer as it was given, to the person who asked, whom Slack may not have told us of yet."""
    person = await directory.person(session, delivery.target)
    if person is not None and not person.is_active:
        return None
    return privately(delivery, Message(delivery.payload["text"], delivery.payload["blocks"]))


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Forget the words: they were for that person, and have reached them."""
    delivery.payload = {}
    session.add(delivery)


ANSWER = DeliveryKind(
    key="answer", draw=draw, late_limit=timedelta(minutes=30), may_repeat=once, sent=sent, failed=owe_directly
)
