"""How fast Slack may be called: so many seconds between messages to one channel, and not at all where it asked so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from bot.bell import rung

PACE_SECONDS = 1.0


class Pace:
    """When a channel may be called again, in seconds of the running loop's clock. In memory: a restart is a pause."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free_at: dict[tuple[str, str], float] = {}
        self._lines: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._paused_until: dict[tuple[str, str, str], float] = {}

    def busy(self, workspace_id: str) -> dict[str, float]:
        """The workspace's channels that have to wait -> for how long."""
        now = _now()
        self._free_at = {key: at for key, at in self._free_at.items() if at > now}
        return {channel: at - now for (owner, channel), at in self._free_at.items() if owner == workspace_id}

    @asynccontextmanager
    async def turn(self, workspace_id: str, channel: str, *, halt: asyncio.Event) -> AsyncIterator[None]:
        """This channel's turn, or until `halt` is set; turns come in the order they were asked for.

        The distance to the next one counts from the end of the block, where the call begins.
        """
        key = (workspace_id, channel)
        line = self._lines.setdefault(key, asyncio.Lock())
        async with line:
            while not halt.is_set() and (wait := self._free_at.get(key, 0.0) - _now()) > 0:
                await rung(halt, wait)
            self._free_at[key] = _now() + self._seconds
            try:
                yield
            finally:
                self._free_at[key] = _now() + self._seconds

    def pause(self, workspace_id: str, method: str, channel: str, seconds: float) -> None:
        """Leave the channel and method alone for so long, as Slack asked."""
        self._paused_until[workspace_id, method, channel] = _now() + seconds

    def paused(self, workspace_id: str, method: str, channel: str) -> float:
        """For how many seconds Slack wants no call of the method for the channel."""
        until = self._paused_until.get((workspace_id, method, channel), 0.0)
        if until <= _now():
            self._paused_until.pop((workspace_id, method, channel), None)
        return max(0.0, until - _now())


def _now() -> float:
    return asyncio.get_running_loop().time()
