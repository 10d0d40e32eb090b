"""Tells open pages that something changed. They read again what they show; nothing is sent twice over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from sandbox.workspace import Channel, Json


class Live:
    """Listeners by person. `on_change` hears of everything, for saving."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._queues: list[tuple[str, asyncio.Queue[Json | None]]] = []
        self._closed = False
        self.on_change = on_change

    def conversation(self, channel: Channel, only: str | None = None) -> None:
        """A conversation looks different now, to its members or to one person; public ones are open to all."""
        for user, queue in self._queues:
            if user == only or (only is None and (channel.kind == "public" or user in channel.members)):
                queue.put_nowait({"type": "conversation", "channel": channel.id})
        self.on_change()

    def views(self, user: str) -> None:
        self._send({"type": "views"}, user)

    def notice(self, user: str, text: str, channel: str | None = None) -> None:
        """Something Slack would tell this person, such as a failed command."""
        self._send({"type": "notice", "text": text, **({"channel": channel} if channel else {})}, user)

    def everyone(self, kind: str) -> None:
        """One of "boot", "clock" and "call"."""
        self._send({"type": kind})

    def _send(self, event: Json, only: str | None = None) -> None:
        for user, queue in self._queues:
            if only in (None, user):
                queue.put_nowait(event)
        self.on_change()

    async def listen(self, user: str) -> AsyncIterator[Json | None]:
        """Events for one person as they come; None when a while passed without one. Ends when the sandbox closes."""
        entry = (user, asyncio.Queue[Json | None]())
        self._queues.append(entry)
        try:
            while not self._closed:
                try:
                    event = await asyncio.wait_for(entry[1].get(), timeout=15)
                except TimeoutError:
                    yield None
                    continue
                if event is None:
                    return
                yield event
        finally:
            self._queues.remove(entry)

    def close(self) -> None:
        self._closed = True
        for _user, queue in self._queues:
            queue.put_nowait(None)
