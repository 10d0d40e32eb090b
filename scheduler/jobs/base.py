"""What a scheduled job is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel.ext.asyncio.session import AsyncSession

# Conditions on the rows of one table each: where a row of a workspace meets one, the job has something to do there.
Due = Callable[[datetime], Sequence[ColumnElement[bool]]]


async def any_time(session: AsyncSession, now: datetime) -> datetime | None:
    """For a job that cannot say when it will next have work."""
    return now


@dataclass(frozen=True)
class Job:
    """`run` looks at `now` in one workspace and owes what is due by `outbox.put`; a key that was used adds nothing.

    It must cost what is due and not what is stored. Every few seconds one question asks in which workspaces there is
    something by `due`; without it, it is run in all of them. `next_at` is the first instant at which it may find
    something after `now`, or None for never, so that a clock moved by hand can skip the rest.
    """

    id: str
    run: Callable[[AsyncSession, datetime], Awaitable[None]]
    due: Due | None = None
    next_at: Callable[[AsyncSession, datetime], Awaitable[datetime | None]] = any_time
