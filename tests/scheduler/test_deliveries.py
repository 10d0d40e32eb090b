"""The protocol of the delivery table, on both engines."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.database import WORKER_WAIT_MS, Database
from models.tables import Delivery, DeliveryState, SeenRequest
from scheduler import deliveries
from scheduler.deliveries import Call, DeliveryKind, Draft, by_key, never, once
from tests.support import NOW, WORKSPACE, FixedClock, make_workspace
from tests.support_slack import stored

MINUTE = timedelta(minutes=1)


async def nothing(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    return None


WORD = DeliveryKind(key="word", draw=nothing, late_limit=timedelta(hours=1), may_repeat=never)
ANSWER = DeliveryKind(key="answer", draw=nothing, late_limit=None, may_repeat=once)
LATEST = DeliveryKind(key="latest", draw=nothing, late_limit=None, latest_only=True)
KINDS = by_key([WORD, ANSWER, LATEST])
CALL = Call("post", "CMOVE", None, None, NOW)


async def owe(database: Database, *keys: str, kind: str = "word", due_at: datetime = NOW, **values: Any) -> None:
    async with database.unit(WORKSPACE) as session:
        for key in keys:
            await outbox.put(session, kind, key=key, due_at=due_at, **({"target": "CMOVE"} | values))


async def claim(database: Database, now: datetime = NOW, *, wall: datetime = NOW, **options: Any) -> list[Delivery]:
    async with database.unit(WORKSPACE) as session:
        defaults: dict[str, Any] = {"worker": "w1", "limit": 10}
        return await deliveries.claim(session, KINDS, now=now, wall=wall, **(defaults | options))


async def call(database: Database) -> Delivery:
    """The one due row, claimed and about to be called."""
    [row] = await claim(database)
    async with database.unit(WORKSPACE) as session:
        begun = await deliveries.begin_call(session, row, CALL, wall=NOW)
    assert begun is not None
    return begun


async def state_of(database: Database, key: str) -> str:
    return next(row.state.value for row in await stored(database) if row.dedupe_key == key)


def keys(rows: Sequence[Delivery]) -> list[str]:
    return [row.dedupe_key for row in rows]


async def test_a_claim_takes_what_is_due_oldest_first_and_leaves_the_future(database: Database) -> None:
    await owe(database, "later", due_at=NOW + MINUTE)
    await owe(database, "second", due_at=NOW)
    await owe(database, "first", due_at=NOW - MINUTE)

    taken = await claim(database)

    assert keys(taken) == ["first", "second"]
    assert await state_of(database, "later") == "due"


async def test_a_claim_notes_who_has_the_row_until_when_and_which_attempt_it_is(database: Database) -> None:
    await owe(database, "one")

    [row] = await claim(database, wall=NOW + MINUTE, worker="w7", lease=timedelta(seconds=30))

    assert (row.state, row.attempt, row.claimed_by) == (DeliveryState.SENDING, 1, "w7")
    assert row.lease_until == NOW + MINUTE + timedelta(seconds=30)


async def test_a_claim_takes_no_more_than_there_is_room_for(database: Database) -> None:
    await owe(database, "a", "b", "c")

    assert keys(await claim(database, limit=2)) == ["a", "b"]


async def test_a_row_that_is_claimed_is_not_claimed_again(database: Database) -> None:
    await owe(database, "one")

    await claim(database)

    assert await claim(database) == []


async def test_senders_that_claim_at_once_never_share_a_row(database: Database, database_url: str) -> None:
    await owe(database, *(f"row {number:02}" for number in range(40)))
    async with Database(database_url, wait_ms=WORKER_WAIT_MS) as patient:
        batches = await asyncio.gather(*(claim(patient, worker=f"w{n}", limit=7) for n in range(6)))

    taken = [key for batch in batches for key in keys(batch)]
    assert len(taken) == len(set(taken)) > 7


async def test_a_lane_gives_one_row_at_a_time_in_the_order_it_was_owed(database: Database) -> None:
    await owe(database, "first", due_at=NOW, lane="card:1")
    await owe(database, "second", due_at=NOW - MINUTE, lane="card:1")

    [first] = await claim(database)
    while_sending = await claim(database)
    async with database.unit(WORKSPACE) as session:
        await deliveries.settle_sent(session, first, channel="CMOVE", ts="1.1")
    after = await claim(database)

    assert (keys([first]), while_sending, keys(after)) == (["first"], [], ["second"])


async def test_the_database_itself_keeps_two_senders_out_of_one_lane(database: Database) -> None:
    await owe(database, "first", "second", lane="card:1")
    await claim(database)

    with pytest.raises(IntegrityError):
        async with database.unit(WORKSPACE) as session:
            await session.exec(
                update(Delivery).where(col(Delivery.dedupe_key) == "second").values(state=DeliveryState.SENDING)
            )


async def test_the_next_due_is_also_what_is_being_sent(database: Database) -> None:
    """Until it is settled, nobody knows that nothing comes of it: a clock moved by hand must not leap over that."""
    await owe(database, "one")
    await owe(database, "later", due_at=NOW + MINUTE)
    [taken] = await claim(database)
    found = []
    async with database.unit(WORKSPACE) as session:
        found.append(await deliveries.next_due(session, KINDS))
        await deliveries.settle_sent(session, taken, channel="CMOVE", ts="1")
        found.append(await deliveries.next_due(session, KINDS))

    assert found == [NOW, NOW + MINUTE]


async def test_rows_for_a_channel_that_has_to_wait_are_left(database: Database) -> None:
    await owe(database, "busy", target="CBUSY")
    await owe(database, "free", target="CFREE")

    assert keys(await claim(database, except_targets=["CBUSY"])) == ["free"]


async def test_a_claim_within_the_next_stretch_takes_what_any_claim_takes(database: Database) -> None:
    for number in range(4):
        due_at = NOW - (4 - number) * MINUTE
        await owe(database, f"busy {number}", target="CBUSY", due_at=due_at)
        await owe(database, f"free {number}", target="CFREE", due_at=due_at)

    async def next_ones(limit: int) -> list[str]:
        waits: dict[str, Any] = {"limit": limit, "except_targets": ["CBUSY"]}
        async with database.unit(WORKSPACE, writes=False) as session:
            within = await deliveries.next_stretch(session, KINDS, now=NOW, **waits)
        if limit == 2:  # another sender is faster, which is not the end of the queue
            assert keys(await claim(database, limit=1, except_targets=["CBUSY"])) == ["free 0"]
        return keys(await claim(database, **waits, within=within)) if within else []

    assert await next_ones(2) == ["free 1", "free 2"]
    assert await next_ones(9) == ["free 3"]
    assert await next_ones(9) == []


async def test_a_kind_that_this_version_does_not_know_waits_for_one_that_does(database: Database) -> None:
    await owe(database, "new", kind="of tomorrow")

    async with database.unit(WORKSPACE) as session:
        assert not await deliveries.owes(session, KINDS, now=NOW, wall=NOW)
    assert await claim(database) == []


async def test_another_workspaces_rows_are_neither_claimed_nor_expired(database: Database) -> None:
    await owe(database, "ours", expires_at=NOW + MINUTE)

    async with database.unit("T0002") as session:
        await make_workspace(session)
        assert not await deliveries.owes(session, KINDS, now=NOW, wall=NOW)
        assert await deliveries.claim(session, KINDS, now=NOW, wall=NOW, worker="w", limit=9) == []
        assert await deliveries.expire(session, KINDS, now=NOW + MINUTE) == 0

    assert await state_of(database, "ours") == "due"


async def test_sent_is_recorded_with_its_place_in_slack(database: Database) -> None:
    await owe(database, "one")
    [row] = await claim(database)

    async with database.unit(WORKSPACE) as session:
        settled = await deliveries.settle_sent(session, row, channel="C9", ts="1772.000100")

    assert settled is not None
    assert (settled.state, settled.slack_channel, settled.slack_ts) == (DeliveryState.SENT, "C9", "1772.000100")
    assert settled.lease_until is None


async def test_an_outdated_attempt_settles_nothing(database: Database) -> None:
    await owe(database, "one", kind="answer")
    [old] = await claim(database)
    async with database.unit(WORKSPACE) as session:
        await deliveries.free_unsent(session, wall=NOW + 2 * MINUTE)
    [new] = await claim(database)

    async with database.unit(WORKSPACE) as session:
        outcomes = [
            await deliveries.settle_not_sent(session, old, ANSWER, retry_at=NOW, error="late"),
            await deliveries.settle_unknown(session, old, ANSWER, retry_at=NOW, error="late"),
            await deliveries.park(session, old, error="late"),
            await deliveries.cancel(session, old),
            await deliveries.give_up(session, old),
            await deliveries.begin_call(session, old, CALL, wall=NOW),
            await deliveries.doubt(session, old, until=NOW, error="late"),
        ]

    assert outcomes == [None] * 7
    [row] = await stored(database)
    assert (row.state, row.attempt, new.attempt) == (DeliveryState.SENDING, 2, 2)


async def test_sent_wins_over_whatever_became_of_the_row_meanwhile(database: Database) -> None:
    await owe(database, "one")
    row = await call(database)
    async with database.unit(WORKSPACE) as session:
        await deliveries.settle_unknown(session, row, WORD, retry_at=NOW, error="timeout")
    assert await state_of(database, "one") == "unconfirmed"

    async with database.unit(WORKSPACE) as session:
        await deliveries.settle_sent(session, row, channel="CMOVE", ts="1.1")

    assert await state_of(database, "one") == "sent"


async def test_a_silent_senders_rows_are_found_when_their_leases_are_over(database: Database) -> None:
    """What it had not begun to call is due again; what it had called is for somebody to look up, and stays theirs."""
    await owe(database, "called")
    await call(database)
    await owe(database, "claimed")
    await claim(database)
    found = []
    for seconds in (59, 60, 60):
        wall = NOW + timedelta(seconds=seconds)
        async with database.unit(WORKSPACE) as session:
            found.append(await deliveries.owes(session, KINDS, now=NOW - MINUTE, wall=wall))
            found.append(await deliveries.was_left(session, KINDS, wall=wall))
            found.append(await deliveries.free_unsent(session, wall=wall))
            found.append(keys(await deliveries.take_over(session, KINDS, wall=wall, worker="w2", limit=9)))

    assert found == [False, False, 0, [], True, True, 1, ["called"], False, False, 0, []]
    assert await state_of(database, "claimed") == "due"
    [called] = [row for row in await stored(database) if row.dedupe_key == "called"]
    assert (called.state, called.attempt, called.claimed_by) == (DeliveryState.SENDING, 1, "w2")
    assert Call.of(called) == CALL


async def test_what_is_in_doubt_is_nobodys_until_its_time_and_keeps_what_was_called(database: Database) -> None:
    await owe(database, "one")
    row = await call(database)
    async with database.unit(WORKSPACE) as session:
        await deliveries.doubt(session, row, until=NOW + MINUTE, error="timeout")
        early = await deliveries.take_over(session, KINDS, wall=NOW + MINUTE / 2, worker="w2", limit=1)
        [taken] = await deliveries.take_over(session, KINDS, wall=NOW + MINUTE, worker="w2", limit=1)

    assert early == []
    assert (Call.of(taken), taken.last_error) == (CALL, "timeout")


async def test_once_means_one_repetition(database: Database) -> None:
    await owe(database, "answer", kind="answer")

    for _ in range(2):
        [row] = await claim(database)
        async with database.unit(WORKSPACE) as session:
            await deliveries.settle_unknown(session, row, ANSWER, retry_at=NOW, error="timeout")

    [row] = await stored(database)
    assert (row.state, row.attempt, row.last_error) == (DeliveryState.UNCONFIRMED, 2, "timeout")


async def test_what_was_surely_not_sent_is_due_again_at_the_time_named(database: Database) -> None:
    await owe(database, "one")
    [row] = await claim(database)

    async with database.unit(WORKSPACE) as session:
        await deliveries.settle_not_sent(session, row, WORD, retry_at=NOW + MINUTE, error="ratelimited")

    assert await claim(database, NOW) == []
    assert keys(await claim(database, NOW + MINUTE)) == ["one"]


async def test_the_late_limit_counts_from_the_first_due_time_however_often_it_is_retried(database: Database) -> None:
    await owe(database, "one")
    [row] = await claim(database)
    async with database.unit(WORKSPACE) as session:
        await deliveries.settle_not_sent(session, row, WORD, retry_at=NOW + 59 * MINUTE, error="no connection")

    async with database.unit(WORKSPACE) as session:
        before = await deliveries.expire(session, KINDS, now=NOW + 59 * MINUTE)
        at_the_limit = await deliveries.expire(session, KINDS, now=NOW + 60 * MINUTE)

    assert (before, at_the_limit) == (0, 1)


@pytest.mark.parametrize(
    ("kind", "expires_at", "now", "state"),
    [
        ("word", None, NOW + 59 * MINUTE, "due"),
        ("word", None, NOW + 60 * MINUTE, "expired"),
        ("word", NOW + 5 * MINUTE, NOW + 5 * MINUTE, "expired"),
        ("word", NOW + 90 * MINUTE, NOW + 80 * MINUTE, "due"),
        ("answer", None, NOW + timedelta(days=400), "due"),
    ],
)
async def test_what_is_too_late_is_given_up(
    database: Database, kind: str, expires_at: datetime | None, now: datetime, state: str
) -> None:
    await owe(database, "one", kind=kind, expires_at=expires_at)

    async with database.unit(WORKSPACE) as session:
        await deliveries.expire(session, KINDS, now=now)

    assert await state_of(database, "one") == state


async def test_only_the_newest_due_row_of_a_latest_only_lane_remains(database: Database) -> None:
    await owe(database, "old", "middle", "new", kind="latest", lane="card:1")
    await owe(database, "other", kind="latest", lane="card:2")
    await owe(database, "to come", kind="latest", lane="card:2", due_at=NOW + MINUTE)
    await owe(database, "word", "word too", kind="word", lane="words")

    async with database.unit(WORKSPACE) as session:
        assert await deliveries.supersede(session, KINDS, now=NOW) == 2

    assert {row.dedupe_key: row.state.value for row in await stored(database)} == {
        "old": "cancelled",
        "middle": "cancelled",
        "new": "due",
        "other": "due",
        "to come": "due",
        "word": "due",
        "word too": "due",
    }


async def test_pruning_keeps_what_is_young_or_still_to_be_sent(database: Database, clock: FixedClock) -> None:
    long_ago = NOW - timedelta(days=91)
    await owe(database, "sent long ago", "parked long ago", "owed long ago", due_at=long_ago)
    await owe(database, "sent lately", due_at=NOW - timedelta(days=89))
    async with database.unit(WORKSPACE) as session:
        for row in await session.exec(select(Delivery).where(col(Delivery.dedupe_key) != "owed long ago")):
            row.state = DeliveryState.PARKED if row.dedupe_key.startswith("parked") else DeliveryState.SENT
        session.add(SeenRequest(key="old", at=NOW - timedelta(days=7, seconds=1)))
        session.add(SeenRequest(key="young", at=NOW - timedelta(days=7)))

    async with database.unit(WORKSPACE) as session:
        await deliveries.prune(session, now=clock.now())

    assert keys(await stored(database)) == ["owed long ago", "sent lately"]
    async with database.unit(WORKSPACE) as session:
        assert [row.key for row in await session.exec(select(SeenRequest))] == ["young"]


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two kinds of delivery are called 'word'"):
        by_key([WORD, WORD])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_every_look_at_the_table_goes_by_an_index(database: Database) -> None:
    await owe(database, "one")
    seen: list[tuple[str, Any]] = []
    async with database.unit(WORKSPACE) as session:
        bind: Any = session.get_bind()
        event.listen(bind, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
        await deliveries.owes(session, KINDS, now=NOW - MINUTE, wall=NOW)
        await deliveries.next_stretch(session, KINDS, now=NOW, limit=1, except_targets=())
        await deliveries.expire(session, KINDS, now=NOW)
        await deliveries.supersede(session, KINDS, now=NOW)
        await deliveries.claim(session, KINDS, now=NOW, wall=NOW, worker="w", limit=1)
        await deliveries.free_unsent(session, wall=NOW)
        await deliveries.take_over(session, KINDS, wall=NOW, worker="w", limit=1)
        connection = await session.connection()
        looks = [each for each in seen if not each[0].startswith("BEGIN")]
        plans = [
            " / ".join(
                row[3] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            )
            for statement, parameters in looks
        ]

    assert len(plans) == 8
    assert [plan for plan in plans if "SCAN delivery" in plan or "ix_delivery_due" not in plan] == []
