"""Processes die, stop and freeze at any instant, and Slack and the database get into every trouble: nothing is lost.

Nor does anything take effect or stand in Slack twice. The short version of `make soak`; the seed is printed, and can be
given again as SEED.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.crash.storm import LEASE_SECONDS, storm
from tests.processes import until_it_is
from tests.wire import wire_to

KILLS = 4
DOWN_SECONDS = 3.0
# Longer than a stop waits, and over before anybody looks for what came of it (see `SETTLE_SECONDS`).
HANG_SECONDS = 7.0


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get("SEED", random.randrange(10**6)))
    print(f"SEED={chosen}")  # noqa: T201 - pytest shows it when the test fails
    return chosen


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_whatever_dies_nothing_is_posted_twice_and_nothing_is_lost(
    tmp_path: Path, database_url: str, seed: int
) -> None:
    """What nobody could find out about stays out, and is never more than the calls that were cut off."""
    async with storm(tmp_path, database_url, workers=1, seed=seed) as running:
        for number in range(KILLS):
            await asyncio.sleep(running.chance.uniform(0.2, 2.5))
            await running.fail()
            await running.kill()
            if number == KILLS // 2:
                await running.be_unreachable(1.0)
        await running.settled()
        told = await running.told()

    assert told.is_well, (seed, told)
    assert told.owed > 0


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_all_processes_are_restarted_and_the_database_goes_and_nobody_need_know(
    tmp_path: Path, database_url: str, seed: int
) -> None:
    """Two of each, one after the other, asked to stop or killed, and one frozen meanwhile for longer than its lease.

    People are always answered: that it is logged or, while the database is down, that nothing was saved.
    """
    async with (
        wire_to(database_url) as wire,
        storm(tmp_path, wire.through, workers=2, webs=2, seed=seed, looks_at=database_url) as running,
    ):
        freezing = asyncio.create_task(running.freeze(LEASE_SECONDS + 1))
        await running.roll(running.webs)
        await running.fail()
        await freezing
        await running.roll(running.workers)
        await until_it_is(200, running.health)

        wire.cut()
        await wire.go_down()
        await until_it_is(503, running.health)
        await asyncio.sleep(DOWN_SECONDS)
        await wire.mend()
        await until_it_is(200, running.health)

        await running.settled()
        told = await running.told()

    assert told.is_well, (seed, told)
    assert (told.failed, told.unheard) == (0, []), (seed, told)
    assert told.put_off > 0
    assert told.owed > 0


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_stop_under_load_takes_less_than_ten_seconds_whatever_hangs(
    tmp_path: Path, database_url: str, seed: int
) -> None:
    """First Slack, then the database; what was under way then is finished by those that start afterwards."""
    async with (
        wire_to(database_url) as wire,
        storm(tmp_path, wire.through, workers=1, seed=seed, looks_at=database_url) as running,
    ):
        running.slack.fail("chat.postMessage", hang=HANG_SECONDS, times=10)
        await until_it_is(True, running.is_calling)
        await running.stop_all()

        await running.start_all()
        wire.go_dead()
        await asyncio.sleep(1.0)
        await running.stop_all()

        await wire.mend()
        await running.start_all()
        await running.settled()
        told = await running.told()

    assert told.is_well, (seed, told)
    assert told.owed > 0
