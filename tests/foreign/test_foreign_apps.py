"""Apps that know nothing of this project run on the sandbox, each as its own process: one in Python, one in JavaScript.

Both do the same; they are written as for real Slack and only take the API address from their environment.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox import Sandbox
from tests.waiting import until

HERE = Path(__file__).parent
MANIFEST = json.loads((HERE / "manifest.json").read_text())
INSTALL_SECONDS = 240

# What npm says when the lock and the packages do not fit; all else that stops it is the machine's or the network's.
LOCK_FAULTS = ("EUSAGE", "EINTEGRITY")


@pytest.fixture(params=["python", "javascript"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """How to start the app."""
    if request.param == "python":
        return [sys.executable, str(HERE / "python_app" / "app.py")]
    folder = installed_javascript(Path(request.config.cache.mkdir("foreign_javascript_app")))
    return ["node", str(folder / "app.js")]


def installed_javascript(cache: Path) -> Path:
    """The JavaScript app with its packages, installed once per lock file. Skips where that cannot be done."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js with npm is not installed, so the JavaScript app cannot run")
    source = HERE / "javascript_app"
    key = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache / key
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "app.js"):
        shutil.copy(source / name, folder / name)
    if not (folder / "installed").exists():
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(npm, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.skip("npm could not fetch the JavaScript app's packages in time")
        if any(fault in done.stderr for fault in LOCK_FAULTS):
            pytest.fail(f"the JavaScript app's lock file is broken: {done.stderr.strip()[-500:]}")
        if done.returncode:
            pytest.skip(f"npm could not install the JavaScript app's packages: {done.stderr.strip()[-200:]}")
        (folder / "installed").touch()
    return folder


@contextlib.asynccontextmanager
async def running(command: list[str], sandbox: Sandbox) -> AsyncIterator[None]:
    """The app's process, connected to the sandbox."""
    environment = {
        **os.environ,
        "SLACK_API_URL": sandbox.api_url,
        "SLACK_BOT_TOKEN": sandbox.bot_token,
        "SLACK_APP_TOKEN": sandbox.app_token,
    }
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    reading = asyncio.create_task(process.communicate())
    try:
        await until(lambda: sandbox.connections or reading.done())
        assert not reading.done(), reading.result()[0].decode()
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await reading


async def test_a_foreign_app_works_as_with_slack(command: list[str]) -> None:
    async with Sandbox(MANIFEST, rate_limits=False) as sandbox, running(command, sandbox):
        ana, ben = sandbox.person("ana"), sandbox.person("ben")

        # A command answered in its acknowledgement, entities included.
        assert (await ana.command("#network", "/lunch", "@ben's kitchen")).ok
        assert ana.ephemerals("#network")[-1]["text"] == "You proposed <@U00000000BE|ben>'s kitchen"

        # A form: refused beside its field, then posted as a card.
        await ana.command("#network", "/lunch")
        await until(lambda: ana.modal)
        await ana.submit({"place": "nowhere"})
        assert ana.form_errors == {"place": "That is no place."}
        assert (await ana.submit({"place": "The Anchor"})).ok
        await until(lambda: ben.messages("#network")[-1]["text"] == "Lunch at The Anchor")
        assert ana.modal is None

        # A button that rewrites the card through its response_url.
        await ben.click(ben.messages("#network")[-1], "join")
        await until(lambda: "2 coming" in str(ana.messages("#network")[-1]["blocks"]))

        # A global shortcut, a mention answered in a thread, a Home tab.
        await ben.shortcut("propose")
        await until(lambda: ben.modal)
        said = await ana.say("#network", "@Lunch anyone?")
        await until(lambda: len(ana.thread("#network", said["ts"])) == 2)
        assert ana.thread("#network", said["ts"])[1]["text"] == f"Hungry, <@{ana.id}>?"
        await ana.open_home()
        await until(lambda: ana.home)
        assert ana.home is not None
        assert ana.home["blocks"][0]["text"]["text"] == "Lunch is at noon"

        assert {call.status for call in sandbox.calls} == {200}
        assert [call.answer["error"] for call in sandbox.calls if not call.answer["ok"]] == []


async def test_a_foreign_app_comes_back_when_its_connection_is_refreshed(command: list[str]) -> None:
    async with Sandbox(MANIFEST, rate_limits=False) as sandbox, running(command, sandbox):
        opened = len([call for call in sandbox.calls if call.method == "apps.connections.open"])
        await sandbox.refresh_connections()
        await until(lambda: len([c for c in sandbox.calls if c.method == "apps.connections.open"]) > opened)
        await until(lambda: sandbox.connections)

        assert (await sandbox.person("ana").command("#network", "/lunch", "again")).ok
