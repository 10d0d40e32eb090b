"""What a person wants of the clock: quiet hours, so many nags a day, and never a word about some records."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.errors import InvalidFields
from models.inserting import add_if_missing
from models.permissions import Actor, visible_records
from models.recurrences import ONE_DAY, instant_of
from models.tables import Delivery, DeliveryState, Mute, Person, Project, Record

# What a person sets for themselves.
SETTINGS = ("digest_at", "wants_digest", "quiet_from", "quiet_until", "nags_a_day")

NAGS_MAX = 20


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


async def change(session: AsyncSession, person: Person, values: Mapping[str, Any]) -> None:
    """Store what the person set for themselves. Raises InvalidFields, whose keys are the settings."""
    if problems := _problems(values):
        raise InvalidFields(problems)
    person.next_digest_at = next_digest(person, person.timezone, values["digest_at"])
    for key in SETTINGS:
        setattr(person, key, values[key])
    session.add(person)
    await session.flush()


def next_digest(known: Person, zone: str, at: time) -> datetime | None:
    """When the digest that is planned for somebody comes if they live in that zone and want it at that hour.

    It stays that of the same local date, so that each date has one; where its hour has passed, it is due.
    """
    if known.next_digest_at is None:
        return None
    return instant_of(today_in(known.timezone, known.next_digest_at), at, zone)


def _problems(values: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    begins, ends, digest_at = values["quiet_from"], values["quiet_until"], values["digest_at"]
    if digest_at is None:
        found["digest_at"] = "Choose the time at which your digest comes."
    if begins is not None and ends is None:
        found["quiet_until"] = "Choose when your quiet hours end, or clear their beginning."
    if ends is not None and begins is None:
        found["quiet_from"] = "Choose when your quiet hours begin, or clear their end."
    if begins is not None and begins == ends:
        found["quiet_until"] = "Your quiet hours would be empty. Choose another end, or clear both."
    if not found and values["wants_digest"] and _is_between(digest_at, begins, ends):
        found["digest_at"] = (
            f"Your digest would come in your quiet hours, {begins:%H:%M} to {ends:%H:%M}. Choose a time outside them."
        )
    if not 0 <= values["nags_a_day"] <= NAGS_MAX:
        found["nags_a_day"] = f"Choose a number from 0 to {NAGS_MAX}."
    return found


def _is_between(at: time, begins: time | None, ends: time | None) -> bool:
    """Whether a wall time lies between two others, the later of which may be the earlier one of the next day."""
    if begins is None or ends is None:
        return False
    return begins <= at < ends if begins < ends else not ends <= at < begins


async def mute(session: AsyncSession, person_id: str, record_id: int, *, now: datetime) -> bool:
    """Never remind the person of the record again; whether that is news."""
    row = {"person_id": person_id, "record_id": record_id, "at": now}
    return await add_if_missing(session, Mute, row)


async def unmute(session: AsyncSession, person_id: str, record_id: int) -> bool:
    """Remind the person of the record as of any other; whether that is news."""
    query = delete(Mute).where(col(Mute.person_id) == person_id, col(Mute.record_id) == record_id)
    return (await session.exec(query)).rowcount > 0


async def muted(session: AsyncSession, actor: Actor) -> list[Record]:
    """The records that the person wants no reminder of, as far as they may see them, the latest muted first."""
    query = (
        select(Record)
        .join(Mute, col(Mute.record_id) == col(Record.id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Mute.person_id) == actor.id, col(Record.is_archived).is_(False), visible_records(actor))
        .order_by(col(Mute.at).desc(), col(Record.id))
    )
    return list(await session.exec(query))


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


async def mutes(session: AsyncSession, person_ids: Iterable[str], record_ids: Collection[int]) -> set[tuple[str, int]]:
    """Who of these people wants no reminder of which of these records: pairs of their ids."""
    query = select(Mute.person_id, Mute.record_id).where(
        col(Mute.person_id).in_(set(person_ids)), col(Mute.record_id).in_(record_ids)
    )
    return set(await session.exec(query))


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
