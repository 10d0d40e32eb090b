"""What Slack says of people is believed; what it does not say is not made up."""

from typing import Any

import pytest

from bot.slack_directory import SlackDirectory
from models import directory
from models.database import Database
from tests.support import WORKSPACE, FixedClock, make_person, make_workspace


class SilentSlack:
    """Answers every call, and says nothing in it."""

    async def call(self, _method: str, **_arguments: Any) -> dict[str, Any]:
        return {"ok": True}


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
