"""The sender: the only code that posts. It claims due deliveries, draws each at the last moment and calls Slack once.

One pass per workspace runs at a time, so that a busy workspace delays only itself; messages to one channel keep a
second's distance; what Slack answered decides what becomes of the row (see `scheduler/deliveries.py`). A post of which
nothing was heard is looked for in its channel, where Steward may read it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence, Set
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any, Protocol
from weakref import WeakValueDictionary

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession
from structlog.contextvars import bound_contextvars

from bot import metrics
from bot.looking_up import is_readable, metadata, posted
from bot.slack_port import (
    REQUEST_TIMEOUT_SECONDS,
    SlackError,
    SlackNotSent,
    SlackPermanent,
    SlackPort,
    SlackRefused,
    SlackUnknown,
)
from models.clock import Clock
from models.database import Database, shielded
from models.database_errors import DatabaseBusy
from models.tables import Delivery
from scheduler import deliveries
from scheduler.deliveries import Call, DeliveryKind, Draft, Kinds, Wait
from scheduler.notices import DELIVERY_KINDS

log = logging.getLogger("steward.sender")

METHODS = {"post": "chat.postMessage", "update": "chat.update", "whisper": "chat.postEphemeral"}
# Calls under way at once: in one workspace, and in all, so that one in which they hang leaves room for others.
AT_ONCE = 8
AT_ONCE_IN_ALL = 4 * AT_ONCE
IDLE_SECONDS = 2.0
PACE_SECONDS = 1.0
# A channel that could not be looked into is asked for again after so long, unless Slack names a time.
LOOK_AGAIN_SECONDS = 30.0
# A draw that raises, or a refusal Slack gives no lasting reason for, is tried this often before it is parked.
TRIES = 5
BACKOFF_SECONDS = (5.0, 15.0, 60.0, 300.0)

# A database that is busy or away is asked again at once, and then with more and more patience.
DATABASE_PAUSE_SECONDS = 0.5
LONGEST_DATABASE_PAUSE_SECONDS = 5.0

Settle = Callable[..., Awaitable[Delivery | None]]


class Pace:
    """When a channel may be called again, in seconds of the running loop's clock. In memory: a restart is a pause."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free_at: dict[tuple[str, str], float] = {}
        self._lines: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._paused_until: dict[tuple[str, str, str], float] = {}

    def busy(self, workspace_id: str) -> dict[str, float]:
        """The workspace's channels that have to wait -> for how long."""
        now = _now()
        self._free_at = {key: at for key, at in self._free_at.items() if at > now}
        return {channel: at - now for (owner, channel), at in self._free_at.items() if owner == workspace_id}

    @asynccontextmanager
    async def turn(self, workspace_id: str, channel: str, *, halt: asyncio.Event) -> AsyncIterator[None]:
        """This channel's turn, or until `halt` is set; turns come in the order they were asked for.

        The distance to the next one counts from the end of the block, where the call begins.
        """
        key = (workspace_id, channel)
        line = self._lines.setdefault(key, asyncio.Lock())
        async with line:
            while not halt.is_set() and (wait := self._free_at.get(key, 0.0) - _now()) > 0:
                await _rung(halt, wait)
            self._free_at[key] = _now() + self._seconds
            try:
                yield
            finally:
                self._free_at[key] = _now() + self._seconds

    def pause(self, workspace_id: str, method: str, channel: str, seconds: float) -> None:
        """Leave the channel and method alone for so long, as Slack asked."""
        self._paused_until[workspace_id, method, channel] = _now() + seconds

    def paused(self, workspace_id: str, method: str, channel: str) -> float:
        """For how many seconds Slack wants no call of the method for the channel."""
        until = self._paused_until.get((workspace_id, method, channel), 0.0)
        if until <= _now():
            self._paused_until.pop((workspace_id, method, channel), None)
        return max(0.0, until - _now())


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


class Sender:
    """Sends what is due. `clock` is the product's, for due times and limits; `wall` the machine's, for leases.

    `workspaces` are those to send in, by default all there are, and `wires` gives the way to Slack of one of them.
    """

    def __init__(
        self,
        database: Database,
        wires: Callable[[str], Awaitable[Wire]],
        *,
        clock: Clock,
        wall: Clock,
        worker_id: str,
        kinds: Collection[DeliveryKind] = DELIVERY_KINDS,
        pace_seconds: float = PACE_SECONDS,
        settle: timedelta | None = None,
        workspaces: Callable[[], Awaitable[Sequence[str]]] | None = None,
    ) -> None:
        self._database = database
        self._wires = wires
        self._workspaces = workspaces or database.workspace_ids
        self._clock = clock
        self._wall = wall
        self._worker_id = worker_id
        self._kinds: Kinds = deliveries.by_key(kinds)
        self._pace = Pace(pace_seconds)
        self._settle_time = deliveries.SETTLE if settle is None else settle
        # What becomes due so soon after a look at what is due waits for the next one.
        self._gather_seconds = pace_seconds / 4
        self._slots = asyncio.Semaphore(AT_ONCE_IN_ALL)
        self._bell = asyncio.Event()
        self._passes: dict[str, asyncio.Task[None]] = {}
        self._halt = asyncio.Event()

    def wake(self) -> None:
        """Something may have become due: look now instead of in a moment."""
        self._bell.set()
        self._bell = asyncio.Event()

    async def run(self) -> None:
        """Send whatever becomes due until `stop`."""
        while not self._halt.is_set():
            bell = self._bell
            try:
                unsettled = deliveries.unsettled(self._clock.now(), self._wall.now())
                for workspace_id in set(await self._workspaces()).intersection(
                    await self._database.workspace_ids(*unsettled)
                ):
                    self._pass_in(workspace_id)
            except DatabaseBusy:
                log.warning("what is due waits for the database")
            except Exception:
                log.exception("looking for due deliveries failed")
            await _rung(bell, IDLE_SECONDS)

    async def deliver(self, workspace_id: str | None = None) -> None:
        """Send what is due, in one workspace or all, and return when nothing due is left and nothing is under way."""
        wanted = await self._workspaces() if workspace_id is None else [workspace_id]
        self.wake()  # so that a pass that is under way looks again before it ends
        await asyncio.gather(*(self._deliver_in(each) for each in wanted))

    async def drain(self) -> None:
        """`deliver` everywhere: for a clock that is moved by hand, so that each step's messages are out."""
        await self.deliver()

    async def stop(self, grace_seconds: float = REQUEST_TIMEOUT_SECONDS + 2) -> None:
        """Claim nothing more, finish what is being sent, release the rest; after the grace, cancel what still hangs."""
        self._halt.set()
        self.wake()
        under_way = list(self._passes.values())
        if not under_way:
            return
        _, hanging = await asyncio.wait(under_way, timeout=grace_seconds)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)

    def begin(self, workspace_id: str) -> None:
        """Send what is due in the workspace in the background."""
        self.wake()
        if not self._halt.is_set():
            self._pass_in(workspace_id)

    async def _deliver_in(self, workspace_id: str) -> None:
        if not self._halt.is_set():
            await asyncio.wait({self._pass_in(workspace_id)})

    def _is_running(self, workspace_id: str) -> bool:
        return workspace_id in self._passes and not self._passes[workspace_id].done()

    def _pass_in(self, workspace_id: str) -> asyncio.Task[None]:
        """The pass that is under way in the workspace, or one begun now: never a second beside the first."""
        if not self._is_running(workspace_id):
            # In a context of its own: what it sends is no longer about the request that began it.
            self._passes[workspace_id] = asyncio.create_task(
                self._pass(workspace_id), name=f"deliveries of {workspace_id}", context=Context()
            )
        return self._passes[workspace_id]

    async def _owes(self, workspace_id: str) -> bool:
        async with self._database.unit(workspace_id, writes=False) as session:
            return await deliveries.owes(session, self._kinds, now=self._clock.now(), wall=self._wall.now())

    async def _pass(self, workspace_id: str) -> None:
        """Claim and send until nothing in the workspace is due; never raises."""
        under_way: set[asyncio.Task[None]] = set()
        tidied: asyncio.Event | None = None
        try:
            while True:
                looked_at = _now()
                bell, busy = self._bell, self._pace.busy(workspace_id)
                room = AT_ONCE - len(under_way)
                # What is too late or overtaken is looked for once after each ring: with much due that costs a while.
                claimed = await self._claim_whole(workspace_id, room, busy, tidies=bell is not tidied)
                tidied = bell if room else tidied
                under_way |= {asyncio.create_task(self._handle(workspace_id, row)) for row in claimed}
                if under_way:
                    under_way = await _one_done(under_way, bell, min(busy.values(), default=None))
                elif busy and not self._halt.is_set() and await self._owes(workspace_id):
                    await _rung(bell, min(busy.values()))
                elif not bell.is_set() or self._halt.is_set():
                    return
                await _rung(self._halt, looked_at + self._gather_seconds - _now())
        except DatabaseBusy:
            log.warning("the deliveries of %s wait for the database", workspace_id)
        except Exception:
            log.exception("the deliveries of %s were interrupted", workspace_id)
        finally:
            for task in under_way:
                if self._halt.is_set():
                    task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _claim_whole(
        self, workspace_id: str, room: int, busy: Collection[str], *, tidies: bool
    ) -> list[Delivery]:
        """`_claim`, after which a pass that is cancelled meanwhile leaves no row claimed that nobody will send."""
        claiming = asyncio.ensure_future(self._claim(workspace_id, room, busy, tidies=tidies))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await shielded(self._release_all(workspace_id, claiming))
            raise

    async def _release_all(self, workspace_id: str, claiming: Awaitable[list[Delivery]]) -> None:
        for row in await claiming:
            if row.call is None:
                await self._release(workspace_id, row)

    async def _claim(self, workspace_id: str, room: int, busy: Collection[str], *, tidies: bool) -> list[Delivery]:
        if self._halt.is_set() or room < 1:
            return []
        now, wall = self._clock.now(), self._wall.now()
        try:
            async with self._database.unit(workspace_id) as session:
                if not await deliveries.owes(session, self._kinds, now=now, wall=wall, except_targets=busy):
                    return []
                left = await self._left_behind(session, wall, room)
                if tidies:
                    await deliveries.expire(session, self._kinds, now=now)
                    await deliveries.supersede(session, self._kinds, now=now)
                if len(left) == room:
                    return left
                return left + await deliveries.claim(
                    session,
                    self._kinds,
                    now=now,
                    wall=wall,
                    worker=self._worker_id,
                    limit=room - len(left),
                    except_targets=busy,
                )
        except IntegrityError:
            return []  # another sender was in the lane first

    async def _left_behind(self, session: AsyncSession, wall: datetime, room: int) -> list[Delivery]:
        """What a sender fell silent over is due again; where it had called, it is returned, to be looked up."""
        if not await deliveries.was_left(session, self._kinds, wall=wall):
            return []
        await deliveries.free_unsent(session, wall=wall)
        return await deliveries.take_over(session, self._kinds, wall=wall, worker=self._worker_id, limit=room)

    async def _handle(self, workspace_id: str, row: Delivery) -> None:
        """See one row to its end, claimed or left behind by somebody; whatever happens here stops no other row."""
        with bound_contextvars(workspace=workspace_id, delivery=row.id, kind=row.kind):
            try:
                if row.call is None:
                    await self._send(workspace_id, row)
                else:
                    await self._look_up(workspace_id, row)
            except DatabaseBusy:
                log.warning("delivery %s (%s) waits for the database", row.id, row.kind)
            except Exception:
                # The row stays claimed until its lease ends; then it is looked at again.
                log.exception("delivery %s (%s) could not be settled", row.id, row.kind)

    async def _send(self, workspace_id: str, row: Delivery) -> None:
        async with self._released_if_stopped(workspace_id, row):
            await self._slots.acquire()
        try:
            begun = None
            turn = self._pace.turn(workspace_id, row.target, halt=self._halt)
            async with self._released_if_stopped(workspace_id, row), turn:
                draft = await self._prepared(workspace_id, row)
                if draft is not None:
                    begun = await self._begun(workspace_id, row, draft)
            if draft is not None and begun is not None:
                await self._call(workspace_id, begun, draft)
        finally:
            self._slots.release()

    @asynccontextmanager
    async def _released_if_stopped(self, workspace_id: str, row: Delivery) -> AsyncIterator[None]:
        """For what happens before the call: cancelled, or left by the database, the row goes back unsent."""
        try:
            yield
        except (asyncio.CancelledError, DatabaseBusy):
            await shielded(self._release(workspace_id, row))
            raise

    async def _prepared(self, workspace_id: str, row: Delivery) -> Draft | None:
        """The draft to send now, or None when the row was settled otherwise."""
        async with self._released_if_stopped(workspace_id, row):
            try:
                await (await self._wires(workspace_id)).freshen(row.target)
                async with self._database.unit(workspace_id, writes=False) as session:
                    draft = await deliveries.drawn(session, row, self._kinds[row.kind], now=self._clock.now())
            except DatabaseBusy:
                raise
            except Exception:
                log.exception("delivery %s (%s) could not be drawn", row.id, row.kind)
                await self._retry_or_park(workspace_id, row, "could not be drawn")
                return None
            return await self._checked(workspace_id, row, draft)

    async def _checked(self, workspace_id: str, row: Delivery, draft: Draft | Wait | None) -> Draft | None:
        end = self._kinds[row.kind].end_of(row)
        if draft is None:
            await self._settle(workspace_id, row, deliveries.cancel)
        elif isinstance(draft, Wait):
            await self._back(workspace_id, row, retry_at=draft.until, error="too early")
        elif end is not None and self._clock.now() >= end:
            await self._settle(workspace_id, row, deliveries.give_up)
        elif wait := self._pace.paused(workspace_id, draft.method, draft.channel):
            await self._retry(workspace_id, row, "ratelimited", wait)
        elif self._halt.is_set():
            await self._release(workspace_id, row)
        else:
            return draft
        return None

    async def _begun(self, workspace_id: str, row: Delivery, draft: Draft) -> Delivery | None:
        """The row with the call noted, right before it; None when it is somebody else's by now, or was given back."""
        call = Call(draft.method, draft.channel, draft.thread_ts, draft.mentions, self._clock.now())
        begun: Delivery | None = row

        async def begin(session: AsyncSession) -> None:
            nonlocal begun
            begun = await deliveries.begin_call(session, row, call, wall=self._wall.now())

        try:
            await shielded(self._in_unit(workspace_id, begin, insists=False))
        except asyncio.CancelledError:
            if begun is not None:
                await shielded(self._release(workspace_id, begun))
            raise
        if begun is None or (self._has_time(begun) and not self._halt.is_set()):
            return begun
        await self._release(workspace_id, begun)
        return None

    def _has_time(self, row: Delivery) -> bool:
        return deliveries.has_time(row, wall=self._wall.now(), call=timedelta(seconds=REQUEST_TIMEOUT_SECONDS))

    async def _call(self, workspace_id: str, row: Delivery, draft: Draft) -> None:
        try:
            wire = await self._wires(workspace_id)
            answer = await wire.port.call(METHODS[draft.method], **_arguments(row, draft))
            channel, ts = answer.get("channel"), answer.get("ts")
            if draft.method == "whisper":
                channel, ts = draft.channel, answer.get("message_ts")
            if not channel or not ts:
                raise SlackUnknown("an answer without channel and ts")
        except SlackError as error:
            await shielded(self._refused(workspace_id, row, draft, error))
        except DatabaseBusy:
            # The token could not be read, so nothing was called.
            await shielded(self._release(workspace_id, row))
            raise
        except asyncio.CancelledError:
            await shielded(self._refused(workspace_id, row, draft, SlackUnknown("stopped while sending")))
            raise
        else:
            await shielded(self._sent(workspace_id, row, draft, channel, ts))

    async def _sent(self, workspace_id: str, row: Delivery, draft: Draft, channel: str, ts: str) -> None:
        after = self._kinds[row.kind].sent
        late_seconds = (self._clock.now() - row.due_at).total_seconds()
        metrics.LATENESS.labels(row.kind).observe(late_seconds)
        log.info("sent", extra={"attempt": row.attempt, "late_seconds": round(late_seconds, 1)})

        async def settle(session: AsyncSession) -> None:
            settled = await deliveries.settle_sent(session, row, channel=channel, ts=ts)
            if settled is not None and after is not None:
                await after(session, settled, draft, self._clock.now())

        try:
            await self._in_unit(workspace_id, settle)
        except DatabaseBusy:
            raise
        except Exception:
            log.exception("what follows delivery %s (%s) failed; it is noted as sent", row.id, row.kind)
            await self._settle(workspace_id, row, deliveries.settle_sent, channel=channel, ts=ts)

    async def _refused(self, workspace_id: str, row: Delivery, draft: Draft, error: SlackError) -> None:
        """What becomes of a row by what is known of the call."""
        log.warning("delivery %s (%s), attempt %s: %s", row.id, row.kind, row.attempt, error.code)
        metrics.NOT_SENT.labels(row.kind, error.code).inc()
        if isinstance(error, SlackNotSent):
            wait = _backoff(row) if error.retry_after is None else error.retry_after
            if error.retry_after is not None:
                self._pace.pause(workspace_id, draft.method, draft.channel, wait)
            await self._retry(workspace_id, row, error.code, wait)
        elif isinstance(error, SlackPermanent):
            await self._park(workspace_id, row, error.code)
        elif isinstance(error, SlackRefused):
            await self._retry_or_park(workspace_id, row, error.code)
        elif is_readable(Call.of(row), (await self._wires(workspace_id)).scopes):
            await self._doubt(workspace_id, row, self._settle_time, error.code)
        else:
            await self._unprovable(workspace_id, row, error.code)

    async def _look_up(self, workspace_id: str, row: Delivery) -> None:
        """Settle a row by what stands in Slack, and where that cannot be seen by what its kind says."""
        call, error = Call.of(row), row.last_error or "the sender fell silent"
        wire = await self._wires(workspace_id)
        if not is_readable(call, wire.scopes):
            await self._unprovable(workspace_id, row, error)
            return
        try:
            async with self._slots:
                found = await posted(wire.port, call, row.id)
        except SlackRefused as refusal:
            log.warning("delivery %s (%s) cannot be looked up: %s", row.id, row.kind, refusal.code)
            await self._unprovable(workspace_id, row, error)
        except SlackError as refusal:
            wait = getattr(refusal, "retry_after", None) or LOOK_AGAIN_SECONDS
            await self._doubt(workspace_id, row, timedelta(seconds=wait), error)
        else:
            if found is None:
                await self._retry(workspace_id, row, error, _backoff(row))
            else:
                await self._sent(workspace_id, row, found.draft, found.channel, found.ts)

    async def _doubt(self, workspace_id: str, row: Delivery, wait: timedelta, error: str) -> None:
        await self._settle(workspace_id, row, deliveries.doubt, until=self._wall.now() + wait, error=error)

    async def _unprovable(self, workspace_id: str, row: Delivery, error: str) -> None:
        await self._settle(
            workspace_id,
            row,
            deliveries.settle_unknown,
            kind=self._kinds[row.kind],
            retry_at=self._in(_backoff(row)),
            error=error,
        )

    async def _retry_or_park(self, workspace_id: str, row: Delivery, error: str) -> None:
        if row.attempt >= TRIES:
            await self._park(workspace_id, row, error)
        else:
            await self._retry(workspace_id, row, error, _backoff(row))

    async def _retry(self, workspace_id: str, row: Delivery, error: str, seconds: float) -> None:
        await self._back(workspace_id, row, retry_at=self._in(seconds), error=error)

    async def _release(self, workspace_id: str, row: Delivery) -> None:
        """Give the row back as if it had never been claimed."""
        await self._back(workspace_id, row, retry_at=row.due_at, error=row.last_error)

    async def _back(self, workspace_id: str, row: Delivery, *, retry_at: datetime, error: str | None) -> None:
        await self._settle(
            workspace_id,
            row,
            deliveries.settle_not_sent,
            kind=self._kinds[row.kind],
            retry_at=retry_at,
            error=error,
        )

    async def _park(self, workspace_id: str, row: Delivery, error: str) -> None:
        after = self._kinds[row.kind].failed

        async def settle(session: AsyncSession) -> None:
            parked = await deliveries.park(session, row, error=error)
            if parked is not None and after is not None:
                await after(session, parked, self._clock.now())

        await self._in_unit(workspace_id, settle)
        self.wake()

    async def _settle(self, workspace_id: str, row: Delivery, step: Settle, **values: Any) -> None:
        await self._in_unit(workspace_id, lambda session: step(session, row, **values))

    async def _in_unit(
        self, workspace_id: str, work: Callable[[AsyncSession], Awaitable[object]], *, insists: bool = True
    ) -> None:
        """Do the work in a unit. Where it `insists`, the database is asked until `stop`, however long it is away.

        What came of a call is known only here, and recording it late or a second time does no harm.
        """
        pause = 0.0
        while True:
            try:
                async with self._database.unit(workspace_id) as session:
                    await work(session)
                return
            except DatabaseBusy:
                if self._halt.is_set() or not insists:
                    raise
            await _rung(self._halt, pause)
            pause = min(pause + DATABASE_PAUSE_SECONDS, LONGEST_DATABASE_PAUSE_SECONDS)

    def _in(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)


def _arguments(row: Delivery, draft: Draft) -> dict[str, Any]:
    """The call's arguments. The metadata says which delivery and attempt a message in Slack came from."""
    arguments = {"channel": draft.channel, "text": draft.message.text, "blocks": draft.message.blocks}
    if draft.method == "whisper":
        return arguments | {"user": draft.to, "thread_ts": draft.thread_ts}
    of = metadata(row.id, row.attempt)
    if draft.method == "update":
        return arguments | {"metadata": of, "ts": draft.ts}
    return arguments | {"metadata": of, "thread_ts": draft.thread_ts, "unfurl_links": False, "unfurl_media": False}


def _backoff(row: Delivery) -> float:
    return BACKOFF_SECONDS[min(row.attempt, len(BACKOFF_SECONDS)) - 1]


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _rung(bell: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await bell.wait()


async def _one_done(
    tasks: set[asyncio.Task[None]], bell: asyncio.Event, seconds: float | None
) -> set[asyncio.Task[None]]:
    """Wait for one of the tasks, the bell or the time; the tasks that are not done."""
    ringing = asyncio.create_task(bell.wait())
    try:
        await asyncio.wait({*tasks, ringing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ringing.cancel()
    return {task for task in tasks if not task.done()}
