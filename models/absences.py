"""Who is away when, and who stands in for them. Asked in this one place."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.errors import InvalidFields
from models.tables import Absence


async def add(
    session: AsyncSession, person_id: str, first: date, last: date, *, deputy_id: str | None, today: date, now: datetime
) -> Absence:
    """Note that the person is away from `first` to `last`, both included. Raises InvalidFields."""
    problems = {}
    if last < first:
        problems["last_day"] = "The last day lies before the first one."
    elif last < today:
        problems["last_day"] = "That is over. Give days from today on."
    if deputy_id == person_id:
        problems["deputy_id"] = "Somebody else has to stand in for you."
    if problems:
        raise InvalidFields(problems)
    absence = Absence(person_id=person_id, first_day=first, last_day=last, deputy_id=deputy_id, created_at=now)
    session.add(absence)
    await session.flush()
    return absence


async def of(session: AsyncSession, person_ids: Iterable[str], day: date) -> dict[str, Absence]:
    """The people among these who are away on that day, with their absence; of several, the one that lasts longest."""
    query = (
        select(Absence)
        .where(
            col(Absence.person_id).in_(set(person_ids)),
            col(Absence.first_day) <= day,
            col(Absence.last_day) >= day,
        )
        .order_by(col(Absence.last_day), col(Absence.id))
    )
    return {absence.person_id: absence for absence in await session.exec(query)}


async def stood_in_for(session: AsyncSession, deputy_id: str, around: date) -> list[Absence]:
    """The absences in which that person stands in for somebody, on that day or one beside it, where it is still that.

    Whose day it is depends on where the absent person lives.
    """
    query = select(Absence).where(
        col(Absence.deputy_id) == deputy_id,
        col(Absence.first_day) <= around + timedelta(days=1),
        col(Absence.last_day) >= around - timedelta(days=1),
    )
    return list(await session.exec(query))


async def to_come(session: AsyncSession, person_id: str, today: date) -> list[Absence]:
    """The person's absences that are not over, the next one first."""
    query = (
        select(Absence)
        .where(col(Absence.person_id) == person_id, col(Absence.last_day) >= today)
        .order_by(col(Absence.first_day), col(Absence.id))
    )
    return list(await session.exec(query))
