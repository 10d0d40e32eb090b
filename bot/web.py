"""HTTP: Slack's signed requests behind a front door that looks at every byte first, and how things are."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot import metrics
from bot.operation import states
from bot.shapes import is_shaped
from bot.stopping import ANSWERED_SECONDS, Deadline
from models.database import Database

log = logging.getLogger(__name__)

BODY_MAX_BYTES = 1_000_000
CLOCK_SKEW_SECONDS = 300
# No number in a header of Slack's is longer; Python refuses to read one of thousands of digits.
DIGITS_MAX = 12
# What a form without a payload holds: a slash command, or Slack's look at the certificate.
FORMS = frozenset({"command", "ssl_check"})
# Slack sends a request at once, and gives up on it after three seconds; whoever takes longer holds a place.
BODY_SECONDS = 10.0
# The same for what comes before the body; nobody's headers are longer.
HEAD_MAX_BYTES = 65_536
HEAD_SECONDS = 10.0


def application(
    bolt: AsyncApp, database: Database, signing_secret: str, *, pages: Sequence[BaseRoute] = ()
) -> Starlette:
    """The web application: Slack's requests, how things are, and the pages for installing where there are any."""
    handler = AsyncSlackRequestHandler(bolt)
    secret = signing_secret.encode()

    async def events(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body_within_limit(request)
        except TimeoutError:
            return _turned_away("too slow", 408)
        if body is None:
            return _turned_away("too large", 413)
        if not _is_signed(request, body, secret):
            return _turned_away("not from Slack", 401)
        if not _is_readable(request, body):
            return _turned_away("not readable", 400)
        answer = await handler.handle(request)
        # 404 is Bolt's word for what no listener of ours wants. To Slack it would be a failure, to be tried again.
        return Response() if answer.status_code == 404 else answer

    served = Starlette(routes=[Route("/slack/events", events, methods=["POST"]), *states(database), *pages])
    # A path is written as it is or it is not ours; nobody is sent elsewhere.
    served.router.redirect_slashes = False
    return served


async def serve(application: Starlette, listening: socket.socket, deadline: Deadline | None = None) -> None:
    """Answer at the listening socket until cancelled; then finish the requests under way, as long as there is time."""
    deadline = deadline or Deadline()
    server = _Server(
        uvicorn.Config(
            application,
            http=_Connection,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(serving)
    finally:
        # It takes parts of seconds as well as whole ones.
        server.config.timeout_graceful_shutdown = deadline.left(ANSWERED_SECONDS)  # type: ignore[assignment]
        server.should_exit = True
        await serving


class _Connection(HttpToolsProtocol):
    """Hangs up on whoever sends a head without an end, or does not come to it: neither is bounded otherwise."""

    _head_bytes = 0
    _is_in_head = True
    _hanging_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head_bytes += len(data) if self._is_in_head else 0
        if self._head_bytes > HEAD_MAX_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._leave_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._leave_head()
        self._is_in_head = True
        self._hanging_up = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _leave_head(self) -> None:
        self._head_bytes, self._is_in_head = 0, False
        if self._hanging_up is not None:
            self._hanging_up.cancel()


class _Server(uvicorn.Server):
    """Leaves the signals to the program around it, which has more to stop than this."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _turned_away(words: str, status: int) -> Response:
    metrics.TURNED_AWAY.labels(str(status)).inc()
    return PlainTextResponse(words, status)


async def _body_within_limit(request: Request) -> bytes | None:
    """The raw body, kept on the request for Bolt, or None when it is over the limit; never reads on past it."""
    declared = _number(request.headers.get("content-length", "0"))
    if declared is None or declared > BODY_MAX_BYTES:
        return None
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_MAX_BYTES:
                return None
    except ClientDisconnect:
        return None
    request._body = bytes(body)
    return request._body


def _is_signed(request: Request, body: bytes, secret: bytes) -> bool:
    """Slack's signature over the raw bytes, within five minutes; https://docs.slack.dev/authentication/."""
    stamp = request.headers.get("x-slack-request-timestamp", "")
    sent_at = _number(stamp)
    if sent_at is None:
        return False
    expected = "v0=" + hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), request.headers.get("x-slack-signature", "").encode()):
        return False
    age = time.time() - sent_at
    if abs(age) <= CLOCK_SKEW_SECONDS:
        return True
    when = f"{abs(age):.0f} s {'ago' if age > 0 else 'from now'}"
    log.warning("refused what Slack signed %s by this machine's clock: see that NTP sets it", when)
    return False


def _number(text: str) -> int | None:
    """The number in a header; None for anything but ASCII digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else None


def _is_readable(request: Request, body: bytes) -> bool:
    """Whether the body is what Slack sends: JSON, or a form that is a command or holds a payload, of a known shape."""
    try:
        text = body.decode()
        if text.startswith("{") or request.headers.get("content-type", "").lower().startswith("application/json"):
            return is_shaped(json.loads(text))
        fields = dict(parse_qsl(text, keep_blank_values=True))
        if "payload" in fields:
            return is_shaped(json.loads(fields["payload"]))
        return not FORMS.isdisjoint(fields)
    except (ValueError, RecursionError):
        return False
