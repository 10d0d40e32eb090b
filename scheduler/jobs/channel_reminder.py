"""At 09:00 of a project's own working day: what is due and overdue, in its channel, where the project wants that."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox, reminders
from models.clock import today_in
from models.tables import Project
from scheduler.jobs.base import Job
from scheduler.notices.channel_reminder import CHANNEL_REMINDER

# Later than that on the same day it helps nobody any more.
LATE_LIMIT = timedelta(hours=8)


async def run(session: AsyncSession, now: datetime) -> None:
    """Owe today's reminder to the projects whose hour has come, and plan their next. What is missed stays so."""
    found = await session.exec(select(Project).where(*due(now)).order_by(col(Project.id)))
    for project in found.all():
        changes: dict[str, Any] = {"next_reminder_at": reminders.next_in_channel(project, now)}
        at = reminders.todays_in_channel(project, now)
        if at is not None and at <= now < at + LATE_LIMIT:
            changes["reminded_on"] = today_in(project.timezone, now)
            await _owe(session, project, at, now)
        # That is no change of its settings, so their version stays.
        await session.exec(
            update(Project).where(col(Project.id) == project.id).values(**changes),
            execution_options={"synchronize_session": False},
        )


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """The next moment at which a channel is to be reminded."""
    return (await session.exec(select(func.min(Project.next_reminder_at)))).one()


async def _owe(session: AsyncSession, project: Project, at: datetime, now: datetime) -> None:
    day = today_in(project.timezone, now)
    await outbox.put(
        session,
        CHANNEL_REMINDER.key,
        key=reminders.lane_of(project, day),
        target=project.home_channel_id,
        payload={"project": project.id, "day": day.isoformat()},
        due_at=at,
        expires_at=at + LATE_LIMIT,
    )


def due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """A channel is to be reminded."""
    return (col(Project.next_reminder_at) <= now,)


CHANNEL_REMINDER_JOB = Job("channel_reminder", run, due, next_at)
