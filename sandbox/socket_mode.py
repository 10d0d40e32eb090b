"""Socket Mode: websockets the app opened, each envelope to one of them, each answered by its envelope id."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.delivery import Ack, Shipment
from sandbox.timing import Timing
from sandbox.workspace import Json

MOST_CONNECTIONS = 10
TICKET_SECONDS = 30.0


@dataclass(eq=False)
class Connection:
    """One open websocket; `waiting` holds the envelopes not yet acknowledged on it."""

    socket: WebSocket
    waiting: dict[str, asyncio.Future[Ack]] = field(default_factory=dict)
    retiring: bool = False
    silent: bool = False

    def fall_silent(self) -> None:
        """From now on hear nothing and say nothing, not even to a ping, and stay open."""
        self.silent = True
        self.socket.scope["state"]["silence"]()

    async def send(self, message: Json) -> None:
        await self.socket.send_text(json.dumps(message))


@dataclass
class SocketMode:
    """All connections of the app, used in turn."""

    app_id: str
    timing: Timing
    on_change: Callable[[], None] = lambda: None
    connections: list[Connection] = field(default_factory=list)
    _tickets: dict[str, float] = field(default_factory=dict)
    _turns: itertools.count[int] = field(default_factory=itertools.count)

    def new_ticket(self) -> str:
        """The right to open one connection within half a minute."""
        now = time.monotonic()
        self._tickets = {ticket: deadline for ticket, deadline in self._tickets.items() if deadline > now}
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = now + TICKET_SECONDS
        return ticket

    async def serve(self, socket: WebSocket) -> None:
        """Hold one connection from hello to its end. A used or unknown ticket is turned away."""
        deadline = self._tickets.pop(socket.query_params.get("ticket", ""), 0.0)
        if deadline < time.monotonic():
            await socket.close(1008)
            return
        await socket.accept()
        connection = Connection(socket)
        if len(self.connections) >= MOST_CONNECTIONS:
            await self._dismiss(connection, "too_many_websockets")
            return
        short = socket.query_params.get("debug_reconnects") == "true"
        life = self.timing.short_connection_life if short else self.timing.connection_life
        self.connections.append(connection)
        self.on_change()
        ageing = asyncio.create_task(self._age(connection, life))
        try:
            await connection.send(self._hello(life))
            await self._listen(connection)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the app went away; its unanswered envelopes are told so below
        finally:
            ageing.cancel()
            self._forget(connection)

    async def send(self, shipment: Shipment, timeout: float) -> Ack:
        """Hand one envelope to one connection and wait for its acknowledgement."""
        connection = self._next_connection()
        if connection is None:
            return Ack(error="connection_failed")
        envelope_id = str(uuid.uuid4())
        waiting: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = waiting
        try:
            async with asyncio.timeout(timeout):
                await connection.send(_envelope(envelope_id, shipment))
                return await waiting
        except TimeoutError:
            return Ack(error="http_timeout")
        except (WebSocketDisconnect, RuntimeError):
            return Ack(error="connection_failed")
        finally:
            connection.waiting.pop(envelope_id, None)

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to come back with a new one, then close it."""
        for connection in list(self.connections):
            await self._dismiss(connection, reason)

    async def close(self) -> None:
        for connection in list(self.connections):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await connection.socket.close(1001)
            self._forget(connection)

    def _hello(self, life: float) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {"host": "applink-sandbox", "build_number": 1, "approximate_connection_time": int(life)},
            "connection_info": {"app_id": self.app_id},
        }

    async def _listen(self, connection: Connection) -> None:
        while True:
            text = await connection.socket.receive_text()
            try:
                answer = json.loads(text)
            except ValueError:
                continue  # some clients send pings as plain text
            if isinstance(answer, dict):
                waiting = connection.waiting.get(str(answer.get("envelope_id")))
                if waiting is not None and not waiting.done():
                    waiting.set_result(Ack(200, _body(answer.get("payload"))))

    async def _age(self, connection: Connection, life: float) -> None:
        await asyncio.sleep(max(0.0, life - self.timing.connection_warning))
        await connection.send(self._disconnect("warning"))
        await asyncio.sleep(self.timing.connection_warning)
        await self._dismiss(connection, "refresh_requested")

    async def _dismiss(self, connection: Connection, reason: str) -> None:
        connection.retiring = True
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await connection.send(self._disconnect(reason))
            await connection.socket.close(1000)

    def _disconnect(self, reason: str) -> Json:
        return {
            "type": "disconnect",
            "reason": reason,
            "num_connections": len(self.connections),
            "debug_info": {"host": "applink-sandbox"},
            "connection_info": {"app_id": self.app_id},
        }

    def _next_connection(self) -> Connection | None:
        ready = [connection for connection in self.connections if not connection.retiring]
        return ready[next(self._turns) % len(ready)] if ready else None

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
            self.on_change()
        for waiting in connection.waiting.values():
            if not waiting.done():
                waiting.set_result(Ack(error="connection_failed"))


def _envelope(envelope_id: str, shipment: Shipment) -> Json:
    envelope: Json = {
        "envelope_id": envelope_id,
        "type": shipment.envelope,
        "payload": shipment.payload,
        "accepts_response_payload": shipment.wants_answer,
    }
    if shipment.envelope == "events_api":
        envelope |= {"retry_attempt": shipment.attempt, "retry_reason": shipment.reason}
    return envelope


def _body(payload: object) -> Json | str | None:
    return payload if isinstance(payload, dict | str) and payload else None
