"""The message that asks somebody about records nobody says a word about, and the question of a lead to an owner."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, escalations, operations, outbox
from models.ladder import LATE_LIMIT
from models.permissions import actor_of
from models.tables import Delivery
from scheduler.deliveries import DeliveryKind, Draft, once
from scheduler.notices.card_left import always
from scheduler.notices.word import WORD
from scheduler.reading import reader_of, seen_item, told_by
from views import escalations as views
from views.values import name_of

ASKED = "was asked"
UNSURE = "was asked in a message of which Slack did not say whether it arrived"


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What the person is to be asked at this moment; nothing where everything has had a word by now."""
    reader = await reader_of(session, delivery)
    asks = await escalations.planned_for(session, reader, now) if reader else []
    if reader is None or not asks:
        return None
    people = await directory.people(session, views.people_of(asks))
    told = {ask.step.id or 0: views.in_history(ask, people) for ask in asks}
    return Draft("post", reader.id, views.asking(asks, people, actor_of(reader)), told=told)


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Note the steps in the records' histories, and plan the next ones."""
    # A message that was looked up in Slack no longer tells which of them it spoke of.
    told = draft.told or await _all_planned(session, delivery, ASKED)
    for record in await escalations.note_asked(session, told, now):
        await operations.owe_card(session, record, now, because=f":{delivery.dedupe_key}")
    await escalations.note_sent(session, delivery, told, now)


async def unsure(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Nobody is asked twice: what may have arrived counts as asked."""
    await escalations.note_asked(session, await _all_planned(session, delivery, UNSURE), now)


async def _all_planned(session: AsyncSession, delivery: Delivery, said: str) -> dict[int, str]:
    """That of every step which is planned for the person."""
    people = await directory.people(session, [delivery.target])
    name = name_of(people, delivery.target)
    return dict.fromkeys(await escalations.unasked_ids(session, delivery.target), f"{name} {said}")


async def failed(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Say in the histories whom Slack would not let Steward write to, and go on to the next one."""
    people = await directory.people(session, [delivery.target])
    said = f"could not write to {name_of(people, delivery.target)} in Slack, so the next one is asked"
    await escalations.note_unasked(session, delivery.target, delivery.last_error or "refused", said, now)


ESCALATION = DeliveryKind(
    key=escalations.KIND,
    draw=draw,
    late_limit=LATE_LIMIT,
    is_nag=True,
    sent=sent,
    failed=failed,
    unsure=unsure,
)


async def draw_again(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The message as it should read now that something in it is answered; nothing of an older release's."""
    told, reader = await told_by(session, delivery), await reader_of(session, delivery)
    if told is None or told.slack_channel is None or reader is None or "steps" not in told.payload:
        return None
    asks = await escalations.asked_in(session, reader, told.payload["steps"], now)
    people = await directory.people(session, views.people_of(asks))
    return Draft("update", told.slack_channel, views.asking(asks, people, actor_of(reader)), ts=told.slack_ts)


ESCALATION_AGAIN = DeliveryKind(
    key=escalations.AGAIN, draw=draw_again, late_limit=None, may_repeat=always, latest_only=True
)


async def draw_ask(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """A lead's question to the owner, while the open record is theirs and they may see it."""
    found = await seen_item(session, delivery)
    if found is None or not found[0].record.is_open or found[0].record.owner_id != delivery.target:
        return None
    item, project = found
    people = await directory.people(session, [delivery.payload["by"], delivery.target])
    by = name_of(people, delivery.payload["by"])
    owner = actor_of(people[delivery.target])
    return Draft("post", delivery.target, views.to_owner(item, project, owner, by, delivery.payload["words"]))


async def ask_failed(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Tell whoever asked that Slack would not deliver it."""
    found = await seen_item(session, delivery)
    if found is None:
        return
    people = await directory.people(session, [delivery.target])
    sentence = views.not_delivered(found[0], name_of(people, delivery.target))
    await outbox.put(
        session,
        WORD.key,
        key=f"{delivery.dedupe_key}:failed",
        target=delivery.payload["by"],
        payload={"sentence": sentence},
        due_at=now,
    )


ASK = DeliveryKind(
    key=escalations.ASK, draw=draw_ask, late_limit=timedelta(hours=24), may_repeat=once, failed=ask_failed
)
