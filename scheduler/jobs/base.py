"""What a scheduled job is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession


async def any_time(session: AsyncSession, now: datetime) -> datetime | None:
    """For a job that cannot say when it will next have work."""
    return now


@dataclass(frozen=True)
class Job:
    """`run` looks at `now` in one workspace and owes what is due by `outbox.put`; a key that was used adds nothing.

    It is called every few seconds, so it must cost what is due and not what is stored. `next_at` is the first instant
    at which it may find something after `now`, or None for never, so that a clock moved by hand can skip the rest.
    """

    id: str
    run: Callable[[AsyncSession, datetime], Awaitable[None]]
    next_at: Callable[[AsyncSession, datetime], Awaitable[datetime | None]] = any_time
