"""When a project's weekly summary is due, whom it is shown to before, and what became of it.

It is due on the project's own weekday and hour. A public holiday or a day off moves it to the working day before; a
week without a working day has none. What it speaks of begins where the one before ended, so that nothing that happened
falls between two of them. On the working day before, the coordinator gets a preview, or their deputy.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory, outbox
from models.clock import today_in, zone_or_utc
from models.errors import Conflict, InvalidFields, NotFound
from models.inserting import add_missing
from models.permissions import Actor, Right, is_closed, require
from models.recurrences import ONE_DAY, Occurrence, exists, instant_of
from models.tables import Delivery, Project, SummaryState, WeeklySummary
from models.working_days import WEEKDAYS, holiday_on, is_working_day

WEEK: Final = timedelta(days=7)
LONGEST_BREAK: Final = 6 * WEEK  # without a working day, of which the next summary still tells
HEADLINE_MAX: Final = 300
LATE_LIMIT: Final = timedelta(hours=24)
MOST_MISSED: Final = 8  # of a long downtime, the last ones are said

# Settings of a project that may move its summary.
HANGS_ON: Final = frozenset(
    {
        *("has_summary", "summary_day", "summary_at", "timezone", "coordinator_id", "archived_at"),
        *("working_days", "holiday_country", "holiday_subdivision", "days_off"),
    }
)


@dataclass(frozen=True)
class Period:
    """What a summary speaks of: from one instant, not included, to another."""

    begin: datetime
    end: datetime

    def before(self) -> "Period":
        """The time of the same length before it."""
        return Period(self.begin - (self.end - self.begin), self.begin)


def is_wanted(project: Project) -> bool:
    """Whether the project has a weekly summary: not while nobody coordinates it, who could leave one out."""
    return project.has_summary and project.coordinator_id is not None and not is_closed(project)


def slots(project: Project, since: datetime) -> Iterator[Occurrence]:
    """The project's summaries that are later than `since`, in order; none where a quarter holds no working day."""
    today = today_in(project.timezone, since)
    monday = today - timedelta(days=today.weekday())
    for week in range(-1, 14):
        day = _day_in_week_of(project, monday + week * WEEK)
        if day is not None and (at := instant_of(day, project.summary_at, project.timezone)) > since:
            yield Occurrence(day, at)


def _day_in_week_of(project: Project, monday: date) -> date | None:
    wanted = monday + timedelta(days=WEEKDAYS.index(project.summary_day))
    if holiday_on(project, wanted) is None and exists(wanted, project.timezone):
        return wanted
    return next((day for day in _days_before(wanted) if is_working_day(project, day)), None)


def _days_before(day: date) -> list[date]:
    return [day - n * ONE_DAY for n in range(1, 7)]


def previewed_at(project: Project, slot: Occurrence) -> datetime:
    """When the coordinator is shown what is to come: at the same hour of the working day before."""
    days = _days_before(slot.day)
    day = next((day for day in days if is_working_day(project, day)), days[0])
    return instant_of(day, project.summary_at, project.timezone)


def first_at(project: Project, now: datetime) -> datetime | None:
    """When a new project has its first summary to think of: not before its coordinator can be shown it."""
    shown_at = (previewed_at(project, slot) for slot in slots(project, now)) if is_wanted(project) else iter(())
    return next((at for at in shown_at if at > now), None)


def next_at(project: Project, now: datetime) -> datetime | None:
    """The next instant after `now` at which a preview or a summary is due; None while the project has none."""
    if not is_wanted(project):
        return None
    slot = coming(project, now)
    if slot is None:
        return None
    shown_at = previewed_at(project, slot)
    return shown_at if shown_at > now else slot.at


def coming(project: Project, now: datetime) -> Occurrence | None:
    """The next summary after `now`, whether or not the project wants one."""
    return next(slots(project, now), None)


def slot_on(project: Project, day: date) -> Occurrence:
    """The summary of that day at the project's present hour."""
    return Occurrence(day, instant_of(day, project.summary_at, project.timezone))


def period_of(project: Project, slot: Occurrence) -> Period:
    """From the summary before to this one; a week where there was none before within six."""
    earlier = [each.at for each in takewhile(lambda each: each.at < slot.at, slots(project, slot.at - LONGEST_BREAK))]
    return Period(earlier[-1] if earlier else week_before(project, slot.at), slot.at)


def week_until(project: Project, end: datetime) -> Period:
    """The seven days before that instant, by the project's own clock."""
    return Period(week_before(project, end), end)


def week_before(project: Project, end: datetime) -> datetime:
    local = end.astimezone(zone_or_utc(project.timezone))
    return instant_of(local.date() - WEEK, local.time(), project.timezone)


async def due(session: AsyncSession, now: datetime) -> Sequence[Project]:
    """The projects whose summary has something to do; one indexed question."""
    return (await session.exec(select(Project).where(col(Project.next_summary_at) <= now))).all()


async def advance(session: AsyncSession, project: Project, *, now: datetime) -> None:
    """Owe what has come since the project was last looked at, and plan what comes next.

    After a downtime only the newest summary is owed, within a day; those before are noted as missed.
    """
    since = max(project.next_summary_at or now, now - MOST_MISSED * WEEK)
    if is_wanted(project):
        passed = list(takewhile(lambda slot: slot.at <= now, slots(project, since - timedelta(seconds=1))))
        newest = passed.pop() if passed and now < passed[-1].at + LATE_LIMIT else None
        await _note_missed(session, project, passed)
        if newest is not None:
            await _owe_week(session, project, newest)
        following = coming(project, now)
        if following is not None and since <= previewed_at(project, following) <= now:
            await _owe_preview(session, project, following)
    # Past the version of the row: nobody's open form of settings is refused for it.
    planned = update(Project).where(col(Project.id) == project.id).values(next_summary_at=next_at(project, now))
    await session.exec(planned, execution_options={"synchronize_session": False})


async def _note_missed(session: AsyncSession, project: Project, missed: Sequence[Occurrence]) -> None:
    await add_missing(session, WeeklySummary, [_blank(project, slot.day, SummaryState.MISSED) for slot in missed])


async def _owe_week(session: AsyncSession, project: Project, slot: Occurrence) -> None:
    week = await _row(session, project, slot.day)
    if week.state is SummaryState.SKIPPED:
        return
    if not week.headline:
        await _take_over_headline(session, week)
    week.state = SummaryState.OWED
    session.add(week)
    await session.flush()
    await _owe(session, project, period_of(project, slot), key=str(slot.day), day=slot.day, due_at=slot.at)


async def _take_over_headline(session: AsyncSession, week: WeeklySummary) -> None:
    """A headline that was written for a day from which the settings have moved the summary since."""
    nearly_a_week = WEEK - ONE_DAY
    query = select(WeeklySummary).where(
        col(WeeklySummary.project_id) == week.project_id,
        col(WeeklySummary.day).between(week.day - nearly_a_week, week.day + nearly_a_week),
        col(WeeklySummary.state) == SummaryState.AWAITED,
        col(WeeklySummary.headline) != "",
    )
    written = (await session.exec(query)).first()
    if written is not None:
        week.headline, week.by = written.headline, written.by
        await session.delete(written)


async def _owe_preview(session: AsyncSession, project: Project, slot: Occurrence) -> None:
    """Owe it to the coordinator, or while they are away to their deputy."""
    assert project.coordinator_id is not None
    at = previewed_at(project, slot)
    coordinator = await directory.people(session, [project.coordinator_id])
    told = await absences.reached(session, coordinator.values(), at)
    await outbox.put(
        session,
        "summary_preview",
        key=f"summary_preview:{project.id}:{slot.day}",
        target=told[project.coordinator_id].id if told else project.coordinator_id,
        payload={"project": project.id, "day": slot.day.isoformat()},
        due_at=at,
        expires_at=slot.at,
    )


async def _owe(
    session: AsyncSession, project: Project, period: Period, *, key: str, due_at: datetime, day: date | None = None
) -> None:
    """Owe the channel a summary of the period; a key that was used adds nothing. `day` names a week's own one."""
    await outbox.put(
        session,
        "summary",
        key=f"summary:{project.id}:{key}",
        lane=f"summary:{project.id}",
        target=project.home_channel_id,
        payload={
            "project": project.id,
            "begin": period.begin.isoformat(),
            "end": period.end.isoformat(),
            "day": day.isoformat() if day else None,
        },
        due_at=due_at,
    )


async def post_now(session: AsyncSession, actor: Actor, project: Project, period: Period, *, now: datetime) -> None:
    """Owe the channel the summary of that period, once however often it is asked for. Raises NotAllowed."""
    require(actor, Right.SUMMARIZE, project)
    await _owe(session, project, period, key=f"until {period.end.isoformat()}", due_at=now)


async def post_again(session: AsyncSession, actor: Actor, project: Project, delivery_id: int, *, now: datetime) -> None:
    """Owe a summary anew that may not have been posted, once for each time. Raises NotAllowed and NotFound."""
    require(actor, Right.SUMMARIZE, project)
    query = select(Delivery).where(col(Delivery.id) == delivery_id, col(Delivery.kind) == "summary")
    earlier = (await session.exec(query)).first()
    if earlier is None or earlier.payload["project"] != project.id:
        raise NotFound("That summary is no longer kept. `/steward summary` shows the present one.")
    told = earlier.payload
    period = Period(datetime.fromisoformat(told["begin"]), datetime.fromisoformat(told["end"]))
    day = date.fromisoformat(told["day"]) if told["day"] else None
    await _owe(session, project, period, key=f"again {delivery_id}", due_at=now, day=day)


async def write_headline(
    session: AsyncSession, actor: Actor, project: Project, day: date, text: str, *, now: datetime
) -> WeeklySummary:
    """Put the headline above the summary of that day; empty takes it away. Raises NotAllowed and InvalidFields."""
    require(actor, Right.SUMMARIZE, project)
    text = " ".join(text.split())
    if len(text) > HEADLINE_MAX:
        raise InvalidFields({"headline": f"At most {HEADLINE_MAX} characters; this has {len(text):,}."})
    week = await _awaited(session, project, day, now)
    week.headline, week.by = text, actor.id
    session.add(week)
    await session.flush()
    return week


async def skip(
    session: AsyncSession, actor: Actor, project: Project, day: date, *, is_skipped: bool, now: datetime
) -> None:
    """Leave the summary of that day out, or post it after all. Raises NotAllowed and Conflict."""
    require(actor, Right.SUMMARIZE, project)
    week = await _awaited(session, project, day, now)
    week.state, week.by = (SummaryState.SKIPPED if is_skipped else SummaryState.AWAITED), actor.id
    session.add(week)
    await session.flush()


async def _awaited(session: AsyncSession, project: Project, day: date, now: datetime) -> WeeklySummary:
    week = await _row(session, project, day)
    if slot_on(project, day).at <= now or week.state in (SummaryState.OWED, SummaryState.MISSED):
        raise Conflict("That summary's time has come already. `/steward summary` shows the present one.")
    return week


async def _row(session: AsyncSession, project: Project, day: date) -> WeeklySummary:
    """The row of that day, which two people may need first at the same moment."""
    await add_missing(session, WeeklySummary, [_blank(project, day, SummaryState.AWAITED)])
    query = select(WeeklySummary).where(col(WeeklySummary.project_id) == project.id, col(WeeklySummary.day) == day)
    return (await session.exec(query)).one()


def _blank(project: Project, day: date, state: SummaryState) -> Mapping[str, Any]:
    return {"project_id": project.id, "day": day, "state": state, "headline": "", "by": None}


@dataclass(frozen=True)
class Frame:
    """What stands around the numbers of a summary: its headline, and the days before on which there was none."""

    headline: str = ""
    by: str | None = None
    is_skipped: bool = False
    missed: Sequence[date] = ()


async def frame_of(session: AsyncSession, project: Project, day: date | None) -> Frame:
    """The frame of that day's summary; one statement."""
    if day is None:
        return Frame()
    query = (
        select(WeeklySummary)
        .where(
            col(WeeklySummary.project_id) == project.id,
            col(WeeklySummary.day).between(day - MOST_MISSED * WEEK, day),
        )
        .order_by(col(WeeklySummary.day).desc())
    )
    weeks = list(await session.exec(query))
    own = weeks.pop(0) if weeks and weeks[0].day == day else None
    unposted = takewhile(lambda week: week.state in (SummaryState.MISSED, SummaryState.AWAITED), weeks)
    missed = sorted(week.day for week in unposted)
    if own is None:
        return Frame(missed=missed)
    return Frame(own.headline, own.by, is_skipped=own.state is SummaryState.SKIPPED, missed=missed)
