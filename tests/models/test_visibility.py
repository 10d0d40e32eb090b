"""Who sees which project and record, asked of the database as lists, searches and buttons ask it."""

from contextlib import suppress
from dataclasses import dataclass

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, operations, projects
from models.database import Database
from models.errors import NotFound
from models.kinds.action import ACTION
from models.permissions import Actor, actor_of, visible_records
from models.tables import Person, Project, Record
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record

# Person -> the channels they are in. Everybody but the last six is a full member.
PEOPLE: dict[str, tuple[list[str], dict[str, bool]]] = {
    "ana": (["open", "secret", "both"], {}),
    "ben": ([], {}),
    "admin": ([], {"is_admin": True}),
    "cat": (["secret"], {}),
    "starter": ([], {}),  # began the project in #hidden, whose members Slack does not show us
    "guest": (["open"], {"is_guest": True}),
    "insider": (["secret"], {"is_guest": True}),
    "external": (["open"], {"is_external": True}),
    "outsider": ([], {"is_guest": True}),
    "gone": (["open", "secret"], {"is_active": False}),
    "robot": (["open", "secret"], {"is_bot": True}),
}

# Project -> who sees it. `mixed` has a public channel and a private one, so all of it is private.
SEEN_BY = {
    "open": {"ana", "ben", "admin", "cat", "starter", "guest", "external"},
    "secret": {"ana", "cat", "insider"},
    "hidden": {"starter"},
    "mixed": {"ana"},
}


@dataclass
class House:
    session: AsyncSession
    people: dict[str, Person]
    projects: dict[str, Project]

    def actor(self, name: str) -> Actor:
        return actor_of(self.people[name])


@pytest.fixture
async def house(database: Database) -> House:
    async with database.unit(WORKSPACE) as session:
        people = {name: await make_person(session, name, **flags) for name, (_, flags) in PEOPLE.items()}
        made = {}
        for name in ("open", "secret", "both"):
            members = [person for person, (channels, _) in PEOPLE.items() if name in channels]
            channel = await make_channel(
                session, name, members=[people[person] for person in members], is_private=name == "secret"
            )
            by = people["ana"]
            made[name] = await make_project(session, by=by, channel=channel, name=name)
        made["mixed"] = made.pop("both")
        await make_channel(session, "back", members=[people["ana"]], is_private=True, project_id=made["mixed"].id)
        await directory.follow_privacy(session, made["mixed"].id or 0)
        hidden = await make_channel(session, "hidden", members=None, is_private=True)
        made["hidden"] = await make_project(session, by=people["starter"], channel=hidden, name="hidden")
        for name, project in made.items():
            await make_record(session, ACTION, project=project, by=people["ana" if name != "hidden" else "starter"])
    async with database.unit(WORKSPACE, writes=False) as session:
        yield House(session, people, made)


def theirs(house: House) -> dict[str, list[int]]:
    """Person -> the ids of the projects they should see."""
    return {
        name: sorted(house.projects[project].id or 0 for project, seers in SEEN_BY.items() if name in seers)
        for name in PEOPLE
    }


async def test_everybody_is_shown_exactly_their_projects(house: House) -> None:
    shown = {}
    for name in PEOPLE:
        shown[name] = sorted(project.id for project in await projects.seen_by(house.session, house.actor(name)))

    assert shown == theirs(house)


async def test_everybody_opens_exactly_their_projects(house: House) -> None:
    opened: dict[str, list[int]] = {name: [] for name in PEOPLE}
    for name in PEOPLE:
        for project in house.projects.values():
            with suppress(NotFound):
                opened[name].append((await projects.find(house.session, house.actor(name), project.id)).id)

    assert {name: sorted(ids) for name, ids in opened.items()} == theirs(house)


async def test_everybody_is_shown_exactly_the_records_of_their_projects(house: House) -> None:
    shown = {}
    for name in PEOPLE:
        seen = visible_records(house.actor(name))
        query = select(Record).join(Project, col(Project.id) == col(Record.project_id)).where(seen)
        shown[name] = sorted(record.project_id for record in await house.session.exec(query))

    assert shown == theirs(house), "one record each, listed once however many channels its project has"


async def test_everybody_opens_exactly_the_records_of_their_projects(house: House) -> None:
    opened: dict[str, list[int]] = {name: [] for name in PEOPLE}
    for name in PEOPLE:
        for number in range(1, len(house.projects) + 1):
            with suppress(NotFound):
                item, _ = await operations.find(house.session, house.actor(name), ACTION, number)
                opened[name].append(item.record.project_id)

    assert {name: sorted(ids) for name, ids in opened.items()} == theirs(house)


async def test_a_record_is_handed_only_to_those_who_see_its_project(house: House) -> None:
    handed: dict[str, list[int]] = {name: [] for name in PEOPLE}
    for name, person in house.people.items():
        for project in house.projects.values():
            if await projects.can_see(house.session, project, person):
                handed[name].append(project.id)

    assert {name: sorted(ids) for name, ids in handed.items()} == theirs(house)


async def test_hidden_and_absent_are_refused_in_the_same_words(house: House) -> None:
    refusals = []
    for number in (2, 99):  # A2 is of the secret project
        with pytest.raises(NotFound) as refusal:
            await operations.find(house.session, house.actor("ben"), ACTION, number)
        refusals.append(str(refusal.value).replace(f"A{number}", "A?"))

    assert refusals[0] == refusals[1]


async def test_a_guest_sees_only_what_was_logged_in_a_channel_of_theirs(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        guest = await make_person(session, "guest", is_guest=True)
        channel = await make_channel(session, "front", members=[ana, guest])
        project = await make_project(session, by=ana, channel=channel)
        await make_channel(session, "back", members=[ana], project_id=project.id)
        await make_record(session, ACTION, project=project, by=ana, channel_id="CFRONT")
        await make_record(session, ACTION, project=project, by=ana, channel_id="CBACK", owner_id="UGUEST")

        assert (await operations.find(session, actor_of(guest), ACTION, 1))[0].reference == "A1"
        with pytest.raises(NotFound):
            await operations.find(session, actor_of(guest), ACTION, 2)


async def test_leaving_a_private_channel_takes_its_project_out_of_sight_and_joining_brings_it_back(
    database: Database,
) -> None:
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session), await make_person(session, "ben")
        channel = await make_channel(session, "secret", members=[ana, ben], is_private=True)
        project = await make_project(session, by=ana, channel=channel)

        seen = [[found.id for found in await projects.seen_by(session, actor_of(ben))]]
        await directory.left(session, "CSECRET", "UBEN")
        seen.append([found.id for found in await projects.seen_by(session, actor_of(ben))])
        await directory.joined(session, "CSECRET", "UBEN")
        seen.append([found.id for found in await projects.seen_by(session, actor_of(ben))])

    assert seen == [[project.id], [], [project.id]]


async def test_once_membership_can_be_read_it_alone_decides(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session), await make_person(session, "ben")
        channel = await make_channel(session, "secret", members=None, is_private=True)
        project = await make_project(session, by=ana, channel=channel)
        before = {name: await projects.can_see(session, project, who) for name, who in (("ana", ana), ("ben", ben))}

        await make_channel(session, "secret", members=[ben], is_private=True, now=NOW)
        after = {name: await projects.can_see(session, project, who) for name, who in (("ana", ana), ("ben", ben))}

    assert before == {"ana": True, "ben": False}
    assert after == {"ana": False, "ben": True}
