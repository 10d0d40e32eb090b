"""Slack's side of a benchmark: signed commands on their way in, and a stand-in that answers every call at once."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import urlencode

SECRET, TOKEN = "a-secret-for-benchmarks", "xoxb-benchmarks"
TEAM, PERSON, CHANNEL, BOT = "T0BENCH", "U0ANA", "C0BENCH", "U0BOT"

_numbers = count(1)


def command(port: int, api: str, name: str, text: str) -> bytes:
    """The bytes of one signed request, which no other equals; what is said later goes to the Web API's address."""
    fields = {
        "token": "x",
        "team_id": TEAM,
        "team_domain": "bench",
        "channel_id": CHANNEL,
        "channel_name": "bench",
        "user_id": PERSON,
        "user_name": "ana",
        "command": name,
        "text": text,
        "api_app_id": "A0BENCH",
        "is_enterprise_install": "false",
        "response_url": f"{api}response",
        "trigger_id": f"{next(_numbers)}.{time.time_ns()}",
    }
    body = urlencode(fields).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={signature}\r\n\r\n"
    )
    return head.encode() + body


# What Slack says of those whom `benchmarks.data` stores, so that reading them again changes nothing.
_PERSON = {"id": PERSON, "team_id": TEAM, "name": "ana", "real_name": "Ana Torres", "tz": "Europe/Berlin"}
_CHANNEL = {"id": CHANNEL, "name": "bench", "is_channel": True, "is_private": False, "is_member": True}
_ANSWERS: dict[str, dict[str, Any]] = {
    "auth.test": {"team_id": TEAM, "team": "Bench", "user_id": BOT, "bot_id": "B0BOT", "user": "steward"},
    "users.list": {"members": [_PERSON]},
    "conversations.list": {"channels": [_CHANNEL]},
    "conversations.info": {"channel": _CHANNEL},
    "conversations.members": {"members": [PERSON]},
    "views.open": {"view": {"id": "V0", "hash": "1.1"}},
}


@asynccontextmanager
async def stand_in() -> AsyncIterator[str]:
    """The address of a Web API that does whatever it is asked and says so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                await reader.readexactly(length)
                method = head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
                posted = {"channel": CHANNEL, "ts": f"{next(_numbers)}.000100"}
                body = json.dumps({"ok": True, **_ANSWERS.get(method, posted)}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/"
    finally:
        server.close()
