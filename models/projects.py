"""Projects: begun by the first record in a channel, tuned in a form."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime, time
from functools import cache
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import available_timezones

from sqlalchemy import exists, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import batches, directory, ladder, own_fields, reminders, summaries
from models.errors import Conflict, InvalidFields, NotFound, Overtaken
from models.money import CURRENCIES
from models.permissions import (
    Actor,
    Right,
    Standing,
    actor_of,
    is_closed,
    logs_in_channel,
    require,
    visible_projects,
)
from models.tables import Act, Channel, ChannelMember, History, Person, Project, Record, in_use
from models.working_days import WEEKDAYS, countries, subdivisions

Values = Mapping[str, Any]

NAME_MAX = 80
IMPORT = "import"
MOST_DAYS_OFF = 200
LEAD_DAYS_MAX = 10
MOST_GRACE_DAYS = 10

# What a project's form asks, in its order.
SETTINGS = (
    "name",
    "coordinator_id",
    "sponsor_id",
    "timezone",
    "working_days",
    "holiday_country",
    "holiday_subdivision",
    "days_off",
    "who_may_edit",
    "may_others_log",
    "currency",
    "own_fields",
    "lead_days",
    "remind_before_minutes",
    "channel_reminder",
    "names_in_channel",
    "escalates",
    "grace_days",
    "has_summary",
    "summary_day",
    "summary_at",
)

# What decides when the clock speaks up before a due time, and in the channel.
MOVES_REMINDERS = frozenset({"timezone", "remind_before_minutes"})


async def begin(
    session: AsyncSession,
    actor: Actor,
    channel: Channel,
    *,
    name: str,
    timezone: str,
    now: datetime,
    via: str = "first record",
    settings: Values = MappingProxyType({}),
) -> Project:
    """Make the channel's project, with the person as coordinator when they are a full member.

    `settings` are other values by field, as `change_settings` takes them. Raises InvalidFields, and Overtaken when the
    channel has a project by now.
    """
    project = planned(actor, channel, name=name, timezone=timezone, now=now, settings=settings)
    session.add(project)
    await session.flush()
    assert project.id is not None
    taken = await session.exec(
        update(Channel)
        .where(col(Channel.id) == channel.id, col(Channel.project_id).is_(None))
        .values(project_id=project.id)
    )
    if taken.rowcount == 0:
        raise Overtaken("Somebody else began a project here at the same moment. Please try again.")
    if problems := await _problems(session, project, {"name": project.name, **settings}):
        raise InvalidFields(problems)
    session.add(_history(project, actor, Act.CREATED, via, now, after=project.name))
    await session.flush()
    return project


def planned(
    actor: Actor,
    channel: Channel,
    *,
    name: str,
    timezone: str,
    now: datetime,
    settings: Values = MappingProxyType({}),
) -> Project:
    """The project that a first record here would begin, neither checked nor stored."""
    coordinator_id = actor.id if actor.standing is Standing.MEMBER else None
    known = {"name": " ".join(name.split()), "timezone": timezone, "coordinator_id": coordinator_id, **settings}
    project = Project(
        **known, created_by=actor.id, home_channel_id=channel.id, is_private=channel.is_private, created_at=now
    )
    project.next_summary_at = summaries.first_at(project, now)
    project.next_reminder_at = reminders.next_in_channel(project, now)
    return project


async def seen_by(session: AsyncSession, actor: Actor, *, archived: bool = False) -> Sequence[Project]:
    """The projects the actor may know of, by name: those in use, or the archived ones."""
    is_archived = col(Project.archived_at).is_not(None) if archived else in_use()
    query = select(Project).where(visible_projects(actor), is_archived).order_by(col(Project.name), col(Project.id))
    return (await session.exec(query)).all()


async def named(session: AsyncSession, actor: Actor, name: str, *, archived: bool = False) -> Sequence[Project]:
    """The projects a typed name may mean: those called so, whatever the case; else those whose name holds the words."""
    wanted = " ".join(name.split()).casefold()
    seen = await seen_by(session, actor, archived=archived)
    exact = [project for project in seen if project.name.casefold() == wanted]
    return exact or [project for project in seen if wanted in project.name.casefold()]


async def current(session: AsyncSession, person: Person) -> Project | None:
    """The project the person switched to, while it is in use and they may see it; no statement where there is none."""
    if person.current_project_id is None:
        return None
    query = select(Project).where(
        col(Project.id) == person.current_project_id, visible_projects(actor_of(person)), in_use()
    )
    return (await session.exec(query)).first()


async def names(session: AsyncSession, actor: Actor, project_ids: Iterable[int]) -> dict[int, str]:
    """The names of those of the projects that the actor may know of; no statement for none."""
    wanted = set(project_ids)
    if not wanted:
        return {}
    query = select(Project).where(col(Project.id).in_(wanted), visible_projects(actor))
    return {project.id: project.name for project in await session.exec(query) if project.id is not None}


async def find(session: AsyncSession, actor: Actor, project_id: int) -> Project:
    """The project, if the actor may know of it. Raises NotFound, the same for hidden and absent."""
    query = select(Project).where(col(Project.id) == project_id, visible_projects(actor))
    project = (await session.exec(query)).first()
    if project is None:
        raise NotFound("There is no such project here. Log a record in its channel to begin one.")
    return project


async def of_channels(session: AsyncSession, actor: Actor, channel_ids: Sequence[str]) -> Sequence[Project]:
    """The projects of those channels that the actor may know of, by name; one statement."""
    theirs = select(Channel.project_id).where(col(Channel.id).in_(channel_ids))
    query = select(Project).where(col(Project.id).in_(theirs), visible_projects(actor)).order_by(col(Project.name))
    return (await session.exec(query)).all()


async def of_channel(session: AsyncSession, actor: Actor, channel_id: str) -> Project:
    """The project of a channel in which the actor may log something; one statement.

    Raises NotFound, the same for a channel that is hidden, that is not there and that has no project.
    """
    query = select(Project).where(logs_in_channel(actor, channel_id))
    project = (await session.exec(query)).first()
    if project is None:
        raise NotFound(
            "There is no project in that channel that you can log in, so nothing was saved. The first record that is "
            "logged in a channel begins its project. If the channel belongs to the title, put a word after it."
        )
    return project


async def change_settings(
    session: AsyncSession, actor: Actor, project: Project, values: Values, *, version: int, now: datetime
) -> Project:
    """Store new settings by field, with their history; what `values` leaves out stays.

    Raises NotAllowed, Conflict and InvalidFields, whose keys are the fields.
    """
    require(actor, Right.SETTINGS, project)
    if project.version != version:
        raise Conflict(f"Somebody else changed the settings of {project.name} meanwhile. Open them again to see.")
    if "name" in values:
        values = {**values, "name": " ".join(values["name"].split())}
    if problems := await _problems(session, project, values):
        raise InvalidFields(problems)
    await store(session, actor, project, values, via="settings", now=now)
    return project


async def follow_name(
    session: AsyncSession, channel_id: str, *, before: str, name: str, actor: Actor, now: datetime
) -> None:
    """Give the project that bears its home channel's name the channel's new one; a name of its own stays."""
    bears_it = select(Project).where(col(Project.home_channel_id) == channel_id, col(Project.name) == before)
    if before != name and (project := (await session.exec(bears_it)).first()) is not None:
        await store(session, actor, project, {"name": name[:NAME_MAX]}, via="channel", now=now)


async def archive(session: AsyncSession, actor: Actor, project: Project, *, now: datetime) -> None:
    """Close the project: nothing in it changes any more, and it stands in no list. Raises NotAllowed and Conflict."""
    require(actor, Right.SETTINGS, project)
    if is_closed(project):
        raise Conflict(f"{project.name} is archived already.")
    await store(session, actor, project, {"archived_at": now}, via="archive", now=now)


async def restore(session: AsyncSession, actor: Actor, project: Project, *, now: datetime) -> None:
    """Open an archived project again, as it was. Raises NotAllowed and Conflict."""
    require(actor, Right.SETTINGS, project)
    if not is_closed(project):
        raise Conflict(f"{project.name} is not archived.")
    its_own = select(Channel.id).where(col(Channel.project_id) == project.id).limit(1)
    if (await session.exec(its_own)).first() is None:
        raise Conflict(f"{project.name} never held a record, and its channel belongs to another project by now.")
    await store(session, actor, project, {"archived_at": None}, via="archive", now=now)


async def open_owners(session: AsyncSession, project: Project) -> set[str]:
    """Who owns open records of the project."""
    query = (
        select(Record.owner_id)
        .where(
            col(Record.project_id) == project.id,
            col(Record.is_open),
            col(Record.is_archived).is_(False),
            col(Record.owner_id).is_not(None),
        )
        .distinct()
    )
    return {owner_id for owner_id in await session.exec(query) if owner_id}


async def store(
    session: AsyncSession, actor: Actor, project: Project, values: Values, *, via: str, now: datetime
) -> None:
    """The one place where a project changes: new values, already checked, and their history."""
    changes = {field: (getattr(project, field), value) for field, value in values.items()}
    changes = {field: change for field, change in changes.items() if change[0] != change[1]}
    for field, (_, after) in changes.items():
        setattr(project, field, after)
    if changes.keys() & summaries.HANGS_ON:
        project.next_summary_at = summaries.next_at(project, now)
    project.next_reminder_at = reminders.next_in_channel(project, now)
    session.add(project)
    await session.flush()
    if MOVES_REMINDERS & changes.keys():
        await reminders.plan_project_anew(session, project, now)
    for field, (before, after) in changes.items():
        session.add(_history(project, actor, Act.CHANGED, via, now, field=field, before=before, after=after))
    if ladder.PLANNED_BY & changes.keys():
        await ladder.wake(session, project, now)
    await session.flush()


async def note(
    session: AsyncSession,
    actor: Actor,
    project: Project,
    field: str,
    before: Any,
    after: Any,
    *,
    via: str,
    now: datetime,
) -> None:
    """Put a change into the project's history that is stored elsewhere than in its row."""
    session.add(_history(project, actor, Act.CHANGED, via, now, field=field, before=before, after=after))
    await session.flush()


def note_import(
    session: AsyncSession, actor: Actor, project: Project, mark: str, *, source: str, records: int, now: datetime
) -> None:
    """Put a table's import, whose records are this unit's batch, into the project's history; `mark` tells it again."""
    row = _history(project, actor, Act.CHANGED, "an import", now, field=IMPORT, after=f"{records} records, {source}")
    row.note, row.batch = mark, batches.current(session)
    session.add(row)


async def history(session: AsyncSession, project: Project, *, at_most: int) -> Sequence[History]:
    """What was changed of the project itself, the latest last."""
    query = (
        select(History)
        .where(col(History.project_id) == project.id, col(History.record_id).is_(None))
        .order_by(col(History.id).desc())
        .limit(at_most)
    )
    return (await session.exec(query)).all()[::-1]


async def earlier_import(session: AsyncSession, project: Project, mark: str) -> History | None:
    """The last time that a table of this mark was imported into the project, as far as anything of it is left."""
    made = aliased(History)
    is_left = exists().where(
        col(made.workspace_id) == col(History.workspace_id),
        col(made.batch) == col(History.batch),
        col(made.record_id) == col(Record.id),
        col(Record.is_archived).is_(False),
    )
    query = (
        select(History)
        .where(col(History.project_id) == project.id, col(History.record_id).is_(None))
        .where(col(History.field) == IMPORT, col(History.note) == mark, is_left)
        .order_by(col(History.id).desc())
    )
    return (await session.exec(query.limit(1))).first() if project.id else None


def _history(
    project: Project,
    actor: Actor,
    act: Act,
    via: str,
    now: datetime,
    *,
    field: str | None = None,
    before: Any = None,
    after: Any = None,
) -> History:
    assert project.id is not None
    return History(
        project_id=project.id,
        version=project.version,
        at=now,
        actor_id=actor.id,
        act=act,
        via=via,
        field=field,
        before=_plain(before),
        after=_plain(after),
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | time) else value


async def _problems(session: AsyncSession, project: Project, values: Values) -> dict[str, str]:
    """What is wrong with new settings of the project: field -> sentence."""
    problems = {field: check(values[field]) for field, check in _CHECKS.items() if field in values}
    for field in ("coordinator_id", "sponsor_id"):
        if field in values:
            problems[field] = await _role_problem(session, project, field, values[field])
    country = values.get("holiday_country", project.holiday_country)
    region = values.get("holiday_subdivision", project.holiday_subdivision)
    if region and not problems.get("holiday_country") and region not in (subdivisions(country) if country else ()):
        problems["holiday_subdivision"] = "Choose a region of the holiday country, or leave it empty."
    return {field: problem for field in SETTINGS if (problem := problems.get(field))}


async def _role_problem(session: AsyncSession, project: Project, field: str, person_id: str | None) -> str | None:
    if person_id is None and field == "sponsor_id":
        return None
    person = await directory.person(session, person_id) if person_id else None
    if person is None or not is_full_member(person):
        role = "coordinator" if field == "coordinator_id" else "sponsor"
        return f"The {role} must be an active full member of this workspace. Choose another."
    if project.is_private and not await can_see(session, project, person):
        return f"{person.shown_name} is not in this project's private channel. Invite them."
    return None


def _name_problem(name: str) -> str | None:
    if not name:
        return "A project needs a name."
    return f"At most {NAME_MAX} characters; this has {len(name):,}." if len(name) > NAME_MAX else None


def _days_off_problem(days_off: str) -> str | None:
    count = len(days_off.split())
    return f"At most {MOST_DAYS_OFF} days; these are {count}." if count > MOST_DAYS_OFF else None


def _currency_problem(currency: str | None) -> str | None:
    is_known = currency is None or currency in CURRENCIES
    return None if is_known else "Type the code of a currency, three letters such as EUR, or leave it empty."


@cache
def _zones() -> Set[str]:
    """Every zone, looked for in the files of the time zone database once."""
    return available_timezones()


_CHECKS: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "name": _name_problem,
    "timezone": lambda zone: None if zone in _zones() else "Choose a time zone from the list, such as Europe/Berlin.",
    "currency": _currency_problem,
    "own_fields": own_fields.problem,
    "working_days": lambda days: None if days else "Choose at least one day of the week.",
    "holiday_country": lambda code: None if code is None or code in countries() else "Choose a country from the list.",
    "days_off": _days_off_problem,
    "summary_day": lambda day: None if day in WEEKDAYS else "Choose a day of the week.",
    "summary_at": lambda at: None if at is not None else "Choose the time at which it is posted.",
    "lead_days": lambda days: (
        None if 0 <= days <= LEAD_DAYS_MAX else f"Choose a number of working days from 0 to {LEAD_DAYS_MAX}."
    ),
    "remind_before_minutes": lambda minutes: (
        None if minutes in reminders.MINUTES_BEFORE else "Choose a time from the list."
    ),
    "grace_days": lambda days: None if 1 <= days <= MOST_GRACE_DAYS else f"Choose 1 to {MOST_GRACE_DAYS} working days.",
}


def is_full_member(person: Person) -> bool:
    """Whether the person is an active full member: no guest, no bot, nobody from another company."""
    return person.is_active and not (person.is_bot or person.is_guest or person.is_external)


async def can_see(session: AsyncSession, project: Project, person: Person) -> bool:
    """Whether the person may know of the project, for handing them something of it."""
    if is_full_member(person) and not project.is_private:
        return True
    query = select(Project.id).where(col(Project.id) == project.id, visible_projects(actor_of(person)))
    return (await session.exec(query)).first() is not None


async def blind_to(session: AsyncSession, project: Project, people: Sequence[Person]) -> set[str]:
    """The ids of those who may not know of the project; a project not stored yet is seen as its channel is."""
    asked = {person.id: person for person in people if project.is_private or not is_full_member(person)}
    if not asked:
        return set()
    here = col(Channel.project_id) == project.id if project.id else col(Channel.id) == project.home_channel_id
    query = (
        select(ChannelMember.person_id)
        .join(Channel, col(Channel.id) == col(ChannelMember.channel_id))
        .where(here, col(ChannelMember.person_id).in_(asked))
    )
    blind = asked.keys() - set(await session.exec(query))
    began = asked.get(project.created_by) if project.created_by in blind else None
    if began and (project.id is None or await can_see(session, project, began)):
        blind -= {began.id}
    return blind
