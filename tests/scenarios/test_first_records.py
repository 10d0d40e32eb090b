"""The first records of a channel, from words and from forms."""

from tests.scenarios.house import House, shown


async def test_words_after_a_command_become_a_record_with_owner_and_due_date(any_house: House) -> None:
    """The sentence of the first five minutes, over both carriers."""
    house = any_house
    ana = house.sandbox.person("ana")

    outcome = await ana.command("#network", "/action", "Send the firewall diagram @ben by 2032-03-05 3pm !high")
    await house.settled()

    assert outcome.ok
    record = await house.record("A1")
    assert record["title"] == "Send the firewall diagram"
    assert record["owner"] == house.sandbox.person("ben").id
    assert (record["due_date"], record["due_time"]) == ("2032-03-05", "15:00:00")
    assert record["priority"] == "high"
    card = ana.messages("#network")[-1]
    assert "Send the firewall diagram" in shown(card)
    assert f"<@{house.sandbox.person('ben').id}>" in shown(card)
    confirmation = shown(ana.ephemerals("#network")[-1])
    assert "Logged A1" in confirmation
    assert "Fri 5 Mar 2032" in confirmation


async def test_nothing_after_a_command_opens_a_form_that_asks_only_a_title(house: House) -> None:
    """Every other field may stay empty."""
    ana = house.sandbox.person("ana")

    await ana.command("#network", "/risk", "")
    await ana.submit({"title": ""})
    errors_without_title = dict(ana.form_errors)
    await ana.submit({"title": "Core switch may arrive late", "probability": "4", "impact": "5"})
    await house.settled()

    assert list(errors_without_title) == ["title"]
    record = await house.record("R1")
    assert (record["title"], record["probability"], record["impact"]) == ("Core switch may arrive late", 4, 5)
    assert "20 of 25, critical" in shown(ana.messages("#network")[-1])
