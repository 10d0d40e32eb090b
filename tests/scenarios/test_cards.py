"""A record's card: lost, asked for again, and never two of them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from models.kinds import Item
from models.kinds.action import ACTION, Action
from models.kinds.risk import RISK, Category, Nature, Proximity, ResponseStrategy, Risk
from models.labels import EscalationLevel, Priority
from models.money import Money
from models.tables import Person, Project, Record
from reports.digest import LINES_MAX, Digest, DigestLine, Done, Group
from sandbox.block_kit import message_refusal
from tests.scenarios.house import House, shown
from tests.support import NOW
from views.cards import record_card
from views.digest import digest, digest_again, marks_in


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


def test_the_fullest_digest_fits_into_slack() -> None:
    """Every part, as many lines as there may be, and more behind them; also when all is dealt with."""
    today = date(2026, 3, 2)
    ben = Person(workspace_id="T1", id="UBEN", name="ben", real_name="Ben")
    rows = [action(number, today) for number in range(LINES_MAX)]
    lines = tuple(DigestLine(list(Group)[n % len(Group)], item, NETWORK) for n, item in enumerate(rows))
    full = Digest(person=ben, day=today, lines=lines, totals=dict.fromkeys(Group, 40))
    done = [replace(line, done=Done()) for line in lines]

    first, again = digest(full, {"UBEN": ben}), digest_again(ben, today, done, {}, today=today)

    words = shown({"blocks": first.blocks})
    for message in (first, again):
        assert message_refusal({"text": message.text, "blocks": message.blocks}) is None
    assert marks_in(first) == [(line.group, line.item.reference) for line in sorted(lines, key=_by_group)]
    assert "40 overdue, 40 due today" in words
    assert "*Overdue* · 3 of 40" in words
    assert "and 188 more" in words
    assert "All of these are dealt with" in shown({"blocks": again.blocks})


def _by_group(line: DigestLine) -> int:
    return line.group.rank


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
