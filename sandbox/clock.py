"""The one clock of a workspace: the wall clock plus an offset that only grows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.errors import WrongTime

STEP = timedelta(minutes=15)
MORNING = time(9)

OnAdvance = Callable[[datetime], Awaitable[datetime | None]]


def wall_time() -> datetime:
    """The computer's own time, aware, in UTC."""
    return datetime.now(UTC)


class Clock:
    """Tells the workspace's time, and can be moved forward in steps that nobody's morning slips through."""

    def __init__(self, offset: timedelta = timedelta(0), wall: Callable[[], datetime] = wall_time) -> None:
        self._wall = wall
        self._offset = offset
        self._callbacks: list[OnAdvance] = []
        self._moving = asyncio.Lock()
        self.on_step: Callable[[], None] = lambda: None
        self.on_arrival: Callable[[], None] = lambda: None

    @property
    def offset(self) -> timedelta:
        """How far the workspace is ahead of the wall clock."""
        return self._offset

    def now(self) -> datetime:
        """The workspace's time, aware, in UTC."""
        return self._wall() + self._offset

    def on_advance(self, callback: OnAdvance) -> None:
        """Await `callback(now)` at each step of a move.

        It may return the next instant at which it has something to do (`datetime.max` in UTC for never); when every
        callback does, spans in which nothing is due are skipped. Returning None asks for every step.
        """
        self._callbacks.append(callback)

    async def advance(self, by: timedelta) -> None:
        """Move forward by `by`. Raises WrongTime when that is backwards."""
        await self.advance_to(self.now() + by)

    async def advance_to(self, target: datetime) -> None:
        """Move forward to `target` (aware) in steps of at most 15 minutes. Raises WrongTime for a time gone by."""
        if target.tzinfo is None:
            raise WrongTime("The clock needs a time with its zone.")
        if target < self.now():
            raise WrongTime("The clock only moves forward; that time has gone by.")
        async with self._moving:
            hint: datetime | None = None
            while (now := self.now()) < target:
                self._set(min(target, _next_stop(now, hint)))
                self.on_step()
                hint = await self._tell()
        self.on_arrival()

    def _set(self, instant: datetime) -> None:
        self._offset = max(self._offset, instant - self._wall())

    async def _tell(self) -> datetime | None:
        """The earliest instant anyone waits for, or None when somebody did not say."""
        now = self.now()
        hints = [await callback(now) for callback in self._callbacks]
        known = [hint for hint in hints if hint is not None]
        return min(known) if known and len(known) == len(hints) else None


def _next_stop(now: datetime, hint: datetime | None) -> datetime:
    """Where the next step ends: at what is due next, else a quarter of an hour on."""
    if hint is None or hint <= now:
        return now + STEP
    return hint


def next_morning(now: datetime, zone: str) -> datetime:
    """The first 09:00 in `zone` strictly later than `now`, in UTC."""
    return next_local(now, zone, lambda _day: True)


def next_monday(now: datetime, zone: str) -> datetime:
    """The first Monday 09:00 in `zone` strictly later than `now`, in UTC."""
    return next_local(now, zone, lambda day: day.weekday() == 0)


def next_local(now: datetime, zone: str, wanted: Callable[[datetime], bool]) -> datetime:
    """The first 09:00 in `zone` strictly later than `now` whose local day is `wanted`, in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    for days in range(9):
        morning = datetime.combine(local.date() + timedelta(days=days), MORNING, ZoneInfo(zone))
        if morning.astimezone(UTC) > now and wanted(morning):
            return morning.astimezone(UTC)
    raise AssertionError("a week holds every weekday")
