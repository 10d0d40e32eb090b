"""The filters of a list as conditions on `Record` joined with `Project`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, SQLColumnExpression, and_, case, exists, func, literal, null, or_, union
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.filters import ME, NOBODY, Filters, Scope, When
from models.kinds import KINDS, Kind
from models.permissions import Actor, decides_for, visible_projects
from models.tables import Project, Record, RecordHelper, RecordTag
from reports.urgency import week_end


@dataclass(frozen=True)
class Today:
    """The day it is in each project's own zone, and the Sunday of its week, as expressions on `Project`."""

    day: ColumnElement[date]
    sunday: ColumnElement[date]


async def today_of_projects(
    session: AsyncSession, actor: Actor, projects: Sequence[Project] | None, now: datetime
) -> Today:
    """Today in the zones of these projects, or of all that the actor may know of (one statement then)."""
    if projects is None:
        zones = set(await session.exec(select(Project.timezone).where(visible_projects(actor)).distinct()))
    else:
        zones = {project.timezone for project in projects}
    days = {zone: today_in(zone, now) for zone in sorted(zones)}
    return Today(_by_zone(days), _by_zone({zone: week_end(day) for zone, day in days.items()}))


def conditions_of(filters: Filters, actor: Actor, today: Today) -> list[SQLColumnExpression[bool]]:
    """What a record must be. Names of owners have become ids by now; projects are asked for elsewhere."""
    wanted: list[SQLColumnExpression[bool]] = []
    if filters.kinds:
        wanted.append(col(Record.kind).in_(filters.kinds))
    if filters.wanted_scope is not Scope.ALL:
        wanted.append(col(Record.is_open).is_(filters.wanted_scope is Scope.OPEN))
    if filters.statuses:
        wanted.append(col(Record.status).in_(filters.statuses))
    if filters.priorities:
        wanted.append(col(Record.priority).in_(filters.priorities))
    if filters.owners or filters.helping:
        wanted.append(_in_the_hands_of(filters, actor))
    wanted += [col(Record.id).in_(select(RecordTag.record_id).where(col(RecordTag.tag) == tag)) for tag in filters.tags]
    if filters.at_least is not None or filters.at_most is not None:
        wanted.append(or_(*(_scored(kind, filters) for kind in filters.wanted_kinds if kind.score is not None)))
    if filters.due:
        wanted.append(_due(filters.due, today))
    if filters.waiting:
        wanted.append(_waiting_for(actor, today))
    wanted += [func.lower(col(Record.title)).contains(words.lower(), autoescape=True) for words in filters.words]
    return wanted


def _by_zone(days: dict[str, date]) -> ColumnElement[date]:
    return (
        case({zone: literal(day, Date) for zone, day in days.items()}, value=col(Project.timezone)) if days else _NO_DAY
    )


_NO_DAY = null().cast(Date)


def _in_the_hands_of(filters: Filters, actor: Actor) -> ColumnElement[bool]:
    """Owned by one of the owners, or helped with by the actor; each found by its own index."""
    owned = _owned_by(filters.owners, actor)
    if not filters.helping:
        return owned
    helped = select(RecordHelper.record_id).where(col(RecordHelper.person_id) == actor.id)
    return col(Record.id).in_(union(select(Record.id).where(owned), helped) if filters.owners else helped)


def _owned_by(owners: Iterable[str], actor: Actor) -> ColumnElement[bool]:
    ids = [actor.id if owner == ME else owner for owner in owners if owner != NOBODY]
    of_nobody = [col(Record.owner_id).is_(None)] if NOBODY in owners else []
    return or_(col(Record.owner_id).in_(ids), *of_nobody)


def _scored(kind: Kind, filters: Filters) -> ColumnElement[bool]:
    model: Any = kind.model
    bounds = [kind.score >= filters.at_least] if kind.score is not None and filters.at_least is not None else []
    bounds += [kind.score <= filters.at_most] if kind.score is not None and filters.at_most is not None else []
    its_own = exists().where(model.record_id == col(Record.id), *bounds).correlate(Record)
    return and_(col(Record.kind) == kind.key, its_own)


def _due(when: When, today: Today) -> ColumnElement[bool]:
    due = col(Record.due_date)
    match when:
        case When.OVERDUE:
            return and_(col(Record.is_open), due < today.day)
        case When.TODAY:
            return due == today.day
        case When.THIS_WEEK:
            return due.between(today.day, today.sunday)
        case When.NO_DATE:
            return due.is_(None)


def _waiting_for(actor: Actor, today: Today) -> ColumnElement[bool]:
    """What stands still until the actor acts: what they are to approve, and what they own that is overdue."""
    to_approve = and_(awaits_approval(), decides_for(actor))
    return or_(and_(col(Record.owner_id) == actor.id, _due(When.OVERDUE, today)), to_approve)


def awaits_approval() -> ColumnElement[bool]:
    """What waits for a decision, whoever makes it."""
    waiting = [kind for kind in KINDS if kind.awaits_approval]
    return or_(*(and_(col(Record.kind) == kind.key, col(Record.status).in_(kind.awaits_approval)) for kind in waiting))
