"""At each person's own hour: their daily digest, if they have anything to do that may be due.

Everybody's `next_digest_at` moves on day by day, whole zones at once, so that a tick in which nobody's hour has come
costs one look at an index, and people without open records cost nothing. Whether there is something to say is decided
when the digest is sent.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import digests, outbox
from models.recurrences import Occurrence, instant_of
from models.tables import Person
from reports.digest import may_concern
from scheduler.jobs.base import Job
from scheduler.notices.digest import DIGEST


async def run(session: AsyncSession, now: datetime) -> None:
    """Owe the digest of the latest local date whose hour has come, and plan the next one."""
    is_new = col(Person.next_digest_at).is_(None)
    is_due = col(Person.next_digest_at) <= now
    query: Any = select(col(Person.timezone), col(Person.digest_at), is_new).where(or_(is_new, is_due)).distinct()
    for zone, at, has_just_come in (await session.exec(query)).all():
        schedule = digests.schedule(zone, at, now)
        lives_so = [col(Person.timezone) == zone, col(Person.digest_at) == at, is_new if has_just_come else is_due]
        occurrence, following = schedule.latest(now), schedule.after(now)
        if occurrence is not None and not has_just_come:
            await _owe(session, zone, occurrence, now, lives_so)
        planned = following.at if following else None
        statement = update(Person).where(*lives_so).values(next_digest_at=planned)
        await session.exec(statement, execution_options={"synchronize_session": False})


async def _owe(
    session: AsyncSession, zone: str, occurrence: Occurrence, now: datetime, lives_so: Sequence[ColumnElement[bool]]
) -> None:
    """Owe that date's digest to whomever of these people it may concern; it is worth sending until the date is over."""
    over = instant_of(occurrence.day + timedelta(days=1), time(0), zone)
    if now >= over:
        return
    until = occurrence.day + await digests.looks_ahead(session)
    query = select(Person.id).where(
        *lives_so,
        col(Person.is_active),
        col(Person.is_bot).is_(False),
        col(Person.wants_digest),
        may_concern(occurrence.day, until, occurrence.at),
    )
    owed = [
        outbox.owed(
            DIGEST.key,
            key=digests.key_of(person_id, occurrence.day),
            lane=f"{DIGEST.key}:{person_id}",
            target=person_id,
            payload={"date": occurrence.day.isoformat()},
            due_at=occurrence.at,
            expires_at=over,
        )
        for person_id in await session.exec(query.order_by(col(Person.id)))
    ]
    await outbox.put_all(session, owed)


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """When the next person's hour comes."""
    return (await session.exec(select(func.min(Person.next_digest_at)))).one()


def due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Somebody's hour has come, or somebody has whom the clock has not met."""
    return col(Person.next_digest_at) <= now, col(Person.next_digest_at).is_(None)


DIGEST_JOB = Job("digest", run, due, next_at)
