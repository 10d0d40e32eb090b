"""Installations and their states: used once, by one, in their time; and changed only as they were seen."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from models import installations
from models.database import Database
from models.tables import Installation, Person
from tests.processes import until_it_is
from tests.support import NOW, make_person, make_workspace
from tests.support_installations import an_installation

LATER = NOW + timedelta(minutes=10)


async def stored(database: Database) -> Installation:
    [found] = await installations.everywhere(database)
    return found


async def test_of_many_who_come_back_at_once_one_uses_a_state(database: Database) -> None:
    for digest in ("ours", "theirs"):
        await installations.begin(database, digest, now=NOW, expires_at=LATER)

    used = await asyncio.gather(*(installations.finish(database, "ours", now=NOW) for _ in range(40)))

    assert sorted(used) == [False] * 39 + [True]
    assert await installations.finish(database, "theirs", now=NOW)


@pytest.mark.parametrize(("minutes", "is_good"), [(9.99, True), (10, False)])
async def test_a_state_is_good_for_its_time(database: Database, minutes: float, is_good: bool) -> None:
    await installations.begin(database, "state", now=NOW, expires_at=LATER)

    assert await installations.finish(database, "state", now=NOW + timedelta(minutes=minutes)) is is_good


@pytest.mark.parametrize(("days", "left"), [(30, ["U1"]), (31, [])])
async def test_a_workspace_comes_back_with_what_it_stored_or_with_nothing(
    database: Database, days: int, left: list[str]
) -> None:
    """Also with a token of its own, and where no worker has purged it yet."""
    async with database.unit("T0001") as session:
        workspace = await make_workspace(session)
        workspace.removed_at = NOW
        await make_person(session, "ana", id="U1")
    back = NOW + timedelta(days=days)

    met = await installations.meet(database, "T0001", name="Northwind", bot_user_id="UBOT", now=back)

    assert met.removed_at is None
    async with database.unit("T0001", writes=False) as session:
        assert [person.id for person in await session.exec(select(Person))] == left


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_states_that_are_too_old_are_forgotten(database: Database) -> None:
    await installations.begin(database, "old", now=NOW, expires_at=LATER)
    await installations.begin(database, "new", now=LATER, expires_at=LATER + timedelta(minutes=10))

    assert not await installations.finish(database, "old", now=NOW)
    assert await installations.finish(database, "new", now=LATER)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_no_more_begin_than_may_until_those_before_are_too_old(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beginning is open to the whole internet."""
    monkeypatch.setattr(installations, "MOST_BEGUN", 2)

    begun = [await installations.begin(database, digest, now=NOW, expires_at=LATER) for digest in "abc"]

    assert begun == [True, True, False]
    assert not await installations.finish(database, "c", now=NOW)
    assert await installations.begin(database, "d", now=LATER, expires_at=LATER + timedelta(minutes=10))


async def test_an_installation_takes_the_place_of_the_one_before(database: Database) -> None:
    await installations.save(database, an_installation(sealed_tokens="one", removed_at=NOW, scopes="commands"))
    await installations.save(database, an_installation("E0001", sealed_tokens="org"))

    await installations.save(database, an_installation(sealed_tokens="two", expires_at=LATER))

    wide, ours = await installations.everywhere(database)
    assert (ours.sealed_tokens, ours.removed_at, ours.expires_at, ours.scopes) == (
        "two",
        None,
        LATER,
        "chat:write,commands",
    )
    assert wide.sealed_tokens == "org"


async def test_of_many_who_want_to_exchange_tokens_one_does(database: Database) -> None:
    seen = an_installation(sealed_tokens="one")
    await installations.save(database, seen)

    async def ask() -> bool:
        return await installations.lease(database, seen, wall=NOW, until=LATER)

    assert sorted(await asyncio.gather(*(ask() for _ in range(20)))) == [False] * 19 + [True]
    assert await installations.lease(database, seen, wall=LATER + timedelta(seconds=1), until=LATER)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("meanwhile", [{"sealed_tokens": "two"}, {"sealed_tokens": None, "removed_at": NOW}])
async def test_what_was_seen_before_a_change_changes_nothing(database: Database, meanwhile: dict[str, Any]) -> None:
    seen = an_installation(sealed_tokens="one")
    await installations.save(database, seen)
    await installations.save(database, an_installation(**meanwhile))
    before = await stored(database)

    assert not await installations.lease(database, seen, wall=NOW, until=LATER)
    assert not await installations.renew(database, seen, sealed_tokens="three")
    assert not await installations.reseal(database, seen, "three", wall=NOW)

    assert await stored(database) == before


async def test_what_slack_refuses_is_noted_unless_that_changed_meanwhile(database: Database) -> None:
    await installations.save(database, an_installation(sealed_tokens="one"))
    fresh = await stored(database)

    await installations.note_refusal(database, fresh, since=NOW, at=NOW)
    refused = await stored(database)
    for stale in (fresh, refused.model_copy(update={"sealed_tokens": "two"})):
        await installations.note_refusal(database, stale, since=LATER, at=LATER)
    kept = await stored(database)
    await installations.note_refusal(database, refused, since=None, at=None)

    assert (refused.refused_since, refused.refused_at) == (NOW, NOW)
    assert kept == refused
    assert await stored(database) == fresh


async def test_removal_erases_the_tokens_of_what_was_installed_before(database: Database) -> None:
    """Twice as once; and of what was installed since nothing."""
    values = {"sealed_tokens": "one", "expires_at": LATER, "refreshing_until": LATER, "refresh_error": "x"}
    await installations.save(database, an_installation(**values))

    async def remove(id: str = "T0001", now: datetime = LATER, **meant: Any) -> datetime | None:
        return await installations.remove(database, id, now=now, **meant)

    assert await remove(made_by=NOW - timedelta(seconds=1)) is None
    seen = await stored(database)
    for other in ({"sealed_tokens": "two"}, {"refused_since": LATER}):
        assert await remove(seen=seen.model_copy(update=other)) is None
    assert (await stored(database)).sealed_tokens == "one"

    assert await remove(made_by=NOW, seen=seen) == LATER
    assert await remove(made_by=NOW, now=LATER + timedelta(days=1)) == LATER
    assert await stored(database) == an_installation(removed_at=LATER)
    assert await remove("T9999") is None


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_what_is_installed_again_meanwhile_is_not_seen_as_removed(database: Database) -> None:
    """Or it would be left once more, and what is owed there since then cancelled."""
    await installations.save(database, an_installation(removed_at=NOW))
    async with database.unit("T0001") as session:
        (await make_workspace(session)).removed_at = NOW

    async def waiting() -> int:
        async with database.engine.connect() as connection:
            return (await connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))).scalar_one()

    async with database.outside(writes=True) as connection:
        await connection.execute(text("LOCK TABLE workspace IN ACCESS EXCLUSIVE MODE"))
        looking = asyncio.create_task(installations.rows(database))
        await until_it_is(1, waiting)
        await connection.execute(text("UPDATE workspace SET removed_at = NULL, installation_id = 'T0001'"))
        await connection.execute(text("UPDATE installation SET removed_at = NULL, sealed_tokens = 'one'"))
    [installation], [workspace] = installations.read(await looking)

    assert workspace.removed_at is None
    assert installation.removed_at is None
