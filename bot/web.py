"""HTTP: Slack's signed requests behind a front door that looks at every byte first, and `/healthz`."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.shapes import is_shaped
from models.database import Database
from scheduler import deliveries
from scheduler.runner import HEARTBEAT

BODY_MAX_BYTES = 1_000_000
CLOCK_SKEW_SECONDS = 300
HEARTBEAT_MAX = timedelta(seconds=60)
# What Slack would not take is due again after five minutes at most, so that only what nobody looks after is so late.
LATE_MAX = timedelta(minutes=15)
# No number in a header of Slack's is longer; Python refuses to read one of thousands of digits.
DIGITS_MAX = 12
# What a form without a payload holds: a slash command, or Slack's look at the certificate.
FORMS = frozenset({"command", "ssl_check"})
# A request is answered within two seconds (see the edge).
STOP_SECONDS = 3


def application(
    bolt: AsyncApp, database: Database, signing_secret: str, *, pages: Sequence[BaseRoute] = ()
) -> Starlette:
    """The web application: Slack's requests, how things are, and the pages for installing where there are any."""
    handler = AsyncSlackRequestHandler(bolt)
    secret = signing_secret.encode()

    async def events(request: Request) -> Response:
        body = await _body_within_limit(request)
        if body is None:
            return PlainTextResponse("too large", 413)
        if not _is_signed(request, body, secret):
            return PlainTextResponse("not from Slack", 401)
        if not _is_readable(request, body):
            return PlainTextResponse("not readable", 400)
        answer = await handler.handle(request)
        # 404 is Bolt's word for what no listener of ours wants. To Slack it would be a failure, to be tried again.
        return Response() if answer.status_code == 404 else answer

    async def healthz(request: Request) -> Response:
        problem = await health_problem(database)
        return JSONResponse({"ok": problem is None, "problem": problem}, 200 if problem is None else 503)

    served = Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/healthz", healthz), *pages])
    # A path is written as it is or it is not ours; nobody is sent elsewhere.
    served.router.redirect_slashes = False
    return served


async def serve(application: Starlette, listening: socket.socket) -> None:
    """Answer at the listening socket until cancelled; then finish the requests under way, for up to 3 s."""
    server = _Server(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Leaves the signals to the program around it, which has more to stop than this."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def health_problem(database: Database) -> str | None:
    """What is wrong with the installation, or None: the database answers, the ticker beats, and nothing due is late."""
    now = datetime.now(UTC)
    try:
        async with asyncio.timeout(5):
            problem, waiting_since = await ticker_problem(database), await _waiting_since(database, now)
    except Exception as error:
        return f"the database does not answer ({type(error.__cause__ or error).__name__})"
    late = now - waiting_since
    if problem is None and late > LATE_MAX:
        return f"messages have been waiting for {late // timedelta(minutes=1)} minutes: look after `steward worker`"
    return problem


async def ticker_problem(database: Database) -> str | None:
    """What is wrong with the clock's work alone, or None when a ticker has beaten lately."""
    beat = await database.last_beat(HEARTBEAT)
    if beat is None:
        return "no ticker has run yet: start `steward worker`"
    silent = datetime.now(UTC) - beat
    if silent > HEARTBEAT_MAX:
        return f"the ticker has been silent for {int(silent.total_seconds())} s: look after `steward worker`"
    return None


async def _waiting_since(database: Database, now: datetime) -> datetime:
    """When what has been due longest became due, in any workspace; now, when nothing is."""
    found = [now]
    for workspace_id in await database.workspace_ids():
        async with database.unit(workspace_id, writes=False) as session:
            found.append(await deliveries.oldest_due(session, now=now) or now)
    return min(found)


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
    if sent_at is None or abs(time.time() - sent_at) > CLOCK_SKEW_SECONDS:
        return False
    expected = "v0=" + hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), request.headers.get("x-slack-signature", "").encode())


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
