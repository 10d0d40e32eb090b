"""Removals that nobody here was told of, because the host was away for longer than Slack resends.

Slack is asked now and then, of every installation, whether it still takes the token. Where it does not, Steward does
nothing there by itself. Only the same answer again and again, for days, counts as a removal; a request from there
proves that it is none.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Final

from bot import removal
from bot.lookout import Lookout
from bot.sealing import CannotOpen, Seal
from bot.slack_port import SlackError, SlackRefused, SlackWebApi
from models import installations
from models.clock import Clock
from models.database import Database
from models.database_errors import DatabaseBusy
from models.tables import Installation

log = logging.getLogger(__name__)

# What Slack says of the token of an app that was removed; `invalid_auth` also where it lets in no call from here.
OVER: Final = frozenset({"account_inactive", "token_revoked", "invalid_auth"})
# Of a token that ended by itself Slack says no more than that, and then of its refresh token.
ENDED_BY_ITSELF: Final = "token_expired", "invalid_refresh_token"
# Said again and again for so long, and never with a longer silence between, it counts as a removal.
SAID_FOR: Final = timedelta(days=7)
SILENCE_MAX: Final = timedelta(days=1)
# Those that were refused are asked about so often, and every so many times all.
ASK_SECONDS = 300.0
ALL_EVERY = 12

AsBot = Callable[[str], SlackWebApi]


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
            await removal.leave(self._database, workspace.id, workspace.installation_id or "", at=removed_at)
        for installation in known.with_tokens():
            if installation.refused_since is not None or not only_refused:
                await self._look_at(installation)
        await self._lookout.look()

    async def refuses(self, installation: Installation) -> bool:
        """Whether Slack says now that the token is over; False too where it does not say."""
        try:
            return await self._refusal(installation) is not None
        except (SlackError, CannotOpen):
            return False

    async def trust(self, installation: Installation) -> None:
        """Whatever Slack says of the token, Steward is installed there."""
        if installation.refused_since is not None:
            await installations.note_refusal(self._database, installation, since=None, at=None)
            await self._lookout.look()

    async def _look_at(self, installation: Installation) -> None:
        try:
            code = await self._refusal(installation)
        except (SlackError, CannotOpen) as reason:
            log.info("whether Slack takes the token of %s is not known: %s", installation.id, reason)
            return
        if code is not None:
            await self._refused(installation, code)
        elif installation.refused_since is not None:
            log.warning("Slack takes the token of %s again", installation.id)
            await self.trust(installation)

    async def _refused(self, installation: Installation, code: str) -> None:
        """Keep that Slack says so; where it has done for long enough, Steward was removed."""
        now, since, before = self._clock.now(), installation.refused_since, installation.refused_at
        if since is None or before is None or now - before > SILENCE_MAX:
            since = now
        if now - since < SAID_FOR:
            await installations.note_refusal(self._database, installation, since=since, at=now)
            if installation.refused_since is None:
                log.warning("Slack refuses the token of %s (%s): nothing is sent there", installation.id, code)
        elif await removal.remove(self._database, installation.id, now=now, seen=installation):
            log.warning("Steward was removed from %s: Slack has said so since %s (%s)", installation.id, since, code)

    async def _refusal(self, installation: Installation) -> str | None:
        """Slack's word for why it takes the token no more, None while it does. Raises SlackError when it says neither.

        Raises CannotOpen.
        """
        bot = self._as_bot(self._seal.open(installation).access)
        try:
            await bot.call("auth.test")
        except SlackRefused as error:
            if error.code in OVER or (error.code, installation.refresh_error) == ENDED_BY_ITSELF:
                return error.code
            raise
        finally:
            await bot.close()
        return None
