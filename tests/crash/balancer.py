"""What stands in front of several `web`s, as docs/host-it.md describes it: a dead one's requests go to the next."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import aiohttp
from aiohttp import web

# A request that broke off is sent again, although it is a POST: Steward lets each take effect once.
RETRIED = frozenset({502, 503})
PATIENCE_SECONDS = 30.0


class Balancer:
    """Takes requests at one port and hands them to others in turn. `done` counts what it had to do for them."""

    def __init__(self, ports: list[int]) -> None:
        self.done: Counter[str] = Counter()
        self._ports = ports
        self._turns = cycle(range(len(ports)))
        self._session: aiohttp.ClientSession | None = None

    async def pass_on(self, request: web.Request) -> web.Response:
        body, headers = await request.read(), dict(request.headers)
        first = next(self._turns)
        for port in self._ports[first:] + self._ports[:first]:
            answer = await self._asked(f"http://127.0.0.1:{port}{request.path}", body, headers)
            if answer is not None:
                return answer
            self.done["passed on"] += 1
        self.done["given up"] += 1
        return web.Response(status=502)

    async def _asked(self, url: str, body: bytes, headers: dict[str, str]) -> web.Response | None:
        """What that one answers; None when it is not there, or was not to the end."""
        assert self._session is not None
        try:
            async with self._session.post(url, data=body, headers=headers) as answer:
                said = await answer.read()
        except (aiohttp.ClientError, OSError):
            return None
        if answer.status in RETRIED:
            return None
        return web.Response(status=answer.status, body=said, content_type=answer.content_type)


@asynccontextmanager
async def balancer_over(ports: list[int]) -> AsyncIterator[tuple[Balancer, int]]:
    """A balancer over these ports, and its own port, until the block is left."""
    made = Balancer(ports)
    application = web.Application(client_max_size=2**20)
    application.router.add_post("/{path:.*}", made.pass_on)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    # A connection for each request, as nginx opens them unless it is told otherwise.
    connector = aiohttp.TCPConnector(force_close=True)
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        made._session = session
        try:
            yield made, runner.addresses[0][1]
        finally:
            await runner.cleanup()
