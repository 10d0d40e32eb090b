"""Backups: the whole database in one file, made while Steward runs and looked at before it counts; and the way back.

SQLite writes the copy itself (VACUUM INTO), PostgreSQL's own tools write and read its: https://www.postgresql.org/docs/
current/app-pgdump.html. A backup goes back into the engine it came from; `steward export` is for anything else.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot import migrate
from bot.opening import (
    CannotStart,
    address,
    database_faults,
    reason_of,
    require_database,
    require_folder,
    running_at,
)
from models.database import Database, sqlite_path

SQLITE_MARK = b"SQLite format 3\x00"
POSTGRES_MARK = b"PGDMP"

# PostgreSQL's words for an address, as its tools read them from the environment: a password in an argument is for
# everybody on the machine to read.
POSTGRES_WORDS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "username": "PGUSER",
    "password": "PGPASSWORD",
    "database": "PGDATABASE",
}


def make(url: str, file: Path) -> Path:
    """Write the whole database to a new file and check it. Raises CannotStart; a half-made file is never left."""
    require_database(url)
    with database_faults(url):
        found = migrate.current(url)
    if found is None:
        raise CannotStart(f"{address(url)} holds no Steward yet: `steward migrate` makes it.")
    with new_file(file) as part:
        with database_faults(url):
            _write(url, part)
        check(part)
    return file


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """Where to write what becomes the file once all went well, readable by nobody else. Raises CannotStart."""
    if file.exists():
        raise CannotStart(f"{file} is there already. Name another file, or move it away.")
    require_folder(file)
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        yield part
        part.replace(file)
    except OSError as error:
        raise CannotStart(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        _remove(part)


def _remove(part: Path) -> None:
    """Remove a database that did not become one, with what SQLite put beside it."""
    for end in ("", "-journal", "-wal", "-shm"):
        part.with_name(part.name + end).unlink(missing_ok=True)


def check(file: Path) -> None:
    """Raise CannotStart unless the file is a whole backup of a Steward's database."""
    if not file.exists():
        raise CannotStart(f"There is no file {file}.")
    with file.open("rb") as opened:
        begins = opened.read(len(SQLITE_MARK))
    if begins == SQLITE_MARK:
        _check_sqlite(file)
    elif begins.startswith(POSTGRES_MARK):
        listed = _tool("pg_restore", ["--list", str(file)], {})
        if "alembic_version" not in listed or " record " not in listed:
            raise CannotStart(f"{file} holds no Steward.")
    else:
        raise CannotStart(f"{file} is no backup: neither a SQLite file nor one of pg_dump's.")


def restore(file: Path, url: str, *, now: datetime) -> None:
    """Put the backup into a database that is empty or not there yet, in this release's schema.

    What was due before `now` counts as sent: nobody knows what the Steward that went on meanwhile has sent. Raises
    CannotStart, and UnknownSchema for a backup of a newer release; the database is then as it was.
    """
    check(file)
    target = sqlite_path(url)
    with file.open("rb") as opened:
        is_sqlite = opened.read(len(SQLITE_MARK)) == SQLITE_MARK
    if is_sqlite != (target is not None):
        raise CannotStart("The backup is of the other kind of database. DATABASE_URL says where it is to go.")
    if target is not None:
        _restore_sqlite(file, target, url, now)
    else:
        _restore_postgres(file, url, now)


def _write(url: str, part: Path) -> None:
    source = sqlite_path(url)
    if source is None:
        _tool("pg_dump", ["--format=custom", f"--file={part}"], _postgres(url))
        return
    with closing(sqlite3.connect(source)) as connection:
        try:
            connection.execute("VACUUM INTO ?", (str(part),))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            raise CannotStart(f"{part} cannot be written: no room is left on its disk.") from None


def _check_sqlite(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            told = connection.execute("PRAGMA integrity_check").fetchone()[0]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
            connection.execute("SELECT count(*) FROM record").fetchone()
    except sqlite3.Error as error:
        raise CannotStart(f"{file} holds no whole Steward: {error}.") from None
    if told != "ok" or orphans:
        raise CannotStart(f"{file} is damaged: {told if told != 'ok' else f'{len(orphans)} rows point nowhere'}.")


def _restore_sqlite(file: Path, target: Path, url: str, now: datetime) -> None:
    """By way of a file beside it, so that the database is there whole or not at all."""
    if target.exists():
        raise CannotStart(
            f"{target} is there already. Stop Steward and move the file away, with {target.name}-wal and "
            f"{target.name}-shm."
        )
    # Beside the new file SQLite would take them for its own, and write what they hold into it.
    left = [rest.name for end in ("-wal", "-shm") if (rest := target.with_name(target.name + end)).exists()]
    if left:
        raise CannotStart(
            f"What an older {target.name} left is still there: {' and '.join(left)}. Stop Steward and move it away too."
        )
    require_folder(target)
    part = target.with_name(f"{target.name}.part")
    beside = f"sqlite:///{part}"
    try:
        shutil.copyfile(file, part)
        migrate.upgrade(beside)
        asyncio.run(_note_restored(beside, now))
        with closing(sqlite3.connect(part)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        part.replace(target)
    except OSError as error:
        raise CannotStart(f"{target} cannot be written: {error.strerror}.") from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise CannotStart(f"{target} cannot be written: {reason_of(error)}.") from None
    finally:
        _remove(part)


def _restore_postgres(file: Path, url: str, now: datetime) -> None:
    with database_faults(url):
        found = migrate.current(url)
    if found is not None:
        raise CannotStart(f"{address(url)} holds a Steward already. Stop it, and name an empty database.")
    if running := running_at(url):
        raise CannotStart(f"{running} Stop every process of it first.")
    _tool(
        "pg_restore",
        ["--single-transaction", "--no-owner", "--no-privileges", f"--dbname={make_url(url).database}", str(file)],
        _postgres(url),
    )
    migrate.upgrade(url)
    asyncio.run(_note_restored(url, now))


async def _note_restored(url: str, now: datetime) -> None:
    async with Database(url) as database:
        await database.note_restored(now)


def _postgres(url: str) -> dict[str, str]:
    """The address in PostgreSQL's own words."""
    parsed = make_url(url)
    told = {POSTGRES_WORDS[name]: str(value) for name in POSTGRES_WORDS if (value := getattr(parsed, name))}
    # A socket's folder stands among the options.
    named = {f"PG{key.upper()}": str(value) for key, value in parsed.query.items() if key in ("host", "sslmode")}
    return told | named


def _tool(name: str, arguments: list[str], told: dict[str, str]) -> str:
    """What PostgreSQL's tool of that name says. Raises CannotStart when it is not there or refuses."""
    found = shutil.which(name)
    if found is None:
        raise CannotStart(f"{name} is not on the path. It comes with PostgreSQL's client (Debian: postgresql-client).")
    ended = subprocess.run([found, *arguments], env=os.environ | told, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise CannotStart(f"{name} refused: {_last_error(name, ended.stderr) or ended.returncode}")
    return ended.stdout


def _last_error(name: str, said: str) -> str:
    """The last error that the tool told, in one line: what went wrong often stands above what to do about it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [at for at, line in enumerate(lines) if line.startswith(f"{name}: error:")]
    return " ".join(lines[errors[-1] :] if errors else lines[-1:]).removeprefix(f"{name}: error:").strip()
