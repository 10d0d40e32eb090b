"""What there is to do: a project's open records, and what one person owns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, nulls_last, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.kinds import KINDS, Item, Kind
from models.permissions import Actor, visible_records
from models.tables import Project, Record

Urgency = str
URGENCIES: tuple[Urgency, ...] = ("Overdue", "Due today", "Due this week", "Later", "No due date")


@dataclass(frozen=True)
class Line:
    """One record with its project, as urgent as it is on its project's today."""

    item: Item
    project: Project
    today: date

    @property
    def urgency(self) -> Urgency:
        return urgency(self.item.record.due_date, self.today)


@dataclass(frozen=True)
class Page:
    """Some lines of a longer list, most urgent first. `number` counts from 0; `total` is of the whole list."""

    lines: tuple[Line, ...]
    total: int
    number: int
    size: int
    as_of: datetime

    @property
    def is_last(self) -> bool:
        return (self.number + 1) * self.size >= self.total


def urgency(due_date: date | None, today: date) -> Urgency:
    """The word for a due date seen from `today`; the week ends on Sunday."""
    if due_date is None:
        return "No due date"
    if due_date < today:
        return "Overdue"
    if due_date == today:
        return "Due today"
    return "Due this week" if due_date <= today + timedelta(days=6 - today.weekday()) else "Later"


async def open_records(
    session: AsyncSession,
    actor: Actor,
    *,
    now: datetime,
    project: Project | None = None,
    kind: Kind | None = None,
    number: int = 0,
    size: int = 10,
) -> Page:
    """A page of the open records the actor may see, of one project or all, of one kind or all; two statements."""
    wanted: list[Any] = [col(Record.is_open)]
    if project is not None:
        wanted.append(col(Record.project_id) == project.id)
    if kind is not None:
        wanted.append(col(Record.kind) == kind.key)
    return await _page(session, actor, wanted, now=now, number=number, size=size)


async def owned(session: AsyncSession, actor: Actor, *, now: datetime, number: int = 0, size: int = 15) -> Page:
    """A page of the open records the actor owns."""
    wanted = [col(Record.is_open), col(Record.owner_id) == actor.id]
    return await _page(session, actor, wanted, now=now, number=number, size=size)


async def items_of(
    session: AsyncSession, actor: Actor, references: Sequence[tuple[Kind, int]]
) -> list[tuple[Item, Project]]:
    """The records of those references that the actor may see, in the order asked for."""
    conditions = [and_(col(Record.kind) == kind.key, col(Record.number) == number) for kind, number in references]
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(or_(*conditions), col(Record.is_archived).is_(False), visible_records(actor))
    )
    found = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    order = {f"{kind.letter}{number}": place for place, (kind, number) in enumerate(references)}
    return sorted(found, key=lambda pair: order[pair[0].reference])


async def with_own_rows(session: AsyncSession, found: Sequence[tuple[Record, Project]]) -> list[tuple[Item, Project]]:
    """The records as items with their kind's own row: one statement for each kind among them."""
    own: dict[int, Any] = {}
    for kind in KINDS:
        ids = [record.id for record, _ in found if record.kind == kind.key]
        if ids:
            model: Any = kind.model
            own |= {row.record_id: row for row in await session.exec(select(model).where(model.record_id.in_(ids)))}
    kinds = {kind.key: kind for kind in KINDS}
    return [
        (Item(kinds[record.kind], record, own[record.id]), project) for record, project in found if record.id in own
    ]


async def _page(
    session: AsyncSession, actor: Actor, wanted: list[Any], *, now: datetime, number: int, size: int
) -> Page:
    conditions = [*wanted, col(Record.is_archived).is_(False), visible_records(actor)]
    joined = col(Project.id) == col(Record.project_id)
    count = select(func.count()).select_from(Record).join(Project, joined).where(*conditions)
    total = (await session.exec(count)).one()
    number = min(number, max(0, (total - 1) // size))
    query = (
        select(Record, Project)
        .join(Project, joined)
        .where(*conditions)
        .order_by(nulls_last(col(Record.due_date).asc()), col(Record.due_time), col(Record.id))
        .offset(number * size)
        .limit(size)
    )
    items = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    lines = tuple(Line(item, project, today_in(project.timezone, now)) for item, project in items)
    return Page(lines=lines, total=total, number=number, size=size, as_of=now)
