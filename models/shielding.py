"""Work that goes to its end whoever waits for it."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from models.errors import StewardError

T = TypeVar("T")

log = logging.getLogger(__name__)


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Run the work in a task of its own that the caller's cancellation cannot tear in the middle of a commit."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StewardError):
            log.error("what nobody waits for any more failed", exc_info=error)
        raise
