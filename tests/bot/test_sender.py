"""The sender: every class of result, order, pacing, several senders, crashes and stopping; on both engines."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.claimed import TRIES
from bot.manifest import manifest
from bot.passing import Pass
from bot.sender import Sender
from bot.slack_port import SlackNotSent, SlackPermanent, SlackRefused, SlackUnknown, SlackWebApi
from models import outbox
from models.database import Database
from models.database_errors import DatabaseAway
from models.tables import Delivery, DeliveryState
from sandbox import Sandbox
from scheduler import deliveries
from scheduler.deliveries import Call, DeliveryKind, Draft, by_key, never, once
from tests.support import NOW, WORKSPACE, FixedClock, make_person, make_workspace
from tests.support_slack import RecordingSlack, make_sender, stored
from views.blocks import Message, plain, section

OTHER_WORKSPACE = "T0002"
only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The payload says what is drawn: a text, nothing, or a fault."""
    what = delivery.payload.get("text", delivery.dedupe_key)
    if what == "fault":
        raise ValueError("cannot be drawn")
    if what == "nothing":
        return None
    return Draft("post", delivery.target, Message(what, [section(plain(what))]))


async def fail_after(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    raise ValueError("a fault after sending")


async def owe_word(session: AsyncSession, delivery: Delivery, now: datetime) -> None:
    await outbox.put(session, "word", key=f"about {delivery.dedupe_key}", target="UANA", due_at=now)


KINDS = (
    DeliveryKind(key="word", draw=draw, late_limit=timedelta(hours=24), may_repeat=never),
    DeliveryKind(key="answer", draw=draw, late_limit=timedelta(minutes=30), may_repeat=once),
    DeliveryKind(key="faulty after", draw=draw, late_limit=None, sent=fail_after),
    DeliveryKind(key="told", draw=draw, late_limit=None, failed=owe_word),
    DeliveryKind(key="nag", draw=draw, late_limit=timedelta(hours=4), is_nag=True),
    DeliveryKind(key="newest", draw=draw, late_limit=None, latest_only=True),
)


@pytest.fixture
async def slack(database: Database) -> RecordingSlack:
    """A recording Slack for the workspace that is there."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
    return RecordingSlack()


@pytest.fixture
async def sender(database: Database, slack: RecordingSlack, clock: FixedClock) -> AsyncIterator[Sender]:
    made = make_sender(database, slack, clock, kinds=KINDS)
    yield made
    slack.let_go()
    await made.stop()


async def owe(
    database: Database,
    *keys: str,
    kind: str = "word",
    target: str = "CMOVE",
    lane: str | None = None,
    text: str | None = None,
    workspace_id: str = WORKSPACE,
) -> None:
    payload = {"text": text} if text else {}
    async with database.unit(workspace_id) as session:
        for key in keys:
            await outbox.put(session, kind, key=key, target=target, lane=lane, payload=payload, due_at=NOW)


async def the_row(database: Database) -> Delivery:
    [row] = await stored(database)
    return row


async def test_what_is_due_is_sent_once(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    await owe(database, "one", "two")
    for _ in range(3):
        await sender.drain()
        clock.move(hours=1)

    assert sorted(call.text for call in slack.calls) == ["one", "two"]
    assert [row.state for row in await stored(database)] == [DeliveryState.SENT] * 2


@pytest.mark.parametrize(
    ("kind", "error", "state", "retry_seconds"),
    [
        ("word", SlackNotSent("no connection"), "due", 5),
        ("word", SlackNotSent("ratelimited", retry_after=30), "due", 30),
        ("word", SlackRefused("ekm_access_denied"), "due", 5),
        ("word", SlackPermanent("not_in_channel"), "parked", None),
        ("word", SlackUnknown("timeout"), "unconfirmed", None),
        ("answer", SlackUnknown("timeout"), "due", 5),
    ],
)
async def test_what_slack_answered_decides_what_becomes_of_the_row(
    database: Database,
    slack: RecordingSlack,
    sender: Sender,
    kind: str,
    error: SlackNotSent,
    state: str,
    retry_seconds: int | None,
) -> None:
    slack.refuse(error)
    await owe(database, "one", kind=kind)
    await sender.drain()

    row = await the_row(database)
    assert (row.state.value, row.last_error, row.attempt) == (state, error.code, 1)
    if retry_seconds is not None:
        assert row.due_at == NOW + timedelta(seconds=retry_seconds)


async def test_what_was_not_sent_goes_out_when_its_time_comes(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    slack.refuse(SlackNotSent("no connection"), times=2)
    await owe(database, "one")

    attempts = []
    for seconds in (0, 4, 1, 14, 1):
        clock.move(seconds=seconds)
        await sender.drain()
        attempts.append(len(slack.calls))

    assert attempts == [1, 1, 2, 2, 3]
    assert (await the_row(database)).state is DeliveryState.SENT


async def test_nags_wait_for_the_end_of_quiet_hours_and_stop_at_what_the_person_takes(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    """09:00 UTC is 10:00 in Berlin; a channel has no person to ask, and what is no nag is not held back."""
    async with database.unit(WORKSPACE) as session:
        await make_person(session, quiet_from=time(9), quiet_until=time(11), nags_a_day=2)
    await owe(database, "first", "second", "third", kind="nag", target="UANA")
    await owe(database, "news", target="UANA")
    await owe(database, "to all", kind="nag")

    await sender.drain()
    quiet = sorted(call.text for call in slack.calls)
    clock.move(hours=1)
    await sender.drain()

    assert quiet == ["news", "to all"]
    assert sorted(call.text for call in slack.to("UANA")) == ["first", "news", "second"]
    assert [row.dedupe_key for row in await stored(database) if row.state is DeliveryState.CANCELLED] == ["third"]


async def test_a_connection_that_stays_away_ends_at_the_late_limit(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    slack.refuse(SlackNotSent("no connection"), times=999)
    await owe(database, "one", kind="answer")
    for _ in range(40):
        await sender.drain()
        clock.move(minutes=1)

    assert (await the_row(database)).state is DeliveryState.EXPIRED


async def test_a_refusal_without_a_lasting_reason_is_parked_after_five_tries(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    slack.refuse(SlackRefused("odd"), times=99)
    await owe(database, "one")
    for _ in range(8):
        await sender.drain()
        clock.move(minutes=10)

    assert (len(slack.calls), (await the_row(database)).state) == (5, DeliveryState.PARKED)


async def test_a_parked_delivery_tells_by_another_road_in_the_same_pass(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    slack.refuse(SlackPermanent("is_archived"))
    await owe(database, "one", kind="told")
    await sender.drain()

    assert [(call.channel, call.text) for call in slack.calls] == [("CMOVE", "one"), ("UANA", "about one")]


async def test_a_channel_slack_wants_left_alone_is_not_called_while_others_are(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    slack.refuse(SlackNotSent("ratelimited", retry_after=30), channel="CBUSY")
    await owe(database, "first", target="CBUSY")
    await sender.drain()
    await owe(database, "second", target="CBUSY")
    await owe(database, "elsewhere", target="CFREE")
    await sender.drain()

    assert [call.text for call in slack.calls] == ["first", "elsewhere"]
    assert [row.state.value for row in await stored(database)] == ["due", "due", "sent"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_channel_with_a_long_queue_does_not_hold_up_another(
    database: Database, slack: RecordingSlack, clock: FixedClock
) -> None:
    sender = make_sender(database, slack, clock, kinds=KINDS, pace_seconds=30)
    await owe(database, *(f"busy {number}" for number in range(12)), target="CBUSY")
    await owe(database, "free", target="CFREE")
    passing = asyncio.create_task(sender.drain())
    await slack.reached(2)
    await sender.stop(grace_seconds=0.1)
    await passing

    assert [call.text for call in slack.calls] == ["busy 0", "free"]


@only_sqlite
async def test_who_looks_through_a_queue_that_has_to_wait_takes_no_writer(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    """With a long queue that takes a while, in which nobody could store anything."""
    await owe(database, *(f"busy {number}" for number in range(12)), target="CBUSY")

    with sqlite3.connect(str(database.url.database), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await Pass(sender._means, WORKSPACE)._claim(8, ["CBUSY"], tidies=True) == []


@only_sqlite
async def test_what_has_to_wait_is_not_looked_through_with_the_writer_in_hand(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    """Of two that may go out now, before and after a thousand others wait for a channel."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    def begun(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        if "UPDATE delivery" in statement:
            connection.connection.driver_connection._conn.set_progress_handler(count, 10)

    def done(connection: Any, *_: object) -> None:
        connection.connection.driver_connection._conn.set_progress_handler(None, 0)

    event.listen(database.engine.sync_engine, "before_cursor_execute", begun)
    event.listen(database.engine.sync_engine, "after_cursor_execute", done)

    async def claimed() -> int:
        before = steps
        rows = await Pass(sender._means, WORKSPACE)._claim(8, ["CBUSY"], tidies=True)
        assert [row.target for row in rows] == ["CFREE", "CFREE"]
        return steps - before

    await owe(database, "one", "two", target="CFREE")
    first = await claimed()
    earlier, later = NOW - timedelta(hours=1), NOW + timedelta(seconds=1)
    async with database.unit(WORKSPACE) as session:
        for at in (earlier, later):
            waiting = (outbox.owed("word", key=f"{at} {n}", target="CBUSY", due_at=at) for n in range(1_000))
            await outbox.put_all(session, list(waiting))
    await owe(database, "three", "four", target="CFREE")
    clock = sender._means.clock
    assert isinstance(clock, FixedClock)
    clock.move(seconds=2)

    assert 0 < await claimed() <= first + 5


async def test_a_lane_goes_out_in_order(database: Database, slack: RecordingSlack, sender: Sender) -> None:
    await owe(database, *(f"{number}" for number in range(6)), lane="one lane")
    await sender.drain()

    assert [call.text for call in slack.calls] == ["0", "1", "2", "3", "4", "5"]


async def test_a_recipient_that_fails_stops_nobody_else(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    slack.refuse(SlackPermanent("user_not_found"), channel="UGONE")
    await owe(database, "gone", target="UGONE")
    await owe(database, "broken", text="fault")
    await owe(database, "no news", text="nothing")
    await owe(database, "fine", target="UBEN")
    await sender.drain()

    found = {row.dedupe_key: row.state.value for row in await stored(database)}
    assert found == {"gone": "parked", "broken": "due", "no news": "cancelled", "fine": "sent"}


async def test_what_cannot_be_drawn_is_tried_again_and_parked_in_the_end(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    await owe(database, "broken", text="fault")
    for _ in range(8):
        await sender.drain()
        clock.move(minutes=10)

    row = await the_row(database)
    assert (row.state, row.attempt, row.last_error) == (DeliveryState.PARKED, 5, "could not be drawn")
    assert slack.calls == []


async def test_a_fault_in_what_follows_does_not_send_again(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    await owe(database, "one", kind="faulty after")
    await sender.drain()
    clock.move(hours=1)
    await sender.drain()

    assert (len(slack.calls), (await the_row(database)).state) == (1, DeliveryState.SENT)


async def test_senders_side_by_side_send_nothing_twice(
    database: Database, slack: RecordingSlack, clock: FixedClock
) -> None:
    await owe(database, *(f"{number}" for number in range(30)))
    await owe(database, *(f"lane {number}" for number in range(6)), lane="one lane")
    senders = [make_sender(database, slack, clock, kinds=KINDS, worker_id=f"w{n}") for n in range(3)]

    await asyncio.gather(*(sender.drain() for sender in senders))
    await senders[0].drain()

    texts = [call.text for call in slack.calls]
    assert sorted(texts) == sorted([*(f"{number}" for number in range(30)), *(f"lane {n}" for n in range(6))])
    assert [text for text in texts if text.startswith("lane")] == [f"lane {number}" for number in range(6)]


async def test_a_busy_workspace_does_not_delay_another(
    database: Database, slack: RecordingSlack, clock: FixedClock
) -> None:
    async with database.unit(OTHER_WORKSPACE) as session:
        await make_workspace(session, "Other")
    await owe(database, *(f"{number}" for number in range(20)))
    sender = make_sender(database, slack, clock, kinds=KINDS)
    slack.hold()

    running = asyncio.create_task(sender.run())
    await slack.reached(8)
    await owe(database, "theirs", target="CTHEIRS", workspace_id=OTHER_WORKSPACE)
    sender.wake()
    await slack.reached(9)

    assert [call.channel for call in slack.calls] == ["CMOVE"] * 8 + ["CTHEIRS"]
    slack.let_go()
    await sender.stop()
    await running


async def crash(database: Database, clock: FixedClock, *, calling: bool) -> None:
    """A sender took everything that is due and was killed, before its calls or in the middle of them."""
    now = clock.now()
    async with database.unit(WORKSPACE) as session:
        for row in await deliveries.claim(session, by_key(KINDS), now=now, wall=now, worker="crashed", limit=9):
            if calling:
                call = Call("post", row.target, None, None, now)
                await deliveries.begin_call(session, row, call, wall=now)


async def test_what_was_claimed_and_not_called_is_surely_not_sent_and_goes_out_when_the_lease_is_over(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    await owe(database, "word")
    await crash(database, clock, calling=False)
    await sender.drain()
    assert slack.calls == []

    clock.move(seconds=61)
    await sender.drain()

    assert [call.text for call in slack.calls] == ["word"]
    assert [row.state.value for row in await stored(database)] == ["sent"]


async def test_what_a_newer_one_overtook_while_its_sender_was_silent_is_not_sent(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    await owe(database, "older", kind="newest", lane="one lane")
    await crash(database, clock, calling=False)
    await owe(database, "newer", kind="newest", lane="one lane")
    clock.move(hours=1)
    await sender.drain()

    assert [call.text for call in slack.calls] == ["newer"]
    assert [row.state for row in await stored(database)] == [DeliveryState.CANCELLED, DeliveryState.SENT]


async def test_a_crash_in_the_middle_of_a_call_leaves_the_row_to_its_lease_and_its_kind(
    database: Database, slack: RecordingSlack, sender: Sender, clock: FixedClock
) -> None:
    await owe(database, "word")
    await owe(database, "answer", kind="answer")
    await crash(database, clock, calling=True)
    await sender.drain()
    assert slack.calls == []

    for seconds in (61, 60):
        clock.move(seconds=seconds)
        await sender.drain()

    assert [call.text for call in slack.calls] == ["answer"]
    assert [row.state.value for row in await stored(database)] == ["unconfirmed", "sent"]


async def test_a_sender_that_slept_past_its_lease_leaves_the_row_to_whoever_has_it_by_then(
    database: Database, slack: RecordingSlack
) -> None:
    clock, wall = FixedClock(), FixedClock()

    async def slow(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
        if delivery.attempt == 1:
            wall.move(seconds=61)
            await make_sender(database, slack, clock, wall=wall, kinds=[kind], worker_id="awake").drain()
        return await draw(session, delivery, now)

    kind = DeliveryKind(key="word", draw=slow, late_limit=None)
    await owe(database, "one")
    await make_sender(database, slack, clock, wall=wall, kinds=[kind]).drain()

    assert len(slack.calls) == 1
    row = await the_row(database)
    assert (row.state, row.attempt) == (DeliveryState.SENT, 2)


async def test_a_sender_that_slept_right_before_its_call_does_not_make_it(
    database: Database, slack: RecordingSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that begins with little time left may still be under way when the row is somebody else's."""
    wall = FixedClock()
    really_begin = deliveries.begin_call

    async def then_sleep(*arguments: Any, **options: Any) -> Delivery | None:
        begun = await really_begin(*arguments, **options)
        if begun is not None and begun.attempt == 1:
            wall.move(seconds=36)
        return begun

    monkeypatch.setattr(deliveries, "begin_call", then_sleep)
    await owe(database, "one")
    await make_sender(database, slack, FixedClock(), wall=wall, kinds=KINDS).drain()

    assert len(slack.calls) == 1
    assert (await the_row(database)).attempt == 2  # given back at once, and claimed anew


async def test_stopping_finishes_what_is_being_sent_and_claims_nothing_more(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    slack.hold()
    await owe(database, "first", "second", lane="one lane")
    passing = asyncio.create_task(sender.drain())
    await slack.reached(1)

    stopping = asyncio.create_task(sender.stop(grace_seconds=5))
    await asyncio.sleep(0)
    slack.let_go()
    await asyncio.gather(stopping, passing)

    assert [row.state.value for row in await stored(database)] == ["sent", "due"]


async def test_a_call_that_hangs_past_the_grace_counts_as_unknown(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    slack.hold()
    await owe(database, "word")
    await owe(database, "answer", kind="answer", target="CELSE")
    passing = asyncio.create_task(sender.drain())
    await slack.reached(2)

    await sender.stop(grace_seconds=0.05)
    await passing

    found = {row.dedupe_key: (row.state.value, row.last_error) for row in await stored(database)}
    assert found == {"word": ("unconfirmed", "stopped while sending"), "answer": ("due", "stopped while sending")}


async def test_stopping_gives_back_at_once_what_waits_for_its_turn(
    database: Database, slack: RecordingSlack, clock: FixedClock
) -> None:
    sender = make_sender(database, slack, clock, kinds=KINDS, pace_seconds=300)
    await owe(database, "now", "in five minutes")
    passing = asyncio.create_task(sender.drain())
    await slack.reached(1)

    async with asyncio.timeout(30):
        await sender.stop(grace_seconds=60)
    await passing

    assert [row.state.value for row in await stored(database)] == ["sent", "due"]
    assert [row.lease_until for row in await stored(database)] == [None, None]


async def test_what_is_cancelled_before_its_call_was_surely_not_sent(
    database: Database, slack: RecordingSlack, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sender.AT_ONCE_IN_ALL", 8)
    sender = make_sender(database, slack, clock, kinds=KINDS)
    async with database.unit(OTHER_WORKSPACE) as session:
        await make_workspace(session, "Other")
    for workspace_id in (WORKSPACE, OTHER_WORKSPACE):
        await owe(database, *(f"{number}" for number in range(8)), workspace_id=workspace_id)
    slack.hold()
    passing = asyncio.create_task(sender.drain())
    await slack.reached(8)  # as many as are sent at once; the other eight wait, claimed

    await sender.stop(grace_seconds=0.2)
    await passing

    rows = [*await stored(database), *await stored(database, OTHER_WORKSPACE)]
    assert sorted(row.state.value for row in rows) == ["due"] * 8 + ["unconfirmed"] * 8


async def test_what_is_claimed_in_the_moment_of_the_last_stop_goes_back(
    database: Database, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is committed when its pass has been cancelled already; nobody else may have to wait for the lease."""
    claimed, go_on = asyncio.Event(), asyncio.Event()
    really_claim = Pass._claim

    async def claim_slowly(*arguments: Any, **options: Any) -> list[Delivery]:
        rows = await really_claim(*arguments, **options)
        claimed.set()
        await go_on.wait()
        return rows

    monkeypatch.setattr(Pass, "_claim", claim_slowly)
    await owe(database, "one")
    passing = asyncio.create_task(sender.drain())
    await claimed.wait()

    stopping = asyncio.create_task(sender.stop(grace_seconds=0.05))
    await asyncio.wait({stopping}, timeout=0.3)
    go_on.set()
    await asyncio.gather(passing, stopping)

    assert (await the_row(database)).state is DeliveryState.DUE


async def test_whoever_waits_for_a_pass_may_go_away_without_stopping_it(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    slack.hold()
    await owe(database, "one")
    waiting = asyncio.create_task(sender.deliver(WORKSPACE))
    await slack.reached(1)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    slack.let_go()
    await sender.drain()

    assert (len(slack.calls), (await the_row(database)).state) == (1, DeliveryState.SENT)


async def test_drain_sees_what_was_owed_while_another_pass_was_under_way(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    slack.hold()
    await owe(database, "one")
    first = asyncio.create_task(sender.drain())
    await slack.reached(1)
    await owe(database, "two")
    second = asyncio.create_task(sender.drain())
    await asyncio.sleep(0)
    slack.let_go()
    await asyncio.gather(first, second)

    assert [row.state.value for row in await stored(database)] == ["sent", "sent"]


async def test_drain_waits_for_a_pass_that_began_while_the_sender_was_still_looking(
    database: Database, slack: RecordingSlack, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The running sender, late with its look, begins no second pass of which nobody would wait for the first."""
    looking, may_look = asyncio.Event(), asyncio.Event()
    sender, really_look = make_sender(database, slack, clock, kinds=KINDS), database.workspace_ids

    async def slow_at_first(*conditions: Any) -> list[str]:
        is_first = not looking.is_set()
        looking.set()
        found = await really_look(*conditions)
        if is_first:
            await may_look.wait()
        return found

    monkeypatch.setattr(database, "workspace_ids", slow_at_first)
    slack.hold()
    await owe(database, "one")
    running = asyncio.create_task(sender.run())
    await looking.wait()
    first = asyncio.create_task(sender.drain())
    await slack.reached(1)
    may_look.set()

    second = asyncio.create_task(sender.drain())
    _, waiting = await asyncio.wait({second}, timeout=0.2)
    slack.let_go()
    await asyncio.gather(first, second)
    await sender.stop()
    await running

    assert waiting == {second}
    assert [row.state.value for row in await stored(database)] == ["sent"]


async def test_a_wake_sends_at_once_even_while_another_call_hangs(
    database: Database, slack: RecordingSlack, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sender.IDLE_SECONDS", 3600.0)
    sender = make_sender(database, slack, clock, kinds=KINDS)
    running = asyncio.create_task(sender.run())
    slack.hold()
    await owe(database, "hangs")
    sender.wake()
    await slack.reached(1)

    await owe(database, "quick", target="UBEN")
    sender.wake()
    await slack.reached(2)

    slack.let_go()
    await sender.stop()
    await running
    assert [row.state.value for row in await stored(database)] == ["sent", "sent"]


async def test_what_a_web_process_committed_goes_out_even_while_another_call_hangs(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    slack.hold()
    await owe(database, "hangs")
    first = asyncio.create_task(sender.deliver())
    await slack.reached(1)

    await owe(database, "quick", target="UBEN")
    second = asyncio.create_task(sender.deliver())
    await slack.reached(2)

    slack.let_go()
    await asyncio.gather(first, second)
    assert [row.state.value for row in await stored(database)] == ["sent", "sent"]


async def test_many_commits_in_a_moment_are_looked_at_together(
    database: Database, slack: RecordingSlack, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    look = deliveries.next_stretch

    async def counted(*given: Any, **named: Any) -> deliveries.Stretch | None:
        looks.append(named)
        return await look(*given, **named)

    monkeypatch.setattr(deliveries, "next_stretch", counted)
    sender = make_sender(database, slack, clock, kinds=KINDS, pace_seconds=10.0)
    await owe(database, "first", "waits for its turn")
    sender.begin(WORKSPACE)
    await slack.reached(1)

    for _ in range(20):
        sender.begin(WORKSPACE)
        await asyncio.sleep(0)
    await owe(database, "to somebody else", target="UBEN")
    sender.begin(WORKSPACE)
    await slack.reached(2)

    assert [call.text for call in slack.calls] == ["first", "to somebody else"]
    assert 1 < len(looks) < 10
    await sender.stop()


async def test_without_a_wake_what_is_due_is_found_all_the_same(
    database: Database, slack: RecordingSlack, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sender.IDLE_SECONDS", 0.05)
    running = asyncio.create_task(sender.run())
    await owe(database, "one")

    await slack.reached(1)

    await sender.stop()
    await running


async def test_an_answer_without_a_place_in_slack_is_an_unknown_outcome(
    database: Database, slack: RecordingSlack, sender: Sender
) -> None:
    async def strange(method: str, **arguments: object) -> dict[str, object]:
        return {"ok": True}

    slack.call = strange  # type: ignore[method-assign]
    await owe(database, "one")
    await sender.drain()

    assert (await the_row(database)).state is DeliveryState.UNCONFIRMED


async def test_the_log_names_deliveries_and_never_what_they_say(
    database: Database, slack: RecordingSlack, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="steward")
    slack.refuse(SlackPermanent("not_in_channel"))
    await owe(database, "one", text="a private word")
    await sender.drain()

    async with database.unit(WORKSPACE) as session:
        row = (await session.exec(select(Delivery).where(col(Delivery.kind) == "word"))).one()
    assert f"delivery {row.id} (word), attempt 1: not_in_channel" in caplog.text
    assert "a private word" not in caplog.text


@pytest.mark.parametrize(
    ("fault", "state", "in_channel"),
    [
        ({"drop": "before"}, "unconfirmed", 0),
        ({"drop": "after"}, "unconfirmed", 1),
        ({"status": 500}, "unconfirmed", 0),
        ({"hang": 1}, "unconfirmed", 1),
        ({"error": "not_in_channel"}, "parked", 0),
        ({"retry_after": 1}, "sent", 1),
        ({}, "sent", 1),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_over_real_http_nothing_is_posted_twice_whatever_goes_wrong(
    database: Database,
    slack: RecordingSlack,
    clock: FixedClock,
    fault: dict[str, Any],
    state: str,
    in_channel: int,
) -> None:
    # Without the scopes by which it could be looked up.
    async with Sandbox(manifest(), rate_limits=False, optional_scopes=False) as sandbox:
        port = SlackWebApi(sandbox.bot_token, sandbox.api_url, timeout=0.5 if "hang" in fault else 30)
        general = sandbox.workspace.find_channel("#general")
        assert general is not None
        if fault:
            sandbox.fail("chat.postMessage", **fault)
        await owe(database, "word for all", target=general.id)
        sender = make_sender(database, port, clock, kinds=KINDS)
        for _ in range(3):
            await sender.drain()
            clock.move(minutes=1)
            await asyncio.sleep(fault.get("retry_after") or fault.get("hang", 0))  # real time, whatever `clock` says
        found = [message for message in sandbox.person("ana").messages("#general") if message["text"] == "word for all"]
        calls = [call for call in sandbox.calls if call.method == "chat.postMessage"]
        await port.close()

    assert (await the_row(database)).state.value == state
    assert len(found) == in_channel
    assert len(calls) == (2 if "retry_after" in fault else 1)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_messages_to_one_channel_keep_their_distance_though_some_take_longer_to_draw(
    database: Database, slack: RecordingSlack, clock: FixedClock
) -> None:
    """Slack counts when they come, not when they were begun."""
    at: list[float] = []
    really_call = slack.call

    async def timed_call(method: str, **arguments: Any) -> dict[str, Any]:
        at.append(asyncio.get_running_loop().time())
        return await really_call(method, **arguments)

    async def draw_slowly_at_first(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
        await asyncio.sleep(0.2 if delivery.dedupe_key == "one" else 0)
        return await draw(session, delivery, now)

    slack.call = timed_call  # type: ignore[method-assign]
    await owe(database, "one", "two", "three")
    kind = DeliveryKind(key="word", draw=draw_slowly_at_first, late_limit=None)
    await make_sender(database, slack, clock, kinds=[kind], pace_seconds=0.3).drain()

    assert len(at) == 3
    assert all(later - earlier >= 0.29 for earlier, later in pairwise(at))


# ---- without its database -------------------------------------------------------------------------------------------


class GoingDatabase(Database):
    """A database that goes away when it is told to, and as often as `lost` says, only after it has stored."""

    is_gone = False
    lost = 0

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked_in_vain = asyncio.Event()

    @asynccontextmanager
    async def unit(
        self, workspace_id: str, *, writes: bool = True, is_brief: bool = False
    ) -> AsyncIterator[AsyncSession]:
        if self.is_gone:
            self.asked_in_vain.set()
            raise DatabaseAway("away")
        async with super().unit(workspace_id, writes=writes, is_brief=is_brief) as session:
            yield session
        if writes and self.lost:
            self.lost -= 1
            raise DatabaseAway("lost at the commit", perhaps=True)


@pytest.fixture
async def going(database_url: str, slack: RecordingSlack) -> AsyncIterator[GoingDatabase]:
    opened = GoingDatabase(database_url)
    yield opened
    await opened.dispose()


async def lost_after_the_call(going: GoingDatabase, slack: RecordingSlack, sender: Sender) -> "asyncio.Task[None]":
    """Post a message, and have the database go before that could be noted; the pass, which asks for it in vain."""
    slack.hold()
    await owe(going, "one")
    draining = asyncio.create_task(sender.drain())
    await slack.reached(1)
    going.is_gone = True
    slack.let_go()
    await going.asked_in_vain.wait()
    return draining


@only_sqlite
async def test_what_slack_took_is_noted_as_soon_as_the_database_is_back(
    going: GoingDatabase, slack: RecordingSlack, clock: FixedClock
) -> None:
    """Nobody else knows of it, and in a channel that cannot be read nobody could find out."""
    sender = make_sender(going, slack, clock, kinds=KINDS)
    draining = await lost_after_the_call(going, slack, sender)
    clock.move(hours=1)  # the lease is long over
    going.is_gone = False

    await draining

    assert (await the_row(going)).state is DeliveryState.SENT
    assert len(slack.calls) == 1
    await sender.stop()


@only_sqlite
async def test_what_follows_a_message_happens_once_although_the_database_went_at_the_commit(
    going: GoingDatabase, slack: RecordingSlack, clock: FixedClock
) -> None:
    followed: list[str] = []

    async def follow(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
        followed.append(delivery.dedupe_key)

    kinds = (DeliveryKind(key="word", draw=draw, late_limit=None, sent=follow),)
    sender = make_sender(going, slack, clock, kinds=kinds)
    slack.hold()
    await owe(going, "one")
    draining = asyncio.create_task(sender.drain())
    await slack.reached(1)
    going.lost = 1
    slack.let_go()

    await draining

    assert (await the_row(going)).state is DeliveryState.SENT
    assert (followed, len(slack.calls)) == (["one"], 1)
    await sender.stop()


@only_sqlite
@pytest.mark.parametrize("times", [1, 2])
async def test_a_database_that_goes_before_the_call_leaves_the_message_to_be_sent_once(
    going: GoingDatabase, slack: RecordingSlack, clock: FixedClock, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note of the call is stored and nobody hears of it: the row is given back, since there was no call."""
    begin = deliveries.begin_call

    async def begin_and_lose(session: AsyncSession, *arguments: Any, **options: Any) -> Delivery | None:
        nonlocal times
        going.lost, times = (1, times - 1) if times else (0, 0)
        return await begin(session, *arguments, **options)

    monkeypatch.setattr(deliveries, "begin_call", begin_and_lose)
    sender = make_sender(going, slack, clock, kinds=KINDS)
    await owe(going, "one")

    for _ in range(times + 1):
        await sender.drain()

    assert (await the_row(going)).state is DeliveryState.SENT
    assert len(slack.calls) == 1
    await sender.stop()


@only_sqlite
async def test_a_draw_without_the_database_is_no_fault_of_the_message(
    going: GoingDatabase, slack: RecordingSlack, clock: FixedClock
) -> None:
    """However often that happens, it is not parked."""
    drawn = 0

    async def go_while_drawing(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
        nonlocal drawn
        drawn += 1
        if drawn <= TRIES:
            raise DatabaseAway("away")
        return await draw(session, delivery, now)

    kinds = (DeliveryKind(key="word", draw=go_while_drawing, late_limit=None),)
    sender = make_sender(going, slack, clock, kinds=kinds)
    await owe(going, "one")

    for _ in range(TRIES + 1):
        await sender.drain()

    assert (await the_row(going)).state is DeliveryState.SENT
    await sender.stop()


@only_sqlite
async def test_a_stop_does_not_wait_for_a_database_that_is_away(
    going: GoingDatabase, slack: RecordingSlack, clock: FixedClock
) -> None:
    """What was called is looked for in Slack when somebody comes back."""
    sender = make_sender(going, slack, clock, kinds=KINDS)
    draining = await lost_after_the_call(going, slack, sender)

    await sender.stop()

    await draining
    going.is_gone = False
    row = await the_row(going)
    assert row.state is DeliveryState.SENDING
    assert row.call is not None
