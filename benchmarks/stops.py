"""How long the event loop is busy with one thing, in which nobody else gets a turn.

Counted is its thread's processor time between two turns, so that what else the machine does is not.
"""

import asyncio.events
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.clockwork import NIGHT, NINE, fill
from benchmarks.goals import Goal
from benchmarks.slack import CHANNEL, PERSON, SECRET, TEAM, TOKEN, stand_in
from benchmarks.tick import HandClock, Load
from bot import loading, migrate
from bot.assemble import Slack, Steward
from bot.incoming import Incoming
from handlers.request import Where
from models.clock import SystemClock
from models.database import Database

MOST_DUE = 500
PATIENCE_SECONDS = 60.0
LOOKS = ("list", "list risks overdue high", "find check racks", "summary", "portfolio", "history")


@dataclass(frozen=True)
class Stop:
    """The longest turn of the loop in the course of something, in milliseconds."""

    what: str
    longest: float


@contextmanager
def watched(turns: list[float]) -> Iterator[None]:
    """Note how long each turn of the loop takes meanwhile."""
    handles: Any = asyncio.events.Handle
    take_turn = handles._run

    def timed(handle: asyncio.Handle) -> None:
        begun = time.thread_time()
        take_turn(handle)
        turns.append((time.thread_time() - begun) * 1_000)

    handles._run = timed
    try:
        yield
    finally:
        handles._run = take_turn


async def while_drawing(database: Database) -> list[Stop]:
    """Of what draws most, over a database that `benchmarks.data` filled. The first time of each is left out."""
    async with AsyncExitStack() as stack:
        steward = await _opened(stack, database, SystemClock())
        found = []
        for words in LOOKS:
            for _ in range(2):
                turns: list[float] = []
                with watched(turns):
                    await steward.answer(_command(words))
            found.append(Stop(f"`/steward {words}`", max(turns)))
        return found


async def while_much_is_due(url: str, load: Load) -> list[Stop]:
    """Of the look at which so much comes due at once, and of sending it."""
    await _migrated(url)
    async with AsyncExitStack() as stack:
        database = Database(url, wait_ms=60_000)
        stack.push_async_callback(database.dispose)
        due = min(MOST_DUE, load.due)
        await fill(database, records=load.records, due=due, finished=load.finished)
        clock, turns, sending = HandClock(NIGHT), list[float](), list[float]()
        steward = await _opened(stack, database, clock)
        for _ in range(2):
            await steward.runner.tick()
        clock.at = NINE
        with watched(turns):
            await steward.runner.tick()
        with watched(sending):
            await steward.sender.drain()
        return [Stop(f"a look at which {due} come due", max(turns)), Stop("sending them", max(sending))]


async def _migrated(url: str) -> None:
    await asyncio.to_thread(migrate.upgrade, url)


async def _opened(stack: AsyncExitStack, database: Database, clock: HandClock | SystemClock) -> Steward:
    api = await stack.enter_async_context(stand_in())
    slack = Slack(TOKEN, api, SECRET)
    loading.end()  # as where it is hosted
    steward = Steward(database, slack, clock=clock, pace_seconds=0.0, patience_seconds=PATIENCE_SECONDS)
    stack.push_async_callback(steward.stop)
    await steward.open()
    return steward


def _command(words: str) -> Incoming:
    return Incoming(
        where=Where.COMMAND,
        name="/steward",
        workspace_id=TEAM,
        person_id=PERSON,
        channel_id=CHANNEL,
        channel_name="bench",
        text=words,
        source_key=f"command:{words}:{time.perf_counter_ns()}",
    )


def goals(engine: str, found: Sequence[Stop]) -> list[Goal]:
    """What the longest of the turns is to be."""
    worst = max(found, key=lambda stop: stop.longest)
    return [Goal(f"{engine}: the loop's longest turn, ms ({worst.what})", worst.longest, 1, 100, 20)]


def drawn(found: Sequence[Stop]) -> str:
    """The table, in Markdown."""
    rows = [f"| {each.what} | {each.longest:.1f} |" for each in found]
    return "\n".join(["| the event loop's longest turn in | processor ms |", "|---|---|", *rows])
