"""A delivery that this process has claimed, and what may become of it (see `scheduler/deliveries.py`)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from bot import metrics
from bot.bell import Bell, rung
from bot.pace import Pace
from bot.slack_port import REQUEST_TIMEOUT_SECONDS, SlackPort
from models.clock import Clock
from models.database import Database
from models.database_errors import DatabaseBusy
from models.shielding import shielded
from models.tables import Delivery
from scheduler import deliveries
from scheduler.deliveries import Call, DeliveryKind, Draft, Kinds

log = logging.getLogger("steward.sender")

# A draw that raises, or a refusal Slack gives no lasting reason for, is tried this often before it is parked.
TRIES = 5
BACKOFF_SECONDS = (5.0, 15.0, 60.0, 300.0)

# A database that is busy or away is asked again at once, and then with more and more patience.
DATABASE_PAUSE_SECONDS = 0.5
LONGEST_DATABASE_PAUSE_SECONDS = 5.0

T = TypeVar("T")
Settle = Callable[..., Awaitable[Delivery | None]]


class Wire(Protocol):
    """One workspace's way to Slack."""

    @property
    def port(self) -> SlackPort: ...

    @property
    def scopes(self) -> Set[str]:
        """What Slack lets us do there: without the scopes for history nothing is looked up."""
        ...

    async def freshen(self, target: str) -> None:
        """Called before a message is drawn, so that whoever gets it has the rights of that moment."""
        ...


@dataclass(frozen=True, kw_only=True)
class Means:
    """What all that is sent has in common. `clock` is the product's, `wall` the machine's, for leases.

    Of `slots` each call takes one. Once `halt` is set, nothing more is begun.
    """

    database: Database
    wires: Callable[[str], Awaitable[Wire]]
    clock: Clock
    wall: Clock
    worker_id: str
    kinds: Kinds
    pace: Pace
    gather_seconds: float
    settle_time: timedelta
    slots: asyncio.Semaphore
    bell: Bell
    halt: asyncio.Event


class Claimed:
    """One row, as the attempt that was claimed. Every end of it is stored in a unit of its own."""

    def __init__(self, means: Means, workspace_id: str, row: Delivery) -> None:
        self._means = means
        self._workspace_id = workspace_id
        self.row = row

    @property
    def kind(self) -> DeliveryKind:
        """What kind of delivery it is."""
        return self._means.kinds[self.row.kind]

    async def begin(self, draft: Draft) -> bool:
        """Note the call, right before it. False when the row is somebody else's by now, or was given back."""
        wall = self._means.wall
        call = Call(draft.method, draft.channel, draft.thread_ts, draft.mentions, self._means.clock.now())

        async def note(session: AsyncSession) -> Delivery | None:
            return await deliveries.begin_call(session, self.row, call, wall=wall.now())

        begun = await shielded(self._in_unit(note, insists=False))
        if begun is None:
            return False
        self.row = begun
        longest = timedelta(seconds=REQUEST_TIMEOUT_SECONDS)
        if deliveries.has_time(begun, wall=wall.now(), call=longest) and not self._means.halt.is_set():
            return True
        await self.release()
        return False

    async def sent(self, draft: Draft, channel: str, ts: str) -> None:
        """It stands in Slack, and what follows a message of its kind follows."""
        row, now = self.row, self._means.clock.now
        late_seconds = (now() - row.due_at).total_seconds()
        metrics.LATENESS.labels(row.kind).observe(late_seconds)
        log.info("sent", extra={"attempt": row.attempt, "late_seconds": round(late_seconds, 1)})

        async def settle(session: AsyncSession) -> None:
            settled = await deliveries.settle_sent(session, row, channel=channel, ts=ts)
            if settled is not None and self.kind.sent is not None:
                await self.kind.sent(session, settled, draft, now())

        try:
            await self._in_unit(settle)
        except DatabaseBusy:
            raise
        except Exception:
            log.exception("what follows delivery %s (%s) failed; it is noted as sent", row.id, row.kind)
            await self._settle(deliveries.settle_sent, channel=channel, ts=ts)

    async def cancel(self) -> None:
        """There is no longer anything to say."""
        await self._settle(deliveries.cancel)

    async def give_up(self) -> None:
        """It became too late."""
        await self._settle(deliveries.give_up)

    async def release(self) -> None:
        """Give the row back as if it had never been claimed."""
        await self.back(retry_at=self.row.due_at, error=self.row.last_error)

    async def retry(self, error: str, seconds: float | None = None) -> None:
        """It was not sent: due again after so long, or after the longer the more often it was tried."""
        await self.back(retry_at=self._later(seconds), error=error)

    async def back(self, *, retry_at: datetime, error: str | None) -> None:
        """It was not sent, and is due again then."""
        await self._settle(deliveries.settle_not_sent, kind=self.kind, retry_at=retry_at, error=error)

    async def retry_or_park(self, error: str) -> None:
        """It was not sent, and may be one of those that never can be."""
        if self.row.attempt >= TRIES:
            await self.park(error)
        else:
            await self.retry(error)

    async def park(self, error: str) -> None:
        """It can never be sent like this; who has to know of it is told."""

        async def settle(session: AsyncSession) -> None:
            parked = await deliveries.park(session, self.row, error=error)
            if parked is not None and self.kind.failed is not None:
                await self.kind.failed(session, parked, self._means.clock.now())

        await self._in_unit(settle)
        self._means.bell.ring()

    async def doubt(self, wait: timedelta, error: str) -> None:
        """Nobody knows yet whether it was sent; Slack can be asked after so long."""
        await self._settle(deliveries.doubt, until=self._means.wall.now() + wait, error=error)

    async def unprovable(self, error: str) -> None:
        """Nobody will ever know whether it was sent: what its kind says."""
        await self._settle(deliveries.settle_unknown, kind=self.kind, retry_at=self._later(), error=error)

    def _later(self, seconds: float | None = None) -> datetime:
        backoff = BACKOFF_SECONDS[min(self.row.attempt, len(BACKOFF_SECONDS)) - 1]
        return self._means.clock.now() + timedelta(seconds=backoff if seconds is None else seconds)

    async def _settle(self, step: Settle, **values: Any) -> None:
        await self._in_unit(lambda session: step(session, self.row, **values))

    async def _in_unit(self, work: Callable[[AsyncSession], Awaitable[T]], *, insists: bool = True) -> T:
        """What the work gives, done in a unit.

        Where it `insists`, the database is asked until `halt`, however long it is away.
        What came of a call is known only here, and recording it late or a second time does no harm.
        """
        halt, pause = self._means.halt, 0.0
        while True:
            try:
                async with self._means.database.unit(self._workspace_id, is_brief=True) as session:
                    return await work(session)
            except DatabaseBusy:
                if halt.is_set() or not insists:
                    raise
            await rung(halt, pause)
            pause = min(pause + DATABASE_PAUSE_SECONDS, LONGEST_DATABASE_PAUSE_SECONDS)
