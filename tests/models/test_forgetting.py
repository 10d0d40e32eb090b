"""A workspace that is purged leaves nothing behind, and takes nothing with it that is another's."""

import pytest

from models import forgetting
from models.database import Database
from tests.models.test_scope import OURS, THEIRS, of_workspace, stored, two_workspaces

__all__ = ["two_workspaces"]


async def test_a_purge_deletes_every_row_of_the_workspace_and_none_of_another(
    two_workspaces: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)  # more than one batch a table
    before = await stored(two_workspaces)

    gone = await forgetting.purge(two_workspaces, THEIRS)

    after = await stored(two_workspaces)
    assert not any(of_workspace(after, THEIRS).values())
    assert of_workspace(after, OURS) == of_workspace(before, OURS)
    assert gone == sum(map(len, of_workspace(before, THEIRS).values()))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_purge_may_be_repeated(two_workspaces: Database) -> None:
    await forgetting.purge(two_workspaces, THEIRS)

    assert await forgetting.purge(two_workspaces, THEIRS) == 0


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_references_are_checked_again_after_a_purge(two_workspaces: Database) -> None:
    """The purge has a connection of its own for what it may do without looking."""
    await forgetting.purge(two_workspaces, THEIRS)

    async with two_workspaces.outside(writes=True) as connection:
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one() == 1
