"""What somebody who is erased had in hand: taken from them as changes with a history, and told to those who answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import leaving, operations, outbox, projects, standups
from models.items import with_own_rows
from models.permissions import Actor
from models.tables import Project, Record, Standup, StandupEntry, StandupRound

VIA: Final = "an erasure"
OWNERLESS: Final = "ownerless"
REPLY: Final = "erased_reply"

# What a project's history tells of: emptied by a change like any other.
LEADS: Final = ("coordinator_id", "sponsor_id")


@dataclass
class Left:
    """What has nobody now: records by project, and the projects without a coordinator."""

    records: dict[int, list[int]] = field(default_factory=dict)
    vacated: set[int] = field(default_factory=set)


async def let_go(session: AsyncSession, itself: Actor, person_id: str, now: datetime) -> Left:
    """Take the open records and the projects out of their hands, as changes with a history of their own."""
    left = Left()
    told: Any = {"via": VIA, "now": now}
    for item, project in await with_own_rows(session, await _owned(session, person_id)):
        await operations.let_go(session, itself, item, {"owner_id": None}, **told)
        left.records.setdefault(project.id or 0, []).append(item.record.id or 0)
    leads = or_(*(getattr(Project, lead) == person_id for lead in LEADS))
    for project in (await session.exec(select(Project).where(leads, col(Project.archived_at).is_(None)))).all():
        if project.coordinator_id == person_id:
            left.vacated.add(project.id or 0)
        vacant = {lead: None for lead in LEADS if getattr(project, lead) == person_id}
        await projects.store(session, itself, project, vacant, **told)
    return left


async def _owned(session: AsyncSession, person_id: str) -> Sequence[tuple[Record, Project]]:
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Record.owner_id) == person_id, col(Record.is_open), col(Record.is_archived).is_(False))
        .order_by(col(Record.id))
    )
    return (await session.exec(query)).all()


async def owe_stand_ups(session: AsyncSession, person_id: str, now: datetime) -> None:
    """Owe that no message of a round shows what they answered: the round's own, and their reply in its thread."""
    query = (
        select(StandupEntry, StandupRound, Standup)
        .join(StandupRound, col(StandupRound.id) == col(StandupEntry.round_id))
        .join(Standup, col(Standup.id) == col(StandupRound.standup_id))
        .where(
            col(StandupEntry.person_id) == person_id,
            col(StandupEntry.answered_at).is_not(None),
            col(StandupRound.digest_ts).is_not(None),
        )
    )
    for entry, round_, standup in (await session.exec(query)).all():
        await standups.owe_digest(session, round_, standup, now)
        if entry.reply_ts is not None:
            await outbox.put(
                session,
                REPLY,
                key=f"{REPLY}:{round_.id}:{entry.reply_ts}",
                target=round_.digest_channel or standup.channel_id,
                payload={"ts": entry.reply_ts},
                due_at=now,
            )


async def tell(session: AsyncSession, left: Left, now: datetime) -> None:
    """Owe one word to each of those who answer for a project in which something has nobody now."""
    told: dict[str, dict[str, list[int]]] = {}
    projects_left = select(Project).where(col(Project.id).in_({*left.records, *left.vacated}))
    for project in (await session.exec(projects_left.where(col(Project.archived_at).is_(None)))).all():
        for heir in await leaving.heirs_of(session, project):
            payload = told.setdefault(heir, {"records": [], "vacated": []})
            payload["records"] += left.records.get(project.id or 0, [])
            payload["vacated"] += {project.id or 0} & left.vacated
    for heir, payload in sorted(told.items()):
        await outbox.put(
            session, OWNERLESS, key=f"{OWNERLESS}:{heir}:{now.isoformat()}", target=heir, payload=payload, due_at=now
        )
