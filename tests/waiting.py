"""Waiting for what sends no signal."""

import asyncio
from collections.abc import Callable

# A condition that a slow and busy machine does not fulfil in this time is not going to be fulfilled.
PATIENCE_SECONDS = 60.0


async def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds. Raises TimeoutError when it does not for a long time."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
