"""Requests as fast as they are answered, and requests that arrive at a fixed rate whatever the answers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

CONNECTIONS = 64
LATE = b"Still working"
# A server closes what is idle for some seconds, perhaps at the moment at which it is asked again.
IDLE_SECONDS = 3.0

Make = Callable[[], bytes]


class Refused(Exception):
    """An answer that is not what was asked for: what it measured would mean nothing."""


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int, expected: bytes) -> None:
        self._port, self._expected = port, expected
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used_at = 0.0

    async def ask(self, request: bytes) -> bool:
        """Send the request and read its answer: whether it came in time. Raises Refused for any but the expected."""
        if self._streams is None or perf_counter() - self._used_at > IDLE_SECONDS:
            self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        self._used_at = perf_counter()
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        body = await reader.readexactly(length)
        is_late = LATE in body
        if b" 200 " not in head.split(b"\r\n", 1)[0] or not (is_late or self._expected in body):
            raise Refused(f"{head.decode()}{body.decode()[:500]}")
        return not is_late

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


@dataclass(frozen=True)
class Timed:
    """Milliseconds from the moment each request should have been sent to its answer, sorted; how many came too late."""

    latencies: tuple[float, ...]
    late: int

    def percentile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


@dataclass(frozen=True)
class Speed:
    """How many requests were answered in how many seconds, and how many of them with a promise only."""

    answered: int
    late: int
    seconds: float


async def saturate(port: int, make: Make, expected: bytes, seconds: float) -> Speed:
    """The speed at which requests are answered when each connection asks again as soon as it has its answer."""
    began = perf_counter()
    in_time: list[bool] = []

    async def work(connection: Connection) -> None:
        while perf_counter() - began < seconds:
            in_time.append(await connection.ask(make()))

    connections = [Connection(port, expected) for _ in range(CONNECTIONS)]
    try:
        await asyncio.gather(*map(work, connections))
    finally:
        for connection in connections:
            connection.close()
    return Speed(len(in_time), in_time.count(False), perf_counter() - began)


async def arrive(port: int, make: Make, expected: bytes, *, rate: float, number: int) -> Timed:
    """Latencies of so many requests that arrive at that rate (a second), however long the answers take."""
    free: list[Connection] = []
    latencies: list[float] = []
    in_time: list[bool] = []

    async def one(due: float) -> None:
        connection = free.pop() if free else Connection(port, expected)
        in_time.append(await connection.ask(make()))
        latencies.append((perf_counter() - due) * 1_000)
        free.append(connection)

    began = perf_counter()
    under_way = []
    for n in range(number):
        due = began + n / rate
        await asyncio.sleep(max(0.0, due - perf_counter()))
        under_way.append(asyncio.create_task(one(due)))
    try:
        await asyncio.gather(*under_way)
    finally:
        for connection in free:
            connection.close()
    return Timed(tuple(sorted(latencies)), in_time.count(False))
