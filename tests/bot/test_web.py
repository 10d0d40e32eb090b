"""The front door: what is not from Slack, or cannot be read, is turned away before anything looks at it."""

import asyncio
import hashlib
import hmac
import json
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlalchemy import update

from bot import bolt_app, operation, run, web
from bot.incoming import Incoming
from models import outbox, sqlite
from models.database import Database
from models.database_errors import MAKE_ROOM, DatabaseFull
from models.tables import Delivery, DeliveryState, Workspace
from scheduler.runner import HEARTBEAT

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NO_TICKER = "no ticker has run yet: start `steward run`, or `steward worker` beside `steward web`"
FORM = "application/x-www-form-urlencoded"
COMMAND = urlencode(
    {"command": "/action", "text": "Unheard-of words", "team_id": "T0001", "user_id": "U1", "trigger_id": "1.2.abc"}
).encode()


class Door:
    """The web application on a port of its own, with somebody behind it who only notes what comes through."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.let_in: list[Incoming] = []
        self.url = url
        self._session = session

    async def answer(self, incoming: Incoming) -> dict[str, Any] | None:
        self.let_in.append(incoming)
        return {"text": "heard"}

    async def post(self, body: Any, headers: Mapping[str, str]) -> tuple[int, str]:
        async with self._session.post(f"{self.url}/slack/events", data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def signed(self, body: bytes, *, content_type: str = FORM, at: float | None = None) -> tuple[int, str]:
        return await self.post(body, {"Content-Type": content_type} | signature(body, at=at))

    async def state(self, path: str) -> tuple[int, str]:
        async with self._session.get(f"{self.url}{path}") as answer:
            return answer.status, await answer.text()


def signature(body: bytes, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


@pytest.fixture
async def door(database: Database, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Door]:
    caplog.set_level(logging.DEBUG)

    async def bot_user(workspace_id: str, enterprise_id: str) -> str:
        return "UBOT"

    with run.listener("127.0.0.1", 0) as listening:
        async with aiohttp.ClientSession() as session:
            door = Door(f"http://127.0.0.1:{listening.getsockname()[1]}", session)
            bolt = bolt_app.build(door.answer, bot_user, signing_secret=SECRET, api_url="http://127.0.0.1:9/api/")
            serving = asyncio.create_task(web.serve(web.application(bolt, database, SECRET), listening))
            yield door
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


Forgery = Callable[[], dict[str, str]]

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def test_a_signed_request_is_answered(door: Door) -> None:
    assert await door.signed(COMMAND) == (200, "heard")
    assert [incoming.text for incoming in door.let_in] == ["Unheard-of words"]


@pytest.mark.parametrize("seconds", [-290, 290])
async def test_a_clock_that_is_a_little_off_does_no_harm(door: Door, seconds: int) -> None:
    assert (await door.signed(COMMAND, at=time.time() + seconds))[0] == 200


@pytest.mark.parametrize("seconds", [-310, 310, -86_400])
async def test_an_old_or_a_coming_request_is_refused_however_well_signed(
    door: Door, caplog: pytest.LogCaptureFixture, seconds: int
) -> None:
    """Somebody who kept a request cannot use it again. The log tells, for it may be this machine's clock."""
    assert await door.signed(COMMAND, at=time.time() + seconds) == (401, "not from Slack")
    assert not door.let_in
    assert f"s {'ago' if seconds < 0 else 'from now'} by this machine's clock: see that NTP sets it" in caplog.text


def stamped(stamp: str) -> Forgery:
    """A good signature of now beside another time stamp; `{now}` in it is the present second."""
    return lambda: signature(COMMAND) | {"X-Slack-Request-Timestamp": stamp.format(now=int(time.time()))}


# Made when they are used: a signature of the moment of collection would be refused for its age alone.
FORGERIES: dict[str, Forgery] = {
    "nothing": dict,
    "no signature": lambda: {"X-Slack-Request-Timestamp": str(int(time.time()))},
    "another secret": lambda: signature(COMMAND, secret="another"),
    "another body": lambda: signature(COMMAND + b" "),
    "an empty signature": lambda: signature(COMMAND) | {"X-Slack-Signature": "v0="},
    "a signature that is not ASCII": lambda: signature(COMMAND) | {"X-Slack-Signature": "ü"},
    "a word for a time": stamped("now"),
    "a sign before the time": stamped("+{now}"),
    "a fraction of a second": stamped("{now}.0"),
    "a digit that is not ASCII": stamped("²"),
    "a time of 5,000 digits": stamped("9" * 5_000),
    "no number": stamped("nan"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_what_is_not_signed_by_slack_is_refused(door: Door, forgery: str) -> None:
    assert await door.post(COMMAND, {"Content-Type": FORM} | FORGERIES[forgery]()) == (401, "not from Slack")
    assert not door.let_in


@pytest.mark.parametrize("body", [COMMAND.replace(b"+", b"%20"), b"a=1&" + COMMAND, COMMAND + b"&x=%FF"])
async def test_the_signature_is_of_the_bytes_as_they_came(door: Door, body: bytes) -> None:
    """The same fields written otherwise are other bytes."""
    assert (await door.signed(body))[0] == 200
    assert (await door.post(body, {"Content-Type": FORM} | signature(COMMAND)))[0] == 401


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"[]", "Application/JSON; charset=utf-8"),
        (b"null", "application/json"),
        (b'"text"', "application/json"),
        (b"1e999", "application/json"),
        (b"{", "application/json"),
        (b"{", FORM),
        (b'{"a":', "text/plain"),
        (b'{"a": "\xff"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"a":' * 100_000, "application/json"),
        (b"1" * 5_000, "application/json"),
        (b"payload=", FORM),
        (b"payload=[]", FORM),
        (b"payload={", FORM),
        (b"payload=null", FORM),
        (b"payload=%5B" + b"%5B" * 50_000, FORM),
        (b"payload=" + b"1" * 5_000, FORM),
        (b"\xff\xfe", FORM),
    ],
    ids=lambda part: part[:16].decode(errors="replace") if isinstance(part, bytes) else part[:16],
)
async def test_a_body_that_is_no_object_is_refused(door: Door, body: bytes, content_type: str) -> None:
    assert await door.signed(body, content_type=content_type) == (400, "not readable")
    assert not door.let_in


async def test_a_body_over_a_megabyte_is_refused_unread(door: Door) -> None:
    body = b"text=" + b"x" * web.BODY_MAX_BYTES

    assert await door.signed(body) == (413, "too large")
    assert not door.let_in


async def test_a_body_of_no_stated_length_is_refused_where_it_becomes_too_large(door: Door) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    with suppress(aiohttp.ClientConnectionError):  # the door may close before the last piece
        assert await door.post(pieces(), {"Content-Type": FORM}) == (413, "too large")
    assert not door.let_in


async def test_a_body_that_does_not_come_is_not_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "BODY_SECONDS", 0.05)
    may_end = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        yield COMMAND[:10]
        await may_end.wait()

    try:
        assert await door.post(trickle(), signature(COMMAND)) == (408, "too slow")
    finally:
        may_end.set()


async def until_hung_up(door: Door, sent: bytes, *, again: bytes = b"") -> None:
    """Send, and go on sending, until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rpartition(":")[2]))
    try:
        async with asyncio.timeout(20):
            writer.write(sent)
            while again and not reader.at_eof():
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(0)
            assert await reader.read() == b""
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_headers_without_an_end_are_not_kept(door: Door) -> None:
    await until_hung_up(door, b"GET /healthz HTTP/1.1\r\nX-Long: ", again=b"a" * 10_000)


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
async def test_who_does_not_come_to_the_end_of_the_headers_is_not_waited_for(
    door: Door, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(web, "HEAD_SECONDS", 0.05)

    await until_hung_up(door, sent)


async def test_nothing_of_a_refused_body_is_logged(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever may read the log learns nothing that was written."""
    unsigned = await door.post(COMMAND, {"Content-Type": FORM})
    unreadable = await door.signed(b'{"text": "Unheard-of words"', content_type="application/json")
    unwanted = await door.signed(b'{"type": "unknown", "text": "Unheard-of words"}', content_type="application/json")

    logged = "".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records)
    assert "Unheard-of" not in "".join([logged, unsigned[1], unreadable[1], unwanted[1]])


async def test_what_slack_says_and_nobody_here_needs_is_taken_all_the_same(door: Door) -> None:
    """Otherwise Slack sends it again, and in the end sends nothing more."""
    assert await door.signed(b'{"type": "app_rate_limited"}', content_type="application/json") == (200, "")
    assert not door.let_in


async def test_slacks_question_whether_the_address_is_ours_is_answered(door: Door) -> None:
    body = b'{"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}'

    status, text = await door.signed(body, content_type="application/json")

    assert (status, json.loads(text)["challenge"]) == (200, "3eZbrw1a")


async def test_without_a_ticker_the_installation_is_not_healthy(database: Database) -> None:
    before = await operation.health_problem(database)
    await database.beat(HEARTBEAT, datetime.now(UTC))
    with_ticker = await operation.health_problem(database)
    await database.beat(HEARTBEAT, datetime.now(UTC) - timedelta(seconds=90))
    silent = await operation.health_problem(database)
    await database.beat(HEARTBEAT, datetime.now(UTC) + timedelta(seconds=3_600))
    to_come = await operation.health_problem(database)

    assert before == NO_TICKER
    assert with_ticker is None
    assert str(silent).startswith("the ticker has been silent for 9")
    assert str(to_come).endswith(" s from now: see that NTP sets the machines' clocks")


async def test_while_the_disk_is_full_it_is_neither_ready_nor_well(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As soon as something could not be stored, and until there is room; the log says what to do."""

    async def fail(connection: sqlite._Connection) -> None:
        await connection.rollback()
        raise sqlite3.OperationalError("database or disk is full")

    await database.beat(HEARTBEAT, datetime.now(UTC))
    with monkeypatch.context() as full:
        full.setattr(sqlite._Connection, "commit", fail)
        before = await operation.ready_problem(database)
        with pytest.raises(DatabaseFull):
            await database.beat(HEARTBEAT, datetime.now(UTC))

        meanwhile = [await operation.ready_problem(database), await operation.health_problem(database)]

    assert before is None
    assert meanwhile == [MAKE_ROOM] * 2
    assert MAKE_ROOM in caplog.messages
    assert [await operation.ready_problem(database), await operation.health_problem(database)] == [None] * 2


async def test_the_public_is_told_one_word_of_a_state_that_is_known(
    door: Door, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However many ask, the database is asked once in a while; the reason is in the log, once."""
    looks = 0
    find = operation.health_problem

    async def looked(of: Database) -> str | None:
        nonlocal looks
        looks += 1
        return await find(of)

    monkeypatch.setattr(operation, "health_problem", looked)
    monkeypatch.setattr(operation, "KNOWN_SECONDS", 3_600.0)

    told = await asyncio.gather(*(door.state("/healthz") for _ in range(20)))
    ready = await door.state("/readyz")

    assert set(told) == {(503, "not well")}
    assert ready == (200, "ready")
    assert looks == 1
    assert caplog.messages.count(f"not well: {NO_TICKER}") == 1


async def test_what_the_public_is_told_follows_what_is_so(
    door: Door, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(operation, "KNOWN_SECONDS", 0.0)

    before = [await door.state("/healthz") for _ in range(2)]
    await database.beat(HEARTBEAT, datetime.now(UTC))
    after = [await door.state("/healthz") for _ in range(2)]

    assert before == [(503, "not well")] * 2
    assert after == [(200, "well")] * 2
    said = [each for each in caplog.messages if "well" in each]
    assert said == [f"not well: {NO_TICKER}", "well again"]


@pytest.mark.parametrize(
    ("minutes", "state", "is_well"),
    [(14, DeliveryState.DUE, True), (16, DeliveryState.DUE, False), (-60, DeliveryState.DUE, True)]
    + [(600, state, True) for state in DeliveryState if state is not DeliveryState.DUE],
)
async def test_messages_that_nobody_sends_are_not_healthy(
    database: Database, minutes: int, state: DeliveryState, is_well: bool
) -> None:
    """Not even while the ticker beats; what is over, or to come, waits for nobody."""
    now = datetime.now(UTC)
    await database.beat(HEARTBEAT, now)
    async with database.unit("T0001") as session:
        session.add(Workspace(id="T0001", name="Northwind", bot_user_id="UBOT"))
        await outbox.put(session, "word", key="one", target="UANA", due_at=now - timedelta(minutes=minutes))
        await session.exec(update(Delivery).values(state=state))

    problem = await operation.health_problem(database)

    late = "messages have been waiting for 16 minutes: look after `steward worker`"
    assert problem == (None if is_well else late)


async def test_a_database_that_does_not_answer_is_not_healthy(engine: str) -> None:
    async with Database("postgresql://steward:hunter2@127.0.0.1:9/steward") as nowhere:
        problem = await operation.health_problem(nowhere)

        assert problem == "the database does not answer (ConnectionRefusedError): `steward doctor` says more"
