"""A bell that wakes whoever waits for it, and a wait that ends by itself."""

import asyncio
from contextlib import suppress


class Bell:
    """Rings for everybody who waits at that moment; whoever comes later waits for the next time, which is `next`."""

    def __init__(self) -> None:
        self.next = asyncio.Event()

    def ring(self) -> None:
        self.next.set()
        self.next = asyncio.Event()


async def rung(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, or for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
