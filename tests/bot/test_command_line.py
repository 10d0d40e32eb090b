"""The command `steward`: what it prints, what it refuses, and that it refuses in sentences."""

import asyncio
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlmodel.ext.asyncio.session import AsyncSession
from typer.testing import CliRunner

from bot import command_line, migrate
from bot.manifest import manifest
from bot.opening import serving
from bot.sealing import Seal, Tokens, is_key, new_key
from bot.settings import Settings
from models import installations
from models.database import Database
from models.kinds.action import ACTION
from models.kinds.risk import RISK
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record, make_workspace
from tests.support_installations import an_installation

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and no variables of whoever runs the tests."""
    folder = tmp_path / "installation"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return folder


def steward(*arguments: str, input: str | None = None, **variables: str) -> Result:
    return CliRunner().invoke(command_line.app, arguments, input=input, env=variables)


def fill(url: str, work: Callable[[AsyncSession], Awaitable[None]], workspace_id: str = WORKSPACE) -> None:
    async def main() -> None:
        async with Database(url) as database, database.unit(workspace_id) as session:
            await make_workspace(session)
            await work(session)

    asyncio.run(main())


@contextmanager
def running(url: str) -> Iterator[None]:
    """A Steward that serves people from the database, and has nothing to do just now."""
    with asyncio.Runner() as runner:
        database = Database(url, **serving(Settings()))
        runner.run(database.workspace_ids())
        yield
        runner.run(database.dispose())


async def two_projects(session: AsyncSession) -> None:
    """Ana's open one with an action of Ben's, and Ben's private one with a risk."""
    ana, ben = await make_person(session, "ana"), await make_person(session, "ben")
    await make_person(session, "cleo")
    move = await make_project(session, by=ana, channel=await make_channel(session, "move", members=[ana, ben]))
    secret = await make_project(
        session, by=ben, channel=await make_channel(session, "secret", members=[ben], is_private=True), name="Secret"
    )
    await make_record(
        session,
        ACTION,
        project=move,
        by=ana,
        title="Check the fans",
        details="All of them – also “those” 🌀",
        owner_id=ben.id,
        due_date=date(2026, 3, 6),
        due_time=time(15, 0),
    )
    await make_record(session, RISK, project=secret, by=ben, title="Nobody knows", probability=4, impact=5)


async def nothing(session: AsyncSession) -> None:
    pass


def test_help_names_every_command() -> None:
    told = steward("--help")

    assert told.exit_code == 0
    for command in ("run", "sandbox", "web", "worker", "migrate", "doctor", "health", "export", "manifest"):
        assert f" {command} " in told.output
    assert "no Steward in it." in " ".join(told.output.split())


def test_help_gives_a_flag_no_word_after_it() -> None:
    told = steward("erase", "--help").output

    assert re.search(r"--dry-run +Only count", told)
    assert re.search(r"--help +Show", told)


def test_everything_of_a_workspace_is_exported(database_url: str) -> None:
    fill(database_url, two_projects)

    told = steward("export", "--format", "json", DATABASE_URL=database_url)

    found = json.loads(told.stdout)
    assert told.exit_code == 0
    assert list(found) == ["workspace", "projects", "records", "links", "comments", "history"]
    assert found["workspace"] == {"id": WORKSPACE, "name": "Northwind"}
    assert [project["name"] for project in found["projects"]] == ["Data centre move", "Secret"]
    action, risk = found["records"]
    wanted = {
        "reference": "A1",
        "kind": "action",
        "title": "Check the fans",
        "details": "All of them – also “those” 🌀",
        "status": "open",
        "owner": "UBEN",
        "due_date": "2026-03-06",
        "due_time": "15:00:00",
        "project": "Data centre move",
        "channel": "CMOVE",
    }
    assert {key: action[key] for key in wanted} == wanted
    assert (risk["reference"], risk["owner"], risk["due_date"], risk["due_time"]) == ("R1", None, None, None)
    assert (risk["probability"], risk["impact"]) == (4, 5)
    assert {"A1", "R1"} <= {entry["reference"] for entry in found["history"]}


def test_an_export_as_somebody_holds_what_they_may_export(database_url: str) -> None:
    """Each coordinates one project. Ana is in no channel of the private one; it is not even named."""
    fill(database_url, two_projects)

    of_ben = steward("export", "--as", "UBEN", DATABASE_URL=database_url)
    told = steward("export", "--as", "UANA", DATABASE_URL=database_url)

    assert [record["reference"] for record in json.loads(of_ben.stdout)["records"]] == ["R1"]
    assert [record["reference"] for record in json.loads(told.stdout)["records"]] == ["A1"]
    for word in ("Secret", "Nobody knows", "R1", "CSECRET"):
        assert word not in told.stdout


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_with_several_workspaces_the_export_asks_which(database_url: str) -> None:
    fill(database_url, two_projects)
    fill(database_url, nothing, "T0002")

    unsaid = steward("export", DATABASE_URL=database_url)
    said = steward("export", "--workspace", "T0002", DATABASE_URL=database_url)
    wrong = steward("export", "--workspace", "T9", DATABASE_URL=database_url)

    assert (unsaid.exit_code, unsaid.stdout) == (1, "")
    assert unsaid.stderr == "Say which workspace: --workspace T0001 or T0002\n"
    assert json.loads(said.stdout)["records"] == []
    assert (wrong.exit_code, wrong.stderr) == (1, "There is no workspace T9 here.\n")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_export_that_cannot_be_says_why(database_url: str, installation: Path) -> None:
    empty = steward("export", DATABASE_URL=database_url)
    fill(database_url, two_projects)
    nobody = steward("export", "--as", "U9", DATABASE_URL=database_url)
    format = steward("export", "--format", "xml", DATABASE_URL=database_url)
    nowhere = steward("export")

    assert "No workspace is in this database yet" in empty.stderr
    assert nobody.stderr == "Nobody here has the id U9.\n"
    assert format.stderr == "There is no format 'xml'; there is json.\n"
    assert nowhere.stderr.startswith("There is no database at steward.db. DATABASE_URL says where it is;")
    assert {told.exit_code for told in (empty, nobody, format, nowhere)} == {1}
    assert list(installation.iterdir()) == []


def test_what_a_command_makes_is_for_its_user_alone(installation: Path) -> None:
    """The program's own entry, since it is a matter of the whole process."""
    code = "import sys; sys.argv[1:] = ['migrate']; from bot.command_line import main; main()"

    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})

    assert oct((installation / "steward.db").stat().st_mode & 0o777) == "0o600"


def test_a_workspace_is_moved_by_two_commands(database_url: str, installation: Path) -> None:
    fill(database_url, two_projects)
    steward("migrate", DATABASE_URL="sqlite:///other.db")

    made = steward("export", "northwind.jsonl.gz", DATABASE_URL=database_url)
    read = steward("import", "northwind.jsonl.gz", DATABASE_URL="sqlite:///other.db")
    again = steward("import", "northwind.jsonl.gz", DATABASE_URL="sqlite:///other.db")
    told = [steward("export", DATABASE_URL=url).stdout for url in (database_url, "sqlite:///other.db")]

    assert re.fullmatch(r"northwind\.jsonl\.gz holds all of T0001 \(Northwind\): \d+ rows\.\n", made.stdout)
    assert re.fullmatch(r"T0001 \(Northwind\) is here: \d+ rows\. What was due before now is not sent\.\n", read.stdout)
    assert again.exit_code == 1
    assert again.stderr.startswith("T0001 is in this database already, so nothing was stored.")
    assert told[0] == told[1]


def test_an_import_into_a_file_that_steward_has_open_is_refused(database_url: str, installation: Path) -> None:
    """The writer of SQLite would be taken from people for as long as it takes; PostgreSQL's others go on."""
    fill(database_url, nothing)
    steward("export", "northwind.jsonl", DATABASE_URL=database_url)
    steward("erase", "--workspace", WORKSPACE, "--yes", DATABASE_URL=database_url)

    with running(database_url):
        first = steward("import", "northwind.jsonl", DATABASE_URL=database_url)
        second = steward("import", "northwind.jsonl", "--while-running", DATABASE_URL=database_url)

    if database_url.startswith("sqlite"):
        assert (first.exit_code, second.exit_code) == (1, 0)
        assert "or another program has the file open. Stop every process of it first" in first.stderr
    else:
        assert first.exit_code == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_file_that_is_not_there_and_one_for_somebody_alone_are_refused(database_url: str, installation: Path) -> None:
    fill(database_url, two_projects)

    missing = steward("import", "northwind.jsonl", DATABASE_URL=database_url)
    of_ben = steward("export", "--as", "UBEN", "ben.jsonl", DATABASE_URL=database_url)

    assert (missing.exit_code, missing.stderr) == (1, "There is no file northwind.jsonl.\n")
    assert of_ben.stderr == ("A file holds all of a workspace. For what one person may export, leave the file out.\n")
    assert list(installation.iterdir()) == []


def test_a_database_of_another_schema_is_not_exported(empty_database_url: str) -> None:
    if empty_database_url.startswith("sqlite"):
        Path(empty_database_url.removeprefix("sqlite:///")).touch()

    told = steward("export", DATABASE_URL=empty_database_url)

    assert told.exit_code == 1
    assert told.stderr == "The database has another schema than this release. Run `steward migrate` first.\n"


def test_migrate_brings_a_database_to_this_release_and_says_so(empty_database_url: str) -> None:
    first = steward("migrate", DATABASE_URL=empty_database_url)
    again = steward("migrate", DATABASE_URL=empty_database_url)

    assert (first.exit_code, first.stdout) == (0, f"The database is at {migrate.head()}.\n")
    assert again.stdout == first.stdout
    assert migrate.current(empty_database_url) == migrate.head()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_migrate_leaves_the_database_of_a_newer_release_alone(database_url: str) -> None:
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()

    told = steward("migrate", DATABASE_URL=database_url)

    assert told.exit_code == 1
    assert told.stderr.startswith("This database is at step 9999, and this release of Steward knows only up to step ")
    assert told.stderr.count("\n") == 1


def test_migrate_goes_back_to_a_step_once_somebody_has_typed_its_name(database_url: str) -> None:
    refused = steward("migrate", "--to", "0018", input="yes\n", DATABASE_URL=database_url)
    at_first = migrate.current(database_url)
    agreed = steward("migrate", "--to", "0018", input="0018\n", DATABASE_URL=database_url)
    there = migrate.current(database_url)
    forward = steward("migrate", "--to", "0019", DATABASE_URL=database_url)

    assert (refused.exit_code, at_first) == (1, migrate.head())
    assert refused.stderr == "Nothing was changed.\n"
    assert "  0020  Since when Slack takes no digest for somebody.\n  0019  " in refused.stdout
    assert "make a backup first: steward backup FILE" in refused.stdout
    assert (agreed.exit_code, there) == (0, "0018")
    assert (forward.exit_code, forward.stdout) == (0, "The database is at 0019.\n")
    assert migrate.current(database_url) == "0019"


def test_no_way_back_is_taken_under_the_feet_of_a_running_steward(database_url: str) -> None:
    with running(database_url):
        refused = steward("migrate", "--to", "0018", "--yes", DATABASE_URL=database_url)
        at_first = migrate.current(database_url)
        told = steward("migrate", "--to", "0018", "--yes", "--while-running", DATABASE_URL=database_url)
        up = steward("migrate", DATABASE_URL=database_url)
    stopped = steward("migrate", "--to", "0018", "--yes", DATABASE_URL=database_url)

    assert (refused.exit_code, at_first) == (1, migrate.head())
    assert refused.stderr.startswith("Steward is running on ")
    assert refused.stderr.endswith("Stop every process of it first; --while-running goes on all the same.\n")
    assert [told.exit_code, up.exit_code, stopped.exit_code] == [0, 0, 0]
    for said in (told, up):
        assert "What runs of another release may fail until it is started anew." in said.stdout
    assert "running" not in stopped.stdout


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_migrate_to_base_says_that_it_takes_everything(database_url: str) -> None:
    told = steward("migrate", "--to", "base", "--yes", DATABASE_URL=database_url)

    steps = re.findall(r"^  (\d{4})  (.+)$", told.stdout, re.MULTILINE)
    assert "removed for good, which is everything." in told.stdout
    assert (steps[0][0], steps[-1][0]) == (migrate.head(), "0001")
    assert [did for _, did in steps if not did.endswith(".")] == []
    assert (told.exit_code, migrate.current(database_url)) == (0, None)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_migrate_refuses_a_step_that_nobody_knows_and_a_database_that_is_not_there(
    database_url: str, installation: Path
) -> None:
    unknown = steward("migrate", "--to", "9999", "--yes", DATABASE_URL=database_url)
    gap = steward("migrate", "--to", "0022", "--yes", DATABASE_URL=database_url)
    nowhere = steward("migrate", "--to", "0018", "--yes")
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    newer = steward("migrate", "--to", "0018", "--yes", DATABASE_URL=database_url)

    assert unknown.stderr == f"There is no step 9999. Nearest to it this release of Steward knows {migrate.head()}.\n"
    assert gap.stderr == "There is no step 0022. Nearest to it this release of Steward knows 0021 and 0023.\n"
    assert nowhere.stderr.startswith("There is no database at steward.db.")
    assert newer.stderr.startswith("This database is at step 9999, and this release of Steward knows only up to step ")
    assert {told.exit_code for told in (unknown, gap, nowhere, newer)} == {1}
    assert list(installation.iterdir()) == []


def test_the_exit_status_tells_what_cannot_be_read_from_what_is_refused(installation: Path) -> None:
    unreadable, refused = steward("backup", "--no-such-option"), steward("backup", "monday.backup")

    assert (unreadable.exit_code, refused.exit_code) == (2, 1)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_file_that_the_system_refuses_is_named(database_url: str) -> None:
    """For its name here; one in a folder that this user may not look into is refused in the same way."""
    name = "x" * 300

    refused = [steward(command, name, DATABASE_URL=database_url) for command in ("backup", "restore")]

    for told in refused:
        assert told.exit_code == 1
        assert told.stderr.startswith(f"{name} cannot be used: File name too long. Name another file, or give this ")


@pytest.mark.parametrize("command", ["doctor", "health", "migrate"])
def test_a_folder_that_is_not_there_is_named(installation: Path, command: str) -> None:
    told = steward(command, DATABASE_URL="sqlite:///disk/steward.db")

    assert told.exit_code == 1
    assert "There is no folder disk. Make it, or mount the disk that it is on." in told.output
    assert "steward migrate" not in told.output


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("unwritable", ["steward.db", "elsewhere"])
def test_what_may_not_be_written_is_named(
    database_url: str, installation: Path, monkeypatch: pytest.MonkeyPatch, unwritable: str
) -> None:
    """SQLite opens and reads such a file without a word."""
    (installation / "elsewhere").mkdir()
    shutil.copyfile(database_url.removeprefix("sqlite:///"), installation / "elsewhere" / "steward.db")
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != unwritable)

    for command in ("doctor", "migrate"):
        told = steward(command, DATABASE_URL="sqlite:///elsewhere/steward.db")
        assert told.exit_code == 1
        assert f"{unwritable} may not be written by this user" in told.output


@pytest.mark.parametrize("command", ["run", "web", "worker"])
def test_all_that_is_wrong_with_the_settings_is_told_at_once(command: str) -> None:
    told = steward(command, PORT="hunter2", DATABASE_URL="hunter2", SLACK_BOT_TOKEN="hunter2")

    lines = told.stderr.splitlines()
    assert told.exit_code == 2
    assert [line.partition(":")[0] for line in lines[:3]] == ["DATABASE_URL", "PORT", "SLACK_BOT_TOKEN"]
    assert lines[-1] == "See .env.example for what each setting is."
    assert "hunter2" not in told.output


@pytest.mark.parametrize(("command", "status"), [("web", 2), ("export", 1), ("doctor", 1)])
def test_a_setting_with_a_slip_in_its_name_is_told_whatever_comes_of_it(
    installation: Path, command: str, status: int
) -> None:
    (installation / ".env").write_text("DATABASE_ULR=hunter2\n")

    told = steward(command)

    assert told.exit_code == status
    assert told.output.count("DATABASE_ULR: is no setting of Steward, so it sets nothing") == 1
    assert "Did you mean DATABASE_URL?" in told.output
    assert "hunter2" not in told.output


def test_the_manifest_can_be_printed_with_a_prefix_and_an_address() -> None:
    plain = steward("manifest")
    named = steward("manifest", "--prefix", "acme", "--request-url", "https://steward.example/slack/events")

    assert json.loads(plain.stdout) == manifest()
    assert json.loads(named.stdout) == manifest("acme", request_url="https://steward.example/slack/events")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://x", "it does not begin with https://"),
        ("steward.example/slack/events", "it does not begin with https://"),
        ("HTTPS://steward.example/x", "it does not begin with https:// or http://, in small letters"),
        ("http://steward.example/x", "with http:// it is of another machine"),
        ("https:// /x", "it is empty, or has a blank in it"),
        ("", "it is empty, or has a blank in it"),
        ("https://ana:hunter2@steward.example/x", "a user or a password has no place in it"),
        ("https://steward.example/x#y", "what follows a # does not reach Slack"),
        ("https://steward.example:65536/x", "its port is none from 1 to 65535"),
        ("https://steward.example:0/x", "its port is none from 1 to 65535"),
        ("http://[x/y", "its host is not one"),
        ("https:///x", "its host is not one"),
    ],
)
@pytest.mark.parametrize("option", ["--request-url", "--redirect-url"])
def test_a_manifest_names_no_address_that_slack_refuses(option: str, url: str, reason: str) -> None:
    told = steward("manifest", option, url)

    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith(f"{option}: {reason}")
    assert told.stderr.endswith(". Write https:// and the rest of the address; http:// only for this machine itself.\n")


@pytest.mark.parametrize("prefix", ["Acme", "ac me", "äcme", "acme/x", "-", "ac.me", "a" * 21])
def test_a_manifest_names_no_command_that_slack_refuses(prefix: str) -> None:
    told = steward("manifest", "--prefix", prefix)

    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == (
        "--prefix: /aaaaaaaaaaaaaaaaaaaaa-assumption has 33 characters, and Slack takes 32; choose a shorter one.\n"
        if prefix.startswith("aa")
        else "--prefix: write small letters from a to z, digits, - and _ only, such as acme.\n"
    )


@pytest.mark.parametrize("prefix", ["acme", "acme_it-2", "a" * 20])
def test_a_manifest_takes_a_prefix_that_slack_takes(prefix: str) -> None:
    told = steward("manifest", "--prefix", prefix)

    names = [command["command"] for command in json.loads(told.stdout)["features"]["slash_commands"]]
    assert f"/{prefix}-assumption" in names
    assert max(map(len, names)) <= 32


def test_a_manifest_may_name_this_machine() -> None:
    told = steward("manifest", "--request-url", "http://127.0.0.1:3000/slack/events")

    assert told.exit_code == 0


@pytest.mark.parametrize(
    ("written", "reason"),
    [(None, "No such file or directory"), ("{", "Expecting property name"), ("[]", "it is not an object")],
)
def test_a_manifest_that_cannot_be_read_opens_no_sandbox(installation: Path, written: Any, reason: str) -> None:
    if written is not None:
        (installation / "app.json").write_text(written)

    told = steward("sandbox", "--manifest", "app.json")

    assert told.exit_code == 1
    assert told.stderr.startswith("app.json cannot be read as a JSON manifest: ")
    assert reason in told.stderr


# ---- keys ------------------------------------------------------------------------------------------------------------


def installed_with(url: str, key: str) -> None:
    async def work() -> None:
        async with Database(url) as database:
            sealed = Seal([key]).seal("T0001", Tokens("xoxb-hunter2"))
            await installations.save(database, an_installation(sealed_tokens=sealed))
            await installations.meet(
                database, "T0001", name="Northwind", bot_user_id="UBOT", now=NOW, installation_id="T0001"
            )

    asyncio.run(work())


def on_its_way_out(url: str) -> list[str]:
    """The workspaces that a worker deletes when their time has come."""

    async def work() -> list[str]:
        async with Database(url) as database:
            return await installations.removed(database, before=datetime.now(UTC) + timedelta(seconds=1))

    return asyncio.run(work())


def token_stored(url: str, key: str) -> str:
    async def work() -> str:
        async with Database(url) as database:
            [stored] = await installations.everywhere(database)
        return Seal([key]).open(stored).access

    return asyncio.run(work())


def test_a_key_is_made_anew_each_time() -> None:
    made = [steward("keys", "new").stdout.strip() for _ in range(2)]

    assert all(is_key(each) for each in made)
    assert made[0] != made[1]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_key_is_changed_in_three_steps(database_url: str) -> None:
    old, new = new_key(), new_key()
    installed_with(database_url, old)
    variables = {"DATABASE_URL": database_url, "STEWARD_ENCRYPTION_KEYS": f"{new},{old}"}

    renewed = [steward("keys", "renew", **variables).stdout for _ in range(2)]

    assert renewed == [f"Every stored token is sealed with the newest key ({count} sealed anew).\n" for count in (1, 0)]
    assert token_stored(database_url, new) == "xoxb-hunter2"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", [("keys", "renew"), ("web",), ("worker",)])
def test_with_a_wrong_key_nothing_begins_and_it_is_said_what_to_do(database_url: str, command: tuple[str, ...]) -> None:
    installed_with(database_url, new_key())
    wrong = new_key()

    told = steward(
        *command,
        DATABASE_URL=database_url,
        PORT="0",
        SLACK_CLIENT_ID="1.2",
        SLACK_CLIENT_SECRET="hunter2",
        SLACK_SIGNING_SECRET="hunter2",
        STEWARD_ENCRYPTION_KEYS=wrong,
        PUBLIC_URL="https://steward.example",
    )

    assert told.exit_code == 1
    assert told.stderr.startswith("The stored tokens of T0001 do not open with the keys in STEWARD_ENCRYPTION_KEYS.")
    assert told.stderr.count("\n") == 1
    assert "hunter2" not in told.output
    assert wrong not in told.output


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_tokens_whose_key_is_lost_are_forgotten_by_name(database_url: str) -> None:
    installed_with(database_url, new_key())

    lost = {"DATABASE_URL": database_url, "STEWARD_ENCRYPTION_KEYS": new_key()}

    wrong = steward("keys", "forget", "T9", "--yes", **lost)
    mistyped = steward("keys", "forget", "T0001", input="T0002\n", **lost)
    before = on_its_way_out(database_url)
    told = steward("keys", "forget", "T0001", input="T0001\n", **lost)
    after = steward("keys", "renew", DATABASE_URL=database_url, STEWARD_ENCRYPTION_KEYS=new_key())
    without = steward("keys", "renew", DATABASE_URL=database_url)

    assert (wrong.exit_code, wrong.stderr) == (1, "Steward was never installed in T9.\n")
    assert (mistyped.exit_code, mistyped.stderr) == (1, "That is another id. Nothing was erased.\n")
    assert told.stdout.endswith(
        "The tokens of T0001 are erased. Install Steward there again: otherwise what it stored goes 30 days after they "
        "were erased.\n"
    )
    assert (before, on_its_way_out(database_url)) == ([], ["T0001"])
    assert after.exit_code == 0
    assert without.stderr == "STEWARD_ENCRYPTION_KEYS is not set, so there is nothing to seal with.\n"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_good_tokens_are_forgotten_only_when_that_is_said(database_url: str) -> None:
    key = new_key()
    installed_with(database_url, key)
    forget = ("keys", "forget", "T0001", "--yes")
    unknown = steward(*forget, DATABASE_URL=database_url)
    good = steward(*forget, DATABASE_URL=database_url, STEWARD_ENCRYPTION_KEYS=key)
    held = token_stored(database_url, key)
    meant = steward(*forget, "--although-they-open", DATABASE_URL=database_url, STEWARD_ENCRYPTION_KEYS=key)

    assert (unknown.exit_code, good.exit_code, held) == (1, 1, "xoxb-hunter2")
    assert unknown.stderr.startswith("STEWARD_ENCRYPTION_KEYS is not set, so it cannot be seen whether the tokens open")
    assert good.stderr.startswith("The tokens of T0001 open with the keys in STEWARD_ENCRYPTION_KEYS, so nothing was")
    assert (meant.exit_code, on_its_way_out(database_url)) == (0, ["T0001"])
