"""Before a due time, by an hour unless the project says otherwise: one word to whoever answers for the record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, literal, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory, outbox, reminders
from models.outbox import Owed
from models.permissions import is_closed
from models.tables import Project, Record
from scheduler.jobs.base import Job
from scheduler.notices.due_soon import DUE_SOON

# Looked at in one tick; the rest in the next ones.
AT_ONCE = 1_000

Found = Sequence[tuple[Record, Project]]


async def run(session: AsyncSession, now: datetime) -> None:
    """Owe the reminders whose moment has come, and plan those anew for which it is too early."""
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Record.remind_at) <= now)
        .order_by(col(Record.remind_at), col(Record.id))
        .limit(AT_ONCE)
    )
    found = list((await session.exec(query)).all())
    if not found:
        return
    planned = {record.id or 0: reminders.remind_at(record, project) for record, project in found}
    early = {record_id: at for record_id, at in planned.items() if at and at > now}
    await _note(session, dict.fromkeys(planned.keys() - early.keys()))
    await _note(session, early)
    ripe = [each for each in found if planned[each[0].id or 0] and each[0].id not in early and _is_chased(*each)]
    await outbox.put_all(session, await _owed(session, ripe, now))


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """The next moment at which somebody is to be reminded."""
    return (await session.exec(select(func.min(Record.remind_at)).where(col(Record.remind_at).is_not(None)))).one()


def _is_chased(record: Record, project: Project) -> bool:
    return not (record.is_archived or record.is_draft or is_closed(project)) and record.owner_id is not None


async def _owed(session: AsyncSession, ripe: Found, now: datetime) -> list[Owed]:
    """One row for each that is not due yet, to its owner or whoever stands in."""
    owners = await directory.people(session, {record.owner_id for record, _ in ripe})
    reached = await absences.reached(session, owners.values(), now)
    rows = []
    for record, project in ripe:
        person, ends_at = reached.get(record.owner_id or ""), reminders.due_at(record, project)
        if person is None or ends_at is None or now >= ends_at:
            continue
        value = reminders.value_of(record)
        rows.append(
            outbox.owed(
                DUE_SOON.key,
                key=f"due_soon:{record.id}:{value}",
                target=person.id,
                record_id=record.id,
                payload={"value": value, "owner": record.owner_id},
                due_at=now,
                expires_at=ends_at,
            )
        )
    return rows


async def _note(session: AsyncSession, planned: Mapping[int, datetime | None]) -> None:
    """Note when the clock looks again. It is no change of the record, so its version stays."""
    if not planned:
        return
    remind_at: Any = col(Record.remind_at)
    each = {record_id: literal(at, remind_at.type) for record_id, at in planned.items()}
    statement = update(Record).where(col(Record.id).in_(planned)).values(remind_at=case(each, value=col(Record.id)))
    await session.exec(statement, execution_options={"synchronize_session": False})


def due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Somebody is to be reminded."""
    return (col(Record.remind_at) <= now,)


DUE_SOON_JOB = Job("due_soon", run, due, next_at)
