"""What a start loads, and what it leaves for whoever needs it; nothing here is timed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot import loading
from bot.manifest import manifest
from sandbox import Sandbox
from tests.processes import Machine, free_port

# What only some commands, some installations or some requests need, and costs memory or time.
NOT_FOR_A_PLAIN_REQUEST = {
    "alembic",
    "apscheduler",
    "asyncpg",
    "cryptography",
    "dateparser",
    "filelock",
    "holidays",
    "pygments",
    "rapidfuzz",
    "rich.console",
    "sandbox",
    "slack_sdk.socket_mode",
}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_web_answers_without_loading_what_it_does_not_need(tmp_path: Path, database_url: str) -> None:
    """From the start to the first record that somebody logs."""
    machine, port = Machine(tmp_path), free_port()
    request_url = f"http://127.0.0.1:{port}/slack/events"
    async with Sandbox(manifest(request_url=request_url), request_url=request_url, rate_limits=False) as slack:
        variables = {
            "DATABASE_URL": database_url,
            "PORT": port,
            "PYTHONPROFILEIMPORTTIME": 1,
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
        }
        async with machine.steward("web", **variables) as web:
            await web.says("Steward answers")
            told = await slack.person("ana").command("#network", "/action", "Check the fans @ben by friday 3pm !high")
            await web.stopped()

    loaded = set(re.findall(r"^import time: .*\| +(\S+)$", web.said, re.MULTILINE))
    assert told.ok, told
    assert "slack_bolt" in loaded
    assert loaded & NOT_FOR_A_PLAIN_REQUEST == set()


def test_work_begins_with_what_was_loaded_left_out_of_garbage_collections(tmp_path: Path) -> None:
    """Collections of the oldest went through all of it, now and then, and for a tenth of a second nobody got a turn."""
    script = (
        "import gc, sys; from bot import command_line, stopping; from bot.settings import Settings;"
        "stopping.until_stopped = lambda work: (work.close(), print(gc.isenabled(), gc.get_freeze_count()));"
        "sys.argv = ['steward', 'sandbox']; command_line.main()"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(loading.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )

    collects, left_out = done.stdout.split()
    assert collects == "True"
    assert int(left_out) > 10_000
