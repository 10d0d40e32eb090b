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
from models.projects import in_use
from models.tables import Absence, Person, Project
from models.working_days import LONGEST_BREAK

ONE_DAY = timedelta(days=1)


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
    standing = actor_of(deputy).standing if deputy else Standing.NOBODY
    if deputy is None or standing not in (Standing.MEMBER, Standing.GUEST):
        name = deputy.shown_name if deputy else "That person"
        return f"{name} is no active member or guest of this workspace and cannot stand in. Choose somebody else."
    return None


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


async def reached(session: AsyncSession, person: Person, now: datetime) -> Person | None:
    """Who is told what this person should hear now: themselves, or while they are away their deputy, or nobody.

    A deputy who is away too, or who left, is not told. What the deputy may see is asked where it is drawn.
    """
    away = (await of(session, [person.id], today_in(person.timezone, now))).get(person.id)
    if away is None:
        return person
    if away.deputy_id is None or await deputy_problem(session, person.id, away.deputy_id):
        return None
    deputy = await directory.person(session, away.deputy_id)
    assert deputy is not None
    is_away = await of(session, [deputy.id], today_in(deputy.timezone, now))
    return None if is_away else deputy


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
