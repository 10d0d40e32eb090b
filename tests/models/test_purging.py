"""A workspace that is purged leaves nothing behind, and takes nothing with it that is another's."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from models import installations, purging
from models.database import Database
from models.tables import Comment, Record, Workspace
from tests.models.test_scope import OURS, THEIRS, of_workspace, stored, two_workspaces
from tests.support import NOW
from tests.support_installations import an_installation

__all__ = ["two_workspaces"]

REMOVED = NOW - timedelta(days=31)


def after_each_batch(database: Database, monkeypatch: pytest.MonkeyPatch, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work after each transaction of a purge, as another process may."""
    outside = database.outside

    @asynccontextmanager
    async def watched(*, purges: bool = False, **options: Any) -> AsyncIterator[Any]:
        async with outside(purges=purges, **options) as connection:
            yield connection
        if purges:
            await work()

    monkeypatch.setattr(database, "outside", watched)


async def set_removed_at(database: Database, at: Any) -> None:
    async with database.unit(THEIRS) as session:
        (await session.exec(select(Workspace))).one().removed_at = at


async def test_a_purge_deletes_every_row_of_the_workspace_and_none_of_another(
    two_workspaces: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "AT_ONCE", 2)  # more than one batch a table
    before = await stored(two_workspaces)

    gone = await purging.purge(two_workspaces, THEIRS)

    after = await stored(two_workspaces)
    assert not any(of_workspace(after, THEIRS).values())
    assert of_workspace(after, OURS) == of_workspace(before, OURS)
    assert gone == sum(map(len, of_workspace(before, THEIRS).values()))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_purge_may_be_repeated(two_workspaces: Database) -> None:
    await purging.purge(two_workspaces, THEIRS)

    assert await purging.purge(two_workspaces, THEIRS) == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_references_are_checked_again_after_a_purge(two_workspaces: Database) -> None:
    """The purge has a connection of its own for what it may do without looking."""
    await purging.purge(two_workspaces, THEIRS)

    async with two_workspaces.outside(writes=True) as connection:
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one() == 1


async def test_a_purge_ends_where_somebody_installs_it_again(
    two_workspaces: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_removed_at(two_workspaces, REMOVED)
    await installations.save(two_workspaces, an_installation(THEIRS, sealed_tokens="new"))
    before, batches = await stored(two_workspaces), 0

    async def install_again() -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            await set_removed_at(two_workspaces, None)

    after_each_batch(two_workspaces, monkeypatch, install_again)

    gone = await purging.purge(two_workspaces, THEIRS, removed_before=NOW - purging.KEPT)

    after = await stored(two_workspaces)
    left = sum(map(len, of_workspace(after, THEIRS).values()))
    assert batches == 3
    assert gone + left == sum(map(len, of_workspace(before, THEIRS).values()))
    assert len(of_workspace(after, THEIRS)["Workspace"]) == 1
    assert [each.id for each in await installations.everywhere(two_workspaces)] == [THEIRS]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_tokens_of_an_installation_that_was_not_met_yet_outlive_a_purge(two_workspaces: Database) -> None:
    await set_removed_at(two_workspaces, REMOVED)
    await installations.save(two_workspaces, an_installation(THEIRS, sealed_tokens="new"))

    await purging.purge(two_workspaces, THEIRS, removed_before=NOW - purging.KEPT)

    assert not any(of_workspace(await stored(two_workspaces), THEIRS).values())
    assert [each.sealed_tokens for each in await installations.everywhere(two_workspaces)] == ["new"]


async def test_what_is_stored_during_a_purge_goes_too(
    two_workspaces: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that points at one that is gone would keep every later backup and step of the schema from succeeding."""

    async def comment() -> None:
        async with two_workspaces.unit(THEIRS) as session:
            record_id = (await session.exec(select(Record.id))).first()
            if record_id is not None:
                session.add(Comment(record_id=record_id, author_id="UANA", at=NOW, text="Late"))

    after_each_batch(two_workspaces, monkeypatch, comment)

    await purging.purge(two_workspaces, THEIRS)

    assert not any(of_workspace(await stored(two_workspaces), THEIRS).values())
