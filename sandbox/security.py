"""Keeps other web sites away from the page and its API, and tells browsers what the page may load."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

APP_PATHS = ("/api/", "/socket/", "/response/", "/upload/")
LARGEST_BODY = 4_000_000
LARGEST_UPLOAD = 55_000_000

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: https:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass
class Hosts:
    """The addresses the sandbox answers to. Known once it listens; on every interface any bare address will do, for
    only a name can be pointed elsewhere by somebody else."""

    names: set[str] = field(default_factory=set)
    any_address: bool = False

    def __contains__(self, host: str) -> bool:
        return host in self.names or (self.any_address and _is_address(host))


def is_loopback(host: str) -> bool:
    """Does this name or address mean this computer?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True


class Guard:
    """Checks Host, Origin and size before a request gets in, and adds headers on its way out.

    What apps use (Web API, sockets, response URLs, uploads) is protected by tokens and secrets instead.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["path"], headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        limit = LARGEST_UPLOAD if "upload" in scope["path"] else LARGEST_BODY
        if int(headers.get("content-length") or 0) > limit:
            await PlainTextResponse("This is too large.", 413)(scope, receive, send)
            return
        await self.app(scope, _limited(receive, limit), _with_headers(send))

    def _refusal(self, path: str, headers: Headers) -> PlainTextResponse | None:
        if path.startswith(APP_PATHS):
            return None
        if headers.get("host", "") not in self.hosts:
            return PlainTextResponse("Open the sandbox under the address it printed.", 421)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc not in self.hosts:
            return PlainTextResponse("Other web sites may not use the sandbox.", 403)
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") and "/sandbox/" in path:
            return PlainTextResponse("Other web sites may not use the sandbox.", 403)
        return None


def _limited(receive: Receive, limit: int) -> Receive:
    """Stops a body of no stated length when it grows beyond the limit."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413)
        return message

    return counted


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded
