"""Work that goes on after the answer: held on to, since the event loop alone would let it be collected."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# What follows from an interaction begins so much later: an acknowledgement is on its way by then.
ANSWER_FIRST_SECONDS = 0.02


class Background:
    """Tasks under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run the work on, and hold on to it until it is done."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settle(self, grace_seconds: float = 5.0) -> None:
        """Let what is under way come to its end, for a while."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=grace_seconds)
