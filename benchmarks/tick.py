"""What a look of the clock costs: with a million open records and with ten thousand, nothing due and ten thousand due.

Every statement that the looks and the sender's claims send is explained by the database; the benchmark fails when one
of them reads the whole of a large table.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from benchmarks.clockwork import NIGHT, NINE, fill
from benchmarks.goals import Goal
from benchmarks.plans import Scan, Watch, scans
from benchmarks.slack import TEAM
from bot import migrate
from models.backlog import backlog
from models.database import Database
from models.tables import Delivery, DeliveryState
from scheduler import deliveries
from scheduler.jobs import JOBS
from scheduler.notices import DELIVERY_KINDS
from scheduler.runner import Runner

KINDS = deliveries.by_key(DELIVERY_KINDS)
IDLE_LOOKS = 30
CLAIMS = 5
# What one claim takes at most, as the sender asks for it.
AT_ONCE = 8


class HandClock:
    """A clock that is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Load:
    """How many open records there are, how many of them come due at one moment, and what was sent before."""

    records: int
    due: int
    finished: int


@dataclass(frozen=True)
class Costs:
    """Milliseconds of a look when nothing is due, of the look at which all comes due, and of what the sender does then.

    That is to look for what is too late or overtaken, and a claim.
    """

    engine: str
    load: Load
    filled_seconds: float
    idle: float
    due: float
    owed: int
    tidied: float
    claim: float


FULL = (Load(10_000, 10_000, 10_000), Load(1_000_000, 10_000, 200_000))
QUICK = (Load(200, 100, 100), Load(2_000, 100, 2_000))


async def measure(
    engine: str, new_database: Callable[[], str], loads: tuple[Load, ...]
) -> tuple[list[Costs], list[Scan]]:
    """What it costs with each load, and the statements that read a whole table."""
    found: list[Costs] = []
    bad: list[Scan] = []
    for load in loads:
        costs, scanning = await _measure(engine, new_database(), load)
        found.append(costs)
        bad += scanning
    return found, bad


def goals(found: list[Costs]) -> list[Goal]:
    """How near it came to costing the same over many records as over few."""
    few, many = found[0], found[-1]
    return [
        Goal(f"{many.engine}: idle look, many records × few", many.idle, few.idle, 1.5, 1.2),
        Goal(f"{many.engine}: look with much due, many records × few", many.due, few.due, 2.5, 1.5),
    ]


async def _measure(engine: str, url: str, load: Load) -> tuple[Costs, list[Scan]]:
    await asyncio.to_thread(migrate.upgrade, url)
    async with AsyncExitStack() as stack:
        database = Database(url, wait_ms=60_000)
        stack.push_async_callback(database.dispose)
        begun = time.perf_counter()
        await fill(database, records=load.records, due=load.due, finished=load.finished)
        filled = time.perf_counter() - begun
        clock, watch = HandClock(NIGHT), Watch()
        runner = Runner(database, clock=clock, wall=clock, wake=lambda: None)
        await looks(database, runner, clock, watch)
        idle = [await _timed(runner) for _ in range(IDLE_LOOKS)]
        clock.at = NINE
        with watch.on(database, "a look at which much is due"):
            at_once = await _timed(runner)
        owed = await _owed(database)
        tidied, claims = await claim_some(database, clock.at, watch)
        found = await scans(database, [*watch.sent], rows=load.due * 2)
        # The quickest says what it costs, and not what else the machine does.
        return Costs(engine, load, filled, min(idle), at_once, owed, tidied, min(claims)), found


async def looks(database: Database, runner: Runner, clock: HandClock, watch: Watch) -> None:
    """The first looks, which plan what is to come, and one of each job by itself."""
    with watch.on(database, "a look"):
        await runner.tick()
        await runner.tick()
        await runner.clean_up()
    for job in JOBS:
        with watch.on(database, f"the job {job.id!r}"):
            async with database.unit(TEAM) as session:
                await job.run(session, clock.now())
    with watch.on(database, "the question of /healthz"):
        await backlog(database, now=clock.now())


async def claim_some(database: Database, now: datetime, watch: Watch) -> tuple[float, list[float]]:
    """The milliseconds of what the sender does once before it claims, and those of some claims."""
    begun = time.perf_counter()
    with watch.on(database, "what is too late or overtaken"):
        async with database.unit(TEAM) as session:
            await deliveries.expire(session, KINDS, now=now)
            await deliveries.supersede(session, KINDS, now=now)
    tidied, spent = (time.perf_counter() - begun) * 1_000, []
    for _ in range(CLAIMS):
        begun = time.perf_counter()
        with watch.on(database, "a claim"):
            async with database.unit(TEAM) as session:
                queued = await deliveries.next_stretch(session, KINDS, now=now, limit=AT_ONCE, except_targets=())
                await deliveries.was_left(session, KINDS, wall=now)
                await deliveries.claim(session, KINDS, now=now, wall=now, worker="bench", limit=AT_ONCE, within=queued)
        spent.append((time.perf_counter() - begun) * 1_000)
    return tidied, spent


async def _timed(runner: Runner) -> float:
    begun = time.perf_counter()
    await runner.tick()
    if runner.failures:
        raise SystemExit(f"the clock's work failed: {dict(runner.failures)}")
    return (time.perf_counter() - begun) * 1_000


async def _owed(database: Database) -> int:
    async with database.unit(TEAM, writes=False) as session:
        query = select(func.count()).select_from(Delivery).where(col(Delivery.state) == DeliveryState.DUE)
        return int((await session.execute(query)).scalar_one())


def drawn(found: list[Costs]) -> str:
    """The table, in Markdown; the costs of each row beside those of the engine's first."""
    lines = [
        "| database | open records | idle look ms | × | look with much due ms | × | owed by it "
        "| too late, overtaken ms | × | one claim ms | × |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in found:
        first = next(other for other in found if other.engine == each.engine)
        cells = [each.engine, f"{each.load.records:,}"]
        pairs = [(each.idle, first.idle), (each.due, first.due), (each.tidied, first.tidied), (each.claim, first.claim)]
        for value, of_first in pairs:
            cells += [f"{value:.1f}", f"{value / of_first:.2f}"]
        cells.insert(6, f"{each.owed:,}")
        lines.append(f"| {' | '.join(cells)} |")
    filled = ", ".join(f"{each.engine} {each.load.records:,} in {each.filled_seconds:.0f} s" for each in found)
    return "\n".join([*lines, "", f"Filled: {filled}."])
