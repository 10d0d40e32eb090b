"""A direct message that something a person asked for could not be shown in Slack, and what to do about it."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft, once
from scheduler.reading import seen_item
from views import cards

NOT_A_MEMBER = "I am not in {channel}: invite me there, then press *Post its card* under `/steward {reference}`."
NOT_ALLOWED = "Only some people may post in {channel}: ask a workspace admin to let me."
NO_ACCESS = "Slack no longer accepts my access to this workspace: ask a workspace admin to install me again."
TOO_LONG = "It is too long for Slack: shorten the texts with `/steward {reference} edit`."

# Slack's code for why a card was refused -> what the person is told after "A12 is saved, but ...".
REASONS = {
    "not_in_channel": NOT_A_MEMBER,
    "channel_not_found": NOT_A_MEMBER,
    "is_archived": "{channel} is archived: once it is open again, press *Post its card* under `/steward {reference}`.",
    "restricted_action": NOT_ALLOWED,
    "restricted_action_read_only_channel": NOT_ALLOWED,
    "missing_scope": NO_ACCESS,
    "invalid_auth": NO_ACCESS,
    "account_inactive": NO_ACCESS,
    "token_revoked": NO_ACCESS,
    "msg_too_long": TOO_LONG,
    "msg_blocks_too_long": TOO_LONG,
}
COULD_NOT = "{reference} is saved, but its card could not be posted. "
UNSURE = "unsure"
NOBODY_KNOWS = (
    "{reference} is saved, but Slack did not say whether its card was posted in {channel}. "
    "If it is not there, it comes with the next change of {reference}."
)
OTHER = "Slack gave this reason: {code}. To try once more, press *Post its card* under `/steward {reference}`."


async def owe_trouble(
    session: AsyncSession, failed: Delivery, person_id: str, now: datetime, *, code: str | None = None
) -> None:
    """Owe the person one word about a record's card, once for each reason: Slack's own, or `UNSURE`."""
    code = code or failed.last_error or ""
    await outbox.put(
        session,
        TROUBLE.key,
        key=f"trouble:{failed.kind}:{failed.record_id}:{code}",
        target=person_id,
        record_id=failed.record_id,
        payload={"code": code, "channel": failed.target},
        due_at=now,
    )


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The reason in words, for a person who may still see the record."""
    found = await seen_item(session, delivery)
    if found is None:
        return None
    item, _ = found
    code, channel = delivery.payload["code"], delivery.payload["channel"]
    reason = NOBODY_KNOWS if code == UNSURE else COULD_NOT + REASONS.get(code, OTHER)
    sentence = reason.format(channel=f"<#{channel}>", reference=item.reference, code=f"`{code}`")
    return Draft("post", delivery.target, cards.trouble(sentence, item))


TROUBLE = DeliveryKind(key="trouble", draw=draw, late_limit=timedelta(minutes=30), may_repeat=once)
