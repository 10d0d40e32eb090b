"""What a person wants of the clock: quiet hours, so many nags a day, and never a word about some records."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, exists, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.recurrences import instant_of
from models.tables import Delivery, DeliveryState, Mute, Person, Record

# What a person sets for themselves.
SETTINGS = ("digest_at", "wants_digest", "quiet_from", "quiet_until", "nags_a_day")

# As `next_digest_at`: past for good, so that the clock's next look plans the digest anew.
PLAN_ANEW = datetime(2000, 1, 1, tzinfo=UTC)

ONE_DAY = timedelta(days=1)


def not_before(person: Person, at: datetime) -> datetime:
    """The instant, or the end of the person's quiet hours where it lies in them."""
    if person.quiet_from is None or person.quiet_until is None:
        return at
    today = today_in(person.timezone, at)
    for day in (today - ONE_DAY, today):
        last = day if person.quiet_from < person.quiet_until else day + ONE_DAY
        begins = instant_of(day, person.quiet_from, person.timezone)
        ends = instant_of(last, person.quiet_until, person.timezone)
        if begins <= at < ends:
            return ends
    return at


def is_quiet(person: Person, at: datetime) -> bool:
    """Whether the instant lies in the person's quiet hours."""
    return not_before(person, at) != at


def muted_by(person_id: str) -> ColumnElement[bool]:
    """The records that the person wants no reminder of, as a condition on `Record`."""
    return exists().where(
        col(Mute.workspace_id) == col(Record.workspace_id),
        col(Mute.person_id) == person_id,
        col(Mute.record_id) == col(Record.id),
    )


async def is_muted(session: AsyncSession, person_id: str, record_id: int) -> bool:
    """Whether the person wants no reminder of that record."""
    query = select(Mute.record_id).where(col(Mute.person_id) == person_id, col(Mute.record_id) == record_id)
    return (await session.exec(query)).first() is not None


async def may_nag(session: AsyncSession, person: Person, now: datetime, *, asking: int | None = None) -> bool:
    """Whether one more nag is welcome: it is no quiet hour, and the person's day has not seen as many as they take.

    `asking` is the id of the delivery that is being sent; of several at one moment the lower ids come first. The sender
    asks this for every kind of delivery that is a nag.
    """
    if is_quiet(person, now):
        return False
    today = today_in(person.timezone, now)
    begins, ends = (instant_of(day, time(0), person.timezone) for day in (today, today + ONE_DAY))
    is_sent = col(Delivery.state).in_((DeliveryState.SENT, DeliveryState.UNCONFIRMED))
    is_sending = col(Delivery.state) == DeliveryState.SENDING
    if asking is not None:
        is_sending &= col(Delivery.id) < asking
    query = select(func.count()).where(
        # As the condition of the index says it.
        col(Delivery.is_nag),
        col(Delivery.target) == person.id,
        col(Delivery.due_at) >= begins,
        col(Delivery.due_at) < ends,
        or_(is_sent, is_sending),
    )
    return (await session.exec(query)).one() < person.nags_a_day
