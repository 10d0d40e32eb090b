"""Socket Mode: the door through which Slack reaches a program that nobody can reach from outside.

The library reconnects by itself, and sometimes does not: it holds on to an address that Slack takes only once, or says
that it is connected and hears nothing. So it is not asked. What counts is what comes in on the socket.
"""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, NoReturn
from urllib.parse import urlsplit

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot import metrics
from bot.slack_port import SlackError, SlackNotSent, SlackRefused, SlackWebApi
from bot.stopping import ANSWERED_SECONDS, SHUT_SECONDS, Deadline, DoorStuck

log = logging.getLogger(__name__)

# How long a connection that did not come about may take to be let go of.
CLOSE_SECONDS = 3.0


class _NoSocket(SlackNotSent):
    """Slack gave an address, and nothing could be opened there."""


@dataclass(frozen=True)
class Watch:
    """How closely a connection is watched, in seconds. With these Slack is back 60 s after it fell silent."""

    ping: float = 10.0
    look: float = 5.0
    # Three of our pings without an answer.
    silent: float = 30.0
    open: float = 10.0
    # The library waits 10 s for the other side to say goodbye.
    close: float = 15.0
    # Between two tries while Slack cannot be reached.
    pause: float = 30.0
    # Slack answers and still there is no connection: after so long this process is what is left to suspect.
    stuck: float = 600.0


class SocketMode:
    """A connection to one Slack app. What arrives goes to Bolt; what Bolt answers goes back the same way.

    A connection on which nothing was heard for a while is replaced. While Slack cannot be reached at all that is tried
    again for as long as it takes, since the rest of the process has work to do; `stuck` ends when trying is no use.
    """

    def __init__(
        self,
        bolt: AsyncApp,
        *,
        app_token: str,
        api_url: str,
        warn_of_others: bool = True,
        watch: Watch | None = None,
    ) -> None:
        self._bolt = bolt
        self._app_token = app_token
        self._api_url = api_url
        self._warns = warn_of_others
        self._watch = watch or Watch()
        self._port = SlackWebApi(app_token, api_url)
        self._handler: AsyncSocketModeHandler | None = None
        self._heard_at = monotonic()
        self._answered: float | None = None
        self._watching: asyncio.Task[NoReturn] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def open(self) -> None:
        """Connect. Raises SlackError when Slack refuses the token or cannot be reached."""
        await self._connect()
        metrics.SOCKET_CONNECTED.set_function(lambda: self.is_connected)
        self._watching = asyncio.create_task(self._keep_watch(), name="socket mode")

    async def stuck(self) -> NoReturn:
        """Wait until it is no use to try any more. Raises DoorStuck then, and nothing before."""
        assert self._watching is not None
        try:
            await asyncio.shield(self._watching)
        except (DoorStuck, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("the watch over the connection to Slack ended")
            raise DoorStuck(
                f"The watch over the connection to Slack broke ({type(error).__name__}). Start Steward again; "
                "a supervisor does it by itself."
            ) from None

    async def close(self, deadline: Deadline) -> None:
        """Take nothing more, let what is under way be acknowledged, and hang up, as long as there is time."""
        self._closing = True
        metrics.SOCKET_CONNECTED.set_function(lambda: 0)
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=deadline.left(ANSWERED_SECONDS))
        if self._handler is not None:
            await _closed(self._handler, deadline.left(SHUT_SECONDS))
        await self._port.close()

    @property
    def is_connected(self) -> bool:
        """Whether something was heard from Slack of late."""
        self._listen()
        return self._handler is not None and monotonic() - self._heard_at < self._watch.silent

    async def _connect(self) -> None:
        # Asked for here, because the library would repeat a call that can never work, for ever.
        address = (await self._port.call("apps.connections.open"))["url"]
        handler = _handler(self._bolt, self._app_token, self._api_url, self._watch.ping)
        client = handler.client
        client.wss_uri = address
        client.socket_mode_request_listeners[:] = [partial(self._take, handler)]
        client.message_listeners.append(self._hear)
        opening = asyncio.ensure_future(handler.connect_async())  # type: ignore[no-untyped-call]
        try:
            done, _ = await asyncio.wait({opening}, timeout=self._watch.open)
            if not done:
                raise _NoSocket("no connection: the socket could not be opened")
            opening.result()
        except BaseException:
            opening.cancel()
            await _closed(handler, CLOSE_SECONDS)
            raise
        self._handler, self._answered, self._heard_at = handler, None, monotonic()

    async def _keep_watch(self) -> NoReturn:
        tries = 0
        while True:
            await asyncio.sleep(min(self._watch.look * 2**tries, self._watch.pause))
            self._listen()
            silence = monotonic() - self._heard_at
            tries = 0 if silence < self._watch.silent or await self._replace(silence) else tries + 1

    def _listen(self) -> None:
        """Note whether one of our pings was answered since the last look."""
        answered = self._handler.client.last_ping_pong_time if self._handler else None
        if answered is not None and answered != self._answered:
            self._answered = answered
            self._heard_at = monotonic()

    async def _replace(self, silence: float) -> bool:
        """Connect anew, and say whether that worked. Raises DoorStuck."""
        log.warning("nothing was heard from Slack for %d s; connecting anew", silence)
        metrics.SOCKET_REPLACED.inc()
        old, self._handler = self._handler, None
        closing = asyncio.ensure_future(_closed(old, self._watch.close)) if old else None
        is_back = True
        try:
            await self._connect()
        except SlackError as error:
            is_back = False
            log.warning("not connected: %s", error.code)
            if silence > self._watch.stuck and isinstance(error, _NoSocket | SlackRefused):
                raise DoorStuck(
                    f"Slack answers, but gave Steward no connection for {silence / 60:.0f} minutes ({error.code}). "
                    "Check that the app's Socket Mode is on and SLACK_APP_TOKEN is still good, then start Steward "
                    "again; a supervisor does it by itself."
                ) from None
        if closing is not None and not await closing:
            raise DoorStuck(
                "A dead connection to Slack could not be closed. Start Steward again; a supervisor does it by itself."
            )
        if is_back:
            log.warning("connected to Slack again")
        return is_back

    async def _take(
        self, handler: AsyncSocketModeHandler, _: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        """Hand a request over, unless we are leaving: without an acknowledgement Slack sends an event again."""
        task = asyncio.current_task()
        if self._closing or task is None:
            return
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await handler.handle(handler.client, request)

    async def _hear(self, client: Any, message: dict[str, Any], raw: str | None) -> None:
        """Note that something came, and look at the first hello: Slack shares requests out among an app's connections.

        Later ones may still count the connection that is being replaced.
        """
        self._heard_at = monotonic()
        if message.get("type") != "hello":
            return
        metrics.SOCKET_OPENED.inc()
        if not self._warns:
            return
        self._warns = False
        if message.get("num_connections", 1) > 1:
            log.warning(
                "Another process is connected with the same app token (%s connections). With a SQLite file each, "
                "every one would see only a part of what people do: stop the other, or give both the same PostgreSQL "
                "in DATABASE_URL.",
                message["num_connections"],
            )


async def _closed(handler: AsyncSocketModeHandler, seconds: float) -> bool:
    """Hang up, and say whether that came to an end within the time."""
    closing = asyncio.ensure_future(handler.close_async())  # type: ignore[no-untyped-call]
    done, _ = await asyncio.wait({closing}, timeout=seconds)
    if done and closing.exception() is not None:
        log.warning("hanging up failed: %s", type(closing.exception()).__name__)
    closing.cancel()
    return bool(done)


def _handler(bolt: AsyncApp, app_token: str, api_url: str, ping_seconds: float) -> AsyncSocketModeHandler:
    quiet = logging.getLogger("steward.socket_mode")
    # It writes whole messages at DEBUG.
    quiet.setLevel(logging.WARNING)
    web_client = AsyncWebClient(base_url=api_url, logger=quiet)
    handler = AsyncSocketModeHandler(bolt, app_token, logger=quiet, web_client=web_client, ping_interval=ping_seconds)
    if urlsplit(api_url).hostname in ("127.0.0.1", "localhost", "::1"):
        web_client.proxy = handler.client.proxy = None
    return handler
