"""The database's schema: what it is, what this release expects, and the way from one to the other.

The functions that take an address start an event loop of their own: inside an asyncio program call them with
`asyncio.to_thread`. Alembic is imported only when there is something to do, since starting must be quick.
"""

import ast
import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

import migrations
from models import search
from models.database import WORKER_WAIT_MS, Database
from models.database_errors import DatabaseBusy
from models.errors import StewardError

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(migrations.__path__[0])

# PostgreSQL's advisory lock: any number will do as long as every process takes the same.
LOCK_KEY = 5_837_420_118


# Before the first step: a database in which nothing of ours is left.
BASE = "base"


class UnknownSchema(StewardError):
    """The database was written by another release, whose steps are not here."""


class UnknownStep(StewardError):
    """There is no step of that name."""


def head() -> str:
    """The revision that this release expects."""
    return max(_known())


def current(url: str) -> str | None:
    """The database's revision; None when it holds no tables of ours yet."""
    return asyncio.run(_current_at(url))


async def is_current(database: Database) -> bool:
    """Whether the database has exactly the schema that this release expects."""
    return await _current(database) == head()


def upgrade(url: str, to: str | None = None) -> None:
    """Bring the database up to this release's schema, or to a step of it, or leave it as it was.

    Safe in several processes at once. Raises UnknownSchema for a database of another release, and DatabaseBusy when
    SQLite stays locked for 10 s.
    """
    asyncio.run(_upgrade(url, to or head()))


def downgrade(url: str, revision: str) -> None:
    """Take the database back to an older revision; `base` removes every table with all that is in it.

    All or nothing. Raises as `upgrade` does.
    """
    asyncio.run(_downgrade(url, revision))


def steps_back(url: str, revision: str) -> dict[str, str]:
    """What a way back to the revision undoes: step -> what it did, latest first; nothing where it is no way back.

    Raises UnknownStep and UnknownSchema.
    """
    if revision not in (BASE, *_known()):
        known = sorted(_known())
        near = [*[step for step in known if step < revision][-1:], *[step for step in known if step > revision][:1]]
        raise UnknownStep(
            f"There is no step {revision}. Nearest to it this release of Steward knows {' and '.join(near)}."
        )
    found = current(url)
    _require_known(found)
    undone = [step for step in _known() if found and step <= found and (revision == BASE or step > revision)]
    return {step: _what_it_did(step) for step in sorted(undone, reverse=True)}


def write_step(words: str) -> Path:
    """Write the step from this release's schema to what the models say now, for a developer to read and commit.

    It is found by comparing the models with a fresh database and is not run.
    """
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/now.db"
        upgrade(url)
        written: list[Path] = []
        asyncio.run(_in_one_transaction(url, lambda config: written.append(_alembic_revision(config, words))))
    return written[0]


def _known() -> dict[str, Path]:
    return {path.stem.partition("_")[0]: path for path in (SCRIPTS / "versions").glob("[0-9]*.py")}


def _what_it_did(step: str) -> str:
    """The first sentence that the step says of itself, as one line."""
    said = ast.get_docstring(ast.parse(_known()[step].read_text(encoding="utf-8"))) or ""
    return " ".join(said.partition("\n\n")[0].split())


def _require_known(found: str | None) -> None:
    if found is not None and found not in _known():
        raise UnknownSchema(
            f"This database is at step {found}, and this release of Steward knows only up to step {head()}. "
            "Start the release that wrote it, or a newer one."
        )


async def _current_at(url: str) -> str | None:
    async with Database(url, wait_ms=WORKER_WAIT_MS) as database:
        return await _current(database)


async def _current(database: Database) -> str | None:
    async with database.engine.connect() as connection:
        return await connection.run_sync(_stored_revision)


def _stored_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


async def _upgrade(url: str, to: str) -> None:
    found = await _current_at(url)
    _require_known(found)
    if found is None or found < to:
        await _in_one_transaction(url, lambda config: _alembic_upgrade(config, to), afterwards=_settle_at_head)


async def _downgrade(url: str, revision: str) -> None:
    _require_known(await _current_at(url))
    await _in_one_transaction(url, lambda config: _alembic_downgrade(config, revision))


def _settle_at_head(connection: Connection) -> None:
    # What records are found by hangs on tables and columns that an older schema may not have.
    if _stored_revision(connection) == head():
        search.settle(connection)


async def _in_one_transaction(
    url: str, steps: Callable[["Config"], None], afterwards: Callable[[Connection], None] | None = None
) -> None:
    """Run the steps while no other process can, all or nothing on both engines."""
    async with Database(url, wait_ms=WORKER_WAIT_MS) as database:
        if database.is_sqlite:
            _allow_tables_to_be_replaced(database)
        try:
            async with database.engine.execution_options(steward_writes=True).begin() as connection:
                if not database.is_sqlite:
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
                await connection.run_sync(_run, steps)
                if afterwards is not None:
                    await connection.run_sync(afterwards)
        except OperationalError as error:
            if database.is_sqlite and "locked" in str(error.orig):
                raise DatabaseBusy(
                    "The database was busy, so its schema was left as it was. Please try again."
                ) from error
            raise


def _run(connection: Connection, steps: Callable[["Config"], None]) -> None:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    steps(config)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"{len(broken)} rows point at rows that are gone; the schema was left as it was")


def _alembic_upgrade(config: "Config", to: str) -> None:
    from alembic import command

    command.upgrade(config, to)


def _alembic_revision(config: "Config", words: str) -> Path:
    from alembic import command

    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made = command.revision(config, words, autogenerate=True, rev_id=f"{int(head()) + 1:04}")
    assert made is not None
    assert not isinstance(made, list)
    return Path(made.path)


def _alembic_downgrade(config: "Config", revision: str) -> None:
    from alembic import command

    command.downgrade(config, revision)


def _allow_tables_to_be_replaced(database: Database) -> None:
    # SQLite replaces a table by copy, drop and rename; with foreign keys on, the drop would delete what points at it.
    # The switch works only outside a transaction, hence here. What must hold is checked at the end instead.
    @event.listens_for(database.engine.sync_engine, "connect")
    def _switch(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA foreign_keys=OFF")
