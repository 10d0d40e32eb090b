"""Sends commands, interactions and events to the app, and says how each was received."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from sandbox.calls import Delivery, Log
from sandbox.timing import Timing
from sandbox.workspace import Json

Envelope: TypeAlias = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True)
class Ack:
    """How the app received something. `error` is None, or why there was no proper answer, in the words of
    x-slack-retry-reason; `body` is the answer as JSON object, text, or None when empty."""

    status: int | None = None
    body: Json | str | None = None
    error: str | None = None
    no_retry: bool = False

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class Shipment:
    """What to send once: the payload, where it belongs, and which retry of an event this is."""

    envelope: Envelope
    kind: str
    payload: Json
    wants_answer: bool = False
    attempt: int = 0
    reason: str = ""


class Transport(Protocol):
    """A way to the app: Socket Mode or signed HTTP."""

    async def send(self, shipment: Shipment, timeout: float) -> Ack:
        """Deliver once and wait for the acknowledgement, at most `timeout` seconds."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass
class Courier:
    """Everything on its way to the app."""

    transport: Transport
    timing: Timing
    now: Callable[[], datetime]
    on_delivery: Callable[[], None]
    log: Log[Delivery] = field(default_factory=Log)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _travelling: int = 0
    _calm: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, shipment: Shipment) -> Ack:
        """Send a command or interaction, once. Slack does not repeat these."""
        self._leave()
        try:
            return await self._attempt(shipment)
        finally:
            self._arrive()

    def event(self, payload: Json) -> asyncio.Task[Ack]:
        """Send an event, and again as Slack does when it is not received. The task ends with the first attempt."""
        first: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._leave()
        self._start(self._insist(payload, first))
        return self._start(_outcome(first))

    async def again(self, delivery: Delivery) -> Ack:
        """Send something once more, unchanged: as a retry when it is an event."""
        match delivery.sent_as:
            case "events_api":
                retry = delivery.attempt + 1
                shipment = Shipment("events_api", delivery.kind, delivery.payload, attempt=retry, reason="http_timeout")
            case "slash_commands":
                shipment = Shipment("slash_commands", delivery.kind, delivery.payload, wants_answer=True)
            case _:
                shipment = Shipment("interactive", delivery.kind, delivery.payload, wants_answer=True)
        return await self.ask(shipment)

    async def idle(self) -> None:
        """Return when nothing is under way. A retry that waits for its minute is not under way."""
        while self._travelling:
            await self._calm.wait()

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.transport.close()

    async def _insist(self, payload: Json, first: asyncio.Future[Ack]) -> None:
        kind = str(payload["event"]["type"])
        try:
            ack = await self._attempt(Shipment("events_api", kind, payload))
            first.set_result(ack)
        finally:
            first.cancel()
            self._arrive()
        for attempt, delay in enumerate(self.timing.retries, start=1):
            if ack.ok or ack.no_retry:
                return
            await asyncio.sleep(delay)
            again = Shipment("events_api", kind, payload, attempt=attempt, reason=ack.error or "")
            ack = await self.ask(again)

    async def _attempt(self, shipment: Shipment) -> Ack:
        entry = Delivery(
            self.log.next_number(), self.now(), shipment.kind, shipment.envelope, shipment.payload, shipment.attempt
        )
        self.log.add(entry)
        ack = await self.transport.send(shipment, self.timing.acknowledge)
        entry.outcome = ack.error or str(ack.status)
        entry.answer = ack.body
        self.on_delivery()
        return ack

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _leave(self) -> None:
        self._travelling += 1
        self._calm.clear()

    def _arrive(self) -> None:
        self._travelling -= 1
        if not self._travelling:
            self._calm.set()


async def _outcome(first: asyncio.Future[Ack]) -> Ack:
    try:
        return await first
    except asyncio.CancelledError:
        return Ack(error="connection_failed")
