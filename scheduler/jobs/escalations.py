"""Escalations: take the next step with the records whose instant has come."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models import escalations
from scheduler.jobs.base import Job


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """The first instant at which a record may climb."""
    return await escalations.next_at(session)


ESCALATIONS_JOB = Job("escalations", escalations.advance, next_at)
