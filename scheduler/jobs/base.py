"""What a scheduled job is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession


@dataclass(frozen=True)
class Job:
    """`run` looks at `now` in one workspace and owes what is due by `outbox.put`; a key that was used adds nothing.

    It is called every few seconds, so it must cost what is due and not what is stored.
    """

    id: str
    run: Callable[[AsyncSession, datetime], Awaitable[None]]
