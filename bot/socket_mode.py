"""Socket Mode: the door through which Slack reaches a program that nobody can reach from outside."""

import asyncio
import logging
import re
from typing import Any
from urllib.parse import urlsplit

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_port import SlackError, SlackNotSent, SlackWebApi

log = logging.getLogger(__name__)

OPEN_SECONDS = 10.0
# An acknowledgement takes two seconds at most (see the edge); then it must still get out.
CLOSE_SECONDS = 3.0
WATCH_SECONDS = 30.0


class SocketMode:
    """Connections to one Slack app. What arrives goes to Bolt; what Bolt answers goes back the same way.

    The library reconnects by itself, except where it holds on to an address that Slack takes only once; so it is
    watched from outside, and replaced when it has had no connection at two looks in a row.
    """

    def __init__(
        self,
        bolt: AsyncApp,
        *,
        app_token: str,
        api_url: str,
        warn_of_others: bool = True,
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._bolt = bolt
        self._app_token = app_token
        self._api_url = api_url
        self._warns = warn_of_others
        self._watch_seconds = watch_seconds
        self._port = SlackWebApi(app_token, api_url)
        self._handler: AsyncSocketModeHandler | None = None
        self._watching: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def open(self) -> None:
        """Connect. Raises SlackError when Slack refuses the token or cannot be reached."""
        await self._connect()
        self._watching = asyncio.create_task(self._watch(), name="socket mode")

    async def close(self) -> None:
        """Take nothing more, let what is under way be acknowledged, for up to 3 s, and hang up."""
        self._closing = True
        if self._watching is not None:
            self._watching.cancel()
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=CLOSE_SECONDS)
        await self._hang_up()
        await self._port.close()

    async def _connect(self) -> None:
        # Asked for here, because the library would repeat a call that can never work, for ever.
        address = (await self._port.call("apps.connections.open"))["url"]
        self._handler = _handler(self._bolt, self._app_token, self._api_url)
        client = self._handler.client
        client.wss_uri = address
        client.socket_mode_request_listeners[:] = [self._take]
        client.message_listeners.append(self._hear)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._handler.connect_async()  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise SlackNotSent("no connection: the socket could not be opened") from None

    async def _hang_up(self) -> None:
        if self._handler is not None:
            await self._handler.close_async()  # type: ignore[no-untyped-call]

    async def _watch(self) -> None:
        silent = 0
        while True:
            await asyncio.sleep(self._watch_seconds)
            connected = self._handler is not None and await self._handler.client.is_connected()
            silent = 0 if connected else silent + 1
            if silent >= 2:
                await self._replace()

    async def _replace(self) -> None:
        log.warning("Slack has been out of reach for a while; connecting anew")
        try:
            await self._hang_up()
            await self._connect()
        except SlackError as error:
            log.warning("not connected: %s", error.code)
        except Exception as error:
            log.warning("not connected: %s", type(error).__name__)

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Hand a request over, unless we are leaving: without an acknowledgement Slack sends an event again."""
        task = asyncio.current_task()
        if self._closing or self._handler is None or task is None:
            return
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await self._handler.handle(self._handler.client, request)

    async def _hear(self, client: Any, message: dict[str, Any], raw: str | None) -> None:
        """Look at the first hello: Slack shares requests out among all connections of an app.

        Later ones may still count the connection that is being replaced.
        """
        if message.get("type") != "hello" or not self._warns:
            return
        self._warns = False
        if message.get("num_connections", 1) > 1:
            log.warning(
                "Another process is connected with the same app token (%s connections). With a SQLite file each, "
                "every one would see only a part of what people do: stop the other, or give both the same PostgreSQL "
                "in DATABASE_URL.",
                message["num_connections"],
            )


def _handler(bolt: AsyncApp, app_token: str, api_url: str) -> AsyncSocketModeHandler:
    quiet = logging.getLogger("steward.socket_mode")
    if _without_addresses not in quiet.filters:
        quiet.addFilter(_without_addresses)
    web_client = AsyncWebClient(base_url=api_url, logger=quiet)
    handler = AsyncSocketModeHandler(bolt, app_token, logger=quiet, web_client=web_client)
    if urlsplit(api_url).hostname in ("127.0.0.1", "localhost", "::1"):
        web_client.proxy = handler.client.proxy = None
    return handler


def _without_addresses(record: logging.LogRecord) -> bool:
    """Whoever has a socket's address may open it, so the library's messages lose it, and their tracebacks."""
    record.msg = re.sub(r"(wss?://[^\s?]+)\?[^\s'\")]+", r"\1", record.getMessage())
    record.args = None
    record.exc_info = None
    return True
