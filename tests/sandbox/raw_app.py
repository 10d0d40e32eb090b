"""An app reduced to one websocket: it notes every envelope and answers as told. For looking at payloads as they are."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from sandbox import Sandbox
from tests.waiting import until

Json = dict[str, Any]


class RawApp:
    """Envelopes in the order they came; `answers` gives the payload of the acknowledgement by envelope."""

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self.answers: Callable[[Json], Any] = lambda envelope: None
        self.silent = False

    @property
    def envelopes(self) -> list[Json]:
        return [message for message in self.messages if "envelope_id" in message]

    def payloads(self, kind: str) -> list[Json]:
        """Payloads of one type: of an interaction, of an event, or "slash_commands"."""
        return [e["payload"] for e in self.envelopes if kind in (e["type"], _kind(e["payload"]))]

    def events(self, kind: str) -> list[Json]:
        return [payload["event"] for payload in self.payloads(kind)]

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            heard = json.loads(message.data)
            self.messages.append(heard)
            if "envelope_id" in heard and not self.silent:
                answer = self.answers(heard)
                payload = {"payload": answer} if answer is not None else {}
                await socket.send_json({"envelope_id": heard["envelope_id"], **payload})


def _kind(payload: Json) -> Any:
    return payload["event"]["type"] if payload.get("type") == "event_callback" else payload.get("type")


async def connection_address(sandbox: Sandbox) -> str:
    """A fresh websocket address, asked for as an app does."""
    headers = {"Authorization": f"Bearer {sandbox.app_token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.api_url}apps.connections.open", headers=headers) as response,
    ):
        return str((await response.json())["url"])


@contextlib.asynccontextmanager
async def raw_app(sandbox: Sandbox, more: str = "") -> AsyncIterator[RawApp]:
    """A connected raw app, from its hello."""
    app = RawApp()
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(await connection_address(sandbox) + more) as socket,
    ):
        listening = asyncio.create_task(app.listen(socket))
        await until(lambda: app.messages)
        try:
            yield app
        finally:
            await socket.close()
            await listening
