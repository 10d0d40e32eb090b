"""The rules of escalation: what climbs from which day, who is on the rungs, and at what hour somebody is asked.

And the planning by them; what becomes of a plan when its instant comes stands in `models.escalations`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models import manners
from models.absences import Leave
from models.clock import today_in
from models.kinds import Item
from models.kinds.base import Concern
from models.permissions import is_closed
from models.recurrences import instant_of
from models.tables import Person, Project, Record, Rung
from models.working_days import after_working_days

ASKING_HOUR = time(10)
LATE_LIMIT = timedelta(hours=4)

# Settings of a project that plan its records anew.
PLANNED_BY = frozenset(
    {
        "timezone",
        "working_days",
        "holiday_country",
        "holiday_subdivision",
        "days_off",
        "coordinator_id",
        "sponsor_id",
        "escalates",
        "grace_days",
        "archived_at",
    }
)

Away = Mapping[str, Leave]


def climbs(record: Record, project: Project) -> bool:
    """Whether the record may climb at all, however late it is."""
    is_live = record.is_open and not record.is_archived and not record.is_draft
    return is_live and project.escalates and not is_closed(project)


def first_concern(item: Item, project: Project, heard_on: date) -> tuple[date, Concern] | None:
    """The first day on which the record may climb and why, when the last word about it was said on `heard_on`.

    The project's working days of grace count from the concern's first day, or from that word. None while all is well.
    """
    if not climbs(item.record, project):
        return None
    days = [
        (after_working_days(project, max(since, heard_on), project.grace_days), concern)
        for concern in item.kind.concerns
        if (since := concern.since(item)) is not None
    ]
    return min(days, key=lambda found: found[0], default=None)


def plan(item: Item, project: Project, now: datetime) -> bool:
    """Note on the record when it may climb, somebody having said something at `now`; whether that ends a climb."""
    record = item.record
    found = first_concern(item, project, today_in(project.timezone, now))
    was_climbing = record.climb_rung is not None
    record.climb_at = begin_of(found[0], project) if found else None
    record.climb_rung = record.climb_since = None
    return was_climbing


async def wake(session: AsyncSession, project: Project, now: datetime) -> None:
    """Have every open record of the project planned anew, because its calendar, its people or its settings changed."""
    statement = update(Record).where(
        col(Record.project_id) == project.id,
        col(Record.is_open),
        col(Record.is_archived).is_(False),
        col(Record.is_draft).is_(False),
    )
    await session.exec(statement.values(climb_at=now), execution_options={"synchronize_session": False})


def after_grace(project: Project, at: datetime) -> datetime:
    """The instant from which on the next one may be asked, when somebody was asked at `at`."""
    return begin_of(after_working_days(project, today_in(project.timezone, at), project.grace_days), project)


def begin_of(day: date, project: Project) -> datetime:
    return instant_of(day, time(0), project.timezone)


def _owner(record: Record, project: Project, away: Away) -> str | None:
    return record.owner_id if record.owner_id not in away else None


def _deputy(record: Record, project: Project, away: Away) -> str | None:
    return _stand_in(record.owner_id, away) if record.owner_id in away else None


def _stand_in(person_id: str | None, away: Away) -> str | None:
    """The person, or whoever stands in for them while they are away; None where nobody does."""
    if person_id is None or person_id not in away:
        return person_id
    deputy_id = away[person_id].deputy_id
    return deputy_id if deputy_id not in away else None


# Whom a record may climb to, lowest first. Nobody is asked while they are away.
RUNGS: Sequence[tuple[Rung, Callable[[Record, Project, Away], str | None]]] = (
    (Rung.OWNER, _owner),
    (Rung.DEPUTY, _deputy),
    (Rung.COORDINATOR, lambda record, project, away: _stand_in(project.coordinator_id, away)),
    (Rung.SPONSOR, lambda record, project, away: _stand_in(project.sponsor_id, away)),
)


def rungs_left(
    record: Record, project: Project, away: Away, *, above: Rung | None = None, asked: Collection[str | None] = ()
) -> list[tuple[Rung, str]]:
    """Whom the record may still climb to, lowest first: nobody twice, and nothing where nobody is."""
    left: list[tuple[Rung, str]] = []
    seen = set(asked)
    for rung, whose in RUNGS:
        person_id = whose(record, project, away)
        if person_id is not None and person_id not in seen and (above is None or rung.rank > above.rank):
            left.append((rung, person_id))
            seen.add(person_id)
    return left


def hour_of(person: Person) -> time:
    """The wall time at which the person is asked: that of their digest, if they want one."""
    return person.digest_at if person.wants_digest else ASKING_HOUR


def asking_hour(person: Person, project: Project, ready: datetime, now: datetime) -> datetime:
    """The first hour, from `ready` on, at which the person is asked on a working day of the project.

    It may have passed a moment ago, but by less than the late limit: what was missed waits for the next such hour. What
    lies in their quiet hours waits for the end of these.
    """
    begin = max(ready, now - LATE_LIMIT + timedelta(seconds=1))
    day = today_in(person.timezone, begin)
    while True:
        day = after_working_days(project, day, 0)
        at = manners.not_before(person, instant_of(day, hour_of(person), person.timezone))
        if at >= begin:
            return at
        day += timedelta(days=1)
