"""Rows from which nothing is to be learned are stored with what the unit stores next, and nobody can tell."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event
from sqlalchemy.exc import InvalidRequestError, NoResultFound
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.database import Database
from models.errors import ReadsOnly
from models.inserting import ROWS_TOGETHER, add, add_if_missing, add_missing, count_up, new
from models.tables import Capture, Counter, Delivery, SeenRequest
from tests.support import NOW, WORKSPACE, remember, remembered


def _seen(key: str) -> dict[str, object]:
    return {"key": key, "at": NOW, "reference": None}


def _capture(ts: str) -> dict[str, object]:
    return {"channel_id": "C1", "ts": ts, "kind": "risk", "at": NOW, "by": "UANA"}


@pytest.mark.parametrize("many", [2, ROWS_TOGETHER + 1])
async def test_rows_of_several_tables_are_stored_in_their_order(database: Database, many: int) -> None:
    keys = [f"key {n}" for n in range(many)]
    async with database.unit(WORKSPACE) as session:
        for key in keys:
            await outbox.put(session, "hello", key=key, target="C1", due_at=NOW)
            await add_missing(session, SeenRequest, [_seen(key)])

    async with database.unit(WORKSPACE, writes=False) as session:
        assert (await session.exec(select(Delivery.dedupe_key).order_by(col(Delivery.id)))).all() == keys
        assert set(await session.exec(select(SeenRequest.key))) == set(keys)


async def test_a_unit_finds_and_changes_what_it_added(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await add_missing(session, SeenRequest, [_seen("first")])
        assert (await session.exec(select(SeenRequest.key))).all() == ["first"]

        await add_missing(session, SeenRequest, [_seen("second")])
        (await session.exec(select(SeenRequest).where(col(SeenRequest.key) == "second"))).one().reference = "A1"

    async with database.unit(WORKSPACE, writes=False) as session:
        found = {row.key: row.reference for row in await session.exec(select(SeenRequest))}
    assert found == {"first": None, "second": "A1"}


async def test_whether_a_row_was_missing_says_nothing_of_the_rows_stored_with_it(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await add_missing(session, SeenRequest, [_seen("first")])
        assert await add_if_missing(session, Capture, _capture("1.0"))

        await add_missing(session, SeenRequest, [_seen("second")])
        assert not await add_if_missing(session, Capture, _capture("1.0"))

        await add_missing(session, Capture, [_capture("2.0")])
        assert not await add_if_missing(session, Capture, _capture("1.0"))
        await add_missing(session, Capture, [_capture("1.0")])
        assert await add_if_missing(session, Capture, _capture("3.0"))

    async with database.unit(WORKSPACE, writes=False) as session:
        assert sorted(await session.exec(select(Capture.ts))) == ["1.0", "2.0", "3.0"]
        assert sorted(await session.exec(select(SeenRequest.key))) == ["first", "second"]


async def test_what_a_refused_unit_added_is_not_stored(database: Database) -> None:
    async def refused() -> None:
        async with database.unit(WORKSPACE) as session:
            await add_missing(session, SeenRequest, [_seen("first")])
            raise LookupError

    with pytest.raises(LookupError):
        await refused()

    async with database.unit(WORKSPACE, writes=False) as session:
        assert (await session.exec(select(SeenRequest))).all() == []


ADDING: dict[str, Callable[[AsyncSession], Awaitable[object]]] = {
    "rows": lambda session: add_missing(session, SeenRequest, [_seen("first")]),
    "a row": lambda session: add_if_missing(session, SeenRequest, _seen("first")),
    "a row that learns its id": lambda session: add(
        session, new(Delivery, kind="hello", dedupe_key="first", lane="C1", target="C1", due_at=NOW)
    ),
    "a count": lambda session: count_up(session, Counter, {"kind": "risk"}, "last"),
}


@pytest.mark.parametrize("way", ADDING)
async def test_a_unit_that_reads_adds_nothing(database: Database, way: str) -> None:
    async def go() -> None:
        async with database.unit(WORKSPACE, writes=False) as session:
            await ADDING[way](session)

    with pytest.raises(ReadsOnly):
        await go()

    async with database.unit(WORKSPACE, writes=False) as session:
        for table in (SeenRequest, Delivery, Counter):
            assert (await session.exec(select(table))).all() == []


# Each way in which a session says something to its database, given a row that it loaded.
_KEYS = select(SeenRequest.key)
WAYS: dict[str, Callable[[AsyncSession, SeenRequest], Awaitable[object]]] = {
    "exec": lambda session, _: session.exec(_KEYS),
    "execute": lambda session, _: session.execute(_KEYS),  # type: ignore[deprecated]
    "scalar": lambda session, _: session.scalar(_KEYS),
    "scalars": lambda session, _: session.scalars(_KEYS),
    "stream": lambda session, _: session.stream(_KEYS),
    "stream_scalars": lambda session, _: session.stream_scalars(_KEYS),
    "get": lambda session, _: session.get(SeenRequest, (WORKSPACE, "none")),
    "get_one": lambda session, _: _without(NoResultFound, session.get_one(SeenRequest, (WORKSPACE, "none"))),
    "merge": lambda session, _: session.merge(SeenRequest(workspace_id=WORKSPACE, key="none", at=NOW)),
    "merge_all": lambda session, _: session.merge_all([SeenRequest(workspace_id=WORKSPACE, key="none", at=NOW)]),
    "refresh": lambda session, loaded: session.refresh(loaded),
    "connection": lambda session, _: session.connection(),
    "flush": lambda session, _: session.flush(),
    "commit": lambda session, _: session.commit(),
    "run_sync": lambda session, _: session.run_sync(lambda sync: sync.query(SeenRequest).count()),
}
# What is no part of a unit, which is one transaction: what is kept would belong to another part of it.
REFUSED: dict[str, Callable[[AsyncSession], Awaitable[object]]] = {
    "begin": lambda session: session.begin().start(),
    "begin_nested": lambda session: session.begin_nested().start(),
    "rollback": lambda session: session.rollback(),
}
# What says nothing to the database, or ends the unit.
SILENT = {
    *("add", "add_all", "autoflush", "bind", "binds", "bind_mapper"),
    *("bind_table", "close", "close_all", "aclose", "delete", "delete_all"),
    *("deleted", "dirty", "execution_options", "expire", "expire_all", "expunge"),
    *("expunge_all", "get_async_bind", "get_bind", "get_nested_transaction", "get_transaction", "identity_key"),
    *("identity_map", "in_nested_transaction", "in_transaction", "info", "invalidate", "is_active"),
    *("is_modified", "new", "no_autoflush", "object_session", "reset", "sync_session_class"),
}


async def _without(error: type[Exception], work: Awaitable[object]) -> None:
    with pytest.raises(error):
        await work


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # SQLModel would rather have `exec` used
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_whatever_a_session_says_finds_what_the_unit_added_before(database: Database) -> None:
    await remember(database, "there")
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(" ".join(statement.split()[:3]))

    first = {}
    for way, go in WAYS.items():
        async with database.unit(WORKSPACE) as session:
            loaded = (await session.exec(select(SeenRequest).where(SeenRequest.key == "there"))).one()
            await add_missing(session, SeenRequest, [_seen(way)])
            event.listen(database.engine.sync_engine, "before_cursor_execute", note)
            await go(session, loaded)
            first[way] = next(iter(said), "nothing")
            event.remove(database.engine.sync_engine, "before_cursor_execute", note)
            said.clear()

    assert first == dict.fromkeys(WAYS, "INSERT INTO seen_request")
    known = {*WAYS, *REFUSED, *SILENT}
    assert {name for name in dir(AsyncSession) if name[0] != "_"} - known == set(), "do these find what was added?"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", REFUSED)
async def test_a_unit_is_one_transaction(database: Database, way: str) -> None:
    async def go() -> None:
        async with database.unit(WORKSPACE) as session:
            await add_missing(session, SeenRequest, [_seen("first")])
            await session.exec(_KEYS)
            await REFUSED[way](session)

    await _without(InvalidRequestError, go())
    assert await remembered(database) == set()
