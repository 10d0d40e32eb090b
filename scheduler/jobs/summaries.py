"""Weekly summaries: owe those whose hour has come, and the previews before them."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import summaries
from models.tables import Project
from scheduler.jobs.base import Job


async def run(session: AsyncSession, now: datetime) -> None:
    """What is due: one indexed question where nothing is."""
    for project in await summaries.due(session, now):
        await summaries.advance(session, project, now=now)


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """The next summary or preview of any project."""
    return (await session.exec(select(func.min(Project.next_summary_at)))).one()


def due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """A project's summary or preview is to be owed."""
    return (col(Project.next_summary_at) <= now,)


SUMMARIES_JOB = Job("summaries", run, due, next_at)
