"""People who left the workspace: what they owned and coordinated is offered to whoever answers for it now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, operations, outbox, projects
from models.permissions import Actor, Standing
from models.tables import Channel, ChannelMember, Person, Project, Record


@dataclass(frozen=True)
class LeftBehind:
    """What somebody who left still is to a project: how many open records they own, and whether they coordinate it."""

    project: Project
    records: int
    coordinates: bool


async def note(session: AsyncSession, person_id: str, now: datetime) -> None:
    """Owe a word about what the person left behind to each of those who can hand it on, and the cards naming them."""
    found = await left_behind(session, person_id)
    heirs = {left.project.id: await heirs_of(session, left.project) for left in found}
    vacated = [left.project for left in found if left.coordinates and not await _leaders_of(session, left.project)]
    for project in vacated:
        # Nobody could name another coordinator otherwise: a project without one may be taken by a member who sees it.
        leaver = Actor(person_id, Standing.NOBODY)
        await projects.store(session, leaver, project, {"coordinator_id": None}, via="leaving", now=now)
    for heir in sorted({each for several in heirs.values() for each in several}):
        await outbox.put(
            session,
            "left_behind",
            key=f"left_behind:{person_id}:{heir}:{now.isoformat()}",
            target=heir,
            payload={"person": person_id, "vacated": [project.id for project in vacated]},
            due_at=now,
        )
    await operations.owe_cards_of_owner(session, person_id, now=now)


async def left_behind(session: AsyncSession, person_id: str, vacated: Sequence[int] = ()) -> list[LeftBehind]:
    """The projects that are not archived in which the person owns open records or that they coordinate, by name.

    So do those that they coordinated when they left and that have no coordinator yet (`vacated`).
    """
    owned = (
        select(Record.project_id, func.count())
        .where(col(Record.owner_id) == person_id, col(Record.is_open), col(Record.is_archived).is_(False))
        .group_by(col(Record.project_id))
    )
    counts = dict((await session.exec(owned)).all())
    query = (
        select(Project)
        .where(
            or_(
                col(Project.coordinator_id) == person_id,
                col(Project.id).in_(counts),
                col(Project.coordinator_id).is_(None) & col(Project.id).in_(vacated),
            ),
            col(Project.archived_at).is_(None),
        )
        .order_by(col(Project.name))
    )
    return [
        LeftBehind(
            project,
            counts.get(project.id or 0, 0),
            project.coordinator_id == person_id or (project.coordinator_id is None and project.id in vacated),
        )
        for project in await session.exec(query)
    ]


async def heirs_of(session: AsyncSession, project: Project) -> Sequence[str]:
    """Who answers for the project: whoever leads it, else the member of its channels who raised most in it."""
    return await _leaders_of(session, project) or await _most_involved(session, project)


async def _leaders_of(session: AsyncSession, project: Project) -> Sequence[str]:
    """Its coordinator, else its sponsor, else the workspace admins who may see it."""
    for person_id in filter(None, (project.coordinator_id, project.sponsor_id)):
        person = await directory.person(session, person_id)
        if person is not None and await _may_lead(session, project, person):
            return [person.id]
    admins = await session.exec(select(Person).where(col(Person.is_admin)).order_by(col(Person.id)))
    return [admin.id for admin in admins if await _may_lead(session, project, admin)]


async def _most_involved(session: AsyncSession, project: Project) -> Sequence[str]:
    raised = func.count(func.distinct(col(Record.id)))
    query = (
        select(Person)
        .join(ChannelMember, col(ChannelMember.person_id) == col(Person.id))
        .join(Channel, col(Channel.id) == col(ChannelMember.channel_id))
        .join(
            Record,
            (col(Record.project_id) == project.id) & (col(Record.raised_by) == col(Person.id)),
            isouter=True,
        )
        .where(col(Channel.project_id) == project.id)
        .group_by(col(Person.workspace_id), col(Person.id))
        .order_by(raised.desc(), func.min(col(Record.id)), col(Person.id))
    )
    members = (person for person in await session.exec(query) if projects.is_full_member(person))
    return [person.id for person in members][:1]


async def _may_lead(session: AsyncSession, project: Project, person: Person) -> bool:
    return projects.is_full_member(person) and await projects.can_see(session, project, person)
