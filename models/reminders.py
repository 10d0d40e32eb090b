"""When the clock speaks up about due dates: before a due time, and in a project's channel.

Both are kept as an instant in the row they belong to, so that a look at the clock costs what is due by then.
"""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.recurrences import ONE_DAY, instant_of
from models.tables import ChannelReminder, Project, Record
from models.working_days import is_working_day

# As `Record.remind_at`: past for good, so that the clock's next look plans it anew.
PLAN_ANEW = datetime(2000, 1, 1, tzinfo=UTC)

MINUTES_BEFORE = (0, 15, 30, 60, 120, 240, 1440)
IN_CHANNEL_AT = time(9)

# A calendar that leaves no working day for so long gets no reminder in its channel.
HORIZON_DAYS = 400


def due_at(record: Record, project: Project) -> datetime | None:
    """The instant at which the record is due; None without a due time. A skipped hour moves forward by the gap."""
    if record.due_date is None or record.due_time is None:
        return None
    return instant_of(record.due_date, record.due_time, project.timezone)


def remind_at(record: Record, project: Project) -> datetime | None:
    """When its owner is reminded before the due time; None where nobody is."""
    due = due_at(record, project) if record.is_open and project.remind_before_minutes else None
    return due and due - timedelta(minutes=project.remind_before_minutes)


def plan(record: Record, project: Project, now: datetime) -> None:
    """Note when to remind of the record. What becomes due so soon that the moment has passed was only just said."""
    at = remind_at(record, project)
    record.remind_at = at if at and at > now else None


def value_of(record: Record) -> str:
    """The due date and time as one word, which names what somebody is reminded of."""
    assert record.due_date is not None
    assert record.due_time is not None
    return f"{record.due_date}T{record.due_time:%H:%M}"


async def plan_project_anew(session: AsyncSession, project: Project, now: datetime) -> None:
    """Have the clock plan the reminders of the project's records anew: its zone or its lead changed."""
    statement = update(Record).where(
        col(Record.project_id) == project.id,
        col(Record.is_open),
        col(Record.due_time).is_not(None),
        col(Record.due_date) >= now.date() - ONE_DAY,
    )
    await session.exec(statement.values(remind_at=PLAN_ANEW), execution_options={"synchronize_session": False})


def next_in_channel(project: Project, after: datetime) -> datetime | None:
    """When the project's channel is next reminded, later than that instant; None where it is not."""
    if project.channel_reminder is ChannelReminder.OFF or project.archived_at is not None:
        return None
    today = today_in(project.timezone, after)
    days = (today + timedelta(days=ahead) for ahead in range(-1, HORIZON_DAYS))
    found = (instant_of(day, IN_CHANNEL_AT, project.timezone) for day in days if comes_on(project, day))
    return next((at for at in found if at > after), None)


def todays_in_channel(project: Project, now: datetime) -> datetime | None:
    """The instant of the channel's reminder of today; None where none comes."""
    today = today_in(project.timezone, now)
    is_on = project.channel_reminder is not ChannelReminder.OFF and project.archived_at is None
    return instant_of(today, IN_CHANNEL_AT, project.timezone) if is_on and comes_on(project, today) else None


def comes_on(project: Project, day: date) -> bool:
    """Whether the channel is reminded on that day: a working day, and once a week its day or the next working one."""
    if not is_working_day(project, day):
        return False
    weekday = project.channel_reminder.weekday
    since = 0 if weekday is None else (day.weekday() - weekday) % 7
    return not any(is_working_day(project, day - timedelta(days=back)) for back in range(1, since + 1))


def since_last(project: Project, day: date) -> date:
    """The first of the days that the reminder of that day speaks of as due: after the working day before it."""
    first = day
    while (day - first).days < HORIZON_DAYS and not is_working_day(project, first - ONE_DAY):
        first -= ONE_DAY
    return first


def last_shown(project: Project, day: date) -> date:
    """The last due date that the reminder of that day shows: the same day, or that of the week to come."""
    return day if project.channel_reminder.weekday is None else day + timedelta(days=6)


def lane_of(project: Project, day: date) -> str:
    """What names the channel's reminder of that day, of which there is one."""
    return f"channel_reminder:{project.id}:{day}"
