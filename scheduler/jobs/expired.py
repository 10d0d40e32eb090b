"""The morning after a risk could last happen: ask its owner to close it, or to choose another day."""

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import String, cast
from sqlmodel import col, exists, func, literal, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import manners, outbox
from models.kinds import KINDS, Kind
from models.projects import in_use
from models.recurrences import instant_of
from models.tables import Delivery, Person, Project, Record
from scheduler.jobs.base import Job
from scheduler.notices.expired import EXPIRED

AT = time(9)
ONE_DAY = timedelta(days=1)


async def run(session: AsyncSession, now: datetime) -> None:
    """Owe the question about each record whose last day is over where its owner is, once for each such day."""
    for kind in (kind for kind in KINDS if kind.expires):
        for record_id, person, day in await _waiting(session, kind, now):
            due_at = manners.not_before(person, _morning_after(day, person))
            if due_at <= now:
                await outbox.put(
                    session,
                    EXPIRED.key,
                    key=f"expired:{record_id}:{day.isoformat()}",
                    target=person.id,
                    record_id=record_id,
                    payload={"day": day.isoformat()},
                    due_at=due_at,
                )


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """The next morning on which somebody may have to be asked."""
    found = []
    for kind in (kind for kind in KINDS if kind.expires):
        model: Any = kind.model
        day = getattr(model, kind.expires)
        query = (
            select(func.min(day), col(Person.timezone))
            .join(Record, col(Record.id) == model.record_id)
            .join(Project, col(Project.id) == col(Record.project_id))
            .join(Person, _is_asked())
            .where(*_is_open(), day >= (now - 2 * ONE_DAY).date())
            .group_by(col(Person.timezone))
        )
        found += [instant_of(day + ONE_DAY, AT, zone) for day, zone in await session.exec(query)]
    return min((instant for instant in found if instant > now), default=None)


async def _waiting(session: AsyncSession, kind: Kind, now: datetime) -> list[tuple[int, Person, date]]:
    """(record, whom to ask, last day) of what ended around now and was not asked about yet."""
    model: Any = kind.model
    day = getattr(model, kind.expires)
    # The question waits for a morning and is too late a day after that, wherever its owner is.
    first, last = (now - 3 * ONE_DAY).date(), now.date()
    key = literal("expired:") + cast(Record.id, String) + ":" + cast(day, String)
    asked = exists().where(col(Delivery.workspace_id) == col(Record.workspace_id), col(Delivery.dedupe_key) == key)
    query = (
        select(Record.id, Person, day)
        .join(model, model.record_id == col(Record.id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .join(Person, _is_asked())
        .where(*_is_open(), day.between(first, last), ~asked)
    )
    return [(record_id or 0, person, last_day) for record_id, person, last_day in await session.exec(query)]


def _is_open() -> tuple[Any, ...]:
    return in_use(), col(Record.is_open), col(Record.is_archived).is_(False), col(Record.is_draft).is_(False)


def _is_asked() -> Any:
    """The record's owner, or its coordinator where it has none."""
    whom = func.coalesce(col(Record.owner_id), col(Project.coordinator_id))
    return (col(Person.workspace_id) == col(Record.workspace_id)) & (col(Person.id) == whom) & col(Person.is_active)


def _morning_after(day: date, person: Person) -> datetime:
    return instant_of(day + ONE_DAY, AT, person.timezone)


EXPIRED_JOB = Job("expired", run, next_at)
