"""Who is away when, and who stands in for them. Asked and noted in this one place."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, outbox
from models.clock import today_in
from models.errors import InvalidFields, NotFound
from models.permissions import Actor, Right, Standing, actor_of, may, require, takes_part
from models.recurrences import ONE_DAY
from models.tables import Absence, Person, Project, in_use
from models.working_days import LONGEST_BREAK


async def add(
    session: AsyncSession,
    person_id: str,
    first: date,
    last: date,
    *,
    deputy_id: str | None,
    today: date,
    now: datetime,
    by: str | None = None,
    instead_of: Absence | None = None,
) -> Absence:
    """Note that the person is away from `first` to `last`, both included. Raises InvalidFields.

    What overlaps it is joined with it. `instead_of` is an absence that changes to this. `by` is whoever notes it, where
    that is not the person.
    """
    problems = _day_problems(first, last, today)
    if deputy_id and (problem := await deputy_problem(session, person_id, deputy_id)):
        problems["deputy_id"] = problem
    if problems:
        raise InvalidFields(problems)
    known = await overlapping(session, person_id, first, last)
    fresh = Absence(person_id=person_id, first_day=first, last_day=last, created_at=now)
    kept = instead_of or (known[0] if known else fresh)
    before = None if kept.id is None else (kept.first_day, kept.last_day, kept.deputy_id)
    swallowed = [each for each in known if each is not kept]
    joined = swallowed if instead_of else known
    kept.first_day = min([first, *(each.first_day for each in joined)])
    kept.last_day = max([last, *(each.last_day for each in joined)])
    # What is typed without a deputy leaves the one who is named already; a form shows whom it names.
    named = None if instead_of else next((each.deputy_id for each in joined if each.deputy_id), None)
    kept.deputy_id = deputy_id or named
    session.add(kept)
    await session.flush()
    for each in swallowed:
        await _remove(session, each, now)
    if before and before != (kept.first_day, kept.last_day, kept.deputy_id):
        await _owe_deputy_anew(session, kept, before[2], now)
    await _owe_words(session, kept, by or person_id, now)
    return kept


def _day_problems(first: date, last: date, today: date) -> dict[str, str]:
    if last < first:
        return {"last_day": "The last day lies before the first one."}
    if last < today:
        return {"last_day": "That is over. Give days from today on."}
    if last - first > LONGEST_BREAK:
        return {"last_day": "That is longer than a year. Note it a year at a time."}
    return {}


async def deputy_problem(session: AsyncSession, person_id: str, deputy_id: str) -> str | None:
    """Why that person cannot stand in, as a sentence; None if they can."""
    if deputy_id == person_id:
        return "Somebody else has to stand in for you."
    deputy = await directory.person(session, deputy_id)
    if deputy is None or not can_stand_in(deputy):
        name = deputy.shown_name if deputy else "That person"
        return f"{name} is no active member or guest of this workspace and cannot stand in. Choose somebody else."
    return None


def can_stand_in(person: Person) -> bool:
    """Whether the person is an active member or guest of the workspace."""
    return actor_of(person).standing in (Standing.MEMBER, Standing.GUEST)


async def end(session: AsyncSession, absence: Absence, *, today: date, now: datetime) -> None:
    """Let the absence end before that day; one that had not begun by then is forgotten."""
    if absence.first_day >= today:
        await _remove(session, absence, now)
        return
    absence.last_day = today - ONE_DAY
    session.add(absence)
    await session.flush()
    await _owe_deputy_anew(session, absence, absence.deputy_id, now)


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


async def overlapping(session: AsyncSession, person_id: str, first: date, last: date) -> list[Absence]:
    """The person's absences that share a day with that span, the earliest first."""
    query = (
        select(Absence)
        .where(col(Absence.person_id) == person_id, col(Absence.first_day) <= last, col(Absence.last_day) >= first)
        .order_by(col(Absence.first_day), col(Absence.id))
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


async def reached(session: AsyncSession, people: Iterable[Person], now: datetime) -> dict[str, Person]:
    """Who is told what each of these should hear now: themselves, or while they are away their deputy, if there is one.

    A deputy who is away too, or who left, is not told. What the deputy may see is asked where it is drawn.
    """
    asked = {person.id: person for person in people}
    away = await away_now(session, asked.values(), now)
    deputies = await directory.people(session, {absence.deputy_id for absence in away.values()})
    present = {each.id: each for each in deputies.values() if can_stand_in(each)}
    gone = await away_now(session, present.values(), now)
    told = {person_id: person for person_id, person in asked.items() if person_id not in away}
    for person_id, absence in away.items():
        deputy = present.get(absence.deputy_id or "")
        if deputy is not None and deputy.id not in gone:
            told[person_id] = deputy
    return told


async def away_now(session: AsyncSession, people: Iterable[Person], now: datetime) -> dict[str, Absence]:
    """Who of these is away on the day that it is where they are."""
    by_day: dict[date, list[str]] = {}
    for person in people:
        by_day.setdefault(today_in(person.timezone, now), []).append(person.id)
    found: dict[str, Absence] = {}
    for day, ids in by_day.items():
        found |= await of(session, ids, day)
    return found


async def find(session: AsyncSession, actor: Actor, absence_id: int) -> Absence:
    """The absence, if the actor may change it: their own, or one they may note. Raises NotFound."""
    absence = (await session.exec(select(Absence).where(col(Absence.id) == absence_id))).first()
    if absence is None or not await may_note(session, actor, absence.person_id):
        raise NotFound("That absence is no longer there. `/steward away` shows what is planned.")
    return absence


async def may_note(session: AsyncSession, actor: Actor, person_id: str) -> bool:
    """Whether the actor may note that this person is away: everybody for themselves, else as the matrix says."""
    if actor.standing is Standing.NOBODY:
        return False
    return actor.id == person_id or may(actor, Right.ABSENCE, await _led_project(session, actor, person_id))


async def require_note(session: AsyncSession, actor: Actor, person_id: str) -> None:
    """Raise NotAllowed unless `may_note`."""
    if not await may_note(session, actor, person_id):
        require(actor, Right.ABSENCE, None)


async def may_note_others(session: AsyncSession, actor: Actor) -> bool:
    """Whether there may be anybody else for whom the actor may note it, as far as a form should ask."""
    if may(actor, Right.ABSENCE, None):
        return True
    query = select(Project).where(col(Project.coordinator_id) == actor.id, in_use()).limit(1)
    return may(actor, Right.ABSENCE, (await session.exec(query)).first())


async def _led_project(session: AsyncSession, actor: Actor, person_id: str) -> Project | None:
    """A project in use that the actor coordinates and the person takes part in."""
    person = await directory.person(session, person_id)
    if person is None:
        return None
    query = select(Project).where(col(Project.coordinator_id) == actor.id, in_use(), takes_part(actor_of(person)))
    return (await session.exec(query.limit(1))).first()


async def _remove(session: AsyncSession, absence: Absence, now: datetime) -> None:
    await session.delete(absence)
    await session.flush()
    await _owe_deputy_anew(session, absence, absence.deputy_id, now)


async def _owe_words(session: AsyncSession, absence: Absence, by: str, now: datetime) -> None:
    """Owe the deputy one word, and the person one if somebody else noted it; nobody hears of their own act."""
    payload = _told(absence) | {"by": by}
    if absence.deputy_id and absence.deputy_id != by:
        await outbox.put(
            session,
            "deputy",
            key=_lane(absence, absence.deputy_id),
            target=absence.deputy_id,
            payload=payload,
            due_at=now,
        )
    if absence.person_id != by:
        await outbox.put(
            session,
            "away_noted",
            key=f"away_noted:{absence.id}:{absence.first_day}:{absence.last_day}:{absence.deputy_id}",
            target=absence.person_id,
            payload=payload,
            due_at=now,
        )


async def _owe_deputy_anew(session: AsyncSession, absence: Absence, deputy_id: str | None, now: datetime) -> None:
    """Owe that what this deputy was told is kept true."""
    if deputy_id:
        await outbox.put(
            session,
            "deputy_again",
            key=f"{_lane(absence, deputy_id)}:{now.isoformat()}",
            lane=_lane(absence, deputy_id),
            target=deputy_id,
            payload=_told(absence),
            due_at=now,
        )


def _lane(absence: Absence, deputy_id: str) -> str:
    return f"deputy:{absence.id}:{deputy_id}"


def _told(absence: Absence) -> dict[str, Any]:
    return {"absence": absence.id, "person": absence.person_id}
