"""The filters of a list as conditions on `Record` joined with `Project`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, and_, case, func, literal, null, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.filters import ME, NOBODY, Filters, Scope, When
from models.kinds import KINDS
from models.permissions import Actor, decides_for, visible_projects
from models.tables import Project, Record, RecordHelper, RecordTag
from reports.urgency import week_end


@dataclass(frozen=True)
class Day:
    """A day in each project's own zone, as an expression on `Project`, and the `first` and `last` that any of them has.

    An index of records knows nothing of zones: it is asked between these two.
    """

    here: ColumnElement[date]
    first: date
    last: date


@dataclass(frozen=True)
class Today:
    """The day it is, and the Sunday of its week."""

    day: Day
    sunday: Day


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


Conditions = Sequence[ColumnElement[bool]]

# Of more owners there is one way, and no index gives it in order.
MOST_HANDS = 5


def alternatives_of(filters: Filters, actor: Actor, today: Today) -> list[Conditions]:
    """What a record must be, in one way or another, each of which an index answers; it may be several.

    Names of owners have become ids by now; projects are asked for elsewhere.
    """
    hands = [_owned_by(owner, actor) for owner in filters.owners] + ([_helped_by(actor)] if filters.helping else [])
    in_hands = [[hand] for hand in hands] if len(hands) <= MOST_HANDS else [[or_(*hands)]]
    waits = _waiting_for(actor, today) if filters.waiting else []
    always = conditions_of(filters, today)
    return [[*always, *hand, *wait] for hand in in_hands or [[]] for wait in waits or [[]]]


def conditions_of(filters: Filters, today: Today) -> Conditions:
    """What a record must be in every way."""
    wanted: list[ColumnElement[bool]] = []
    if filters.kinds:
        wanted.append(col(Record.kind).in_(filters.kinds))
    if filters.wanted_scope is not Scope.ALL:
        wanted.append(col(Record.is_open).is_(filters.wanted_scope is Scope.OPEN))
    if filters.statuses:
        having = [kind.key for kind in filters.wanted_kinds if set(filters.statuses).intersection(kind.statuses)]
        wanted += [col(Record.status).in_(filters.statuses), col(Record.kind).in_(having)]
    if filters.priorities:
        wanted.append(col(Record.priority).in_(filters.priorities))
    wanted += [col(Record.id).in_(select(RecordTag.record_id).where(col(RecordTag.tag) == tag)) for tag in filters.tags]
    if filters.at_least is not None or filters.at_most is not None:
        wanted.append(_scored(filters))
    if filters.due:
        wanted.append(_due(filters.due, today))
    wanted += [func.lower(col(Record.title)).contains(words.lower(), autoescape=True) for words in filters.words]
    return wanted


def _by_zone(days: dict[str, date]) -> Day:
    if not days:
        return Day(null().cast(Date), date.min, date.min)
    first, last = min(days.values()), max(days.values())
    by_zone = {zone: literal(day, Date) for zone, day in days.items()}
    return Day(literal(first, Date) if first == last else case(by_zone, value=col(Project.timezone)), first, last)


def _owned_by(owner: str, actor: Actor) -> ColumnElement[bool]:
    if owner == NOBODY:
        return col(Record.owner_id).is_(None)
    return col(Record.owner_id) == (actor.id if owner == ME else owner)


def _helped_by(actor: Actor) -> ColumnElement[bool]:
    return col(Record.id).in_(select(RecordHelper.record_id).where(col(RecordHelper.person_id) == actor.id))


def _scored(filters: Filters) -> ColumnElement[bool]:
    """A score within the bounds, which is the rank of a kind that has one, below nought; without one it is nought."""
    scored = col(Record.kind).in_([kind.key for kind in filters.wanted_kinds if kind.score is not None])
    most = -1 if filters.at_least is None else min(-1, -filters.at_least)
    least = [] if filters.at_most is None else [col(Record.kind_rank) >= -filters.at_most]
    return and_(scored, col(Record.kind_rank) <= most, *least)


def _due(when: When, today: Today) -> ColumnElement[bool]:
    due = col(Record.due_date)
    match when:
        case When.OVERDUE:
            return and_(col(Record.is_open).is_(True), due < today.day.here, due.between(date.min, today.day.last))
        case When.TODAY:
            return _between(today.day, today.day)
        case When.THIS_WEEK:
            return _between(today.day, today.sunday)
        case When.NO_DATE:
            return due.is_(None)


def _between(start: Day, end: Day) -> ColumnElement[bool]:
    due = col(Record.due_date)
    return and_(due.between(start.here, end.here), due.between(start.first, end.last))


def _waiting_for(actor: Actor, today: Today) -> list[Conditions]:
    """What stands still until the actor acts: what they own that is overdue, and what they are to approve."""
    return [
        [_owned_by(ME, actor), _due(When.OVERDUE, today)],
        [col(Record.is_open).is_(True), awaits_approval(), decides_for(actor)],
    ]


def awaits_approval() -> ColumnElement[bool]:
    """What waits for a decision, whoever makes it."""
    waiting = [kind for kind in KINDS if kind.awaits_approval]
    return or_(*(and_(col(Record.kind) == kind.key, col(Record.status).in_(kind.awaits_approval)) for kind in waiting))
