"""Whether direct messages reach somebody: where they do not, the Home tab is the only place to say so."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.tables import Delivery


async def lost(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    """Slack took a message for good as one that cannot be delivered."""
    await _note(session, delivery.target, now)


async def found(session: AsyncSession, delivery: Delivery) -> None:
    """A message arrived."""
    await _note(session, delivery.target, None)


async def _note(session: AsyncSession, person_id: str, since: datetime | None) -> None:
    person = await directory.person(session, person_id)
    if person is not None and (person.unreachable_since is None) != (since is None):
        person.unreachable_since = since
        session.add(person)
