"""The database goes while people work: they are told so and keep their words, and afterwards all goes on by itself."""

from collections.abc import AsyncIterator

import pytest

from bot import operation
from scheduler.runner import HEARTBEAT
from tests.scenarios.house import House, house_over_http, shown
from tests.scenarios.looking import is_card_of
from tests.scenarios.steps import again, delivered, said, until
from tests.wire import Wire, wire_to

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)

AWAY = "Steward cannot reach its database at the moment. Nothing was saved; please try again in a minute."


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    async with wire_to(database_url) as made:
        yield made


async def titles(house: House) -> list[str]:
    return [record["title"] for record in (await house.export()).records]


async def test_people_are_told_at_once_and_afterwards_everything_goes_on(wire: Wire) -> None:
    """A command gives the words back, a form keeps them, a Home tab opens a window, and Slack resends what it told."""
    async with house_over_http(wire.through) as house:
        ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
        await ana.command("#network", "/action", "Order two racks")
        await ana.open_home()
        await ben.command("#network", "/action")
        await house.settled()
        await wire.go_down()

        command = await ana.command("#network", "/action", "Check the fans by friday")
        form = await ben.submit({"title": "Check the pumps"})
        await ana.say("#network", f"<@{house.sandbox.bot_user_id}> action Check the doors")
        await house.sandbox.idle()
        mention = delivered(house, "app_mention")
        pressed = await ana.click_home("projects")
        health = await operation.health_problem(house.steward.database)
        await house.steward.runner.tick()

        assert command.ok
        assert said(ana, "#network") == f"{AWAY}\n/action Check the fans by friday"
        assert list(form.errors.values()) == [AWAY]
        assert mention.outcome == "http_error", "what is not acknowledged comes again"
        assert pressed.ok
        await until(house, lambda: ana.modal is not None and AWAY in shown(ana.modal))
        assert health == "the database does not answer (ConnectionRefusedError): `steward doctor` says more"

        await wire.mend()
        assert (await ben.submit()).ok
        assert [ack.ok for ack in await again(house, mention)] == [True]
        await ana.command("#network", "/action", "Check the fans by friday")
        await house.steward.runner.tick()
        await until(house, lambda: all(is_there(ana, reference) for reference in ("A1", "A2", "A4")))

        assert await titles(house) == ["Order two racks", "Check the pumps", "Check the doors", "Check the fans"]
        assert await house.steward.database.last_beat(HEARTBEAT) is not None
        assert await operation.health_problem(house.steward.database) is None


@pytest.mark.parametrize("carrying_it", [True, False], ids=["after the commit", "before the commit"])
async def test_a_connection_that_breaks_at_the_commit_is_made_up_for(wire: Wire, carrying_it: bool) -> None:
    """Whether it was stored or not: nobody notices, and it is there once, with one card."""
    async with house_over_http(wire.through) as house:
        ana = house.sandbox.person("ana")
        wire.break_at_the_commit_of("Order two racks", carrying_it=carrying_it)

        told = await ana.command("#network", "/action", "Order two racks")
        await until(house, lambda: is_there(ana, "A1"))

        assert told.ok
        assert "A1" in said(ana, "#network")
        assert "may or may not" not in said(ana, "#network")
        assert await titles(house) == ["Order two racks"]


def is_there(person: object, reference: str) -> bool:
    return len([each for each in person.messages("#network") if is_card_of(each, reference)]) == 1  # type: ignore[attr-defined]
