"""What a stand-up sends: the questions, a reminder, the channel's message and its thread, a note of who is missing."""

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory, outbox, standups
from models.errors import NotFound
from models.permissions import actor_of, is_for_everybody
from models.standups import Part
from models.tables import Delivery, EntryState, Record, Standup, StandupEntry, StandupReport, StandupRound
from reports.standups import open_blockers
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import reader_of
from views import standups as views
from views.blocks import Message, esc
from views.values import People

# A digest is worth posting for a day; what already stands is kept up to date without a limit.
DIGEST_LIMIT = timedelta(hours=24)

# Somebody removed the message, or it is not ours to change.
LOST = frozenset({"message_not_found", "cant_update_message"})

# Slack's code for why something was refused -> what to do about it.
REASONS = {
    "not_in_channel": "Invite me there: `/invite @Steward`.",
    "channel_not_found": "Invite me there, or choose another channel with `/standup list`.",
    "is_archived": "The channel is archived: open it again, or choose another with `/standup list`.",
    "cannot_dm_bot": "They take no messages from apps. Ask them to use `/standup answer`.",
    "messages_tab_disabled": "They take no messages from me. Ask them to use `/standup answer`.",
}


async def _part(session: AsyncSession, delivery: Delivery) -> Part | None:
    """The addressee's part, while it still waits for them at the hour planned, and the stand-up is held."""
    reader = await reader_of(session, delivery)
    if reader is None:
        return None
    try:
        found = await standups.part(session, reader.id, int(delivery.payload["round"]))
    except NotFound:
        return None
    if not await _may_read(session, delivery, found.standup):
        return None
    is_held = not (found.standup.is_paused or found.standup.is_archived)
    is_as_planned = delivery.payload.get("opens_at") == found.entry.opens_at.isoformat()
    return found if is_held and is_as_planned and found.entry.state is EntryState.WAITING else None


async def draw_prompt(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The questions; nothing when the person's hour was planned anew, or when they need not be asked any more."""
    found = await _part(session, delivery)
    if found is None:
        return None
    return Draft("post", delivery.target, views.prompt(found.standup, found.round, found.entry))


async def draw_nudge(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The reminder before the window ends, to whoever has not answered."""
    found = await _part(session, delivery)
    if found is None:
        return None
    return Draft("post", delivery.target, views.prompt(found.standup, found.round, found.entry, nudged=True))


async def draw_digest(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The round as it is now: posted with the first answer, updated ever after; nothing while nobody has answered."""
    found = await standups.round_of(session, int(delivery.payload["round"]))
    if found is None:
        return None
    round_, standup = found
    parts = await standups.entries(session, round_)
    told = [entry for entry in parts if entry.answered_at is not None]
    is_late = now - round_.closes_at >= DIGEST_LIMIT
    if round_.digest_ts is None and (not told or is_late or standup.is_archived):
        return None
    blockers = await open_blockers(session, standup.id or 0)
    people = await _people(session, parts, {item.record.owner_id for item in blockers})
    message = views.digest(standup, round_, parts, people, blockers, await _issues(session, parts))
    if round_.digest_ts is not None and round_.digest_channel is not None:
        return Draft("update", round_.digest_channel, message, ts=round_.digest_ts)
    return Draft("post", standup.channel_id, message)


async def digest_sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Remember where the message stands, and owe the thread what it has to show."""
    found = await standups.round_of(session, int(delivery.payload["round"]))
    if found is None:
        return
    round_, standup = found
    if draft.method == "post":
        round_.digest_channel, round_.digest_ts = delivery.slack_channel, delivery.slack_ts
        session.add(round_)
    if standup.report is StandupReport.THREAD:
        for entry in await standups.entries(session, round_):
            if entry.answered_at is not None:
                await _owe_reply(session, round_, standup, entry, now)
    await session.flush()


async def _owe_reply(
    session: AsyncSession, round_: StandupRound, standup: Standup, entry: StandupEntry, now: datetime
) -> None:
    await outbox.put(
        session,
        "standup_reply",
        key=f"standup_reply:{round_.id}:{entry.person_id}:{entry.version}",
        lane=f"standup_reply:{round_.id}:{entry.person_id}",
        target=standup.channel_id,
        payload={"round": round_.id, "person": entry.person_id},
        due_at=now,
    )


async def draw_reply(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """One person's answers in the thread of the round's message."""
    found = await _reply_part(session, delivery)
    if found is None or found.round.digest_ts is None or found.round.digest_channel is None:
        return None
    people = await _people(session, [found.entry], set())
    blocks = views.answer_blocks(found.round, found.entry, people, await _issues(session, [found.entry]))
    name = people[found.entry.person_id].shown_name if found.entry.person_id in people else "Somebody"
    message = Message(esc(f"{name} answered"), blocks)
    if found.entry.reply_ts is not None:
        return Draft("update", found.round.digest_channel, message, ts=found.entry.reply_ts)
    return Draft("post", found.round.digest_channel, message, thread_ts=found.round.digest_ts)


async def reply_sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Remember where the answers stand in the thread."""
    found = await _reply_part(session, delivery)
    if found is not None and draft.method == "post":
        found.entry.reply_ts = delivery.slack_ts
        session.add(found.entry)
        await session.flush()


async def _reply_part(session: AsyncSession, delivery: Delivery) -> Part | None:
    try:
        return await standups.part(session, str(delivery.payload["person"]), int(delivery.payload["round"]))
    except NotFound:
        return None


async def draw_missing(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Who did not answer, for the one person who is told, unless they are away themselves."""
    found, reader = await standups.round_of(session, int(delivery.payload["round"])), await reader_of(session, delivery)
    if found is None or reader is None or not await _may_read(session, delivery, found[1]):
        return None
    if await absences.away_now(session, [reader], now):
        return None
    round_, standup = found
    missed = [entry for entry in await standups.entries(session, round_) if entry.state is EntryState.MISSED]
    if not missed:
        return None
    people = await _people(session, missed, set())
    names = sorted(people[entry.person_id].shown_name for entry in missed if entry.person_id in people)
    return Draft("post", delivery.target, views.missing(standup, round_, names))


async def draw_nobody(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """For whoever set the stand-up up: nobody could be asked."""
    standup = await _standup(session, delivery)
    if standup is None or standup.is_archived or not await _may_read(session, delivery, standup):
        return None
    return Draft("post", delivery.target, views.nobody_to_ask(standup))


async def failed(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Tell whoever answers for the stand-up, once for each reason and place, what Slack would not take."""
    found = await standups.round_of(session, int(delivery.payload["round"]))
    if found is None:
        return
    round_, standup = found
    if delivery.last_error in LOST and delivery.kind == "standup_digest":
        # Somebody removed the message: a new one takes its place.
        round_.digest_ts = None
        await standups.owe_digest(session, round_, standup, now)
        return
    await outbox.put(
        session,
        "standup_trouble",
        key=f"standup_trouble:{standup.id}:{delivery.target}:{delivery.last_error}",
        target=await standups.organiser(session, standup),
        payload={"standup": standup.id, "target": delivery.target, "code": delivery.last_error or ""},
        due_at=now,
    )


async def draw_trouble(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What could not be sent where, and why."""
    standup = await _standup(session, delivery)
    if standup is None or not await _may_read(session, delivery, standup):
        return None
    target, code = str(delivery.payload["target"]), str(delivery.payload["code"])
    is_channel = target == standup.channel_id
    what = f"I could not post in <#{target}>"
    if not is_channel:
        people = await directory.people(session, {target})
        what = f"I could not write to {esc(people[target].shown_name if target in people else 'somebody')}"
    return Draft("post", delivery.target, views.trouble(standup, what, REASONS.get(code, f"Slack's reason: {code}.")))


async def _may_read(session: AsyncSession, delivery: Delivery, standup: Standup) -> bool:
    """Whether whoever the message is for is still here and may still know of the stand-up."""
    reader, place = await reader_of(session, delivery), await directory.channel(session, standup.channel_id)
    if reader is None or place is None:
        return False
    return await standups.sees(session, actor_of(reader), standup, place[0])


async def _standup(session: AsyncSession, delivery: Delivery) -> Standup | None:
    query = select(Standup).where(col(Standup.id) == int(delivery.payload["standup"]))
    return (await session.exec(query)).first()


async def is_update(session: AsyncSession, delivery: Delivery) -> bool:
    """An update may be repeated freely; a post whose outcome is unknown may not."""
    if person_id := delivery.payload.get("person"):
        found = await _reply_part(session, delivery)
        return bool(person_id and found and found.entry.reply_ts)
    found_round = await standups.round_of(session, int(delivery.payload["round"]))
    return found_round is not None and found_round[0].digest_ts is not None


async def _people(session: AsyncSession, parts: list[StandupEntry], others: set[str | None]) -> People:
    return await directory.people(session, {*(entry.person_id for entry in parts), *others})


async def _issues(session: AsyncSession, parts: list[StandupEntry]) -> dict[int, str]:
    """The issues that these parts' blockers became, in words: record's key -> `I12, open`."""
    ids = [entry.issue_id for entry in parts if entry.issue_id is not None]
    if not ids:
        return {}
    found = await session.exec(select(Record).where(col(Record.id).in_(ids), is_for_everybody()))
    return {
        record.id: f"I{record.number} {record.title} ({'open' if record.is_open else 'resolved'})"
        for record in found
        if record.id is not None
    }


PROMPT = DeliveryKind(
    key="standup_prompt", draw=draw_prompt, late_limit=timedelta(minutes=60), latest_only=True, failed=failed
)
NUDGE = DeliveryKind(key="standup_nudge", draw=draw_nudge, late_limit=timedelta(minutes=60), is_nag=True)
MISSING = DeliveryKind(key="standup_missing", draw=draw_missing, late_limit=timedelta(hours=24), waits_for_day=True)
NOBODY = DeliveryKind(key="standup_nobody", draw=draw_nobody, late_limit=timedelta(hours=24), waits_for_day=True)
DIGEST = DeliveryKind(
    key="standup_digest",
    draw=draw_digest,
    late_limit=None,
    may_repeat=is_update,
    latest_only=True,
    sent=digest_sent,
    failed=failed,
)
TROUBLE = DeliveryKind(key="standup_trouble", draw=draw_trouble, late_limit=timedelta(hours=24), waits_for_day=True)
REPLY = DeliveryKind(
    key="standup_reply",
    draw=draw_reply,
    late_limit=None,
    may_repeat=is_update,
    latest_only=True,
    sent=reply_sent,
)
STANDUP_KINDS = (PROMPT, NUDGE, MISSING, NOBODY, DIGEST, REPLY, TROUBLE)
