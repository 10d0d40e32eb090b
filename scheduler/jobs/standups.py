"""Stand-ups: begin the rounds whose time has come, plan anew for whoever moved, close those whose windows are over."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import standups
from models.permissions import is_closed
from models.tables import Standup, StandupRound
from scheduler.jobs.base import Job


async def run(session: AsyncSession, now: datetime) -> None:
    """What is due: two indexed questions where nothing is."""
    for standup, project in await standups.due(session, now):
        await standups.advance(
            session, standup, now=now, is_skipped=standups.days_off(project), rests=is_closed(project)
        )
    await standups.follow_moves(session, now)
    await standups.close_due(session, now)


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """The next beginning or end of a round."""
    begins = (await session.exec(select(func.min(Standup.next_at)))).one()
    ends = (await session.exec(select(func.min(StandupRound.closes_at)).where(col(StandupRound.is_open)))).one()
    return min(filter(None, [begins, ends]), default=None)


def due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """A round is to begin, or one is open: it may be over, or somebody in it may have moved."""
    return col(Standup.next_at) <= now, col(StandupRound.is_open).is_(True)


STANDUPS_JOB = Job("standups", run, due, next_at)
