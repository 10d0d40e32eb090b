"""HTTP: Slack's signed requests behind a front door that looks at every byte first, and `/healthz`."""

import asyncio
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from models.database import Database
from scheduler.runner import HEARTBEAT

BODY_MAX_BYTES = 1_000_000
CLOCK_SKEW_SECONDS = 300
HEARTBEAT_MAX = timedelta(seconds=60)


def application(bolt: AsyncApp, database: Database, signing_secret: str) -> Starlette:
    """The web application of one workspace."""
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
        return await handler.handle(request)

    async def healthz(request: Request) -> Response:
        problem = await health_problem(database)
        return JSONResponse({"ok": problem is None, "problem": problem}, 200 if problem is None else 503)

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/healthz", healthz)])


async def health_problem(database: Database) -> str | None:
    """What is wrong with the installation, or None: the database must answer and a ticker must have beaten lately."""
    try:
        async with asyncio.timeout(5):
            beat = await database.last_beat(HEARTBEAT)
    except Exception as error:
        return f"the database does not answer ({type(error).__name__})"
    if beat is None:
        return "no ticker has run yet: start `steward worker`"
    silent = datetime.now(UTC) - beat
    if silent > HEARTBEAT_MAX:
        return f"the ticker has been silent for {int(silent.total_seconds())} s: look after `steward worker`"
    return None


async def _body_within_limit(request: Request) -> bytes | None:
    """The raw body, kept on the request for Bolt, or None when it is over the limit; never reads on past it."""
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared) > BODY_MAX_BYTES:
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
    if not stamp.isascii() or not stamp.isdigit() or abs(time.time() - int(stamp)) > CLOCK_SKEW_SECONDS:
        return False
    expected = "v0=" + hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), request.headers.get("x-slack-signature", "").encode())


def _is_readable(request: Request, body: bytes) -> bool:
    """Whether the body is an object: JSON, or a form whose `payload`, if any, is JSON."""
    try:
        text = body.decode()
        if request.headers.get("content-type", "").startswith("application/json"):
            return isinstance(json.loads(text), dict)
        fields = parse_qs(text, keep_blank_values=True)
        return "payload" not in fields or isinstance(json.loads(fields["payload"][0]), dict)
    except (ValueError, RecursionError):
        return False
