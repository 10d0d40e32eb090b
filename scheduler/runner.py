"""The ticker: asks the jobs every few seconds what is due. The one module that knows APScheduler.

Schedules of people live in our tables; APScheduler holds two interval jobs in memory and is nothing but a clock.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, NoReturn

from prometheus_client import Counter as Series
from prometheus_client import Histogram
from sqlmodel.ext.asyncio.session import AsyncSession
from structlog.contextvars import bound_contextvars

from models import installations, purging
from models.clock import Clock
from models.database import Database
from models.database_errors import DatabaseAway
from models.errors import StewardError
from scheduler import deliveries
from scheduler.deliveries import DeliveryKind
from scheduler.jobs import JOBS, Job
from scheduler.notices import DELIVERY_KINDS

if TYPE_CHECKING:
    from apscheduler.events import JobExecutionEvent
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger("steward.ticker")

TICKED = Histogram("steward_tick_seconds", "One look at what is due, in every workspace.")
FAILED = Series("steward_job_failures", "Pieces of the clock's work that failed.", ["job"])

TICK_SECONDS = 5
CLEANING_SECONDS = 3_600
CLEANING_WAITS = 60  # so that a start is not slowed down by it
HEARTBEAT = "ticker"
# Longer than any one piece of work takes: when none has come to its end for so long, the clock stands still.
STUCK_SECONDS = 300.0

Work = Callable[[AsyncSession, datetime], Awaitable[object]]


class ClockStuck(Exception):
    """Why only a new process can go on with the clock's work, in a sentence for whoever reads why this one ended."""


class Runner:
    """Ticks in the workspaces, by default all there are, until stopped.

    `wake` is called when something may have become due; `failures` counts faults by name.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        wall: Clock,
        wake: Callable[[], None],
        jobs: Iterable[Job] = JOBS,
        kinds: Iterable[DeliveryKind] = DELIVERY_KINDS,
        workspaces: Callable[[], Awaitable[Sequence[str]]] | None = None,
    ) -> None:
        self.failures: Counter[str] = Counter()
        self._database = database
        self._workspaces = workspaces or database.workspace_ids
        self._clock = clock
        self._wall = wall
        self._wake = wake
        self._kinds = deliveries.by_key(kinds)
        self._jobs = (*jobs, Job("expire", self._expire, deliveries.waiting, self._next_delivery))
        self._one_at_a_time = asyncio.Lock()
        self._scheduler: AsyncIOScheduler | None = None
        self._is_stopping = False
        self._went_on_at = monotonic()

    def start(self) -> None:
        """Tick now and every few seconds, and clean up soon and every hour. Needs a running loop."""
        from apscheduler.events import EVENT_JOB_ERROR  # not needed where nobody ticks, as in `web`
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        # What people were promised is never dropped for being late, and several missed ticks are one.
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        scheduler.add_listener(self._count_fault, EVENT_JOB_ERROR)
        begin = datetime.now(UTC)
        for work, seconds, wait in (
            (self.tick, TICK_SECONDS, 0),
            (self.clean_up, CLEANING_SECONDS, CLEANING_WAITS),
            (self.purge, CLEANING_SECONDS, CLEANING_WAITS),
        ):
            scheduler.add_job(
                self._do,
                "interval",
                (work,),
                seconds=seconds,
                id=work.__name__,
                next_run_time=begin + timedelta(seconds=wait),
            )
        scheduler.start()
        self._scheduler = scheduler
        self._went_on_at = monotonic()

    async def stuck(self) -> NoReturn:
        """Wait until the clock's work, once started, stands still. Raises ClockStuck then, and nothing before."""
        while (left := self._went_on_at + STUCK_SECONDS - monotonic()) > 0:
            begun, pause, wall = monotonic(), min(left, TICK_SECONDS), self._wall.now()
            await asyncio.sleep(pause)
            if self._wall.now() < wall:
                self._begin_again()
            if monotonic() > begun + pause + STUCK_SECONDS / 2:
                # All of the process was stopped for a while, as when its machine sleeps: the work has its time anew.
                self._went_on_at = monotonic()
        raise ClockStuck(
            f"The clock's work has stood still for {STUCK_SECONDS / 60:.0f} minutes. Start Steward again; a supervisor "
            "does it by itself."
        )

    def _begin_again(self) -> None:
        """Do everything now: the machine's clock went back, and APScheduler would wait until it is where it was."""
        log.warning("the machine's clock went back; the clock's work goes on")
        for job in self._scheduler.get_jobs() if self._scheduler else ():
            job.modify(next_run_time=datetime.now(UTC))

    async def stop(self, grace_seconds: float | None = None) -> None:
        """Finish what is under way in the tick and begin nothing else; the next start finds what is left.

        With a grace, what takes longer is cancelled.
        """
        self._is_stopping = True
        if self._scheduler is None:
            return
        self._scheduler.pause()
        await asyncio.sleep(0)  # what was just begun gets to its first step, or nobody hears that it is over
        # Shutting down cancels what runs, so what runs is awaited first.
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds), self._one_at_a_time:
                pass
        self._scheduler.shutdown(wait=False)
        self._scheduler = None

    async def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work. That a stop cancels it is no fault."""
        try:
            await work()
        except asyncio.CancelledError:
            if not self._is_stopping:
                raise

    async def tick(self) -> None:
        """Do once what is due at this moment, in every workspace; then let the sender know and show that we live.

        Without the database there is nothing to do; the next tick finds what this one left.
        """
        async with self._one_at_a_time:
            try:
                with TICKED.time():
                    await self._do_what_is_due(self._clock.now())
            except DatabaseAway:
                self._note_failure("database")
                log.warning("the clock's work waits for the database")
            self._went_on_at = monotonic()

    async def _do_what_is_due(self, now: datetime) -> None:
        served = await self._workspaces()
        for job in self._jobs:
            for workspace_id in await self._due_in(job, now, served):
                await self._try(workspace_id, job.id, job.run, now)
        self._wake()
        await self._database.beat(HEARTBEAT, self._wall.now())

    async def next_due(self) -> datetime | None:
        """The next instant at which a tick may find something to do; None when nothing waits for the clock."""
        now, found = self._clock.now(), []
        for workspace_id in await self._workspaces():
            async with self._database.unit(workspace_id, writes=False) as session:
                found += [await job.next_at(session, now) for job in self._jobs]
        return min((instant for instant in found if instant is not None), default=None)

    async def clean_up(self) -> None:
        """Forget what need not be kept, in every workspace."""
        async with self._one_at_a_time:
            now = self._clock.now()
            for workspace_id in await self._workspaces():
                await self._try(workspace_id, "clean up", lambda session, now: deliveries.prune(session, now=now), now)

    async def purge(self) -> None:
        """Delete all that is stored of workspaces that removed Steward long ago; the ticks go on meanwhile."""
        before = self._clock.now() - purging.KEPT
        for workspace_id in await installations.removed(self._database, before=before):
            try:
                rows = await purging.purge(self._database, workspace_id, removed_before=before)
            except StewardError as reason:
                log.info("the purge of workspace %s goes on in an hour: %s", workspace_id, reason)
            else:
                log.warning("%s removed Steward %s days ago: deleted %s rows", workspace_id, purging.KEPT.days, rows)
        await installations.purge(self._database, before=before)

    async def _due_in(self, job: Job, now: datetime, served: Collection[str]) -> Collection[str]:
        """The served workspaces in which the job has something to do; none where asking fails. Raises DatabaseAway."""
        if job.due is None:
            return served
        try:
            return set(served).intersection(await self._database.workspace_ids(*job.due(now)))
        except DatabaseAway:
            raise
        except Exception:
            self._note_failure(job.id)
            log.exception("%s could not be looked for", job.id)
            return ()

    async def _expire(self, session: AsyncSession, now: datetime) -> None:
        await deliveries.expire(session, self._kinds, now=now)

    async def _next_delivery(self, session: AsyncSession, now: datetime) -> datetime | None:
        return await deliveries.next_due(session, self._kinds)

    async def _try(self, workspace_id: str, name: str, work: Work, now: datetime) -> None:
        """One piece of work in a unit of its own: a fault in it is logged and counted, and stops nothing else.

        Raises DatabaseAway.
        """
        if self._is_stopping:
            return
        with bound_contextvars(workspace=workspace_id, job=name):
            try:
                async with self._database.unit(workspace_id) as session:
                    await work(session, now)
            except DatabaseAway:
                raise
            except Exception:
                self._note_failure(name)
                log.exception("%s failed in workspace %s", name, workspace_id)
            self._went_on_at = monotonic()

    def _note_failure(self, name: str) -> None:
        self.failures[name] += 1
        FAILED.labels(name).inc()

    def _count_fault(self, event: "JobExecutionEvent") -> None:
        """APScheduler has logged the traceback; the next interval tries again."""
        self._note_failure(event.job_id)
        log.error("%s failed: %s", event.job_id, type(event.exception).__name__)
