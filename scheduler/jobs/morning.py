"""At 09:00 of the owner's own morning: one message to everybody with something due that day."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import String, cast
from sqlmodel import col, exists, func, literal, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.clock import zone_or_utc
from models.projects import in_use
from models.tables import Delivery, History, Person, Project, Record
from scheduler.jobs.base import Job
from scheduler.notices.morning import MORNING

MORNING_HOUR = time(9)
LATE_LIMIT = timedelta(hours=24)


async def run(session: AsyncSession, now: datetime) -> None:
    """Owe each owner the message of the latest 09:00, if a record was theirs and due that day by then."""
    for owner_id, zone, due_date, known_since in await _waiting(session, now):
        day, due_at = latest_morning(zone, now)
        if due_date == day and known_since < due_at and now < due_at + LATE_LIMIT:
            await outbox.put(
                session,
                MORNING.key,
                key=f"morning:{owner_id}:{day.isoformat()}",
                lane=f"morning:{owner_id}",
                target=owner_id,
                payload={"date": day.isoformat()},
                due_at=due_at,
                expires_at=due_at + LATE_LIMIT,
            )


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """The next 09:00 of anybody who owns something with a due date."""
    query = (
        select(col(Person.timezone))
        .join(Record, col(Record.owner_id) == col(Person.id))
        .where(col(Record.is_open), col(Record.is_archived).is_(False), col(Record.due_date).is_not(None))
        .distinct()
    )
    return min((next_morning(zone, now) for zone in await session.exec(query)), default=None)


def next_morning(zone: str, now: datetime) -> datetime:
    """The first 09:00 in `zone` after `now`, in UTC."""
    local = now.astimezone(zone_or_utc(zone)).date()
    mornings = (morning_of(local + timedelta(days=ahead), zone) for ahead in range(3))
    return next(instant for instant in mornings if instant > now)


def latest_morning(zone: str, now: datetime) -> tuple[date, datetime]:
    """The newest local day whose 09:00 in `zone` is not after `now`, and that instant in UTC.

    A 09:00 that the clock change skips is moved forward by the gap; one that comes twice is the first.
    """
    local = now.astimezone(zone_or_utc(zone)).date()
    days = (local - timedelta(days=back) for back in range(3))
    mornings = ((day, morning_of(day, zone)) for day in days)
    return next((day, due_at) for day, due_at in mornings if due_at <= now)


def morning_of(day: date, zone: str) -> datetime:
    """The instant, in UTC, of 09:00 on that day in `zone`."""
    return datetime.combine(day, MORNING_HOUR, zone_or_utc(zone)).astimezone(UTC)


async def _waiting(session: AsyncSession, now: datetime) -> list[tuple[str, str, date, datetime]]:
    """(owner, zone, due date, since when) of what is due around now and not yet owed to its owner.

    "Since when" is the earliest instant at which one of these records was theirs and due on that date.
    """
    # 09:00 lies within the last day, and local dates run from 12 hours behind UTC to 14 ahead.
    first, last = (now - timedelta(hours=36)).date(), (now + timedelta(hours=14)).date()
    settled = (
        select(func.max(History.at))
        .where(
            col(History.workspace_id) == col(Record.workspace_id),
            col(History.record_id) == col(Record.id),
            col(History.field).in_(("owner_id", "due_date")),
        )
        .correlate(Record)
        .scalar_subquery()
    )
    key = literal("morning:") + col(Record.owner_id) + ":" + cast(Record.due_date, String)
    owed = exists().where(col(Delivery.workspace_id) == col(Record.workspace_id), col(Delivery.dedupe_key) == key)
    query = (
        select(
            col(Person.id),
            col(Person.timezone),
            col(Record.due_date),
            func.min(func.coalesce(settled, Record.created_at)),
        )
        .join(Person, col(Person.id) == col(Record.owner_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            in_use(),
            col(Record.is_open),
            col(Record.due_date).between(first, last),
            col(Record.is_archived).is_(False),
            col(Record.is_draft).is_(False),
            col(Person.is_active),
            ~owed,
        )
        .group_by(col(Person.id), col(Person.timezone), col(Record.due_date))
    )
    return [(owner, zone, due, since) for owner, zone, due, since in await session.exec(query) if due is not None]


MORNING_JOB = Job("morning", run, next_at)
