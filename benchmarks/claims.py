"""How fast due messages are claimed by one worker and by two, each a process of its own, and whether any is twice.

Run as `python -m benchmarks.claims URL` it is one of the workers: it says when it is ready, waits for a line, claims
until nothing is left and prints what it took.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from benchmarks.clockwork import NIGHT
from benchmarks.goals import Goal
from benchmarks.slack import BOT, TEAM
from bot import migrate
from models.database import Database
from models.tables import Delivery, DeliveryState, Workspace, table_of
from scheduler import deliveries
from scheduler.notices import DELIVERY_KINDS

KINDS = deliveries.by_key(DELIVERY_KINDS)
ROWS_A_CLAIM = 20
WORKERS = (1, 2)
# Longer than any of this takes: nobody takes over what another claimed.
LEASE = timedelta(hours=1)

_keys = count(1)


@dataclass(frozen=True)
class Claims:
    """So many rows claimed a second by so many workers, and how many of them were claimed twice in all rounds."""

    workers: int
    a_second: float
    twice: int


async def measure(new_database: Callable[[], str], rows: int, rounds: int) -> list[Claims]:
    """Medians of the rounds, in which each number of workers claims so many rows in turn."""
    url = new_database()
    await asyncio.to_thread(migrate.upgrade, url)
    async with Database(url) as database:
        async with database.engine.execution_options(steward_writes=True).begin() as connection:
            workspace = Workspace(id=TEAM, name="Bench", bot_user_id=BOT)
            await connection.execute(insert(table_of(Workspace)).values(**workspace.model_dump()))
        speeds: dict[int, list[float]] = {workers: [] for workers in WORKERS}
        twice = dict.fromkeys(WORKERS, 0)
        for _ in range(rounds):
            for workers in WORKERS:
                await _owe(database, rows)
                taken, seconds = await _claimed_by(workers, url)
                if len(set(taken)) != rows:
                    raise SystemExit(f"{rows} rows were due, {len(set(taken))} were claimed")
                speeds[workers].append(rows / seconds)
                twice[workers] += len(taken) - rows
    return [Claims(workers, statistics.median(speeds[workers]), twice[workers]) for workers in WORKERS]


async def _owe(database: Database, rows: int) -> None:
    """So many due words, each in a lane of its own."""
    keys = [f"bench:{next(_keys)}" for _ in range(rows)]
    word = Delivery(
        workspace_id=TEAM, kind="word", dedupe_key="", lane="", target="U1", due_at=NIGHT, state=DeliveryState.DUE
    ).model_dump(exclude={"id"})
    async with database.engine.execution_options(steward_writes=True).begin() as connection:
        await connection.execute(insert(table_of(Delivery)), [word | {"dedupe_key": key, "lane": key} for key in keys])


async def _claimed_by(workers: int, url: str) -> tuple[list[int], float]:
    """The ids that so many workers claimed, and the seconds that passed until the last had found nothing left."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.claims", url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        for _ in range(workers)
    ]
    told = []
    for process in processes:
        assert process.stdout is not None
        await process.stdout.readline()
    begun = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
    for process in processes:
        assert process.stdout is not None
        told.append(json.loads(await process.stdout.readline()))
    seconds = time.perf_counter() - begun
    await asyncio.gather(*(process.wait() for process in processes))
    return [row for ids in told for row in ids], seconds


async def _work(url: str) -> None:
    async with Database(url) as database:
        await _claim(database, limit=0)
        print("ready", flush=True)  # noqa: T201 - to whoever started it
        await asyncio.to_thread(sys.stdin.readline)
        taken: list[int] = []
        while ids := await _claim(database, limit=ROWS_A_CLAIM):
            taken += ids
        print(json.dumps(taken), flush=True)  # noqa: T201


async def _claim(database: Database, *, limit: int) -> list[int]:
    """Claim once, again where another was faster; the ids."""
    while True:
        try:
            async with database.unit(TEAM) as session:
                claimed = await deliveries.claim(
                    session, KINDS, now=NIGHT, wall=NIGHT, worker="bench", limit=limit, lease=LEASE
                )
                return [row.id or 0 for row in claimed]
        except IntegrityError:
            continue


def goals(engine: str, found: Sequence[Claims]) -> list[Goal]:
    """What two workers are to be beside one. SQLite has one writer, so nothing is asked of it."""
    one, two = found
    faster = Goal(f"{engine}: claims, two workers × one", two.a_second, one.a_second, 1.2, 1.4, at_least=True)
    return [faster] if engine == "PostgreSQL" else []


def drawn(found: Sequence[Claims]) -> str:
    """The table, in Markdown."""
    rows = [f"| {each.workers} | {each.a_second:.0f} | {each.twice} |" for each in found]
    head = f"| workers that claim {ROWS_A_CLAIM} rows at a time | rows a second | claimed twice |"
    return "\n".join([head, "|---|---|---|", *rows])


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
