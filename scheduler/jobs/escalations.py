"""Escalations: take the next step with the records whose instant has come."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models import escalations
from models.tables import Record
from scheduler.jobs.base import Job


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """The first instant at which a record may climb."""
    return await escalations.next_at(session)


def due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """A record may climb."""
    return (col(Record.climb_at) <= now,)


ESCALATIONS_JOB = Job("escalations", escalations.advance, due, next_at)
