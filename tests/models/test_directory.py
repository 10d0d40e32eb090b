"""People and channels as Slack describes them, and what Slack's word must not overwrite."""

import pytest

from models import directory
from models.database import Database
from models.tables import Channel, Person, Project
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project


async def test_an_unknown_person_and_channel_are_none(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        assert await directory.person(session, "UNOBODY") is None
        assert await directory.channel(session, "CNOWHERE") is None
        assert await directory.people(session, [None, "", "UNOBODY"]) == {}


async def test_several_people_are_found_by_id_whether_met_in_this_unit_or_not(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        for name in ("ana", "ben", "cat"):
            await make_person(session, name)

    async with database.unit(WORKSPACE, writes=False) as session:
        await directory.person(session, "UBEN")
        found = await directory.people(session, ["UANA", "UBEN", "UNOBODY", None, "UANA"])

    assert {person_id: person.name for person_id, person in found.items()} == {"UANA": "ana", "UBEN": "ben"}


NAMES = {
    "élodie": ["UELODIE"],
    "Élodie": ["UELODIE"],
    "ÉLODIE MARTIN": ["UELODIE"],
    "em": ["UELODIE"],
    "ana": ["UANA", "UANA2"],
    " ANA ": ["UANA", "UANA2"],
    "Ana Silva": ["UANA2"],
    "an": [],
    "silva": [],
    "a%": [],
    "_na": [],
    "robot": [],
    "gone": [],
    "": [],
}


@pytest.mark.parametrize(("typed", "expected"), NAMES.items())
async def test_active_people_are_found_by_handle_first_name_and_full_name(
    database: Database, typed: str, expected: list[str]
) -> None:
    async with database.unit(WORKSPACE) as session:
        await make_person(session, "em", id="UELODIE", real_name="Élodie Martin")
        await make_person(session, "ana", real_name="")
        await make_person(session, "asilva", id="UANA2", real_name="Ana Silva")
        await make_person(session, "robot", is_bot=True, real_name="Robot")
        await make_person(session, "gone", is_active=False, real_name="Gone Away")

        found = await directory.people_named(session, typed)

    assert sorted(person.id for person in found) == expected


async def test_slacks_news_of_a_person_keeps_what_only_we_know(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        (await make_person(session, "ana")).home_opened_at = NOW

    async with database.unit(WORKSPACE) as session:
        await directory.save_person(
            session, Person(id="UANA", name="ana", real_name="Ana Neu", timezone="Asia/Kolkata", is_active=False)
        )

    async with database.unit(WORKSPACE, writes=False) as session:
        ana = await directory.person(session, "UANA")
        assert ana is not None
        assert (ana.real_name, ana.timezone, ana.is_active, ana.home_opened_at) == (
            "Ana Neu",
            "Asia/Kolkata",
            False,
            NOW,
        )


async def test_slacks_news_of_a_channel_keeps_its_project_and_our_hello(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        channel = await make_channel(session, "move", members=["UANA"])
        project = await make_project(session, channel=channel)
        channel.greeted_at = NOW

    async with database.unit(WORKSPACE) as session:
        await directory.save_channel(session, Channel(id="CMOVE", name="moved", is_private=False), None, NOW)

    async with database.unit(WORKSPACE, writes=False) as session:
        found = await directory.channel(session, "CMOVE")
        assert found is not None
        channel, same_project = found
        assert (channel.name, channel.greeted_at, channel.members_known_at) == ("moved", NOW, NOW)
        assert same_project is not None
        assert same_project.id == project.id
        assert await directory.is_member(session, "CMOVE", "UANA"), "no word about members leaves them as they were"


async def test_a_channel_whose_members_slack_hides_is_not_known(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        hidden = await make_channel(session, "hidden", members=None, is_private=True)
        empty = await make_channel(session, "empty", members=[])

    assert (hidden.members_known_at, empty.members_known_at) == (None, NOW)


async def members(database: Database, *names: str) -> dict[str, bool]:
    async with database.unit(WORKSPACE, writes=False) as session:
        return {name: await directory.is_member(session, "CMOVE", name) for name in names}


async def test_membership_becomes_what_slack_says(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await make_channel(session, members=["UANA", "UBEN"])
        await make_channel(session, members=["UBEN", "UCAT"])

    assert await members(database, "UANA", "UBEN", "UCAT") == {"UANA": False, "UBEN": True, "UCAT": True}


async def test_joining_twice_and_leaving_twice_are_as_once(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        for _ in range(2):
            await directory.joined(session, "CMOVE", "UANA")
            await directory.joined(session, "CMOVE", "UBEN")
        for _ in range(2):
            await directory.left(session, "CMOVE", "UBEN")

    assert await members(database, "UANA", "UBEN") == {"UANA": True, "UBEN": False}


async def test_a_channel_of_thousands_is_stored(database: Database) -> None:
    everybody = [f"U{number:05}" for number in range(12_000)]
    async with database.unit(WORKSPACE) as session:
        await make_channel(session, members=everybody)
        await make_channel(session, members=everybody[:1])

    assert await members(database, "U00000", "U11999") == {"U00000": True, "U11999": False}


async def test_a_project_is_private_exactly_while_one_of_its_channels_is(database: Database) -> None:
    async def is_private(project: Project) -> bool:
        async with database.unit(WORKSPACE, writes=False) as session:
            found = await session.get(Project, project.id)
            assert found is not None
            return found.is_private

    async with database.unit(WORKSPACE) as session:
        project = await make_project(session)
    seen = [await is_private(project)]
    for becomes_private in (True, False):
        async with database.unit(WORKSPACE) as session:
            await make_channel(session, is_private=becomes_private)
        seen.append(await is_private(project))

    assert seen == [False, True, False]
