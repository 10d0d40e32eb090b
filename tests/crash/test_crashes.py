"""kill -9 at random instants, a stop longer than the lease, and Slack in every kind of trouble: nothing twice or lost.

The short version of `make soak`; the seed is printed, and can be given again as SEED.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.crash.storm import LEASE_SECONDS, storm

KILLS = 2


@pytest.mark.parametrize(
    ("engine", "workers"), [("sqlite", 1), ("postgresql", 2)], ids=["one worker", "two workers"], indirect=["engine"]
)
async def test_whatever_dies_nothing_is_posted_twice_and_nothing_is_lost(
    tmp_path: Path, database_url: str, workers: int
) -> None:
    """What nobody could find out about stays out, and is never more than the calls that were cut off."""
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    print(f"SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    async with storm(tmp_path, database_url, workers=workers, seed=seed) as running:
        freezing = asyncio.create_task(running.freeze(LEASE_SECONDS + 1)) if workers > 1 else None
        for number in range(KILLS):
            await asyncio.sleep(running.chance.uniform(0.2, 2.5))
            await running.fail()
            await running.kill()
            if number == KILLS // 2:
                await running.be_unreachable(1.0)
        if freezing:
            await freezing
        await running.settled()
        told = await running.told()

    assert told.is_well, (seed, told)
    assert told.owed > 0
