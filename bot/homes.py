"""Home tabs: drawn anew when something of theirs changed, only the latest state, one publish at a time a person."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.background import ANSWER_FIRST_SECONDS
from bot.slack_directory import SlackDirectory
from bot.slack_port import SlackError, SlackNotSent, SlackPort, SlackUnknown
from handlers.home import draw
from handlers.request import Deps
from models import directory
from models.clock import Clock
from models.database import Database
from views.blocks import Block, Message

log = logging.getLogger(__name__)

# A tab that Slack was too busy for is drawn anew after so many seconds; after the last, with its person's next change.
RETRY_SECONDS = (1.0, 5.0, 30.0, 120.0)


class HomePublisher:
    """Draws and publishes the Home tabs of one workspace.

    A change is shown in a moment; those that follow it within `gather_seconds` are shown together.
    """

    def __init__(
        self,
        database: Database,
        port: SlackPort,
        clock: Clock,
        workspace_id: str,
        slack_directory: SlackDirectory,
        *,
        gather_seconds: float,
    ) -> None:
        self._database = database
        self._port = port
        self._clock = clock
        self._workspace_id = workspace_id
        self._directory = slack_directory
        self._wanted: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._gather_seconds = gather_seconds
        self._free_at = 0.0
        self._failures: Counter[str] = Counter()
        self._again: dict[str, asyncio.TimerHandle] = {}

    def touch(self, person_ids: set[str]) -> None:
        """Draw these people's Home tabs anew, soon; several changes in a row cost one drawing."""
        self._wanted |= person_ids
        if self._wanted and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._work())

    async def show(self, person_id: str, *, page: int = 0, notice: Message | None = None) -> None:
        """Draw the person's Home tab now, at a page counted from 0, with a notice on top."""
        for was_asked in (False, True):
            async with self._database.unit(self._workspace_id, writes=False) as session:
                fresh_since = self._directory.fresh_since()
                asking = await directory.asking(session, person_id, "", asked_before=fresh_since)
                if asking.person is None:
                    return
                if was_asked or not asking.is_stale:
                    view = await draw(Deps(session, self._clock.now()), asking.person, page=page, notice=notice)
                    break
            await self._directory.freshen(person_id)
        await self._publish(person_id, view)

    async def _publish(self, person_id: str, view: Block) -> None:
        """Show the view to the person; what Slack refuses is logged, and tried again where that may help."""
        try:
            await self._port.call("views.publish", user_id=person_id, view=view)
        except SlackError as error:
            log.warning("views.publish: %s", error.code)
            if isinstance(error, SlackNotSent | SlackUnknown):
                self._touch_later(person_id, error)
        else:
            self._failures.pop(person_id, None)

    def _touch_later(self, person_id: str, error: SlackError) -> None:
        """The latest state is all that matters, so repeating is safe whatever became of the call."""
        tries = self._failures[person_id]
        if tries < len(RETRY_SECONDS):
            self._failures[person_id] += 1
            wait = getattr(error, "retry_after", None) or RETRY_SECONDS[tries]
            self._again[person_id] = asyncio.get_running_loop().call_later(wait, self.touch, {person_id})
        else:
            self._failures.pop(person_id)

    async def stop(self, grace_seconds: float = 5.0) -> None:
        """Finish the tab that is being drawn, for a while, and draw no other."""
        for timer in self._again.values():
            timer.cancel()
        self._wanted.clear()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=grace_seconds)

    async def settle(self) -> None:
        """Wait until everything touched so far is drawn."""
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._wanted:
            await asyncio.sleep(max(ANSWER_FIRST_SECONDS, self._free_at - loop.time()))
            self._free_at = loop.time() + self._gather_seconds
            wanted, self._wanted = self._wanted, set()
            users: Sequence[str] = ()
            with _logged():
                async with self._database.unit(self._workspace_id, writes=False) as session:
                    users = await directory.users_of_home(session, wanted)
            for person_id in users:
                self._wanted.discard(person_id)
                with _logged():
                    await self.show(person_id)


@contextmanager
def _logged() -> Iterator[None]:
    try:
        yield
    except Exception:
        log.exception("a Home tab could not be drawn")
