"""Removals that nobody here was told of, because the host was away for longer than Slack resends.

Slack is asked now and then, of every installation, whether it still takes the token. Where it does not, Steward does
nothing there by itself. Only the same answer again and again, for days, counts as a removal; a request from there
proves that it is none.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from bot import removal
from bot.lookout import Lookout, is_workspace
from bot.sealing import CannotOpen, Seal
from bot.slack_port import SlackError, SlackPort, SlackRefused, SlackUnknown, SlackWebApi, pages
from models import installations
from models.clock import Clock
from models.database import Database
from models.database_errors import DatabaseBusy
from models.tables import Installation, Workspace

log = logging.getLogger(__name__)

# What Slack says of the token of an app that was removed, the last one also where it lets in no call from here.
NOT_LET_IN: Final = "invalid_auth"
OVER: Final = frozenset({"account_inactive", "token_revoked", NOT_LET_IN})
# Of a token that ended by itself Slack says no more than that, and then of its refresh token: also of one that was used
# up since the backup from which the database came.
USED_UP: Final = "invalid_refresh_token"
ENDED_BY_ITSELF: Final = "token_expired", USED_UP
# What it says with the token of an organisation that took Steward away from the workspace.
NOT_GRANTED: Final = "team_access_not_granted"
# Said again and again for so long, and never with a longer silence between, it counts as a removal.
SAID_FOR: Final = timedelta(days=7)
SILENCE_MAX: Final = timedelta(days=1)
# Those that were refused are asked about so often, and every so many times all.
ASK_SECONDS = 300.0
ALL_EVERY = 12

AsBot = Callable[[str], SlackWebApi]
# Where Steward may be refused: in an installation, or in one workspace of an organisation's.
Refusable = Installation | Workspace


class UnheardRemovals:
    """Finds them among what `lookout` sees. `as_bot` gives Slack's Web API with a bot's token."""

    def __init__(self, database: Database, lookout: Lookout, seal: Seal, as_bot: AsBot, *, clock: Clock) -> None:
        self._database = database
        self._lookout = lookout
        self._seal = seal
        self._as_bot = as_bot
        self._clock = clock

    async def watch(self) -> None:
        """Look at all now and once an hour, and more often at those that Slack refused, until cancelled."""
        for number in count():
            try:
                await self.look(only_refused=number % ALL_EVERY != 0)
            except DatabaseBusy:
                pass  # it is back one of these times
            except Exception:
                log.exception("whether Steward was removed somewhere could not be looked at")
            await asyncio.sleep(ASK_SECONDS)

    async def look(self, *, only_refused: bool = False) -> None:
        """Finish what was removed and not left yet, ask Slack of each installation, and keep what it says."""
        known = await self._lookout.look()
        for workspace, removed_at in known.not_left():
            await installations.leave(self._database, workspace.id, workspace.installation_id or "", at=removed_at)
        for installation in known.with_tokens():
            its = known.met_by(installation)
            here: list[Refusable] = [installation, *its]
            if not only_refused or any(each.refused_since is not None for each in here):
                await self._look_at(installation, its)
        await self._lookout.look()

    async def refuses(self, installation: Installation) -> bool:
        """Whether Slack says now, and for certain, that the token is over; False too where it does not say."""
        try:
            async with self._asking(installation) as bot:
                return await _refusal(bot, installation) not in (None, NOT_LET_IN)
        except (SlackError, CannotOpen):
            return False

    async def trust(self, *them: Refusable) -> None:
        """Whatever Slack said of them, Steward is installed there."""
        for each in them:
            if each.refused_since is not None:
                log.warning("Steward is installed in %s after all", each.id)
                await self._note(each, since=None, at=None)
                await self._lookout.look()

    async def _look_at(self, installation: Installation, its: Sequence[Workspace]) -> None:
        """Ask of one installation and, where it is an organisation's, of the workspaces that were met by it."""
        try:
            async with self._asking(installation) as bot:
                code = await _refusal(bot, installation)
                granted = await _granted(bot) if its and code is None else frozenset()
        except (SlackError, CannotOpen) as reason:
            log.info("whether Steward is still installed in %s is not known: %s", installation.id, reason)
            return
        if code is not None:
            await self._refused(installation, code)
            return
        await self.trust(installation)
        for each in its:
            if each.id not in granted:
                if each.removed_at is None:
                    await self._refused(each, NOT_GRANTED)
            elif each.removed_at is None:
                await self.trust(each)
            else:
                await self._give_back(each)

    async def _refused(self, what: Refusable, code: str) -> None:
        """Keep that Slack says so; where it has done for long enough, Steward was removed."""
        now, since, before = self._clock.now(), what.refused_since, what.refused_at
        if since is None or before is None or now - before > SILENCE_MAX:
            since = now
        if now - since < SAID_FOR:
            await self._note(what, since=since, at=now)
            if what.refused_since is None:
                log.warning("Slack refuses what Steward does in %s (%s): nothing is sent there", what.id, code)
        elif await self._removed(what, now):
            log.warning("Steward was removed from %s: Slack has said so since %s (%s)", what.id, since, code)

    async def _give_back(self, taken: Workspace) -> None:
        """Let the next request from the workspace begin it anew, which its organisation had taken away."""
        async with self._database.unit(taken.id) as session:
            workspace = await session.get(Workspace, taken.id)
            if workspace is not None and workspace.removed_at == taken.removed_at:
                workspace.installation_id = None

    async def _note(self, seen: Refusable, *, since: datetime | None, at: datetime | None) -> None:
        if isinstance(seen, Installation):
            await installations.note_refusal(self._database, seen, since=since, at=at)
            return
        async with self._database.unit(seen.id) as session:
            workspace = await session.get(Workspace, seen.id)
            if workspace is not None and workspace.refused_since == seen.refused_since:
                workspace.refused_since, workspace.refused_at = since, at

    async def _removed(self, seen: Refusable, now: datetime) -> bool:
        if isinstance(seen, Installation):
            return await removal.remove(self._database, seen.id, now=now, seen=seen)
        await installations.leave(self._database, seen.id, seen.installation_id or "", at=now, is_taken=True)
        return True

    @asynccontextmanager
    async def _asking(self, installation: Installation) -> AsyncIterator[SlackWebApi]:
        """Slack as the installation's bot. Raises CannotOpen."""
        bot = self._as_bot(self._seal.open(installation).access)
        try:
            yield bot
        finally:
            await bot.close()


async def _refusal(bot: SlackPort, installation: Installation) -> str | None:
    """Slack's word for why it takes the token no more, None while it does. Raises SlackError when it says neither."""
    try:
        await bot.call("auth.test")
    except SlackRefused as error:
        if error.code in OVER or (error.code, installation.refresh_error) == ENDED_BY_ITSELF:
            return error.code
        raise
    return None


async def _granted(bot: SlackPort) -> frozenset[str]:
    """The ids of the workspaces in which an organisation lets Steward be used. Raises SlackError."""
    listed = [each async for each in pages(bot, "auth.teams.list", "teams")]
    if not all(isinstance(each, Mapping) and is_workspace(each.get("id")) for each in listed):
        raise SlackUnknown("no list of workspaces")
    return frozenset([each["id"] for each in listed])
