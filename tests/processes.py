"""Steward as people run it: real processes with an environment and a folder of their own."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp

from tests.waiting import PATIENCE_SECONDS

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Finished:
    """A command that came to its end."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


class Program:
    """A running process; what it prints to either stream is kept in `said`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._reading = asyncio.create_task(self._read())
        self._news = asyncio.Condition()
        self.said = ""

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            async with self._news:
                self.said += line.decode()
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def says(self, pattern: str) -> str:
        """Wait until the pattern has been printed; its first group, or all of it. Fails when the process ends first."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._news:
            while not (found := re.search(pattern, self.said)):
                assert not self._process.stdout.at_eof(), f"ended without {pattern!r}:\n{self.said}"  # type: ignore[union-attr]
                await self._news.wait()
        return found[1] if found.groups() else found[0]

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    @property
    def processor_seconds(self) -> float:
        """What it has taken of the processor so far; nothing where the system does not tell."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        if not stat.exists():
            return 0.0
        user, system = stat.read_text().rpartition(") ")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    async def ended(self) -> int:
        """Its exit code, once it has ended and everything it printed was read."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await self._process.wait()
            await self._reading
        return code

    async def stopped(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to stop: the exit code, and the seconds it took."""
        begun = monotonic()
        self._process.send_signal(number)
        return await self.ended(), monotonic() - begun

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if not self.has_ended:
            self._process.send_signal(number)

    async def kill(self) -> None:
        if not self.has_ended:
            self._process.kill()
        await self._process.wait()
        await self._reading


class Machine:
    """A bare machine: an empty folder to work in, one for temporary files, and no variables but those given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.temporary = folder / "tmp"
        self.folder.mkdir()
        self.temporary.mkdir()

    @property
    def files(self) -> list[str]:
        """Every file on the machine, temporary ones included."""
        found = [path for place in (self.folder, self.temporary) for path in place.rglob("*")]
        return sorted(str(path.relative_to(self.folder.parent)) for path in found)

    @asynccontextmanager
    async def steward(self, *arguments: str, **variables: object) -> AsyncIterator[Program]:
        """`steward ARGUMENTS`, until the block is left."""
        async with self.program(str(BIN / "steward"), *arguments, **variables) as program:
            yield program

    @asynccontextmanager
    async def program(self, *command: str, **variables: object) -> AsyncIterator[Program]:
        program = Program(
            await asyncio.create_subprocess_exec(
                *command,
                cwd=self.folder,
                env=self._environment(variables),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        )
        try:
            yield program
        finally:
            await program.kill()

    async def run(self, *arguments: str, **variables: object) -> Finished:
        """`steward ARGUMENTS`, to its end."""
        process = await asyncio.create_subprocess_exec(
            str(BIN / "steward"),
            *arguments,
            cwd=self.folder,
            env=self._environment(variables),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        assert process.returncode is not None
        return Finished(process.returncode, out.decode(), err.decode())

    def _environment(self, variables: dict[str, object]) -> dict[str, str]:
        return {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder.parent),
            "TMPDIR": str(self.temporary),
            "PYTHONWARNINGS": "error",
            # The program beside these tests, also where another working copy is the installed one.
            "PYTHONPATH": str(ROOT),
            **{name: str(value) for name, value in variables.items()},
        }


class Page:
    """The sandbox's page as a browser uses it, for one person at a time."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def people(self) -> dict[str, str]:
        """Name -> id."""
        return {person["name"]: person["id"] for person in (await self._get("boot"))["people"]}

    async def conversations(self, person: str) -> dict[str, str]:
        """Name -> id, of what the person sees."""
        return {room["name"]: room["id"] for room in (await self._get("boot", person=person))["conversations"]}

    async def messages(self, person: str, channel: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._get("conversation", person=person, channel=channel))["messages"]
        return found

    async def command(self, person: str, channel: str, command: str, text: str) -> dict[str, Any]:
        body = {"do": "command", "person": person, "channel": channel, "command": command, "text": text}
        async with self._session.post(f"{self._url}/sandbox/do", json=body) as answer:
            told: dict[str, Any] = await answer.json()
            return told

    async def _get(self, what: str, **query: str) -> Any:
        async with self._session.get(f"{self._url}/sandbox/{what}", params=query) as answer:
            return await answer.json()


@asynccontextmanager
async def page(url: str) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        yield Page(url, session)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def until_it_is(wanted: object, ask: Callable[[], Awaitable[object]]) -> None:
    """Ask, a while, until the answer is the wanted one."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await ask() != wanted:  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.02)
