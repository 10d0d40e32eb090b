"""The fixtures and factories that the other tests stand on."""

from datetime import date

from models import operations
from models.database import Database
from models.kinds import KINDS
from models.permissions import actor_of
from tests.support import NOW, WORKSPACE, FixedClock, make_person, make_record, make_workspace


async def test_every_factory_stores_what_it_says(database: Database, clock: FixedClock) -> None:
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session)
        for kind in KINDS:
            await make_record(session, kind, by=ana, title=f"My {kind.key}", due_date=date(2026, 3, 6), now=clock.now())

    async with database.unit(WORKSPACE, writes=False) as session:
        for kind in KINDS:
            item, project = await operations.find(session, actor_of(ana), kind, 1)
            assert item.record.title == f"My {kind.key}"
            assert item.record.created_at == NOW
            assert project.coordinator_id == ana.id


def test_the_clock_moves_only_when_told(clock: FixedClock) -> None:
    assert clock.now() == clock.now() == NOW

    assert (clock.move(hours=2) - NOW).total_seconds() == 7200
    assert clock.move(to=NOW) == clock.now() == NOW
