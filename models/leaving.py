"""People who left the workspace: what they owned and coordinated is offered to whoever answers for it now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, operations, outbox, projects
from models.tables import Person, Project, Record


@dataclass(frozen=True)
class LeftBehind:
    """What somebody who left still is to a project: how many open records they own, and whether they coordinate it."""

    project: Project
    records: int
    coordinates: bool


async def note(session: AsyncSession, person_id: str, now: datetime) -> None:
    """Owe a word about what the person left behind to each of those who can hand it on, and the cards naming them."""
    heirs = {heir for left in await left_behind(session, person_id) for heir in await heirs_of(session, left.project)}
    for heir in sorted(heirs):
        await outbox.put(
            session,
            "left_behind",
            key=f"left_behind:{person_id}:{heir}:{now.isoformat()}",
            target=heir,
            payload={"person": person_id},
            due_at=now,
        )
    await operations.owe_cards_of_owner(session, person_id, now=now)


async def left_behind(session: AsyncSession, person_id: str) -> list[LeftBehind]:
    """The projects that are not archived in which the person owns open records or that they coordinate, by name."""
    owned = (
        select(Record.project_id, func.count())
        .where(col(Record.owner_id) == person_id, col(Record.is_open), col(Record.is_archived).is_(False))
        .group_by(col(Record.project_id))
    )
    counts = dict((await session.exec(owned)).all())
    query = (
        select(Project)
        .where(
            (col(Project.coordinator_id) == person_id) | col(Project.id).in_(counts),
            col(Project.archived_at).is_(None),
        )
        .order_by(col(Project.name))
    )
    return [
        LeftBehind(project, counts.get(project.id or 0, 0), project.coordinator_id == person_id)
        for project in await session.exec(query)
    ]


async def heirs_of(session: AsyncSession, project: Project) -> Sequence[str]:
    """Who answers for the project: its coordinator, else its sponsor, else the workspace admins who may see it."""
    for person_id in filter(None, (project.coordinator_id, project.sponsor_id)):
        person = await directory.person(session, person_id)
        if person is not None and await _may_lead(session, project, person):
            return [person.id]
    admins = await session.exec(select(Person).where(col(Person.is_admin)).order_by(col(Person.id)))
    return [admin.id for admin in admins if await _may_lead(session, project, admin)]


async def _may_lead(session: AsyncSession, project: Project, person: Person) -> bool:
    return projects.is_full_member(person) and await projects.can_see(session, project, person)
