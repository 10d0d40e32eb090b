"""A post of which nothing was heard is looked for in Slack: over the sandbox's real HTTP, faults and scopes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import looking_up
from bot.looking_up import metadata
from bot.manifest import manifest
from bot.sender import Sender
from bot.slack_port import SlackWebApi
from models import outbox
from models.database import Database
from models.tables import Delivery
from sandbox import Sandbox
from scheduler import deliveries
from scheduler.deliveries import Call, DeliveryKind, Draft, by_key
from tests.support import NOW, WORKSPACE, FixedClock, make_workspace
from tests.support_slack import make_sender, stored
from tests.waiting import until
from views.blocks import Message, plain, section

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The key as text, in the way the payload says."""
    return Draft(
        delivery.payload.get("method", "post"),
        delivery.target,
        Message(delivery.dedupe_key, [section(plain(delivery.dedupe_key))]),
        thread_ts=delivery.payload.get("thread_ts"),
        to=delivery.payload.get("to"),
        mentions="UBEN",
    )


async def note_what_follows(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    delivery.last_error = f"{draft.method} {draft.mentions} {draft.message.text}"
    session.add(delivery)


WORD = DeliveryKind(key="word", draw=draw, late_limit=timedelta(hours=24))
TOLD = replace(WORD, key="told", sent=note_what_follows)
KINDS = (WORD, TOLD)


class Office:
    """A database and a sandbox, and a sender between them that believes at once that Slack has settled."""

    def __init__(self, database: Database, slack: Sandbox, port: SlackWebApi, clock: FixedClock) -> None:
        self.database, self.slack, self.port, self.clock = database, slack, port, clock
        self.ana = slack.person("ana")

    def channel(self, name: str) -> str:
        found = self.slack.workspace.find_channel(name)
        assert found is not None
        return found.id

    async def owe(self, key: str, target: str = "#general", kind: str = "word", **payload: Any) -> None:
        target = self.channel(target) if target.startswith("#") else self.slack.person(target).id
        async with self.database.unit(WORKSPACE) as session:
            await outbox.put(session, kind, key=key, target=target, payload=payload, due_at=NOW)

    def sender(self, **options: Any) -> Sender:
        times: dict[str, Any] = {"settle": timedelta(0)}
        return make_sender(self.database, self.port, self.clock, kinds=KINDS, **(times | options))

    async def send(self, *, minutes: int = 4, **options: Any) -> None:
        """Send what is due, and again every minute."""
        for _ in range(minutes):
            await self.sender(**options).drain()
            self.clock.move(minutes=1)

    async def killed_in_a_call(self, *, posted: bool) -> None:
        """Somebody claimed the one row, began its call and was killed, before or after Slack took it."""
        async with self.database.unit(WORKSPACE) as session:
            now = self.clock.now()
            [row] = await deliveries.claim(session, by_key(KINDS), now=now, wall=now, worker="gone", limit=1)
            draft = await draw(session, row, now)
            assert draft is not None
            call = Call(draft.method, draft.channel, draft.thread_ts, draft.mentions, now)
            await deliveries.begin_call(session, row, call, wall=now)
        if posted:
            of = metadata(row.id, row.attempt)
            await self.port.call(
                "chat.postMessage", channel=row.target, text=row.dedupe_key, metadata=of, thread_ts=draft.thread_ts
            )
        self.clock.move(minutes=2)

    async def states(self) -> list[str]:
        return [row.state.value for row in await stored(self.database)]

    def count(self, text: str) -> int:
        """How often the message stands in the workspace, wherever."""
        rooms = self.slack.workspace.channels.values()
        return sum(message["text"] == text for room in rooms for message in room.messages.values())

    def asked(self) -> list[str]:
        """Which ways of looking were used, in order."""
        ways = ("conversations.history", "conversations.replies", "conversations.open")
        return [call.method for call in self.slack.calls if call.method in ways]


@pytest.fixture
async def office(database: Database, clock: FixedClock, request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    optional_scopes = getattr(request, "param", True)
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
    async with Sandbox(manifest(), rate_limits=False, optional_scopes=optional_scopes) as slack:
        port = SlackWebApi(slack.bot_token, slack.api_url)
        await port.call("auth.test")  # as at every start; with it come the scopes
        yield Office(database, slack, port, clock)
        await port.close()


FAULTS: dict[str, dict[str, Any]] = {
    "cut off before": {"drop": "before"},
    "cut off after": {"drop": "after"},
    "broken": {"status": 500},
    "half done": {"error": "internal_error"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("target", ["#general", "ben"])
async def test_what_is_in_doubt_is_looked_up_and_stands_there_exactly_once(
    office: Office, fault: dict[str, Any], target: str
) -> None:
    office.slack.fail("chat.postMessage", **fault)
    await office.owe("a word", target)
    await office.send()

    [row] = await stored(office.database)
    assert (row.state.value, office.count("a word")) == ("sent", 1)
    room = office.slack.workspace.channels[row.slack_channel or ""]
    assert room.messages[row.slack_ts or ""]["text"] == "a word"


@pytest.mark.parametrize("posted", [True, False])
async def test_a_call_in_whose_middle_the_sender_was_killed_is_looked_up_when_its_lease_is_over(
    office: Office, posted: bool
) -> None:
    await office.owe("a word")
    await office.killed_in_a_call(posted=posted)
    await office.send()

    assert (await office.states(), office.count("a word")) == (["sent"], 1)


async def test_a_reply_is_looked_for_in_its_thread(office: Office) -> None:
    first = await office.ana.say("#general", "How do we move the racks?")
    await office.owe("a word", thread_ts=first["ts"])
    await office.killed_in_a_call(posted=True)
    await office.send()

    assert (await office.states(), office.count("a word")) == (["sent"], 1)
    assert office.asked() == ["conversations.replies"]


async def test_what_follows_a_message_follows_one_that_was_found(office: Office) -> None:
    """With what is known of its draft: what was noted before the call, and the words that stand in Slack."""
    await office.owe("a word", kind="told")
    await office.killed_in_a_call(posted=True)
    await office.send()

    [row] = await stored(office.database)
    assert row.last_error == "post UBEN a word"


@pytest.mark.parametrize("office", [False], indirect=True)
async def test_without_the_optional_scopes_only_direct_messages_are_looked_up(office: Office) -> None:
    office.slack.fail("chat.postMessage", drop="after", times=2)
    await office.owe("to all")
    await office.send(minutes=1)
    await office.owe("to ben", "ben")
    await office.send()

    assert await office.states() == ["unconfirmed", "sent"]
    assert (office.count("to all"), office.count("to ben")) == (1, 1)
    assert office.asked() == ["conversations.open", "conversations.history"]


async def test_a_channel_steward_is_not_in_cannot_be_looked_into(office: Office) -> None:
    """It may post there, and Slack shows it no history."""
    office.slack.fail("chat.postMessage", drop="after")
    await office.owe("a word", "#random")
    await office.send()

    assert (await office.states(), office.count("a word")) == (["unconfirmed"], 1)


async def test_what_is_shown_to_one_person_only_stands_nowhere_and_is_not_looked_up(office: Office) -> None:
    office.slack.fail("chat.postEphemeral", drop="before")
    await office.owe("a word", method="whisper", to=office.ana.id)
    await office.send()

    assert (await office.states(), office.asked()) == (["unconfirmed"], [])


@pytest.mark.parametrize("trouble", [{"retry_after": 90}, {"status": 500}, {"drop": "before"}, {"drop": "after"}])
async def test_a_channel_that_cannot_be_looked_into_now_is_asked_again_later(
    office: Office, trouble: dict[str, Any]
) -> None:
    """Not before the time that Slack names."""
    office.slack.fail("chat.postMessage", drop="after")
    office.slack.fail("conversations.history", **trouble)
    await office.owe("a word")
    asked = []
    for seconds in (0, 29, 61):
        office.clock.move(seconds=seconds)
        await office.sender().drain()
        asked.append((len(office.asked()), *await office.states()))

    assert asked == [(1, "sending"), (1, "sending"), (2, "sent")]
    assert office.count("a word") == 1


async def test_slack_is_not_asked_before_it_has_settled(office: Office) -> None:
    office.slack.fail("chat.postMessage", drop="after")
    await office.owe("a word")
    asked = []
    for seconds in (0, 14, 1):
        office.clock.move(seconds=seconds)
        await office.sender(settle=None).drain()
        asked.append(len(office.asked()))

    assert asked == [0, 0, 1]
    assert await office.states() == ["sent"]


@pytest.mark.parametrize(("messages", "state"), [(7, "sent"), (8, "unconfirmed")])
async def test_every_page_since_the_call_is_read_up_to_a_limit(
    office: Office, monkeypatch: pytest.MonkeyPatch, messages: int, state: str
) -> None:
    """Whether it is among too many messages is not to be known."""
    monkeypatch.setattr(looking_up, "PAGE", 2)
    monkeypatch.setattr(looking_up, "PAGES_MAX", 4)
    await office.owe("a word", "#network")
    await office.killed_in_a_call(posted=True)
    for number in range(messages):
        await office.ana.say("#network", f"Rack {number}")
    await office.send()

    assert (await office.states(), office.count("a word")) == ([state], 1)
    assert office.asked() == ["conversations.history"] * 4


async def test_another_programs_message_is_not_taken_for_ours(office: Office) -> None:
    """Of the same text, or with metadata of its own."""
    await office.owe("a word")
    others = {"event_type": "lunch_order", "event_payload": {"id": 1}}
    for of in (None, others, metadata(999, 1)):
        await office.port.call("chat.postMessage", channel=office.channel("#general"), text="a word", metadata=of)
    await office.killed_in_a_call(posted=False)
    await office.send()

    assert (await office.states(), office.count("a word")) == (["sent"], 4)


async def test_a_workspace_that_is_stopped_while_it_looks_leaves_the_row_in_doubt(office: Office) -> None:
    """It is not given back: that would be a second message."""
    await office.owe("a word")
    await office.killed_in_a_call(posted=True)
    office.slack.fail("conversations.history", hang=60)
    sender = office.sender()
    passing = asyncio.create_task(sender.drain())
    await until(lambda: not office.slack._core.faults.ordered)  # taken when the call has come in
    await sender.stop(grace_seconds=0.05)
    await passing

    assert await office.states() == ["sending"]
    office.clock.move(minutes=2)
    await office.send()
    assert (await office.states(), office.count("a word")) == (["sent"], 1)
