"""The one HTTP server: Web API, sockets, response URLs, files, and the page with its API."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request as HandshakeRequest

from sandbox import authorisation, files, response_urls, web_api
from sandbox.core import Core
from sandbox.errors import SandboxError
from sandbox.page_api import PageApi
from sandbox.security import Guard, Hosts
from sandbox.socket_mode import SocketMode
from sandbox.workspaces import Workspaces

STATIC = Path(__file__).parent / "page" / "static"


class CuttableProtocol(HttpToolsProtocol):
    """HTTP whose handlers can cut the connection, for answers that get lost."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["abort"] = self.transport.abort


class SilentProtocol(WebSocketsSansIOProtocol):
    """Websockets that can fall silent, as those do whose network is gone without a word."""

    _is_silent = False

    def handle_connect(self, event: HandshakeRequest) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["state"]["silence"] = self.fall_silent

    def fall_silent(self) -> None:
        self.stop_keepalive()
        self._is_silent = True
        self.transport = cast("asyncio.Transport", _Mute(self.transport))

    def data_received(self, data: bytes) -> None:
        if not self._is_silent:
            super().data_received(data)


class _Mute:
    """A transport, but that nothing of what is written goes out."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        pass


class EmbeddedServer(uvicorn.Server):
    """A server that leaves signals to the program it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listening:
    """The server on its address, from start() to stop()."""

    def __init__(self, workspaces: Workspaces, host: str, port: int) -> None:
        hosts = Hosts(any_address=host in ("0.0.0.0", "::"))
        config = uvicorn.Config(
            application(workspaces, hosts),
            log_config=None,
            log_level="warning",
            access_log=False,
            http=CuttableProtocol,
            ws=SilentProtocol,
            lifespan="off",
            server_header=False,
            date_header=False,  # the workspaces' time is told instead
            timeout_graceful_shutdown=1,
        )
        self._server = EmbeddedServer(config)
        self._socket = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.host = host
        hosts.names |= {f"{name}:{self.port}" for name in (host, "127.0.0.1", "localhost")}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise SandboxError("The sandbox could not start its server.")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio turns off Nagle's delay; without, every answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SandboxError(f"The sandbox cannot use {host}:{port}: {error.strerror}. Choose another port.") from error
    return listener


def application(workspaces: Workspaces, hosts: Hosts) -> Starlette:
    """Everything the sandbox serves."""
    bound = partial(_bound, workspaces)
    routes: list[BaseRoute] = [
        Route("/api/{method}", bound(web_api.handle), methods=["GET", "POST"]),
        Route("/response/{kind}/{team}/{secret}", bound(response_urls.handle), methods=["POST"]),
        Route("/upload/v1/{file_id}", bound(files.receive), methods=["POST", "PUT"]),
        Route("/files/{file_id}/{name:path}", bound(files.send)),
        Route("/oauth/v2/authorize", bound(authorisation.handle), methods=["GET", "POST"]),
        Route("/archives/{channel}/{permalink}", bound(_permalink)),
        WebSocketRoute("/socket/link/", partial(_socket, workspaces.first)),
        *PageApi(workspaces).routes(),
        Route("/", _page),
        Mount("/", _Page(directory=STATIC, check_dir=False)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, hosts=hosts)])


def _bound(
    workspaces: Workspaces, handler: Callable[[Workspaces, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(workspaces, request)

    return endpoint


async def _socket(core: Core, socket: WebSocket) -> None:
    transport = core.courier.transport
    if isinstance(transport, SocketMode):
        await transport.serve(socket)
    else:
        await socket.close(1008)


class _Page(StaticFiles):
    """The page's files; a browser asks each time, so that it never mixes modules of two releases."""

    def file_response(self, *args: Any, **named: Any) -> Response:
        response = super().file_response(*args, **named)
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _page(_request: Request) -> Response:
    index = STATIC / "index.html"
    if not index.exists():
        return PlainTextResponse("The sandbox runs, but its page is not installed.", 404)
    return FileResponse(index, headers={"Cache-Control": "no-cache"})


async def _permalink(workspaces: Workspaces, request: Request) -> Response:
    """A permalink opens its message in the page, as somebody of the workspace it is in."""
    digits = request.path_params["permalink"].removeprefix("p")
    thread = request.query_params.get("thread_ts", "")
    more = f"&thread_ts={thread}" if thread.replace(".", "").isdecimal() else ""
    core = workspaces.of_channel(request.path_params["channel"])
    if core is not None and core is not workspaces.first:
        more += f"&team={core.workspace.id}"
    if not digits.isdecimal() or not request.path_params["channel"].isalnum():
        return PlainTextResponse("There is no such message.", 404)
    return RedirectResponse(f"/?channel={request.path_params['channel']}&ts={digits[:-6]}.{digits[-6:]}{more}")
