"""What somebody's Slack status hints at: leave, and until when. It is asked about, never taken for an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, outbox
from models.absences import Leave
from models.clock import today_in, zone_or_utc
from models.tables import Person, Record, StandupEntry

# What Slack offers for "Vacationing" and "Out sick", and what people use for the same.
AWAY_EMOJI = frozenset(
    {"palm_tree", "desert_island", "beach_with_umbrella", "umbrella_on_ground", "face_with_thermometer"}
)

# A status that ends before this hour does not cover that day.
END_OF_WORK = time(17)


@dataclass(frozen=True)
class Status:
    """An emoji that looks like leave, and the instant at which it ends, if it does."""

    emoji: str
    ends_at: datetime | None


def read(described: Any) -> Status | None:
    """The status in Slack's user object, if it looks like leave."""
    profile = described.get("profile") if isinstance(described, Mapping) else None
    if not isinstance(profile, Mapping) or described.get("deleted") or described.get("is_bot"):
        return None
    emoji = str(profile.get("status_emoji") or "").strip(":")
    if emoji not in AWAY_EMOJI:
        return None
    ends = profile.get("status_expiration")
    return Status(emoji, datetime.fromtimestamp(ends, UTC) if isinstance(ends, int) and ends > 0 else None)


def last_day(status: Status, zone: str) -> date | None:
    """The last whole day that the status covers in that zone; None for one without an end."""
    if status.ends_at is None:
        return None
    local = status.ends_at.astimezone(zone_or_utc(zone))
    return local.date() if local.time() >= END_OF_WORK else local.date() - timedelta(days=1)


async def owe_question(session: AsyncSession, person: Person, status: Status, now: datetime) -> None:
    """Owe the person the question whether they are away, once for each status, if Steward asks them anything at all."""
    today, until = today_in(person.timezone, now), last_day(status, person.timezone)
    if until is not None and until < today:
        return
    known = (await absences.of(session, [person.id], today)).get(person.id)
    if is_known(known, until) or not await _is_asked(session, person.id):
        return
    ends = int(status.ends_at.timestamp()) if status.ends_at else "open"
    await outbox.put(
        session,
        "away_hint",
        # Slack tells of a person whenever anything of them changes, and the same status is the same question.
        key=f"away_hint:{person.id}:{status.emoji}:{ends}",
        lane=f"away_hint:{person.id}",
        target=person.id,
        payload={"until": until.isoformat() if until else ""},
        due_at=now,
    )


def is_known(leave: Leave | None, until: date | None) -> bool:
    """Whether what is noted says as much already."""
    return leave is not None and (until is None or leave.last_day >= until)


async def _is_asked(session: AsyncSession, person_id: str) -> bool:
    """Whether the person owns anything open, or was ever asked in a stand-up."""
    owns = select(Record.id).where(
        col(Record.owner_id) == person_id, col(Record.is_open), col(Record.is_archived).is_(False)
    )
    if (await session.exec(owns.limit(1))).first() is not None:
        return True
    stands_up = select(StandupEntry.round_id).where(col(StandupEntry.person_id) == person_id)
    return (await session.exec(stands_up.limit(1))).first() is not None
