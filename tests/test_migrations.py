"""The way a database gets its schema: the same on both engines as the models say, once, whoever starts it."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from bot import migrate
from models.database import Database
from models.database_errors import DatabaseBusy
from tests.support import WORKSPACE, make_workspace


async def ask(url: str, question: Any) -> Any:
    """The answer of a function of a plain connection."""
    async with Database(url) as database, database.engine.connect() as connection:
        return await connection.run_sync(question)


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def indexes(connection: Connection) -> dict[str, Any]:
    """Every index with its columns, whether it is unique, and its condition."""
    inspector = inspect(connection)
    return {
        str(index["name"]): (
            tuple(index.get("expressions", index["column_names"])),
            bool(index["unique"]),
            {option: str(value) for option, value in index["dialect_options"].items() if option.endswith("where")},
        )
        for table in SQLModel.metadata.tables
        for index in inspector.get_indexes(table)
    }


def by_hand(connection: Connection) -> set[tuple[Any, ...]]:
    """SQLite's triggers and full-text tables, which no comparison of columns sees."""
    if connection.dialect.name != "sqlite":
        return set()
    written = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' OR sql LIKE 'CREATE VIRTUAL%'"
    return set(map(tuple, connection.exec_driver_sql(written)))


def is_described(name: str | None, type_: str, _: Any) -> bool:
    """All but what each engine has for itself; `indexes` and `by_hand` compare that."""
    return not (name or "").removeprefix("ix_").startswith(("record_words", "comment_words"))


def build_from_models(connection: Connection) -> None:
    SQLModel.metadata.create_all(connection)
    connection.commit()


async def test_a_database_built_by_migrations_equals_one_built_from_the_models(
    database_url: str, empty_database_url: str
) -> None:
    await ask(empty_database_url, build_from_models)

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"include_name": is_described})
        return compare_metadata(context, SQLModel.metadata)

    assert await ask(database_url, differences) == []
    assert await ask(database_url, indexes) == await ask(empty_database_url, indexes)
    # A step that replaces the table `record` in SQLite takes its triggers with it, and has to make them again.
    assert await ask(database_url, by_hand) == await ask(empty_database_url, by_hand)
    assert (await ask(database_url, tables)) - (await ask(empty_database_url, tables)) == {"alembic_version"}


async def test_only_one_delivery_of_a_lane_can_be_sending_by_the_schema_itself(database_url: str) -> None:
    columns, is_unique, where = (await ask(database_url, indexes))["uq_delivery_lane_sending"]

    assert columns == ("workspace_id", "lane")
    assert is_unique
    assert [condition for condition in where.values() if "sending" in condition]


def test_an_empty_database_is_brought_to_the_head_and_a_second_time_changes_nothing(empty_database_url: str) -> None:
    assert migrate.current(empty_database_url) is None

    migrate.upgrade(empty_database_url)
    assert migrate.current(empty_database_url) == migrate.head()

    migrate.upgrade(empty_database_url)
    assert migrate.current(empty_database_url) == migrate.head()


def test_an_upgrade_keeps_the_rows(empty_database_url: str) -> None:
    async def store_a_workspace() -> None:
        async with Database(empty_database_url) as database, database.unit(WORKSPACE) as session:
            await make_workspace(session)

    async def stored() -> list[str]:
        async with Database(empty_database_url) as database:
            return await database.workspace_ids()

    migrate.upgrade(empty_database_url)
    asyncio.run(store_a_workspace())
    migrate.upgrade(empty_database_url)

    assert asyncio.run(stored()) == [WORKSPACE]


def test_the_way_back_to_nothing_works(database_url: str) -> None:
    migrate.downgrade(database_url, "base")

    assert asyncio.run(ask(database_url, tables)) == {"alembic_version"}
    assert migrate.current(database_url) is None

    migrate.upgrade(database_url)
    assert migrate.current(database_url) == migrate.head()


async def test_a_program_asks_whether_its_database_is_current(database: Database, empty_database_url: str) -> None:
    async with Database(empty_database_url) as empty:
        assert await migrate.is_current(database)
        assert not await migrate.is_current(empty)

        await asyncio.to_thread(migrate.upgrade, empty_database_url)
        assert await migrate.is_current(empty)


def run_upgrade(url: str, folder: Path) -> "subprocess.Popen[str]":
    script = f"from bot import migrate; migrate.upgrade({url!r})"
    root = Path(migrate.__file__).parent.parent
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        env={"PYTHONPATH": str(root), "PATH": ""},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_three_processes_that_upgrade_at_once_from_any_folder_all_succeed(
    empty_database_url: str, tmp_path: Path
) -> None:
    started = [run_upgrade(empty_database_url, tmp_path) for _ in range(3)]

    ends = [(process.communicate(timeout=60)[1], process.returncode) for process in started]

    assert ends == [("", 0)] * 3
    assert migrate.current(empty_database_url) == migrate.head()


def test_a_failing_step_leaves_the_database_as_it_was(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_head = migrate._alembic_upgrade

    def fail_at_the_end(config: Config, to: str) -> None:
        to_the_head(config, to)
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrate, "_alembic_upgrade", fail_at_the_end)
    with pytest.raises(RuntimeError, match="power cut"):
        migrate.upgrade(empty_database_url)

    assert asyncio.run(ask(empty_database_url, tables)) == set()


def test_a_database_of_a_newer_release_is_refused_in_words(database_url: str) -> None:
    def pretend(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    asyncio.run(ask(database_url, pretend))

    with pytest.raises(migrate.UnknownSchema, match="step 9999"):
        migrate.upgrade(database_url)
    assert migrate.current(database_url) == "9999"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_upgrade_of_a_locked_file_says_that_it_was_busy(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "WORKER_WAIT_MS", 50)

    async def upgrade_while_somebody_writes() -> None:
        async with Database(empty_database_url) as writer, writer.outside(writes=True) as connection:
            await connection.execute(text("SELECT 1"))
            await asyncio.to_thread(migrate.upgrade, empty_database_url)

    with pytest.raises(DatabaseBusy):
        asyncio.run(upgrade_while_somebody_writes())


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_rows_that_a_step_leaves_pointing_at_nothing_stop_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def orphan_a_record(config: Config, to: str) -> None:
        connection: Connection = config.attributes["connection"]
        connection.exec_driver_sql("INSERT INTO card VALUES ('T1', 77, 'C1', '1.0')")

    monkeypatch.setattr(migrate, "_alembic_upgrade", orphan_a_record)
    monkeypatch.setattr(migrate, "head", lambda: "9999")

    with pytest.raises(RuntimeError, match="1 rows point"):
        migrate.upgrade(database_url)
    assert asyncio.run(ask(database_url, lambda c: c.exec_driver_sql("SELECT count(*) FROM card").scalar())) == 0


def test_the_steps_form_one_line_in_the_order_of_their_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    steps = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    assert steps == sorted(steps, reverse=True)
    assert steps[0] == migrate.head()


def test_a_current_database_is_found_so_at_once_and_without_alembic(database_url: str, tmp_path: Path) -> None:
    script = (
        "import sys, time; from bot import migrate; began = time.process_time();"
        f"migrate.upgrade({database_url!r});"
        "assert 'alembic' not in sys.modules; print(time.process_time() - began)"
    )
    root = Path(migrate.__file__).parent.parent

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert float(done.stdout) < 1  # 0.1 s and less on a quiet machine
