"""Every order in which two senders, a crash, a freeze and Slack can meet over one delivery, walked through.

The model holds what the world looks like (the row, two senders, what Slack has accepted); each move of the row is made
by the real code on a real database. Time is counted in calls: a call takes at most one tick, a lease lasts three.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import pytest
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.database import Database
from models.tables import Delivery, DeliveryState
from scheduler import deliveries
from scheduler.deliveries import DeliveryKind, Draft, MayRepeat, never, once
from tests.support import NOW, WORKSPACE, make_workspace

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

TICK = timedelta(seconds=20)
LEASE_TICKS = 3
GONE = -1  # a lease that is over by any length
ATTEMPTS = 4  # after so many the walk goes no deeper

# The row's states in which it is claimed by nobody and will be by nobody.
ENDED = {DeliveryState.SENT, DeliveryState.UNCONFIRMED}


class Phase(StrEnum):
    """What a sender is doing."""

    IDLE = "idle"
    CLAIMED = "claimed"
    CALLING = "calling"  # looked at its lease and went on; Slack may accept the message at any moment from now
    ACCEPTED = "accepted"  # Slack has it, and the answer is on its way
    POSTED = "posted"  # knows that it is there
    REFUSED = "refused"  # knows that it is not
    UNSURE = "unsure"  # knows nothing
    LEAVING = "leaving"  # saw that its lease is too short, and is about to give the row back


@dataclass(frozen=True)
class Row:
    state: DeliveryState = DeliveryState.DUE
    attempt: int = 0
    lease: int = GONE


@dataclass(frozen=True)
class Worker:
    """`attempt` and `lease` are as of its claim; `call` is how many ticks its call may still take."""

    phase: Phase = Phase.IDLE
    attempt: int = 0
    lease: int = GONE
    call: int = 0


@dataclass(frozen=True)
class World:
    """`excused` counts the calls of which nobody can know what came: each may cost one message more."""

    row: Row = Row()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    posts: int = 0
    excused: int = 0

    def with_worker(self, number: int, worker: Worker) -> "World":
        others = list(self.workers)
        others[number] = worker
        return replace(self, workers=(others[0], others[1]))


@dataclass(frozen=True)
class Rules:
    """The protocol, or one with a rule left out."""

    may_repeat: MayRepeat = once
    looks_at_lease: bool = True
    lease_ticks: int = LEASE_TICKS
    margin_ticks: int = 1


async def nothing(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    return None


class Protocol:
    """The real transitions, made on one real row that is first brought into the model's state."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self.rules = rules
        self._database = database
        self._kind = DeliveryKind(key="word", draw=nothing, late_limit=None, may_repeat=rules.may_repeat)
        self._known: dict[tuple[str, Row, int], Row] = {}

    async def claim(self, row: Row) -> Row:
        async def work(session: AsyncSession, _: Delivery) -> object:
            return await deliveries.claim(
                session,
                {"word": self._kind},
                now=NOW,
                wall=NOW,
                worker="w",
                limit=1,
                lease=self.rules.lease_ticks * TICK,
            )

        return await self._moved("claim", row, 0, work)

    async def reclaim(self, row: Row) -> Row:
        return await self._moved(
            "reclaim", row, 0, lambda session, _: deliveries.reclaim(session, {"word": self._kind}, now=NOW, wall=NOW)
        )

    async def settle(self, row: Row, worker: Worker) -> Row:
        """What the sender writes down when it has come so far."""

        async def work(session: AsyncSession, claimed: Delivery) -> object:
            match worker.phase:
                case Phase.POSTED:
                    return await deliveries.settle_sent(session, claimed, channel="C", ts="1.0")
                case Phase.UNSURE:
                    return await deliveries.settle_unknown(session, claimed, self._kind, retry_at=NOW, error="timeout")
                case _:
                    return await deliveries.settle_not_sent(session, claimed, self._kind, retry_at=NOW, error="refused")

        return await self._moved(worker.phase.value, row, worker.attempt, work)

    def has_time(self, worker: Worker) -> bool:
        if not self.rules.looks_at_lease:
            return True
        claimed = Delivery(lease_until=NOW + worker.lease * TICK)
        return deliveries.has_time(claimed, wall=NOW, call=self.rules.margin_ticks * TICK)

    async def _moved(
        self, name: str, row: Row, attempt: int, work: Callable[[AsyncSession, Delivery], Awaitable[object]]
    ) -> Row:
        key = (name, row, attempt)
        if key not in self._known:
            self._known[key] = await self._move(row, attempt, work)
        return self._known[key]

    async def _move(self, row: Row, attempt: int, work: Callable[[AsyncSession, Delivery], Awaitable[object]]) -> Row:
        async with self._database.unit(WORKSPACE) as session:
            lease = None if row.state is not DeliveryState.SENDING else NOW + row.lease * TICK
            await session.exec(
                update(Delivery).values(state=row.state, attempt=row.attempt, lease_until=lease, due_at=NOW)
            )
            stored = (await session.exec(select(Delivery))).one()
            await work(session, Delivery(**(stored.model_dump() | {"attempt": attempt})))
        async with self._database.unit(WORKSPACE, writes=False) as session:
            found = (await session.exec(select(Delivery))).one()
        left = (found.lease_until - NOW) // TICK if found.lease_until else GONE
        return Row(found.state, found.attempt, left)


async def moves(world: World, protocol: Protocol) -> list[tuple[str, World]]:
    """Everything that can happen next, by name."""
    found = [("time passes", after)] if (after := later(world)) else []
    if world.row.state is DeliveryState.SENDING and world.row.lease <= 0:
        found.append(("the silence is noticed", replace(world, row=await protocol.reclaim(world.row))))
    for number, worker in enumerate(world.workers):
        for name, next_world in await moves_of(world, number, worker, protocol):
            found.append((f"{name} ({number + 1})", next_world))
    return found


async def moves_of(world: World, number: int, worker: Worker, protocol: Protocol) -> list[tuple[str, World]]:
    def becomes(phase: Phase, **values: int) -> World:
        return world.with_worker(number, replace(worker, phase=phase, **values))

    match worker.phase:
        case Phase.IDLE:
            if world.row.state is not DeliveryState.DUE or world.row.attempt >= ATTEMPTS:
                return []
            row = await protocol.claim(world.row)
            claimed = Worker(Phase.CLAIMED, row.attempt, row.lease)
            return [("claims", replace(world, row=row).with_worker(number, claimed))]
        case Phase.CLAIMED:
            goes_on = protocol.has_time(worker)
            after = becomes(Phase.CALLING, call=1) if goes_on else becomes(Phase.LEAVING)
            return [("looks at its lease", after), ("crashes", world.with_worker(number, Worker()))]
        case Phase.CALLING:
            return [
                ("Slack accepts", replace(becomes(Phase.ACCEPTED), posts=world.posts + 1)),
                ("Slack refuses", becomes(Phase.REFUSED)),
                ("times out", excused(becomes(Phase.UNSURE))),
                ("crashes", excused(world.with_worker(number, Worker()))),
            ]
        case Phase.ACCEPTED:
            return [
                ("hears of it", becomes(Phase.POSTED)),
                ("times out", excused(becomes(Phase.UNSURE))),
                ("crashes", excused(world.with_worker(number, Worker()))),
            ]
        case _:
            settled = replace(world, row=await protocol.settle(world.row, worker)).with_worker(number, Worker())
            crashed = world.with_worker(number, Worker())
            knew_it = worker.phase is Phase.POSTED
            return [("writes it down", settled), ("crashes", excused(crashed) if knew_it else crashed)]


def excused(world: World) -> World:
    return replace(world, excused=world.excused + 1)


def later(world: World) -> World | None:
    """A tick later; None while a call has used up its time. A sender that freezes with an answer in hand is excused."""
    if any(worker.phase is Phase.CALLING and worker.call == 0 for worker in world.workers):
        return None
    workers, frozen = [], 0
    for worker in world.workers:
        runs_out = worker.phase in (Phase.ACCEPTED, Phase.POSTED) and worker.lease == 1
        frozen += runs_out
        workers.append(replace(worker, lease=max(GONE, worker.lease - 1), call=max(0, worker.call - 1)))
    row = replace(world.row, lease=max(GONE, world.row.lease - 1))
    after = replace(world, row=row, workers=(workers[0], workers[1]), excused=world.excused + frozen)
    return None if after == world else after


async def walked(database: Database, rules: Rules) -> dict[World, list[World]]:
    """Every world that can come about, with those that can follow it. Raises AssertionError at an unexcused repeat."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        await outbox.put(session, "word", key="one", due_at=NOW, target="CMOVE")
    protocol, start = Protocol(database, rules), World()
    graph: dict[World, list[World]] = {}
    came_from: dict[World, tuple[str, World]] = {}
    waiting = deque([start])
    while waiting:
        world = waiting.popleft()
        if world in graph:
            continue
        assert world.posts <= 1 + world.excused, "posted twice: " + ", ".join(story(world, came_from))
        following = await moves(world, protocol)
        graph[world] = [after for _, after in following]
        for name, after in following:
            came_from.setdefault(after, (name, world))
            waiting.append(after)
    return graph


def story(world: World, came_from: dict[World, tuple[str, World]]) -> list[str]:
    """What happened until then, in order."""

    def back() -> Iterator[str]:
        at = world
        while at in came_from and at != World():
            name, at = came_from[at]
            yield name

    return list(back())[::-1]


@pytest.mark.parametrize("may_repeat", [never, once])
async def test_no_order_of_events_posts_a_message_twice_or_leaves_it_stuck(
    database: Database, may_repeat: MayRepeat
) -> None:
    graph = await walked(database, Rules(may_repeat=may_repeat))

    assert len(graph) > 500
    before: dict[World, list[World]] = {world: [] for world in graph}
    for world, following in graph.items():
        for after in following:
            before[after].append(world)
    ends = [world for world in graph if world.row.state in ENDED or world.row.attempt >= ATTEMPTS]
    assert any(world.row.state is DeliveryState.SENT and world.posts == 1 for world in ends)
    can_end, waiting = set(ends), deque(ends)
    while waiting:
        for world in before[waiting.popleft()]:
            if world not in can_end:
                can_end.add(world)
                waiting.append(world)
    assert can_end == set(graph), "from every state there is a way to an end"


async def test_what_may_never_be_repeated_is_posted_at_most_once_however_unlucky(database: Database) -> None:
    graph = await walked(database, Rules(may_repeat=never))

    assert max(world.posts for world in graph) == 1


@pytest.mark.parametrize(
    "broken",
    [
        Rules(looks_at_lease=False),
        Rules(lease_ticks=1, margin_ticks=0),
    ],
    ids=["nobody looks at the lease", "the lease is no longer than a call"],
)
async def test_without_the_lease_rules_the_walk_finds_a_repeat(database: Database, broken: Rules) -> None:
    with pytest.raises(AssertionError, match="posted twice"):
        await walked(database, broken)


async def test_without_compare_and_set_the_walk_finds_a_repeat(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def settle_blindly(session: AsyncSession, claimed: Delivery, **values: object) -> None:
        await session.exec(update(Delivery).where(col(Delivery.id) == claimed.id).values(lease_until=None, **values))

    monkeypatch.setattr(deliveries, "_settle", settle_blindly)

    with pytest.raises(AssertionError, match="posted twice"):
        await walked(database, Rules())
