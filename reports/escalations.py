"""What waits for an answer: the records that are on their way up, with the steps that were taken."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.escalations import open_steps
from models.items import with_own_rows
from models.kinds import Item
from models.permissions import Actor, visible_records
from models.tables import Escalation, Project, Record, in_use


@dataclass(frozen=True)
class Climb:
    """One record that climbs, with the steps of its climb, lowest first."""

    item: Item
    project: Project
    steps: tuple[Escalation, ...]


async def climbing(
    session: AsyncSession, actor: Actor, *, project: Project | None = None, at_most: int
) -> tuple[Sequence[Climb], int]:
    """The records on their way up that the actor may see, of one project or of all, and how many more there are.

    What is next comes first.
    """
    conditions = [col(Record.climb_rung).is_not(None), in_use(), visible_records(actor)]
    if project is not None:
        conditions.append(col(Record.project_id) == project.id)
    joined = col(Project.id) == col(Record.project_id)
    count = select(func.count()).select_from(Record).join(Project, joined).where(*conditions)
    total = (await session.exec(count)).one()
    query = (
        select(Record, Project)
        .join(Project, joined)
        .where(*conditions)
        .order_by(col(Record.climb_at).is_(None), col(Record.climb_at), col(Record.id))
        .limit(at_most)
    )
    items = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    steps = await open_steps(session, [item.record.id for item, _ in items])
    climbs = [Climb(item, project, tuple(steps.get(item.record.id or 0, ()))) for item, project in items]
    return climbs, total - len(climbs)
