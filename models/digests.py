"""A person's daily digest: when it comes, how far it looks ahead, and that a sent one keeps up with its buttons."""

from datetime import date, datetime, time, timedelta

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.recurrences import ONE_DAY, Recurrence, Rule
from models.tables import Delivery, Project
from models.working_days import after_working_days, is_working_day

# What nobody has touched for so long, and that has neither a due date nor a review date, is asked about on Mondays.
STALE_AFTER = timedelta(weeks=4)
MONDAY = 0

# What still holds is looked at again after so long.
NEXT_REVIEW = timedelta(weeks=4)


def schedule(zone: str, at: time, now: datetime) -> Recurrence:
    """The digests, around now, of everybody who lives in that zone and wants theirs at that hour."""
    return Recurrence(Rule.daily(now.date() - timedelta(days=7)), at, zone)


def soon_until(project: Project, day: date) -> date:
    """The last date that is due soon: as many working days ahead as the project says, and the free days after them.

    Across a long break it is less, so that the next digest knows what it has to look for.
    """
    ends = after_working_days(project, day + ONE_DAY, project.lead_days) - ONE_DAY
    return min(ends, day + furthest(project.lead_days))


def first_named_on(project: Project, due_date: date) -> date:
    """The first working day whose digest names what is due then: `soon_until` looked at from its other end."""
    day, left = due_date, project.lead_days
    while day > due_date - furthest(project.lead_days):
        if is_working_day(project, day):
            if left <= 0:
                break
            left -= 1
        day -= ONE_DAY
    return day


def furthest(lead_days: int) -> timedelta:
    """How far ahead a digest looks at most."""
    return timedelta(days=2 * lead_days + 5)


async def looks_ahead(session: AsyncSession) -> timedelta:
    """How far ahead any digest of the workspace looks at most."""
    lead = (await session.exec(select(func.max(Project.lead_days)))).one()
    return furthest(lead or 0)


def next_working_day(project: Project, today: date) -> date:
    """The day that "tomorrow" puts something off to: the project's first working day after today."""
    return after_working_days(project, today + ONE_DAY, 0)


def next_week(project: Project, today: date) -> date:
    """The day that "next week" puts something off to: the first working day from next Monday on."""
    return after_working_days(project, today + timedelta(days=7 - today.weekday()), 0)


def review_again(project: Project, today: date) -> date:
    """The day on which somebody is asked again whether what holds now still does."""
    return after_working_days(project, today + NEXT_REVIEW, 0)


def key_of(person_id: str, day: date) -> str:
    """What makes a person's digest of a local date one only. Older releases called it the morning's message."""
    return f"morning:{person_id}:{day.isoformat()}"


async def sent_on(session: AsyncSession, person_id: str, day: date) -> Delivery | None:
    """The person's digest of that local date, if one stands in Slack."""
    query = select(Delivery).where(
        col(Delivery.dedupe_key) == key_of(person_id, day), col(Delivery.slack_ts).is_not(None)
    )
    return (await session.exec(query)).first()


async def owe_again(session: AsyncSession, sent: Delivery, *, because: str, now: datetime) -> None:
    """Owe that a digest that stands in Slack is drawn anew."""
    await outbox.put(
        session,
        "digest_again",
        key=f"digest_again:{sent.id}:{now.isoformat()}:{because}",
        lane=f"digest_again:{sent.id}",
        target=sent.target,
        payload={"of": sent.id},
        due_at=now,
    )
