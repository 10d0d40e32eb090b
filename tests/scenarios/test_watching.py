"""Watching a record: one direct message for what others change, to those who may still see it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from models import directory
from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answer, answered, offered

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def told(house: House, person: Driver) -> list[str]:
    """The direct messages of this person, once the minutes are over for which a word waits."""
    await house.sandbox.advance(timedelta(minutes=3))
    await house.settled()
    return [shown(message) for message in person.app_messages()]


async def act(house: House, person: Driver, *words: str) -> None:
    for each in words:
        await person.command("#network", "/steward", each)
    await house.settled()


async def test_a_watcher_is_told_once_of_all_that_others_changed_and_never_of_their_own(house: House) -> None:
    ana, ben, tane = (house.sandbox.person(name) for name in ("ana", "ben", "tane"))
    await act(house, ana, "action Order racks @ana by 2031-12-05")
    await act(house, tane, "A1")
    await tane.click(answer(tane), "watch")
    await house.settled()
    assert "You watch A1: Order racks." in answered(tane)

    await act(house, ana, "A1 start", "A1 by 2031-12-08", "A1 !high")
    await act(house, ben, "A1 done")
    assert await told(house, tane) == [
        "📝 \nA1  \nOrder racks\n"
        "A1 in network, which you watch: status Open → Done, due date Fri 5 Dec 2031 → Mon 8 Dec 2031, "
        "by Ana Torres and Ben Fischer\nDetails\nStop watching"
    ]
    assert await told(house, ben) == []

    await act(house, tane, "A1 reopen")
    await act(house, ana, "A1 start", "A1 undo", "A1 !low")
    assert len(await told(house, tane)) == 1
    await tane.click(tane.app_messages()[-1], "watch:end")
    await house.settled()
    await act(house, ana, "A1 done")
    assert len(await told(house, tane)) == 1


async def test_who_may_not_see_it_any_more_is_not_told(house: House) -> None:
    ana, tane = house.sandbox.person("ana"), house.sandbox.person("tane")
    await act(house, ana, "action Order racks")
    await act(house, tane, "A1 watch")
    await act(house, ana, "A1 done", "A1 edit")
    await ana.click_view("more_fields")
    await house.settled()
    await ana.submit({"confidentiality": "confidential"})

    assert await told(house, tane) == []


async def test_a_watcher_is_left_alone_in_their_quiet_hours(house: House) -> None:
    ana, tane = house.sandbox.person("ana"), house.sandbox.person("tane")
    await act(house, ana, "action Order racks")
    await act(house, tane, "A1 watch", "A1")
    assert "watch:end" in offered(answer(tane))
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        person = await directory.person(session, tane.id)
        assert person is not None
        local = house.sandbox.clock.now().astimezone(ZoneInfo(person.timezone))
        person.quiet_from = (local - timedelta(hours=1)).time().replace(second=0, microsecond=0)
        person.quiet_until = (local + timedelta(hours=2)).time().replace(second=0, microsecond=0)

    await act(house, ana, "A1 done")
    assert await told(house, tane) == []
    await house.sandbox.advance(timedelta(hours=2))
    await house.settled()
    assert "status Open → Done" in shown(tane.app_messages()[-1])
