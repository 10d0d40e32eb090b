"""What is stored of installations, as a process keeps it in memory."""

import asyncio
from typing import Any

import pytest

from bot import lookout
from bot.lookout import Lookout
from models import installations
from models.database import Database
from models.database_errors import AWAY, DatabaseAway
from tests.support import NOW
from tests.support_installations import an_installation

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def install(database: Database) -> None:
    await installations.save(database, an_installation())
    await installations.meet(database, "T0001", name="Northwind", bot_user_id="UBOT", now=NOW, installation_id="T0001")


async def test_what_is_stored_is_not_asked_for_with_each_request(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await install(database)
    looking = Lookout(database)
    await looking.look()
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 3_600.0)
    monkeypatch.delattr(installations, "rows")

    assert (await looking.recent()).served("T0001") is not None


@pytest.mark.parametrize("hangs", [False, True], ids=["away", "hanging"])
async def test_what_was_known_serves_while_the_database_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """So that people are told what is the matter; whoever has seen nothing yet has to wait."""
    await install(database)
    looking, fresh = Lookout(database), Lookout(database)
    await looking.look()
    asked = 0

    async def away(database: Database) -> Any:
        nonlocal asked
        asked += 1
        if hangs:
            await asyncio.Event().wait()
        raise DatabaseAway(AWAY)

    monkeypatch.setattr(installations, "rows", away)
    monkeypatch.setattr(lookout, "LOOK_SECONDS", -1.0)
    monkeypatch.setattr(lookout, "AWAY_SECONDS", 0.05)

    assert (await looking.recent()).served("T0001") is not None
    assert asked == 1
    if not hangs:
        with pytest.raises(DatabaseAway):
            await fresh.recent()
