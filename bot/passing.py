"""One pass over what is due in one workspace: rows are claimed as there is room, and each becomes an errand."""

import asyncio
import logging
from collections.abc import Awaitable, Collection
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.bell import rung
from bot.claimed import Claimed, Means
from bot.errand import Errand
from models.database_errors import DatabaseBusy
from models.shielding import shielded
from models.tables import Delivery
from scheduler import deliveries

log = logging.getLogger("steward.sender")

# Calls under way at once in one workspace.
AT_ONCE = 8


class Pass:
    """Claims and sends until nothing in the workspace is due."""

    def __init__(self, means: Means, workspace_id: str) -> None:
        self._means = means
        self._workspace_id = workspace_id
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """The pass; never raises."""
        try:
            await self._send_all()
        except DatabaseBusy:
            log.warning("the deliveries of %s wait for the database", self._workspace_id)
        except Exception:
            log.exception("the deliveries of %s were interrupted", self._workspace_id)
        finally:
            for task in self._under_way:
                if self._means.halt.is_set():
                    task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _send_all(self) -> None:
        halt, loop = self._means.halt, asyncio.get_running_loop()
        tidied: asyncio.Event | None = None
        while True:
            looked_at = loop.time()
            bell, busy = self._means.bell.next, self._means.pace.busy(self._workspace_id)
            room = AT_ONCE - len(self._under_way)
            # What is too late or overtaken is looked for once after each ring: with much due that costs a while.
            claimed = await self._claim_whole(room, busy, tidies=bell is not tidied)
            tidied = bell if room else tidied
            self._under_way |= {
                asyncio.create_task(Errand(self._means, self._workspace_id, row).run()) for row in claimed
            }
            if self._under_way:
                await self._one_done(bell, min(busy.values(), default=None))
            elif busy and not halt.is_set() and await self._owes():
                await rung(bell, min(busy.values()))
            elif not bell.is_set() or halt.is_set():
                return
            await rung(halt, looked_at + self._means.gather_seconds - loop.time())

    async def _one_done(self, bell: asyncio.Event, seconds: float | None) -> None:
        """Wait until one errand is done, the bell rings or the time is over."""
        ringing = asyncio.create_task(bell.wait())
        try:
            await asyncio.wait({*self._under_way, ringing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ringing.cancel()
        self._under_way = {task for task in self._under_way if not task.done()}

    async def _owes(self) -> bool:
        now, wall = self._means.clock.now(), self._means.wall.now()
        async with self._means.database.unit(self._workspace_id, writes=False) as session:
            return await deliveries.owes(session, self._means.kinds, now=now, wall=wall)

    async def _claim_whole(self, room: int, busy: Collection[str], *, tidies: bool) -> list[Delivery]:
        """`_claim`, after which a pass that is cancelled meanwhile leaves no row claimed that nobody will send."""
        claiming = asyncio.ensure_future(self._claim(room, busy, tidies=tidies))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await shielded(self._release_all(claiming))
            raise

    async def _release_all(self, claiming: Awaitable[list[Delivery]]) -> None:
        for row in await claiming:
            if row.call is None:
                await Claimed(self._means, self._workspace_id, row).release()

    async def _claim(self, room: int, busy: Collection[str], *, tidies: bool) -> list[Delivery]:
        if self._means.halt.is_set() or room < 1:
            return []
        kinds, now, wall = self._means.kinds, self._means.clock.now(), self._means.wall.now()
        # Nobody waits for what is only looked at.
        async with self._means.database.unit(self._workspace_id, writes=False) as session:
            stretch = await deliveries.next_stretch(session, kinds, now=now, limit=room, except_targets=busy)
            if stretch is None and not await deliveries.was_left(session, kinds, wall=wall):
                return []
            is_untidy = tidies and await deliveries.is_untidy(session, kinds, now=now)
        try:
            async with self._means.database.unit(self._workspace_id) as session:
                was_left = await deliveries.was_left(session, kinds, wall=wall)
                left = await self._left_behind(session, wall, room) if was_left else []
                # What is due again may have become too late, or been overtaken, while its sender was silent.
                if is_untidy or was_left:
                    await deliveries.expire(session, kinds, now=now)
                    await deliveries.supersede(session, kinds, now=now)
                if len(left) == room:
                    return left
                return left + await deliveries.claim(
                    session,
                    kinds,
                    now=now,
                    wall=wall,
                    worker=self._means.worker_id,
                    limit=room - len(left),
                    except_targets=busy,
                    within=None if was_left else stretch,
                )
        except IntegrityError:
            return []  # another sender was in the lane first

    async def _left_behind(self, session: AsyncSession, wall: datetime, room: int) -> list[Delivery]:
        """What a sender fell silent over is due again; where it had called, it is returned, to be looked up."""
        kinds, worker = self._means.kinds, self._means.worker_id
        await deliveries.free_unsent(session, wall=wall)
        return await deliveries.take_over(session, kinds, wall=wall, worker=worker, limit=room)
