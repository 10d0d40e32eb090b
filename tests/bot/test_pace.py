"""How fast Slack may be called."""

import asyncio

from bot.pace import Pace
from tests.support import WORKSPACE


async def test_turns_of_one_channel_keep_their_distance() -> None:
    pace, loop = Pace(0.05), asyncio.get_running_loop()

    async def turn(channel: str) -> float:
        async with pace.turn(WORKSPACE, channel, halt=asyncio.Event()):
            return loop.time()

    begun = loop.time()
    times = await asyncio.gather(*(turn("CBUSY") for _ in range(4)), turn("CFREE"))

    assert all(at - begun >= number * 0.05 - 0.001 for number, at in enumerate(times[:4]))
    assert times[4] < times[3]


async def test_a_channel_is_busy_until_its_distance_is_kept_and_only_in_its_workspace() -> None:
    pace = Pace(30)
    async with pace.turn(WORKSPACE, "CBUSY", halt=asyncio.Event()):
        pass

    assert 29 < pace.busy(WORKSPACE)["CBUSY"] <= 30
    assert pace.busy("T0002") == {}
