"""What there is: the records a list asks for, page by page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import CompoundSelect, SQLColumnExpression, and_, nulls_last, or_, union
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.filters import Filters, Scope
from models.items import with_own_rows
from models.kinds import Item, Kind
from models.permissions import Actor, visible_records
from models.tables import Project, Record, in_use
from reports.filtering import alternatives_of, today_of_projects
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
    """Some lines of a longer list, most urgent first. `number` counts from 0; `total` is of the whole list.

    Where `is_cut`, there are more than the `total` that was counted; a list that `goes_on` has pages of them too.
    """

    lines: tuple[Line, ...]
    total: int
    number: int
    size: int
    as_of: datetime
    is_cut: bool = False
    goes_on: bool = False

    @property
    def is_last(self) -> bool:
        return not self.goes_on and (self.number + 1) * self.size >= self.total


# Counted beyond that, a list would cost what there is and not what it shows.
MOST_COUNTED = 1_000


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
    list of its own. In a list of one kind what the kind says comes first, then the due date; closed records stand by
    when they were closed. The number of statements does not depend on how many records there are.
    """
    today = await today_of_projects(session, actor, projects, now)
    place = in_use() if projects is None else col(Record.project_id).in_([project.id for project in projects])
    what_matters = BY_RANK if filters.only_kind else BY_DUE_DATE
    order = BY_END if filters.wanted_scope is Scope.CLOSED else what_matters
    # Of a later page so many that one more tells whether another follows.
    most = max(MOST_COUNTED, (number + 1) * size)
    queries = []
    for scope in filters.scopes:
        ways = alternatives_of(replace(filters, scope=scope), actor, today)
        queries.append(
            first_of([seen_ids(actor, [place, *way]).order_by(*order.by(Record)) for way in ways], most, order)
        )
    page = await page_of(session, queries, most, now=now, number=number, size=size)
    # Counted for a later page too, but said in one way: there are more than that.
    return replace(page, total=MOST_COUNTED, goes_on=True) if page.is_cut else page


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


@dataclass(frozen=True)
class Order:
    """An order of records, as a function of what stands for `Record`, and the `columns` it asks for beside the id."""

    by: Callable[[Any], Sequence[SQLColumnExpression[Any]]]
    columns: tuple[Any, ...]


# Most urgent first, then what matters more; in a list of one kind after what that kind says; and closed last first.
# Indexes of `Record` are in these orders.
BY_DUE_DATE = Order(
    lambda of: (nulls_last(of.due_date.asc()), of.place.asc(), of.id.asc()), (Record.due_date, Record.place)
)
BY_RANK = Order(lambda of: (of.kind_rank.asc(), of.place.asc(), of.id.asc()), (Record.kind_rank, Record.place))
BY_END = Order(lambda of: (of.closed_at.desc(), of.id.desc()), (Record.closed_at,))


def seen_ids(actor: Actor, wanted: Sequence[SQLColumnExpression[bool]]) -> Any:
    """The ids of the records that are wanted and the actor may see."""
    query = select(Record.id).join(Project, col(Project.id) == col(Record.project_id))
    return query.where(*wanted, col(Record.is_archived).is_(False), visible_records(actor))


def first_of(queries: Sequence[Any], most: int, order: Order) -> Any:
    """The ids that any of the queries gives, in that order. Of each no more is read than may be counted."""
    if len(queries) == 1:
        return queries[0]
    of = any_of(queries, most, order.columns)
    return select(of.id).order_by(*order.by(of))


def any_of(
    queries: Sequence[Any], most: int, columns: Sequence[Any], together: Callable[..., CompoundSelect[Any]] = union
) -> Any:
    """The records that any of the queries of ids gives, with these columns. Of each no more is read than is counted.

    With `union_all` as `together` no two of them may give the same record.
    """
    parts = [query.add_columns(Record.workspace_id, *columns).limit(most + 1).subquery() for query in queries]
    return aliased(Record, together(*map(select, parts)).subquery())


async def page_of(
    session: AsyncSession, queries: Sequence[Any], most: int, *, now: datetime, number: int, size: int
) -> Page:
    """A page of what the queries of ids give, one after the other, of which so many are counted at most."""
    ids: list[int] = []
    for query in queries:
        if len(ids) <= most:
            ids += await session.exec(query.limit(most + 1 - len(ids)))
    number = _page_within(number, min(len(ids), most), size)
    shown = ids[:most][number * size : (number + 1) * size]
    return await _page_with(session, shown, len(ids), most, now=now, number=number, size=size)


async def best_page_of(session: AsyncSession, query: Any, most: int, *, now: datetime, number: int, size: int) -> Page:
    """A page of what the query gives: ids, and beside each how many there are. No more is fetched than is shown."""
    number = _page_within(number, most, size)
    rows = (await session.exec(query.offset(number * size).limit(min(size, most - number * size)))).all()
    if number and not rows:  # fewer than when its button was drawn
        return await best_page_of(session, query, most, now=now, number=0, size=size)
    counted = rows[0][1] if rows else 0
    return await _page_with(session, [row[0] for row in rows], counted, most, now=now, number=number, size=size)


def _page_within(number: int, total: int, size: int) -> int:
    """That page, or the last one where there are not so many."""
    return min(number, max(0, (total - 1) // size))


async def _page_with(
    session: AsyncSession, shown: Sequence[int], counted: int, most: int, *, now: datetime, number: int, size: int
) -> Page:
    items = await with_own_rows(session, await _in_order(session, shown) if shown else [])
    lines = tuple(Line(item, project, today_in(project.timezone, now)) for item, project in items)
    total = min(counted, most)
    return Page(lines=lines, total=total, number=number, size=size, as_of=now, is_cut=counted > most)


async def _in_order(session: AsyncSession, ids: Sequence[int]) -> Sequence[tuple[Record, Project]]:
    query = select(Record, Project).join(Project, col(Project.id) == col(Record.project_id))
    rows = await session.exec(query.where(col(Record.id).in_(ids)))
    found = {record.id: (record, project) for record, project in rows}
    return [found[each] for each in ids if each in found]
