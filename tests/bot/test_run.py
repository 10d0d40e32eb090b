"""Every way of running: what they say, keep, refuse, and leave behind when they are stopped.

A process of its own costs a second to start, so only what it takes one to show is shown with one.
"""

import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import typer

from bot import assemble
from bot import run as ways
from bot.access import OneWorkspace
from bot.command_line import _refusals
from bot.manifest import manifest
from bot.opening import CannotStart, address, reached
from bot.sealing import new_key
from bot.settings import Settings
from models.database import Database
from sandbox import Sandbox
from sandbox.interactions import Outcome
from sandbox.workspace import Channel
from scheduler import runner
from tests.processes import PATIENCE_SECONDS, Machine, Page, Program, free_port, page, until_it_is
from tests.waiting import until
from tests.wire import wire_to

# From the command to "open it in your browser", on a machine that does nothing else; so it is processor time here.
READY_SECONDS = 3.0
Way = Callable[..., Coroutine[Any, Any, None]]
TOKENS: dict[str, object] = {"SLACK_BOT_TOKEN": "xoxb-secret-one", "SLACK_APP_TOKEN": "xapp-secret-two"}


only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and no variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


@pytest.fixture
async def slack() -> AsyncIterator[Sandbox]:
    """A Slack in this process, for a Steward in another."""
    async with Sandbox(manifest(), rate_limits=False) as sandbox:
        yield sandbox


def connected_to(slack: Sandbox, database_url: str = "sqlite:///steward.db") -> dict[str, object]:
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "DATABASE_URL": database_url,
    }


def settings_of(variables: dict[str, object]) -> Settings:
    """What a process with these variables and no others runs with."""
    return Settings(_env_file=None, **{name.lower(): value for name, value in variables.items()})  # type: ignore[arg-type, call-arg]


class Here:
    """A way of running that is run in this process, which takes no start of Python; `said` is what it says."""

    def __init__(self, way: Way, variables: dict[str, object]) -> None:
        self.said: list[str] = []
        self._running = asyncio.create_task(way(settings_of(variables), self.said.append))

    async def says(self, words: str) -> None:
        """Wait until the words were said. Fails when it ends first."""
        await until(lambda: self._running.done() or any(words in line for line in self.said))
        if self._running.done():
            self._running.result()

    def stop(self) -> None:
        """What a signal does to it."""
        self._running.cancel()

    async def stopped(self) -> None:
        """Stop it, if that was not done before, and see it end."""
        self.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait({self._running})


@asynccontextmanager
async def here(way: Way, variables: dict[str, object]) -> AsyncIterator[Here]:
    running = Here(way, variables)
    try:
        yield running
    finally:
        await running.stopped()


def titles(file: str | Path) -> list[str]:
    """What is logged in a SQLite file."""
    with closing(sqlite3.connect(file)) as stored:
        return [title for (title,) in stored.execute("SELECT title FROM record ORDER BY id")]


async def log(on: Page, title: str) -> str:
    """Ana logs an action in #network; the text of what she sees there afterwards."""
    ana = (await on.people())["ana"]
    room = (await on.conversations(ana))["network"]
    told = await on.command(ana, room, "/action", title)
    assert told["ok"], told
    return await seen(on, title)


async def seen(on: Page, text: str) -> str:
    """What Ana sees in #network, once the text is in a message of everybody's there."""
    ana = (await on.people())["ana"]
    room = (await on.conversations(ana))["network"]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            messages = await on.messages(ana, room)
            if any(text in json.dumps(message) for message in messages if not message.get("ephemeral")):
                return json.dumps(messages)
            await asyncio.sleep(0.05)


# ---- the sandbox ----------------------------------------------------------------------------------------------------


async def test_without_slack_variables_run_opens_the_sandbox_and_forgets_its_data(machine: Machine) -> None:
    """Not a file is left, and the database of the installation is not even opened.

    A proxy for the world outside, of which every program on the machine is told, is not asked for anything.
    """
    elsewhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    async with machine.steward("run", PORT=0, DATABASE_URL="sqlite:///precious.db", **elsewhere) as steward:
        url = await steward.says(r"http://127\.0\.0\.1:\d+")
        ready_after = steward.processor_seconds
        async with page(url) as on:
            assert "Check the fans" in await log(on, "Check the fans")

        code, seconds = await steward.stopped()

    assert (code, machine.files) == (0, [])
    assert "Traceback" not in steward.said
    assert "Warning" not in steward.said
    assert ready_after < READY_SECONDS
    assert seconds < 10


async def test_the_sandbox_too_tells_how_it_is(installation: Path) -> None:
    async def way(settings: Settings, say: Callable[[str], None]) -> None:
        await ways.with_sandbox(settings, None, say)

    async with here(way, {"PORT": 0, "METRICS_PORT": 0}) as steward:
        await steward.says("Steward is running in a Slack workspace on this machine")
        [address] = re.findall(r"How it is: (\S+)/metrics", "\n".join(steward.said))
        async with aiohttp.ClientSession() as session:
            statuses = [(await session.get(f"{address}/{page}")).status for page in ("metrics", "readyz")]

    assert statuses == [200, 200]


async def test_what_is_kept_survives_a_restart_records_and_messages_alike(machine: Machine) -> None:
    """And it can be exported from the kept folder."""
    async with machine.steward("run", "--keep", "kept", PORT=0) as steward:
        async with page(await steward.says(r"http://127\.0\.0\.1:\d+")) as on:
            before = await log(on, "Check the fans")
        await steward.stopped()

    async with machine.steward("run", "--keep", "kept", PORT=0) as steward:
        async with page(await steward.says(r"http://127\.0\.0\.1:\d+")) as on:
            after = await seen(on, "Check the fans")
            assert "A2" in await log(on, "Check the pumps")
        code, _ = await steward.stopped(signal.SIGINT)
    exported = await machine.run("export", "--format", "json", DATABASE_URL="sqlite:///kept/steward.db")

    assert code == 0, "Ctrl+C is no failure"
    assert [message["ts"] for message in json.loads(before) if not message.get("ephemeral")] == [
        message["ts"] for message in json.loads(after) if not message.get("ephemeral")
    ]
    assert [record["title"] for record in json.loads(exported.out)["records"]] == ["Check the fans", "Check the pumps"]
    kept = [name for name in machine.files if not name.endswith(".lock")]
    assert kept == ["work/kept", "work/kept/sandbox.json", "work/kept/steward.db"]


@pytest.mark.parametrize("begun", ["", "/steward.db", "/steward.db-wal"])
async def test_a_stop_in_the_middle_of_starting_leaves_nothing_behind(machine: Machine, begun: str) -> None:
    """Stopped when the folder for the data is made, when the schema is being written, and when there are records."""
    async with machine.steward("run", PORT=0) as steward:
        await until(lambda: any(machine.temporary.glob(f"steward-*{begun}")))

        code, seconds = await steward.stopped()

    assert code == 0
    assert machine.files == []
    assert "Traceback" not in steward.said
    assert seconds < 10


# ---- real Slack, or a stand-in in another process -------------------------------------------------------------------


async def test_with_tokens_run_connects_to_the_slack_it_is_told_of(machine: Machine) -> None:
    """`steward sandbox` prints all that any Slack app needs; here Steward itself is that app, from a `.env`."""
    async with machine.steward("sandbox", PORT=0) as slack:
        url = await slack.says(r"this machine: (\S+)")
        await slack.says("Start your app with these")
        printed = dict(re.findall(r"^  (SLACK_\w+)=(\S+)$", slack.said, re.MULTILINE))
        for of_another_way in ("SLACK_SIGNING_SECRET", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
            printed.pop(of_another_way)
        (machine.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in printed.items()))

        async with machine.steward("run") as steward:
            assert await steward.says("Data: (.*?)[.] Ctrl") == "steward.db"
            async with page(url) as on:
                await log(on, "Check the fans")
            code, seconds = await steward.stopped()
        await slack.stopped()

    assert (code, seconds < 10) == (0, True)
    assert titles(machine.folder / "steward.db") == ["Check the fans"]
    for secret in (printed["SLACK_BOT_TOKEN"], printed["SLACK_APP_TOKEN"]):
        assert secret not in steward.said


@only_sqlite
async def test_a_second_process_with_the_same_app_token_is_refused(
    machine: Machine, slack: Sandbox, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a SQLite file each, either would see only a part of what people do. This one here is the second."""
    monkeypatch.setattr(tempfile, "tempdir", str(machine.temporary))
    other = machine.folder / "other.db"
    async with machine.steward("run", **connected_to(slack, database_url)) as first:
        await first.says("Steward is running in")

        with pytest.raises(CannotStart, match="is connected to the same Slack app") as refusal:
            await ways.with_slack(settings_of(connected_to(slack, f"sqlite:///{other}")), print)
        code, _ = await first.stopped()
    with ways.only_one(slack.app_token):
        pass  # free again

    assert slack.app_token not in str(refusal.value)
    assert not other.exists()
    assert code == 0


async def test_a_bad_token_is_told_in_a_sentence_that_does_not_hold_it(machine: Machine, slack: Sandbox) -> None:
    """The library alone would try it again for ever."""
    finished = await machine.run("run", **connected_to(slack) | {"SLACK_APP_TOKEN": TOKENS["SLACK_APP_TOKEN"]})

    assert (finished.code, finished.said) == (
        1,
        "Slack refused: invalid_auth. Check the tokens, and that the app is installed in the workspace.\n",
    )


@only_sqlite
async def test_a_slack_that_cannot_be_reached_is_told_in_a_sentence(
    installation: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(TOKENS | {"SLACK_API_URL": "http://127.0.0.1:9/api/", "DATABASE_URL": database_url})

    with pytest.raises(typer.Exit) as left, _refusals():
        await ways.with_slack(settings, print)

    said = capsys.readouterr()
    assert left.value.exit_code == 1
    assert said.err.startswith("Slack did not answer (no connection: ClientConnectorError).")
    assert said.err.count("\n") == 1
    assert "secret" not in said.out + said.err


async def asked_in_a_new_channel(slack: Sandbox) -> asyncio.Task[Outcome]:
    """Ana logs something where the program has never heard of; it surely has the request, since it asks Slack about it.

    Slack takes a moment to answer.
    """
    ana = slack.person("ana")
    slack.workspace.channels["C0NEW"] = Channel("C0NEW", "public", "moving", [ana.id, slack.bot_user_id])
    slack.fail("conversations.info", hang=0.5)
    asked = asyncio.create_task(ana.command("#moving", "/action", "Check the fans"))
    await until(lambda: not slack._core.faults.ordered)
    return asked


@asynccontextmanager
async def database_held(path: str | Path) -> AsyncIterator[None]:
    """Nobody else may write into it meanwhile."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)) as held:
        # It waits for whoever writes now, perhaps in this process.
        await asyncio.to_thread(held.execute, "BEGIN IMMEDIATE")
        yield
        held.execute("ROLLBACK")


@only_sqlite
async def test_what_is_under_way_at_a_stop_is_finished_and_answered(
    machine: Machine, slack: Sandbox, database_url: str
) -> None:
    """The database is held while somebody logs and Steward is stopped: the record is saved, and they hear of it."""
    file = database_url.removeprefix("sqlite:///")
    async with machine.steward("run", **connected_to(slack, database_url)) as steward:
        await steward.says("Steward is running in")
        asked = await asked_in_a_new_channel(slack)
        async with database_held(file):
            stopping = asyncio.create_task(steward.stopped())
            await steward.says("Stopping")

        outcome = await asked
        code, seconds = await stopping

    assert outcome.ok, outcome
    assert "Logged" in json.dumps(outcome.body)
    assert titles(file) == ["Check the fans"]
    assert (code, seconds < 10) == (0, True)
    assert "Traceback" not in steward.said


@only_sqlite
async def test_a_message_that_slack_does_not_take_in_time_holds_up_no_stop(
    installation: Path, slack: Sandbox, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be finished is released or noted as unknown."""
    monkeypatch.setattr(assemble, "FINISHED_SECONDS", 0.1)
    slack.fail("chat.postMessage", hang=3_600)
    async with here(ways.with_slack, connected_to(slack, database_url)) as steward:
        await steward.says("Steward is running in")
        await slack.person("ana").command("#network", "/action", "Check the fans")
        await until(lambda: not slack._core.faults.ordered)

    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as stored:
        rows = stored.execute("SELECT state, call, last_error FROM delivery").fetchall()
    assert "stopped while sending" in [error for _, _, error in rows]
    # What was called and not heard of is looked for in Slack at the next start.
    assert all(call is not None for state, call, _ in rows if state == "sending")


# ---- web and worker -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_the_processes_of_the_procfile_serve_a_workspace_together(
    machine: Machine, empty_database_url: str
) -> None:
    """Over PostgreSQL: the release step, red until a worker ticks, then a record and its card."""
    lines = (Path(__file__).parents[2] / "Procfile").read_text().splitlines()
    procfile = dict(re.fullmatch(r"(\w+): (.+)", line).groups() for line in lines)  # type: ignore[union-attr]
    port = free_port()
    request_url = f"http://127.0.0.1:{port}/slack/events"
    async with Sandbox(manifest(request_url=request_url), request_url=request_url, rate_limits=False) as slack:
        variables: dict[str, object] = {
            "PORT": port,
            "HOST": "127.0.0.1",
            "DATABASE_URL": empty_database_url.replace("postgresql://", "postgres://"),
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "METRICS_PORT": 0,
        }

        def process(name: str) -> AbstractAsyncContextManager[Program]:
            return machine.program("sh", "-c", f"exec {procfile[name]}", **variables)

        async with process("release") as release:
            assert await release.ended() == 0
        async with process("web") as web:
            await web.says("Steward answers Northwind IT at")
            assert await health(port) == (503, "not well")
            assert await slack.verify_request_url()
            async with process("worker") as worker:
                await worker.says("Steward's worker reminds Northwind IT")
                await until_it_is((200, "well"), lambda: health(port))

                outcome = await slack.person("ana").command("#network", "/action", "Check the fans")
                await until(lambda: "Check the fans" in json.dumps(slack.person("ana").messages("#network")))
                numbers = {name: await metrics(of) for name, of in (("web", web), ("worker", worker))}
                ends = [await worker.stopped(), await web.stopped()]

    assert outcome.ok
    assert 'steward_acknowledgement_seconds_count{kind="command"} 1.0' in numbers["web"]
    assert "steward_tick_seconds_count 0.0" in numbers["web"]
    assert "steward_tick_seconds_count 0.0" not in numbers["worker"]
    assert [(code, seconds < 10) for code, seconds in ends] == [(0, True)] * 2
    for secret in (slack.bot_token, slack.signing_secret):
        assert secret not in web.said + worker.said
    assert "Traceback" not in web.said + worker.said


@only_sqlite
async def test_web_finishes_the_request_under_way_at_a_stop(installation: Path, database_url: str) -> None:
    port = free_port()
    request_url = f"http://127.0.0.1:{port}/slack/events"
    async with Sandbox(manifest(request_url=request_url), request_url=request_url, rate_limits=False) as slack:
        variables = connected_to(slack, database_url) | {"SLACK_SIGNING_SECRET": slack.signing_secret, "PORT": port}
        async with here(ways.web_process, variables) as web:
            await web.says("Steward answers")
            asked = await asked_in_a_new_channel(slack)
            async with database_held(database_url.removeprefix("sqlite:///")):
                web.stop()
                await asyncio.sleep(0.3)

            outcome = await asked

    assert outcome.ok, outcome
    assert "Logged" in json.dumps(outcome.body)


@only_sqlite
async def test_web_serves_whoever_installs_it(
    installation: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    request_url, key = f"{url}/slack/events", new_key()
    described = manifest(request_url=request_url, redirect_url=f"{url}/slack/oauth_redirect")
    async with Sandbox(described, request_url=request_url, rate_limits=False, installed=False) as slack:
        variables: dict[str, object] = {
            "DATABASE_URL": database_url,
            "PORT": port,
            "PUBLIC_URL": url,
            "SLACK_API_URL": slack.api_url,
            "SLACK_CLIENT_ID": slack.client_id,
            "SLACK_CLIENT_SECRET": slack.client_secret,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "STEWARD_ENCRYPTION_KEYS": key,
        }
        ana = slack.person("ana")
        async with here(ways.web_process, variables) as steward:
            await steward.says("Steward answers no workspace yet at")
            await steward.says(f"People install it at {url}/slack/install")
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
                async with browser.post(f"{url}/slack/install", allow_redirects=False) as sent:
                    back = await ana.install(sent.headers["Location"])
                async with browser.get(back) as shown:
                    assert "Steward is installed" in await shown.text()
            outcome = await ana.command("#network", "/action", "Check the fans")
            await until(lambda: "Check the fans" in json.dumps(ana.messages("#network")))

    assert outcome.ok
    said = caplog.text + "\n".join(steward.said)
    for secret in (slack.bot_token, slack.client_secret, slack.signing_secret, key):
        assert secret not in said
    assert "Traceback" not in said


@only_sqlite
async def test_a_worker_whose_clock_stands_still_ends_for_its_supervisor(
    installation: Path,
    slack: Sandbox,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended = []
    monkeypatch.setattr(ways, "end_soon", lambda: ended.append(True))
    monkeypatch.setattr(assemble, "FINISHED_SECONDS", 0.1)
    monkeypatch.setattr(runner, "STUCK_SECONDS", 0.1)
    monkeypatch.setattr(runner.Runner, "_do_what_is_due", lambda *_: asyncio.Event().wait())

    with pytest.raises(typer.Exit) as left, _refusals():
        await ways.worker_process(settings_of(connected_to(slack, database_url)), print)

    assert left.value.exit_code == 1
    assert ended == [True]
    assert capsys.readouterr().err.endswith("Start Steward again; a supervisor does it by itself.\n")


# ---- what keeps it from starting ------------------------------------------------------------------------------------


async def test_a_port_in_use_stops_every_way_of_listening(installation: Path) -> None:
    with taken_port() as port:
        settings = Settings(port=port)
        for way in (
            ways.with_sandbox(settings, None, print),
            ways.sandbox_alone(settings, manifest(), None, None, print),
            ways.web_process(settings, print),
        ):
            with pytest.raises(CannotStart, match=re.escape(port_in_use(port))):
                await way


@pytest.mark.parametrize("way", [ways.with_slack, ways.web_process, ways.worker_process])
async def test_a_port_for_metrics_in_use_is_told_before_anything_begins(installation: Path, way: Way) -> None:
    """Neither the database nor Slack is asked for anything."""
    with taken_port() as port, pytest.raises(CannotStart, match=re.escape(port_in_use(port, "METRICS_"))):
        await way(Settings(port=0, metrics_port=port), print)

    assert os.listdir(installation) == []


async def test_an_address_of_another_machine_is_told_in_a_sentence(installation: Path) -> None:
    with pytest.raises(CannotStart, match=r"^192\.0\.2\.1:0 cannot be used: .*HOST and PORT"):
        await ways.with_sandbox(Settings(host="192.0.2.1", port=0), None, print)


async def test_two_programs_never_keep_their_data_in_one_folder(installation: Path) -> None:
    """The second would overwrite the first one's messages."""
    settings, keep = settings_of({"PORT": 0}), installation / "kept"
    with ways._data_folder(keep), pytest.raises(CannotStart, match=r"keeps its data in .*kept\. Stop it first"):
        await ways.with_sandbox(settings, keep, print)


async def test_a_kept_folder_that_cannot_be_read_is_told_in_a_sentence(installation: Path) -> None:
    (installation / "sandbox.json").write_text("{")

    with pytest.raises(CannotStart, match=r"sandbox\.json cannot be read\. Move it away to start afresh\."):
        await ways.with_sandbox(Settings(port=0), installation, print)
    with pytest.raises(CannotStart, match="cannot be used as a folder for the data: File exists"):
        await ways.with_sandbox(Settings(port=0), installation / "sandbox.json", print)


@pytest.mark.parametrize("way", [ways.web_process, ways.worker_process])
async def test_web_and_worker_refuse_another_schema(installation: Path, empty_database_url: str, way: Way) -> None:
    """Only the release step changes it, so that it is changed once and before anybody runs."""
    with pytest.raises(CannotStart, match=r"another schema than this release\. Run `steward migrate` first\."):
        await way(Settings(port=0, database_url=empty_database_url), print)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://steward:hunter2@127.0.0.1:9/steward",
        "postgres://127.0.0.1:9/steward?user=steward&password=hunter2",
        "sqlite:///notes.txt",
    ],
)
async def test_a_database_that_cannot_be_opened_is_told_in_a_sentence_without_its_password(
    installation: Path, url: str
) -> None:
    (installation / "notes.txt").write_text("This is no database. " * 100)

    with pytest.raises(CannotStart) as refusal:
        await ways.worker_process(Settings(database_url=url), print, start_seconds=0)

    assert str(refusal.value).startswith("The database in DATABASE_URL cannot be opened: ")
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_database_that_is_still_coming_up_is_waited_for(database_url: str) -> None:
    """As when both were started together; said once, without user or password."""
    said: list[str] = []
    async with wire_to(database_url) as wire:
        await wire.go_down()

        waiting = asyncio.create_task(reached(wire.through, said.append, PATIENCE_SECONDS))
        await until(lambda: bool(said))
        await wire.mend()
        await waiting

    assert said == [f"The database at {address(wire.through)} does not answer yet; waiting for up to 60 s."]


async def test_a_wait_for_the_database_comes_to_an_end() -> None:
    """Then whoever opens it says what is wrong."""
    said: list[str] = []

    await reached("postgresql://steward:hunter2@127.0.0.1:9/steward", said.append, 0.01)

    assert said == ["The database at 127.0.0.1/steward does not answer yet; waiting for up to 0 s."]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_processes_that_start_at_the_same_moment_meet_the_workspace_together(
    database_url: str, slack: Sandbox
) -> None:
    """For the first time: none of them fails because another was faster."""
    async with Database(database_url) as database:
        processes = [OneWorkspace(database, slack.bot_token, slack.api_url) for _ in range(6)]

        await asyncio.gather(*(process.open() for process in processes))

        assert {workspace.id for process in processes for workspace in await process.workspaces()} == {slack.team_id}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///data/steward.db", "data/steward.db"),
        ("postgres://steward:hunter2@db.example/log", "db.example/log"),
        ("postgresql://db.example/log?user=steward&password=hunter2", "db.example/log"),
    ],
)
def test_the_first_line_tells_where_the_data_is_without_user_or_password(url: str, shown: str) -> None:
    assert address(url) == shown


def port_in_use(port: int, of: str = "") -> str:
    return (
        f"127.0.0.1:{port} cannot be used: Address already in use. Choose another address with {of}HOST and {of}PORT; "
        f"{of}PORT=0 takes any free port."
    )


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


async def metrics(program: Program) -> str:
    """What the process tells at the address that it names."""
    address = await program.says(r"How it is: (\S+/metrics)")
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return await answer.text()


async def health(port: int) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as answer:
        return answer.status, await answer.text()
