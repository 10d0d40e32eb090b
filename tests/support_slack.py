"""A Slack that records: what would have been posted, and answers or refusals as a test scripts them."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlmodel import col, select

from bot.sender import Sender
from bot.slack_port import SlackError, SlackPort
from models.clock import Clock
from models.database import Database
from models.tables import Delivery
from tests.support import WORKSPACE


@dataclass(frozen=True)
class Call:
    """One call as it left the house."""

    method: str
    arguments: dict[str, Any]

    @property
    def channel(self) -> str:
        return str(self.arguments["channel"])

    @property
    def text(self) -> str:
        return str(self.arguments["text"])


@dataclass
class RecordingSlack:
    """Takes every call. `refuse` scripts the next results, for one channel or all; `hold` keeps calls hanging."""

    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._script: deque[tuple[str | None, SlackError]] = deque()
        self._stamps = count(1)
        self._open = asyncio.Event()
        self._open.set()
        self._called = asyncio.Event()

    def refuse(self, error: SlackError, *, times: int = 1, channel: str | None = None) -> None:
        """Answer the next calls, all or those for one channel, with this refusal."""
        self._script.extend([(channel, error)] * times)

    def hold(self) -> None:
        """From now on calls hang until `let_go`."""
        self._open.clear()

    def let_go(self) -> None:
        """Answer the calls that hang, and those to come at once."""
        self._open.set()

    async def reached(self, calls: int, *, seconds: float = 30.0) -> None:
        """Wait until so many calls have come in, answered or not."""
        async with asyncio.timeout(seconds):
            while len(self.calls) < calls:
                await self._called.wait()

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """What the real port promises."""
        made = Call(method, arguments)
        self.calls.append(made)
        called, self._called = self._called, asyncio.Event()
        called.set()
        await self._open.wait()
        for scripted in list(self._script):
            if scripted[0] in (None, made.channel):
                self._script.remove(scripted)
                raise scripted[1]
        channel = f"D{made.channel[1:]}" if made.channel.startswith("U") else made.channel
        return {"ok": True, "channel": channel, "ts": arguments.get("ts") or f"1772442000.{next(self._stamps):06d}"}

    def to(self, channel: str) -> list[Call]:
        """The calls for a channel or person, oldest first."""
        return [call for call in self.calls if call.channel == channel]


async def stored(database: Database, workspace_id: str = WORKSPACE) -> list[Delivery]:
    """Every delivery of the workspace, in the order in which they were owed."""
    async with database.unit(workspace_id, writes=False) as session:
        return list(await session.exec(select(Delivery).order_by(col(Delivery.id))))


async def states(database: Database, workspace_id: str = WORKSPACE) -> list[str]:
    """`kind state` of every delivery."""
    return [f"{row.kind} {row.state.value}" for row in await stored(database, workspace_id)]


@dataclass
class DirectWire:
    """A workspace's way to Slack that leads straight to a port, with rights that are always fresh."""

    port: SlackPort

    @property
    def scopes(self) -> frozenset[str]:
        return getattr(self.port, "scopes", frozenset())

    async def freshen(self, target: str) -> None:
        pass


def make_sender(database: Database, slack: SlackPort, clock: Clock, **options: Any) -> Sender:
    """A sender without pauses between messages, whose wall clock is `clock` too unless `wall` is given."""
    defaults: dict[str, Any] = {"wall": clock, "worker_id": "sender-1", "pace_seconds": 0.0}

    async def wires(workspace_id: str) -> DirectWire:
        return DirectWire(slack)

    return Sender(database, wires, clock=clock, **(defaults | options))
