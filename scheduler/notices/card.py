"""A record's one card in its channel, in the thread of its source if it has one: posted once, updated ever after."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, outbox
from models.kinds import Item
from models.labels import SourceChange
from models.operations import is_confidential
from models.tables import Act, Card, Delivery, History, Project, Record
from reports.around import around
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.notices.assigned import ASSIGNED
from scheduler.notices.trouble import UNSURE, owe_trouble
from scheduler.reading import item_of
from views.cards import confidential_card, people_of, record_card

# A card that could not be posted for so long is left to the record's next change; an update is never too late.
POST_LIMIT = timedelta(hours=24)

# Somebody removed the message, or it is not ours to change: a new card takes its place.
LOST = frozenset({"message_not_found", "cant_update_message"})

# Slack takes no reply there: the card goes to the channel itself.
NO_THREAD = frozenset(
    {
        "cannot_reply_to_message",
        "thread_not_found",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
    }
)


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The card as the record is now; its first post mentions an owner who is in the channel and did not log it."""
    found = await item_of(session, delivery)
    if found is None:
        return None
    item, project = found
    card = await _card(session, delivery)
    if item.record.channel_id != (card.channel_id if card else delivery.target):
        # It moved meanwhile: what it says by now may be none of this channel's business.
        return None
    is_late = now - item.record.updated_at >= POST_LIMIT and not delivery.payload.get("asked")
    is_hidden = item.record.is_archived or is_confidential(item.record)
    if card is None and (is_hidden or is_late):
        return None
    if card is not None and is_confidential(item.record):
        return Draft("update", card.channel_id, confidential_card(item), ts=card.ts)
    people = await directory.people(session, people_of(item))
    shown = await around(session, item)
    if card is not None:
        if not await _may_stand_in(session, card.channel_id, project):
            return None
        message = record_card(item, project, people, now=now, around=shown)
        return Draft("update", card.channel_id, message, ts=card.ts)
    target = delivery.target if await _may_stand_in(session, delivery.target, project) else project.home_channel_id
    owner_id = await _owner_to_tell(session, delivery, item)
    if owner_id and not await directory.is_member(session, target, owner_id):
        owner_id = None
    message = record_card(item, project, people, now=now, mention_owner=owner_id is not None, around=shown)
    thread_ts = _thread(delivery, item.record) if target == delivery.target else None
    return Draft("post", target, message, thread_ts=thread_ts, mentions=owner_id)


async def _may_stand_in(session: AsyncSession, channel_id: str, project: Project) -> bool:
    """Whether whoever reads the channel may read the project's cards.

    What stands in a channel that was unbound from a private project stays as it was then.
    """
    if not project.is_private:
        return True
    place = await directory.channel(session, channel_id)
    return place is not None and place[0].project_id == project.id


def _thread(delivery: Delivery, record: Record) -> str | None:
    """The thread of the message that the record was made from, if that stands in the card's channel."""
    is_there = record.source_channel_id == delivery.target and record.source_change is not SourceChange.DELETED
    if not is_there or delivery.payload.get("in_channel"):
        return None
    return record.source_thread_ts or record.source_ts


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Remember where the card stands; an owner whom it did not mention gets a direct message."""
    if draft.method == "update":
        return
    assert delivery.record_id is not None
    assert delivery.slack_channel is not None
    assert delivery.slack_ts is not None
    await session.merge(
        Card(
            workspace_id=delivery.workspace_id,
            record_id=delivery.record_id,
            channel_id=delivery.slack_channel,
            ts=delivery.slack_ts,
        )
    )
    if draft.mentions is None:
        await _tell_owner(session, delivery, now)


async def failed(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Replace a card that is gone; otherwise tell whoever made the change why there is no card, and the owner too."""
    card = await _card(session, delivery)
    if card is not None:
        if delivery.last_error in LOST:
            await session.delete(card)
            await _post_anew(session, delivery, now, {"owner_knows": True})
        return
    if delivery.last_error in NO_THREAD and not delivery.payload.get("in_channel"):
        await _post_anew(session, delivery, now, {**delivery.payload, "in_channel": True})
        return
    await _tell_owner(session, delivery, now)
    author_id = await _author(session, delivery)
    if author_id is not None and not await _was_foretold(session, delivery):
        await owe_trouble(session, delivery, author_id, now)


async def _was_foretold(session: AsyncSession, delivery: Delivery) -> bool:
    """Whether the confirmation said already that there can be no card: in a private channel without Steward."""
    place = await directory.channel(session, delivery.target)
    return place is not None and place[0].is_out_of_reach


async def unsure(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Let whoever made the change know that the card may be missing."""
    author_id = await _author(session, delivery)
    if author_id is not None:
        await owe_trouble(session, delivery, author_id, now, code=UNSURE)


async def is_update(session: AsyncSession, delivery: Delivery) -> bool:
    """An update may be repeated freely; a post whose outcome is unknown may not."""
    return await _card(session, delivery) is not None


async def _card(session: AsyncSession, delivery: Delivery) -> Card | None:
    return (await session.exec(select(Card).where(col(Card.record_id) == delivery.record_id))).first()


async def _post_anew(session: AsyncSession, delivery: Delivery, now: datetime, payload: dict[str, Any]) -> None:
    await outbox.put(
        session,
        CARD.key,
        key=f"{delivery.dedupe_key}:anew",
        lane=delivery.lane,
        target=delivery.target,
        record_id=delivery.record_id,
        payload=payload,
        due_at=now,
    )


async def _tell_owner(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Owe the owner a direct message in place of the mention that the card could not carry."""
    found = await item_of(session, delivery)
    owner_id = await _owner_to_tell(session, delivery, found[0]) if found else None
    if owner_id is not None:
        await outbox.put(
            session,
            ASSIGNED.key,
            key=_word_key(delivery, owner_id),
            target=owner_id,
            record_id=delivery.record_id,
            due_at=now,
        )


async def _owner_to_tell(session: AsyncSession, delivery: Delivery, item: Item) -> str | None:
    """The owner, if somebody else logged the record for them and nothing told them yet.

    Whoever became the owner by a later change, or in a batch, is told by that.
    """
    owner_id = item.record.owner_id
    if owner_id is None or owner_id == item.record.raised_by or delivery.payload.get("owner_knows"):
        return None
    changed = select(History.id).where(
        col(History.record_id) == delivery.record_id,
        or_(col(History.field) == "owner_id", and_(col(History.act) == Act.CREATED, col(History.batch).is_not(None))),
    )
    told = select(Delivery.id).where(
        col(Delivery.record_id) == delivery.record_id,
        col(Delivery.kind) == ASSIGNED.key,
        col(Delivery.target) == owner_id,
    )
    for reason in (changed, told):
        if (await session.exec(reason.limit(1))).first() is not None:
            return None
    return owner_id


def _word_key(delivery: Delivery, owner_id: str) -> str:
    return f"assigned:{delivery.record_id}:{owner_id}:card"


async def _author(session: AsyncSession, delivery: Delivery) -> str | None:
    """Who made the latest change."""
    query = select(History.actor_id).where(col(History.record_id) == delivery.record_id)
    return (await session.exec(query.order_by(col(History.id).desc()).limit(1))).first()


CARD = DeliveryKind(
    key="card",
    draw=draw,
    late_limit=None,
    may_repeat=is_update,
    latest_only=True,
    sent=sent,
    failed=failed,
    unsure=unsure,
)
