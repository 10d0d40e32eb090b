"""What a stand-up asks about and what came of it: for the form, the digest and the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import case, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import standups
from models.items import with_own_rows
from models.kinds import Item
from models.permissions import Actor, is_for_everybody, visible_records
from models.standups import Part
from models.tables import EntryState, Project, Record, StandupEntry, StandupRound

PREFILL_MAX = 10
ANSWERED = (EntryState.ANSWERED, EntryState.LATE)
ASKED = tuple(state for state in EntryState if state is not EntryState.AWAY)


async def prefill(session: AsyncSession, actor: Actor, at: Part, *, today: date) -> Sequence[str]:
    """What each answer begins with: the stored ones, where there are.

    Else the first holds what was planned last time and closed since, the second what is due. Others will read them,
    so that they name nothing confidential.
    """
    if at.entry.answered_at is not None:
        return at.entry.answers
    last = await standups.before(session, at)
    since = last.answered_at if last and last.answered_at else at.entry.opens_at - timedelta(days=1)
    closed = await _mine(session, actor, [col(Record.closed_at) > since])
    due = await _mine(session, actor, [col(Record.is_open), col(Record.due_date) <= today + timedelta(days=1)])
    first = [*_lines(last.answers[1] if last and len(last.answers) > 1 else ""), *map(_line, closed)]
    begun = ["\n".join(dict.fromkeys(first)), "\n".join(map(_line, due))]
    return [begun[number] if number < 2 else "" for number in range(len(at.round.questions))]


async def open_blockers(session: AsyncSession, standup_id: int, actor: Actor | None = None) -> list[Item]:
    """The issues that came of this stand-up's blockers and are not resolved, the oldest first."""
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .join(StandupEntry, col(StandupEntry.issue_id) == col(Record.id))
        .join(StandupRound, col(StandupRound.id) == col(StandupEntry.round_id))
        .where(col(StandupRound.standup_id) == standup_id, col(Record.is_open), col(Record.is_archived).is_(False))
        .order_by(col(Record.id))
        .distinct()
    )
    query = query.where(is_for_everybody() if actor is None else visible_records(actor))
    found = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    return [item for item, _ in found]


@dataclass(frozen=True)
class Participation:
    """How often somebody answered: of the rounds in which they were asked and not away."""

    person_id: str
    asked: int
    answered: int
    late: int
    skipped: int
    away: int


@dataclass(frozen=True)
class Round:
    """One round in numbers."""

    id: int
    day: date
    asked: int
    answered: int
    blocked: int


@dataclass(frozen=True)
class History:
    """The rounds of a stand-up, the newest first, and everybody's participation in them."""

    rounds: Sequence[Round]
    people: Sequence[Participation]
    as_of: datetime


async def history(
    session: AsyncSession, standup_id: int, *, person_id: str | None, now: datetime, size: int = 10, window: int = 30
) -> History:
    """The last rounds, and participation over the last `window` of them: of one person, or of everybody."""
    recent = (
        select(StandupRound.id)
        .where(col(StandupRound.standup_id) == standup_id, col(StandupRound.opens_at) <= now)
        .order_by(col(StandupRound.day).desc())
        .limit(window)
    )
    ids = list(await session.exec(recent))
    whose = [col(StandupEntry.person_id) == person_id] if person_id else []
    numbers: list[Any] = [_count(*ASKED), _count(*ANSWERED), func.count(col(StandupEntry.issue_id))]
    by_round: Any = (
        select(col(StandupRound.id), col(StandupRound.day), *numbers)
        .join(StandupEntry, col(StandupEntry.round_id) == col(StandupRound.id))
        .where(col(StandupRound.id).in_(ids[:size]), *whose)
        .group_by(col(StandupRound.id), col(StandupRound.day))
        .order_by(col(StandupRound.day).desc())
    )
    counted: list[Any] = [
        _count(*states) for states in (ASKED, ANSWERED, (EntryState.LATE,), (EntryState.SKIPPED,), (EntryState.AWAY,))
    ]
    by_person: Any = (
        select(col(StandupEntry.person_id), *counted)
        .where(col(StandupEntry.round_id).in_(ids), *whose)
        .group_by(col(StandupEntry.person_id))
        .order_by(col(StandupEntry.person_id))
    )
    return History(
        rounds=[Round(*row) for row in await session.exec(by_round)],
        people=[Participation(*row) for row in await session.exec(by_person)],
        as_of=now,
    )


def _count(*states: EntryState) -> Any:
    """How many parts are in one of these states."""
    return func.coalesce(func.sum(case((col(StandupEntry.state).in_(states), 1), else_=0)), 0)


async def _mine(session: AsyncSession, actor: Actor, conditions: Sequence[Any]) -> list[Item]:
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Record.owner_id) == actor.id,
            col(Record.is_archived).is_(False),
            visible_records(actor),
            is_for_everybody(),
            *conditions,
        )
        .order_by(col(Record.due_date), col(Record.id))
        .limit(PREFILL_MAX)
    )
    found = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    return [item for item, _ in found]


def _line(item: Item) -> str:
    return f"• {item.reference} {item.record.title}"


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
