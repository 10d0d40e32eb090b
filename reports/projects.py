"""The projects a person may see, with what is open and overdue in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.permissions import Actor, visible_channels, visible_projects, visible_records
from models.tables import Channel, Project, Record, in_use
from reports.filtering import today_of_projects


@dataclass(frozen=True)
class ProjectLine:
    """One project, what the person sees in it, and those of its channels that they may know of."""

    project: Project
    open: int
    overdue: int
    channels: tuple[Channel, ...]


@dataclass(frozen=True)
class ProjectPage:
    """Some projects of a longer list, by name. `number` counts from 0; `archived` is how many archived ones there are.

    `is_archived` is whether this is the list of the archived ones.
    """

    lines: tuple[ProjectLine, ...]
    total: int
    number: int
    size: int
    archived: int
    is_archived: bool
    as_of: datetime

    @property
    def is_last(self) -> bool:
        return (self.number + 1) * self.size >= self.total


async def project_page(
    session: AsyncSession, actor: Actor, *, now: datetime, is_archived: bool = False, number: int = 0, size: int = 8
) -> ProjectPage:
    """A page of the projects in use, or of the archived ones; as many statements however many there are."""
    counts = select(func.count(), func.count(col(Project.archived_at))).where(visible_projects(actor))
    everything, archived = (await session.exec(counts)).one()
    total = archived if is_archived else everything - archived
    number = min(number, max(0, (total - 1) // size))
    query = select(Project).where(visible_projects(actor), ~in_use() if is_archived else in_use())
    query = query.order_by(func.lower(col(Project.name)), col(Project.id)).offset(number * size).limit(size)
    shown = (await session.exec(query)).all()
    open_of = await _counts(session, actor, shown, now)
    channels_of = await _channels(session, actor, shown)
    lines = tuple(
        ProjectLine(project, *open_of.get(project.id, (0, 0)), tuple(channels_of.get(project.id, ())))
        for project in shown
    )
    return ProjectPage(lines, total, number, size, archived, is_archived, now)


async def _counts(
    session: AsyncSession, actor: Actor, shown: Sequence[Project], now: datetime
) -> dict[int | None, tuple[int, int]]:
    """Project -> (open, overdue) of the records the actor sees in it."""
    today = await today_of_projects(session, actor, shown, now)
    overdue = func.sum(case((col(Record.due_date) < today.day.here, 1), else_=0))
    query = (
        select(col(Project.id), func.count(), overdue)
        .join(Record, col(Record.project_id) == col(Project.id))
        .where(
            col(Project.id).in_([project.id for project in shown]),
            col(Record.is_open),
            col(Record.is_archived).is_(False),
            visible_records(actor),
        )
        .group_by(col(Project.id))
    )
    return {project_id: (opened, late) for project_id, opened, late in await session.exec(query)}


async def _channels(session: AsyncSession, actor: Actor, shown: Sequence[Project]) -> dict[int | None, list[Channel]]:
    query = select(Channel).where(
        col(Channel.project_id).in_([project.id for project in shown]), visible_channels(actor)
    )
    found: dict[int | None, list[Channel]] = {}
    for channel in await session.exec(query.order_by(col(Channel.name))):
        found.setdefault(channel.project_id, []).append(channel)
    return found
