"""Somebody is erased while Steward runs: what people see, and that Slack does not bring them back."""

import json

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from models import erasing, letting_go
from tests.scenarios.house import House, shown
from tests.scenarios.looking import card
from tests.scenarios.steps import owed

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def erase(house: House, person_id: str) -> None:
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        await erasing.erase(session, person_id, now=house.sandbox.clock.now())
    await house.settled()


async def everything(house: House) -> str:
    async with house.steward.database.engine.connect() as connection:
        tables = SQLModel.metadata.sorted_tables
        rows = [tuple(row) for table in tables for row in await connection.execute(select(table))]
    return json.dumps(rows, default=str, ensure_ascii=False).lower()


async def test_their_records_are_handed_on_and_their_cards_name_them_no_more(house: House) -> None:
    kavya, tane, ben = [house.sandbox.person(name) for name in ("kavya", "tane", "ben")]
    await kavya.command("#network", "/action", "Order two racks @ben")
    await ben.command("#network", "/action", "Ask Ben's supplier @tane")
    await house.settled()

    await erase(house, ben.id)
    told = kavya.app_messages()[-1]
    await kavya.click(told, "select")
    await kavya.submit({"pick.0": ["A1"], "deed": "reassign"})
    await kavya.submit({"owner_id": tane.id})
    await house.settled()

    assert "Without an owner since then: 1 open record, 1 in network." in shown(told)
    assert (await house.record("A1"))["owner"] == tane.id
    assert "erased person" in shown(card(kavya, "A2"))
    assert "Ben" not in shown(card(kavya, "A1")) + shown(card(kavya, "A2"))
    assert [row.target for row in await owed(house, letting_go.OWNERLESS)] == [kavya.id]


async def test_slack_telling_of_them_again_brings_nothing_back_until_they_act(house: House) -> None:
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await ben.command("#network", "/action", "Order two racks")
    await erase(house, ben.id)

    house.sandbox.change_person("ben", title="Still here", status_emoji=":palm_tree:")
    await house.settled()
    await house.here.directory.warm()
    before = await everything(house)
    await ben.command("#network", "/action", "Begin again")
    await house.settled()

    assert [trace for trace in (ben.id.lower(), "ben fischer", '"ben"') if trace in before] == []
    assert "Ben Fischer" in shown(card(kavya, "A2"))
    assert "Ben Fischer" not in shown(card(kavya, "A1"))
