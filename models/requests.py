"""Each request takes effect once: its key is stored in the transaction of its effect, and only then."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.inserting import add_if_missing
from models.tables import SeenRequest


class AlreadyDone(Exception):
    """The request took effect before; whatever this unit did is to be rolled back. `reference` is what it made."""

    def __init__(self, reference: str | None) -> None:
        super().__init__("this request took effect before")
        self.reference = reference


async def claim(session: AsyncSession, key: str, *, reference: str | None, now: datetime) -> None:
    """Mark the request as done, last in its unit. Raises AlreadyDone when another unit was first."""
    if not await add_if_missing(session, SeenRequest, {"key": key, "at": now, "reference": reference}):
        raise AlreadyDone((await seen(session, key) or SeenRequest(key=key, at=now)).reference)


async def seen(session: AsyncSession, key: str) -> SeenRequest | None:
    """The mark of the request, or None when it never took effect."""
    return (await session.exec(select(SeenRequest).where(col(SeenRequest.key) == key))).first()
