"""A record's card: lost, asked for again, and never two of them."""

from datetime import date
from decimal import Decimal

import pytest

from models.kinds import Item
from models.kinds.action import ACTION, Action
from models.kinds.risk import RISK, Category, Nature, Proximity, ResponseStrategy, Risk
from models.labels import EscalationLevel, Priority
from models.money import Money
from models.tables import Project, Record
from sandbox.block_kit import message_refusal
from tests.scenarios.house import House, shown
from tests.support import NOW
from views.cards import MORNING_ROWS, morning, record_card


async def test_a_card_that_slack_refused_is_posted_once_somebody_asks_for_it(house: House) -> None:
    """The private card offers it, and only while there is none in the channel."""
    ana = house.sandbox.person("ana")
    house.sandbox.fail("chat.postMessage", error="restricted_action", channel="#network")
    await ana.command("#network", "/action", "Order cables")
    await house.settled()
    cards_before = [m for m in ana.messages("#network") if "Order cables" in shown(m)]

    await ana.command("#network", "/steward", "A1")
    private = ana.ephemerals("#network")[-1]
    for _ in range(2):
        await ana.click(private, "post_card")
        await house.settled()
    await ana.command("#network", "/steward", "A1")

    assert cards_before == []
    assert len([m for m in ana.messages("#network") if "Order cables" in shown(m)]) == 1
    assert "Its card is not in the channel" not in shown(ana.ephemerals("#network")[-1])


async def test_a_removed_record_leaves_the_lists_and_undo_brings_it_back(house: House) -> None:
    """Only whoever raised it, the coordinator or an admin removes it."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.command("#network", "/action", "Order cables")
    await house.settled()

    await kavya.command("#network", "/steward", "A1 remove")
    after_refusal = (await house.record("A1"))["is_archived"]
    await ana.command("#network", "/steward", "A1 remove")
    await house.settled()
    removed = (await house.record("A1"))["is_archived"]
    confirmation = ana.ephemerals("#network")[-1]
    await ana.command("#network", "/steward", "list")
    listed = shown(ana.ephemerals("#network")[-1])
    await ana.click(confirmation, "undo")
    await house.settled()

    assert (after_refusal, removed) == (False, True)
    assert "Order cables" not in listed
    assert (await house.record("A1"))["is_archived"] is False


async def test_a_typed_invitation_brings_steward_and_the_cards_it_owes(house: House) -> None:
    """A private channel gets the card of what was logged before."""
    ana = house.sandbox.person("ana")
    await ana.command("#steering", "/action", "Order cables")
    await ana.submit({"project_name": "Steering"})
    await house.settled()
    before = [message for message in ana.messages("#steering") if "Order cables" in shown(message)]

    await ana.command("#steering", "/invite", "@Steward")
    await house.settled()

    assert before == []
    assert len([message for message in ana.messages("#steering") if "Order cables" in shown(message)]) == 1


@pytest.mark.parametrize("count", [1, 9, 10, 30])
def test_the_morning_message_fits_into_slack_whatever_is_due(count: int) -> None:
    """What does not fit is counted, and found in Home."""
    today, before = date(2026, 3, 2), date(2026, 2, 1)
    due = [(action(number, today), NETWORK) for number in range(count)]
    late = [(action(100 + number, before), NETWORK) for number in range(count)]

    message = morning(due, late, today=today)

    words = shown({"blocks": message.blocks})
    assert message_refusal({"text": message.text, "blocks": message.blocks}) is None
    assert f"{count} due today, {count} overdue" in words
    assert ("more: see Steward's Home tab" in words) == (2 * count > MORNING_ROWS)


def test_a_card_with_everything_filled_in_fits_into_slack() -> None:
    """More facts than one section takes, and texts as long as they may be."""
    item = action(7, date(2026, 3, 2))
    long = "x" * 3_000
    own = Risk(
        record_id=7,
        probability=5,
        impact=4,
        response=ResponseStrategy.MITIGATE,
        nature=Nature.THREAT,
        category=Category.VENDOR,
        proximity=Proximity.STAGE,
        trigger_date=date(2026, 4, 1),
        escalation_level=EscalationLevel.SPONSOR,
        cost=Money(Decimal(10**12), "EUR"),
        residual_probability=2,
        residual_impact=3,
        **dict.fromkeys(("cause", "effect", "objective", "trigger_sign", "contingency"), long),
    )
    item.record.details = item.record.remark = long
    item.record.priority = Priority.HIGH
    item.record.next_review = date(2026, 3, 20)

    message = record_card(Item(RISK, item.record, own), NETWORK, {}, now=NOW)

    words = shown({"blocks": message.blocks})
    assert message_refusal({"text": message.text, "blocks": message.blocks}) is None
    assert "*Score*\n20 of 25, critical" in words
    assert "*Residual score*\n6 of 25, medium" in words
    assert all(f"*{field.label}*" in words for field in RISK.fields if field.choices and not field.by_step)


NETWORK = Project(id=1, name="network", timezone="UTC", created_by="U1", home_channel_id="C1", created_at=NOW)


def action(number: int, due_date: date) -> Item:
    """An open action, stored nowhere."""
    record = Record(
        number=number,
        kind=ACTION.key,
        title=f"Order cable {number}",
        due_date=due_date,
        status="open",
        project_id=1,
        channel_id="C1",
        raised_by="U1",
        created_at=NOW,
        updated_at=NOW,
    )
    return Item(ACTION, record, Action(record_id=number))
