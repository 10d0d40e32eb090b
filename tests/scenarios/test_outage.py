"""Slack is out of reach for minutes: what is owed meanwhile comes once when it is back, and nothing is given up."""

from datetime import timedelta

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import house_over_http, shown
from tests.scenarios.looking import is_card_of
from tests.scenarios.steps import owed, until

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def test_after_ten_minutes_without_slack_everything_comes_once(database_url: str) -> None:
    async with house_over_http(database_url) as house:
        ana = house.sandbox.person("ana")
        await ana.command("#network", "/action", "Order two racks")
        await house.settled()
        async with house.sandbox.out_of_reach():
            for number in range(3):
                told = await ana.command("#network", "/action", f"Check rack {number}")
                assert told.ok, told
            await ana.command("#network", "/steward", "A1 start")
            await house.sandbox.advance(timedelta(minutes=10))
            waiting = {row.state.value for row in (await owed(house, "card"))[1:]}

        await until(house, lambda: all(len(cards) == 1 for cards in standing(ana)))
        await house.sandbox.advance(timedelta(minutes=10))
        await until(house, lambda: "In progress" in standing(ana)[0][0])

        assert waiting == {"due"}
        assert [len(cards) for cards in standing(ana)] == [1, 1, 1, 1]
        assert {row.state.value for row in await owed(house, "card")} <= {"sent", "cancelled"}


def standing(person: Driver) -> list[list[str]]:
    """The cards of A1 to A4 in #network."""
    messages = person.messages("#network")
    return [[shown(each) for each in messages if is_card_of(each, f"A{number}")] for number in range(1, 5)]
