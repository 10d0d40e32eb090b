"""The sender: the only code that posts. It decides in which workspaces a pass is made, and sees that all of them end.

One pass per workspace runs at a time (`bot/passing.py`), so that a busy workspace delays only itself.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import Context
from datetime import timedelta

from bot.bell import Bell, rung
from bot.claimed import Means, Wire
from bot.pace import PACE_SECONDS, Pace
from bot.passing import AT_ONCE, Pass
from bot.slack_port import REQUEST_TIMEOUT_SECONDS
from models.clock import Clock
from models.database import Database
from models.database_errors import DatabaseBusy
from scheduler import deliveries
from scheduler.deliveries import DeliveryKind
from scheduler.notices import DELIVERY_KINDS

log = logging.getLogger("steward.sender")

# Calls under way at once in all workspaces, so that one in which they hang leaves room for others.
AT_ONCE_IN_ALL = 4 * AT_ONCE
IDLE_SECONDS = 2.0


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
        self._workspaces = workspaces or database.workspace_ids
        self._clock = clock
        self._wall = wall
        self._bell = Bell()
        self._halt = asyncio.Event()
        self._passes: dict[str, asyncio.Task[None]] = {}
        self._means = Means(
            database=database,
            wires=wires,
            clock=clock,
            wall=wall,
            worker_id=worker_id,
            kinds=deliveries.by_key(kinds),
            pace=Pace(pace_seconds),
            gather_seconds=pace_seconds / 4,
            settle_time=deliveries.SETTLE if settle is None else settle,
            slots=asyncio.Semaphore(AT_ONCE_IN_ALL),
            bell=self._bell,
            halt=self._halt,
        )

    def wake(self) -> None:
        """Something may have become due: look now instead of in a moment."""
        self._bell.ring()

    async def run(self) -> None:
        """Send whatever becomes due until `stop`."""
        while not self._halt.is_set():
            bell = self._bell.next
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
            await rung(bell, IDLE_SECONDS)

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
                Pass(self._means, workspace_id).run(), name=f"deliveries of {workspace_id}", context=Context()
            )
        return self._passes[workspace_id]
