"""Puts the parts together: the workspaces that are served, their database, the sender and the clock's work."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from structlog.contextvars import bound_contextvars

from bot import answers, bolt_app, logs, metrics
from bot.access import EVENTS, Access, OneWorkspace
from bot.background import ANSWER_FIRST_SECONDS, Background
from bot.carrier import Acknowledgement
from bot.edge import PATIENCE_SECONDS
from bot.incoming import Incoming
from bot.pace import PACE_SECONDS
from bot.responder import Responder
from bot.sender import Sender
from bot.served import Served
from bot.stopping import FINISHED_SECONDS, GONE_SECONDS, NOTED_SECONDS, Deadline
from handlers.request import Where
from models.clock import Clock, SystemClock
from models.database import Database
from models.database_errors import DatabaseBusy
from models.tables import Workspace
from scheduler.runner import Runner

log = logging.getLogger(__name__)

# How soon a workspace in which Steward was installed meanwhile is read.
NEWCOMERS_SECONDS = 5.0


@dataclass(frozen=True)
class Slack:
    """How to reach Slack. `signing_secret` is needed only where requests arrive over HTTP."""

    bot_token: str = field(repr=False)
    api_url: str
    signing_secret: str | None = field(default=None, repr=False)


class Steward:
    """The whole program. `open` makes it ready to answer; the parts are run by the way it is hosted.

    What a workspace needs for itself is made when it is first asked for, see `bot/served.py`.
    """

    def __init__(
        self,
        database: Database,
        slack: Slack,
        *,
        access: Access | None = None,
        clock: Clock | None = None,
        pace_seconds: float = PACE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        settle: timedelta | None = None,
    ) -> None:
        self._slack = slack
        self._pace_seconds = pace_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock or SystemClock()
        self._served: dict[str, Served] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        wall = SystemClock()
        self.database = database
        self.access = access or OneWorkspace(database, slack.bot_token, slack.api_url)
        self.deadline = Deadline()
        self.responder = Responder()
        self.background = Background()
        self.sender = Sender(
            database,
            self.served,
            workspaces=self.workspace_ids,
            clock=self._clock,
            wall=wall,
            worker_id=_worker_id(),
            pace_seconds=pace_seconds,
            settle=settle,
        )
        self.runner = Runner(
            database, workspaces=self.workspace_ids, clock=self._clock, wall=wall, wake=self.sender.wake
        )
        self.bolt = bolt_app.build(
            self.answer, self._bot_user, signing_secret=slack.signing_secret, api_url=slack.api_url
        )
        # Called with the workspace after each commit that may have left something to send.
        self.committed: Callable[[str], None] = lambda workspace_id: self.sender.wake()

    async def open(self) -> None:
        """Make ready to answer. Raises SlackError when Slack refuses."""
        await self.access.open()

    async def workspace_ids(self) -> list[str]:
        """Every workspace in which Steward does something by itself now."""
        return [workspace.id for workspace in await self.access.workspaces()]

    async def served(self, workspace_id: str) -> Served:
        """The workspace's parts. Raises LookupError when it is not served."""
        workspace = await self.access.find(workspace_id)
        if workspace is None:
            raise LookupError(f"the workspace {workspace_id} is not served")
        return self._of(workspace)

    async def answer(self, incoming: Incoming) -> Acknowledgement:
        """Do what was asked in whichever workspace it was; the acknowledgement's body."""
        about = {"request": logs.new_reference(), "workspace": incoming.workspace_id}
        with bound_contextvars(**about), metrics.ACKNOWLEDGED.labels(incoming.where.value).time():
            return await self._answer(incoming)

    async def _answer(self, incoming: Incoming) -> Acknowledgement:
        if incoming.where is Where.EVENT and incoming.name in EVENTS:
            await self.access.heard(incoming)
            return None
        workspace = await self.access.find(incoming.workspace_id, incoming.enterprise_id)
        if workspace is None:
            log.warning("a request for a workspace that is not served was left alone")
            return answers.not_installed(incoming)
        with suppress(DatabaseBusy):
            await self.access.heard_from(workspace.id)
        return await self._of(workspace).edge.answer(incoming)

    async def warmed(self) -> None:
        """Wait until everybody and every channel was read once; needs `keep_fresh`."""
        for workspace_id in await self.workspace_ids():
            with suppress(LookupError):  # it left meanwhile
                await (await self.served(workspace_id)).directory.is_warm.wait()

    async def keep_fresh(self) -> None:
        """Read who is where again and again, in every workspace, also in those that come later, until cancelled."""
        reading: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                try:
                    await self._read_those_served(reading)
                except (DatabaseBusy, LookupError):
                    pass  # it is back one of these times; and a workspace may leave while it is looked at
                except Exception:
                    log.exception("who is served could not be read")
                await asyncio.sleep(NEWCOMERS_SECONDS)
        finally:
            for task in reading.values():
                task.cancel()
            await asyncio.gather(*reading.values(), return_exceptions=True)

    async def _read_those_served(self, reading: dict[str, asyncio.Task[None]]) -> None:
        """Begin to read the workspaces that came, and cease to read those that left."""
        wanted = set(await self.workspace_ids())
        for gone in reading.keys() - wanted:
            reading.pop(gone).cancel()
        for new in wanted - reading.keys():
            directory = (await self.served(new)).directory
            reading[new] = asyncio.create_task(directory.keep_fresh(), name=f"refreshing {new}")

    async def settle_homes(self) -> None:
        """Wait until every Home tab that is to change was drawn."""
        for each in list(self._served.values()):
            await each.homes.settle()

    def keep(self, name: str, work: Callable[[], object]) -> asyncio.Task[None]:
        """Run a part in the background until `stop`; its failure is logged."""

        async def guarded() -> None:
            try:
                await work()  # type: ignore[misc]
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("%s stopped", name)

        task = asyncio.create_task(guarded(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Finish or release what is under way, then let go of everything, as long as there is time (`deadline`).

        A database that hangs is let go of too: what is claimed then is free again when its lease is over. Whatever
        else hangs is left as it is.
        """
        cutting = asyncio.get_running_loop().call_later(self.deadline.left(NOTED_SECONDS), self.database.cut)
        stopping = asyncio.create_task(self._stop(), name="stopping")
        _, hanging = await asyncio.wait({stopping}, timeout=self.deadline.left(GONE_SECONDS))
        cutting.cancel()
        if hanging:
            log.warning("not everything could be let go of in time; what is left is found at the next start")
            stopping.cancel()
        else:
            stopping.result()

    async def _stop(self) -> None:
        finished = self.deadline.left(FINISHED_SECONDS)
        parts = (self.runner.stop(finished), self.sender.stop(finished), self.background.settle(finished))
        await asyncio.gather(*parts)
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        finished = self.deadline.left(FINISHED_SECONDS)
        await asyncio.gather(*(each.stop(finished) for each in self._served.values()))
        await self.responder.close()
        await self.access.close()
        await self.database.dispose()

    def _soon_committed(self, workspace_id: str) -> None:
        """Whoever waits for an answer gets it first."""
        asyncio.get_running_loop().call_later(ANSWER_FIRST_SECONDS, self.committed, workspace_id)

    def _of(self, workspace: Workspace) -> Served:
        """The parts of the workspace as it is now: made anew when it was installed anew as somebody else."""
        found = self._served.get(workspace.id)
        if found is None or _as_whom(found.workspace) != _as_whom(workspace):
            found = self._served[workspace.id] = Served(
                workspace,
                partial(self.access.token, workspace.id),
                self.access.scopes(workspace.id),
                api_url=self._slack.api_url,
                database=self.database,
                clock=self._clock,
                responder=self.responder,
                background=self.background,
                committed=partial(self._soon_committed, workspace.id),
                pace_seconds=self._pace_seconds,
                patience_seconds=self._patience_seconds,
            )
        return found

    async def _bot_user(self, workspace_id: str, enterprise_id: str) -> str | None:
        # Bolt's organisation may be that of whoever acts, and so none by which a workspace could be met.
        workspace = await self.access.find(workspace_id)
        return workspace.bot_user_id if workspace is not None else None


def _as_whom(workspace: Workspace) -> tuple[str, str | None]:
    return workspace.bot_user_id, workspace.installation_id


def _worker_id() -> str:
    """Names this process in claims, for whoever reads the table."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"
