"""A stop has one deadline, which no part of the program can put off."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot import assemble, run, stopping, web
from bot.assemble import Slack, Steward
from bot.stopping import Deadline
from models.database import Database
from tests.processes import Machine
from tests.waiting import PATIENCE_SECONDS

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def long_ago() -> Deadline:
    """A stop that has taken all its time."""
    return Deadline(begun=asyncio.get_running_loop().time() - stopping.END_SECONDS)


async def test_all_parts_of_a_stop_share_one_clock() -> None:
    """Whoever asks first begins it, and what one part takes is gone for the next."""
    deadline = Deadline()
    assert deadline.left(3.0) == pytest.approx(3.0)

    await asyncio.sleep(0.01)

    assert deadline.left(3.0) < 2.995
    assert deadline.left(0.005) == 0.0
    assert long_ago().left(stopping.GONE_SECONDS) == 0.0


def test_the_moments_of_a_stop_follow_each_other_and_leave_a_busy_machine_some_of_the_ten_seconds() -> None:
    moments = [
        stopping.ANSWERED_SECONDS,
        stopping.SHUT_SECONDS,
        stopping.FINISHED_SECONDS,
        stopping.NOTED_SECONDS,
        stopping.GONE_SECONDS,
        stopping.END_SECONDS,
    ]

    assert moments == sorted(moments)
    assert stopping.GONE_SECONDS + 2 <= stopping.END_SECONDS <= 9


async def test_a_door_that_closes_late_waits_for_nobody() -> None:
    """Whoever hangs in it is sent away; what comes after it in the stop has its own time."""
    asked, answered = asyncio.Event(), asyncio.Event()

    async def hang(request: Request) -> Response:
        asked.set()
        await answered.wait()
        return PlainTextResponse("at last")

    with run.listener("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        serving = asyncio.create_task(web.serve(Starlette(routes=[Route("/", hang)]), listening, long_ago()))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: steward.example\r\n\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asked.wait()
            serving.cancel()
            await asyncio.wait({serving})
        writer.close()

    assert serving.cancelled()


@only_sqlite
async def test_what_will_not_end_is_left_when_the_time_is_over(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(assemble, "GONE_SECONDS", 0.05)
    async with Database(database_url) as database:
        steward = Steward(database, Slack("", "http://127.0.0.1:9/api/"))
        hung = asyncio.Event()

        async def hang() -> None:
            hung.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(steward.access, "close", hang)

        async with asyncio.timeout(PATIENCE_SECONDS):
            await steward.stop()

    assert hung.is_set()
    assert "not everything could be let go of in time" in caplog.text


STUBBORN = """
import asyncio
from bot.stopping import until_stopped

async def stubborn():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def work():
    left_over = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    print("at work", flush=True)
    await asyncio.Event().wait()

until_stopped(work())
"""


async def test_what_nobody_sees_out_does_not_hold_up_the_end_of_the_process(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    async with machine.program(sys.executable, "-c", STUBBORN) as program:
        await program.says("at work")
        code, _ = await program.stopped(signal.SIGTERM)

    assert code == 0


def test_the_last_resort_does_not_wait_for_a_log_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[tuple[int, bool]] = []
    may_log, has_logged = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        may_log.wait(PATIENCE_SECONDS)
        has_logged.set()

    monkeypatch.setattr(os, "_exit", lambda code: ended.append((code, has_logged.is_set())))
    monkeypatch.setattr(stopping, "LAST_WORD_SECONDS", 0.01)
    monkeypatch.setattr(stopping.log, "error", hang)

    stopping._give_up()
    may_log.set()

    assert ended == [(1, False)]
