"""Who is away when, and who stands in for them. Asked and noted in this one place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, outbox
from models.clock import today_in
from models.errors import InvalidFields, NotFound
from models.permissions import Actor, Right, Standing, actor_of, may, require, takes_part
from models.recurrences import ONE_DAY
from models.tables import Absence, Person, Project, in_use
from models.working_days import LONGEST_BREAK


@dataclass(frozen=True)
class Leave:
    """Days away in a row, as of one of them: the absence of that day, and those that follow on it."""

    absences: tuple[Absence, ...]

    @property
    def deputy_id(self) -> str | None:
        """Who stands in on the day that was asked about."""
        return self.absences[0].deputy_id

    @property
    def last_day(self) -> date:
        """The last day before they are there again."""
        return self.absences[-1].last_day


@dataclass(frozen=True)
class Noted:
    """What stands once an absence was noted: what covers its days, in order, and what is left of others beside them."""

    covers: Sequence[Absence]
    beside: Sequence[Absence]


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
) -> Noted:
    """Note that the person is away from `first` to `last`, both included. Raises InvalidFields.

    Each day has the deputy who was named for it last; what overlaps is joined as far as that is the same one. Where
    nobody is named, days keep theirs, and further ones have that of the days before them. `instead_of` is an absence
    that changes to this. `by` is whoever notes it, where that is not the person.
    """
    problems = _day_problems(first, last, today)
    if deputy_id and (problem := await deputy_problem(session, person_id, deputy_id)):
        problems["deputy_id"] = problem
    if problems:
        raise InvalidFields(problems)
    known = [each for each in await overlapping(session, person_id, first, last) if each is not instead_of]
    # A form shows whom it names, so that nobody in it means nobody.
    is_named = deputy_id is not None or instead_of is not None
    left, stored = list(known), list[tuple[Absence, Span | None]]()
    for span in _spans(known, first, last, deputy_id, is_named=is_named):
        row = instead_of if span.first <= first <= span.last else None
        row = row or next((each for each in left if _goes_on_as(each, span)), None)
        before = _span_of(row) if row else None
        row = row or Absence(person_id=person_id, first_day=span.first, last_day=span.last, created_at=now)
        row.first_day, row.last_day, row.deputy_id = span
        left = [each for each in left if each is not row]
        stored.append((row, before))
    session.add_all([row for row, _ in stored])
    await session.flush()
    for gone in left:
        await _remove(session, gone, now)
    noted = Noted(
        [row for row, _ in stored if row.first_day <= last and row.last_day >= first],
        [row for row, _ in stored if row.first_day > last or row.last_day < first],
    )
    for row, before in stored:
        if before is not None and before != _span_of(row):
            for deputy in dict.fromkeys((before.deputy_id, row.deputy_id)):
                await _owe_deputy_anew(session, row, deputy, now)
        await _owe_deputy(session, row, by or person_id, now)
    for row in noted.covers:
        await _owe_person(session, row, by or person_id, now)
    return noted


class Span(NamedTuple):
    """Days in a row on which the same person stands in, or nobody."""

    first: date
    last: date
    deputy_id: str | None


def _span_of(absence: Absence) -> Span:
    return Span(absence.first_day, absence.last_day, absence.deputy_id)


def _spans(known: Iterable[Absence], first: date, last: date, deputy_id: str | None, *, is_named: bool) -> list[Span]:
    """The days of these absences and those from `first` to `last`, in order, each as it was said last."""
    deputies = {day: each.deputy_id for each in known for day in _days(each.first_day, each.last_day)}
    begins_with = deputies[min(deputies)] if deputies else None
    for day in _days(first, last):
        if is_named:
            deputies[day] = deputy_id
        elif day not in deputies:
            deputies[day] = deputies.get(day - ONE_DAY, begins_with)
    spans: list[Span] = []
    for day, deputy in sorted(deputies.items()):
        goes_on = bool(spans) and (spans[-1].last, spans[-1].deputy_id) == (day - ONE_DAY, deputy)
        spans.append(Span(spans.pop().first if goes_on else day, day, deputy))
    return spans


def _days(first: date, last: date) -> list[date]:
    return [first + n * ONE_DAY for n in range((last - first).days + 1)]


def _goes_on_as(absence: Absence, span: Span) -> bool:
    """Whether the absence goes on as these days: by its deputy, or since nothing else is left of it."""
    if absence.deputy_id == span.deputy_id:
        return absence.first_day <= span.last and absence.last_day >= span.first
    return span.first <= absence.first_day and absence.last_day <= span.last


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


async def of(session: AsyncSession, person_ids: Iterable[str], day: date) -> dict[str, Leave]:
    """The people among these who are away on that day, with their leave as of it."""
    query = (
        select(Absence)
        .where(col(Absence.person_id).in_(set(person_ids)), col(Absence.last_day) >= day)
        .order_by(col(Absence.first_day), col(Absence.id))
    )
    leaves: dict[str, Leave] = {}
    for absence in await session.exec(query):
        so_far = leaves.get(absence.person_id)
        if so_far is None and absence.first_day <= day:
            leaves[absence.person_id] = Leave((absence,))
        elif (
            so_far is not None and so_far.last_day < absence.last_day and absence.first_day <= so_far.last_day + ONE_DAY
        ):
            leaves[absence.person_id] = Leave((*so_far.absences, absence))
    return leaves


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


async def away_now(session: AsyncSession, people: Iterable[Person], now: datetime) -> dict[str, Leave]:
    """Who of these is away on the day that it is where they are."""
    by_day: dict[date, list[str]] = {}
    for person in people:
        by_day.setdefault(today_in(person.timezone, now), []).append(person.id)
    found: dict[str, Leave] = {}
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


async def _owe_deputy(session: AsyncSession, absence: Absence, by: str, now: datetime) -> None:
    """Owe the deputy one word, unless it was they who noted it."""
    if absence.deputy_id and absence.deputy_id != by:
        await outbox.put(
            session,
            "deputy",
            key=_lane(absence, absence.deputy_id),
            target=absence.deputy_id,
            payload=_told(absence) | {"by": by},
            due_at=now,
        )


async def _owe_person(session: AsyncSession, absence: Absence, by: str, now: datetime) -> None:
    """Owe the person one word if somebody else noted it."""
    if absence.person_id != by:
        await outbox.put(
            session,
            "away_noted",
            key=f"away_noted:{absence.id}:{absence.first_day}:{absence.last_day}:{absence.deputy_id}",
            target=absence.person_id,
            payload=_told(absence) | {"by": by},
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
