"""A wire between Steward and a PostgreSQL: cut, gone dead, or down, and mended again, while the server goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.engine import make_url

CHUNK = 65_536


class Wire:
    """Carries bytes to the server in `url`; `through` is the address for a program that is to come this way."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._open: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._ends: tuple[bytes, bool] | None = None

    @property
    def through(self) -> str:
        there = self._url.set(host="127.0.0.1", port=self._port, query={})
        return there.render_as_string(hide_password=False)

    async def mend(self) -> None:
        """Take connections and carry again."""
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._take, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        for writer in list(self._open):
            writer.transport.abort()

    def go_dead(self) -> None:
        """Carry nothing, and say nothing: as of a server that hangs, or a network that swallows."""
        self._flows.clear()

    async def go_down(self) -> None:
        """Break every connection and refuse new ones, as of a server that is stopped."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def break_at_the_commit_of(self, words: str, *, carrying_it: bool) -> None:
        """Break the connection over which these words went as they are committed: in place of the answer, or before."""
        self._ends = (words.encode(), carrying_it)

    async def close(self) -> None:
        await self.go_down()
        self._flows.set()
        await asyncio.gather(*self._carrying)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        try:
            there_reader, there_writer = await self._connected()
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there_writer}
        breaks = asyncio.Event()
        try:
            await asyncio.gather(
                self._carry_requests(reader, there_writer, breaks), self._carry(there_reader, writer, breaks)
            )
        finally:
            self._open -= {writer, there_writer}
            writer.transport.abort()
            there_writer.transport.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = self._url.query.get("host")
        if isinstance(folder, str):
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{self._url.port or 5432}")
        return await asyncio.open_connection(self._url.host, self._url.port or 5432)

    async def _carry_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, breaks: asyncio.Event
    ) -> None:
        """As `_carry`, on the look-out for the words at whose commit the connection is to break."""
        is_the_one = False
        with suppress(OSError):
            while (data := await self._chunk(reader)) and not writer.is_closing():
                is_the_one = is_the_one or (self._ends is not None and self._ends[0] in data)
                if is_the_one and self._ends is not None and b"COMMIT" in data:
                    carrying_it, self._ends = self._ends[1], None
                    breaks.set()
                    if not carrying_it:
                        break
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, breaks: asyncio.Event) -> None:
        with suppress(OSError):
            while (data := await self._chunk(reader)) and not (breaks.is_set() or writer.is_closing()):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _chunk(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.read(CHUNK)
        await self._flows.wait()
        return data


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[Wire]:
    """A wire that carries, until the block is left."""
    wire = Wire(url)
    await wire.mend()
    try:
        yield wire
    finally:
        await wire.close()
