"""How a process or a command comes to its database, and in a sentence why it does not."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot import migrate
from bot.settings import Settings
from models.database import STATEMENT_SECONDS, Database, async_url, sqlite_path
from models.serving import SERVING, is_serving
from models.shielding import shielded

Say = Callable[[str], None]

# How long the start waits for a database that is not up yet, as when both were started together.
START_SECONDS = 60.0
RETRY_SECONDS = 1.0
LOOK_AT_FILE = "See whether it is the right file, its folder is there and may be written, and the disk has room."
LOOK_AT_SERVER = "See whether the server runs, and whether the host, the user, the password and the name are right."


class CannotStart(Exception):
    """Why the program does not start, in a sentence that says what to do."""


@asynccontextmanager
async def migrated_database(url: str, **options: Any) -> AsyncIterator[Database]:
    """The database, disposed of at the end. Raises CannotStart when it cannot be opened or has another schema."""
    async with Database(url, **options) as database:
        with database_faults(url):
            is_current = await migrate.is_current(database)
        if not is_current:
            raise CannotStart("The database has another schema than this release. Run `steward migrate` first.")
        yield database


async def chosen_workspace(database: Database, workspace_id: str | None) -> str:
    """The workspace that a command is about: the one that was named, else the only one. Raises CannotStart."""
    known = await database.workspace_ids(also_removed=True)
    if not known:
        raise CannotStart("No workspace is in this database yet: it comes with Steward's first start, or is imported.")
    if workspace_id is None and len(known) != 1:
        raise CannotStart(f"Say which workspace: --workspace {' or '.join(known)}")
    chosen = workspace_id or known[0]
    if chosen not in known:
        raise CannotStart(f"There is no workspace {chosen} here.")
    return chosen


def serving(settings: Settings) -> dict[str, Any]:
    """How a process that serves people opens its database: should it hang, they are told so soon."""
    return {
        "connections": settings.database_connections,
        "statement_seconds": STATEMENT_SECONDS,
        "application": SERVING,
    }


async def reached(url: str, say: Say, seconds: float = START_SECONDS) -> None:
    """Wait until the database takes connections, for so long; whoever opens it then says why it does not.

    Raises CannotStart for a SQLite file that may not be written.
    """
    require_writable(url)
    until, waits = monotonic() + seconds, False
    async with Database(url) as database:
        while await database.is_away() and monotonic() < until:
            if not waits:
                waits = True
                say(f"The database at {address(url)} does not answer yet; waiting for up to {seconds:.0f} s.")
            await asyncio.sleep(RETRY_SECONDS)


def require_database(url: str) -> None:
    """Raise CannotStart when the address names a SQLite file that is not there: looking must not make one."""
    file = sqlite_path(url)
    if file is not None and not file.exists():
        require_folder(file)
        raise CannotStart(f"There is no database at {file}. DATABASE_URL says where it is; `steward migrate` makes it.")


def require_folder(file: Path) -> None:
    """Raise CannotStart where the file has none: one made here could stand in for a disk that is not mounted."""
    if not file.parent.is_dir():
        raise CannotStart(f"There is no folder {file.parent}. Make it, or mount the disk that it is on.")


def require_writable(url: str) -> None:
    """Raise CannotStart where this user may not write the SQLite file, or its folder, where SQLite puts two more."""
    file = sqlite_path(url)
    for each in () if file is None else (file, file.absolute().parent):
        if each.exists() and not os.access(each, os.W_OK):
            raise CannotStart(f"{each} may not be written by this user: give it that right, or be the file's owner.")


def running_at(url: str) -> str | None:
    """That Steward runs on the database, in a sentence; None where it does not. Raises CannotStart."""

    async def is_running() -> bool:
        async with Database(url) as database:
            return await is_serving(database)

    with database_faults(url):
        if not asyncio.run(is_running()):
            return None
    opened = " or another program has the file open" if sqlite_path(url) is not None else ""
    return f"Steward is running on {address(url)}{',' if opened else ''}{opened}."


def require_stopped(url: str) -> None:
    """Raise CannotStart while Steward runs on the database, for a command that takes --while-running."""
    if running := running_at(url):
        raise CannotStart(f"{running} Stop every process of it first; --while-running goes on all the same.")


@contextmanager
def database_faults(url: str) -> Iterator[None]:
    """Turn what goes wrong in opening the database into a sentence, without its address or its password."""
    try:
        if (file := sqlite_path(url)) is not None:
            require_folder(file)
            # Tried here first: aiosqlite's thread outlives a refusal, and complains of it in a traceback.
            with closing(sqlite3.connect(file)) as tried:
                tried.execute("PRAGMA schema_version")
        yield
    except (OSError, SQLAlchemyError, sqlite3.Error) as error:
        look = LOOK_AT_FILE if sqlite_path(url) is not None else LOOK_AT_SERVER
        raise CannotStart(f"The database in DATABASE_URL cannot be opened: {reason_of(error)}. {look}") from None


def reason_of(error: Exception) -> str:
    """The database's own words for what went wrong, in one line without a full stop."""
    reason = str(getattr(error, "orig", None) or error).splitlines()
    return (reason[0] if reason else type(error).__name__).rstrip(".")


async def bring_up_to_date(url: str) -> None:
    """Bring the database to this release's schema. Raises CannotStart."""
    with database_faults(url):
        await shielded(asyncio.to_thread(migrate.upgrade, url))


def address(url: str) -> str:
    """Where the records are, without user and password."""
    parsed = async_url(url)
    return str(parsed.database) if parsed.host is None else f"{parsed.host}/{parsed.database}"
