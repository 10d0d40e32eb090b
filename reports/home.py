"""What the Home tab tells one person: what they own, what waits for their decision, and how their projects stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory
from models.absences import can_stand_in
from models.clock import today_in
from models.items import with_own_rows
from models.permissions import Actor, actor_of, decides_for, takes_part, visible_projects, visible_records
from models.tables import Absence, Act, History, Person, Project, Record, RecordHelper, in_use
from reports.filtering import awaits_approval
from reports.work import BY_DUE_DATE, Line, Page

# Between them it is every date that it is anywhere at one instant.
FIRST_ZONE, LAST_ZONE = "Etc/GMT+12", "Etc/GMT-14"

OWNED_SIZE = 12
TO_DECIDE_SIZE = 5
HELPED_SIZE = 5


@dataclass(frozen=True)
class Standing:
    """How one project stands: what is open by kind, in the order of the kinds, and how much of it is overdue."""

    project: Project
    open: Mapping[str, int]
    overdue: int

    @property
    def total(self) -> int:
        return sum(self.open.values())


@dataclass(frozen=True)
class Overview:
    """One person's Home. `overdue` and `due_today` count all that they own; `to_decide` are the first of so many.

    `helped` are the most urgent that they help with; whether there are more says `helps_with_more`.

    `last_logged` is a number that changes when they log something. `away_until` is the last day of the leave that
    somebody is on who takes part in a project, `deputy` whoever stands in for them today.
    """

    owned: Page
    helped: tuple[Line, ...]
    helps_with_more: bool
    overdue: int
    due_today: int
    to_decide: tuple[Line, ...]
    to_decide_total: int
    projects: tuple[Standing, ...]
    last_logged: int
    away_until: date | None
    deputy: Person | None


async def overview(session: AsyncSession, person: Person, *, now: datetime, number: int = 0) -> Overview:
    """A page of what the person owns, and all the rest; four statements, and one for each kind among the records.

    While somebody is away it takes two more, for how long and for their deputy.
    """
    actor = actor_of(person)
    days = sorted({today_in(zone, now) for zone in (FIRST_ZONE, "UTC", LAST_ZONE)})
    seen = [col(Record.is_open), col(Record.is_archived).is_(False), in_use(), visible_records(actor)]
    mine = [col(Record.owner_id) == actor.id, *seen]
    total, overdue, due_today = await _counted(session, mine, days, now)
    number = min(number, max(0, (total - 1) // OWNED_SIZE))
    helping = [col(Record.id).in_(_helped_by(actor)), col(Record.owner_id).is_distinct_from(actor.id), *seen]
    page = or_(
        col(Record.id).in_(_first(OWNED_SIZE, mine, skipping=number * OWNED_SIZE)),
        col(Record.id).in_(_first(HELPED_SIZE + 1, helping)),
    )
    found = (await session.exec(_records().where(page).order_by(*BY_DUE_DATE.by(Record)))).all()
    owned = [each for each in found if each[0].owner_id == actor.id]
    helped = [each for each in found if each[0].owner_id != actor.id]
    waiting = await _to_decide(session, actor)
    today = today_in(person.timezone, now)
    projects, last_logged, is_away = await _standings(session, actor, days, now, today)
    leave = (await absences.of(session, [actor.id], today)).get(actor.id) if is_away else None
    deputy = await directory.person(session, leave.deputy_id) if leave and leave.deputy_id else None
    shown = [*owned, *((record, project) for record, project, _ in waiting), *helped[:HELPED_SIZE]]
    rows = await with_own_rows(session, shown)
    lines = [Line(item, project, today_in(project.timezone, now)) for item, project in rows]
    decided = len(owned) + len(waiting)
    return Overview(
        owned=Page(lines=tuple(lines[: len(owned)]), total=total, number=number, size=OWNED_SIZE, as_of=now),
        helped=tuple(lines[decided:]),
        helps_with_more=len(helped) > HELPED_SIZE,
        overdue=overdue,
        due_today=due_today,
        to_decide=tuple(lines[len(owned) : decided]),
        to_decide_total=waiting[0][2] if waiting else 0,
        projects=projects,
        last_logged=last_logged,
        away_until=leave.last_day if leave else None,
        deputy=deputy if deputy and can_stand_in(deputy) else None,
    )


def _records() -> Any:
    return select(Record, Project).join(Project, col(Project.id) == col(Record.project_id))


def _helped_by(actor: Actor) -> Any:
    return select(RecordHelper.record_id).where(col(RecordHelper.person_id) == actor.id)


def _first(number: int, wanted: Sequence[Any], *, skipping: int = 0) -> Any:
    """The ids of the most urgent records that are wanted."""
    query = select(Record.id).join(Project, col(Project.id) == col(Record.project_id)).where(*wanted)
    return query.order_by(*BY_DUE_DATE.by(Record)).offset(skipping).limit(number).correlate(None)


def _before(day: date) -> Any:
    return func.coalesce(func.sum(case((col(Record.due_date) < day, 1), else_=0)), 0)


def _on(day: date) -> Any:
    return func.coalesce(func.sum(case((col(Record.due_date) == day, 1), else_=0)), 0)


async def _counted(
    session: AsyncSession, wanted: Sequence[Any], days: Sequence[date], now: datetime
) -> tuple[int, int, int]:
    """How many there are, how many are overdue and due today, each on its project's own day."""
    counts = [count(day) for day in days for count in (_before, _on)]
    query: Any = (
        select(col(Project.timezone), func.count(), *counts)
        .join(Record, col(Record.project_id) == col(Project.id))
        .where(*wanted)
        .group_by(col(Project.timezone))
    )
    total = overdue = due_today = 0
    for zone, number, *counted in await session.exec(query):
        at = 2 * days.index(today_in(zone, now))
        total, overdue, due_today = total + number, overdue + counted[at], due_today + counted[at + 1]
    return total, overdue, due_today


async def _to_decide(session: AsyncSession, actor: Actor) -> Sequence[tuple[Record, Project, int]]:
    """The first of what the actor is to approve, the most urgent first, each with how many there are."""
    query = (
        _records()
        .add_columns(func.count().over())
        .where(
            col(Record.is_open),
            col(Record.is_archived).is_(False),
            in_use(),
            decides_for(actor),
            awaits_approval(),
            visible_records(actor),
        )
        .order_by(*BY_DUE_DATE.by(Record))
        .limit(TO_DECIDE_SIZE)
    )
    found: Sequence[tuple[Record, Project, int]] = (await session.exec(query)).all()
    return found


async def _standings(
    session: AsyncSession, actor: Actor, days: Sequence[date], now: datetime, today: date
) -> tuple[tuple[Standing, ...], int, bool]:
    """The projects the actor takes part in, those with most overdue first.

    With them, in the same statement, the number of their last record and whether they are away.
    """
    last_logged = (
        select(func.max(History.id))
        .where(col(History.actor_id) == actor.id, col(History.act) == Act.CREATED)
        .scalar_subquery()
    )
    is_away = exists().where(
        col(Absence.workspace_id) == col(Project.workspace_id),
        col(Absence.person_id) == actor.id,
        col(Absence.first_day) <= today,
        col(Absence.last_day) >= today,
    )
    of_person: Sequence[Any] = (last_logged, is_away)
    open_ones = and_(
        col(Record.project_id) == col(Project.id),
        col(Record.is_open),
        col(Record.is_archived).is_(False),
        visible_records(actor),
    )
    query: Any = (
        select(Project, col(Record.kind), func.count(col(Record.id)), *of_person, *map(_before, days))
        .outerjoin(Record, open_ones)
        .where(in_use(), visible_projects(actor), takes_part(actor))
        .group_by(col(Project.id), col(Record.kind))
        .order_by(col(Project.name), col(Project.id))
    )
    found: dict[int | None, Standing] = {}
    logged, away = 0, False
    for project, kind, number, last, gone, *late in await session.exec(query):
        logged, away = last or 0, gone
        known = found.get(project.id, Standing(project, {}, 0))
        overdue = known.overdue + late[days.index(today_in(project.timezone, now))]
        found[project.id] = Standing(project, {**known.open, **({kind: number} if kind else {})}, overdue)
    standings = sorted(found.values(), key=lambda each: (-each.overdue, -each.total))
    return tuple(standings), logged, away
