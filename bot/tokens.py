"""The bot token for each call: opened when it is used, and exchanged for a new one well before it expires.

One process exchanges it, which holds a lease on the row, and what Slack gives is stored before anybody uses it.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot import granting
from bot.granting import Incomplete
from bot.lookout import Lookout
from bot.sealing import CannotOpen, Seal
from bot.slack_port import REQUEST_TIMEOUT_SECONDS, SlackError, SlackNotSent, SlackPort
from models import installations
from models.clock import Clock
from models.database import Database
from models.shielding import shielded
from models.tables import Installation

log = logging.getLogger(__name__)

# Slack's tokens that expire live twelve hours.
EXCHANGE_BEFORE = timedelta(hours=2)
# A token with less than this left is not used for a call any more.
LEAST_LEFT = timedelta(seconds=30)
# How long one process has an exchange for itself: its call and what surrounds it.
LEASE = timedelta(seconds=6 * REQUEST_TIMEOUT_SECONDS)
# After an exchange that failed, the next try.
PAUSE = timedelta(seconds=30)
# New tokens that could not be stored are tried again after so long.
STORE_AGAIN_SECONDS = 1.0
# Where the token cannot be used any more, a call waits so long for the exchange.
WAIT_SECONDS = 5.0
WAIT_STEP_SECONDS = 0.2


class TokenKeeper:
    """Keeps the tokens of what `lookout` sees good. `clock` is the product's, `wall` the machine's, for leases."""

    def __init__(
        self, database: Database, lookout: Lookout, seal: Seal, as_app: SlackPort, *, clock: Clock, wall: Clock
    ) -> None:
        self._database = database
        self._lookout = lookout
        self._seal = seal
        self._as_app = as_app
        self._clock = clock
        self._wall = wall
        self._exchanging: dict[str, asyncio.Task[None]] = {}

    async def token(self, workspace_id: str) -> str:
        """The bot token for a call made now.

        Raises SlackPermanent for a workspace that is not served, and SlackNotSent while there is no good token.
        """
        installation = (await self._lookout.recent()).used_in(workspace_id)
        if not self._is_due(installation):
            return self._usable(installation)
        exchanging = self._exchange_soon(installation)
        if not self._is_over(installation):
            return self._usable(installation)
        if exchanging is not None:
            await asyncio.shield(exchanging)
        return self._usable(await self._exchanged_elsewhere(workspace_id))

    async def settle(self) -> None:
        """See out what is being exchanged: a token that Slack gave out and nobody stored would be lost."""
        while self._exchanging:
            await asyncio.wait(set(self._exchanging.values()))

    def _usable(self, installation: Installation) -> str:
        """The token for a call. Raises SlackNotSent where another process has sealed it with a key that we lack."""
        try:
            return self._seal.open(installation).access
        except CannotOpen as reason:
            log.error("nothing can be sent: %s", reason)
            raise SlackNotSent("token_does_not_open", PAUSE.total_seconds()) from None

    def _is_due(self, installation: Installation) -> bool:
        return installation.expires_at is not None and installation.expires_at - self._clock.now() < EXCHANGE_BEFORE

    def _is_over(self, installation: Installation) -> bool:
        return installation.expires_at is not None and installation.expires_at - self._clock.now() < LEAST_LEFT

    def _exchange_soon(self, installation: Installation) -> asyncio.Task[None] | None:
        """The exchange of these tokens that is under way here; None while another process has it, or it must wait."""
        task = self._exchanging.get(installation.id)
        held_until = installation.refreshing_until
        if task is None and (held_until is None or held_until <= self._wall.now()):
            task = asyncio.create_task(self._exchange(installation), name=f"exchanging the token of {installation.id}")
            self._exchanging[installation.id] = task
            task.add_done_callback(lambda _: self._exchanging.pop(installation.id))
        return task

    async def _exchange(self, installation: Installation) -> None:
        """Exchange the tokens for new ones, if nobody else does; never raises."""
        wall = self._wall.now()
        try:
            if await installations.lease(self._database, installation, wall=wall, until=wall + LEASE):
                await self._exchange_leased(installation)
            await self._lookout.look()
        except Exception:
            log.exception("the token of %s could not be exchanged", installation.id)

    async def _exchange_leased(self, installation: Installation) -> None:
        held = self._seal.open(installation)
        try:
            tokens, others = await granting.renewed(self._as_app, held.refresh, clock=self._clock)
        except (SlackError, Incomplete) as error:
            code = getattr(error, "code", "incomplete_answer")
            log.warning("the token of %s could not be exchanged: %s", installation.id, code)
            values = {"refresh_error": code, "refreshing_until": self._wall.now() + PAUSE}
        else:
            sealed = self._seal.seal(installation.id, tokens)
            values = {"sealed_tokens": sealed, "refresh_error": None, "refreshing_until": None, **others}
        await self._stored(installation, values)

    async def _stored(self, installation: Installation, values: Mapping[str, Any]) -> None:
        """Store what came of an exchange, also where the database is away for a moment: Slack gives it only once."""
        gives_up_at = self._wall.now() + LEASE
        while True:
            try:
                await shielded(installations.renew(self._database, installation, **values))
            except Exception as error:
                if self._wall.now() >= gives_up_at:
                    raise
                log.warning("the new token of %s waits to be stored: %s", installation.id, type(error).__name__)
                await asyncio.sleep(STORE_AGAIN_SECONDS)
            else:
                return

    async def _exchanged_elsewhere(self, workspace_id: str) -> Installation:
        """The installation once its token can be used. Raises SlackNotSent when that takes too long."""
        loop = asyncio.get_running_loop()
        waits_until = loop.time() + WAIT_SECONDS
        while True:
            installation = (await self._lookout.look(WAIT_STEP_SECONDS / 2)).used_in(workspace_id)
            if not self._is_over(installation):
                return installation
            if installation.refresh_error is not None or loop.time() >= waits_until:
                raise SlackNotSent("token_expired", PAUSE.total_seconds())
            await asyncio.sleep(WAIT_STEP_SECONDS)
