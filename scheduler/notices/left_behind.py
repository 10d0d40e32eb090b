"""The one direct message to whoever answers for a project that somebody has left who owned or coordinated something."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, leaving
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import reader_of
from views.leaving import left_behind

# A button's value takes 2,000 characters.
MOST_CHANNELS = 50


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What is still left behind in the projects this person answers for; nothing when somebody else saw to it."""
    reader = await reader_of(session, delivery)
    leaver = await directory.person(session, delivery.payload["person"])
    if reader is None or leaver is None or leaver.is_active:
        return None
    found = [
        left
        for left in await leaving.left_behind(session, leaver.id, delivery.payload.get("vacated", ()))
        if reader.id in await leaving.heirs_of(session, left.project)
    ]
    if not found:
        return None
    channels = [f"<#{left.project.home_channel_id}>" for left in found if left.records][:MOST_CHANNELS]
    line = " ".join(["0", *channels, f"<@{leaver.id}>"])
    return Draft("post", reader.id, left_behind(leaver, found, line))


LEFT_BEHIND = DeliveryKind(key="left_behind", draw=draw, late_limit=timedelta(days=7))
