"""Home tabs: drawn anew when something of theirs changed, only the latest state, one publish at a time a person."""

import asyncio
import logging

from bot.slack_port import SlackError, SlackPort
from handlers.home import draw
from handlers.request import Deps
from models import directory
from models.clock import Clock
from models.database import Database
from views.blocks import Block, Message

log = logging.getLogger(__name__)


class HomePublisher:
    """Draws and publishes the Home tabs of one workspace."""

    def __init__(self, database: Database, port: SlackPort, clock: Clock, workspace_id: str) -> None:
        self._database = database
        self._port = port
        self._clock = clock
        self._workspace_id = workspace_id
        self._wanted: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def touch(self, person_ids: set[str]) -> None:
        """Draw these people's Home tabs anew, soon; several changes in a row cost one drawing."""
        self._wanted |= person_ids
        if self._wanted and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._work())

    async def show(
        self, person_id: str, *, page: int = 0, notice: Message | None = None, only_if_used: bool = False
    ) -> None:
        """Draw the person's Home tab now, at a page counted from 0, with a notice on top."""
        async with self._database.unit(self._workspace_id, writes=False) as session:
            person = await directory.person(session, person_id)
            if person is None or (only_if_used and person.home_opened_at is None):
                return
            view = await draw(Deps(session, self._clock.now()), person, page=page, notice=notice)
        await self._publish(person_id, view)

    async def _publish(self, person_id: str, view: Block) -> None:
        """Show the view to the person; what Slack refuses is logged."""
        try:
            await self._port.call("views.publish", user_id=person_id, view=view)
        except SlackError as error:
            log.warning("views.publish: %s", error.code)

    async def settle(self) -> None:
        """Wait until everything touched so far is drawn."""
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while self._wanted:
            person_id = self._wanted.pop()
            try:
                await self.show(person_id, only_if_used=True)
            except Exception:
                log.exception("a Home tab could not be drawn")
