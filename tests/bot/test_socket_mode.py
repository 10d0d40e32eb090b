"""The door to Slack: it stays open, and tells nobody how to get through it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
import typer
from pydantic import SecretStr
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot import command_line, run
from bot.assemble import Slack, Steward
from bot.manifest import manifest
from bot.settings import Settings
from bot.slack_port import SlackNotSent
from bot.socket_mode import SocketMode, Watch
from bot.stopping import DoorStuck
from models.database import Database
from sandbox import Sandbox
from sandbox.socket_mode import SocketMode as SlacksEnd
from tests.processes import until_it_is
from tests.support_logs import settings_for, written
from tests.waiting import until

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


# Ten looks a second, so that nobody waits: what takes 60 s at most outside takes half a second here.
CLOSELY = Watch(ping=0.1, look=0.05, silent=0.5, pause=0.1)


@asynccontextmanager
async def connected(
    slack: Sandbox, database_url: str, watch: Watch = CLOSELY
) -> AsyncIterator[tuple[SocketMode, Steward]]:
    """Steward behind a door that is watched closely."""
    steward = Steward(Database(database_url), Slack(slack.bot_token, slack.api_url))
    await steward.open()
    door = SocketMode(steward.bolt, app_token=slack.app_token, api_url=slack.api_url, watch=watch)
    await door.open()
    try:
        yield door, steward
    finally:
        await door.close(steward.deadline)
        await steward.stop()


async def back(slack: Sandbox) -> None:
    """Wait for another connection than the first, which works."""

    async def another() -> tuple[bool, int]:
        opened = [call for call in slack.calls if call.method == "apps.connections.open" and call.answer.get("ok")]
        return len(opened) > 1, slack.connections

    async def works() -> bool:
        return (await slack.person("ana").command("#network", "/steward", "help")).ok

    await until_it_is((True, 1), another)
    # The first may still be there, and Slack shares out what comes among all.
    await until_it_is(True, works)


async def test_a_slack_that_was_away_is_found_again(database_url: str) -> None:
    """However long it takes: what the process owes people goes on meanwhile."""
    never_too_long = replace(CLOSELY, stuck=0.0)
    with written(settings_for("text")) as log:

        async def tries() -> bool:
            return log.getvalue().count("not connected: no connection") >= 3

        async with Sandbox(manifest()) as slack, connected(slack, database_url, never_too_long) as (door, _):
            async with slack.out_of_reach():
                await until_it_is(True, tries)
                assert not door.is_connected
            await back(slack)

            assert door.is_connected

    # Whoever has the address of a socket could listen instead of us.
    assert slack.app_token not in log.getvalue()
    assert "ticket" not in log.getvalue()


async def leave_it(*_: object, **__: object) -> None:
    """What the library does about a lost connection, at its worst."""


async def use_it_again(client: SocketModeClient) -> str | None:
    return client.wss_uri


@pytest.mark.parametrize("library", ["as it is", "does nothing", "uses an address twice"])
@pytest.mark.parametrize("lost", ["silent", "closed", "refreshed"])
async def test_a_connection_that_is_lost_is_replaced_whatever_the_library_does(
    database_url: str, monkeypatch: pytest.MonkeyPatch, lost: str, library: str
) -> None:
    if library == "does nothing":
        monkeypatch.setattr(SocketModeClient, "connect_to_new_endpoint", leave_it)
    if library == "uses an address twice":
        monkeypatch.setattr(SocketModeClient, "issue_new_wss_url", use_it_again)
    async with Sandbox(manifest()) as slack, connected(slack, database_url):
        if lost == "silent":
            slack.silence_connections()
        elif lost == "refreshed":
            await slack.refresh_connections()
        else:
            async with slack.out_of_reach():
                pass

        await back(slack)


async def test_another_process_with_the_same_app_token_is_warned_of(database_url: str) -> None:
    """On another machine, where no lock reaches; Slack's hello counts the connections."""
    with written(settings_for("text")) as log:
        async with Sandbox(manifest()) as slack, connected(slack, database_url, Watch()):
            assert "Another process" not in log.getvalue()
            async with connected(slack, database_url, Watch()):
                warning = "Another process is connected with the same app token (2 connections)"
                await until(lambda: warning in log.getvalue())

    assert slack.app_token not in log.getvalue()


async def test_a_connection_that_slack_renews_is_no_other_process(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every few hours Slack asks every connection to come back, and may count the old one still when it greets it."""
    hello = SlacksEnd._hello

    def with_the_old_one(end: SlacksEnd, life: float) -> dict[str, object]:
        return hello(end, life) | {"num_connections": 2}

    with written(settings_for("text")) as log:
        async with Sandbox(manifest(), rate_limits=False) as slack, connected(slack, database_url, Watch()):

            async def is_answered() -> bool:
                return (await slack.person("ana").command("#network", "/steward", "help")).ok

            monkeypatch.setattr(SlacksEnd, "_hello", with_the_old_one)
            await slack.refresh_connections()
            await until_it_is(True, is_answered)

    assert "Another process" not in log.getvalue()


async def test_a_library_that_no_longer_looks_after_its_connection_is_noticed(database_url: str) -> None:
    """Nothing is lost yet, but nobody would hear of it."""
    async with Sandbox(manifest()) as slack, connected(slack, database_url) as (door, _):
        assert door._handler is not None
        door._handler.client.current_session_monitor.cancel()

        await back(slack)


async def test_an_answer_to_a_ping_is_a_sign_of_life(database_url: str) -> None:
    """A connection on which nobody asks for anything is left alone."""
    patiently = replace(CLOSELY, silent=3_600.0)
    async with Sandbox(manifest()) as slack, connected(slack, database_url, patiently) as (door, _):
        heard = set()

        async def times_heard() -> bool:
            heard.add(door._heard_at)
            return len(heard) > 5

        await until_it_is(True, times_heard)


async def test_the_process_ends_when_slack_answers_and_lets_nobody_in(database_url: str) -> None:
    async with Sandbox(manifest()) as slack:
        soon = replace(CLOSELY, stuck=0.6)
        async with connected(slack, database_url, soon) as (door, _):
            slack.fail("apps.connections.open", error="invalid_auth", times=1_000)
            slack.silence_connections()

            with pytest.raises(DoorStuck, match=r"no connection for .* minutes \(invalid_auth\).*SLACK_APP_TOKEN"):
                await door.stuck()


async def test_the_process_ends_when_a_dead_connection_cannot_be_closed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: SocketModeClient) -> None:
        await asyncio.Event().wait()

    impatiently = replace(CLOSELY, close=0.1)
    async with Sandbox(manifest()) as slack, connected(slack, database_url, impatiently) as (door, _):
        assert door._handler is not None
        first = door._handler.client
        with monkeypatch.context() as patched:
            patched.setattr(SocketModeClient, "connect_to_new_endpoint", leave_it)
            patched.setattr(SocketModeClient, "close", never)
            slack.silence_connections()

            with pytest.raises(DoorStuck, match="could not be closed"):
                await door.stuck()
        await first.close()


async def test_the_process_ends_when_the_watch_itself_breaks(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sandbox(manifest()) as slack, connected(slack, database_url) as (door, _):
        monkeypatch.setattr(door, "_listen", lambda: 1 / 0)

        with pytest.raises(DoorStuck, match=r"broke \(ZeroDivisionError\)"):
            await door.stuck()


async def test_a_process_that_cannot_reach_slack_any_more_says_so_and_fails(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its supervisor starts another; whatever hangs in this one, it is gone within ten seconds."""
    async with Sandbox(manifest()) as slack:
        settings = Settings(
            database_url=database_url,
            slack_bot_token=SecretStr(slack.bot_token),
            slack_app_token=SecretStr(slack.app_token),
            slack_api_url=slack.api_url,
        )
        ended = []
        monkeypatch.setattr(run, "end_soon", lambda: ended.append(True))
        monkeypatch.setattr("bot.socket_mode.SocketMode", partial(SocketMode, watch=CLOSELY))
        monkeypatch.setattr(SocketMode, "_listen", lambda door: 1 / 0)

        with pytest.raises(typer.Exit) as left, command_line._refusals():
            await run.with_slack(settings, lambda line: None)

    assert left.value.exit_code == 1
    assert ended == [True]


async def test_a_slack_that_refuses_or_is_not_there_is_told_at_once(database_url: str) -> None:
    """The library alone would try for ever."""
    async with Sandbox(manifest()) as slack:
        steward = Steward(Database(database_url), Slack(slack.bot_token, slack.api_url))
        await steward.open()
    door = SocketMode(steward.bolt, app_token="xapp-1", api_url=slack.api_url)

    with pytest.raises(SlackNotSent):
        await door.open()

    await door.close(steward.deadline)
    await steward.stop()
