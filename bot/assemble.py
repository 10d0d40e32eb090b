"""Puts the parts together: one workspace, its database, its edge, its sender and its clock's work."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from slack_bolt.async_app import AsyncApp

from bot import bolt_app
from bot.background import Background
from bot.carrier import Carrier
from bot.edge import PATIENCE_SECONDS, Edge
from bot.homes import HomePublisher
from bot.responder import Responder
from bot.sender import PACE_SECONDS, Sender
from bot.slack_directory import SlackDirectory
from bot.slack_files import SlackFiles
from bot.slack_port import SlackWebApi
from models import outbox
from models.clock import Clock, SystemClock
from models.database import Database
from models.tables import Workspace
from scheduler.runner import Runner

log = logging.getLogger(__name__)

# What is under way when the program stops may take this long; with the doors closed first, ten seconds are enough.
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Slack:
    """How to reach Slack. `signing_secret` is needed only where requests arrive over HTTP."""

    bot_token: str
    api_url: str
    signing_secret: str | None = None


class Steward:
    """The whole program for one workspace. `start` meets the workspace; the parts are run by the way it is hosted."""

    def __init__(
        self,
        database: Database,
        slack: Slack,
        *,
        clock: Clock | None = None,
        pace_seconds: float = PACE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        settle: timedelta | None = None,
    ) -> None:
        self._slack = slack
        self._pace_seconds = pace_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock or SystemClock()
        wall = SystemClock()
        self.database = database
        self.port = SlackWebApi(slack.bot_token, slack.api_url)
        self.responder = Responder()
        self.sender = Sender(
            database,
            self.port,
            clock=self._clock,
            wall=wall,
            worker_id=_worker_id(),
            pace_seconds=pace_seconds,
            settle=settle,
            scopes=lambda: self.port.scopes,
            freshen=lambda target: self.directory.freshen(target),
        )
        self.runner = Runner(database, clock=self._clock, wall=wall, wake=self.sender.wake)
        self.background = Background()
        self.edge: Edge
        self.bolt: AsyncApp
        self.homes: HomePublisher
        self.directory: SlackDirectory
        self._tasks: set[asyncio.Task[None]] = set()

    async def meet(self, *, committed: Callable[[], None] | None = None) -> Workspace:
        """Learn from Slack whose workspace this is and make ready to answer. Raises SlackError when Slack refuses.

        `committed` is called after each commit that may have left something to send; by default the sender is woken.
        """
        told = await self.port.call("auth.test")
        workspace = Workspace(id=told["team_id"], name=told.get("team") or "Slack", bot_user_id=told["user_id"])
        async with self.database.unit(workspace.id) as session:
            known = await session.get(Workspace, workspace.id)
            # What was chosen in it stays.
            kept = {"reactions": known.reactions, "restored_at": known.restored_at} if known else {}
            await session.merge(Workspace(**{**workspace.model_dump(), **kept}))
        self.directory = SlackDirectory(self.database, self.port, self._clock, workspace)
        self.homes = HomePublisher(
            self.database, self.port, self._clock, workspace.id, self.directory, gather_seconds=self._pace_seconds / 4
        )
        committed = committed or self.sender.wake

        async def owe_word(person_id: str, key: str, sentence: str) -> None:
            async with self.database.unit(workspace.id) as session:
                payload = {"sentence": sentence}
                key = f"word:{key}"
                await outbox.put(session, "word", key=key, target=person_id, payload=payload, due_at=self._clock.now())
            committed()

        carrier = Carrier(
            port=self.port,
            responder=self.responder,
            homes=self.homes,
            background=self.background,
            owe_word=owe_word,
        )
        self.edge = Edge(
            database=self.database,
            clock=self._clock,
            workspace=workspace,
            slack_directory=self.directory,
            files=SlackFiles(self.port, self._slack.bot_token, self._slack.api_url),
            scopes=lambda: self.port.scopes,
            homes=self.homes,
            carrier=carrier,
            background=self.background,
            committed=committed,
            patience_seconds=self._patience_seconds,
        )
        self.bolt = bolt_app.build(
            self.edge.answer,
            workspace,
            token=self._slack.bot_token,
            signing_secret=self._slack.signing_secret,
            api_url=self._slack.api_url,
        )
        return workspace

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
        """Finish or release what is under way, for a few seconds, then let go of everything."""
        parts = (self.runner.stop(), self.sender.stop(STOP_SECONDS), self.background.settle(STOP_SECONDS))
        await asyncio.gather(*parts)
        if hasattr(self, "homes"):
            await self.homes.stop(STOP_SECONDS)
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if hasattr(self, "directory"):
            await self.directory.settle()
        await self.responder.close()
        await self.port.close()
        await self.database.dispose()


def _worker_id() -> str:
    """Names this process in claims, for whoever reads the table."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"
