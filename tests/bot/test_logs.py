"""Logs: every line tells where it belongs, and none tells a secret or what somebody wrote."""

import base64
import json
import logging
import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import text
from structlog.contextvars import bound_contextvars

from handlers import records
from tests.processes import Machine
from tests.scenarios.house import house_over_socket_mode
from tests.support_logs import lines, settings_for, written

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def test_a_line_tells_when_how_bad_and_what_it_is_about() -> None:
    with written(settings_for()) as stream, bound_contextvars(workspace="T1"):
        with bound_contextvars(request="0a1b2c3d"):
            logging.getLogger("bot.edge").warning("it took %d ms", 12)
        with bound_contextvars(delivery=7, kind="card"):
            logging.getLogger("steward.sender").warning("attempt %d", 2, extra={"code": "not_in_channel"})

    first, second = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", first.pop("time"))
    assert first == {
        "level": "warning",
        "logger": "bot.edge",
        "event": "it took 12 ms",
        "request": "0a1b2c3d",
        "workspace": "T1",
    }
    assert {key: second[key] for key in ("workspace", "delivery", "kind", "code")} == {
        "workspace": "T1",
        "delivery": 7,
        "kind": "card",
        "code": "not_in_channel",
    }
    assert "request" not in second


def test_the_level_is_ours_and_the_libraries_say_only_what_went_wrong() -> None:
    with written(settings_for(log_level="DEBUG")) as stream:
        logging.getLogger("bot.edge").debug("ours")
        logging.getLogger("slack_sdk.web").info("theirs")
        logging.getLogger("sqlalchemy.engine").info("theirs")
    with written(settings_for()) as usual:
        logging.getLogger("bot.edge").info("ours")
        logging.getLogger("apscheduler.scheduler").warning("theirs")

    assert [line["event"] for line in lines(stream)] == ["ours"]
    assert [line["event"] for line in lines(usual)] == ["theirs"]


def fails(words: str) -> None:
    try:
        raise KeyError(words)
    except KeyError as reason:
        raise ExceptionGroup("several", [ValueError(f"{words} again"), OSError(2, words)]) from reason


def test_an_exception_is_its_types_and_frames_and_none_of_its_words() -> None:
    with written(settings_for()) as stream:
        try:
            fails("Salaries of the board")
        except ExceptionGroup as error:
            logging.getLogger("slack_bolt").exception(f"Failed to run listener function (error: {error.exceptions[0]})")

    (line,) = lines(stream)
    assert line["event"] == "Failed to run listener function (error: ValueError)"
    for told in ("KeyError", "ValueError", "FileNotFoundError", "ExceptionGroup", "test_logs.py", "in fails"):
        assert told in line["exception"]
    assert "Salaries" not in stream.getvalue()
    assert "several" not in stream.getvalue()


def test_an_error_of_the_database_has_its_code() -> None:
    """Which tells a full disk from a file that is broken."""
    with written(settings_for()) as stream:
        try:
            sqlite3.connect(":memory:").execute("SELECT salary FROM board")
        except sqlite3.Error:
            logging.getLogger("bot.edge").exception("fault")

    assert "sqlite3.OperationalError SQLITE_ERROR\n" in lines(stream)[0]["exception"]


def test_a_line_of_text_is_one_line_whatever_stands_in_it() -> None:
    with written(settings_for("text")) as stream:
        logging.getLogger("bot.edge").warning("channel %s", "C1\n2026-11-22 ERROR bot.edge: made up\u202e")
        try:
            fails("Salaries")
        except ExceptionGroup:
            logging.getLogger("bot.edge").exception("a fault")

    said, fault, *frames = stream.getvalue().splitlines()
    assert "WARNING bot.edge: channel C1\\n2026-11-22 ERROR bot.edge: made up\\u202e" in said
    assert "ERROR bot.edge: a fault" in fault
    assert frames
    assert all(line.startswith("  ") for line in frames)


async def test_what_ends_the_program_is_a_line_too(tmp_path: Path) -> None:
    """Also where nobody was left to catch it."""
    start = "from bot.settings import Settings; from bot import logs; logs.configure(Settings()); 1 / int('0')"
    async with Machine(tmp_path).program(sys.executable, "-c", start, LOG_FORMAT="json") as program:
        code = await program.ended()

    (line,) = [json.loads(line) for line in program.said.splitlines()]
    assert (code, line["level"], line["exception"].splitlines()[0]) == (1, "critical", "ZeroDivisionError")


FAULTS_ASIDE = """
import threading
from bot import logs
from bot.settings import Settings
logs.configure(Settings())
class Late:
    def __del__(self): int("what somebody wrote")
thread = threading.Thread(target=int, args=("what somebody wrote",))
thread.start(); thread.join()
Late()
"""


async def test_a_fault_in_a_thread_or_while_tidying_up_is_a_line_without_its_words(tmp_path: Path) -> None:
    """Python itself would print them with all that they say."""
    machine = Machine(tmp_path)
    async with machine.program(sys.executable, "-c", FAULTS_ASIDE, LOG_FORMAT="json") as program:
        await program.ended()

    lines = [json.loads(line) for line in program.said.splitlines()]
    assert [(line["level"], line["exception"].splitlines()[0]) for line in lines] == [("error", "ValueError")] * 2
    assert "somebody" not in program.said


# What a secret may look like.
LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=12, max_size=40)
HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
KEY = st.binary(min_size=32, max_size=32).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
SECRETS = st.one_of(
    st.tuples(
        st.sampled_from(["xoxb-", "xoxp-", "xoxa-2-", "xoxe-1-", "xoxe.xoxb-1-", "xapp-1-A1-", "xoxs-", "xwfp-"]),
        LETTERS,
    ).map("".join),
    HEX,
    KEY,
    st.binary(min_size=40, max_size=80).map(lambda raw: "gAAAAA" + base64.urlsafe_b64encode(raw).decode()),
)
# A secret that shows only by what stands around it.
AROUND: dict[str, Callable[[str], str]] = {
    "alone": str,
    "within": lambda secret: f"a{secret}",
    "in quotes": lambda secret: f"{{'token': '{secret}'}}",
    "bearer": lambda secret: f"Authorization: Bearer {secret}, and on",
    "database": lambda secret: f"postgresql://steward:{secret}@db.example/log is away",
    "response_url": lambda secret: f"POST https://hooks.slack.com/commands/T1/1/{secret} failed",
    "socket": lambda secret: f"wss://wss-primary.slack.com/link/?ticket={secret}&app_id=1 is closed",
    "query": lambda secret: f"GET /slack/oauth_redirect?code={secret}&state=1",
    "password": lambda secret: f"password={secret} host=db",
}


def raised(secret: str, log: logging.Logger) -> None:
    try:
        try:
            raise ValueError(secret)
        except ValueError as error:
            raise RuntimeError(f"because of {error}") from error
    except RuntimeError as error:
        log.exception("it failed: %r", error)


PLACES: dict[str, Callable[[str, logging.Logger], None]] = {
    "message": lambda secret, log: log.warning(secret),
    "argument": lambda secret, log: log.warning("told %s and %r", secret, secret),
    "bytes": lambda secret, log: log.warning("told", extra={"body": secret.encode()}),
    "field": lambda secret, log: log.warning("told", extra={"about": secret}),
    "deep": lambda secret, log: log.warning("told", extra={"about": {"all": [(secret,), {secret: 1}]}}),
    "object": lambda secret, log: log.warning("told", extra={"about": Exception(secret)}),
    "exception": raised,
    "broken": lambda secret, log: log.warning("told %d", secret),
    "bound": lambda secret, log: _bound(secret, log),
    "stack": lambda secret, log: log.warning("told %s", secret, stack_info=True),
}


def _bound(secret: str, log: logging.Logger) -> None:
    with bound_contextvars(about=secret):
        log.warning("told")


@settings(max_examples=60)
@given(
    SECRETS,
    st.sampled_from(sorted(AROUND)),
    st.sampled_from(sorted(PLACES)),
    st.sampled_from(["text", "json"]),
    st.sampled_from(
        ["bot.edge", "uvicorn.error", "slack_sdk", "slack_bolt", "sqlalchemy.engine", "alembic", "asyncio"]
    ),
)
def test_no_secret_comes_out_whatever_it_looks_like_and_wherever_it_stands(
    secret: str, around: str, place: str, log_format: str, logger: str
) -> None:
    with written(settings_for(log_format)) as stream:
        PLACES[place](AROUND[around](secret), logging.getLogger(logger))

    told = stream.getvalue()
    assert secret not in told
    assert secret[6:] not in told
    assert told
    if log_format == "json" and place != "broken":
        assert len(lines(stream)) == 1


ANY_SECRET = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=8, max_size=40)


@settings(max_examples=40)
@given(ANY_SECRET, st.sampled_from(sorted(PLACES)), st.sampled_from(["text", "json"]))
def test_a_secret_of_the_settings_comes_out_nowhere_even_if_it_looks_like_nothing(
    secret: str, place: str, log_format: str
) -> None:
    chosen = settings_for(log_format, slack_signing_secret=SecretStr(secret))
    with written(chosen) as stream:
        PLACES[place](f"told {secret} aloud", logging.getLogger("bot.edge"))

    assert chosen.slack_signing_secret is not None
    assert chosen.slack_signing_secret.get_secret_value() not in stream.getvalue()


MARK = "Zebrafish"


@on_sqlite
async def test_nothing_that_somebody_wrote_is_in_the_log_even_when_all_goes_wrong(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words in commands, forms, comments and mentions; faults that quote them, in Python and in the database."""

    async def fails(*_: object) -> None:
        raise ValueError(f"{MARK} in a fault")

    with written(settings_for(log_level="debug")) as stream:
        async with house_over_socket_mode(database_url) as house:
            ana = house.sandbox.person("ana")
            await ana.command("#network", "/action", f"{MARK} order racks")
            await ana.command("#network", "/action", f"{MARK} by 99 Foo")
            await ana.command("#network", "/risk", "")
            await ana.submit({"title": f"{MARK} may be late", "details": f"{MARK} details"})
            await ana.say("#network", f"@Steward action {MARK} in a mention")
            house.sandbox.fail("chat.postMessage", error="invalid_blocks", times=9)
            house.sandbox.fail("response_url", status=500, times=9)
            await ana.command("#network", "/issue", f"{MARK} is broken")
            await house.settled()
            async with house.steward.database.engine.begin() as connection:
                await connection.execute(text("ALTER TABLE risk RENAME TO away"))
            await ana.command("#network", "/risk", f"{MARK} in the database")
            async with house.steward.database.engine.begin() as connection:
                await connection.execute(text("ALTER TABLE away RENAME TO risk"))
            monkeypatch.setattr(records, "log_words", fails)
            answer = await ana.command("#network", "/decision", f"{MARK} decided")
            await ana.say("#network", f"@Steward action {MARK} in another mention")
            await house.settled()
            told = json.dumps(ana.ephemerals("#network"))

    assert answer.ok
    found = lines(stream)
    faults = {line["fault"]: line for line in found if "fault" in line}
    assert len(faults) == 3
    assert {line["workspace"] for line in faults.values()} == {house.sandbox.team_id}
    assert all(line["request"] == fault and "Error" in line["exception"] for fault, line in faults.items())
    references = set(re.findall(r"reference: ([0-9a-f]{8})", told))
    assert references
    assert references <= set(faults)
    assert any(line.get("delivery") for line in found)
    assert MARK not in stream.getvalue()
    assert house.sandbox.bot_token not in stream.getvalue()
