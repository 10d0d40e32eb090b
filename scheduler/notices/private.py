"""Words for one person where they acted: shown to them alone in the channel or its thread, else as a direct message.

Slack shows a private message only to members of the channel, and keeps it nowhere. A delivery for one person says in
its payload where that would be: `channel`, and `thread_ts` inside a thread.
"""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.tables import Delivery
from scheduler.deliveries import Draft
from views.blocks import Message


def privately(delivery: Delivery, message: Message) -> Draft:
    """The message to the delivery's person, where they acted if a channel is given."""
    channel, thread_ts = delivery.payload.get("channel"), delivery.payload.get("thread_ts")
    if not channel:
        return Draft("post", delivery.target, message)
    return Draft("whisper", channel, message, thread_ts=thread_ts or None, to=delivery.target)


async def owe_directly(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """After Slack has refused to show it in the channel: owe the same as a direct message."""
    if not delivery.payload.get("channel"):
        return
    await outbox.put(
        session,
        delivery.kind,
        key=f"{delivery.dedupe_key}:directly",
        target=delivery.target,
        record_id=delivery.record_id,
        payload={**delivery.payload, "channel": "", "thread_ts": ""},
        due_at=now,
    )
