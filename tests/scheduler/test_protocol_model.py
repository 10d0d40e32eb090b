"""Every order in which two senders, a crash, a freeze and Slack can meet over one delivery, walked through.

The model holds what the world looks like (the row, two senders, what Slack has accepted or still may); each move of the
row is made by the real code on a real database. Time is counted in ticks: a call takes at most one, what Slack makes of
a call that was given up takes less than one more, a lease lasts three.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import pytest
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.database import Database
from models.tables import Delivery, DeliveryState
from scheduler import deliveries
from scheduler.deliveries import Call, DeliveryKind, Draft, MayRepeat, never, once
from tests.support import NOW, WORKSPACE, make_workspace

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

TICK = deliveries.SETTLE
LEASE_TICKS = 3
GONE = -1  # a lease that is over by any length
CALL = Call("post", "CMOVE", None, None, NOW)

# The row's states in which it is claimed by nobody and will be by nobody.
ENDED = {DeliveryState.SENT, DeliveryState.UNCONFIRMED}


class Phase(StrEnum):
    """What a sender is doing."""

    IDLE = "idle"
    CLAIMED = "claimed"
    NOTED = "noted its call"
    CALLING = "calling"  # looked at its lease and went on; Slack may accept the message at any moment from now
    ACCEPTED = "accepted"  # Slack has it, and the answer is on its way
    POSTED = "posted"  # knows that it is there
    REFUSED = "refused"  # knows that it is not
    UNSURE = "unsure"  # knows nothing
    LEAVING = "leaving"  # saw that its lease is too short, and is about to give the row back
    LOOKING = "looking"  # has taken the row over from somebody else, and asks Slack


@dataclass(frozen=True)
class Row:
    state: DeliveryState = DeliveryState.DUE
    attempt: int = 0
    lease: int = GONE
    is_called: bool = False


@dataclass(frozen=True)
class Worker:
    """`attempt` and `lease` are as it holds them; `call` is how many ticks its call may still take."""

    phase: Phase = Phase.IDLE
    attempt: int = 0
    lease: int = GONE
    call: int = 0


@dataclass(frozen=True)
class World:
    """`in_the_air` counts calls that were given up: before the next tick Slack may still carry each out.

    `excused` counts the calls of which nobody can know what came: each may cost one message more. Senders are alike, so
    that their order says nothing.
    """

    row: Row = Row()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    in_the_air: int = 0
    posts: int = 0
    excused: int = 0

    def with_worker(self, number: int, worker: Worker) -> "World":
        return self.with_workers(worker, self.workers[1 - number])

    def with_workers(self, *workers: Worker) -> "World":
        first, second = sorted(workers, key=lambda worker: (worker.phase, worker.attempt, worker.lease, worker.call))
        return replace(self, workers=(first, second))


@dataclass(frozen=True)
class Rules:
    """The protocol, or one with a rule left out. Where the channel `is_readable`, Slack is asked what was posted.

    After so many `attempts` the walk goes no deeper.
    """

    may_repeat: MayRepeat = once
    is_readable: bool = False
    looks_at_lease: bool = True
    waits_ticks: int = 1
    lease_ticks: int = LEASE_TICKS
    attempts: int = 2


async def nothing(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    return None


class Protocol:
    """The real transitions, made on one real row that is first brought into the model's state."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self.rules = rules
        self._database = database
        self._kind = DeliveryKind(key="word", draw=nothing, late_limit=None, may_repeat=rules.may_repeat)
        self._kinds = {"word": self._kind}
        self._lease = rules.lease_ticks * TICK
        self._known: dict[tuple[str, Row, int, int], Row] = {}

    async def claim(self, row: Row) -> Row:
        return await self._moved(
            "claim",
            row,
            Worker(),
            lambda session, _: deliveries.claim(
                session, self._kinds, now=NOW, wall=NOW, worker="w", limit=1, lease=self._lease
            ),
        )

    async def tidy_up(self, row: Row) -> Row:
        """What a sender does with what others left behind: due again, or taken over to be looked up."""

        async def work(session: AsyncSession, _: Delivery) -> None:
            await deliveries.free_unsent(session, wall=NOW)
            await deliveries.take_over(session, self._kinds, wall=NOW, worker="w", limit=1, lease=self._lease)

        return await self._moved("tidy up", row, Worker(), work)

    async def note_call(self, row: Row, worker: Worker) -> Row:
        return await self._moved(
            "note",
            row,
            worker,
            lambda session, claimed: deliveries.begin_call(session, claimed, CALL, wall=NOW, lease=self._lease),
        )

    async def settle(self, row: Row, worker: Worker, phase: Phase | None = None) -> Row:
        """What the sender writes down when it has come so far."""
        phase = phase or worker.phase

        async def work(session: AsyncSession, claimed: Delivery) -> object:
            match phase:
                case Phase.POSTED:
                    return await deliveries.settle_sent(session, claimed, channel="C", ts="1.0")
                case Phase.UNSURE if self.rules.is_readable:
                    until = NOW + self.rules.waits_ticks * TICK
                    return await deliveries.doubt(session, claimed, until=until, error="timeout")
                case Phase.UNSURE | Phase.LOOKING:
                    return await deliveries.settle_unknown(session, claimed, self._kind, retry_at=NOW, error="timeout")
                case _:
                    return await deliveries.settle_not_sent(session, claimed, self._kind, retry_at=NOW, error="refused")

        return await self._moved(phase.value, row, worker, work)

    def has_time(self, worker: Worker) -> bool:
        if not self.rules.looks_at_lease:
            return True
        claimed = Delivery(lease_until=NOW + worker.lease * TICK)
        return deliveries.has_time(claimed, wall=NOW, call=TICK)

    async def _moved(
        self, name: str, row: Row, worker: Worker, work: Callable[[AsyncSession, Delivery], Awaitable[object]]
    ) -> Row:
        key = (name, row, worker.attempt, worker.lease)
        if key not in self._known:
            self._known[key] = await self._move(row, worker, work)
        return self._known[key]

    async def _move(self, row: Row, worker: Worker, work: Callable[[AsyncSession, Delivery], Awaitable[object]]) -> Row:
        async with self._database.unit(WORKSPACE) as session:
            lease = None if row.state is not DeliveryState.SENDING else NOW + row.lease * TICK
            called = CALL.noted if row.is_called else None
            await session.exec(
                update(Delivery).values(
                    state=row.state, attempt=row.attempt, lease_until=lease, call=called, due_at=NOW
                )
            )
            stored = (await session.exec(select(Delivery))).one()
            held = {"attempt": worker.attempt, "lease_until": NOW + worker.lease * TICK}
            await work(session, Delivery(**(stored.model_dump() | held)))
        async with self._database.unit(WORKSPACE, writes=False) as session:
            found = (await session.exec(select(Delivery))).one()
        left = (found.lease_until - NOW) // TICK if found.lease_until else GONE
        return Row(found.state, found.attempt, left, found.call is not None)


async def moves(world: World, protocol: Protocol) -> list[tuple[str, World]]:
    """Everything that can happen next, by name."""
    found = [("time passes", after)] if (after := later(world)) else []
    if world.in_the_air:
        landed = replace(world, in_the_air=world.in_the_air - 1)
        found.append(("Slack never takes a call that was given up", landed))
        found.append(("Slack takes a call that was given up", replace(landed, posts=world.posts + 1)))
    for number, worker in enumerate(world.workers):
        found += await moves_of(world, number, worker, protocol)
    return found


async def moves_of(world: World, number: int, worker: Worker, protocol: Protocol) -> list[tuple[str, World]]:
    def becomes(phase: Phase, **values: int) -> World:
        return world.with_worker(number, replace(worker, phase=phase, **values))

    def given_up(after: World) -> World:
        return excused(replace(after, in_the_air=after.in_the_air + 1))

    crashed = world.with_worker(number, Worker())
    match worker.phase:
        case Phase.IDLE:
            return await moves_of_idle(world, number, protocol)
        case Phase.CLAIMED:
            row = await protocol.note_call(world.row, worker)
            is_mine = row != world.row
            noted = Worker(Phase.NOTED, row.attempt, row.lease) if is_mine else Worker()
            return [("notes its call", replace(world, row=row).with_worker(number, noted)), ("crashes", crashed)]
        case Phase.NOTED:
            goes_on = protocol.has_time(worker)
            after = becomes(Phase.CALLING, call=1) if goes_on else becomes(Phase.LEAVING)
            # That no call was made is not noted: with nobody to ask, the row counts as one of which nobody knows.
            return [("looks at its lease", after), ("crashes", excused(crashed))]
        case Phase.CALLING:
            return [
                ("Slack accepts", replace(becomes(Phase.ACCEPTED), posts=world.posts + 1)),
                ("Slack refuses", becomes(Phase.REFUSED)),
                ("times out", given_up(becomes(Phase.UNSURE))),
                ("crashes", given_up(crashed)),
            ]
        case Phase.ACCEPTED:
            return [
                ("hears of it", becomes(Phase.POSTED)),
                ("times out", excused(becomes(Phase.UNSURE))),
                ("crashes", excused(crashed)),
            ]
        case Phase.LOOKING:
            if protocol.rules.is_readable:
                after = becomes(Phase.POSTED if world.posts else Phase.REFUSED)
            else:
                after = await written(world, number, worker, protocol)
            return [("looks into the channel", after), ("crashes", crashed)]
        case _:
            knew_it = worker.phase is Phase.POSTED
            return [
                ("writes it down", await written(world, number, worker, protocol)),
                ("crashes", excused(crashed) if knew_it else crashed),
            ]


async def moves_of_idle(world: World, number: int, protocol: Protocol) -> list[tuple[str, World]]:
    row = world.row
    if row.state is DeliveryState.DUE and row.attempt < protocol.rules.attempts:
        row = await protocol.claim(row)
        claimed = Worker(Phase.CLAIMED, row.attempt, row.lease)
        return [("claims", replace(world, row=row).with_worker(number, claimed))]
    if row.state is DeliveryState.SENDING and row.lease <= 0:
        row = await protocol.tidy_up(row)
        after = replace(world, row=row)
        if row.state is DeliveryState.SENDING:
            return [("takes it over", after.with_worker(number, Worker(Phase.LOOKING, row.attempt, row.lease)))]
        return [("sees that it was never called", after)]
    return []


async def written(world: World, number: int, worker: Worker, protocol: Protocol) -> World:
    row = await protocol.settle(world.row, worker)
    return replace(world, row=row).with_worker(number, Worker())


def excused(world: World) -> World:
    return replace(world, excused=world.excused + 1)


def later(world: World) -> World | None:
    """A tick later; None while a call has used up its time. A sender that freezes with an answer in hand is excused."""
    if any(worker.phase is Phase.CALLING and worker.call == 0 for worker in world.workers) or world.in_the_air:
        return None
    workers, frozen = [], 0
    for worker in world.workers:
        runs_out = worker.phase in (Phase.ACCEPTED, Phase.POSTED) and worker.lease == 1
        frozen += runs_out
        workers.append(replace(worker, lease=max(GONE, worker.lease - 1), call=max(0, worker.call - 1)))
    row = replace(world.row, lease=max(GONE, world.row.lease - 1))
    after = replace(world, row=row, excused=world.excused + frozen).with_workers(*workers)
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
        following = [
            # Where Slack can be asked, nothing is excused.
            (name, replace(after, excused=0 if rules.is_readable else min(after.excused, rules.attempts - 1)))
            for name, after in await moves(world, protocol)
        ]
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


def can_end(graph: dict[World, list[World]], rules: Rules) -> bool:
    """Whether from every world there is a way to an end."""
    before: dict[World, list[World]] = {world: [] for world in graph}
    for world, following in graph.items():
        for after in following:
            before[after].append(world)
    ends = [world for world in graph if world.row.state in ENDED or world.row.attempt >= rules.attempts]
    found, waiting = set(ends), deque(ends)
    while waiting:
        for world in before[waiting.popleft()]:
            if world not in found:
                found.add(world)
                waiting.append(world)
    return found == set(graph)


@pytest.mark.parametrize("may_repeat", [never, once])
async def test_no_order_of_events_posts_a_message_twice_or_leaves_it_stuck(
    database: Database, may_repeat: MayRepeat
) -> None:
    """Where nobody can ask Slack: what may never be repeated is posted at most once, however unlucky."""
    rules = Rules(may_repeat, attempts=3 if may_repeat is once else 2)
    graph = await walked(database, rules)

    assert len(graph) > 500
    assert any(world.row.state is DeliveryState.SENT and world.posts == 1 for world in graph)
    assert can_end(graph, rules)
    if may_repeat is never:
        assert max(world.posts for world in graph) == 1


async def test_where_slack_can_be_asked_every_message_is_posted_exactly_once_and_nothing_is_left_unknown(
    database: Database,
) -> None:
    rules = Rules(is_readable=True)
    graph = await walked(database, rules)

    assert DeliveryState.UNCONFIRMED not in {world.row.state for world in graph}
    assert {world.posts for world in graph if world.row.state is DeliveryState.SENT} == {1}
    assert can_end(graph, rules)


async def blindly(session: AsyncSession, claimed: Delivery, **values: object) -> Delivery:
    """A settling that does not compare."""
    statement = update(Delivery).where(col(Delivery.id) == claimed.id)
    await session.exec(statement.values(**({"lease_until": None, "call": None} | values)))
    return claimed


@pytest.mark.parametrize(
    ("rules", "settling"),
    [
        (Rules(looks_at_lease=False), None),
        (Rules(looks_at_lease=False, is_readable=True), None),
        (Rules(lease_ticks=1, looks_at_lease=False, is_readable=True), None),
        (Rules(waits_ticks=0, is_readable=True), None),
        (Rules(), blindly),
        (Rules(is_readable=True), blindly),
    ],
    ids=[
        "nobody looks at the lease",
        "nobody looks at the lease, though Slack can be asked",
        "the lease is no longer than a call",
        "Slack is asked before it has settled",
        "nobody compares",
        "nobody compares, though Slack can be asked",
    ],
)
async def test_without_any_one_rule_the_walk_finds_a_repeat(
    database: Database, monkeypatch: pytest.MonkeyPatch, rules: Rules, settling: object
) -> None:
    if settling is not None:
        monkeypatch.setattr(deliveries, "_settle", settling)

    with pytest.raises(AssertionError, match="posted twice"):
        await walked(database, rules)


async def test_without_the_note_of_a_call_the_walk_finds_a_repeat(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a sender that was killed had begun to call would be taken for unsent."""
    really_settle = deliveries._settle

    async def forgetful(session: AsyncSession, claimed: Delivery, **values: object) -> Delivery | None:
        return await really_settle(session, claimed, **(values | {"call": None}))

    monkeypatch.setattr(deliveries, "_settle", forgetful)

    with pytest.raises(AssertionError, match="posted twice"):
        await walked(database, Rules(is_readable=True))
