"""The door to Slack: it stays open, and tells nobody how to get through it."""

import logging
from pathlib import Path

import pytest

from bot import run
from bot.assemble import Slack, Steward
from bot.manifest import manifest
from bot.slack_port import SlackNotSent
from bot.socket_mode import SocketMode
from models.database import Database
from sandbox import Sandbox
from tests.processes import until_it_is

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def free_port() -> int:
    with run.listener("127.0.0.1", 0) as free:
        port: int = free.getsockname()[1]
        return port


async def test_a_slack_that_was_away_is_found_again(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The socket is watched from outside, since the library may stay without one."""
    port = free_port()
    async with Sandbox(manifest(), port=port, keep=tmp_path) as slack:
        steward = Steward(Database(database_url), Slack(slack.bot_token, slack.api_url))
        await steward.open()
        door = SocketMode(steward.bolt, app_token=slack.app_token, api_url=slack.api_url, watch_seconds=0.1)
        await door.open()
        assert slack.connections == 1

    async def connections() -> int:
        return slack.connections

    async with Sandbox(manifest(), port=port, keep=tmp_path) as slack:
        try:
            await until_it_is(1, connections)
            assert (await slack.person("ana").command("#network", "/steward", "help")).ok
        finally:
            await door.close()
            await steward.stop()

    assert slack.app_token not in caplog.text
    assert "ticket=" not in caplog.text


async def test_a_slack_that_refuses_or_is_not_there_is_told_at_once(database_url: str) -> None:
    """The library alone would try for ever."""
    async with Sandbox(manifest()) as slack:
        steward = Steward(Database(database_url), Slack(slack.bot_token, slack.api_url))
        await steward.open()
    door = SocketMode(steward.bolt, app_token="xapp-1", api_url=slack.api_url)

    with pytest.raises(SlackNotSent):
        await door.open()

    await door.close()
    await steward.stop()


async def test_the_address_of_a_socket_is_not_logged(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads it within half a minute could listen instead of us."""
    async with Sandbox(manifest()) as slack:
        steward = Steward(Database(database_url), Slack(slack.bot_token, slack.api_url))
        async with run.socket_mode(Database(database_url), Slack(slack.bot_token, slack.api_url), slack.app_token):
            try:
                raise ConnectionError("wss://slack.example/link/?ticket=hunter2&app_id=A1 is closed")
            except ConnectionError as error:
                logging.getLogger("steward.socket_mode").exception("Failed to connect (error: %s); Retrying...", error)
        await steward.stop()

    assert "Failed to connect (error: wss://slack.example/link/ is closed); Retrying..." in caplog.text
    assert "hunter2" not in caplog.text
