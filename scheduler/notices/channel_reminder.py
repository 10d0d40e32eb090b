"""A project's one message of the day in its channel: what is due and overdue, kept up to date until the day ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, leaving, outbox, reminders
from models.clock import today_in
from models.items import with_own_rows
from models.kinds import Item
from models.permissions import is_closed, is_for_everybody
from models.tables import ChannelReminder, Delivery, Project, Record
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.notices.card_left import always
from scheduler.reading import standing
from views import reminders as views
from views.blocks import Message

# Slack's code for why something was refused -> what to do about it.
REASONS = {
    "not_in_channel": "Invite me there: `/invite @Steward`.",
    "channel_not_found": "Invite me there: `/invite @Steward`.",
    "is_archived": "The channel is archived: open it again, or switch the reminder off in `/steward settings`.",
}


@dataclass(frozen=True)
class _Due:
    """What a project's channel is shown: lines, how many there are in all, and whether any of it is due by now."""

    items: Sequence[Item]
    total: int
    is_called_for: bool


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The message of that day; nothing where nothing is due, or where others would read it."""
    project = await _project(session, delivery)
    if project is None:
        return None
    day = date.fromisoformat(delivery.payload["day"])
    due = await _due(session, project, day)
    if not due.is_called_for:
        return None
    return Draft("post", project.home_channel_id, await _message(session, project, day, due))


async def draw_again(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The same message as it should read now; nothing where it was never sent, and nothing after its day."""
    project, told = await _project(session, delivery), await standing(session, delivery, CHANNEL_REMINDER.key)
    if project is None or told is None or told.slack_channel is None:
        return None
    day = date.fromisoformat(delivery.payload["day"])
    if day != today_in(project.timezone, now):
        return None
    message = await _message(session, project, day, await _due(session, project, day))
    return Draft("update", told.slack_channel, message, ts=told.slack_ts)


async def _project(session: AsyncSession, delivery: Delivery) -> Project | None:
    """The project, while it is in use, wants to be reminded, and its channel is still one of its own."""
    query = select(Project).where(col(Project.id) == int(delivery.payload["project"]))
    project = (await session.exec(query)).first()
    if project is None or is_closed(project) or project.channel_reminder is ChannelReminder.OFF:
        return None
    place = await directory.channel(session, project.home_channel_id)
    is_its_own = place is not None and place[0].project_id == project.id
    return project if is_its_own else None


async def _due(session: AsyncSession, project: Project, day: date) -> _Due:
    wanted = (
        col(Record.project_id) == project.id,
        col(Record.is_open),
        col(Record.is_archived).is_(False),
        col(Record.is_draft).is_(False),
        is_for_everybody(),
        col(Record.due_date) <= reminders.last_shown(project, day),
    )
    newest = select(func.count(), func.max(Record.due_date)).where(*wanted)
    total, last = (await session.exec(newest)).one()
    query = select(Record).where(*wanted).order_by(col(Record.due_date), col(Record.due_time), col(Record.id))
    records = (await session.exec(query.limit(views.LINES_SHOWN))).all() if total else []
    items = [item for item, _ in await with_own_rows(session, [(record, project) for record in records])]
    is_weekly = project.channel_reminder.weekday is not None
    is_called_for = last is not None and (is_weekly or last >= reminders.since_last(project, day))
    return _Due(items, total, is_called_for)


async def _message(session: AsyncSession, project: Project, day: date, due: _Due) -> Message:
    people = await directory.people(session, {item.record.owner_id for item in due.items})
    return views.in_channel(project, day, due.items, due.total, people)


async def failed(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Tell whoever answers for the project, once for each reason, what Slack would not take."""
    project = await _project(session, delivery)
    if project is None:
        return
    code = delivery.last_error or ""
    why = REASONS.get(code, f"Slack gave this reason: {code}.")
    for person_id in await leaving.heirs_of(session, project):
        await outbox.put(
            session,
            "word",
            key=f"channel_reminder_failed:{project.id}:{project.home_channel_id}:{code}:{person_id}",
            target=person_id,
            payload={"sentence": views.not_posted(project, why)},
            due_at=now,
        )


CHANNEL_REMINDER = DeliveryKind(key="channel_reminder", draw=draw, late_limit=None, failed=failed)
CHANNEL_REMINDER_AGAIN = DeliveryKind(
    key="channel_reminder_again", draw=draw_again, late_limit=None, may_repeat=always, latest_only=True
)
CHANNEL_REMINDER_KINDS = (CHANNEL_REMINDER, CHANNEL_REMINDER_AGAIN)
