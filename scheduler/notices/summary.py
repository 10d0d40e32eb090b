"""What a weekly summary sends: the preview before it, the channel's message with its thread, and what failed."""

from datetime import date, datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory, outbox, projects, summaries
from models.permissions import Right, Standing, actor_of, is_closed, may
from models.summaries import LATE_LIMIT, Period
from models.tables import Delivery, Person, Project
from reports import weekly
from reports.weekly import Weekly
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.reading import reader_of
from views import summary as views

UNSURE = "unsure"

# Slack's code for why it was refused -> what to do about it, after "could not be posted in #channel:".
NOT_THERE = "I am not in it. Type `/invite @Steward` there, then press *Post it again*."
REASONS = {
    "not_in_channel": NOT_THERE,
    "channel_not_found": NOT_THERE,
    "is_archived": "it is archived. Open it again, then press *Post it again*.",
}
OTHER = "Slack gave this reason: `{code}`. To try once more, press *Post it again*."
COULD_NOT = "could not be posted in <#{channel}>: "
NOBODY_KNOWS = (
    "may or may not stand in <#{channel}>: Slack did not say whether it was posted. If it is not there, press "
    "*Post it again*."
)


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The first screen, from what everybody in the channel may see."""
    found = await _found(session, delivery)
    return Draft("post", delivery.target, views.posted(found)) if found and not found.is_empty else None


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Owe the records behind it, for its thread."""
    await outbox.put(
        session,
        DETAILS.key,
        key=f"{delivery.dedupe_key}:details",
        lane=delivery.lane,
        target=delivery.target,
        payload={**delivery.payload, "channel": delivery.slack_channel, "ts": delivery.slack_ts},
        due_at=now,
    )


async def draw_details(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The records behind the numbers, in the thread of the first screen."""
    found = await _found(session, delivery)
    if found is None or not views.has_details(found.told):
        return None
    return Draft("post", delivery.payload["channel"], views.details(found.told), thread_ts=delivery.payload["ts"])


async def _found(session: AsyncSession, delivery: Delivery) -> Weekly | None:
    """What is to be posted; nothing once the project is closed, turned its summary off, or left the channel."""
    project = await _project(session, delivery)
    place = await directory.channel(session, delivery.target)
    if project is None or is_closed(project) or place is None or place[0].project_id != project.id:
        return None
    told = delivery.payload
    day = date.fromisoformat(told["day"]) if told["day"] else None
    if day is not None and not project.has_summary:
        return None
    period = Period(datetime.fromisoformat(told["begin"]), datetime.fromisoformat(told["end"]))
    return await weekly.weekly(session, project, period, day=day)


async def failed(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Tell the coordinator, once for each place and reason, what Slack would not take."""
    await _owe_trouble(session, delivery, now, delivery.last_error or "", once_for=delivery.target)


async def unsure(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Tell the coordinator that nobody knows whether it was posted."""
    await _owe_trouble(session, delivery, now, UNSURE, once_for=str(delivery.id))


async def _owe_trouble(session: AsyncSession, delivery: Delivery, now: datetime, code: str, *, once_for: str) -> None:
    project = await _project(session, delivery)
    if project is None or project.coordinator_id is None:
        return
    await outbox.put(
        session,
        TROUBLE.key,
        key=f"summary_trouble:{project.id}:{once_for}:{code}",
        target=project.coordinator_id,
        payload={"project": project.id, "channel": delivery.target, "code": code, "of": delivery.id},
        due_at=now,
    )


async def draw_trouble(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Why it was not posted, and what to do about that."""
    found = await _led(session, delivery)
    if found is None:
        return None
    code, channel = delivery.payload["code"], delivery.payload["channel"]
    sentence = NOBODY_KNOWS if code == UNSURE else COULD_NOT + REASONS.get(code, OTHER)
    value = f"{found[0].id} {delivery.payload['of']}"
    message = views.trouble(found[0], sentence.format(channel=channel, code=code), value)
    return Draft("post", delivery.target, message)


async def draw_preview(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """What the channel will get; nothing when that is nothing, at another time by now, or its reader is away."""
    reader, project = await reader_of(session, delivery), await _project(session, delivery)
    if reader is None or project is None or not await projects.can_see(session, project, reader):
        return None
    leads = may(actor_of(reader), Right.SUMMARIZE, project)
    absent = None if leads else await _stood_in_for(session, project, reader, now)
    if not (leads or absent) or await absences.away_now(session, [reader], now):
        return None
    slot = summaries.coming(project, now)
    if slot is None or str(slot.day) != delivery.payload["day"] or not summaries.is_wanted(project):
        return None
    coming = await weekly.coming(session, project, slot, now=now)
    if coming.is_empty:
        return None
    return Draft("post", delivery.target, views.preview(coming, slot, for_deputy_of=absent))


async def _stood_in_for(session: AsyncSession, project: Project, reader: Person, now: datetime) -> Person | None:
    """The coordinator, if they are away and the reader, a full member, is told what they would be."""
    coordinator = await directory.person(session, project.coordinator_id or "")
    if coordinator is None or actor_of(reader).standing is not Standing.MEMBER:
        return None
    told = (await absences.reached(session, [coordinator], now)).get(coordinator.id)
    return coordinator if told is not None and told.id == reader.id else None


async def _led(session: AsyncSession, delivery: Delivery) -> tuple[Project, Person] | None:
    """The project and the reader, if they still lead it and may know of it."""
    reader, project = await reader_of(session, delivery), await _project(session, delivery)
    if reader is None or project is None or not may(actor_of(reader), Right.SUMMARIZE, project):
        return None
    return (project, reader) if await projects.can_see(session, project, reader) else None


async def _project(session: AsyncSession, delivery: Delivery) -> Project | None:
    query = select(Project).where(col(Project.id) == delivery.payload["project"])
    return (await session.exec(query)).first()


SUMMARY = DeliveryKind(key="summary", draw=draw, late_limit=LATE_LIMIT, sent=sent, failed=failed, unsure=unsure)
DETAILS = DeliveryKind(key="summary_details", draw=draw_details, late_limit=LATE_LIMIT)
PREVIEW = DeliveryKind(key="summary_preview", draw=draw_preview, late_limit=LATE_LIMIT, waits_for_day=True)
TROUBLE = DeliveryKind(key="summary_trouble", draw=draw_trouble, late_limit=timedelta(days=3), waits_for_day=True)
SUMMARY_KINDS = (SUMMARY, DETAILS, PREVIEW, TROUBLE)
