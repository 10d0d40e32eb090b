"""One claimed delivery seen to its end: drawn at the last moment, its call noted, and Slack called once.

What Slack answered decides what becomes of it. A post of which nothing was heard is looked for in its channel, where
Steward may read it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from structlog.contextvars import bound_contextvars

from bot import metrics
from bot.claimed import Claimed, Means, Wire
from bot.looking_up import is_readable, metadata, posted
from bot.slack_port import SlackError, SlackNotSent, SlackPermanent, SlackRefused, SlackUnknown
from models.database_errors import DatabaseBusy
from models.shielding import shielded
from models.tables import Delivery
from scheduler import deliveries
from scheduler.deliveries import Call, Draft, Wait

log = logging.getLogger("steward.sender")

METHODS = {"post": "chat.postMessage", "update": "chat.update", "whisper": "chat.postEphemeral"}
# A channel that could not be looked into is asked for again after so long, unless Slack names a time.
LOOK_AGAIN_SECONDS = 30.0
# Steward, or whoever is to see it there alone, is not in the channel. Where its kind tells those whom that concerns, it
# is nothing for an operator.
UNINVITED = frozenset({"not_in_channel", "channel_not_found", "user_not_in_channel"})


class Errand:
    """What is to be done about one row: to send it, or to look for it where another sender fell silent over it."""

    def __init__(self, means: Means, workspace_id: str, row: Delivery) -> None:
        self._means = means
        self._workspace_id = workspace_id
        self._claimed = Claimed(means, workspace_id, row)

    async def run(self) -> None:
        """See the row to its end; whatever happens here stops no other row."""
        row = self._claimed.row
        with bound_contextvars(workspace=self._workspace_id, delivery=row.id, kind=row.kind):
            try:
                if row.call is None:
                    await self._send()
                else:
                    await self._look_up()
            except DatabaseBusy:
                log.warning("delivery %s (%s) waits for the database", row.id, row.kind)
            except Exception:
                # The row stays claimed until its lease ends; then it is looked at again.
                log.exception("delivery %s (%s) could not be settled", row.id, row.kind)

    async def _send(self) -> None:
        async with self._released_if_stopped():
            await self._means.slots.acquire()
        try:
            turn = self._means.pace.turn(self._workspace_id, self._claimed.row.target, halt=self._means.halt)
            async with self._released_if_stopped(), turn:
                draft = await self._prepared()
                may_call = draft is not None and await self._claimed.begin(draft)
            if draft is not None and may_call:
                await self._call(draft)
        finally:
            self._means.slots.release()

    @asynccontextmanager
    async def _released_if_stopped(self) -> AsyncIterator[None]:
        """For what happens before the call: cancelled, or left by the database, the row goes back unsent."""
        try:
            yield
        except (asyncio.CancelledError, DatabaseBusy):
            await shielded(self._claimed.release())
            raise

    async def _prepared(self) -> Draft | None:
        """The draft to send now, or None when the row was settled otherwise."""
        row, now = self._claimed.row, self._means.clock.now
        try:
            await (await self._wire()).freshen(row.target)
            async with self._means.database.unit(self._workspace_id, writes=False) as session:
                draft = await deliveries.drawn(session, row, self._claimed.kind, now=now())
        except DatabaseBusy:
            raise
        except Exception:
            log.exception("delivery %s (%s) could not be drawn", row.id, row.kind)
            await self._claimed.retry_or_park("could not be drawn")
            return None
        return await self._checked(draft)

    async def _checked(self, draft: Draft | Wait | None) -> Draft | None:
        end = self._claimed.kind.end_of(self._claimed.row)
        if draft is None:
            await self._claimed.cancel()
        elif isinstance(draft, Wait):
            await self._claimed.back(retry_at=draft.until, error="too early")
        elif end is not None and self._means.clock.now() >= end:
            await self._claimed.give_up()
        elif wait := self._means.pace.paused(self._workspace_id, draft.method, draft.channel):
            await self._claimed.retry("ratelimited", wait)
        elif self._means.halt.is_set():
            await self._claimed.release()
        else:
            return draft
        return None

    async def _call(self, draft: Draft) -> None:
        try:
            wire = await self._wire()
            answer = await wire.port.call(METHODS[draft.method], **_arguments(self._claimed.row, draft))
            channel, ts = answer.get("channel"), answer.get("ts")
            if draft.method == "whisper":
                channel, ts = draft.channel, answer.get("message_ts")
            if not channel or not ts:
                raise SlackUnknown("an answer without channel and ts")
        except SlackError as error:
            await shielded(self._refused(draft, error))
        except DatabaseBusy:
            # The token could not be read, so nothing was called.
            await shielded(self._claimed.release())
            raise
        except asyncio.CancelledError:
            await shielded(self._refused(draft, SlackUnknown("stopped while sending")))
            raise
        else:
            await shielded(self._claimed.sent(draft, channel, ts))

    async def _refused(self, draft: Draft, error: SlackError) -> None:
        """What becomes of the row by what is known of the call."""
        claimed, row = self._claimed, self._claimed.row
        is_told = error.code in UNINVITED and claimed.kind.failed is not None
        level = logging.INFO if is_told else logging.WARNING
        log.log(level, "delivery %s (%s), attempt %s: %s", row.id, row.kind, row.attempt, error.code)
        metrics.NOT_SENT.labels(row.kind, error.code).inc()
        if isinstance(error, SlackNotSent):
            if error.retry_after is not None:
                self._means.pace.pause(self._workspace_id, draft.method, draft.channel, error.retry_after)
            await claimed.retry(error.code, error.retry_after)
        elif isinstance(error, SlackPermanent):
            await claimed.park(error.code)
        elif isinstance(error, SlackRefused):
            await claimed.retry_or_park(error.code)
        elif is_readable(Call.of(row), (await self._wire()).scopes):
            await claimed.doubt(self._means.settle_time, error.code)
        else:
            await claimed.unprovable(error.code)

    async def _look_up(self) -> None:
        """Settle the row by what stands in Slack, and where that cannot be seen by what its kind says."""
        claimed, row = self._claimed, self._claimed.row
        call, error = Call.of(row), row.last_error or "the sender fell silent"
        wire = await self._wire()
        if not is_readable(call, wire.scopes):
            await claimed.unprovable(error)
            return
        try:
            async with self._means.slots:
                found = await posted(wire.port, call, row.id)
        except SlackRefused as refusal:
            log.warning("delivery %s (%s) cannot be looked up: %s", row.id, row.kind, refusal.code)
            await claimed.unprovable(error)
        except SlackError as refusal:
            wait = getattr(refusal, "retry_after", None) or LOOK_AGAIN_SECONDS
            await claimed.doubt(timedelta(seconds=wait), error)
        else:
            if found is None:
                await claimed.retry(error)
            else:
                await claimed.sent(found.draft, found.channel, found.ts)

    async def _wire(self) -> Wire:
        return await self._means.wires(self._workspace_id)


def _arguments(row: Delivery, draft: Draft) -> dict[str, Any]:
    """The call's arguments. The metadata says which delivery and attempt a message in Slack came from."""
    arguments = {"channel": draft.channel, "text": draft.message.text, "blocks": draft.message.blocks}
    if draft.method == "whisper":
        return arguments | {"user": draft.to, "thread_ts": draft.thread_ts}
    of = metadata(row.id, row.attempt)
    if draft.method == "update":
        return arguments | {"metadata": of, "ts": draft.ts}
    return arguments | {"metadata": of, "thread_ts": draft.thread_ts, "unfurl_links": False, "unfurl_media": False}
