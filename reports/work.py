"""What there is: the records a list asks for, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import SQLColumnExpression, and_, func, nulls_last, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.filters import Filters, Scope
from models.items import with_own_rows
from models.kinds import Item, Kind
from models.labels import Priority
from models.permissions import Actor, visible_records
from models.projects import in_use
from models.tables import Project, Record
from reports.filtering import conditions_of, today_of_projects
from reports.urgency import Urgency, urgency


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


async def listed(
    session: AsyncSession,
    actor: Actor,
    filters: Filters,
    *,
    now: datetime,
    projects: Sequence[Project] | None = None,
    number: int = 0,
    size: int = 10,
) -> Page:
    """A page of the records that the filters ask for and the actor may see, of these projects or of all.

    The filters' channels have become `projects` by now, and names of owners ids. An archived project stands only in a
    list of its own. In a list of one kind what the kind
    says comes first, then the due date; closed records stand by when they were closed. The number of statements does
    not depend on how many records there are.
    """
    today = await today_of_projects(session, actor, projects, now)
    wanted = conditions_of(filters, actor, today)
    if projects is None:
        wanted.append(in_use())
    else:
        wanted.append(col(Record.project_id).in_([project.id for project in projects]))
    kind = filters.only_kind
    what_matters = (*(kind.sort_by if kind else ()), *BY_DUE_DATE)
    order = {
        Scope.OPEN: what_matters,
        Scope.CLOSED: (nulls_last(col(Record.closed_at).desc()), col(Record.id).desc()),
        Scope.ALL: (col(Record.is_open).desc(), *what_matters),
    }[filters.wanted_scope]
    return await page_of(session, actor, wanted, order=order, kind=kind, now=now, number=number, size=size)


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


# Most urgent first, then what matters more.
BY_DUE_DATE: tuple[SQLColumnExpression[Any], ...] = (
    nulls_last(col(Record.due_date).asc()),
    nulls_last(col(Record.due_time).asc()),
    Priority.ranked(col(Record.priority)).desc(),
    col(Record.id).asc(),
)


async def page_of(
    session: AsyncSession,
    actor: Actor,
    wanted: Sequence[SQLColumnExpression[bool]],
    *,
    order: Sequence[SQLColumnExpression[Any]],
    now: datetime,
    number: int,
    size: int,
    kind: Kind | None = None,
) -> Page:
    """A page of what is wanted; `kind` is given where `order` speaks of its own columns."""
    conditions = [*wanted, col(Record.is_archived).is_(False), visible_records(actor)]
    joined = col(Project.id) == col(Record.project_id)
    count = select(func.count()).select_from(Record).join(Project, joined).where(*conditions)
    total = (await session.exec(count)).one()
    number = min(number, max(0, (total - 1) // size))
    query = select(Record, Project).join(Project, joined)
    if kind is not None:
        query = query.join(kind.model, kind.model.record_id == col(Record.id))  # type: ignore[attr-defined]
    query = query.where(*conditions).order_by(*order).offset(number * size).limit(size)
    items = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    lines = tuple(Line(item, project, today_in(project.timezone, now)) for item, project in items)
    return Page(lines=lines, total=total, number=number, size=size, as_of=now)
