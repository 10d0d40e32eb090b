"""Finding records by words: what a person reads, turns and opens, and what they never learn of."""

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answer, answered, buttons

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def typed(house: House, person: Driver, line: str, channel: str = "#network") -> str:
    """Type the whole line; what the person is told."""
    command, _, words = line.partition(" ")
    outcome = await person.command(channel, command, words)
    assert outcome.ok, outcome.notice
    await house.settled()
    return answered(person, channel)


def opened(person: Driver) -> list[str]:
    """The references on offer in the latest answer, in order."""
    return [value for action, value in buttons(answer(person)) if action == "show"]


async def test_words_are_found_wherever_they_stand_and_it_says_where(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/risk Core switch is late @ben by 2032-03-05")
    await typed(house, ana, "/action Order cables @ben\nThey are for the *Core* switch in <Réserve>")
    await typed(house, ben, "/action Core business in another channel", "#general")
    await typed(house, ben, "/steward A1 done")

    told = await typed(house, ana, "/steward find core")
    assert opened(ana) == ["A2", "R1", "A1"]
    assert "3 found for core" in told
    beside = [each["accessory"]["text"]["text"] for each in answer(ana)["blocks"] if "accessory" in each]
    assert beside == ["Show"] * 3, "as in a list, and no second word “Open” beside the status"
    assert "They are for the *Core* switch" in told.replace("\n", "")
    assert "Closed: done" in told
    assert "1 to 3 of 3" in told

    told = await typed(house, ana, '/steward find "core switch" risks #network')
    assert opened(ana) == ["R1"]
    assert "Only: risks" in told
    assert "3 found" not in await typed(house, ana, "/steward search reserve")
    assert opened(ana) == ["A1"]


async def test_pages_are_turned_in_place(house: House) -> None:
    ana = house.sandbox.person("ana")
    for n in range(12):
        await typed(house, ana, f"/action Look at <rack> {n} & more !high")
    await typed(house, ana, '/steward find rack "& more" !high')
    standing = answer(ana)
    assert len(opened(ana)) == 10

    await ana.click(standing, "found:next")
    await house.settled()

    turned = next(each for each in ana.ephemerals("#network") if each["id"] == standing["id"])
    assert "11 to 12 of 12" in shown(turned)
    assert [action for action, _ in buttons(turned)] == ["found:previous", "show", "show"]


async def test_a_private_project_is_found_by_its_members_alone(house: House) -> None:
    """Also when they ask in a public channel, where nobody else sees the answer."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#steering", "/action", "Renegotiate the zebra contract")
    await ana.submit({"project_name": "Steering"})
    await house.settled()

    assert "1 found for zebra" in await typed(house, ana, "/steward find zebra")
    told = await typed(house, ben, "/steward find zebra")
    assert "Nothing found for zebra" in told
    assert "Fewer or shorter words" in told
    assert "Steering" not in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/steward find", "Say what to look for"),
        ("/steward find * -", "Say what to look for"),
        ("/steward find a b c d e f g h i j k l", "At most 10 words"),
        ("/steward find open zebra", "put it in quotes"),
        ("/steward find actions >=12 zebra", "I do not know"),
        ("/steward find zebra @nonesuch", "Nobody here is called @nonesuch"),
        ("/steward help find", "the beginning of a word is enough"),
        ("/steward help find", "the best first, of the newest 1,000 where there are more"),
        ("/steward find <!channel> *bold* `x`", "Nothing found for"),
    ],
)
async def test_what_cannot_be_looked_for_is_answered_with_what_can(house: House, line: str, told: str) -> None:
    assert told in await typed(house, house.sandbox.person("ana"), line)
