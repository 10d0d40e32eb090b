"""What is told to whom: cards, words to owners, greetings, troubles. Whole flows into a recording Slack."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from bot.sender import Sender
from bot.slack_port import SlackPermanent, SlackUnknown
from models import directory, operations, outbox
from models.database import Database
from models.kinds import Item
from models.kinds.action import ACTION
from models.permissions import actor_of
from models.tables import Card, Channel, Person, Project
from scheduler.deliveries import DeliveryKind
from scheduler.notices import DELIVERY_KINDS
from tests.support import (
    WORKSPACE,
    FixedClock,
    make_channel,
    make_person,
    make_project,
    make_record,
    make_workspace,
    undo,
)
from tests.support_slack import Call, RecordingSlack, make_sender, states, stored


@dataclass
class House:
    """Ana's project in #move, where Ben is too; Kim is not. `log` and `change` act as a person does."""

    database: Database
    clock: FixedClock
    slack: RecordingSlack
    sender: Sender
    ana: Person
    ben: Person
    kim: Person
    channel: Channel
    project: Project

    async def log(self, by: Person | None = None, **values: Any) -> Item:
        async with self.database.unit(WORKSPACE) as session:
            return await make_record(
                session, ACTION, project=self.project, by=by or self.ana, now=self.clock.now(), **values
            )

    async def change(self, item: Item, by: Person | None = None, **values: Any) -> Item:
        async with self.database.unit(WORKSPACE) as session:
            actor = actor_of(by or self.ana)
            found, project = await operations.find(session, actor, ACTION, item.record.number)
            return await operations.change(
                session,
                actor,
                found,
                project,
                values,
                version=found.record.version,
                now=self.clock.now(),
                via="test",
            )

    async def archive(self, item: Item) -> None:
        async with self.database.unit(WORKSPACE) as session:
            actor = actor_of(self.ana)
            found, project = await operations.find(session, actor, ACTION, item.record.number)
            await undo(session, actor, found, project, version=1, now=self.clock.now())

    async def alter(self, person: Person, **fields: Any) -> None:
        async with self.database.unit(WORKSPACE) as session:
            await make_person(session, person.name, **fields)

    def facts(self, call: Call) -> str:
        return str(call.arguments["blocks"])


@pytest.fixture
async def house(database: Database, clock: FixedClock) -> AsyncIterator[House]:
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana, ben, kim = [await make_person(session, name) for name in ("ana", "ben", "kim")]
        channel = await make_channel(session, members=[ana, ben])
        project = await make_project(session, by=ana, channel=channel)
    slack = RecordingSlack()
    sender = make_sender(database, slack, clock)
    yield House(database, clock, slack, sender, ana, ben, kim, channel, project)
    await sender.stop()


async def test_a_record_gets_a_card_that_is_updated_in_place(house: House) -> None:
    item = await house.log(title="Send the diagram")
    await house.sender.drain()
    await house.change(item, title="Send both diagrams")
    await house.sender.drain()

    post, update = house.slack.calls
    assert (post.method, post.channel) == ("chat.postMessage", "CMOVE")
    assert (update.method, update.channel, update.arguments["ts"]) == ("chat.update", "CMOVE", "1772442000.000001")
    assert "Send both diagrams" in update.text


async def test_an_owner_in_the_channel_is_mentioned_on_the_first_post_only(house: House) -> None:
    item = await house.log(owner_id="UBEN")
    await house.sender.drain()
    await house.change(item, title="Another title")
    await house.sender.drain()

    post, update = house.slack.calls
    assert "<@UBEN>" in house.facts(post)
    assert "<@UBEN>" not in house.facts(update)


async def test_an_owner_outside_the_channel_gets_a_direct_message_once_the_card_stands(house: House) -> None:
    await house.log(owner_id="UKIM")
    await house.sender.drain()

    card, word = house.slack.calls
    assert "<@UKIM>" not in house.facts(card)
    assert word.channel == "UKIM"
    assert "You own A1" in word.text


async def test_nobody_is_told_of_what_they_logged_for_themselves(house: House) -> None:
    await house.log(owner_id="UANA")
    await house.log(by=house.kim, owner_id="UKIM")
    await house.sender.drain()

    assert [call.channel for call in house.slack.calls] == ["CMOVE", "CMOVE"]
    assert not any("<@" in house.facts(call) for call in house.slack.calls)


async def test_an_owner_who_was_changed_before_the_card_went_out_is_told_once(house: House) -> None:
    item = await house.log(owner_id="UBEN")
    await house.change(item, owner_id="UKIM")
    await house.sender.drain()

    assert sorted(call.channel for call in house.slack.calls) == ["CMOVE", "UKIM"]
    assert "<@" not in house.facts(house.slack.to("CMOVE")[0])


async def test_changes_made_before_the_card_went_out_are_one_post(house: House) -> None:
    item = await house.log(title="First")
    await house.change(item, title="Second")
    await house.change(item, title="Third")
    await house.sender.drain()

    [call] = house.slack.calls
    assert "Third" in call.text
    assert await states(house.database) == ["card cancelled", "card cancelled", "card sent"]


async def test_a_record_taken_back_before_its_card_went_out_leaves_no_trace(house: House) -> None:
    await house.archive(await house.log())
    await house.sender.drain()

    assert house.slack.calls == []
    assert await states(house.database) == ["card cancelled", "card cancelled"]


async def test_a_record_taken_back_later_says_so_on_its_card(house: House) -> None:
    item = await house.log()
    await house.sender.drain()
    await house.archive(item)
    await house.sender.drain()

    assert house.slack.calls[-1].method == "chat.update"
    assert "was removed" in house.slack.calls[-1].text


async def test_a_card_that_may_have_been_posted_is_not_posted_again_until_the_record_changes(house: House) -> None:
    house.slack.refuse(SlackUnknown("timeout"))
    item = await house.log()
    await house.sender.drain()
    house.clock.move(minutes=10)
    await house.sender.drain()
    assert await states(house.database) == ["card unconfirmed", "trouble sent"]
    assert "Slack did not say whether its card was posted" in house.slack.calls[-1].arguments["text"]

    await house.change(item, title="Changed")
    await house.sender.drain()

    assert [call.arguments["channel"] for call in house.slack.calls] == ["CMOVE", "UANA", "CMOVE"]


async def test_an_update_of_unknown_outcome_is_repeated(house: House) -> None:
    item = await house.log()
    await house.sender.drain()
    house.slack.refuse(SlackUnknown("timeout"))
    await house.change(item, title="Changed")
    await house.sender.drain()
    house.clock.move(minutes=1)
    await house.sender.drain()

    assert [call.method for call in house.slack.calls] == ["chat.postMessage", "chat.update", "chat.update"]
    assert await states(house.database) == ["card sent", "card sent"]


async def test_a_card_is_not_posted_a_day_late_but_still_updated(house: House) -> None:
    posted = await house.log()
    await house.sender.drain()
    await house.change(posted, title="Changed")
    await house.log(title="Never seen")
    house.clock.move(hours=24)
    await house.sender.drain()

    assert [call.method for call in house.slack.calls] == ["chat.postMessage", "chat.update"]


async def test_a_card_that_somebody_deleted_is_posted_anew_without_telling_the_owner_again(house: House) -> None:
    item = await house.log(owner_id="UBEN")
    await house.sender.drain()
    house.slack.refuse(SlackPermanent("message_not_found"))
    await house.change(item, title="Changed")
    await house.sender.drain()

    assert [call.method for call in house.slack.calls] == ["chat.postMessage", "chat.update", "chat.postMessage"]
    assert "<@UBEN>" not in house.facts(house.slack.calls[-1])
    async with house.database.unit(WORKSPACE) as session:
        card = await session.get(Card, item.record.id)
    assert card is not None
    assert card.ts == "1772442000.000002"


async def test_a_refused_card_tells_its_author_why_and_its_owner_that_the_record_is_theirs(house: House) -> None:
    house.slack.refuse(SlackPermanent("not_in_channel"))
    await house.log(owner_id="UBEN")
    await house.sender.drain()

    [trouble], [word] = house.slack.to("UANA"), house.slack.to("UBEN")
    assert "A1 is saved, but its card could not be posted. I am not in <#CMOVE>: invite me there" in trouble.text
    assert "You own A1" in word.text
    assert await states(house.database) == ["card parked", "assigned sent", "trouble sent"]


async def test_a_card_refused_again_for_the_same_reason_is_not_told_again(house: House) -> None:
    house.slack.refuse(SlackPermanent("not_in_channel"), times=2, channel="CMOVE")
    item = await house.log(owner_id="UBEN")
    await house.sender.drain()
    await house.change(item, title="Changed")
    await house.sender.drain()

    assert [call.channel for call in house.slack.calls].count("UANA") == 1
    assert [call.channel for call in house.slack.calls].count("UBEN") == 1


async def test_an_owner_told_because_the_card_was_refused_is_not_mentioned_when_it_stands(house: House) -> None:
    house.slack.refuse(SlackPermanent("not_in_channel"), channel="CMOVE")
    item = await house.log(owner_id="UBEN")
    await house.sender.drain()
    await house.change(item, title="Changed")
    await house.sender.drain()

    assert "<@UBEN>" not in house.facts(house.slack.to("CMOVE")[-1])
    assert len(house.slack.to("UBEN")) == 1


async def test_the_reason_slack_gave_is_told_where_steward_knows_no_better(house: House) -> None:
    house.slack.refuse(SlackPermanent("invalid_blocks"))
    await house.log()
    await house.sender.drain()

    assert "`invalid_blocks`" in house.slack.to("UANA")[0].text


async def test_a_trouble_that_cannot_be_told_is_not_told_again(house: House) -> None:
    house.slack.refuse(SlackPermanent("account_inactive"), times=9)
    await house.log(owner_id="UBEN")
    await house.sender.drain()

    assert await states(house.database) == ["card parked", "assigned parked", "trouble parked"]


async def test_a_new_owner_is_told_by_direct_message(house: House) -> None:
    item = await house.log()
    await house.change(item, owner_id="UBEN")
    await house.sender.drain()

    assert ["You own A1" in call.text for call in house.slack.to("UBEN")] == [True]


@pytest.mark.parametrize("reason", ["closed", "another owner", "deactivated", "hidden", "too late"])
async def test_an_owner_is_not_told_of_what_is_no_longer_their_business(house: House, reason: str) -> None:
    item = await house.log()
    await house.sender.drain()
    await house.change(item, owner_id="UKIM")
    match reason:
        case "closed":
            async with house.database.unit(WORKSPACE) as session:
                found, project = await operations.find(session, actor_of(house.ana), ACTION, 1)
                done = ACTION.step_named("done")
                assert done is not None
                actor = actor_of(house.ana)
                await operations.take_step(session, actor, found, project, done, now=house.clock.now(), via="test")
        case "another owner":
            await house.change(item, owner_id="UANA")
        case "deactivated":
            await house.alter(house.kim, is_active=False)
        case "hidden":
            async with house.database.unit(WORKSPACE) as session:
                await make_channel(session, members=[house.ana, house.ben], is_private=True)
        case "too late":
            house.clock.move(hours=24)

    await house.sender.drain()

    assert house.slack.to("UKIM") == []


async def test_a_trouble_older_than_half_an_hour_stays_untold(house: House) -> None:
    house.slack.refuse(SlackPermanent("is_archived"))
    await house.log()
    sender = make_sender(house.database, house.slack, house.clock, kinds=_kinds("card"))
    await sender.drain()
    house.clock.move(minutes=30)
    await house.sender.drain()

    assert await states(house.database) == ["card parked", "trouble expired"]


async def test_a_trouble_is_not_told_to_somebody_who_may_no_longer_see_the_record(house: House) -> None:
    house.slack.refuse(SlackPermanent("not_in_channel"))
    await house.log()
    async with house.database.unit(WORKSPACE) as session:
        await make_channel(session, members=[house.ben], is_private=True)
    await house.sender.drain()

    assert house.slack.to("UANA") == []
    assert await states(house.database) == ["card parked", "trouble cancelled"]


async def test_a_channel_that_steward_joined_is_greeted_once(house: House) -> None:
    for _ in range(2):
        await _owe(house, "hello", "CMOVE")
        await house.sender.drain()

    assert [call.channel for call in house.slack.calls] == ["CMOVE"]
    assert "Hello" in house.slack.calls[0].text


@pytest.mark.parametrize("fields", [{"has_bot": False}, {"is_archived": True}])
async def test_a_channel_that_steward_left_or_that_was_archived_is_not_greeted(
    house: House, fields: dict[str, Any]
) -> None:
    await _owe(house, "hello", "CMOVE")
    async with house.database.unit(WORKSPACE) as session:
        await make_channel(session, members=[house.ana], **fields)
    await house.sender.drain()

    assert (house.slack.calls, await states(house.database)) == ([], ["hello cancelled"])


async def test_a_greeting_of_unknown_outcome_is_not_repeated(house: House) -> None:
    house.slack.refuse(SlackUnknown("timeout"))
    await _owe(house, "hello", "CMOVE")
    await house.sender.drain()
    house.clock.move(hours=1)
    await house.sender.drain()

    assert len(house.slack.calls) == 1


async def test_a_message_to_steward_is_answered_and_repeated_once_when_the_outcome_is_unknown(house: House) -> None:
    house.slack.refuse(SlackUnknown("timeout"), times=3)
    await _owe(house, "how_to", "UBEN")
    for _ in range(4):
        await house.sender.drain()
        house.clock.move(minutes=1)

    assert [call.channel for call in house.slack.calls] == ["UBEN", "UBEN"]
    assert await states(house.database) == ["how_to unconfirmed"]


async def test_a_guest_in_the_channel_learns_of_their_record_by_mention(house: House) -> None:
    async with house.database.unit(WORKSPACE) as session:
        await make_person(session, "mia", is_guest=True)
        await directory.joined(session, "CMOVE", "UMIA")
    await house.log(owner_id="UMIA", due_date=date(2026, 3, 6))
    await house.sender.drain()

    assert ["<@UMIA>" in house.facts(call) for call in house.slack.calls] == [True]


async def test_every_message_carries_its_delivery_and_unfurls_nothing(house: House) -> None:
    await house.log()
    await house.sender.drain()

    [row], [call] = await stored(house.database), house.slack.calls
    assert call.arguments["metadata"] == {
        "event_type": "steward_delivery",
        "event_payload": {"id": row.id, "attempt": 1},
    }
    assert (call.arguments["unfurl_links"], call.arguments["unfurl_media"]) == (False, False)
    assert (row.slack_channel, row.slack_ts) == ("CMOVE", "1772442000.000001")


async def _owe(house: House, kind: str, target: str) -> None:
    async with house.database.unit(WORKSPACE) as session:
        await outbox.put(session, kind, key=f"{kind}:{target}", target=target, due_at=house.clock.now())


def _kinds(*wanted: str) -> list[DeliveryKind]:
    return [kind for kind in DELIVERY_KINDS if kind.key in wanted]
