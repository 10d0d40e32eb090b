"""What Slack says of people is believed; what it does not say is not made up."""

from typing import Any

import pytest
from sqlmodel import select

from bot.slack_directory import SlackDirectory
from models import directory
from models.database import Database
from models.tables import Channel
from tests.support import WORKSPACE, FixedClock, make_channel, make_person, make_workspace


class SilentSlack:
    """Answers every call, and says nothing in it but what was `given`."""

    def __init__(self, **given: dict[str, Any]) -> None:
        self._given = given

    async def call(self, method: str, **_arguments: Any) -> dict[str, Any]:
        return {"ok": True, **self._given.get(method.replace(".", "_"), {})}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_answer_that_describes_nobody_makes_nobody_a_full_member(
    database: Database, clock: FixedClock
) -> None:
    async with database.unit(WORKSPACE) as session:
        workspace = await make_workspace(session)
        await make_person(session, "guest", is_guest=True)
    slack = SlackDirectory(database, SilentSlack(), clock, workspace)

    for person_id in ("UGUEST", "UNKNOWN"):
        await slack.learn_person(person_id)

    async with database.unit(WORKSPACE, writes=False) as session:
        known = await directory.people(session, ["UGUEST", "UNKNOWN"])
    assert {key: person.is_guest for key, person in known.items()} == {"UGUEST": True}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_person_of_whom_slack_says_nothing_keeps_nobody_else_and_no_channel_from_being_read(
    database: Database, clock: FixedClock
) -> None:
    async with database.unit(WORKSPACE) as session:
        workspace = await make_workspace(session)
        await make_person(session, "silent")
        channel = {"id": "CNEW", "name": "new", "is_channel": True, "is_private": False}
    slack = SilentSlack(users_list={"members": []}, conversations_list={"channels": [channel]})

    await SlackDirectory(database, slack, clock, workspace).warm()

    async with database.unit(WORKSPACE, writes=False) as session:
        assert await session.get(Channel, (WORKSPACE, "CNEW")) is not None


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("said", [None, "CKNOWN", {}], ids=str)
async def test_of_a_channel_that_slack_does_not_describe_what_was_known_stays_and_nothing_is_shown(
    database: Database, clock: FixedClock, said: Any
) -> None:
    async with database.unit(WORKSPACE) as session:
        workspace = await make_workspace(session)
        await make_channel(session, "known", members=["UANA"])
    slack = SlackDirectory(database, SilentSlack(conversations_info={"channel": said}), clock, workspace)

    await slack.reread(["CKNOWN"])
    await slack.learn_channel("CNEW")

    async with database.unit(WORKSPACE, writes=False) as session:
        channels = await session.exec(select(Channel))
    assert {channel.id: channel.is_private for channel in channels} == {"CKNOWN": False, "CNEW": True}
