"""Signed HTTP: what Slack posts to an app's request URL."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from sandbox.delivery import Ack, Shipment
from sandbox.manifest import App, Credentials
from sandbox.workspace import Json

REDIRECTS = 2


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of X-Slack-Signature."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class RequestUrl:
    """Posts to the addresses of an app, with its signing secret."""

    def __init__(self, app: App, credentials: Credentials) -> None:
        self._app = app
        self._secret = credentials.signing_secret
        self._session: aiohttp.ClientSession | None = None

    async def send(self, shipment: Shipment, timeout: float) -> Ack:
        """Post once and read the answer."""
        url = self._address(shipment)
        if url is None:
            return Ack(error="connection_failed")
        body, content_type = _encode(shipment)
        headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        if shipment.attempt:
            headers |= {"X-Slack-Retry-Num": str(shipment.attempt), "X-Slack-Retry-Reason": shipment.reason}
        return await self._post(url, body, headers, timeout)

    async def verify(self, payload: Json, timeout: float) -> bool:
        """Does the events address answer Slack's challenge?"""
        url = self._app.urls.events
        if url is None:
            return False
        headers = {"Content-Type": "application/json"}
        ack = await self._post(url, json.dumps(payload).encode(), headers, timeout)
        answer = ack.body.get("challenge") if isinstance(ack.body, dict) else ack.body
        return ack.ok and answer == payload["challenge"]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _address(self, shipment: Shipment) -> str | None:
        if shipment.envelope == "events_api":
            return self._app.urls.events
        if shipment.envelope == "slash_commands":
            command = self._app.command(str(shipment.payload["command"]))
            return self._app.urls.commands or (command.url if command else None)
        return self._app.urls.options if shipment.kind == "block_suggestion" else self._app.urls.interactivity

    async def _post(self, url: str, body: bytes, headers: dict[str, str], timeout: float) -> Ack:
        timestamp = str(int(time.time()))
        signed = {
            **headers,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._secret, timestamp, body),
        }
        if self._session is None:
            self._session = aiohttp.ClientSession()
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with self._session.post(
                url, data=body, headers=signed, timeout=limit, max_redirects=REDIRECTS
            ) as response:
                return await _read(response)
        except TimeoutError:
            return Ack(error="http_timeout")
        except aiohttp.TooManyRedirects:
            return Ack(error="too_many_redirects")
        except aiohttp.ClientSSLError:
            return Ack(error="ssl_error")
        except (aiohttp.ClientError, OSError):
            return Ack(error="connection_failed")


def _encode(shipment: Shipment) -> tuple[bytes, str]:
    if shipment.envelope == "events_api":
        return json.dumps(shipment.payload).encode(), "application/json"
    fields = shipment.payload if shipment.envelope == "slash_commands" else {"payload": json.dumps(shipment.payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


async def _read(response: aiohttp.ClientResponse) -> Ack:
    raw = await response.read()
    no_retry = response.headers.get("x-slack-no-retry") == "1"
    if not 200 <= response.status < 300:
        return Ack(response.status, error="http_error", no_retry=no_retry)
    return Ack(response.status, _body(raw.decode(errors="replace"), response.content_type), no_retry=no_retry)


def _body(text: str, content_type: str) -> Json | str | None:
    if not text.strip():
        return None
    if content_type == "application/json" or text.lstrip().startswith("{"):
        try:
            decoded = json.loads(text)
        except ValueError:
            return text
        return decoded if isinstance(decoded, dict) else text
    return text
